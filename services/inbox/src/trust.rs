//! The keys of the distribution that whoever runs the inbox trusts: a saved answer of ListSigningKeys.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use legalstat_collection_distribution::statements;
use legalstat_kit::{Error, FieldReason, Refusal, Violations, canonical, repeated};
use legalstat_proto::{
    collections::v1::{Copy, ListSigningKeysResponse},
    common::v1::{ErrorReason, SigningKey},
};
use prost_reflect::DynamicMessage;
use tonic::Code;

use crate::AGAIN;

/// The file. It is read for each copy, so that a key that is added counts at once.
#[derive(Clone, Debug)]
pub struct Trusted(PathBuf);

impl Trusted {
    /// The keys of a file.
    ///
    /// # Errors
    /// A file that is no answer of ListSigningKeys, or names no key.
    pub fn open(file: &Path) -> anyhow::Result<Self> {
        let trusted = Self(file.to_owned());
        trusted.keys()?;
        Ok(trusted)
    }

    fn keys(&self) -> anyhow::Result<Vec<SigningKey>> {
        let reading = || format!("the trusted keys, {}", self.0.display());
        let text = std::fs::read(&self.0).with_context(reading)?;
        // Some editors and shells put a byte order mark before it.
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        let mut json = serde_json::Deserializer::from_slice(text);
        let descriptor = canonical::descriptor("legalstat.collections.v1.ListSigningKeysResponse");
        let message = DynamicMessage::deserialize(descriptor, &mut json).with_context(reading)?;
        let listed: ListSigningKeysResponse = message.transcode_to().with_context(reading)?;
        anyhow::ensure!(!listed.signing_keys.is_empty(), "{} names no key", self.0.display());
        Ok(listed.signing_keys)
    }

    /// Requires that the distribution signed the statement of a copy.
    ///
    /// # Errors
    /// UNAVAILABLE while the key is not among those trusted; INVALID_ARGUMENT when the copy is not what the key has signed.
    pub fn require_signed(&self, copy: &Copy) -> Result<(), Error> {
        let keys = self.keys().map_err(|error| {
            let error = format!("the trusted keys cannot be read: {error:#}");
            if let Some(unlogged) = repeated::to_log(&error) {
                tracing::error!(error, unlogged, "no copy is taken until they can");
            }
            Refusal::unavailable("the keys that this inbox trusts cannot be read at the moment")
        })?;
        if !keys.iter().any(|key| key.id == copy.signing_key) {
            let message = format!(
                "this inbox does not know the key {} yet: whoever runs it has to enter it among those trusted",
                copy.signing_key
            );
            if let Some(unlogged) = repeated::to_log("a copy is signed by a key that is not trusted") {
                let key = &copy.signing_key;
                tracing::warn!(key, unlogged, "a copy is signed by a key that is not trusted");
            }
            let mut refusal = Refusal::new(Code::Unavailable, ErrorReason::SigningKeyUnknown, message);
            refusal.retry_after = Some(AGAIN);
            return Err(refusal.with("signing_key", &copy.signing_key).into());
        }
        statements::verify(copy, &keys)
            .map_err(|untrue| Violations::one("header.copy", FieldReason::Signature, &format!("{untrue:#}")).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trusted_keys_are_read_behind_a_byte_order_mark() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("keys.json");
        std::fs::write(&file, "\u{feff}{\"signingKeys\": [{\"id\": \"2026-1\"}]}").expect("it is written");
        let trusted = Trusted::open(&file).expect("it names a key");
        assert_eq!(trusted.keys().expect("it is read")[0].id, "2026-1");
        std::fs::write(&file, "\u{feff}{}").expect("it is written");
        Trusted::open(&file).expect_err("it names none");
    }
}
