//! The keys that a service signs with: files of a folder, shared by its replicas, several valid at once, and taken up while the
//! service runs as certificates are.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use legalstat_proto::common::v1 as proto;

mod file;

pub use file::{Key, file_of};

use crate::{
    Error, Process, Violations,
    door::{page::Page, wire},
    job,
};

/// How many keys a page has when its caller does not say.
const PAGE: usize = 50;
/// How long between two looks at the folder.
const LOOK: Duration = Duration::from_secs(3);

/// The keys of a folder as they were at one look, by the time from which they sign.
pub struct Keys {
    keys: Vec<Key>,
    digest: [u8; 32],
}

impl Keys {
    /// Reads the folder.
    ///
    /// # Errors
    /// A folder or a file that cannot be read or is none of this folder's, each by its name, and a folder without a key that signs.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let (mut keys, digest) = file::read_all(folder)?;
        keys.sort_by(|one, other| (one.signs_from, &one.id).cmp(&(other.signs_from, &other.id)));
        anyhow::ensure!(
            keys.iter().any(Key::signs),
            "no key in {} can sign: none has its private part",
            folder.display()
        );
        Ok(Self { keys, digest })
    }

    /// The key that signs at an instant: of those that have begun the one that did last. Where a clock was set back before all of
    /// them the first one signs, for what is accepted must be signed.
    ///
    /// # Panics
    /// Never: keys are read only where one signs.
    pub fn in_use(&self, at: Timestamp) -> &Key {
        let mut signing = self.keys.iter().filter(|key| key.signs());
        let first = signing.clone().next();
        let begun = signing.rfind(|key| key.signs_from <= at);
        begun.or(first).expect("one of the keys signs")
    }

    /// The key of this id.
    pub fn get(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// A page of [`listed`](Self::listed), by the size and the token that a caller gives.
    ///
    /// # Errors
    /// A size that is out of range; a token of another list.
    pub fn page(&self, now: Timestamp, size: i32, token: &str) -> Result<(Vec<proto::SigningKey>, String), Error> {
        let mut violations = Violations::new();
        let page = Page::parse(&mut violations, size, PAGE, token, &[])?;
        violations.refuse()?;
        let mut keys = self.listed(now);
        // Keys are never put in before others but by an operator who gives them an earlier time: then a page may tell one again.
        if let Some(after) = &page.after {
            let begin = keys
                .iter()
                .position(|key| key.id == *after)
                .map_or(keys.len(), |place| place + 1);
            keys.drain(..begin);
        }
        Ok(page.cut(keys, |key| key.id.clone()))
    }

    /// All keys as callers are told of them at an instant.
    pub fn listed(&self, now: Timestamp) -> Vec<proto::SigningKey> {
        let in_use = self.in_use(now);
        let listed = self.keys.iter().map(|key| {
            let state = match key {
                key if key.id == in_use.id => proto::SigningKeyState::InUse,
                key if key.signs_from > now => proto::SigningKeyState::Announced,
                _ => proto::SigningKeyState::Retired,
            };
            let later = self.keys.iter().map(|other| other.signs_from);
            let next = later.filter(|from| *from > key.signs_from).min();
            proto::SigningKey {
                id: key.id.clone(),
                algorithm: proto::SigningAlgorithm::Ed25519.into(),
                public_key: key.public.to_vec(),
                state: state.into(),
                valid_from: Some(wire::to_timestamp(key.signs_from)),
                valid_to: next.map(wire::to_timestamp),
            }
        });
        listed.collect()
    }
}

/// The keys of a folder as they are now.
#[derive(Clone)]
pub struct SigningKeys {
    folder: Arc<PathBuf>,
    read: Arc<ArcSwap<Keys>>,
}

impl SigningKeys {
    /// Reads them for the first time.
    ///
    /// # Errors
    /// As [`Keys::read`].
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            folder: Arc::new(folder.to_owned()),
            read: Arc::new(ArcSwap::from_pointee(Keys::read(folder)?)),
        })
    }

    /// The keys as they were read last.
    pub fn now(&self) -> Arc<Keys> {
        self.read.load_full()
    }

    /// Looks at the folder until the process's shutdown. What cannot be used is logged once, and the service goes on with what it had.
    pub fn follow(&self, process: &Process) {
        let keys = self.clone();
        job::repeat(process, "signing-keys", LOOK, move || {
            let keys = keys.clone();
            async move { tokio::task::spawn_blocking(move || keys.look()).await? }
        });
    }

    fn look(&self) -> anyhow::Result<()> {
        let keys = Keys::read(&self.folder)?;
        if keys.digest != self.read.load().digest {
            self.read.store(Arc::new(keys));
            tracing::info!("the signing keys have changed and are in use");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
