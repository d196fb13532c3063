//! Signatures are verified in threads of their own, few at a time, by the authorities that the operator trusts now.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use legalstat_kit::{Context, Error, Refusal, job};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::signature::{self, TrustStore, Verdict};

/// How many containers are held and verified at once. With what it is about the largest takes 48 MiB, of the 128 MiB that a
/// container of the service has, and a twentieth of a second.
const TOGETHER: usize = 1;
/// How long one waits for its turn.
const TURN: Duration = Duration::from_secs(10);
/// How long between two looks at the folder of authorities.
const LOOK: Duration = Duration::from_secs(10);

/// What a signature is about, read.
pub enum Content {
    /// Its container encloses it.
    Enclosed,
    /// It stands beside it.
    Beside(Vec<u8>),
    /// It stands beside it and is too large to be read: its SHA-256.
    Digest([u8; 32]),
}

/// Verifies signatures.
pub struct Signatures {
    folder: Option<PathBuf>,
    trust: ArcSwap<TrustStore>,
    places: Arc<Semaphore>,
}

/// Names, times and sizes of the folder's files, which tell when it has changed.
type Stamp = Vec<(PathBuf, Option<SystemTime>, u64)>;

/// What was seen when the folder was looked at last.
#[derive(Default)]
struct Seen {
    stamp: Stamp,
    /// The authorities whose revocation lists were stale, and told as such.
    stale: Vec<String>,
}

impl Signatures {
    /// Reads the folder of authorities; without one nobody is trusted.
    ///
    /// # Errors
    /// A folder that cannot be read, or a file in it.
    pub fn read(folder: Option<PathBuf>) -> anyhow::Result<Self> {
        let trust = match &folder {
            Some(folder) => TrustStore::read(folder).context("LEGALSTAT_SIGNATURE_TRUST")?,
            None => TrustStore::default(),
        };
        if trust.is_empty() {
            tracing::info!("no authority is trusted: signatures are not told as valid");
        }
        Ok(Self {
            folder,
            trust: ArcSwap::from_pointee(trust),
            places: Arc::new(Semaphore::new(TOGETHER)),
        })
    }

    /// Takes up new authorities and revocations while the service runs. What cannot be read is logged once, and what was
    /// trusted before goes on counting.
    pub fn follow(self: &Arc<Self>, context: &Context) {
        let Some(folder) = self.folder.clone() else { return };
        let own = Arc::clone(self);
        let stamp = stamp(&folder).unwrap_or_default();
        let seen = Arc::new(std::sync::Mutex::new(Seen {
            stamp,
            ..Seen::default()
        }));
        let clock = context.clone();
        job::repeat(context, "authorities of signatures", LOOK, move || {
            let (own, folder, seen) = (Arc::clone(&own), folder.clone(), Arc::clone(&seen));
            let now = clock.now();
            async move { tokio::task::spawn_blocking(move || own.look(&folder, &seen, now)).await? }
        });
    }

    fn look(&self, folder: &Path, seen: &std::sync::Mutex<Seen>, now: Timestamp) -> anyhow::Result<()> {
        let stamp = stamp(folder).context("LEGALSTAT_SIGNATURE_TRUST")?;
        let mut seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if seen.stamp != stamp {
            self.trust.store(Arc::new(TrustStore::read(folder)?));
            seen.stamp = stamp;
            tracing::info!("the authorities of signatures have changed and are in use");
        }
        let trust = self.trust.load();
        let stale = trust.stale(now);
        if stale != seen.stale {
            if !stale.is_empty() {
                let authorities = stale.join("; ");
                tracing::warn!(
                    authorities,
                    "revocation lists are out of date: what was revoked since is not known"
                );
            }
            seen.stale = stale.into_iter().map(str::to_owned).collect();
        }
        Ok(())
    }

    /// A place to hold a container and verify it.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED when too many are verified.
    pub async fn place(&self) -> Result<Place<'_>, Error> {
        let permit = Arc::clone(&self.places).acquire_owned();
        match tokio::time::timeout(TURN, permit).await {
            Ok(Ok(permit)) => Ok(Place {
                signatures: self,
                permit,
            }),
            _ => Err(Refusal::overloaded("too many signatures are being verified").into()),
        }
    }
}

fn stamp(folder: &Path) -> std::io::Result<Stamp> {
    let mut stamp = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let data = entry.metadata()?;
        stamp.push((entry.path(), data.modified().ok(), data.len()));
    }
    stamp.sort();
    Ok(stamp)
}

/// One of the places for verifying.
pub struct Place<'a> {
    signatures: &'a Signatures,
    permit: OwnedSemaphorePermit,
}

impl Place<'_> {
    /// Verifies a container that was received at a time. Who hangs up leaves it under way, with its place.
    ///
    /// # Errors
    /// When the thread fails.
    pub async fn verify(self, container: Vec<u8>, content: Content, at: Timestamp) -> Result<Verdict, Error> {
        let trust = self.signatures.trust.load_full();
        let permit = self.permit;
        let verified = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let content = match &content {
                Content::Enclosed => signature::Content::Enclosed,
                Content::Beside(bytes) => signature::Content::Detached(bytes),
                Content::Digest(sha256) => signature::Content::Sha256(sha256),
            };
            signature::verify(&container, content, at, &trust)
        });
        Ok(verified.await.map_err(anyhow::Error::new)?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::poll;

    use super::*;

    #[test]
    fn who_hangs_up_leaves_the_place_to_what_is_verified() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .max_blocking_threads(1)
            .build();
        runtime.expect("it is built").block_on(async {
            let signatures = Signatures::read(None).expect("nobody is trusted");
            // The only thread is busy, so that the verification waits for it.
            let (free, until_freed) = mpsc::channel::<()>();
            let busy = tokio::task::spawn_blocking(move || until_freed.recv());
            {
                let place = signatures.place().await.expect("there is one");
                let verifying = place.verify(vec![0; 100], Content::Enclosed, Timestamp::UNIX_EPOCH);
                let mut verifying = std::pin::pin!(verifying);
                assert!(poll!(verifying.as_mut()).is_pending());
            }
            assert_eq!(signatures.places.available_permits(), 0);
            free.send(()).expect("it waits");
            busy.await.expect("it ends").expect("it was told");
            signatures.place().await.expect("it is free once that has ended");
        });
    }
}
