//! PlaceEdition.

use jiff::civil::Date;
use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    due::{moves, scheduled},
    write::{self, Mutation, Outcome},
    zone,
};
use legalstat_proto::forms::v1::{Edition, PlaceEditionRequest};
use sqlx::PgConnection;

use super::{FormRegistry, convert, door, packaging};
use crate::{
    db,
    domain::edition::{Channel, Obstacle, Placing},
};

pub(super) async fn place_edition(
    registry: &FormRegistry,
    call: Call,
    request: PlaceEditionRequest,
) -> Result<Edition, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let key = door::edition(&mut violations, "name", &request.name);
    let channel = convert::channel(&mut violations, "channel", request.channel);
    let request_id = violations.request_id("request_id", &request.request_id);
    let revision = door::revision(&mut violations, request.revision);
    let address = violations.optional_name("address", &request.address, 2000);
    if !address.is_empty() && !address.starts_with("https://") {
        violations.add("address", FieldReason::Uri, "an address that begins with https://");
    }
    let (key, channel) = door::sound(violations, &context.db, ("name", key), key.zip(channel)).await?;

    let placing = packaging::Placing {
        call: &call,
        request_id,
        key,
        channel,
        revision,
        validate_only: request.validate_only,
    };
    let package = packaging::before_placement(registry, &placing).await;
    let package = package.map_err(|error| error.about(&key))?;
    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    let schedule = registry.schedule.clone();
    write::carry_out(context, mutation, move |write| {
        Box::pin(async move {
            schedule.require_whole()?;
            let (now, connection) = (write.now(), write.connection());
            let edition = door::lock(connection, "name", key, now).await?;
            let moves = moves::of(&mut *connection, &key).await?;
            let wanted = edition.to_be_placed(revision, now).map(|wanted| wanted.number);
            let number = wanted.map_err(|obstacle| obstacle.refusal(&key))?;
            // An indicator may have been marked since its figures were sealed.
            if !db::observation::restricted(&mut *connection, key, number)
                .await?
                .is_empty()
            {
                return Err(Obstacle::Restricted.refusal(&key).into());
            }
            let history = db::form::history(&mut *connection, key.form).await?;
            let form = history.and_then(|history| history.governing(key.period));
            let form = form.ok_or_else(|| Refusal::not_found(&key.to_string()))?.form;
            if edition.placement(channel, number).is_some() {
                let was_met = edition.met_at.is_some();
                // Its form may have named other channels when it was placed, or an earlier release asked for another one.
                let edition = edition.met_by_placements(&form);
                let newly_met = edition.met_at.filter(|_| !was_met);
                if let Some(met_at) = newly_met {
                    scheduled::meet(&mut *connection, &key.parent(), key.period, met_at).await?;
                }
                let answer = convert::to_edition(edition, moves, now);
                return Ok(match newly_met {
                    Some(_) => Outcome::of(&key, "edition.placed", answer),
                    None => Outcome::repeated(&key, "edition.placement_repeated", answer),
                });
            }
            let placing = Placing {
                channel,
                revision: Some(number),
                address,
                form,
                on_open_data_list: is_listed(connection, channel, key.form, zone::civil_day(now)).await?,
            };
            let placed = edition.place(placing, call.done(now));
            let edition = placed.map_err(|obstacle| obstacle.refusal(&key))?;
            if let Some(placement) = edition.placement(channel, number) {
                db::placement::save(&mut *connection, placement).await?;
            }
            if let Some(met_at) = edition.met_at {
                scheduled::meet(&mut *connection, &key.parent(), key.period, met_at).await?;
            }
            if channel == Channel::OpenDataPortal {
                packaging::bring_out(connection, key, number, package.as_ref(), &call.done(now)).await?;
            }
            db::edition::save(connection, &edition).await?;
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
