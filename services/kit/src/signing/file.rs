//! The file of one key: PEM with a line before it that says from when on the key signs, so that nothing beside it can be lost or
//! belong to another. Other programs that read PEM pass over that line.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use jiff::Timestamp;
use pem::{EncodeConfig, LineEnding, Pem};
use ring::{
    hkdf, hmac,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use sha2::{Digest as _, Sha256};

/// How the files of keys end.
const ENDING: &str = ".pem";
/// The line that says from when on the key signs.
const SIGNS_FROM: &str = "Signs-From:";
/// What stands before the 32 bytes of a key in DER: in a private one of RFC 8410, and in one with its public key behind; in a public one.
const PRIVATE: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const PUBLIC: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// One key. It shows nothing of its private part.
pub struct Key {
    /// The id by which signatures name it: the name of its file.
    pub id: String,
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// The public key.
    pub public: [u8; 32],
    private: Option<Private>,
}

struct Private {
    pair: Ed25519KeyPair,
    /// What keys for other purposes are derived from.
    root: hkdf::Prk,
}

impl Key {
    /// Whether its private part is there.
    pub fn signs(&self) -> bool {
        self.private.is_some()
    }

    /// The signature of a message; `None` when the private part is not there.
    pub fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        let signature = self.private.as_ref()?.pair.sign(message);
        signature.as_ref().try_into().ok()
    }

    /// A key for HMAC-SHA256 that nothing else is used for: derived from the private part by HKDF (RFC 5869) for `purpose`. `None`
    /// when the private part is not there.
    pub fn derived(&self, purpose: &str) -> Option<hmac::Key> {
        let info = [purpose.as_bytes()];
        let expanded = self.private.as_ref()?.root.expand(&info, hmac::HMAC_SHA256);
        Some(expanded.ok()?.into())
    }
}

/// The content of the file of a key that signs from this instant on; `seed` is 32 bytes that nobody can guess.
pub fn file_of(seed: &[u8; 32], signs_from: Timestamp) -> String {
    let der = [&PRIVATE[..], seed].concat();
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
    let pem = pem::encode_config(&Pem::new("PRIVATE KEY", der), config);
    format!("{SIGNS_FROM} {signs_from}\n{pem}")
}

/// Reads every key of a folder, with the digest of all that was read. Names that begin with a dot are passed over: file systems that
/// secrets are mounted from have such.
pub(super) fn read_all(folder: &Path) -> anyhow::Result<(Vec<Key>, [u8; 32])> {
    let reading = || format!("the folder of signing keys, {}", folder.display());
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).with_context(reading)? {
        let entry = entry.with_context(reading)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            files.push(entry.path());
        }
    }
    files.sort();
    let (mut keys, mut digest) = (Vec::with_capacity(files.len()), Sha256::new());
    for file in files {
        let (key, content) = read(&file).with_context(|| format!("the signing key {}", file.display()))?;
        for part in [key.id.as_bytes(), &content] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        keys.push(key);
    }
    Ok((keys, digest.finalize().into()))
}

fn read(file: &Path) -> anyhow::Result<(Key, Vec<u8>)> {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let id = name.strip_suffix(ENDING).filter(|id| is_id(id));
    let id =
        id.context("its name is not that of a key: lower case letters and digits with hyphens between them, and .pem")?;
    let content = fs::read_to_string(file).context("it cannot be read as text")?;
    let (signs_from, pem) = parts(&content)?;
    let key = match pem.tag() {
        "PRIVATE KEY" => {
            require_private(file)?;
            private(id, signs_from, pem.contents())
        }
        "PUBLIC KEY" => public(id, signs_from, pem.contents()),
        other => anyhow::bail!(
            "it holds a {other}: a PRIVATE KEY (PKCS#8) is needed, or a PUBLIC KEY of one that signs no more"
        ),
    };
    let key = key.context("it holds no key of Ed25519")?;
    Ok((key, content.into_bytes()))
}

/// Whether a text is the id of a key, as the contract says.
fn is_id(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= 64 && text.split('-').all(part)
}

/// The instant, and what stands behind its line.
fn parts(content: &str) -> anyhow::Result<(Timestamp, Pem)> {
    let at = content.find("-----BEGIN ").context("it is not PEM")?;
    let mut signs_from = None;
    for line in content[..at].lines().map(str::trim).filter(|line| !line.is_empty()) {
        let instant = line
            .strip_prefix(SIGNS_FROM)
            .with_context(|| format!("before the key stands more than `{SIGNS_FROM}` and an instant"))?;
        let instant: Timestamp = instant
            .trim()
            .parse()
            .with_context(|| format!("`{SIGNS_FROM}` is not followed by an instant such as 2027-01-01T00:00:00Z"))?;
        anyhow::ensure!(
            signs_from.replace(instant).is_none(),
            "`{SIGNS_FROM}` stands there twice"
        );
    }
    let mut blocks = pem::parse_many(&content[at..]).map_err(|_| anyhow::anyhow!("it is not PEM"))?;
    let block = blocks.pop().context("it is not PEM")?;
    anyhow::ensure!(blocks.is_empty(), "it holds more than one key");
    let signs_from =
        signs_from.with_context(|| format!("no line `{SIGNS_FROM} 2027-01-01T00:00:00Z` stands before the key"))?;
    Ok((signs_from, block))
}

/// A private key must not be everyone's. A group may read it: some systems hand secrets to a program that way.
fn require_private(file: &Path) -> anyhow::Result<()> {
    let mode = fs::metadata(file)?.permissions().mode() & 0o777;
    anyhow::ensure!(
        mode & 0o027 == 0,
        "everyone can read it, or a group can write it, by its permissions {mode:04o}: make them 0600"
    );
    Ok(())
}

fn private(id: &str, signs_from: Timestamp, der: &[u8]) -> Option<Key> {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok()?;
    let public: [u8; 32] = pair.public_key().as_ref().try_into().ok()?;
    // The seed stands at the same place in both forms of PKCS#8; that it is the seed shows in the public key.
    let seed = der.get(PRIVATE.len()..PRIVATE.len() + 32)?;
    Ed25519KeyPair::from_seed_and_public_key(seed, &public).ok()?;
    let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"legalstat signing key").extract(seed);
    Some(Key {
        id: id.to_owned(),
        signs_from,
        public,
        private: Some(Private { pair, root }),
    })
}

fn public(id: &str, signs_from: Timestamp, der: &[u8]) -> Option<Key> {
    let public = der.strip_prefix(&PUBLIC)?.try_into().ok()?;
    Some(Key {
        id: id.to_owned(),
        signs_from,
        public,
        private: None,
    })
}
