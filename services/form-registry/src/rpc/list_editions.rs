//! ListEditions.

use legalstat_kit::{
    Call, Error, Violations,
    door::page::Page,
    due::{moves, schedule},
};
use legalstat_proto::forms::v1::{ListEditionsRequest, ListEditionsResponse};

use super::{FormRegistry, convert, door};
use crate::{
    db::edition::{self, Filter},
    domain::key,
};

pub(super) async fn list_editions(
    registry: &FormRegistry,
    call: Call,
    request: ListEditionsRequest,
) -> Result<ListEditionsResponse, Error> {
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
    later.after(violations).refuse()?;
    let now = context.now();
    let mut snapshot = context.db.snapshot().await?;
    door::require_registered(&mut snapshot, form).await?;
    registry.schedule.require_whole()?;
    let filter = Filter {
        parent: form.map(key::form),
        year,
        state,
        overdue_at: due.is_overdue.then_some(now),
        due_from: due.from,
        due_to: due.to,
        after: page.after()?,
        ..Filter::default()
    };
    let editions = edition::list(&mut snapshot, &filter, page.limit()).await?;
    let (editions, next_page_token) = page.cut(editions, |edition| edition.schedule_place().to_string());
    let names: Vec<String> = editions.iter().map(|edition| edition.key.to_string()).collect();
    let mut moves = moves::of_each(&mut *snapshot, &names).await?;
    let editions = editions.into_iter().zip(names).map(|(edition, name)| {
        let moves = moves.remove(&name).unwrap_or_default();
        convert::to_edition_for(&call.caller, edition, moves, now)
    });
    Ok(ListEditionsResponse {
        editions: editions.collect(),
        next_page_token,
    })
}
