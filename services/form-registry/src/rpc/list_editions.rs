//! ListEditions.

use legalstat_kit::{
    Call, Error, Violations,
    door::{languages::Languages, page::Page},
    due::{moves, schedule},
};
use legalstat_proto::forms::v1::{ListEditionsRequest, ListEditionsResponse};
use tonic::Response;

use super::{FormRegistry, convert, door, showing::Showing};
use crate::{
    db::edition::{self, Filter},
    domain::key,
};

pub(super) async fn list_editions(
    registry: &FormRegistry,
    call: Call,
    request: ListEditionsRequest,
) -> Result<Response<ListEditionsResponse>, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let mut later = Violations::new();
    let (from, to) = (request.due_from.as_ref(), request.due_to.as_ref());
    let due = door::DueRange::read(&mut later, request.overdue, from, to);
    let query = [
        request.parent.as_str(),
        &request.state.to_string(),
        &request.year.to_string(),
        &due.query(),
    ];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let form = match request.parent.as_str() {
        key::ALL_FORMS => None,
        parent => door::form(&mut violations, "parent", parent),
    };
    let state = convert::optional_state(&mut violations, "state", request.state);
    let year = schedule::optional_year(&mut violations, "year", request.year);
    let languages = Languages::read(&mut violations, &request.languages);
    later.after(violations).refuse()?;
    let now = context.now();
    let mut showing = Showing::to(&call, now);
    let (editions, next_page_token, mut moves) = {
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
        (editions, next_page_token, moves::of_each(&mut *snapshot, &names).await?)
    };
    let editions = editions.into_iter().map(|edition| {
        let moves = moves.remove(&edition.key.to_string()).unwrap_or_default();
        let (edition, _) = showing.edition(edition);
        let mut shown = convert::to_edition(edition, moves, now);
        shown.revisions.clear();
        shown
    });
    let answer = ListEditionsResponse {
        editions: editions.collect(),
        next_page_token,
    };
    showing.record(context, &call).await?;
    Ok(showing.answer(languages.keep(answer)))
}
