//! ListEditions.

use legalstat_kit::{
    Call, Error, Violations,
    door::page::Page,
    due::{follow, schedule},
};
use legalstat_proto::forms::v1::{ListEditionsRequest, ListEditionsResponse};
use tonic::Request;

use super::{FormRegistry, convert, door};
use crate::{
    db,
    domain::{edition::SchedulePosition, names},
};

pub(super) async fn list_editions(
    registry: &FormRegistry,
    request: Request<ListEditionsRequest>,
) -> Result<ListEditionsResponse, Error> {
    let (call, request) = (Call::of(&request), request.into_inner());
    let mut violations = Violations::new();
    let query = [
        request.parent.as_str(),
        &request.state.to_string(),
        &request.year.to_string(),
    ];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let form = match request.parent.as_str() {
        names::ALL_FORMS => None,
        parent => door::form(&mut violations, "parent", parent),
    };
    let state = convert::optional_state(&mut violations, "state", request.state);
    let year = if request.year == 0 {
        None
    } else {
        schedule::year(&mut violations, "year", request.year)
    };
    violations.refuse()?;
    let (context, db) = (&registry.context, &registry.context.db);
    door::require_registered(db, form).await?;
    registry.schedule.require()?;
    let filter = db::edition::Filter {
        form,
        year,
        state,
        after: page.after()?,
        ..Default::default()
    };
    let mut snapshot = db.snapshot().await?;
    let editions = db::edition::list(&mut *snapshot, &filter, page.limit()).await?;
    let (editions, next_page_token) = page.cut(editions, |edition| SchedulePosition::of(edition).to_string());
    let names: Vec<String> = editions.iter().map(|edition| edition.key.to_string()).collect();
    let mut changes = follow::changes(&mut *snapshot, &names).await?;
    let now = context.now();
    let editions = editions.into_iter().zip(names).map(|(edition, name)| {
        let changes = changes.remove(&name).unwrap_or_default();
        convert::to_edition_for(&call.caller, edition, changes, now)
    });
    let editions = editions.collect();
    Ok(ListEditionsResponse {
        editions,
        next_page_token,
    })
}
