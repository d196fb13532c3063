//! ConfirmReceipt.

use legalstat_kit::{
    Call, Error, Violations,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::collections::v1::{ConfirmReceiptRequest, Copy};
use sqlx::PgConnection;
use tonic::Request;

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::copy::{self, CopyKey},
    error::CollectionsError,
};

pub(super) async fn confirm_receipt(
    service: &CollectionDistribution,
    request: Request<ConfirmReceiptRequest>,
) -> Result<Copy, Error> {
    let call = Call::of(&request);
    let (request, context) = (request.into_inner(), &service.context);
    let mut violations = Violations::new();
    let key = door::copy(&mut violations, &context.db, "name", &request.name).await?;
    let sha256 = door::required_sha256(&mut violations, "sha256", &request.sha256);
    let request_id = violations.request_id("request_id", &request.request_id);
    let (key, sha256) = violations.sound(key.zip(sha256))?;

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    write::carry_out(context, mutation, move |write| {
        Box::pin(async move {
            let (now, recipient) = (write.now(), &call.caller.name);
            let connection = write.connection();
            db::copy::lock(connection, &key).await?;
            if find_own(connection, &key, recipient).await?.sha256 != sha256 {
                return Err(CollectionsError::WrongReceipt(key).into());
            }
            db::copy::receive(connection, &key, now).await?;
            let copy = find_own(connection, &key, recipient).await?;
            Ok(Outcome::of(&key, "copy.receipt_confirmed", convert::to_copy(copy)))
        })
    })
    .await
}

/// Someone else's copy is not found, so that its existence is not told.
async fn find_own(connection: &mut PgConnection, key: &CopyKey, recipient: &str) -> Result<copy::Copy, Error> {
    let own = db::copy::get_own(connection, key, recipient).await?;
    Ok(own.ok_or_else(|| CollectionsError::NotFound(key.to_string()))?)
}
