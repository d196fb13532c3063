//! SealEdition.

use std::sync::Arc;

use legalstat_kit::{
    Call, Error, Violations,
    due::follow,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::collections::v1::{Edition, SealEditionRequest};
use sqlx::PgConnection;
use tonic::Request;

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::edition::{Done, EditionKey},
    error::CollectionsError,
};

pub(super) async fn seal_edition(
    service: &CollectionDistribution,
    request: Request<SealEditionRequest>,
) -> Result<Edition, Error> {
    let call = Call::of(&request);
    let (request, context) = (request.into_inner(), &service.context);
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, &context.db, "name", &request.name).await?;
    let sha256 = door::required_sha256(&mut violations, "sha256", &request.sha256);
    let request_id = violations.request_id("request_id", &request.request_id);
    let (key, sha256) = violations.sound(key.zip(sha256))?;

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    let schedule = Arc::clone(&service.schedule);
    write::carry_out(context, mutation, move |write| {
        Box::pin(async move {
            schedule.require()?;
            let sealed = Done {
                at: write.now(),
                by: call.caller.name.clone(),
            };
            seal(write.connection(), &key, &sha256, &sealed).await?;
            let edition = door::find_edition(write.connection(), &key).await?;
            let changes = follow::changes_of(write.connection(), &key).await?;
            Ok(Outcome::of(
                &key,
                "edition.sealed",
                convert::to_edition(edition, changes),
            ))
        })
    })
    .await
}

async fn seal(connection: &mut PgConnection, key: &EditionKey, sha256: &[u8; 32], sealed: &Done) -> Result<(), Error> {
    db::edition::lock(connection, key).await?;
    let edition = door::find_edition(&mut *connection, key).await?;
    edition
        .may_be_sealed(sha256)
        .map_err(|obstacle| CollectionsError::Obstacle(key.clone(), obstacle))?;
    Ok(db::edition::seal(connection, key, sealed).await?)
}
