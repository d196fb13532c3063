//! SealEdition.

use legalstat_kit::{
    Call, Error, Violations,
    write::{Change, Mutation},
};
use legalstat_proto::collections::v1::{Edition, SealEditionRequest};

use super::{CollectionDistribution, door, preparing};
use crate::db;

pub(super) async fn seal_edition(
    service: &CollectionDistribution,
    call: Call,
    request: SealEditionRequest,
) -> Result<Edition, Error> {
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, "name", &request.name);
    let sha256 = door::required_sha256(&mut violations, "sha256", &request.sha256);
    let request_id = violations.request_id("request_id", &request.request_id);
    let read = key.clone().zip(sha256);
    let (key, sha256) = door::sound(violations, &service.context.db, ("name", key.as_ref()), read).await?;

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    preparing::carry_out(service, mutation, key.clone(), move |edition, connection, sealed| {
        Box::pin(async move {
            let edition = edition.seal(&sha256, sealed);
            let edition = edition.map_err(|obstacle| obstacle.refusal(&key))?;
            db::edition::save(connection, &edition).await?;
            Ok((edition, Change::of(&key, "edition.sealed")))
        })
    })
    .await
}
