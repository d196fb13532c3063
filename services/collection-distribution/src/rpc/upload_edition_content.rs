//! UploadEditionContent.

use std::pin::pin;

use futures::{Stream, StreamExt};
use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    due::moves,
    files::Staged,
    partial::Resumed,
    upload::{self, Arriving, Resuming},
    write::{self, Mutation, Outcome},
};
use legalstat_proto::collections::v1::{
    Edition as Shown, UploadEditionContentHeader, UploadEditionContentRequest, upload_edition_content_request::Part,
};
use tonic::Streaming;

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::{
        content::{EditionFile, LANGUAGES},
        edition::{Edition, EditionState},
        key::EditionKey,
    },
};

const NAME: &str = "header.name";

pub(super) async fn upload_edition_content(
    service: &CollectionDistribution,
    call: Call,
    messages: Streaming<UploadEditionContentRequest>,
) -> Result<Shown, Error> {
    let (mut messages, context) = (pin!(upload::arriving(messages, part)), &service.context);
    let given = upload::header(messages.next().await)?;
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, NAME, &given.name);
    let header = read(&mut violations, &call, &given);
    let key = door::sound(violations, &context.db, (NAME, key.as_ref()), key.clone()).await?;
    let answered = upload::answered(context, &call, &header.upload, header.resumed.as_ref()).await?;
    let staged = match answered {
        Some(_) => None,
        None => Some(receive(service, &call, &key, &header, messages).await?),
    };
    if let Some(staged) = staged.as_ref().filter(|_| !given.validate_only) {
        let sent = upload::send(context, &call, &header.upload, staged).await;
        sent.map_err(|error| error.about(&key))?;
    }
    let of_content = staged.as_ref().map(|staged| staged.sha256);
    let sha256 = answered.or(of_content).unwrap_or_default();
    let (id, body) = (header.upload.request_id, whole(&given));
    let mutation = Mutation::of_upload(&call, &key, id, given.validate_only, &body, &sha256);
    save(service, mutation, key, header, staged).await
}

fn part(message: UploadEditionContentRequest) -> Option<upload::Part<UploadEditionContentHeader>> {
    Some(match message.part? {
        Part::Header(header) => upload::Part::Header(header),
        Part::Chunk(chunk) => upload::Part::Chunk(chunk),
    })
}

/// The header of the whole upload, whichever part of it this call brings.
fn whole(given: &UploadEditionContentHeader) -> UploadEditionContentHeader {
    UploadEditionContentHeader {
        offset: 0,
        ..given.clone()
    }
}

/// What a header says.
struct Header {
    upload: upload::Header,
    language: String,
    /// How it is resumed, if it may be.
    resumed: Option<Resumed>,
}

fn read(violations: &mut Violations, call: &Call, given: &UploadEditionContentHeader) -> Header {
    let (sha256, id) = (&given.sha256, &given.request_id);
    let upload = upload::Header::read(violations, &given.filename, &given.content_type, sha256, id);
    if !LANGUAGES.contains(&given.language.as_str()) {
        violations.add("header.language", FieldReason::Language, "kk, ru, en, or empty");
    }
    let resuming = Resuming {
        resumable: given.resumable,
        size_bytes: given.size_bytes,
        offset: given.offset,
    };
    let resumed = resuming.read(violations, call, &upload, &whole(given));
    Header {
        upload,
        language: given.language.clone(),
        resumed,
    }
}

/// Receives the content, after what would be refused anyway.
async fn receive(
    service: &CollectionDistribution,
    call: &Call,
    key: &EditionKey,
    header: &Header,
    messages: impl Stream<Item = Arriving<UploadEditionContentHeader>>,
) -> Result<Staged, Error> {
    let context = &service.context;
    upload::refuse_early(context, call, &header.upload, async |connection| {
        service.schedule.require_whole()?;
        let edition = door::find(connection, NAME, key).await?;
        let accepts = edition.accepts_file(&header.upload.filename, context.now());
        Ok(accepts.map_err(|obstacle| obstacle.refusal(key))?)
    })
    .await?;
    let staged = match &header.resumed {
        Some(resumed) => upload::resume(&service.files, messages, resumed).await,
        None => upload::receive(&service.files, messages, &header.upload).await,
    };
    staged.map_err(|error| error.about(key))
}

async fn save(
    service: &CollectionDistribution,
    mutation: Mutation,
    key: EditionKey,
    header: Header,
    staged: Option<Staged>,
) -> Result<Shown, Error> {
    let (schedule, call, keeps) = (service.schedule.clone(), mutation.call.clone(), !mutation.validate_only);
    let limit = service.file_limit;
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            schedule.require_whole()?;
            let staged = staged.ok_or_else(|| anyhow::anyhow!("an answer that was stored is gone"))?;
            let (now, connection) = (write.now(), write.connection());
            let edition = door::lock(connection, NAME, &key).await?;
            let file = EditionFile {
                content: staged.content(&header.upload, call.done(now))?,
                language: header.language,
            };
            let moves = moves::of(&mut *connection, &key).await?;
            if is_repeated(&edition, &file) {
                staged.discard();
                let answer = convert::to_edition(edition, moves);
                return Ok(Outcome::repeated(&key, "edition.preparation_repeated", answer));
            }
            let edition = match edition.prepare(file.clone(), limit) {
                Ok(edition) => edition,
                Err(obstacle) => {
                    staged.discard();
                    return Err(obstacle.refusal(&key).into());
                }
            };
            db::edition::save_with_file(connection, &edition, &file).await?;
            if keeps {
                staged.keep().await?;
            } else {
                // Only a check: nothing waits for its rest.
                staged.discard();
            }
            let answer = convert::to_edition(edition, moves);
            Ok(Outcome::of(&key, "edition.prepared", answer))
        })
    })
    .await
}

/// Whether the edition has this very file already. The same may replace what was recalled.
fn is_repeated(edition: &Edition, file: &EditionFile) -> bool {
    let held = edition.files.get(&file.content.filename);
    edition.state == EditionState::Prepared && held.is_some_and(|held| held.is_repeated_by(file))
}
