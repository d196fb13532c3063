//! The bytes of a copy's files, one file after the other.

use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream, stream::BoxStream};
use legalstat_kit::{Error, files::FileStore};
use legalstat_proto::collections::v1::EditionContent;

type Part = BoxStream<'static, Result<Bytes, Error>>;

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
    pub(super) fn from(&self, store: &FileStore, offset: u64) -> impl Stream<Item = Result<Bytes, Error>> + use<> {
        let (mut before, mut parts) = (0, Vec::new());
        for (sha256, size) in &self.files {
            let from = offset.saturating_sub(before).min(*size);
            before += size;
            if from < *size {
                parts.push(whole(store.read_range(sha256, from..*size), size - from));
            }
        }
        stream::iter(parts).flatten()
    }
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
