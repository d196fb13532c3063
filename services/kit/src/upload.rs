//! Uploads: the first message carries a header, each one after it a chunk of the content.

use bytes::Bytes;
use futures::{Stream, StreamExt};
use legalstat_proto::common::v1::ErrorReason;
use prost::Message;
use sqlx::PgConnection;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    Call, Context, Error, FieldReason, Refusal, Violations,
    call::Done,
    door::wire,
    files::{Content, FileStore, Staged},
    partial::Resumed,
    write::{self, fingerprint},
};

/// How many bytes one chunk may have.
const MAX_CHUNK: usize = 1024 * 1024;
/// How many characters a file's name may have.
const MAX_FILENAME: usize = 255;
/// How many characters each half of a media type may have (RFC 6838, section 4.2).
const MAX_MEDIA_NAME: usize = 127;

/// What one message of an upload carries.
#[derive(Debug)]
pub enum Part<H> {
    /// What the upload is.
    Header(H),
    /// Some of its content.
    Chunk(Vec<u8>),
}

/// One message of an upload as it arrives; `None` carries nothing.
pub type Arriving<H> = Result<Option<Part<H>>, Status>;

/// The messages of an upload as they arrive.
pub fn arriving<M, H>(
    messages: impl Stream<Item = Result<M, Status>>,
    part: fn(M) -> Option<Part<H>>,
) -> impl Stream<Item = Arriving<H>> {
    messages.map(move |message| message.map(part))
}

/// The header, from the first message.
///
/// # Errors
/// A message that carries none.
pub fn header<H>(first: Option<Arriving<H>>) -> Result<H, Error> {
    match first.transpose().map_err(broken)?.flatten() {
        Some(Part::Header(header)) => Ok(header),
        Some(Part::Chunk(_)) | None => {
            Err(Violations::one("header", FieldReason::Required, "the first message carries the header").into())
        }
    }
}

/// Reads a required file name without folders.
fn filename(violations: &mut Violations, field: &str, given: &str) -> String {
    let name = violations.name(field, given, MAX_FILENAME);
    if name.contains(['/', '\\']) || name == "." || name == ".." {
        violations.add(field, FieldReason::Folder, "a file's name without folders");
    }
    name
}

/// Reads a required media type without parameters.
fn content_type(violations: &mut Violations, field: &str, given: &str) -> String {
    let media_type = violations.name(field, given, 2 * MAX_MEDIA_NAME + 1);
    let well_formed = media_type
        .split_once('/')
        .is_some_and(|(kind, name)| is_media_name(kind) && is_media_name(name));
    if !well_formed && !media_type.is_empty() {
        let description = "a media type without parameters, for example text/csv";
        violations.add(field, FieldReason::MediaType, description);
    }
    media_type
}

/// RFC 6838, section 4.2: a letter or digit, then letters, digits and `!#$&-^_.+`.
fn is_media_name(name: &str) -> bool {
    name.len() <= MAX_MEDIA_NAME
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
}

/// What the header of every upload says of the file.
#[derive(Clone, Debug)]
pub struct Header {
    /// The file's name without folders.
    pub filename: String,
    content_type: String,
    /// The digest that the content was announced with.
    pub sha256: Option<[u8; 32]>,
    /// Whether a digest was given, be it one or not.
    is_announced: bool,
    /// The caller's id for the upload.
    pub request_id: Uuid,
}

impl Header {
    /// Reads the fields that every header has, under these names.
    pub fn read(
        violations: &mut Violations,
        given_filename: &str,
        given_content_type: &str,
        sha256: &str,
        request_id: &str,
    ) -> Self {
        Self {
            filename: filename(violations, "header.filename", given_filename),
            content_type: content_type(violations, "header.content_type", given_content_type),
            sha256: violations.sha256("header.sha256", sha256),
            is_announced: !sha256.is_empty(),
            request_id: violations.request_id("header.request_id", request_id),
        }
    }
}

/// What a header says of an upload that goes on when it breaks off.
#[derive(Clone, Copy, Debug)]
pub struct Resuming {
    /// What has come of it is kept.
    pub resumable: bool,
    /// How many bytes the content has.
    pub size_bytes: i64,
    /// From which byte on it follows.
    pub offset: i64,
}

impl Resuming {
    /// Reads how an upload is resumed, if it may be. Its digest must be announced then; `whole` is the header of the whole upload, whichever
    /// part of it this call brings.
    pub fn read(
        self,
        violations: &mut Violations,
        call: &Call,
        header: &Header,
        whole: &impl Message,
    ) -> Option<Resumed> {
        if !self.resumable {
            if self.offset != 0 {
                let description = "only an upload that is `resumable` goes on from an offset";
                violations.add("header.offset", FieldReason::Conflict, description);
            }
            return None;
        }
        if !header.is_announced {
            let description = "required of an upload that is `resumable`";
            violations.add("header.sha256", FieldReason::Required, description);
        }
        let size = u64::try_from(self.size_bytes).ok().filter(|size| *size > 0);
        if size.is_none() {
            let description = "1 or more, for an upload that is `resumable`";
            violations.add("header.size_bytes", FieldReason::OutOfRange, description);
        }
        let offset = u64::try_from(self.offset).ok();
        let offset = offset.filter(|offset| size.is_none_or(|size| *offset <= size));
        if offset.is_none() {
            violations.add("header.offset", FieldReason::OutOfRange, "0 to the size of the content");
        }
        // Of its values, not of how they are spelled in this part of it.
        let sent = whole.encode_to_vec();
        let read = fingerprint::of_header(call.method, &sent).unwrap_or(sent);
        Some(Resumed {
            caller: call.caller.name.clone(),
            request_id: header.request_id,
            header_sha256: wire::sha256(&read),
            sha256: header.sha256?,
            size: size?,
            offset: offset?,
        })
    }
}

/// The digest of an upload that was answered before: where it was announced and the upload may be resumed, the content is not needed again.
///
/// # Errors
/// When the database fails.
pub async fn answered(
    context: &Context,
    call: &Call,
    header: &Header,
    resumed: Option<&Resumed>,
) -> Result<Option<[u8; 32]>, Error> {
    match header.sha256.filter(|_| resumed.is_some()) {
        Some(sha256) if write::was_answered(context, call, header.request_id).await? => Ok(Some(sha256)),
        _ => Ok(None),
    }
}

/// Refuses before the content is received what would be refused afterwards. A call that was answered before passes: its
/// answer does not depend on what has become of the resource, and only the whole body shows that it is the same call.
///
/// # Errors
/// What `check` refuses, or the database.
pub async fn refuse_early(
    context: &Context,
    call: &Call,
    header: &Header,
    check: impl AsyncFnOnce(&mut PgConnection) -> Result<(), Error>,
) -> Result<(), Error> {
    if write::was_answered(context, call, header.request_id).await? {
        return Ok(());
    }
    check(&mut *context.db.connection().await?).await
}

/// Sends content to the bucket, if it is kept in one, before the transaction that keeps it. That of a call that was answered before is
/// not sent, for it keeps nothing: what was erased does not come back.
///
/// # Errors
/// When the database or the store fails.
pub async fn send(context: &Context, call: &Call, header: &Header, staged: &Staged) -> Result<(), Error> {
    if !staged.goes_to_bucket() || write::was_answered(context, call, header.request_id).await? {
        return Ok(());
    }
    staged.send().await
}

/// Receives the content from the messages after the first. It must not be empty, and must have the digest that was
/// announced, when one was.
///
/// # Errors
/// Chunks that are no chunks, content over the limit or not as announced, or a line that was cut; then nothing stays.
pub async fn receive<H>(
    files: &FileStore,
    messages: impl Stream<Item = Arriving<H>>,
    header: &Header,
) -> Result<Staged, Error> {
    let staged = files.receive(messages.map(chunk)).await?;
    check(&staged, header.sha256)?;
    Ok(staged)
}

/// Receives what follows of an upload that may be resumed.
///
/// # Errors
/// As [`receive`] and [`FileStore::resume`]; what has come stays when the line was cut.
pub async fn resume<H>(
    files: &FileStore,
    messages: impl Stream<Item = Arriving<H>>,
    resumed: &Resumed,
) -> Result<Staged, Error> {
    files.resume(resumed, messages.map(chunk)).await
}

impl Staged {
    /// What to record of the content that a header announced.
    ///
    /// # Errors
    /// Never: no file has so many bytes.
    pub fn content(&self, header: &Header, uploaded: Done) -> Result<Content, Error> {
        Ok(Content {
            filename: header.filename.clone(),
            content_type: header.content_type.clone(),
            size_bytes: i64::try_from(self.size).map_err(anyhow::Error::new)?,
            sha256: self.sha256.to_vec(),
            uploaded,
        })
    }
}

/// The content that a message after the first carries.
///
/// # Errors
/// A message that is no chunk of 1 byte to 1 MiB, or a line that was cut.
pub fn chunk<H>(message: Arriving<H>) -> Result<Bytes, Error> {
    let violation = match message.map_err(broken)? {
        Some(Part::Chunk(chunk)) if (1..=MAX_CHUNK).contains(&chunk.len()) => return Ok(Bytes::from(chunk)),
        Some(Part::Chunk(_)) => wrong_size(),
        Some(Part::Header(_)) => Violations::one(
            "header",
            FieldReason::Repeated,
            "the header comes once, in the first message",
        ),
        None => Violations::one(
            "chunk",
            FieldReason::Required,
            "each message after the first carries a chunk",
        ),
    };
    Err(violation.into())
}

fn check(received: &Staged, announced: Option<[u8; 32]>) -> Result<(), Refusal> {
    if received.size == 0 {
        return Err(Violations::one("chunk", FieldReason::Required, "the content is empty"));
    }
    if announced.is_some_and(|announced| announced != received.sha256) {
        let message = "the content does not have the digest given in the header; nothing was changed";
        return Err(Refusal::new(
            Code::InvalidArgument,
            ErrorReason::DigestMismatch,
            message,
        ));
    }
    Ok(())
}

/// Finds out why a stream ended with an error: a message is unreadable, or the connection was cut.
pub fn broken(status: Status) -> Refusal {
    match status.code() {
        Code::OutOfRange | Code::InvalidArgument => wrong_size(),
        // What the services refuse has details. tonic says it without of a message that inflates to more than it may have.
        Code::ResourceExhausted if status.details().is_empty() => wrong_size(),
        Code::Internal => Violations::one(
            "chunk",
            FieldReason::Unreadable,
            "a message of the upload could not be read",
        ),
        Code::DeadlineExceeded => Refusal::new(
            Code::DeadlineExceeded,
            ErrorReason::DeadlineExceeded,
            "the upload stopped before its end; nothing was changed",
        ),
        Code::ResourceExhausted => Refusal::overloaded("messages under way take all the memory there is for them"),
        _ => Refusal::unavailable("the upload broke off; nothing was changed"),
    }
}

fn wrong_size() -> Refusal {
    Violations::one("chunk", FieldReason::Size, "1 byte to 1 MiB")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reasons(check: impl FnOnce(&mut Violations) -> String) -> Vec<FieldReason> {
        let mut violations = Violations::new();
        check(&mut violations);
        let found = violations.refuse().err().into_iter();
        found
            .flat_map(|refusal| refusal.violations)
            .map(|violation| violation.reason)
            .collect()
    }

    #[test]
    fn a_filename_has_no_folders_and_no_control_characters() {
        let filename = |name: &str| reasons(|v| filename(v, "filename", name));
        assert!(filename("Форма 1-М за январь.csv").is_empty());
        for (name, expected) in [
            ("", &[FieldReason::Required][..]),
            ("a/b.csv", &[FieldReason::Folder]),
            ("a\\b.csv", &[FieldReason::Folder]),
            ("..", &[FieldReason::Folder]),
            ("a\nb.csv", &[FieldReason::InvalidCharacter]),
            ("a\0b.csv", &[FieldReason::InvalidCharacter]),
            ("a/\u{7f}b", &[FieldReason::InvalidCharacter, FieldReason::Folder]),
        ] {
            assert_eq!(filename(name), expected, "{name:?}");
        }
        assert_eq!(filename(&"ж".repeat(256)), [FieldReason::TooLong]);
        assert!(filename(&"ж".repeat(255)).is_empty());
    }

    #[test]
    fn a_content_type_is_a_media_type_without_parameters() {
        let content_type = |text: &str| reasons(|v| content_type(v, "content_type", text));
        for good in ["text/csv", "application/vnd.ms-excel", "image/svg+xml"] {
            assert!(content_type(good).is_empty(), "{good}");
        }
        for bad in [
            "csv",
            "text/",
            "/csv",
            "text/csv; charset=utf-8",
            "text/csv/x",
            "text/.csv",
            "te xt/csv",
            "text/цсв",
        ] {
            assert_eq!(content_type(bad), [FieldReason::MediaType], "{bad}");
        }
    }

    #[test]
    fn a_message_out_of_its_place_is_a_violation() {
        let reason = |part: Option<Part<()>>| match chunk(Ok(part)) {
            Err(Error::Refusal(refusal)) => refusal.violations[0].reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(None), FieldReason::Required);
        assert_eq!(reason(Some(Part::Chunk(Vec::new()))), FieldReason::Size);
        assert_eq!(reason(Some(Part::Chunk(vec![0; MAX_CHUNK + 1]))), FieldReason::Size);
        assert_eq!(reason(Some(Part::Header(()))), FieldReason::Repeated);
        assert!(chunk::<()>(Ok(Some(Part::Chunk(vec![0; MAX_CHUNK])))).is_ok());

        assert!(header(Some(Ok(Some(Part::Header(()))))).is_ok());
        for first in [None, Some(Ok(None)), Some(Ok(Some(Part::Chunk(vec![0]))))] {
            assert!(header::<()>(first).is_err());
        }
    }

    #[test]
    fn a_line_that_was_cut_is_told_from_a_message_that_cannot_be_read() {
        for (code, reason) in [
            (Code::OutOfRange, ErrorReason::InvalidFields),
            (Code::Internal, ErrorReason::InvalidFields),
            (Code::Unknown, ErrorReason::DependencyUnavailable),
            (Code::Cancelled, ErrorReason::DependencyUnavailable),
        ] {
            assert_eq!(broken(Status::new(code, "")).reason, reason, "{code:?}");
        }
    }

    #[test]
    fn a_chunk_that_inflates_to_too_much_is_told_from_an_overload() {
        let of_tonic = broken(Status::resource_exhausted("it inflates to more than 4 MiB"));
        assert_eq!(of_tonic.reason, ErrorReason::InvalidFields);
        assert!(of_tonic.retry_after.is_none());
        let overloaded = broken(Refusal::overloaded("no memory is left").into());
        assert_eq!(overloaded.reason, ErrorReason::Overloaded);
        assert!(overloaded.retry_after.is_some());
    }

    proptest! {
        #[test]
        fn no_header_text_panics(name in any::<String>(), media_type in any::<String>()) {
            let mut violations = Violations::new();
            filename(&mut violations, "filename", &name);
            content_type(&mut violations, "content_type", &media_type);
        }
    }
}
