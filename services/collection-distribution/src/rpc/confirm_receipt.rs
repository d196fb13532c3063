//! ConfirmReceipt.

use legalstat_kit::{
    Call, Error, Violations,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::collections::v1::{ConfirmReceiptRequest, Copy};

use super::{CollectionDistribution, convert, door};
use crate::db;

pub(super) async fn confirm_receipt(
    service: &CollectionDistribution,
    call: Call,
    request: ConfirmReceiptRequest,
) -> Result<Copy, Error> {
    let (mut violations, context) = (Violations::new(), &service.context);
    let key = door::copy(&mut violations, "name", &request.name);
    let sha256 = door::required_sha256(&mut violations, "sha256", &request.sha256);
    let request_id = violations.request_id("request_id", &request.request_id);
    let edition = key.as_ref().map(|key| key.edition.clone());
    let (key, sha256) = door::sound(violations, &context.db, ("name", edition.as_ref()), key.zip(sha256)).await?;

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    write::carry_out(context, mutation, move |write| {
        Box::pin(async move {
            let (now, connection) = (write.now(), write.connection());
            let own = db::copy::lock_own(connection, &key, &call.caller.name).await?;
            let copy = door::own(connection, "name", &key, own).await?;
            let is_repeat = copy.received_at.is_some();
            let received = copy.receive(&sha256, now).map_err(|other| other.refusal(&key))?;
            if is_repeat {
                let answer = convert::to_copy(received);
                return Ok(Outcome::repeated(&key, "copy.receipt_repeated", answer));
            }
            db::copy::save(connection, &received).await?;
            let answer = convert::to_copy(received);
            Ok(Outcome::of(&key, "copy.receipt_confirmed", answer))
        })
    })
    .await
}
