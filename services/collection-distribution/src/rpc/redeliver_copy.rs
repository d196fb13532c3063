//! RedeliverCopy.

use std::sync::Arc;

use legalstat_kit::{
    Call, Error, Violations,
    write::{self, Mutation, Outcome},
    zone,
};
use legalstat_proto::collections::v1::{Copy, RedeliverCopyRequest};
use uuid::Uuid;

use super::{CollectionDistribution, convert, door};
use crate::{db, domain::delivery::Address, error};

/// How many characters a reason has at most.
const REASON: usize = 1000;

pub(super) async fn redeliver_copy(
    service: &CollectionDistribution,
    call: Call,
    request: RedeliverCopyRequest,
) -> Result<Copy, Error> {
    let (mut violations, context) = (Violations::new(), &service.context);
    let key = door::copy(&mut violations, "name", &request.name);
    let reason = violations.text("reason", &request.reason, REASON);
    let request_id = violations.request_id("request_id", &request.request_id);
    let edition = key.as_ref().map(|key| key.edition.clone());
    let key = door::sound(violations, &context.db, ("name", edition.as_ref()), key).await?;
    #[expect(clippy::disallowed_methods, reason = "the call comes in here")]
    let new_id = Uuid::new_v4();

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    let due = Arc::clone(&service.due);
    write::carry_out(context, mutation, move |write| {
        Box::pin(async move {
            let (now, connection) = (write.now(), write.connection());
            db::copy::lock_keys(connection, std::slice::from_ref(&key)).await?;
            let found = db::copy::of_keys(connection, std::slice::from_ref(&key)).await?.pop();
            let copy = door::own(connection, "name", &key, found.flatten()).await?;
            let recipient = copy.recipient.clone();
            let mut copy = copy.redeliver(&reason, now).map_err(|not| not.refusal(&key))?;
            let known = db::recipient_detail::all(connection).await?;
            let address = Address::of(&known, &recipient, zone::civil_day(now));
            if !address.is_known() {
                return Err(error::no_endpoint(&key, &recipient).into());
            }
            db::copy::save(connection, &copy).await?;
            copy.delivery = Some(db::delivery::begin_anew(connection, &key, new_id, now).await?);
            // Who has it delivered anew knows more than the breaker.
            db::breaker::try_now(connection, &address.holder, now).await?;
            let outcome = Outcome::of(&key, "copy.redelivered", convert::to_copy(copy, now));
            Ok(outcome.once_committed(move || due.notify_one()))
        })
    })
    .await
}
