//! RejectCopy.

use legalstat_kit::{
    Call, Error, Violations,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::collections::v1::{Copy, RejectCopyRequest};

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::{
        copy::CopyState,
        receipt::{Rejection, Way},
    },
};

/// How many characters a reason has at most.
const REASON: usize = 1000;

pub(super) async fn reject_copy(
    service: &CollectionDistribution,
    call: Call,
    request: RejectCopyRequest,
) -> Result<Copy, Error> {
    let (mut violations, context) = (Violations::new(), &service.context);
    let key = door::copy(&mut violations, "name", &request.name);
    let reason = violations.text("reason", &request.reason, REASON);
    let request_id = violations.request_id("request_id", &request.request_id);
    let edition = key.as_ref().map(|key| key.edition.clone());
    let key = door::sound(violations, &context.db, ("name", edition.as_ref()), key).await?;

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    write::carry_out(context, mutation, move |write| {
        Box::pin(async move {
            let (now, connection) = (write.now(), write.connection());
            let (copy, successor) = door::lock_own(connection, &call, &key, now).await?;
            let is_repeat = copy.state == CopyState::Rejected;
            let rejection = Rejection {
                reason,
                recorded_at: now,
                said_by: call.caller.name.clone(),
                way: Way::Pull,
                successor,
            };
            let rejected = copy.reject(rejection.clone()).map_err(|not| not.refusal(&key))?;
            if is_repeat {
                let answer = convert::to_copy(rejected, now);
                return Ok(Outcome::repeated(&key, "copy.rejection_repeated", answer));
            }
            db::copy::save(connection, &rejected).await?;
            db::receipt::record_rejection(connection, &key, &rejection).await?;
            db::delivery::end(connection, std::slice::from_ref(&key)).await?;
            Ok(Outcome::of(&key, "copy.rejected", convert::to_copy(rejected, now)))
        })
    })
    .await
}
