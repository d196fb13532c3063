//! ListCopies.

use legalstat_kit::{Call, Error, Violations, door::page::Page};
use legalstat_proto::collections::v1::{ListCopiesRequest, ListCopiesResponse};

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::{copy::CopyPosition, key::Editions},
};

pub(super) async fn list_copies(
    service: &CollectionDistribution,
    call: Call,
    request: ListCopiesRequest,
) -> Result<ListCopiesResponse, Error> {
    let db = &service.context.db;
    let mut violations = Violations::new();
    let state = request.state.to_string();
    let mut query = vec![request.parent.as_str(), &request.recipient, &state];
    // Tokens of queries without these stay those of the release before.
    query.extend(request.unconfirmed.then_some("unconfirmed"));
    query.extend(request.overdue.then_some("overdue"));
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let editions = match request.parent.as_str() {
        "" => Some(Editions::default()),
        parent => door::resource(&mut violations, "parent", parent, str::parse),
    };
    let one = editions.as_ref().and_then(Editions::one);
    let recipient = door::optional_recipient(&mut violations, "recipient", &request.recipient);
    let state = convert::optional_copy_state(&mut violations, "state", request.state);
    let editions = door::sound(violations, db, ("parent", one.as_ref()), editions).await?;

    let (mut snapshot, now) = (db.snapshot().await?, service.context.now());
    let recipients = door::visible_recipients(&mut snapshot, &call, recipient, now).await?;
    match &one {
        Some(key) => {
            service.schedule.require_whole()?;
            door::find(&mut snapshot, "parent", key).await?;
        }
        None => door::require_registered(&mut snapshot, editions.collection.as_deref()).await?,
    }
    let filter = db::copy::Filter {
        editions,
        recipients,
        state,
        unconfirmed: request.unconfirmed || request.overdue,
        due_before: request.overdue.then_some(now),
        after: page.after()?,
    };
    let copies = db::copy::list(&mut snapshot, &filter, page.limit()).await?;
    let (copies, next_page_token) = page.cut(copies, |copy| CopyPosition::of(copy).to_string());
    Ok(ListCopiesResponse {
        copies: copies.into_iter().map(|copy| convert::to_copy(copy, now)).collect(),
        next_page_token,
    })
}
