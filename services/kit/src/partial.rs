//! Uploads that may be resumed: what has come of one that broke off stays under its `request_id` for a time. The name of each
//! file says whose upload it is, of which header, and how long it will be, so that replicas that share the folder need nothing
//! else to go on; a lock on the file says that somebody is sending it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write as _},
    path::{Path as FilePath, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use jiff::Timestamp;
use legalstat_proto::common::v1::ErrorReason;
use object_store::path::Path;
use sha2::{Digest, Sha256};
use tokio::task::{JoinError, JoinHandle};
use tonic::Code;
use uuid::Uuid;

use crate::{Context, Error, FieldReason, Refusal, Violations, door::wire, job, repeated};

/// The folder of what waits for its rest.
const FOLDER: &str = "partial";
/// How many uploads of one caller may wait for their rest.
const OF_CALLER: usize = 8;
/// How many of all callers.
const IN_ALL: usize = 64;
/// How many bytes are hashed and written at once.
const BLOCK: usize = 1024 * 1024;
/// How often what is over its time is looked for, or more often where that time is shorter.
const SWEEPING: Duration = Duration::from_secs(60);

/// How long and how much of broken uploads is kept.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long one waits for its rest since something came last.
    pub kept: Duration,
    /// How many bytes all of them may come to when they are whole.
    pub bytes: u64,
}

/// An upload that may be resumed, as its header says.
#[derive(Clone, Debug)]
pub struct Resumed {
    /// Who sends it.
    pub caller: String,
    /// Under which id.
    pub request_id: Uuid,
    /// What tells this header from another under the same id.
    pub header_sha256: [u8; 32],
    /// The digest that the content was announced with.
    pub sha256: [u8; 32],
    /// How many bytes it will have.
    pub size: u64,
    /// From which byte on it is sent now.
    pub offset: u64,
}

/// What has come of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// How many bytes.
    pub received: u64,
    /// How many it will have.
    pub size: u64,
    /// When it is dropped unless more comes.
    pub expires: Timestamp,
}

/// The folder of the uploads that wait for their rest.
#[derive(Clone)]
pub(crate) struct Partials {
    folder: PathBuf,
    bounds: Bounds,
}

/// The name of a file: caller, id, header and size.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    caller: String,
    request_id: Uuid,
    header: String,
    size: u64,
}

impl Name {
    fn of(resumed: &Resumed) -> Self {
        Self {
            caller: caller(&resumed.caller),
            request_id: resumed.request_id,
            header: hex::encode(&resumed.header_sha256[..16]),
            size: resumed.size,
        }
    }

    fn read(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.split('.').collect();
        let [caller, request_id, header, size] = parts[..] else {
            return None;
        };
        Some(Self {
            caller: caller.to_owned(),
            request_id: request_id.parse().ok()?,
            header: header.to_owned(),
            size: size.parse().ok()?,
        })
    }

    fn write(&self) -> String {
        format!("{}.{}.{}.{}", self.caller, self.request_id, self.header, self.size)
    }
}

fn caller(name: &str) -> String {
    hex::encode(&wire::sha256(name.as_bytes())[..16])
}

impl Partials {
    pub(crate) fn open(files: &FilePath, bounds: Bounds) -> anyhow::Result<Self> {
        let folder = files.join(FOLDER);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(Self { folder, bounds })
    }

    pub(crate) fn sweep_from_time_to_time(&self, context: &Context) {
        let (partials, pause) = (self.clone(), SWEEPING.min(self.bounds.kept));
        job::repeat(context, "dropping uploads that nobody resumes", pause, move || {
            let partials = partials.clone();
            async move { Ok(tokio::task::spawn_blocking(move || partials.sweep()).await??) }
        });
    }

    /// Removes what is over its time and what nobody is sending.
    fn sweep(&self) -> io::Result<()> {
        for file in fs::read_dir(&self.folder)?.flatten() {
            let changed = file.metadata().and_then(|data| data.modified())?;
            let is_over = changed.elapsed().is_ok_and(|age| age > self.bounds.kept);
            if is_over && File::open(file.path()).is_ok_and(|held| held.try_lock().is_ok()) {
                fs::remove_file(file.path())?;
            }
        }
        Ok(())
    }

    fn names(&self) -> io::Result<Vec<Name>> {
        let files = fs::read_dir(&self.folder)?.flatten();
        Ok(files
            .filter_map(|file| Name::read(&file.file_name().to_string_lossy()))
            .collect())
    }

    pub(crate) async fn find(&self, of: &str, request_id: Uuid) -> Result<Option<Partial>, Error> {
        let (partials, caller) = (self.clone(), caller(of));
        blocking(move || {
            let is_it = |name: &Name| name.caller == caller && name.request_id == request_id;
            let Some(name) = partials.names()?.into_iter().find(is_it) else {
                return Ok(None);
            };
            let data = match fs::metadata(partials.folder.join(name.write())) {
                Ok(data) => data,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            let expires: SystemTime = data.modified()? + partials.bounds.kept;
            Ok(Some(Partial {
                received: data.len(),
                size: name.size,
                expires: wire::whole_microseconds(Timestamp::try_from(expires).unwrap_or(Timestamp::MAX)),
            }))
        })
        .await
    }

    /// Receives what follows, and answers once the content is whole and what was announced.
    pub(crate) async fn receive(
        &self,
        resumed: &Resumed,
        chunks: impl Stream<Item = Result<Bytes, Error>>,
    ) -> Result<Held, Error> {
        let (partials, wanted) = (self.clone(), resumed.clone());
        let mut held = blocking(move || partials.take(&wanted)).await??;
        let came = held.copy(chunks, resumed.size).await;
        held.flush().await?;
        came?;
        if held.length < resumed.size {
            return Err(incomplete(held.length, resumed.size).into());
        }
        let digest: [u8; 32] = held.digest.clone().finalize().into();
        if digest != resumed.sha256 {
            held.remove();
            let message = "the content does not have the digest given in the header; what had come of it is dropped";
            return Err(Refusal::new(Code::InvalidArgument, ErrorReason::DigestMismatch, message).into());
        }
        let file = held.file.clone();
        blocking(move || file.sync_all()).await?;
        Ok(held)
    }

    /// Takes the file of an upload for this call alone, and hashes what is there.
    fn take(&self, resumed: &Resumed) -> io::Result<Result<Held, Refusal>> {
        let name = Name::of(resumed);
        let path = self.folder.join(name.write());
        if !path.exists()
            && let Err(refusal) = self.room_for(&name)?
        {
            return Ok(Err(refusal));
        }
        let file = loop {
            let file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
            if file.try_lock().is_err() {
                let message = "another call is sending this upload";
                return Ok(Err(Refusal::unavailable(message)));
            }
            // It may have been over its time just before it was locked.
            if path.exists() {
                break file;
            }
        };
        let length = file.metadata()?.len();
        if length != resumed.offset {
            if length == 0 {
                fs::remove_file(&path)?;
            }
            return Ok(Err(other_offset(length)));
        }
        let (mut digest, mut block, mut reader) = (Sha256::new(), vec![0; BLOCK], &file);
        loop {
            match reader.read(&mut block)? {
                0 => break,
                read => digest.update(&block[..read]),
            }
        }
        Ok(Ok(Held {
            file: Arc::new(file),
            path,
            digest,
            length,
            buffer: Vec::new(),
            writing: None,
            spare: Vec::new(),
        }))
    }

    /// Whether one more upload may wait for its rest.
    fn room_for(&self, new: &Name) -> io::Result<Result<(), Refusal>> {
        let mut others = self.names()?;
        let is_same = |name: &Name| name.caller == new.caller && name.request_id == new.request_id;
        if others.iter().any(is_same) {
            let message = "this request_id was already used for an upload with another header";
            return Ok(Err(Refusal::new(
                Code::InvalidArgument,
                ErrorReason::RequestIdReused,
                message,
            )));
        }
        let bytes: u64 = others.iter().map(|name| name.size).sum();
        let count = others.len();
        others.retain(|name| name.caller == new.caller);
        let is_full = count >= IN_ALL || others.len() >= OF_CALLER || bytes + new.size > self.bounds.bytes;
        let message = "more uploads wait for their rest than are kept; finish one, or upload without resuming";
        Ok(if is_full {
            Err(Refusal::overloaded(message))
        } else {
            Ok(())
        })
    }
}

fn other_offset(length: u64) -> Refusal {
    let description = format!("{length} bytes have come; go on from there");
    Violations::one("header.offset", FieldReason::OutOfRange, &description).with("received_bytes", &length.to_string())
}

fn incomplete(length: u64, size: u64) -> Refusal {
    let message = format!("{length} of {size} bytes have come; go on from there with the same request_id");
    let refusal = Refusal::new(Code::FailedPrecondition, ErrorReason::UploadIncomplete, message);
    refusal.with("received_bytes", &length.to_string())
}

/// The digest so far and the buffer, back from writing a block.
type Written = io::Result<(Sha256, Vec<u8>)>;

/// The file of an upload that this call alone writes. Dropped, it stays as far as it has come.
pub(crate) struct Held {
    file: Arc<File>,
    path: PathBuf,
    digest: Sha256,
    length: u64,
    buffer: Vec<u8>,
    /// The block before, hashed and written while the buffer fills.
    writing: Option<JoinHandle<Written>>,
    /// Takes turns with the buffer.
    spare: Vec<u8>,
}

impl Held {
    /// Where it stands in the store.
    pub(crate) fn place(&self) -> Path {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        Path::from(format!("{FOLDER}/{name}"))
    }

    async fn copy(&mut self, chunks: impl Stream<Item = Result<Bytes, Error>>, size: u64) -> Result<(), Error> {
        let mut chunks = std::pin::pin!(chunks);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            if self.length + self.buffer.len() as u64 + chunk.len() as u64 > size {
                let description = "the content has more bytes than the header says";
                return Err(Violations::one("header.size_bytes", FieldReason::OutOfRange, description).into());
            }
            self.buffer.extend_from_slice(&chunk);
            if self.buffer.len() >= BLOCK {
                self.write().await?;
            }
        }
        Ok(())
    }

    /// Hashes and writes what is buffered, to its end.
    async fn flush(&mut self) -> Result<(), Error> {
        self.write().await?;
        self.written().await
    }

    /// Begins to hash and write what is buffered, once the block before is written. It goes on though nobody waits for it.
    async fn write(&mut self) -> Result<(), Error> {
        self.written().await?;
        let (file, mut digest) = (self.file.clone(), self.digest.clone());
        let mut block = std::mem::replace(&mut self.buffer, std::mem::take(&mut self.spare));
        self.length += block.len() as u64;
        self.writing = Some(tokio::task::spawn_blocking(move || {
            (&*file).write_all(&block)?;
            digest.update(&block);
            block.clear();
            Ok((digest, block))
        }));
        Ok(())
    }

    /// Waits for the block that is being written, if one is.
    async fn written(&mut self) -> Result<(), Error> {
        let Some(writing) = self.writing.take() else {
            return Ok(());
        };
        let written = done(writing.await);
        if written.is_err() {
            // What came after a block that is not there must not take its place.
            self.buffer.clear();
        }
        (self.digest, self.spare) = written?;
        Ok(())
    }

    fn remove(&self) {
        if let Err(error) = fs::remove_file(&self.path)
            && let Some(unlogged) =
                repeated::to_log(&format!("an upload that was refused could not be removed: {error}"))
        {
            tracing::warn!(%error, unlogged, "an upload that was refused could not be removed");
        }
    }
}

/// What the file system says where a file is used without the store.
pub(crate) fn unreadable(error: io::Error) -> Error {
    anyhow::Error::new(error).context("file store").into()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, Error> {
    done(tokio::task::spawn_blocking(work).await)
}

fn done<T>(worked: Result<io::Result<T>, JoinError>) -> Result<T, Error> {
    worked.map_err(anyhow::Error::new)?.map_err(unreadable)
}

#[cfg(test)]
#[path = "partial_tests.rs"]
mod tests;
