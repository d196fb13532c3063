//! ListSchedule.

use legalstat_kit::{
    Error, Violations,
    door::page::Page,
    due::{follow, schedule},
};
use legalstat_proto::forms::v1::{ListScheduleRequest, ListScheduleResponse};

use super::{FormRegistry, convert, door};
use crate::{db, domain::edition::SchedulePosition};

/// How many items a page has unless asked otherwise: enough for a year.
const PAGE_SIZE: usize = 200;

pub(super) async fn list_schedule(
    registry: &FormRegistry,
    request: ListScheduleRequest,
) -> Result<ListScheduleResponse, Error> {
    let mut violations = Violations::new();
    let query = [request.form.as_str(), &request.year.to_string()];
    let page = Page::parse(
        &mut violations,
        request.page_size,
        PAGE_SIZE,
        &request.page_token,
        &query,
    )?;
    let year = schedule::year(&mut violations, "year", request.year);
    let form = door::optional_form(&mut violations, "form", &request.form);
    violations.refuse()?;
    let db = &registry.context.db;
    door::require_registered(db, form).await?;
    registry.schedule.require()?;
    let filter = db::edition::Filter {
        form,
        year,
        after: page.after()?,
        ..Default::default()
    };
    let mut snapshot = db.snapshot().await?;
    let editions = db::edition::list(&mut *snapshot, &filter, page.limit()).await?;
    let (editions, next_page_token) = page.cut(editions, |edition| SchedulePosition::of(edition).to_string());
    let names: Vec<String> = editions.iter().map(|edition| edition.key.to_string()).collect();
    let changes = follow::changes(&mut *snapshot, &names).await?;
    let items = editions.iter().zip(&names).map(|(edition, name)| {
        let revision = changes.get(name).map_or(0, Vec::len);
        convert::to_schedule_item(edition, revision)
    });
    Ok(ListScheduleResponse {
        items: items.collect(),
        next_page_token,
    })
}
