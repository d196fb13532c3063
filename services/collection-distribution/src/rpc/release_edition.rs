//! ReleaseEdition.

use std::sync::Arc;

use legalstat_kit::{
    Call, Error, Violations,
    due::follow,
    write::{self, Mutation, Outcome},
    zone,
};
use legalstat_proto::collections::v1::{Edition, ReleaseEditionRequest};
use sqlx::PgConnection;
use tonic::Request;

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::edition::{Done, EditionKey},
    error::CollectionsError,
};

pub(super) async fn release_edition(
    service: &CollectionDistribution,
    request: Request<ReleaseEditionRequest>,
) -> Result<Edition, Error> {
    let call = Call::of(&request);
    let (request, context) = (request.into_inner(), &service.context);
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, &context.db, "name", &request.name).await?;
    let request_id = violations.request_id("request_id", &request.request_id);
    let key = violations.sound(key)?;

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    let schedule = Arc::clone(&service.schedule);
    write::carry_out(context, mutation, move |write| {
        Box::pin(async move {
            schedule.require()?;
            let released = Done {
                at: write.now(),
                by: call.caller.name.clone(),
            };
            release(write.connection(), &key, &released).await?;
            let edition = door::find_edition(write.connection(), &key).await?;
            let changes = follow::changes_of(write.connection(), &key).await?;
            Ok(Outcome::of(
                &key,
                "edition.released",
                convert::to_edition(edition, changes),
            ))
        })
    })
    .await
}

/// Issues the copies by the distribution that applies on the day of the release. An unresolved one is told first: such
/// an edition cannot be released whatever its state.
async fn release(connection: &mut PgConnection, key: &EditionKey, released: &Done) -> Result<(), Error> {
    db::edition::lock(connection, key).await?;
    let edition = door::find_edition(&mut *connection, key).await?;
    let collection = door::find_collection(&mut *connection, &key.collection).await?;
    let distribution = db::distribution::get(connection, &collection, zone::civil_day(released.at)).await?;
    let copies = distribution
        .numbered_copies()
        .map_err(|unresolved| CollectionsError::Unresolved(key.clone(), unresolved))?;
    edition
        .may_be_released_by(&released.by)
        .map_err(|obstacle| CollectionsError::Obstacle(key.clone(), obstacle))?;
    db::edition::release(connection, key, released).await?;
    Ok(db::copy::issue(connection, key, &copies, released.at).await?)
}
