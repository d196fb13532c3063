//! What the service says of a copy and signs, so that it can be verified with nothing but the public key. The contract's
//! `CopyStatement` tells how it is made.

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{canonical, door::wire, signing::Keys};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Serialize;

use super::{
    key::{self, CopyKey},
    marking::OfficialUse,
};

/// The format of statements.
pub const FORMAT: &str = "legalstat-copy/1";

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub copy: CopyKey,
    /// Which one it is of the copies of its revision, from 1.
    pub ordinal: i32,
    /// How many copies the revision has in all.
    pub copies_total: i32,
    pub revision: i32,
    /// The id of the recipient.
    pub recipient: String,
    pub content_sha256: Vec<u8>,
    /// The id of the body that sends the copy.
    pub sending_body: String,
    pub issued_at: Timestamp,
    /// How the copy is marked; `None` where it is open.
    pub official_use: Option<OfficialUse>,
}

/// A statement as it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    pub ordinal: i32,
    pub copies_total: i32,
    pub sending_body: String,
    /// The digest of the statement.
    pub copy_sha256: Vec<u8>,
    /// The id of the key that signed it.
    pub signing_key: String,
    pub signature: Vec<u8>,
}

/// Why a statement is not proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproved {
    /// Something in it is not what the digest was made of.
    #[error("the copy's digest is not that of the statement")]
    Digest,
    /// The key did not sign it.
    #[error("the signature is not that of this key over the statement")]
    Signature,
}

/// The canonical JSON has its members by name, as RFC 8785 orders them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Signed<'a> {
    content_sha256: String,
    copies_total: i32,
    copy: String,
    format: &'a str,
    issued_at: String,
    number: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    official_use: Option<SignedMarking<'a>>,
    ordinal: i32,
    recipient: String,
    revision: i32,
    sending_body: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedMarking<'a> {
    copies: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_on: Option<SignedDay>,
    reason: &'a str,
}

#[derive(Serialize)]
struct SignedDay {
    day: i8,
    month: i8,
    year: i16,
}

impl<'a> SignedMarking<'a> {
    fn of(official_use: &'a OfficialUse) -> Self {
        let day = |day: Date| SignedDay {
            day: day.day(),
            month: day.month(),
            year: day.year(),
        };
        Self {
            copies: official_use.copies,
            expires_on: official_use.expires_on.map(day),
            reason: &official_use.reason,
        }
    }
}

impl Statement {
    /// The bytes that are signed.
    ///
    /// # Errors
    /// Never: numbers and texts have a canonical form.
    pub fn canonical(&self) -> anyhow::Result<Vec<u8>> {
        canonical::of(&Signed {
            content_sha256: hex::encode(&self.content_sha256),
            copies_total: self.copies_total,
            copy: self.copy.to_string(),
            format: FORMAT,
            issued_at: wire::to_timestamp(self.issued_at).to_string(),
            number: self.copy.number,
            official_use: self.official_use.as_ref().map(SignedMarking::of),
            ordinal: self.ordinal,
            recipient: key::recipient(&self.recipient),
            revision: self.revision,
            sending_body: key::body(&self.sending_body),
        })
    }

    /// The statement signed by the key that is in use when the copy is issued.
    ///
    /// # Errors
    /// Never: the key in use signs.
    pub fn sign(&self, keys: &Keys) -> anyhow::Result<Proof> {
        let (key, signed) = (keys.in_use(self.issued_at), self.canonical()?);
        let signature = key.sign(&signed);
        let signature = signature.ok_or_else(|| anyhow::anyhow!("the key in use does not sign"))?;
        Ok(Proof {
            ordinal: self.ordinal,
            copies_total: self.copies_total,
            sending_body: self.sending_body.clone(),
            copy_sha256: wire::sha256(&signed).to_vec(),
            signing_key: key.id.clone(),
            signature: signature.to_vec(),
        })
    }
}

/// Verifies the bytes of a statement against the copy's digest, the public key and the signature, without anything else.
///
/// # Errors
/// What does not agree.
pub fn verify(signed: &[u8], copy_sha256: &[u8], public_key: &[u8], signature: &[u8]) -> Result<(), Unproved> {
    if wire::sha256(signed) != copy_sha256 {
        return Err(Unproved::Digest);
    }
    let key = UnparsedPublicKey::new(&ED25519, public_key);
    key.verify(signed, signature).map_err(|_| Unproved::Signature)
}

#[cfg(test)]
mod tests {
    use legalstat_kit::signing::file_of;
    use proptest::prelude::*;

    use super::*;

    fn statement() -> Statement {
        Statement {
            copy: "collections/crime/editions/2025-Q1/copies/35".parse().expect("a name"),
            ordinal: 2,
            copies_total: 33,
            revision: 2,
            recipient: "gpo-leadership".into(),
            content_sha256: vec![0xab; 32],
            sending_body: "committee".into(),
            issued_at: "2025-04-03T05:00:00.12Z".parse().expect("an instant"),
            official_use: None,
        }
    }

    fn keys() -> Keys {
        let folder = tempfile::tempdir().expect("a folder");
        for (id, seed, from) in [
            ("2024-a", 1, "2024-01-01T00:00:00Z"),
            ("2026-a", 2, "2026-01-01T00:00:00Z"),
        ] {
            use std::os::unix::fs::PermissionsExt as _;
            let path = folder.path().join(format!("{id}.pem"));
            let content = file_of(&[seed; 32], from.parse().expect("an instant"));
            std::fs::write(&path, content).expect("it is written");
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
        }
        Keys::read(folder.path()).expect("they are sound")
    }

    #[test]
    fn what_is_signed_has_one_text() {
        let expected = concat!(
            r#"{"contentSha256":"abababababababababababababababababababababababababababababababab","copiesTotal":33,"#,
            r#""copy":"collections/crime/editions/2025-Q1/copies/35","format":"legalstat-copy/1","#,
            r#""issuedAt":"2025-04-03T05:00:00.120Z","number":35,"ordinal":2,"recipient":"recipients/gpo-leadership","#,
            r#""revision":2,"sendingBody":"bodies/committee"}"#
        );
        let signed = statement().canonical().expect("it has a form");
        assert_eq!(String::from_utf8(signed).expect("it is UTF-8"), expected);
    }

    #[test]
    fn a_marking_is_signed_with_the_rest() {
        let mut marked = statement();
        let official_use = |expires_on| OfficialUse {
            copies: 33,
            reason: "personal data".into(),
            expires_on,
        };
        for (expires_on, expected) in [
            (
                None,
                r#""officialUse":{"copies":33,"reason":"personal data"},"ordinal":2"#,
            ),
            (
                Some(Date::constant(2030, 12, 31)),
                concat!(
                    r#""officialUse":{"copies":33,"expiresOn":{"day":31,"month":12,"year":2030},"reason":"personal data"},"#,
                    r#""ordinal":2"#
                ),
            ),
        ] {
            marked.official_use = Some(official_use(expires_on));
            let signed = String::from_utf8(marked.canonical().expect("it has a form")).expect("it is UTF-8");
            assert!(signed.contains(expected), "{signed}");
        }
    }

    #[test]
    fn the_key_in_use_at_the_time_of_issue_signs_and_no_other_key_proves_it() {
        let (keys, statement) = (keys(), statement());
        let proof = statement.sign(&keys).expect("it is signed");
        assert_eq!(
            (proof.signing_key.as_str(), proof.ordinal, proof.copies_total),
            ("2024-a", 2, 33)
        );
        let signed = statement.canonical().expect("it has a form");
        let proved = |id: &str| {
            let public = keys.get(id).expect("it is there").public;
            verify(&signed, &proof.copy_sha256, &public, &proof.signature)
        };
        assert_eq!(proved("2024-a"), Ok(()));
        assert_eq!(proved("2026-a"), Err(Unproved::Signature));
    }

    proptest! {
        #[test]
        fn one_byte_changed_anywhere_proves_nothing(at in 0..10_000_usize, flip in 1..=255_u8) {
            let (keys, statement) = (keys(), statement());
            let proof = statement.sign(&keys).map_err(|e| TestCaseError::fail(e.to_string()))?;
            let signed = statement.canonical().map_err(|e| TestCaseError::fail(e.to_string()))?;
            let public = keys.in_use(statement.issued_at).public;
            prop_assert_eq!(verify(&signed, &proof.copy_sha256, &public, &proof.signature), Ok(()));

            let changed = |bytes: &[u8]| {
                let mut bytes = bytes.to_vec();
                let at = at % bytes.len();
                bytes[at] ^= flip;
                bytes
            };
            let forged = changed(&signed);
            prop_assert_eq!(verify(&forged, &proof.copy_sha256, &public, &proof.signature), Err(Unproved::Digest));
            // Whoever makes the digest fit has no signature for it.
            let fitting = wire::sha256(&forged);
            prop_assert_eq!(verify(&forged, &fitting, &public, &proof.signature), Err(Unproved::Signature));
            let signature = changed(&proof.signature);
            prop_assert_eq!(verify(&signed, &proof.copy_sha256, &public, &signature), Err(Unproved::Signature));
        }
    }
}
