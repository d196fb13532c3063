//! ProveDelivery.

use jiff::Timestamp;
use legalstat_kit::{Call, Error, Violations, door::wire, journal, zone};
use legalstat_proto::collections::v1::{
    DeliveryProof, ProveDeliveryRequest, Succession, collection_distribution_service_server::SERVICE_NAME,
};
use sqlx::PgConnection;

use super::{CollectionDistribution, convert, distribution_lists, door, recipient_keys};
use crate::{
    db,
    domain::{
        copy::Copy,
        key::{self, CopyKey},
        recipient::{self, Known},
    },
    jobs::delivery,
    proof,
};

/// What changes an edition or a copy; who only read it is no part of a proof.
const METHODS: [&str; 11] = [
    "UploadEditionContent",
    "RemoveEditionFile",
    "MarkEdition",
    "SetEmbargo",
    "SealEdition",
    "ReleaseEdition",
    "RedeliverCopy",
    "RecallEdition",
    "ConfirmReceipt",
    "RejectCopy",
    "ConfirmRecall",
];
/// How many journal entries a proof has at most of the copy, and as many of its edition.
const ENTRIES: i64 = 100;

pub(super) async fn prove_delivery(
    service: &CollectionDistribution,
    call: Call,
    request: ProveDeliveryRequest,
) -> Result<DeliveryProof, Error> {
    let (mut violations, context) = (Violations::new(), &service.context);
    let key = door::copy(&mut violations, "name", &request.name);
    let edition = key.as_ref().map(|key| key.edition.clone());
    let key = door::sound(violations, &context.db, ("name", edition.as_ref()), key).await?;

    let now = context.now();
    // What a proof says of a copy, its edition and the journal must have been so at one moment.
    let mut snapshot = context.db.snapshot().await?;
    let copy = door::visible_copy(&mut snapshot, &call, "name", &key, now).await?;
    let mut proof = unsigned(&mut snapshot, &call, &key, copy, now).await?;
    drop(snapshot);
    if !call.caller.is_official() {
        without_persons(&mut proof, &call.caller.name);
    }
    let keys = service.signing_keys.now();
    let signing = keys.in_use(now);
    let signed_by = [&proof.copy_key, &signing.id];
    proof.signing_keys = keys
        .listed(now)
        .into_iter()
        .filter(|key| signed_by.contains(&&key.id))
        .collect();
    proof.key = signing.id.clone();
    let signature = signing.sign(&proof::signed(&proof)?);
    let signature = signature.ok_or_else(|| anyhow::anyhow!("the key in use does not sign"))?;
    proof.signature = signature.to_vec();
    Ok(proof)
}

/// Takes out the names of others: persons are for officials to know.
fn without_persons(proof: &mut DeliveryProof, caller: &str) {
    for entry in proof.journal_entries.iter_mut().filter(|entry| entry.caller != caller) {
        entry.caller.clear();
        entry.roles.clear();
    }
    if let Some(recall) = proof.revision.as_mut().and_then(|revision| revision.recall.as_mut()) {
        recall.recalled_by.clear();
    }
}

/// Everything but the service's signature.
async fn unsigned(
    connection: &mut PgConnection,
    call: &Call,
    key: &CopyKey,
    copy: Copy,
    now: Timestamp,
) -> Result<DeliveryProof, Error> {
    let revisions = db::revision::list(connection, &key.edition).await?;
    let revision = revisions.into_iter().find(|revision| revision.number == copy.revision);
    let signed = copy
        .receipt
        .as_ref()
        .and_then(|receipt| Some((receipt, receipt.signed.as_ref()?)));
    let recipient_key = match signed {
        Some((receipt, signed)) => {
            let keys = db::recipient_key::of(connection, receipt.signer(&copy.recipient)).await?;
            keys.into_iter().find(|key| key.id == signed.key)
        }
        None => None,
    };
    let recipients = db::recipient_detail::all(connection).await?;
    let (ended, _) = recipient::succession(&recipients, &copy.recipient, zone::civil_day(now));
    let successions = ended.into_iter().filter_map(to_succession).collect();
    let distribution_list = match copy.list_version {
        Some(version) => {
            let collection = door::find_collection(connection, &key.edition.collection).await?;
            Some(distribution_lists::version(connection, &collection, version, call).await?)
        }
        None => None,
    };
    let resources = [key.to_string(), key.edition.to_string()];
    let mut methods = METHODS.map(|method| format!("/{SERVICE_NAME}/{method}")).to_vec();
    // Of a copy that goes to its recipient's server this has the receipt.
    methods.push(delivery::METHOD.into());
    let journal_entries = journal::done(connection, &resources, &methods, ENTRIES).await?;
    let copy = convert::to_full_copy(copy, now);
    let mut revision = revision.map(convert::to_revision);
    let manifest = revision.as_mut().and_then(|revision| revision.manifest.take());
    Ok(DeliveryProof {
        format: proof::FORMAT.into(),
        copy: copy.name,
        proved_at: Some(wire::to_timestamp(now)),
        state: copy.state,
        statement: copy.statement,
        copy_sha256: copy.copy_sha256,
        copy_key: copy.signing_key,
        copy_signature: copy.signature,
        receipt: copy.receipt,
        rejection: copy.rejection,
        distribution_list,
        successions,
        recipient_key: recipient_key.map(|key| recipient_keys::shown(&key, now)),
        revision,
        // One file needs none: its digest is that of the content.
        manifest: manifest.filter(|manifest| manifest.files.len() > 1),
        legal_basis: copy.legal_basis,
        journal_entries,
        ..DeliveryProof::default()
    })
}

/// Writes that a recipient ended; nothing of one that nothing follows.
fn to_succession(ended: &Known) -> Option<Succession> {
    let facts = &ended.facts;
    Some(Succession {
        recipient: key::recipient(&ended.id),
        last_day: facts.valid_to.map(wire::to_date),
        successor: key::recipient(facts.successor.as_deref()?),
        legal_basis: Some(facts.legal_basis.clone().into()),
    })
}
