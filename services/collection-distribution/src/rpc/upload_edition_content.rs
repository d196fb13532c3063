//! UploadEditionContent.

use bytes::Bytes;
use futures::StreamExt;
use jiff::Timestamp;
use legalstat_kit::{
    Call, Context, Error, Violations,
    files::{FileStore, Received},
    wire,
    write::{self, Begun, Mutation},
};
use legalstat_proto::collections::v1::{
    Edition, UploadEditionContentHeader, UploadEditionContentRequest, upload_edition_content_request::Part,
};
use prost::Message;
use sqlx::PgConnection;
use tonic::{Code, Request, Status, Streaming};
use uuid::Uuid;

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::edition::{Content, Done, EditionKey},
    error::CollectionsError,
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

pub(super) async fn upload_edition_content(
    service: &CollectionDistribution,
    request: Request<Streaming<UploadEditionContentRequest>>,
) -> Result<Edition, Error> {
    let call = Call::of(&request);
    let mut messages = request.into_inner();
    let header = header(messages.next().await)?;
    let upload = read(service, &header).await?;
    refuse_early(service, &call, &upload).await?;
    let (context, files) = (&service.context, &service.files);
    let received = files
        .receive(messages.map(chunk))
        .await
        .map_err(|error| door::about(error, Some(&upload.key)))?;
    let staged = Staged {
        context,
        files,
        received: Some(received),
    };
    check_content(&upload, staged.received())?;
    let mutation = Mutation {
        call: &call,
        request_id: upload.request_id,
        validate_only: upload.validate_only,
        body_sha256: wire::sha256(&[header.encode_to_vec(), staged.received().sha256.to_vec()].concat()),
    };
    store(service, &mutation, &upload, staged).await
}

async fn store(
    service: &CollectionDistribution,
    mutation: &Mutation<'_>,
    upload: &Upload,
    staged: Staged<'_>,
) -> Result<Edition, Error> {
    let mut write = match write::begin::<Edition>(&service.context, mutation).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Claimed(write) => write,
    };
    service.schedule.require()?;
    let uploaded = Done {
        at: write.now(),
        by: mutation.call.caller.name.clone(),
    };
    let content = upload.content(staged.received(), uploaded)?;
    prepare(write.connection(), &upload.key, &content).await?;
    let edition = door::find_edition(write.connection(), &upload.key).await?;
    if !mutation.validate_only {
        staged.keep().await?;
    }
    write
        .commit(
            &upload.key.to_string(),
            "edition.prepared",
            convert::to_edition(edition),
        )
        .await
}

async fn prepare(connection: &mut PgConnection, key: &EditionKey, content: &Content) -> Result<(), Error> {
    db::edition::lock(connection, key).await?;
    require_accepting(connection, key, content.uploaded.at).await?;
    Ok(db::edition::prepare(connection, key, content).await?)
}

async fn require_accepting(connection: &mut PgConnection, key: &EditionKey, now: Timestamp) -> Result<(), Error> {
    let edition = door::find_edition(connection, key).await?;
    Ok(edition
        .accepts_content(now)
        .map_err(|obstacle| CollectionsError::Obstacle(key.clone(), obstacle))?)
}

impl Upload {
    fn content(&self, received: &Received, uploaded: Done) -> Result<Content, Error> {
        Ok(Content {
            filename: self.filename.clone(),
            content_type: self.content_type.clone(),
            size_bytes: i64::try_from(received.size).map_err(anyhow::Error::new)?,
            sha256: received.sha256.to_vec(),
            uploaded,
        })
    }
}

fn header(first: Option<Result<UploadEditionContentRequest, Status>>) -> Result<UploadEditionContentHeader, Error> {
    let part = first.transpose().map_err(broken)?.and_then(|message| message.part);
    match part {
        Some(Part::Header(header)) => Ok(header),
        Some(Part::Chunk(_)) | None => Err(violation("header", "REQUIRED", "the first message carries the header")),
    }
}

async fn read(service: &CollectionDistribution, header: &UploadEditionContentHeader) -> Result<Upload, Error> {
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, &service.context.db, "header.name", &header.name).await?;
    let filename = filename(&mut violations, &header.filename);
    let content_type = content_type(&mut violations, &header.content_type);
    let sha256 = violations.sha256("header.sha256", &header.sha256);
    let request_id = violations.request_id("header.request_id", &header.request_id);
    let key = door::sound(violations, key.clone()).map_err(|error| door::about(error, key.as_ref()))?;
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
    let well_formed = media_type
        .split_once('/')
        .is_some_and(|(kind, name)| is_media_name(kind) && is_media_name(name));
    if !well_formed && !media_type.is_empty() {
        let description = "a media type without parameters, for example application/pdf";
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
async fn refuse_early(service: &CollectionDistribution, call: &Call, upload: &Upload) -> Result<(), Error> {
    let context = &service.context;
    if db::replay::was_answered(&context.db, call, upload.request_id).await? {
        return Ok(());
    }
    service.schedule.require()?;
    let mut connection = context.db.acquire().await?;
    require_accepting(&mut connection, &upload.key, context.now()).await
}

fn chunk(message: Result<UploadEditionContentRequest, Status>) -> Result<Bytes, Error> {
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
        let empty = violation("chunk", "REQUIRED", "the content is empty");
        return Err(door::about(empty, Some(&upload.key)));
    }
    if upload.sha256.is_some_and(|announced| announced != received.sha256) {
        return Err(CollectionsError::DigestMismatch(upload.key.clone()).into());
    }
    Ok(())
}

/// What a stream that ends with an error means: a message that no one can read, or a line that was cut.
fn broken(status: Status) -> Error {
    match status.code() {
        Code::OutOfRange | Code::InvalidArgument => violation("chunk", "SIZE", "1 byte to 1 MiB"),
        Code::Internal => violation("chunk", "UNREADABLE", "a message of the upload could not be read"),
        _ => CollectionsError::UploadBroken.into(),
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

    fn reasons(check: impl FnOnce(&mut Violations) -> String) -> Vec<&'static str> {
        let mut violations = Violations::new();
        check(&mut violations);
        let refusal = violations.refuse().err();
        let found = refusal.into_iter().flat_map(|refusal| refusal.violations);
        found.map(|violation| violation.reason).collect()
    }

    #[test]
    fn a_filename_has_no_folders_and_no_control_characters() {
        assert!(reasons(|v| filename(v, "Сборник о преступности.pdf")).is_empty());
        for (name, expected) in [
            ("", &["REQUIRED"][..]),
            ("a/b.pdf", &["FOLDER"]),
            ("a\\b.pdf", &["FOLDER"]),
            ("..", &["FOLDER"]),
            ("a\nb.pdf", &["INVALID_CHARACTER"]),
            ("a/\u{7f}b", &["FOLDER", "INVALID_CHARACTER"]),
        ] {
            assert_eq!(reasons(|v| filename(v, name)), expected, "{name:?}");
        }
    }

    #[test]
    fn a_content_type_is_a_media_type_without_parameters() {
        for good in ["application/pdf", "application/vnd.ms-excel", "image/svg+xml"] {
            assert!(reasons(|v| content_type(v, good)).is_empty(), "{good}");
        }
        for bad in [
            "pdf",
            "text/",
            "/csv",
            "text/csv; charset=utf-8",
            "text/csv/x",
            "text/.csv",
            "text/цсв",
        ] {
            assert_eq!(reasons(|v| content_type(v, bad)), ["MEDIA_TYPE"], "{bad}");
        }
    }

    #[test]
    fn a_message_out_of_its_place_is_a_violation() {
        let reason = |part: Option<Part>| match chunk(Ok(UploadEditionContentRequest { part })) {
            Err(Error::Refusal(refusal)) => refusal.violations[0].reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(None), "REQUIRED");
        assert_eq!(reason(Some(Part::Chunk(Vec::new()))), "SIZE");
        assert_eq!(reason(Some(Part::Chunk(vec![0; MAX_CHUNK + 1]))), "SIZE");
        assert_eq!(
            reason(Some(Part::Header(UploadEditionContentHeader::default()))),
            "REPEATED"
        );
    }
}
