//! Files by content: what is stored is found by its SHA-256 and never changes. It is received in a folder, and kept there or in a bucket.

use std::{
    fs::File,
    io,
    ops::Range,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream::BoxStream};
use legalstat_proto::common::v1::ErrorReason;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart, local::LocalFileSystem, path::Path};
use sha2::{Digest, Sha256};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::Code;

use crate::{
    Context, Error, Process, Refusal,
    bucket::{self, Bucket},
    call::Done,
    partial::{self, Bounds, Partial, Partials, Resumed, unreadable},
    received::Received,
    repeated,
};

/// How many bytes are sent in one message of a download.
pub const CHUNK: usize = 64 * 1024;
/// The folder in which each service that keeps its files here leaves its name.
const USERS: &str = "services";
/// The folder of the content.
const CONTENT: &str = "sha256";
/// How many bytes are written or read at once.
const PART: usize = 1024 * 1024;

/// The digests of contents.
pub type Digests = BoxStream<'static, Result<[u8; 32], Error>>;

/// Where a service keeps its files.
#[derive(Clone)]
pub struct FileStore {
    store: Arc<dyn ObjectStore>,
    folder: PathBuf,
    /// Where finished content is kept in place of the folder, where one is set.
    bucket: Option<Bucket>,
    received: Received,
    /// Where uploads that may be resumed are received; none where no upload may.
    partials: Option<Partials>,
    limit: u64,
    tasks: TaskTracker,
}

/// What a file is, as it is recorded and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The file's name without folders.
    pub filename: String,
    /// Its media type.
    pub content_type: String,
    /// Its size in bytes, 1 or more.
    pub size_bytes: i64,
    /// SHA-256 of it.
    pub sha256: Vec<u8>,
    /// Its upload.
    pub uploaded: Done,
}

impl Content {
    /// Whether an upload of the other by the same person leaves everything as it is.
    pub fn is_repeated_by(&self, other: &Self) -> bool {
        let same_file = self.sha256 == other.sha256 && self.filename == other.filename;
        same_file && self.content_type == other.content_type && self.uploaded.by == other.uploaded.by
    }
}

/// Received content under a name of its own. It is deleted with this value unless it was kept: after a refusal, a replay,
/// or when the caller hangs up. Content whose upload may be resumed stays for its time, unless it is discarded.
pub struct Staged {
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
    /// Its size in bytes.
    pub size: u64,
    place: Path,
    files: FileStore,
    kept: bool,
    /// The file of an upload that may be resumed, which nobody else takes while this holds it.
    resumable: Option<partial::Held>,
}

impl Staged {
    /// Keeps the content under its digest. Keeping the same content twice changes nothing.
    ///
    /// # Errors
    /// When the store fails; then the content is deleted, unless its upload may be resumed and it was to be kept in a bucket.
    pub async fn keep(mut self) -> Result<(), Error> {
        if self.goes_to_bucket() {
            self.send().await?;
            // The bucket has it: what was received goes with this value.
            self.resumable = None;
            return Ok(());
        }
        let kept = place(&self.sha256);
        self.files.store.rename(&self.place, &kept).await.map_err(failed)?;
        self.kept = true;
        Ok(())
    }

    /// Whether it is kept in a bucket.
    pub(crate) fn goes_to_bucket(&self) -> bool {
        self.files.bucket.is_some()
    }

    /// Sends the content to the bucket, unless it is there: before a transaction, so that none waits for more than the answer that it is.
    /// It is still nobody's until it is kept. Where there is no bucket nothing happens.
    ///
    /// # Errors
    /// When the store fails; then the content is deleted, unless its upload may be resumed.
    pub(crate) async fn send(&self) -> Result<(), Error> {
        let (kept, from, size) = (place(&self.sha256), self.place.clone(), self.size);
        let Some(bucket) = self.files.bucket.clone() else {
            return Ok(());
        };
        if bucket.has(&kept, size).await.map_err(failed)? {
            return Ok(());
        }
        let (turn, folder) = (bucket.turn().await, Arc::clone(&self.files.store));
        // In a task: broken off, parts would stay in the bucket. When the caller hangs up, it ends after the part that is on its way.
        let given_up = CancellationToken::new();
        let _waiting = given_up.clone().drop_guard();
        let sent = self.files.tasks.spawn(async move {
            let _turn = turn;
            bucket.send(&*folder, (&from, size), &kept, &given_up).await
        });
        sent.await.map_err(anyhow::Error::new)?.map_err(failed)
    }

    /// Deletes the content, also that of an upload that might be resumed: it was refused for what it is.
    pub fn discard(mut self) {
        self.resumable = None;
    }

    /// Looks into the content, in a thread where reading may take its time.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn examine<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut File) -> io::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let path = self.files.folder.join(self.place.as_ref());
        let looked = tokio::task::spawn_blocking(move || look(&mut File::open(path)?));
        looked.await.map_err(anyhow::Error::new)?.map_err(unreadable)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.kept || self.resumable.is_some() {
            return;
        }
        let (files, place) = (self.files.clone(), self.place.clone());
        self.files.tasks.spawn(async move { files.delete(&place).await });
    }
}

impl FileStore {
    /// Opens a folder of a service, made if it is not there; files may have at most `limit` bytes.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn open(context: &Context, service: &str, folder: &FilePath, limit: u64) -> anyhow::Result<Self> {
        let opened = Self::open_for(&context.tasks, folder, limit)?;
        std::fs::create_dir_all(folder.join(USERS).join(service))?;
        Ok(opened)
    }

    /// The same store, where uploads may be resumed within these bounds.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn resuming(mut self, context: &Context, bounds: Bounds) -> anyhow::Result<Self> {
        let partials = Partials::open(&self.folder, bounds)?;
        partials.sweep_from_time_to_time(context);
        self.partials = Some(partials);
        Ok(self)
    }

    /// The same store, where finished content is kept in a bucket, if one is set. Its key and its authority are taken up again whenever their
    /// files change.
    ///
    /// # Errors
    /// A bucket that is not there or refuses its key, and a certificate of its authority that cannot be used.
    pub async fn keeping(
        mut self,
        process: &Process,
        service: &'static str,
        bucket: Option<&bucket::Settings>,
    ) -> anyhow::Result<Self> {
        if let Some(settings) = bucket {
            let bucket = Bucket::open(settings, service).await?;
            bucket.follow(process, settings, service)?;
            self.bucket = Some(bucket);
        }
        Ok(self)
    }

    /// The store of finished content.
    fn kept(&self) -> Arc<dyn ObjectStore> {
        let of_bucket = self.bucket.as_ref().map(Bucket::store);
        of_bucket.unwrap_or_else(|| Arc::clone(&self.store))
    }

    fn open_for(tasks: &TaskTracker, folder: &FilePath, limit: u64) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        // What is not released yet is nobody else's to read.
        std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        let received = Received::open(folder)?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            folder: folder.to_owned(),
            bucket: None,
            received,
            partials: None,
            limit,
            tasks: tasks.clone(),
        })
    }

    /// Receives content chunk by chunk. It is nobody's until [`Staged::keep`] is called.
    ///
    /// # Errors
    /// FILE_TOO_LARGE as soon as the limit is passed, or what the chunks' sender fails with; then nothing stays.
    pub async fn receive(&self, chunks: impl Stream<Item = Result<Bytes, Error>>) -> Result<Staged, Error> {
        let place = self.received.place();
        let upload = self.store.put_multipart(&place).await.map_err(failed)?;
        // Until it is finished, the writer deletes what it wrote when it is dropped.
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PART);
        let received = self.copy(chunks, &mut writer).await;
        let files = self.clone();
        // In a task: half finished, the content would stay. If the caller has hung up by the end, the result is dropped.
        let ended = self.tasks.spawn(async move {
            let finished = match received {
                Ok(received) => writer.finish().await.map_err(failed).map(|_| received),
                Err(error) => {
                    // Why it broke off is told, whether the writer could clear up or not: what it left is removed below.
                    writer.abort().await.ok();
                    Err(error)
                }
            };
            match finished {
                Ok((sha256, size)) => Ok(Staged {
                    sha256,
                    size,
                    place,
                    files,
                    kept: false,
                    resumable: None,
                }),
                Err(error) => {
                    // What the writer wrote stays when the disk fails at its end.
                    files.received.remove(&place).await;
                    Err(error)
                }
            }
        });
        ended.await.map_err(anyhow::Error::new)?
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
            writer.wait_for_capacity(2).await.map_err(failed)?;
            writer.put(chunk);
        }
        Ok((digest.finalize().into(), size))
    }

    /// Receives what follows of an upload that may be resumed. What has come stays when it breaks off.
    ///
    /// # Errors
    /// As [`receive`](Self::receive); UPLOAD_INCOMPLETE when the chunks end before the content does, RESOURCE_EXHAUSTED when
    /// more uploads wait for their rest than may.
    pub async fn resume(
        &self,
        resumed: &Resumed,
        chunks: impl Stream<Item = Result<Bytes, Error>>,
    ) -> Result<Staged, Error> {
        if resumed.size > self.limit {
            return Err(self.too_large().into());
        }
        let held = self.partials()?.receive(resumed, chunks).await?;
        Ok(Staged {
            sha256: resumed.sha256,
            size: resumed.size,
            place: held.place(),
            files: self.clone(),
            kept: false,
            resumable: Some(held),
        })
    }

    /// What has come of an upload that broke off.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn partial(&self, caller: &str, request_id: uuid::Uuid) -> Result<Option<Partial>, Error> {
        self.partials()?.find(caller, request_id).await
    }

    fn partials(&self) -> Result<&Partials, Error> {
        let partials = self.partials.as_ref();
        Ok(partials.ok_or_else(|| anyhow::anyhow!("no upload may be resumed in this store"))?)
    }

    fn too_large(&self) -> Refusal {
        let message = format!("the file is over the limit of {} bytes", self.limit);
        Refusal::new(Code::InvalidArgument, ErrorReason::FileTooLarge, message)
            .with("limit_bytes", &self.limit.to_string())
    }

    async fn delete(&self, place: &Path) {
        match self.store.delete(place).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => {
                if let Some(unlogged) = repeated::to_log(&format!("received content could not be deleted: {error}")) {
                    tracing::warn!(%error, unlogged, "received content could not be deleted");
                }
            }
        }
    }

    /// Removes content that nothing needs any more; what is not there stays so.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove(&self, sha256: &[u8]) -> Result<(), Error> {
        let place = place(sha256);
        let removed = match &self.bucket {
            Some(bucket) => bucket.delete(&place).await,
            None => self.store.delete(&place).await,
        };
        match removed {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// The digests of all content, in no order. None when other services keep their files in the same place too, for whose files nobody
    /// here can speak; in a bucket each has its own.
    ///
    /// # Errors
    /// When the folder cannot be read; of the stream, when the store fails.
    pub fn digests(&self) -> io::Result<Option<Digests>> {
        if self.bucket.is_none() && std::fs::read_dir(self.folder.join(USERS))?.count() > 1 {
            return Ok(None);
        }
        let listed = self.kept().list(Some(&Path::from(CONTENT)));
        let digests = listed.filter_map(|file| async {
            match file {
                Ok(file) => digest(&file.location).map(Ok),
                Err(error) => Some(Err(failed(error))),
            }
        });
        Ok(Some(digests.boxed()))
    }

    /// The folder that is there as long as the disk with the files is; none where they are in a bucket.
    fn users(&self) -> Option<PathBuf> {
        self.bucket.is_none().then(|| self.folder.join(USERS))
    }

    /// Reads content by its digest.
    ///
    /// # Errors
    /// When it is not there or the store fails.
    pub async fn read(&self, sha256: &[u8]) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let place = place(sha256);
        let size = match &self.bucket {
            Some(bucket) => bucket.head(&place).await,
            None => self.store.head(&place).await.map(|found| found.size),
        };
        match size {
            Ok(size) => Ok(self.read_range(sha256, 0..size)),
            Err(error) => Err(unread(error, self.users().as_deref()).await),
        }
    }

    /// Reads a part of content by its digest; the part lies within it. One block is read ahead, so that memory stays flat
    /// however slow the reader is.
    pub fn read_range(&self, sha256: &[u8], range: Range<u64>) -> BoxStream<'static, Result<Bytes, Error>> {
        let (store, place, users) = (self.kept(), place(sha256), self.users());
        let blocks = range.clone().step_by(PART);
        let read = blocks.map(move |from| {
            let (store, place, users) = (store.clone(), place.clone(), users.clone());
            let block = from..range.end.min(from + PART as u64);
            async move {
                match store.get_range(&place, block).await {
                    Ok(read) => Ok(read),
                    Err(error) => Err(unread(error, users.as_deref()).await),
                }
            }
        });
        futures::stream::iter(read).buffered(2).flat_map(split).boxed()
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
    Path::from(format!("{CONTENT}/{}/{name}", &name[..2]))
}

/// The digest of the content at a place; none of a file that is no content.
fn digest(at: &Path) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    hex::decode_to_slice(at.filename()?, &mut digest).ok()?;
    (place(&digest) == *at).then_some(digest)
}

/// Why content could not be read. What is missing together with all else is not gone: the disk is away, and that passes.
async fn unread(error: object_store::Error, users: Option<&FilePath>) -> Error {
    let is_missing = matches!(error, object_store::Error::NotFound { .. });
    match users {
        Some(users) if is_missing && tokio::fs::metadata(users).await.is_err() => {
            let away = io::Error::other("the folder of the files is away");
            anyhow::Error::new(away).context("file store").into()
        }
        _ => failed(error),
    }
}

fn failed(error: object_store::Error) -> Error {
    anyhow::Error::new(bucket::guarded(error)).context("file store").into()
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
