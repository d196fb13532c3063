//! ReleaseEdition.

use legalstat_kit::{
    Call, Error, Violations,
    call::Done,
    due::moves,
    write::{self, Mutation, Outcome},
    zone,
};
use legalstat_proto::collections::v1::{self as proto, ReleaseEditionRequest};
use sqlx::PgConnection;

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::{edition::Edition, key::EditionKey},
};

pub(super) async fn release_edition(
    service: &CollectionDistribution,
    call: Call,
    request: ReleaseEditionRequest,
) -> Result<proto::Edition, Error> {
    let (mut violations, context) = (Violations::new(), &service.context);
    let key = door::edition(&mut violations, "name", &request.name);
    let request_id = violations.request_id("request_id", &request.request_id);
    let key = door::sound(violations, &context.db, ("name", key.as_ref()), key.clone()).await?;

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    let schedule = service.schedule.clone();
    write::carry_out(context, mutation, move |write| {
        Box::pin(async move {
            schedule.require_whole()?;
            let (now, connection) = (write.now(), write.connection());
            let edition = release(connection, &key, call.done(now)).await?;
            let moves = moves::of(connection, &key).await?;
            let answer = convert::to_edition(edition, moves);
            Ok(Outcome::of(&key, "edition.released", answer))
        })
    })
    .await
}

/// Issues the copies by the distribution that applies on the day of the release. An unresolved one is refused first: such
/// an edition cannot be released whatever its state.
async fn release(connection: &mut PgConnection, key: &EditionKey, released: Done) -> Result<Edition, Error> {
    let edition = door::lock(connection, "name", key).await?;
    let collection = door::find_collection(connection, &key.collection).await?;
    let distribution = db::distribution::get(connection, &collection, zone::civil_day(released.at)).await?;
    let copies = distribution.numbered_copies();
    let copies = copies.map_err(|unresolved| unresolved.refusal(key))?;
    let issued_at = released.at;
    let released = edition.release(copies.len(), released);
    let edition = released.map_err(|obstacle| obstacle.refusal(key))?;
    db::edition::save(connection, &edition).await?;
    db::copy::issue(connection, key, &copies, issued_at).await?;
    Ok(edition)
}
