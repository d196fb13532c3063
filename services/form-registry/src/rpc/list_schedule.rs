//! ListSchedule.

use legalstat_kit::{
    Call, Error, Violations,
    door::page::Page,
    due::{schedule, scheduled},
};
use legalstat_proto::forms::v1::{ListScheduleRequest, ListScheduleResponse};

use super::{FormRegistry, convert, door};
use crate::{db, domain::key};

/// How many items a page has unless asked otherwise: enough for a year.
const PAGE_SIZE: usize = 200;

pub(super) async fn list_schedule(
    registry: &FormRegistry,
    _: Call,
    request: ListScheduleRequest,
) -> Result<ListScheduleResponse, Error> {
    let mut violations = Violations::new();
    let query = [request.form.as_str(), &request.year.to_string()];
    let (size, token) = (request.page_size, &request.page_token);
    let page = Page::parse(&mut violations, size, PAGE_SIZE, token, &query)?;
    let year = schedule::year(&mut violations, "year", request.year);
    let form = door::optional_form(&mut violations, "form", &request.form);
    violations.refuse()?;
    let mut snapshot = registry.context.db.snapshot().await?;
    door::require_registered(&mut snapshot, form).await?;
    registry.schedule.require_whole()?;
    let (parent, after) = (form.map(key::form), page.after()?);
    let parent = parent.as_deref();
    let scheduled = scheduled::list(&mut snapshot, &scheduled::Filter { parent, year, after }, page.limit()).await?;
    let (scheduled, next_page_token) = page.cut(scheduled, |item| item.place().to_string());
    let states = db::edition::states(&mut snapshot, &scheduled).await?;
    let items = scheduled.into_iter().zip(states);
    Ok(ListScheduleResponse {
        items: items
            .map(|(item, state)| convert::to_schedule_item(item, state))
            .collect(),
        next_page_token,
    })
}
