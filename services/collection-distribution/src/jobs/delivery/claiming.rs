//! Claims deliveries, with what is sent of each.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use jiff::Timestamp;
use legalstat_kit::{
    Context,
    door::wire,
    write::{self, Change, Write},
};
use legalstat_proto::collections::v1::RecallCopyRequest;
use sqlx::PgConnection;

use super::METHOD;
use crate::{
    clients::inbox::Parcel,
    db::{self, delivery::Claim},
    domain::{
        copy::Copy,
        delivery::{Address, Waiting},
        key::{self, EditionKey},
    },
    rpc::convert,
};

/// What is sent of a claimed copy, and until when.
pub(super) enum Sent {
    Copy(Box<Parcel>),
    /// That it was recalled.
    Recall(RecallCopyRequest, Instant),
}

impl Sent {
    pub(super) fn until(&self) -> Instant {
        match self {
            Self::Copy(parcel) => parcel.until,
            Self::Recall(_, until) => *until,
        }
    }
}

/// A claimed copy with what is sent of it.
pub(super) type Loaded = (Claim, Sent);

/// What is to be claimed.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) shares: BTreeMap<String, i32>,
    pub(super) addresses: BTreeMap<String, Address>,
    /// The servers that are tried by one attempt.
    pub(super) probes: Vec<Waiting>,
    pub(super) lease: Duration,
    /// When the attempts end.
    pub(super) until: Instant,
}

/// Claims deliveries, and gives them with what is sent; none is claimed that cannot be read.
pub(super) async fn claim(context: &Context, asked: Asked) -> anyhow::Result<Vec<Loaded>> {
    let given = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&given);
    write::by_job(context, METHOD, move |write| {
        Box::pin(async move {
            let loaded = claimed(write, asked).await?;
            let first = loaded.iter().filter(|(claim, _)| claim.is_first);
            let changes = first.map(|(claim, _)| Change::of(&claim.key, "copy.sending")).collect();
            *taken.lock().expect("nobody else holds it") = loaded;
            Ok(changes)
        })
    })
    .await?;
    let loaded = std::mem::take(&mut *given.lock().expect("nobody else holds it"));
    Ok(loaded)
}

pub(super) async fn claimed(write: &mut Write, mut asked: Asked) -> anyhow::Result<Vec<Loaded>> {
    let (now, connection) = (write.now(), write.connection());
    db::delivery::by_keys(connection).await?;
    if !asked.probes.is_empty() {
        let holders: Vec<String> = asked.probes.iter().map(|server| server.holder.clone()).collect();
        let taken = db::breaker::probe(connection, &holders, now, now + asked.lease).await?;
        for server in asked.probes.iter().filter(|server| !taken.contains(&server.holder)) {
            asked.shares.retain(|id, _| !server.recipients.contains(id));
        }
    }
    let claims = db::delivery::claim(connection, &asked.shares, &asked.addresses, now, asked.lease).await?;
    let keys: Vec<_> = claims.iter().map(|claim| claim.key.clone()).collect();
    let copies = db::copy::of_keys(connection, &keys).await?;
    let (mut files, mut reasons) = (HashMap::new(), HashMap::new());
    let mut loaded = Vec::with_capacity(claims.len());
    for (claim, copy) in claims.into_iter().zip(copies) {
        let copy = copy.with_context(|| format!("{} has a delivery and is not there", claim.key))?;
        let sent = if claim.is_recall {
            Sent::Recall(recall(connection, &copy, &mut reasons).await?, asked.until)
        } else {
            Sent::Copy(Box::new(
                parcel(connection, (&claim, copy), &mut files, (asked.until, now)).await?,
            ))
        };
        loaded.push((claim, sent));
    }
    db::delivery::as_usual(connection).await?;
    Ok(loaded)
}

/// Why each revision was recalled.
type Reasons = HashMap<(EditionKey, i32), String>;

/// What a server is told of the recall of a copy.
async fn recall(
    connection: &mut PgConnection,
    copy: &Copy,
    reasons: &mut Reasons,
) -> anyhow::Result<RecallCopyRequest> {
    let revision = (copy.key.edition.clone(), copy.revision);
    if !reasons.contains_key(&revision) {
        let reason = db::revision::recall_reason(connection, &revision.0, revision.1).await?;
        reasons.insert(revision.clone(), reason.unwrap_or_default());
    }
    Ok(RecallCopyRequest {
        copy: copy.key.to_string(),
        recipient: key::recipient(&copy.recipient),
        reason: reasons.get(&revision).cloned().unwrap_or_default(),
        recalled_at: copy.recalled_at.map(wire::to_timestamp),
    })
}

/// The files of each revision.
type Files = HashMap<(EditionKey, i32), Vec<legalstat_proto::collections::v1::EditionContent>>;

async fn parcel(
    connection: &mut PgConnection,
    (claim, copy): (&Claim, Copy),
    files: &mut Files,
    (until, now): (Instant, Timestamp),
) -> anyhow::Result<Parcel> {
    let delivery = copy.delivery.as_ref().context("what is claimed is delivered")?;
    let delivery_id = delivery.id;
    let revision = (copy.key.edition.clone(), copy.revision);
    if !files.contains_key(&revision) {
        let content = db::revision_file::of(connection, &revision.0, revision.1).await?;
        files.insert(revision.clone(), content.into_iter().map(convert::to_content).collect());
    }
    Ok(Parcel {
        delivery_id,
        attempt: claim.number,
        files: files.get(&revision).cloned().unwrap_or_default(),
        copy: convert::to_full_copy(copy, now),
        until,
    })
}
