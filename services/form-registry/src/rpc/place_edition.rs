//! PlaceEdition.

use std::sync::Arc;

use jiff::Timestamp;
use legalstat_kit::{
    Call, Error, Violations,
    due::follow,
    write::{self, Mutation, Outcome},
    zone,
};
use legalstat_proto::forms::v1::{Edition, PlaceEditionRequest};
use sqlx::PgConnection;
use tonic::Request;

use super::{FormRegistry, convert, door};
use crate::{
    db,
    domain::edition::{Channel, EditionKey, Punctuality},
    error::FormsError,
};

pub(super) async fn place_edition(
    registry: &FormRegistry,
    request: Request<PlaceEditionRequest>,
) -> Result<Edition, Error> {
    let call = Call::of(&request);
    let (request, context) = (request.into_inner(), &registry.context);
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, &context.db, "name", &request.name).await?;
    let channel = convert::channel(&mut violations, "channel", request.channel);
    let request_id = violations.request_id("request_id", &request.request_id);
    let (key, channel) = violations.sound(key.zip(channel))?;

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    let schedule = Arc::clone(&registry.schedule);
    write::carry_out(context, mutation, move |write| {
        Box::pin(async move {
            schedule.require()?;
            let now = write.now();
            let placed = place(write.connection(), key, channel, &call.caller.name, now).await?;
            let edition = door::find(write.connection(), key).await?;
            let changes = follow::changes_of(write.connection(), &key).await?;
            let kind = if placed {
                "edition.placed"
            } else {
                "edition.placement_repeated"
            };
            Ok(Outcome::of(&key, kind, convert::to_edition(edition, changes, now)))
        })
    })
    .await
}

/// Places an edition unless it is placed there already; tells whether it was placed now.
async fn place(
    connection: &mut PgConnection,
    key: EditionKey,
    channel: Channel,
    caller: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    db::edition::lock(connection, key).await?;
    let edition = door::find(&mut *connection, key).await?;
    if edition.placement(channel).is_some() {
        return Ok(false);
    }
    let listed = match channel {
        Channel::OpenDataPortal => db::placement::on_open_data_list(connection, key.form, zone::civil_day(now)).await?,
        Channel::InformationService | Channel::OfficialWebsite => false,
    };
    edition
        .may_be_placed(channel, listed, now)
        .map_err(|obstacle| FormsError::Obstacle(key, obstacle))?;
    let punctuality = Punctuality::of_placement(now, edition.due.time);
    db::placement::insert(connection, key, channel, now, caller, punctuality).await?;
    Ok(true)
}
