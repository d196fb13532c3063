//! ListSigningKeys.

use legalstat_kit::Error;
use legalstat_proto::collections::v1::{ListSigningKeysRequest, ListSigningKeysResponse};

use super::CollectionDistribution;

pub(super) fn list_signing_keys(
    service: &CollectionDistribution,
    message: &ListSigningKeysRequest,
) -> Result<ListSigningKeysResponse, Error> {
    let (keys, now) = (service.signing_keys.now(), service.context.now());
    let (signing_keys, next_page_token) = keys.page(now, message.page_size, &message.page_token)?;
    Ok(ListSigningKeysResponse {
        signing_keys,
        next_page_token,
    })
}
