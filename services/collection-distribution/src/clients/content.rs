//! The bytes of a copy's files, one file after the other.

use std::{
    collections::VecDeque,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream, stream::BoxStream};
use legalstat_kit::{
    Error,
    files::{CHUNK, FileStore},
};
use legalstat_proto::collections::v1::EditionContent;

type Part = BoxStream<'static, Result<Bytes, Error>>;

/// Files by their digests.
type Kept = VecDeque<(Vec<u8>, Bytes)>;

/// How many small files are kept.
const KEPT: usize = 16;

/// Files of one message each that were sent lately: every copy of an edition has the same ones. What lies under a digest never changes.
#[derive(Clone, Default)]
pub(super) struct Small(Arc<Mutex<Kept>>);

impl Small {
    fn get(&self, sha256: &[u8]) -> Option<Bytes> {
        let mut kept = self.kept();
        let at = kept.iter().position(|(of, _)| of == sha256)?;
        let found = kept.remove(at)?;
        let bytes = found.1.clone();
        kept.push_back(found);
        Some(bytes)
    }

    /// Keeps a file, and no longer the one that was sent longest ago where there are many.
    fn keep(&self, sha256: &[u8], bytes: &Bytes) {
        let mut kept = self.kept();
        if kept.iter().any(|(of, _)| of == sha256) {
            return;
        }
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back((sha256.to_vec(), bytes.clone()));
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

/// The files of a copy, in the order in which their bytes follow one another.
pub(super) struct Content {
    /// Their digests and sizes.
    files: Vec<(Vec<u8>, u64)>,
    /// How many bytes they have together.
    pub(super) size: u64,
}

impl Content {
    /// Reads what the files are.
    ///
    /// # Errors
    /// Digests or sizes that are none.
    pub(super) fn of(files: &[EditionContent]) -> anyhow::Result<Self> {
        let read = |file: &EditionContent| {
            let sha256 = hex::decode(&file.sha256)?;
            anyhow::ensure!(sha256.len() == 32, "a digest of {} bytes", sha256.len());
            Ok((sha256, u64::try_from(file.size_bytes)?))
        };
        let files: Vec<_> = files.iter().map(read).collect::<anyhow::Result<_>>()?;
        let size = files.iter().map(|(_, size)| size).sum();
        Ok(Self { files, size })
    }

    /// The bytes from this one on. It fails where the store has less than it should.
    pub(super) fn from(
        &self,
        store: &FileStore,
        small: &Small,
        offset: u64,
    ) -> impl Stream<Item = Result<Bytes, Error>> + use<> {
        let (mut before, mut parts) = (0, Vec::new());
        for (sha256, size) in &self.files {
            let from = offset.saturating_sub(before).min(*size);
            before += size;
            if from < *size {
                parts.push(part(store, small, sha256, from..*size));
            }
        }
        stream::iter(parts).flatten()
    }
}

/// Some bytes of a file, to its end.
fn part(store: &FileStore, small: &Small, sha256: &[u8], range: Range<u64>) -> Part {
    if range.end > CHUNK as u64 {
        let length = range.end - range.start;
        return whole(store.read_range(sha256, range), length);
    }
    let from = usize::try_from(range.start).unwrap_or(CHUNK);
    if let Some(bytes) = small.get(sha256).filter(|bytes| bytes.len() as u64 == range.end) {
        return stream::iter([Ok(bytes.slice(from.min(bytes.len())..))]).boxed();
    }
    let (small, sha256) = (small.clone(), sha256.to_vec());
    let read = whole(store.read_range(&sha256, 0..range.end), range.end);
    let rest = read.map_ok(move |bytes| {
        // It comes at once, unless it is short.
        if bytes.len() as u64 == range.end {
            small.keep(&sha256, &bytes);
        }
        bytes.slice(from.min(bytes.len())..)
    });
    rest.boxed()
}

/// A part that has so many bytes.
fn whole(part: Part, size: u64) -> Part {
    let counted = stream::try_unfold((part, size), |(mut part, left)| async move {
        match part.try_next().await? {
            Some(bytes) => {
                let left = left.saturating_sub(bytes.len() as u64);
                Ok(Some((bytes, (part, left))))
            }
            None if left > 0 => Err(anyhow::anyhow!("a file in the store lacks its last {left} bytes").into()),
            None => Ok(None),
        }
    });
    counted.boxed()
}
