//! The proof of a copy's delivery, made here and verified by anybody: the contract's `DeliveryProof` tells what it holds.

use std::sync::LazyLock;

use legalstat_kit::{canonical, door::wire};
use legalstat_proto::{
    collections::v1::{CopyState, CopyStatement, DeliveryProof, Receipt, ReceiptStatement, RecipientKey},
    common::v1::SigningKey,
};
use prost_reflect::MessageDescriptor;
use prost_types::Timestamp;
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::{domain::statement, statements};

/// The format of proofs.
pub const FORMAT: &str = "legalstat-delivery-proof/1";

static PROOF: LazyLock<MessageDescriptor> =
    LazyLock::new(|| canonical::descriptor("legalstat.collections.v1.DeliveryProof"));

/// What the service signs of a proof: its canonical form without the signature.
///
/// # Errors
/// A proof that has no proto3 JSON.
pub fn signed(proof: &DeliveryProof) -> anyhow::Result<Vec<u8>> {
    let mut unsigned = proof.clone();
    unsigned.signature.clear();
    canonical::of_message(PROOF.clone(), &unsigned)
}

/// A proof as it is kept in a file: its canonical form, of which another program makes the signed bytes by taking one member out.
///
/// # Errors
/// A proof that has no proto3 JSON.
pub fn written(proof: &DeliveryProof) -> anyhow::Result<Vec<u8>> {
    canonical::of_message(PROOF.clone(), proof)
}

/// What a proof says something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The service put the proof together as it is.
    Proof,
    /// The service's keys are those that the verifier knows.
    Keys,
    /// The service issued this copy with this content to this recipient.
    Issue,
    /// The recipient received the copy.
    Receipt,
    /// The file at hand is the content of the copy.
    Content,
}

impl Point {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Proof => "PROOF",
            Self::Keys => "KEYS",
            Self::Issue => "ISSUE",
            Self::Receipt => "RECEIPT",
            Self::Content => "CONTENT",
        }
    }
}

/// What became of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is proved.
    Proved,
    /// Nothing proves it, and nothing speaks against it.
    NotProved,
    /// The opposite is proved, or the file was changed.
    Refuted,
}

impl Outcome {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Proved => "PROVED",
            Self::NotProved => "NOT_PROVED",
            Self::Refuted => "REFUTED",
        }
    }
}

/// What is known of one point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub point: Point,
    /// What became of it.
    pub outcome: Outcome,
    /// In a sentence, why.
    pub text: String,
}

type Told = (Outcome, String);

/// What a proof proves, point by point. `known` are the service's keys as the verifier had them from elsewhere; `content` is the
/// SHA-256 of the file at hand, in lowercase hexadecimal.
///
/// # Errors
/// A proof that has no proto3 JSON.
pub fn verify(
    proof: &DeliveryProof,
    known: Option<&[SigningKey]>,
    content: Option<&str>,
) -> anyhow::Result<Vec<Finding>> {
    let keys = known.unwrap_or(&proof.signing_keys);
    let whole = whole(proof, keys)?;
    let receipt = match receipt(proof)? {
        (Outcome::Proved, _) if whole.0 != Outcome::Proved => {
            let text = "a key signed it, and nothing holds that says whose key that is";
            (Outcome::NotProved, text.into())
        }
        told => told,
    };
    let told = [
        (Point::Proof, whole),
        (Point::Keys, known_keys(proof, known)),
        (Point::Issue, issue(proof, keys)?),
        (Point::Receipt, receipt),
        (Point::Content, compared(proof, content)?),
    ];
    let findings = told.into_iter();
    Ok(findings
        .map(|(point, (outcome, text))| Finding { point, outcome, text })
        .collect())
}

/// Whether nothing is refuted, and all is proved that a file can prove by itself: the content is compared only where it is at hand.
pub fn is_proved(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| match finding.point {
        Point::Content => finding.outcome != Outcome::Refuted,
        Point::Proof | Point::Keys | Point::Issue | Point::Receipt => finding.outcome == Outcome::Proved,
    })
}

fn whole(proof: &DeliveryProof, keys: &[SigningKey]) -> anyhow::Result<Told> {
    if proof.format != FORMAT {
        return Ok((
            Outcome::Refuted,
            format!("its format is {:?}, not {FORMAT}", proof.format),
        ));
    }
    Ok(match verified(keys, &proof.key, &signed(proof)?, &proof.signature) {
        Ok(()) => {
            let at = proof.proved_at.map(|at| at.to_string()).unwrap_or_default();
            let state = proof.state().as_str_name();
            let text = format!(
                "the service signed it with its key {} at {at}; the copy stood at {state} then, and the {} journal entries are what \
                 the service says of itself",
                proof.key,
                proof.journal_entries.len()
            );
            (Outcome::Proved, text)
        }
        Err(why) => (Outcome::Refuted, why),
    })
}

fn known_keys(proof: &DeliveryProof, known: Option<&[SigningKey]>) -> Told {
    let Some(known) = known else {
        let text = "the keys are those of the file itself: compare them with ListSigningKeys, or give a saved list with --keys";
        return (Outcome::NotProved, text.into());
    };
    let other = proof.signing_keys.iter().find(|carried| {
        let same = known.iter().find(|key| key.id == carried.id);
        same.is_none_or(|key| key.public_key != carried.public_key)
    });
    match other {
        Some(key) => (
            Outcome::Refuted,
            format!(
                "the key {} of the file is not one that you know as the service's",
                key.id
            ),
        ),
        None => (Outcome::Proved, "the service's keys are those that you know".into()),
    }
}

fn issue(proof: &DeliveryProof, keys: &[SigningKey]) -> anyhow::Result<Told> {
    let Some(stated) = &proof.statement else {
        let text = "the copy was issued by a release that signed nothing";
        return Ok((Outcome::NotProved, text.into()));
    };
    let bytes = statements::of_copy(stated)?;
    if stated.format != statement::FORMAT || stated.copy != proof.copy {
        return Ok((Outcome::Refuted, "the statement is of another copy or format".into()));
    }
    if hex::encode(wire::sha256(&bytes)) != proof.copy_sha256 {
        return Ok((
            Outcome::Refuted,
            "the digest of the copy is not that of its statement".into(),
        ));
    }
    Ok(match verified(keys, &proof.copy_key, &bytes, &proof.copy_signature) {
        Ok(()) => (Outcome::Proved, issued(stated) + &by_list(proof)),
        Err(why) => (Outcome::Refuted, why),
    })
}

fn issued(statement: &CopyStatement) -> String {
    let marked = match &statement.official_use {
        Some(marking) => format!(", marked for official use in {} copies", marking.copies),
        None => String::new(),
    };
    format!(
        "{} issued {}, number {} of {} of revision {}, to {} at {}, with the content of SHA-256 {}{marked}",
        statement.sending_body,
        statement.copy,
        statement.ordinal,
        statement.copies_total,
        statement.revision,
        statement.recipient,
        statement.issued_at.map(|at| at.to_string()).unwrap_or_default(),
        statement.content_sha256
    )
}

/// By which list, in words that follow a sentence.
fn by_list(proof: &DeliveryProof) -> String {
    let Some(list) = &proof.distribution_list else {
        return String::new();
    };
    let law = list.legal_basis.clone().unwrap_or_default();
    format!(
        "; by version {} of the distribution list, the service says, which rests on {} {}",
        list.version, law.act, law.provision
    )
}

fn receipt(proof: &DeliveryProof) -> anyhow::Result<Told> {
    let Some(receipt) = &proof.receipt else {
        let outcome = match proof.state() {
            CopyState::Received => Outcome::Refuted,
            _ => Outcome::NotProved,
        };
        let text = match &proof.rejection {
            Some(rejection) => format!(
                "it holds no receipt: {} rejected the copy at {}, the service says, because {:?}",
                rejection.rejected_by,
                rejection.recorded_at.map(|at| at.to_string()).unwrap_or_default(),
                rejection.reason
            ),
            None => "it holds no receipt".into(),
        };
        return Ok((outcome, text));
    };
    let Some(said) = &receipt.statement else {
        return Ok((Outcome::Refuted, "the receipt says nothing".into()));
    };
    let copy = proof.statement.clone().unwrap_or_default();
    let is_of_copy = (&said.copy, &said.copy_sha256) == (&proof.copy, &proof.copy_sha256)
        && (proof.statement.is_none()
            || (&said.content_sha256, &said.recipient) == (&copy.content_sha256, &copy.recipient));
    if said.format != statements::RECEIPT_FORMAT || !is_of_copy {
        return Ok((
            Outcome::Refuted,
            "the receipt is over another copy, digest or recipient".into(),
        ));
    }
    let Some(key) = &proof.recipient_key else {
        return Ok(unsigned(receipt));
    };
    let bytes = statements::of_receipt(said)?;
    let at = said.received_at.map(|at| at.to_string()).unwrap_or_default();
    let Some(signer) = signer(proof, receipt, said) else {
        let text = format!("nothing says that {} follows the recipient", receipt.successor);
        return Ok((Outcome::Refuted, text));
    };
    let of_signer = format!("{signer}/signingKeys/");
    if key.name != receipt.signing_key || !key.name.starts_with(&of_signer) || !counts(key, said) {
        let text = "the key is not the recipient's, or did not count when the copy was received";
        return Ok((Outcome::Refuted, text.into()));
    }
    let follows = if signer == said.recipient {
        String::new()
    } else {
        format!(", that it follows {}", said.recipient)
    };
    Ok(match holds(&key.name, &key.public_key, &bytes, &receipt.signature) {
        Ok(()) => (
            Outcome::Proved,
            format!(
                "{signer} signed with its key {} that it received the copy at {at}; that the key is its own{follows}, the service says",
                key.name
            ),
        ),
        Err(why) => (Outcome::Refuted, why),
    })
}

/// Who must have signed a receipt: the copy's recipient, or a successor to which what the proof tells leads from it.
fn signer<'a>(proof: &'a DeliveryProof, receipt: &'a Receipt, said: &'a ReceiptStatement) -> Option<&'a str> {
    if receipt.successor.is_empty() {
        return Some(&said.recipient);
    }
    let mut recipient = said.recipient.as_str();
    for succession in &proof.successions {
        if succession.recipient != recipient {
            return None;
        }
        recipient = &succession.successor;
        if recipient == receipt.successor {
            return Some(recipient);
        }
    }
    None
}

/// Whether a key counted at the instant of a receipt.
fn counts(key: &RecipientKey, said: &ReceiptStatement) -> bool {
    let instant = |at: &Option<Timestamp>| at.as_ref().map(|at| (at.seconds, at.nanos));
    let received = instant(&said.received_at);
    instant(&key.valid_from) <= received && instant(&key.valid_to).is_none_or(|to| received < Some(to))
}

fn unsigned(receipt: &Receipt) -> Told {
    if !receipt.signing_key.is_empty() || !receipt.signature.is_empty() {
        return (
            Outcome::Refuted,
            "the receipt is signed, and the recipient's key is left out".into(),
        );
    }
    let by = &receipt.confirmed_by;
    let text =
        format!("{by} confirmed it by its certificate alone and signed nothing: the service says so, and nobody else");
    (Outcome::NotProved, text)
}

fn compared(proof: &DeliveryProof, content: Option<&str>) -> anyhow::Result<Told> {
    let Some(statement) = &proof.statement else {
        let text = "nothing signed tells the digest of the content";
        return Ok((Outcome::NotProved, text.into()));
    };
    let stated = &statement.content_sha256;
    if let Some(manifest) = &proof.manifest
        && statements::content_sha256(manifest).ok().as_ref() != Some(stated)
    {
        let text = "the manifest is not that of the content";
        return Ok((Outcome::Refuted, text.into()));
    }
    let Some(sha256) = content else {
        let text = "no file was compared: give one with --content";
        return Ok((Outcome::NotProved, text.into()));
    };
    let files = proof.manifest.iter().flat_map(|manifest| &manifest.files);
    let listed = files.clone().find(|file| file.sha256 == sha256);
    Ok(match listed {
        Some(file) => {
            let (name, count) = (&file.filename, files.count());
            (
                Outcome::Proved,
                format!("the file is {name:?} of the copy, one of {count}"),
            )
        }
        None if proof.manifest.is_none() && stated == sha256 => {
            (Outcome::Proved, "the file is the content of the copy".into())
        }
        None => (
            Outcome::Refuted,
            format!("the file is another: its SHA-256 is {sha256}"),
        ),
    })
}

fn verified(keys: &[SigningKey], id: &str, message: &[u8], signature: &[u8]) -> Result<(), String> {
    let key = keys.iter().find(|key| key.id == id);
    let key = key.ok_or_else(|| format!("the key {id:?} that should have signed is not among the keys"))?;
    holds(id, &key.public_key, message, signature)
}

fn holds(key: &str, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), String> {
    let verified = UnparsedPublicKey::new(&ED25519, public_key).verify(message, signature);
    verified.map_err(|_| {
        format!("the signature by the key {key} does not hold: what it covers was changed, or another key signed")
    })
}

#[cfg(test)]
mod tests;
