//! ListSchedule.

use legalstat_kit::{
    Call, Error, Violations,
    door::page::Page,
    due::{schedule, scheduled},
};
use legalstat_proto::collections::v1::{ListScheduleRequest, ListScheduleResponse};

use super::{CollectionDistribution, convert, door};
use crate::{db, domain::key};

/// How many items a page has unless asked otherwise: enough for a year.
const PAGE_SIZE: usize = 200;

pub(super) async fn list_schedule(
    service: &CollectionDistribution,
    _: Call,
    request: ListScheduleRequest,
) -> Result<ListScheduleResponse, Error> {
    let mut violations = Violations::new();
    let query = [request.collection.as_str(), &request.year.to_string()];
    let (size, token) = (request.page_size, &request.page_token);
    let page = Page::parse(&mut violations, size, PAGE_SIZE, token, &query)?;
    let year = schedule::year(&mut violations, "year", request.year);
    let collection = door::optional_collection(&mut violations, "collection", &request.collection);
    violations.refuse()?;
    let mut snapshot = service.context.db.snapshot().await?;
    door::require_registered(&mut snapshot, collection.as_deref()).await?;
    service.schedule.require_whole()?;
    let (parent, after) = (collection.as_deref().map(key::collection), page.after()?);
    let parent = parent.as_deref();
    let scheduled = scheduled::list(&mut snapshot, &scheduled::Filter { parent, year, after }, page.limit()).await?;
    let (scheduled, next_page_token) = page.cut(scheduled, |item| item.place().to_string());
    let states = db::edition::states(&mut snapshot, &scheduled).await?;
    let standings = db::punctuality::of_scheduled(&mut snapshot, &scheduled).await?;
    let now = service.context.now();
    let items = scheduled.into_iter().zip(states).zip(standings);
    let items =
        items.map(|((item, state), standing)| convert::to_schedule_item(item, state, standing.punctuality(now)));
    Ok(ListScheduleResponse {
        items: items.collect(),
        next_page_token,
    })
}
