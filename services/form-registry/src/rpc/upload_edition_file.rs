//! UploadEditionFile.

use bytes::Bytes;
use jiff::Timestamp;
use legalstat_kit::{
    Call, Context, Error, Violations,
    files::{FileStore, Received},
    wire,
    write::{self, Begun, Mutation},
};
use legalstat_proto::forms::v1::{
    Edition, UploadEditionFileHeader, UploadEditionFileRequest, upload_edition_file_request::Part,
};
use prost::Message;
use sqlx::PgConnection;
use tokio_stream::StreamExt;
use tonic::{Code, Request, Status, Streaming};
use uuid::Uuid;

use super::{FormRegistry, convert, door};
use crate::{
    db,
    domain::edition::{EditionFile, EditionKey},
    error::FormsError,
};

/// How many bytes one chunk may have.
const MAX_CHUNK: usize = 1024 * 1024;
/// How many characters each half of a media type may have (RFC 6838, section 4.2).
const MAX_MEDIA_NAME: usize = 127;

/// A header without violations.
struct Upload {
    key: EditionKey,
    filename: String,
    content_type: String,
    sha256: Option<[u8; 32]>,
    request_id: Uuid,
    validate_only: bool,
}

/// Received content that is dropped with this value unless it was kept: after a refusal, a replay, or when the caller
/// hangs up.
struct Staged<'a> {
    context: &'a Context,
    files: &'a FileStore,
    received: Option<Received>,
}

impl Staged<'_> {
    fn received(&self) -> &Received {
        self.received
            .as_ref()
            .expect("only keep takes it away, and keep ends this value")
    }

    async fn keep(mut self) -> Result<(), Error> {
        self.files.keep(self.received()).await?;
        self.received = None;
        Ok(())
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if let Some(received) = self.received.take() {
            let files = self.files.clone();
            self.context.tasks.spawn(async move { files.discard(&received).await });
        }
    }
}

pub(super) async fn upload_edition_file(
    registry: &FormRegistry,
    request: Request<Streaming<UploadEditionFileRequest>>,
) -> Result<Edition, Error> {
    let call = Call::of(&request);
    let mut messages = request.into_inner();
    let header = header(messages.next().await)?;
    let upload = read(registry, &header).await?;
    refuse_early(registry, &call, &upload).await?;
    let received = registry
        .files
        .receive(messages.map(chunk))
        .await
        .map_err(|error| door::about(error, Some(upload.key)))?;
    let staged = Staged {
        context: &registry.context,
        files: &registry.files,
        received: Some(received),
    };
    check_content(&upload, staged.received())?;

    let sha256 = staged.received().sha256;
    let mutation = Mutation {
        call: &call,
        request_id: upload.request_id,
        validate_only: upload.validate_only,
        body_sha256: wire::sha256(&[header.encode_to_vec(), sha256.to_vec()].concat()),
    };
    let mut write = match write::begin::<Edition>(&registry.context, &mutation).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Claimed(write) => write,
    };
    registry.schedule.require()?;
    let (now, size) = (write.now(), staged.received().size);
    let file = upload.file(size, sha256, now)?;
    prepare(write.connection(), upload.key, &file, &call.caller.name, now).await?;
    let edition = door::find(write.connection(), upload.key).await?;
    if !upload.validate_only {
        staged.keep().await?;
    }
    write
        .commit(
            &upload.key.to_string(),
            "edition.prepared",
            convert::to_edition(edition, now),
        )
        .await
}

async fn prepare(
    connection: &mut PgConnection,
    key: EditionKey,
    file: &EditionFile,
    caller: &str,
    now: Timestamp,
) -> Result<(), Error> {
    db::edition::lock(connection, key).await?;
    let edition = door::find(&mut *connection, key).await?;
    edition
        .accepts_file(now)
        .map_err(|obstacle| FormsError::Obstacle(key, obstacle))?;
    Ok(db::edition::replace_file(connection, key, file, caller).await?)
}

impl Upload {
    fn file(&self, size: u64, sha256: [u8; 32], uploaded_at: Timestamp) -> Result<EditionFile, Error> {
        Ok(EditionFile {
            filename: self.filename.clone(),
            content_type: self.content_type.clone(),
            size_bytes: i64::try_from(size).map_err(anyhow::Error::new)?,
            sha256: sha256.to_vec(),
            uploaded_at,
        })
    }
}

fn header(first: Option<Result<UploadEditionFileRequest, Status>>) -> Result<UploadEditionFileHeader, Error> {
    let part = first.transpose().map_err(broken)?.and_then(|message| message.part);
    match part {
        Some(Part::Header(header)) => Ok(header),
        Some(Part::Chunk(_)) | None => Err(violation("header", "REQUIRED", "the first message carries the header")),
    }
}

async fn read(registry: &FormRegistry, header: &UploadEditionFileHeader) -> Result<Upload, Error> {
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, &registry.context.db, "header.name", &header.name).await?;
    let filename = filename(&mut violations, &header.filename);
    let content_type = content_type(&mut violations, &header.content_type);
    let sha256 = violations.sha256("header.sha256", &header.sha256);
    let request_id = violations.request_id("header.request_id", &header.request_id);
    let key = door::sound(violations, key).map_err(|error| door::about(error, key))?;
    Ok(Upload {
        key,
        filename,
        content_type,
        sha256,
        request_id,
        validate_only: header.validate_only,
    })
}

fn filename(violations: &mut Violations, given: &str) -> String {
    let name = violations.text("header.filename", given, 255);
    if name.contains(['/', '\\']) || name == "." || name == ".." {
        violations.add("header.filename", "FOLDER", "a file's name without folders");
    }
    if name.chars().any(|c| c != '\0' && c.is_control()) {
        violations.add(
            "header.filename",
            "INVALID_CHARACTER",
            "must not contain control characters",
        );
    }
    name
}

fn content_type(violations: &mut Violations, given: &str) -> String {
    let media_type = violations.text("header.content_type", given, 2 * MAX_MEDIA_NAME + 1);
    let halves = media_type
        .split_once('/')
        .is_some_and(|(kind, name)| is_media_name(kind) && is_media_name(name));
    if !halves && !media_type.is_empty() {
        let description = "a media type without parameters, for example text/csv";
        violations.add("header.content_type", "MEDIA_TYPE", description);
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

/// Refuses before the content is received. A call that was answered before passes: its answer does not depend on what
/// became of the edition since, and only the whole body shows that it is the same call.
async fn refuse_early(registry: &FormRegistry, call: &Call, upload: &Upload) -> Result<(), Error> {
    let (context, key) = (&registry.context, upload.key);
    if write::was_answered(context, call, upload.request_id).await? {
        return Ok(());
    }
    registry.schedule.require()?;
    let edition = door::find(&context.db, key).await?;
    Ok(edition
        .accepts_file(context.now())
        .map_err(|obstacle| FormsError::Obstacle(key, obstacle))?)
}

fn chunk(message: Result<UploadEditionFileRequest, Status>) -> Result<Bytes, Error> {
    match message.map_err(broken)?.part {
        Some(Part::Chunk(chunk)) if (1..=MAX_CHUNK).contains(&chunk.len()) => Ok(Bytes::from(chunk)),
        Some(Part::Chunk(_)) => Err(violation("chunk", "SIZE", "1 byte to 1 MiB")),
        Some(Part::Header(_)) => Err(violation(
            "header",
            "REPEATED",
            "the header comes once, in the first message",
        )),
        None => Err(violation(
            "chunk",
            "REQUIRED",
            "each message after the first carries a chunk",
        )),
    }
}

fn check_content(upload: &Upload, received: &Received) -> Result<(), Error> {
    if received.size == 0 {
        let empty = violation("chunk", "REQUIRED", "the file is empty");
        return Err(door::about(empty, Some(upload.key)));
    }
    if upload.sha256.is_some_and(|announced| announced != received.sha256) {
        return Err(FormsError::DigestMismatch(upload.key).into());
    }
    Ok(())
}

/// What a stream that ends with an error means: a message that no one can read, or a line that was cut.
fn broken(status: Status) -> Error {
    match status.code() {
        Code::OutOfRange | Code::InvalidArgument => violation("chunk", "SIZE", "1 byte to 1 MiB"),
        Code::Internal => violation("chunk", "UNREADABLE", "a message of the upload could not be read"),
        _ => FormsError::UploadBroken.into(),
    }
}

fn violation(field: &str, reason: &'static str, description: &str) -> Error {
    let mut violations = Violations::new();
    violations.add(field, reason, description);
    violations.refuse().expect_err("one violation was added").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(check: impl FnOnce(&mut Violations) -> String) -> Vec<&'static str> {
        let mut violations = Violations::new();
        check(&mut violations);
        let refusal = violations.refuse().err();
        refusal
            .into_iter()
            .flat_map(|refusal| refusal.violations)
            .map(|violation| violation.reason)
            .collect()
    }

    #[test]
    fn a_filename_has_no_folders_and_no_control_characters() {
        assert!(fields(|v| filename(v, "Форма 1-М за январь.csv")).is_empty());
        for (name, reasons) in [
            ("", &["REQUIRED"][..]),
            ("a/b.csv", &["FOLDER"]),
            ("a\\b.csv", &["FOLDER"]),
            ("..", &["FOLDER"]),
            ("a\nb.csv", &["INVALID_CHARACTER"]),
            ("a\0b.csv", &["INVALID_CHARACTER"]),
            ("a/\u{7f}", &["FOLDER", "INVALID_CHARACTER"]),
        ] {
            assert_eq!(fields(|v| filename(v, name)), reasons, "{name:?}");
        }
        assert_eq!(fields(|v| filename(v, &"ж".repeat(256))), ["TOO_LONG"]);
        assert!(fields(|v| filename(v, &"ж".repeat(255))).is_empty());
    }

    #[test]
    fn a_content_type_is_a_media_type_without_parameters() {
        for good in ["text/csv", "application/vnd.ms-excel", "image/svg+xml"] {
            assert!(fields(|v| content_type(v, good)).is_empty(), "{good}");
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
            assert_eq!(fields(|v| content_type(v, bad)), ["MEDIA_TYPE"], "{bad}");
        }
    }

    #[test]
    fn a_message_out_of_its_place_is_a_violation() {
        let reason = |part: Option<Part>| match chunk(Ok(UploadEditionFileRequest { part })) {
            Err(Error::Refusal(refusal)) => refusal.violations[0].reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(None), "REQUIRED");
        assert_eq!(reason(Some(Part::Chunk(Vec::new()))), "SIZE");
        assert_eq!(reason(Some(Part::Chunk(vec![0; MAX_CHUNK + 1]))), "SIZE");
        assert_eq!(
            reason(Some(Part::Header(UploadEditionFileHeader::default()))),
            "REPEATED"
        );
        assert!(
            chunk(Ok(UploadEditionFileRequest {
                part: Some(Part::Chunk(vec![0; MAX_CHUNK]))
            }))
            .is_ok()
        );
    }

    proptest! {
        #[test]
        fn no_header_text_panics(name in any::<String>(), media_type in any::<String>()) {
            let mut violations = Violations::new();
            filename(&mut violations, &name);
            content_type(&mut violations, &media_type);
        }
    }
}
