//! What the methods of distribution lists read and show in the same way.

use std::collections::BTreeSet;

use jiff::civil::Date;
use legalstat_kit::{
    Call, Error, Refusal,
    call::Done,
    door::wire,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::collections::v1 as proto;
use prost::Message;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::{
        collection::Collection,
        distribution::{Cell, Distribution},
        distribution_list::{LOADED, ListState, Undecidable, Version},
        key, recipient,
    },
    error,
};

/// The number of a state on the wire.
pub(super) fn state(state: ListState) -> i32 {
    match state {
        ListState::Proposed => proto::DistributionListState::Proposed,
        ListState::InForce => proto::DistributionListState::InForce,
        ListState::Rejected => proto::DistributionListState::Rejected,
    }
    .into()
}

/// The version that the register has.
pub(super) fn loaded(name: String, collection: &Collection, distribution: &Distribution) -> proto::DistributionList {
    proto::DistributionList {
        name,
        version: LOADED,
        state: state(ListState::InForce),
        valid_from: Some(wire::to_date(collection.duty.valid_from)),
        ..convert::to_distribution_list(&collection.id, distribution)
    }
}

/// A later version as a caller sees it: persons are for officials to know.
pub(super) fn shown(
    name: String,
    version: &Version,
    distribution: &Distribution,
    call: &Call,
) -> proto::DistributionList {
    let by = |done: &Done| Some(done.by.clone()).filter(|_| call.caller.is_official());
    let decided = version.decided.as_ref();
    let decision_reason = decided.map(|(_, reason)| reason.clone());
    proto::DistributionList {
        name,
        legal_basis: Some(version.legal_basis.clone().into()),
        version: version.version,
        state: state(version.state),
        valid_from: Some(wire::to_date(version.valid_from)),
        base_version: version.base_version,
        act_changes: version.act_changes,
        reason: version.reason.clone(),
        proposed_at: Some(wire::to_timestamp(version.proposed.at)),
        proposed_by: by(&version.proposed).unwrap_or_default(),
        decided_at: decided.map(|(done, _)| wire::to_timestamp(done.at)),
        decided_by: decided.and_then(|(done, _)| by(done)).unwrap_or_default(),
        decision_reason: decision_reason
            .filter(|_| call.caller.is_official())
            .unwrap_or_default(),
        ..convert::to_distribution_list(&version.collection, distribution)
    }
}

/// A version as it was proposed, whatever became of its recipients.
///
/// # Errors
/// NOT_FOUND when there is none, or none that this caller sees.
pub(super) async fn version(
    connection: &mut PgConnection,
    collection: &Collection,
    number: i32,
    call: &Call,
) -> Result<proto::DistributionList, Error> {
    let name = key::distribution_list_version(&collection.id, number);
    if number == LOADED {
        let distribution = db::distribution::loaded(connection, collection, collection.duty.valid_from).await?;
        return Ok(loaded(name, collection, &distribution));
    }
    let found = db::distribution_list::get(&mut *connection, &collection.id, number).await?;
    let seen = found.filter(|version| version.state == ListState::InForce || call.caller.is_official());
    let version = seen.ok_or_else(|| Refusal::not_found(&name))?;
    let distribution = db::distribution_list::distribution(connection, &version).await?;
    Ok(shown(name, &version, &distribution, call))
}

/// The cells of a list from a day on whose copies nobody gets on some day on which it would hold, each with the first such day.
pub(super) async fn unfollowed(
    connection: &mut PgConnection,
    collection: &Collection,
    valid_from: Date,
    distribution: &Distribution,
) -> Result<Vec<(Cell, Date)>, Error> {
    let last = db::distribution_list::last_day(connection, &collection.id, valid_from).await?;
    let recipients = db::recipient_detail::all(connection).await?;
    let (mut found, mut columns) = (Vec::new(), BTreeSet::new());
    for day in recipient::turning_days(&recipients, valid_from, last.or(collection.duty.valid_to)) {
        let cells = distribution.unfollowed(&recipients, day);
        let new = cells.filter(|cell| columns.insert(cell.column));
        found.extend(new.map(|cell| (cell.clone(), day)));
    }
    Ok(found)
}

/// Refuses to put a list in force that gives copies to recipients which end, or have ended, with nothing in force that follows them.
async fn require_followed(
    connection: &mut PgConnection,
    collection: &Collection,
    version: &Version,
    distribution: &Distribution,
) -> Result<(), Error> {
    let found = unfollowed(connection, collection, version.valid_from, distribution).await?;
    let ids: BTreeSet<String> = found.into_iter().map(|(cell, _)| cell.recipient).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let name = key::distribution_list_version(&version.collection, version.version);
    let message =
        format!("{name} gives copies to recipients that end while it holds, and nothing in force follows them");
    Err(error::ended(&ids, message).about(&name).into())
}

/// A decision about a proposed version.
pub(super) struct Deciding {
    pub(super) call: Call,
    /// The collection and the number.
    pub(super) list: (String, i32),
    pub(super) reason: String,
    pub(super) request_id: Uuid,
    pub(super) validate_only: bool,
    /// The event.
    pub(super) kind: &'static str,
    /// What it decides, given who decides, why, and the version that is in force on the first day.
    pub(super) decide: fn(Version, Done, String, i32) -> Result<Version, Undecidable>,
}

/// Decides about a proposed version.
///
/// # Errors
/// NOT_FOUND, or why it cannot be decided so.
pub(super) async fn decide(
    service: &CollectionDistribution,
    deciding: Deciding,
    message: &impl Message,
) -> Result<proto::DistributionList, Error> {
    let (id, number) = deciding.list.clone();
    let name = key::distribution_list_version(&id, number);
    let mutation = Mutation::of(
        &deciding.call,
        &name,
        deciding.request_id,
        deciding.validate_only,
        message,
    );
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let done = deciding.call.done(write.now());
            let connection = write.connection();
            let collection = door::find_collection(connection, &id).await?;
            db::distribution_list::lock(connection, &id).await?;
            if number == LOADED {
                return Err(Undecidable::NotProposed.refusal(&name).into());
            }
            let found = db::distribution_list::get(connection, &id, number).await?;
            let version = found.ok_or_else(|| Refusal::not_found(&name))?;
            let (in_force, _) = db::distribution::in_force(connection, &collection, version.valid_from).await?;
            let decided = (deciding.decide)(version, done, deciding.reason, in_force);
            let decided = decided.map_err(|undecidable| undecidable.refusal(&name))?;
            let distribution = db::distribution_list::distribution(connection, &decided).await?;
            if decided.state == ListState::InForce {
                db::recipient_detail::lock_entitlements(connection).await?;
                require_followed(connection, &collection, &decided, &distribution).await?;
            }
            db::distribution_list::decide(connection, &decided).await?;
            let answer = shown(name.clone(), &decided, &distribution, &deciding.call);
            Ok(Outcome::of(&name, deciding.kind, answer))
        })
    })
    .await
}
