//! PlaceEdition.

use jiff::civil::Date;
use legalstat_kit::{
    Call, Error, Violations,
    due::moves,
    write::{self, Mutation, Outcome},
    zone,
};
use legalstat_proto::forms::v1::{Edition, PlaceEditionRequest};
use sqlx::PgConnection;

use super::{FormRegistry, convert, door};
use crate::{db, domain::edition::Channel};

pub(super) async fn place_edition(
    registry: &FormRegistry,
    call: Call,
    request: PlaceEditionRequest,
) -> Result<Edition, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let key = door::edition(&mut violations, "name", &request.name);
    let channel = convert::channel(&mut violations, "channel", request.channel);
    let request_id = violations.request_id("request_id", &request.request_id);
    let (key, channel) = door::sound(violations, &context.db, ("name", key), key.zip(channel)).await?;

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    let schedule = registry.schedule.clone();
    write::carry_out(context, mutation, move |write| {
        Box::pin(async move {
            schedule.require_whole()?;
            let (now, connection) = (write.now(), write.connection());
            let mut edition = door::lock(connection, "name", key).await?;
            let moves = moves::of(&mut *connection, &key).await?;
            if edition.placement(channel).is_some() {
                let answer = convert::to_edition(edition, moves, now);
                return Ok(Outcome::repeated(&key, "edition.placement_repeated", answer));
            }
            let listed = is_listed(connection, channel, key.form, zone::civil_day(now)).await?;
            let placed = edition.place(channel, listed, call.done(now));
            edition = placed.map_err(|obstacle| obstacle.refusal(&key))?;
            db::placement::save(connection, &edition, channel).await?;
            let answer = convert::to_edition(edition, moves, now);
            Ok(Outcome::of(&key, "edition.placed", answer))
        })
    })
    .await
}

/// Whether a form is on the list that its channel needs.
async fn is_listed(connection: &mut PgConnection, channel: Channel, form: i32, day: Date) -> Result<bool, sqlx::Error> {
    match channel {
        Channel::OpenDataPortal => db::placement::on_open_data_list(connection, form, day).await,
        Channel::InformationService | Channel::OfficialWebsite => Ok(false),
    }
}
