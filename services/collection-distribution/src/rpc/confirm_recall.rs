//! ConfirmRecall.

use legalstat_kit::{
    Call, Error, Violations,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::collections::v1::{ConfirmRecallRequest, Copy};

use super::{CollectionDistribution, convert, door};
use crate::db;

pub(super) async fn confirm_recall(
    service: &CollectionDistribution,
    call: Call,
    request: ConfirmRecallRequest,
) -> Result<Copy, Error> {
    let (mut violations, context) = (Violations::new(), &service.context);
    let key = door::copy(&mut violations, "name", &request.name);
    let request_id = violations.request_id("request_id", &request.request_id);
    let edition = key.as_ref().map(|key| key.edition.clone());
    let key = door::sound(violations, &context.db, ("name", edition.as_ref()), key).await?;

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    write::carry_out(context, mutation, move |write| {
        Box::pin(async move {
            let (now, connection) = (write.now(), write.connection());
            let (copy, _) = door::lock_own(connection, &call, &key, now).await?;
            let is_repeat = copy.recall_confirmed_at.is_some();
            let confirmed = copy.confirm_recall(now).map_err(|obstacle| obstacle.refusal(&key))?;
            if is_repeat {
                let answer = convert::to_copy(confirmed, now);
                return Ok(Outcome::repeated(&key, "copy.recall_confirmation_repeated", answer));
            }
            db::copy::save(connection, &confirmed).await?;
            db::delivery::end(connection, std::slice::from_ref(&key)).await?;
            let answer = convert::to_copy(confirmed, now);
            Ok(Outcome::of(&key, "copy.recall_confirmed", answer))
        })
    })
    .await
}
