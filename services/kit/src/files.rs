//! Files by content: what is stored is found by its SHA-256 and never changes.

use bytes::Bytes;
use futures::{Stream, StreamExt, stream::BoxStream};
use legalstat_proto::common::v1::ErrorReason;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart, local::LocalFileSystem, path::Path};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tonic::Code;
use uuid::Uuid;

use crate::{Error, Refusal};

/// How many bytes are sent in one message of a download.
pub const CHUNK: usize = 64 * 1024;
/// How many bytes are written at once.
const PART: usize = 1024 * 1024;

/// Where a service keeps its files.
#[derive(Clone)]
pub struct FileStore {
    store: Arc<dyn ObjectStore>,
    limit: u64,
}

/// Content that is stored under a name of its own until it is kept or dropped.
pub struct Received {
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
    /// Its size in bytes.
    pub size: u64,
    staged: Path,
}

impl FileStore {
    /// Opens a folder, made if it is not there; files may have at most `limit` bytes.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn open(folder: &std::path::Path, limit: u64) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        // What is not released yet is nobody else's to read.
        std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        sweep(&folder.join("received"));
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            limit,
        })
    }

    /// Receives content chunk by chunk. It is nobody's until [`FileStore::keep`] is called.
    ///
    /// # Errors
    /// FILE_TOO_LARGE as soon as the limit is passed, or what the chunks' sender fails with; then nothing stays.
    pub async fn receive(&self, chunks: impl Stream<Item = Result<Bytes, Error>>) -> Result<Received, Error> {
        #[expect(clippy::disallowed_methods, reason = "the name of a file under way decides nothing")]
        let staged = Path::from(format!("received/{}", Uuid::new_v4()));
        let upload = self.store.put_multipart(&staged).await.map_err(unknown)?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PART);
        match self.copy(chunks, &mut writer).await {
            Ok((sha256, size)) => {
                writer.finish().await.map_err(unknown)?;
                Ok(Received { sha256, size, staged })
            }
            Err(error) => {
                writer.abort().await.map_err(unknown)?;
                Err(error)
            }
        }
    }

    async fn copy(
        &self,
        chunks: impl Stream<Item = Result<Bytes, Error>>,
        writer: &mut WriteMultipart,
    ) -> Result<([u8; 32], u64), Error> {
        let (mut digest, mut size) = (Sha256::new(), 0_u64);
        let mut chunks = std::pin::pin!(chunks);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            size += chunk.len() as u64;
            if size > self.limit {
                return Err(self.too_large().into());
            }
            digest.update(&chunk);
            writer.wait_for_capacity(2).await.map_err(unknown)?;
            writer.put(chunk);
        }
        Ok((digest.finalize().into(), size))
    }

    fn too_large(&self) -> Refusal {
        let message = format!("the file is over the limit of {} bytes", self.limit);
        Refusal::new(Code::InvalidArgument, ErrorReason::FileTooLarge, message)
            .with("limit_bytes", &self.limit.to_string())
    }

    /// Keeps received content under its digest. Keeping the same content twice changes nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keep(&self, received: &Received) -> Result<(), Error> {
        self.store
            .rename(&received.staged, &place(&received.sha256))
            .await
            .map_err(unknown)
    }

    /// Drops received content that is not kept.
    pub async fn discard(&self, received: &Received) {
        if let Err(error) = self.store.delete(&received.staged).await {
            tracing::warn!(%error, "received content could not be dropped");
        }
    }

    /// Reads content by its digest.
    ///
    /// # Errors
    /// When it is not there or the store fails.
    pub async fn read(&self, sha256: &[u8]) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let found = self.store.get(&place(sha256)).await.map_err(unknown)?;
        Ok(found
            .into_stream()
            .map(|part| part.map_err(unknown))
            .flat_map(split)
            .boxed())
    }
}

/// Drops received content that its process did not live to keep or drop: no call takes as long as an hour.
fn sweep(received: &std::path::Path) {
    let hour = std::time::Duration::from_secs(3600);
    let old = |file: &std::fs::DirEntry| {
        let age = file
            .metadata()
            .and_then(|data| data.modified())
            .ok()
            .and_then(|at| at.elapsed().ok());
        age.is_some_and(|age| age > hour)
    };
    for file in std::fs::read_dir(received).into_iter().flatten().flatten().filter(old) {
        std::fs::remove_file(file.path()).ok();
    }
}

fn split(part: Result<Bytes, Error>) -> impl Stream<Item = Result<Bytes, Error>> {
    let pieces: Vec<_> = match part {
        Err(error) => vec![Err(error)],
        Ok(part) => (0..part.len())
            .step_by(CHUNK)
            .map(|at| Ok(part.slice(at..part.len().min(at + CHUNK))))
            .collect(),
    };
    futures::stream::iter(pieces)
}

fn place(sha256: &[u8]) -> Path {
    let name = hex::encode(sha256);
    Path::from(format!("sha256/{}/{name}", &name[..2]))
}

fn unknown(error: object_store::Error) -> Error {
    Error::Unknown(anyhow::Error::new(error).context("file store"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(content: &[u8]) -> impl Stream<Item = Result<Bytes, Error>> {
        futures::stream::iter(
            content
                .chunks(7)
                .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
                .collect::<Vec<_>>(),
        )
    }

    async fn content(store: &FileStore, sha256: &[u8]) -> Vec<u8> {
        let stream = store.read(sha256).await.expect("it was kept");
        let parts: Vec<_> = stream.map(|part| part.expect("readable")).collect().await;
        parts.concat()
    }

    #[tokio::test]
    async fn content_comes_back_by_its_digest() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::open(folder.path(), 100).expect("it opens");
        for _ in 0..2 {
            let received = store
                .receive(chunks(b"some legal statistics"))
                .await
                .expect("within the limit");
            store.keep(&received).await.expect("it is kept");
            assert_eq!(content(&store, &received.sha256).await, b"some legal statistics");
        }
    }

    #[tokio::test]
    async fn content_over_the_limit_is_refused_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::open(folder.path(), 20).expect("it opens");
        let Err(Error::Refusal(refusal)) = store.receive(chunks(&[0; 21])).await else {
            panic!("21 bytes were taken")
        };
        assert_eq!(refusal.reason, ErrorReason::FileTooLarge);
        let left = std::fs::read_dir(folder.path().join("received"))
            .map(|files| files.count())
            .unwrap_or_default();
        assert_eq!(left, 0);
    }
}
