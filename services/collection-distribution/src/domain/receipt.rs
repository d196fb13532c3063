//! What a recipient says of a copy that it has, and by which of its keys.

use jiff::{SignedDuration, Timestamp};
use legalstat_kit::door::word::Word;

use super::recipient::SigningKey;

/// How far the clock of a recipient may be off: its receipt lies at most so long before the issue of the copy, and at most so long after
/// now. The table of receipts holds to the latter as well.
pub const CLOCK_OFF: SignedDuration = SignedDuration::from_mins(5);

/// How a receipt came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The recipient fetched the copy and confirmed it.
    Pull,
    /// The recipient's server answered a delivery with it.
    Push,
}

impl Word for Way {
    const ALL: &'static [Self] = &[Self::Pull, Self::Push];

    fn word(self) -> &'static str {
        match self {
            Self::Pull => "PULL",
            Self::Push => "PUSH",
        }
    }
}

/// What a recipient signed of its receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The id of its key.
    pub key: String,
    pub signature: [u8; 64],
    /// The bytes that it signed.
    pub statement: Vec<u8>,
}

/// The receipt of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// When the recipient received it, as it says.
    pub received_at: Timestamp,
    pub recorded_at: Timestamp,
    /// The name in the certificate of who gave it.
    pub said_by: String,
    pub way: Way,
    /// `None` for one given by the certificate alone.
    pub signed: Option<Signed>,
    /// Whether it came when the delivery had failed.
    pub late: bool,
    /// The id of the recipient that gave it where the copy's own has ended; `None` where that gave it itself.
    pub successor: Option<String>,
}

/// That a copy was rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Why.
    pub reason: String,
    pub recorded_at: Timestamp,
    /// The name in the certificate of who said it.
    pub said_by: String,
    pub way: Way,
    /// The id of the recipient that rejected it where the copy's own has ended; `None` where that did itself.
    pub successor: Option<String>,
}

impl Receipt {
    /// A receipt that nothing but a certificate stands for.
    pub fn by_certificate(said_by: &str, way: Way, at: Timestamp) -> Self {
        Self {
            received_at: at,
            recorded_at: at,
            said_by: said_by.to_owned(),
            way,
            signed: None,
            late: false,
            successor: None,
        }
    }

    /// How the copy was confirmed, in words.
    pub fn told(&self) -> String {
        let told = match &self.signed {
            Some(signed) => format!("the receipt is signed with the key {}", signed.key),
            None => "confirmed by the certificate alone: the recipient had no signing key".to_owned(),
        };
        match &self.successor {
            Some(successor) => format!("{told}, by {successor}, which follows the recipient"),
            None => told,
        }
    }

    /// The id of the recipient whose key signs it, given the copy's own.
    pub fn signer<'a>(&'a self, recipient: &'a str) -> &'a str {
        self.successor.as_deref().unwrap_or(recipient)
    }
}

/// Why a receipt is not the recipient's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTrue {
    /// The recipient has such a key, and has not signed.
    #[error("the recipient has a signing key: its receipt must be signed")]
    NotSigned,
    /// It has no such key.
    #[error("the recipient has no such key")]
    KeyUnknown,
    /// Its key was not valid at the instant of the receipt.
    #[error("the key was not valid when the copy was received")]
    KeyNotValid,
    /// The signature is not over the statement of this copy.
    #[error("the signature is not that key's over the statement of this copy")]
    Signature,
}

/// Refuses a receipt without a signature of a recipient that has a key to sign it with.
///
/// # Errors
/// [`NotTrue::NotSigned`].
pub fn require_none(keys: &[SigningKey], at: Timestamp) -> Result<(), NotTrue> {
    if keys.iter().any(|key| key.covers(at)) {
        return Err(NotTrue::NotSigned);
    }
    Ok(())
}

/// The key of this id that was the recipient's at the instant of its receipt.
///
/// # Errors
/// None, or one that was not valid then.
pub fn key_at<'a>(keys: &'a [SigningKey], id: &str, at: Timestamp) -> Result<&'a SigningKey, NotTrue> {
    let mut recorded = keys.iter().filter(|key| key.id == id).peekable();
    if recorded.peek().is_none() {
        return Err(NotTrue::KeyUnknown);
    }
    recorded.find(|key| key.covers(at)).ok_or(NotTrue::KeyNotValid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn key(id: &str, from: &str, to: Option<&str>) -> SigningKey {
        SigningKey {
            recipient: "senate".into(),
            id: id.into(),
            public_key: [1; 32],
            valid_from: instant(from),
            valid_to: to.map(instant),
        }
    }

    #[test]
    fn a_key_counts_from_its_first_instant_to_before_its_last_and_keys_overlap() {
        let keys = [
            key("old", "2026-01-01T00:00:00Z", Some("2026-07-01T00:00:00Z")),
            key("new", "2026-06-01T00:00:00Z", None),
        ];
        let found = |id: &str, at: &str| key_at(&keys, id, instant(at)).map(|key| key.id.as_str());
        for (id, at, expected) in [
            ("old", "2025-12-31T23:59:59Z", Err(NotTrue::KeyNotValid)),
            ("old", "2026-01-01T00:00:00Z", Ok("old")),
            ("old", "2026-06-30T23:59:59Z", Ok("old")),
            ("new", "2026-06-30T23:59:59Z", Ok("new")),
            ("old", "2026-07-01T00:00:00Z", Err(NotTrue::KeyNotValid)),
            ("new", "2026-05-31T23:59:59Z", Err(NotTrue::KeyNotValid)),
            ("other", "2026-06-15T00:00:00Z", Err(NotTrue::KeyUnknown)),
        ] {
            assert_eq!(found(id, at), expected, "{id} at {at}");
        }
    }

    #[test]
    fn who_has_a_key_that_counts_signs() {
        let keys = [key("only", "2026-01-01T00:00:00Z", Some("2026-07-01T00:00:00Z"))];
        assert_eq!(
            require_none(&keys, instant("2026-03-01T00:00:00Z")),
            Err(NotTrue::NotSigned)
        );
        assert_eq!(require_none(&keys, instant("2026-07-01T00:00:00Z")), Ok(()));
        assert_eq!(require_none(&[], instant("2026-03-01T00:00:00Z")), Ok(()));
    }

    #[test]
    fn a_receipt_says_how_it_was_given() {
        let at = instant("2026-03-01T00:00:00Z");
        let mut receipt = Receipt::by_certificate("senate", Way::Pull, at);
        assert!(receipt.told().contains("certificate alone"));
        receipt.signed = Some(Signed {
            key: "2026-1".into(),
            signature: [0; 64],
            statement: vec![1],
        });
        assert_eq!(receipt.told(), "the receipt is signed with the key 2026-1");
    }
}
