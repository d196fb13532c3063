//! ListRecipientKeys.

use legalstat_kit::{Call, Error, Violations, door::page::Page};
use legalstat_proto::collections::v1::{ListRecipientKeysRequest, ListRecipientKeysResponse};

use super::{CollectionDistribution, door, recipient_keys};
use crate::{db::recipient_key, domain::key};

pub(super) async fn list_recipient_keys(
    service: &CollectionDistribution,
    _: Call,
    request: ListRecipientKeysRequest,
) -> Result<ListRecipientKeysResponse, Error> {
    let mut violations = Violations::new();
    let id = door::resource(&mut violations, "parent", &request.parent, key::parse_recipient);
    let query = ["keys", &request.parent];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let id = violations.sound(id)?;
    let mut connection = service.context.db.connection().await?;
    recipient_keys::require_recipient(&mut connection, &id).await?;
    let keys = recipient_key::list(&mut connection, &id, page.after.as_deref(), page.limit()).await?;
    let (keys, next_page_token) = page.cut(keys, |key| key.id.clone());
    let now = service.context.now();
    Ok(ListRecipientKeysResponse {
        keys: keys.iter().map(|key| recipient_keys::shown(key, now)).collect(),
        next_page_token,
    })
}
