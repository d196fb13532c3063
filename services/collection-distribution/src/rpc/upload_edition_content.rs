//! UploadEditionContent.

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
use legalstat_proto::collections::v1::{
    Edition, UploadEditionContentHeader, UploadEditionContentRequest, upload_edition_content_request::Part,
};
use sqlx::PgConnection;
use tonic::{Request, Streaming};
use uuid::Uuid;

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::edition::{Content, Done, EditionKey},
    error::CollectionsError,
};

/// A header without violations.
struct Upload {
    key: EditionKey,
    filename: String,
    content_type: String,
    sha256: Option<[u8; 32]>,
    request_id: Uuid,
}

pub(super) async fn upload_edition_content(
    service: &CollectionDistribution,
    request: Request<Streaming<UploadEditionContentRequest>>,
) -> Result<Edition, Error> {
    let call = Call::of(&request);
    let mut messages = request.into_inner().map(|message| message.map(part));
    let header = upload::header(messages.next().await)?;
    let upload = read(service, &header).await?;
    refuse_early(service, &call, &upload).await?;
    let staged = Staged::receive(&service.context, &service.files, messages, upload.sha256)
        .await
        .map_err(|error| error.about(&upload.key))?;
    let mutation = staged.mutation(&call, &upload.key, upload.request_id, header.validate_only, &header);
    store(service, mutation, upload, staged).await
}

fn part(message: UploadEditionContentRequest) -> Option<upload::Part<UploadEditionContentHeader>> {
    Some(match message.part? {
        Part::Header(header) => upload::Part::Header(header),
        Part::Chunk(chunk) => upload::Part::Chunk(chunk),
    })
}

async fn read(service: &CollectionDistribution, header: &UploadEditionContentHeader) -> Result<Upload, Error> {
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, &service.context.db, "header.name", &header.name).await?;
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
async fn refuse_early(service: &CollectionDistribution, call: &Call, upload: &Upload) -> Result<(), Error> {
    let context = &service.context;
    if write::was_answered(context, call, upload.request_id).await? {
        return Ok(());
    }
    service.schedule.require()?;
    let mut connection = context.db.connection().await?;
    require_accepting(&mut connection, &upload.key, context.now()).await
}

async fn store(
    service: &CollectionDistribution,
    mutation: Mutation,
    upload: Upload,
    staged: Staged,
) -> Result<Edition, Error> {
    let schedule = Arc::clone(&service.schedule);
    let (caller, keeps) = (mutation.call.caller.name.clone(), !mutation.validate_only);
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            schedule.require()?;
            let now = write.now();
            let uploaded = Done { at: now, by: caller };
            let content = upload.content(staged.received(), uploaded)?;
            prepare(write.connection(), &upload.key, &content).await?;
            let edition = door::find_edition(write.connection(), &upload.key).await?;
            let changes = follow::changes_of(write.connection(), &upload.key).await?;
            if keeps {
                staged.keep().await?;
            }
            Ok(Outcome::of(
                &upload.key,
                "edition.prepared",
                convert::to_edition(edition, changes),
            ))
        })
    })
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
