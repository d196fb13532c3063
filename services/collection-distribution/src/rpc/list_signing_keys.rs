//! ListSigningKeys.

use legalstat_kit::{Error, Violations, door::page::Page};
use legalstat_proto::collections::v1::{ListSigningKeysRequest, ListSigningKeysResponse};

use super::CollectionDistribution;

/// How many keys a page has when its caller does not say.
const PAGE: usize = 50;

pub(super) fn list_signing_keys(
    service: &CollectionDistribution,
    message: &ListSigningKeysRequest,
) -> Result<ListSigningKeysResponse, Error> {
    let mut violations = Violations::new();
    let page = Page::parse(&mut violations, message.page_size, PAGE, &message.page_token, &[])?;
    violations.refuse()?;
    let mut keys = service.signing_keys.now().listed(service.context.now());
    // Keys are never put in before others but by an operator who gives them an earlier time: then a page may tell one again.
    if let Some(after) = &page.after {
        let begin = keys
            .iter()
            .position(|key| key.id == *after)
            .map_or(keys.len(), |place| place + 1);
        keys.drain(..begin);
    }
    let (signing_keys, next_page_token) = page.cut(keys, |key| key.id.clone());
    Ok(ListSigningKeysResponse {
        signing_keys,
        next_page_token,
    })
}
