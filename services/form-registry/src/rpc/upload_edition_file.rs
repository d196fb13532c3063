//! UploadEditionFile.

use std::pin::pin;

use futures::StreamExt;
use legalstat_kit::{
    Call, Error, Violations,
    due::moves,
    files::Staged,
    upload,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::forms::v1::{
    Edition as Shown, UploadEditionFileHeader, UploadEditionFileRequest, upload_edition_file_request::Part,
};
use tonic::Streaming;

use super::{FormRegistry, convert, door};
use crate::{
    db,
    domain::{edition::Edition, key::EditionKey},
};

const NAME: &str = "header.name";

pub(super) async fn upload_edition_file(
    registry: &FormRegistry,
    call: Call,
    messages: Streaming<UploadEditionFileRequest>,
) -> Result<Shown, Error> {
    let (mut messages, context) = (pin!(upload::arriving(messages, part)), &registry.context);
    let given = upload::header(messages.next().await)?;
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, NAME, &given.name);
    let (filename, content_type) = (&given.filename, &given.content_type);
    let header = upload::Header::read(
        &mut violations,
        filename,
        content_type,
        &given.sha256,
        &given.request_id,
    );
    let key = door::sound(violations, &context.db, (NAME, key), key).await?;
    upload::refuse_early(context, &call, &header, async |connection| {
        registry.schedule.require_whole()?;
        let edition = door::find(connection, NAME, key).await?;
        let accepts = edition.accepts_file(context.now());
        Ok(accepts.map_err(|obstacle| obstacle.refusal(&key))?)
    })
    .await?;
    let staged = upload::receive(&registry.files, messages, &header).await;
    let staged = staged.map_err(|error| error.about(&key))?;
    let (id, sha256) = (header.request_id, &staged.sha256);
    let mutation = Mutation::of_upload(&call, &key, id, given.validate_only, &given, sha256);
    save(registry, mutation, key, header, staged).await
}

fn part(message: UploadEditionFileRequest) -> Option<upload::Part<UploadEditionFileHeader>> {
    Some(match message.part? {
        Part::Header(header) => upload::Part::Header(header),
        Part::Chunk(chunk) => upload::Part::Chunk(chunk),
    })
}

async fn save(
    registry: &FormRegistry,
    mutation: Mutation,
    key: EditionKey,
    header: upload::Header,
    staged: Staged,
) -> Result<Shown, Error> {
    let (schedule, call, keeps) = (
        registry.schedule.clone(),
        mutation.call.clone(),
        !mutation.validate_only,
    );
    write::carry_out(&registry.context, mutation, move |write| {
        Box::pin(async move {
            schedule.require_whole()?;
            let (now, connection) = (write.now(), write.connection());
            let edition = door::lock(connection, NAME, key).await?;
            let content = staged.content(&header, call.done(now))?;
            let held = edition.file.clone();
            let prepared = edition.prepare(content.clone());
            let edition = prepared.map_err(|obstacle| obstacle.refusal(&key))?;
            let moves = moves::of(&mut *connection, &key).await?;
            if let Some(held) = held.filter(|held| held.is_repeated_by(&content)) {
                let edition = Edition {
                    file: Some(held),
                    ..edition
                };
                let answer = convert::to_edition(edition, moves, now);
                return Ok(Outcome::repeated(&key, "edition.preparation_repeated", answer));
            }
            db::edition::save_file(connection, &edition).await?;
            if keeps {
                staged.keep().await?;
            }
            let answer = convert::to_edition(edition, moves, now);
            Ok(Outcome::of(&key, "edition.prepared", answer))
        })
    })
    .await
}
