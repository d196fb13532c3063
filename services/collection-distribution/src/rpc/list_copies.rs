//! ListCopies.

use legalstat_kit::{Call, Error, Refusal, Violations, door::page::Page};
use legalstat_proto::collections::v1::{ListCopiesRequest, ListCopiesResponse};
use sqlx::PgConnection;

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::{copy::CopyPosition, key},
    error,
};

pub(super) async fn list_copies(
    service: &CollectionDistribution,
    call: Call,
    request: ListCopiesRequest,
) -> Result<ListCopiesResponse, Error> {
    let db = &service.context.db;
    let mut violations = Violations::new();
    let query = [request.parent.as_str(), &request.recipient, &request.state.to_string()];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let edition = match request.parent.as_str() {
        "" | key::ALL_EDITIONS => None,
        parent => door::edition(&mut violations, "parent", parent),
    };
    let recipient = match request.recipient.as_str() {
        "" => None,
        name => door::resource(&mut violations, "recipient", name, key::parse_recipient),
    };
    let state = convert::optional_copy_state(&mut violations, "state", request.state);
    door::sound(violations, db, ("parent", edition.as_ref()), Some(())).await?;

    let mut connection = db.connection().await?;
    let recipient = visible(&call, &mut connection, recipient).await?;
    if let Some(key) = &edition {
        service.schedule.require_whole()?;
        door::find(&mut connection, "parent", key).await?;
    }
    let filter = db::copy::Filter {
        edition,
        number: None,
        recipient,
        state,
        after: page.after()?,
    };
    let copies = db::copy::list(&mut connection, &filter, page.limit()).await?;
    let (copies, next_page_token) = page.cut(copies, |copy| CopyPosition::of(copy).to_string());
    Ok(ListCopiesResponse {
        copies: copies.into_iter().map(convert::to_copy).collect(),
        next_page_token,
    })
}

/// Whose copies are listed: an official's choice, but a recipient's own.
async fn visible(call: &Call, connection: &mut PgConnection, asked: Option<String>) -> Result<Option<String>, Error> {
    let own = &call.caller.name;
    match asked {
        Some(asked) if !call.caller.is_official() && asked != *own => {
            Err(error::copies_of_another(&key::recipient(&asked)).into())
        }
        _ if !call.caller.is_official() => Ok(Some(own.clone())),
        Some(asked) if !db::recipient::exists(connection, &asked).await? => {
            Err(Refusal::not_found(&key::recipient(&asked)).into())
        }
        asked => Ok(asked),
    }
}
