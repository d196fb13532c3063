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
    Edition, UploadEditionFileHeader, UploadEditionFileRequest, upload_edition_file_request::Part,
};
use tonic::Streaming;

use super::{FormRegistry, convert, door};
use crate::{db, domain::key::EditionKey};

const NAME: &str = "header.name";

pub(super) async fn upload_edition_file(
    registry: &FormRegistry,
    call: Call,
    messages: Streaming<UploadEditionFileRequest>,
) -> Result<Edition, Error> {
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
    let (id, body) = (header.request_id, staged.body(&given));
    let mutation = Mutation::of_body(&call, &key, id, given.validate_only, &body);
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
) -> Result<Edition, Error> {
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
            let prepared = edition.prepare(staged.content(&header, call.done(now))?);
            let edition = prepared.map_err(|obstacle| obstacle.refusal(&key))?;
            db::edition::save_file(connection, &edition).await?;
            let moves = moves::of(connection, &key).await?;
            if keeps {
                staged.keep().await?;
            }
            let answer = convert::to_edition(edition, moves, now);
            Ok(Outcome::of(&key, "edition.prepared", answer))
        })
    })
    .await
}
