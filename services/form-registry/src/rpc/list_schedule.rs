//! ListSchedule.

use legalstat_kit::{
    Call, Error, Violations,
    door::page::Page,
    due::{schedule, scheduled},
};
use legalstat_proto::forms::v1::{ListScheduleRequest, ListScheduleResponse};

use tonic::Response;

use super::{FormRegistry, convert, door, showing::Showing};
use crate::{
    db,
    domain::{
        edition::EditionState,
        key::{self, EditionKey},
        visibility,
    },
};

/// How many items a page has unless asked otherwise: enough for a year.
const PAGE_SIZE: usize = 200;

pub(super) async fn list_schedule(
    registry: &FormRegistry,
    call: Call,
    request: ListScheduleRequest,
) -> Result<Response<ListScheduleResponse>, Error> {
    let mut violations = Violations::new();
    let query = [request.form.as_str(), &request.year.to_string()];
    let (size, token) = (request.page_size, &request.page_token);
    let page = Page::parse(&mut violations, size, PAGE_SIZE, token, &query)?;
    let year = schedule::year(&mut violations, "year", request.year);
    let form = door::optional_form(&mut violations, "form", &request.form);
    violations.refuse()?;
    let now = registry.context.now();
    let (scheduled, next_page_token, states, embargoes) = {
        let mut snapshot = registry.context.db.snapshot().await?;
        door::require_registered(&mut snapshot, form).await?;
        registry.schedule.require_whole()?;
        let (parent, after) = (form.map(key::form), page.after()?);
        let parent = parent.as_deref();
        let filter = scheduled::Filter { parent, year, after };
        let scheduled = scheduled::list(&mut snapshot, &filter, page.limit()).await?;
        let (scheduled, next_page_token) = page.cut(scheduled, |item| item.place().to_string());
        let states = db::edition::states(&mut snapshot, &scheduled).await?;
        let embargoes = db::embargo::holding(&mut snapshot, None, now).await?;
        (scheduled, next_page_token, states, embargoes)
    };
    let mut showing = Showing::to(&call, now);
    let items = scheduled.into_iter().zip(states).map(|(item, state)| {
        let key = EditionKey::of(&item.parent, &item.period.to_string()).ok();
        let view = key.map(|key| showing.view(key, embargoes.get(&key), state != EditionState::Scheduled));
        let state = view.map_or(EditionState::Scheduled, |view| visibility::state(state, view));
        convert::to_schedule_item(item, state)
    });
    let answer = ListScheduleResponse {
        items: items.collect(),
        next_page_token,
    };
    showing.record(&registry.context, &call).await?;
    Ok(showing.answer(answer))
}
