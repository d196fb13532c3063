//! SealEdition.

use legalstat_kit::{
    Call, Error, Violations,
    due::moves,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::collections::v1::{Edition, SealEditionRequest};

use super::{CollectionDistribution, convert, door};
use crate::db;

pub(super) async fn seal_edition(
    service: &CollectionDistribution,
    call: Call,
    request: SealEditionRequest,
) -> Result<Edition, Error> {
    let (mut violations, context) = (Violations::new(), &service.context);
    let key = door::edition(&mut violations, "name", &request.name);
    let sha256 = door::required_sha256(&mut violations, "sha256", &request.sha256);
    let request_id = violations.request_id("request_id", &request.request_id);
    let read = key.clone().zip(sha256);
    let (key, sha256) = door::sound(violations, &context.db, ("name", key.as_ref()), read).await?;

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    let schedule = service.schedule.clone();
    write::carry_out(context, mutation, move |write| {
        Box::pin(async move {
            schedule.require_whole()?;
            let (now, connection) = (write.now(), write.connection());
            let edition = door::lock(connection, "name", &key).await?;
            let sealed = edition.seal(&sha256, call.done(now));
            let edition = sealed.map_err(|obstacle| obstacle.refusal(&key))?;
            db::edition::save(connection, &edition).await?;
            let moves = moves::of(connection, &key).await?;
            let answer = convert::to_edition(edition, moves);
            Ok(Outcome::of(&key, "edition.sealed", answer))
        })
    })
    .await
}
