//! ListSigningKeys.

use legalstat_kit::Error;
use legalstat_proto::requests::v1::{ListSigningKeysRequest, ListSigningKeysResponse};

use super::RequestIntake;

pub(super) fn list_signing_keys(
    service: &RequestIntake,
    message: &ListSigningKeysRequest,
) -> Result<ListSigningKeysResponse, Error> {
    let (keys, now) = (service.coupons.keys(), service.context.now());
    let (signing_keys, next_page_token) = keys.page(now, message.page_size, &message.page_token)?;
    Ok(ListSigningKeysResponse {
        signing_keys,
        next_page_token,
    })
}
