//! ListDeliveryAttempts.

use legalstat_kit::{Call, Error, Violations, door::page::Page};
use legalstat_proto::collections::v1::{ListDeliveryAttemptsRequest, ListDeliveryAttemptsResponse};

use super::{CollectionDistribution, convert, door};
use crate::db;

pub(super) async fn list_delivery_attempts(
    service: &CollectionDistribution,
    call: Call,
    request: ListDeliveryAttemptsRequest,
) -> Result<ListDeliveryAttemptsResponse, Error> {
    let mut violations = Violations::new();
    let key = door::copy(&mut violations, "parent", &request.parent);
    let query = ["attempts", &request.parent];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let edition = key.as_ref().map(|key| key.edition.clone());
    let db = &service.context.db;
    let key = door::sound(violations, db, ("parent", edition.as_ref()), key).await?;

    let mut connection = db.connection().await?;
    door::visible_copy(&mut connection, &call, "parent", &key, service.context.now()).await?;
    let attempts = db::delivery::attempts(&mut connection, &key, page.after()?, page.limit()).await?;
    let (attempts, next_page_token) = page.cut(attempts, |attempt| attempt.number.to_string());
    Ok(ListDeliveryAttemptsResponse {
        attempts: attempts.into_iter().map(convert::to_attempt).collect(),
        next_page_token,
    })
}
