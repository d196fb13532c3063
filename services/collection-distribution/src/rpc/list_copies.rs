//! ListCopies.

use legalstat_kit::schema::Database;
use legalstat_kit::{Call, Error, Violations, door::page::Page};
use legalstat_proto::collections::v1::{ListCopiesRequest, ListCopiesResponse};
use tonic::Request;

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::{copy::CopyPosition, names},
    error::CollectionsError,
};

pub(super) async fn list_copies(
    service: &CollectionDistribution,
    request: Request<ListCopiesRequest>,
) -> Result<ListCopiesResponse, Error> {
    let call = Call::of(&request);
    let (request, db) = (request.into_inner(), &service.context.db);
    let mut violations = Violations::new();
    let query = [request.parent.as_str(), &request.recipient, &request.state.to_string()];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let edition = match request.parent.as_str() {
        "" | names::ALL_EDITIONS => None,
        parent => door::edition(&mut violations, db, "parent", parent).await?,
    };
    let recipient = match request.recipient.as_str() {
        "" => None,
        name => door::resource(&mut violations, "recipient", name, names::parse_recipient),
    };
    let state = convert::optional_copy_state(&mut violations, "state", request.state);
    violations.refuse()?;

    let recipient = visible(&call, db, recipient).await?;
    if let Some(key) = &edition {
        service.schedule.require()?;
        door::find_edition(&mut *db.connection().await?, key).await?;
    }
    let filter = db::copy::Filter {
        edition,
        number: None,
        recipient,
        state,
        after: page.after()?,
    };
    let copies = db::copy::list(&mut *db.connection().await?, &filter, page.limit()).await?;
    let (copies, next_page_token) = page.cut(copies, |copy| CopyPosition::of(copy).to_string());
    Ok(ListCopiesResponse {
        copies: copies.into_iter().map(convert::to_copy).collect(),
        next_page_token,
    })
}

/// Whose copies are listed: an official's choice, but a recipient's own.
async fn visible(call: &Call, db: &Database, asked: Option<String>) -> Result<Option<String>, Error> {
    let own = &call.caller.name;
    match asked {
        Some(asked) if !call.caller.is_official() && asked != *own => {
            Err(CollectionsError::CopiesOfAnother(names::recipient(&asked)).into())
        }
        _ if !call.caller.is_official() => Ok(Some(own.clone())),
        Some(asked) if !db::recipient::exists(&mut *db.connection().await?, &asked).await? => {
            Err(CollectionsError::NotFound(names::recipient(&asked)).into())
        }
        asked => Ok(asked),
    }
}
