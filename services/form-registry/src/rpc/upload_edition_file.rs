//! UploadEditionFile.

use std::sync::Arc;

use futures::StreamExt;
use jiff::Timestamp;
use legalstat_kit::{
    Call, Error, Violations,
    door::upload::{self, Staged},
    due::follow,
    files::Received,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::forms::v1::{
    Edition, UploadEditionFileHeader, UploadEditionFileRequest, upload_edition_file_request::Part,
};
use sqlx::PgConnection;
use tonic::{Request, Streaming};
use uuid::Uuid;

use super::{FormRegistry, convert, door};
use crate::{
    db,
    domain::edition::{EditionFile, EditionKey},
    error::FormsError,
};

/// A header without violations.
struct Upload {
    key: EditionKey,
    filename: String,
    content_type: String,
    sha256: Option<[u8; 32]>,
    request_id: Uuid,
}

pub(super) async fn upload_edition_file(
    registry: &FormRegistry,
    request: Request<Streaming<UploadEditionFileRequest>>,
) -> Result<Edition, Error> {
    let call = Call::of(&request);
    let mut messages = request.into_inner().map(|message| message.map(part));
    let header = upload::header(messages.next().await)?;
    let upload = read(registry, &header).await?;
    refuse_early(registry, &call, &upload).await?;
    let staged = Staged::receive(&registry.context, &registry.files, messages, upload.sha256)
        .await
        .map_err(|error| error.about(&upload.key))?;
    let mutation = staged.mutation(&call, &upload.key, upload.request_id, header.validate_only, &header);
    store(registry, mutation, upload, staged).await
}

fn part(message: UploadEditionFileRequest) -> Option<upload::Part<UploadEditionFileHeader>> {
    Some(match message.part? {
        Part::Header(header) => upload::Part::Header(header),
        Part::Chunk(chunk) => upload::Part::Chunk(chunk),
    })
}

async fn read(registry: &FormRegistry, header: &UploadEditionFileHeader) -> Result<Upload, Error> {
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, &registry.context.db, "header.name", &header.name).await?;
    let filename = upload::filename(&mut violations, "header.filename", &header.filename);
    let content_type = upload::content_type(&mut violations, "header.content_type", &header.content_type);
    let sha256 = violations.sha256("header.sha256", &header.sha256);
    let request_id = violations.request_id("header.request_id", &header.request_id);
    Ok(Upload {
        key: violations.sound(key)?,
        filename,
        content_type,
        sha256,
        request_id,
    })
}

/// Refuses before the content is received. A call that was answered before passes: its answer does not depend on what
/// became of the edition since, and only the whole body shows that it is the same call.
async fn refuse_early(registry: &FormRegistry, call: &Call, upload: &Upload) -> Result<(), Error> {
    let context = &registry.context;
    if write::was_answered(context, call, upload.request_id).await? {
        return Ok(());
    }
    registry.schedule.require()?;
    let mut connection = context.db.connection().await?;
    require_accepting(&mut connection, upload.key, context.now()).await
}

async fn store(registry: &FormRegistry, mutation: Mutation, upload: Upload, staged: Staged) -> Result<Edition, Error> {
    let schedule = Arc::clone(&registry.schedule);
    let (caller, keeps) = (mutation.call.caller.name.clone(), !mutation.validate_only);
    write::carry_out(&registry.context, mutation, move |write| {
        Box::pin(async move {
            schedule.require()?;
            let now = write.now();
            let file = upload.file(staged.received(), now)?;
            prepare(write.connection(), upload.key, &file, &caller).await?;
            let edition = door::find(write.connection(), upload.key).await?;
            let changes = follow::changes_of(write.connection(), &upload.key).await?;
            if keeps {
                staged.keep().await?;
            }
            Ok(Outcome::of(
                &upload.key,
                "edition.prepared",
                convert::to_edition(edition, changes, now),
            ))
        })
    })
    .await
}

async fn prepare(
    connection: &mut PgConnection,
    key: EditionKey,
    file: &EditionFile,
    caller: &str,
) -> Result<(), Error> {
    db::edition::lock(connection, key).await?;
    require_accepting(connection, key, file.uploaded_at).await?;
    Ok(db::edition::replace_file(connection, key, file, caller).await?)
}

async fn require_accepting(connection: &mut PgConnection, key: EditionKey, now: Timestamp) -> Result<(), Error> {
    let edition = door::find(connection, key).await?;
    Ok(edition
        .accepts_file(now)
        .map_err(|obstacle| FormsError::Obstacle(key, obstacle))?)
}

impl Upload {
    fn file(&self, received: &Received, uploaded_at: Timestamp) -> Result<EditionFile, Error> {
        Ok(EditionFile {
            filename: self.filename.clone(),
            content_type: self.content_type.clone(),
            size_bytes: i64::try_from(received.size).map_err(anyhow::Error::new)?,
            sha256: received.sha256.to_vec(),
            uploaded_at,
        })
    }
}
