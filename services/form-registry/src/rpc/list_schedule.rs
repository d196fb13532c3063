//! ListSchedule.

use legalstat_kit::{
    Call, Error, Violations,
    door::page::Page,
    due::{moves, schedule},
};
use legalstat_proto::forms::v1::{ListScheduleRequest, ListScheduleResponse};
use tonic::Response;

use super::{FormRegistry, convert, door, showing::Showing};
use crate::{
    db::edition::{self, Filter},
    domain::key,
};

/// How many items a page has unless asked otherwise: enough for a year.
const PAGE_SIZE: usize = 200;

pub(super) async fn list_schedule(
    registry: &FormRegistry,
    call: Call,
    request: ListScheduleRequest,
) -> Result<Response<ListScheduleResponse>, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    // In the order of the fields, the violations of the due dates too.
    let mut later = Violations::new();
    let (from, to) = (request.due_from.as_ref(), request.due_to.as_ref());
    let due = door::DueRange::read(&mut later, request.overdue, from, to);
    let (year, state) = (request.year.to_string(), request.state.to_string());
    let query = [request.form.as_str(), &year, &state, &due.query()];
    let (size, token) = (request.page_size, &request.page_token);
    let page = Page::parse(&mut violations, size, PAGE_SIZE, token, &query)?;
    let is_year_needed = from.is_none() && to.is_none() && !request.overdue;
    let year = match request.year {
        0 if !is_year_needed => None,
        year => schedule::year(&mut violations, "year", year),
    };
    let form = door::optional_form(&mut violations, "form", &request.form);
    let mut violations = later.after(violations);
    let state = convert::optional_state(&mut violations, "state", request.state);
    violations.refuse()?;
    let now = context.now();
    let mut showing = Showing::to(&call, now);
    let (editions, next_page_token, moves) = {
        let mut snapshot = context.db.snapshot().await?;
        door::require_registered(&mut snapshot, form).await?;
        registry.schedule.require_whole()?;
        let mut filter = Filter {
            parent: form.map(key::form),
            year,
            state,
            is_overdue: due.is_overdue,
            due_from: due.from,
            due_to: due.to,
            after: page.after()?,
            ..Filter::default()
        };
        if state.is_some() {
            filter.hidden = showing.hidden(&mut snapshot, &filter).await?;
        }
        let editions = edition::list(&mut snapshot, &filter, page.limit(), now).await?;
        let (editions, next_page_token) = page.cut(editions, |edition| edition.schedule_place().to_string());
        let names: Vec<String> = editions.iter().map(|edition| edition.key.to_string()).collect();
        (editions, next_page_token, moves::counts(&mut *snapshot, &names).await?)
    };
    let items = editions.into_iter().map(|edition| {
        let moves = moves.get(&edition.key.to_string()).copied().unwrap_or_default();
        let (edition, _) = showing.edition(edition);
        convert::to_schedule_item(&edition, moves, now)
    });
    let answer = ListScheduleResponse {
        items: items.collect(),
        next_page_token,
    };
    showing.record(context, &call).await?;
    Ok(showing.answer(answer))
}
