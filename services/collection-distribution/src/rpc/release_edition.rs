//! ReleaseEdition.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use legalstat_kit::{
    Call, Error, Violations,
    call::Done,
    due::moves,
    signing::Keys,
    write::{self, Change, Mutation, Outcome},
    zone,
};
use legalstat_proto::collections::v1::{self as proto, ReleaseEditionRequest};
use sqlx::PgConnection;
use tokio::task::{self, JoinHandle};

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::{
        copy::Copy,
        delivery,
        edition::{Edition, EditionState, Issue},
        issuing::{self, NumberedCopy, Part},
        key::{CopyKey, EditionKey},
        statement::Statement,
    },
};

/// How many copies are signed, and stored, at a time: they are stored while the next ones are signed.
const TOGETHER: usize = 1000;

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
    let (schedule, keys) = (service.schedule.clone(), service.signing_keys.now());
    let due = Arc::clone(&service.due);
    let part = if request.certain_cells_only {
        Part::CertainCells
    } else {
        Part::Whole
    };
    write::carry_out(context, mutation, move |write| {
        Box::pin(async move {
            schedule.require_whole()?;
            let (now, connection) = (write.now(), write.connection());
            let (edition, copies) = release(connection, &keys, &key, part, call.done(now)).await?;
            let moves = moves::of(connection, &key).await?;
            let kind = match edition.state {
                EditionState::PartlyReleased => "edition.partly_released",
                _ => "edition.released",
            };
            let answer = convert::to_edition(edition, moves);
            let issued = copies.iter().map(|copy| Change::of(&copy.key, "copy.issued"));
            let changes = std::iter::once(Change::of(&key, kind)).chain(issued);
            Ok(Outcome::each(changes.collect(), answer).once_committed(move || due.notify_one()))
        })
    })
    .await
}

/// Issues the copies by the distribution that applies on the day of the release. An unresolved one is refused first: such
/// an edition cannot be released whole whatever its state.
async fn release(
    connection: &mut PgConnection,
    keys: &Arc<Keys>,
    key: &EditionKey,
    part: Part,
    released: Done,
) -> Result<(Edition, Vec<Copy>), Error> {
    let edition = door::lock(connection, "name", key).await?;
    let collection = door::find_collection(connection, &key.collection).await?;
    let day = zone::civil_day(released.at);
    // Whose server is entered meanwhile, for those deliveries are begun that are there then: these copies among them.
    db::recipient_detail::share_entitlements(connection).await?;
    let (list_version, distribution) = db::distribution::in_force(connection, &collection, day).await?;
    let recipients = db::recipient_detail::all(connection).await?;
    let distribution = distribution.succeeded(&recipients, day);
    if let Some(unresolved) = distribution.unresolved().filter(|_| part == Part::Whole) {
        return Err(unresolved.refusal(key).into());
    }
    let accepts = edition.accepts_release(&released);
    accepts.map_err(|obstacle| obstacle.refusal(key))?;
    let issued = db::revision::issued(connection, key, edition.revision).await?;
    let issued = issued.succeeded(&recipients, day);
    let copies = distribution.to_issue(part, &issued);
    let copies = copies.map_err(|unissuable| unissuable.refusal(key))?;
    let entitled = issuing::require_entitled(&copies, &recipients, day);
    entitled.map_err(|unissuable| unissuable.refusal(key))?;
    let issue = Issue {
        copies: copies.len(),
        total: distribution.copies_total(),
        is_whole: distribution.is_whole_after(part),
    };
    let issued_at = released.at;
    let released = edition.release(issue, released);
    let edition = released.map_err(|obstacle| obstacle.refusal(key))?;
    let sending_body = db::sending_body::of(connection, day).await?;
    let sending = Sending {
        body: &sending_body,
        list_version,
        at: issued_at,
    };
    let mut signing = signing(&edition, keys, &copies, &sending)?;
    let mut ahead = signing.next();
    db::edition::save(connection, &edition).await?;
    let mut copies = Vec::with_capacity(copies.len());
    while let Some(signed) = ahead {
        ahead = signing.next();
        let signed = signed.await.context("signing copies")??;
        db::copy::issue(connection, key, &signed).await?;
        copies.extend(signed);
    }
    drop(signing);
    if let Some(first) = copies.first() {
        let from_when = delivery::from_when(
            &recipients,
            copies.iter().map(|copy| copy.recipient.as_str()),
            issued_at,
        );
        db::delivery::begin(connection, key, first.key.number, &from_when).await?;
    }
    Ok((edition, copies))
}

/// What the copies of a release have in common.
struct Sending<'a> {
    /// The id of the body that sends them.
    body: &'a str,
    /// The version of the distribution list.
    list_version: i32,
    at: Timestamp,
}

/// The copies with their signed statements, some at a time. Whoever takes the next ones before it waits for those at hand has them signed
/// beside the database's work.
fn signing(
    edition: &Edition,
    keys: &Arc<Keys>,
    numbered: &[NumberedCopy<'_>],
    sending: &Sending<'_>,
) -> anyhow::Result<impl Iterator<Item = JoinHandle<anyhow::Result<Vec<Copy>>>>> {
    let content_sha256 = edition.files.sha256().context("what is released has content")?;
    let statement = move |numbered: &NumberedCopy<'_>| Statement {
        copy: CopyKey {
            edition: edition.key.clone(),
            number: numbered.number,
        },
        ordinal: numbered.ordinal,
        copies_total: edition.copies_total,
        revision: edition.revision,
        recipient: numbered.recipient.to_owned(),
        content_sha256: content_sha256.clone(),
        sending_body: sending.body.to_owned(),
        issued_at: sending.at,
        official_use: edition.official_use.clone(),
    };
    let signing = numbered.chunks(TOGETHER).map(move |numbered| {
        let unsigned: Vec<_> = numbered
            .iter()
            .map(|copy| (statement(copy), copy.legal_basis.clone()))
            .collect();
        let (keys, due, list_version) = (Arc::clone(keys), edition.due.clone(), sending.list_version);
        task::spawn_blocking(move || {
            let signed = unsigned.into_iter().map(|(statement, legal_basis)| {
                let proof = statement.sign(&keys)?;
                Ok(Copy::issued(statement, proof, &due, (list_version, legal_basis)))
            });
            signed.collect()
        })
    });
    Ok(signing)
}
