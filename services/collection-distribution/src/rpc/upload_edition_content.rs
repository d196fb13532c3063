//! UploadEditionContent.

use std::pin::pin;

use futures::StreamExt;
use legalstat_kit::{
    Call, Error, Violations,
    due::moves,
    files::Staged,
    upload,
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
    let (filename, content_type) = (&given.filename, &given.content_type);
    let header = upload::Header::read(
        &mut violations,
        filename,
        content_type,
        &given.sha256,
        &given.request_id,
    );
    let key = door::sound(violations, &context.db, (NAME, key.as_ref()), key.clone()).await?;
    upload::refuse_early(context, &call, &header, async |connection| {
        service.schedule.require_whole()?;
        let edition = door::find(connection, NAME, &key).await?;
        let accepts = edition.accepts_content(context.now());
        Ok(accepts.map_err(|obstacle| obstacle.refusal(&key))?)
    })
    .await?;
    let staged = upload::receive(&service.files, messages, &header).await;
    let staged = staged.map_err(|error| error.about(&key))?;
    let (id, sha256) = (header.request_id, &staged.sha256);
    let mutation = Mutation::of_upload(&call, &key, id, given.validate_only, &given, sha256);
    save(service, mutation, key, header, staged).await
}

fn part(message: UploadEditionContentRequest) -> Option<upload::Part<UploadEditionContentHeader>> {
    Some(match message.part? {
        Part::Header(header) => upload::Part::Header(header),
        Part::Chunk(chunk) => upload::Part::Chunk(chunk),
    })
}

async fn save(
    service: &CollectionDistribution,
    mutation: Mutation,
    key: EditionKey,
    header: upload::Header,
    staged: Staged,
) -> Result<Shown, Error> {
    let (schedule, call, keeps) = (service.schedule.clone(), mutation.call.clone(), !mutation.validate_only);
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            schedule.require_whole()?;
            let (now, connection) = (write.now(), write.connection());
            let edition = door::lock(connection, NAME, &key).await?;
            let content = staged.content(&header, call.done(now))?;
            // The same content may replace what was recalled.
            let held = edition
                .content
                .clone()
                .filter(|_| edition.state == EditionState::Prepared);
            let prepared = edition.prepare(content.clone());
            let edition = prepared.map_err(|obstacle| obstacle.refusal(&key))?;
            let moves = moves::of(&mut *connection, &key).await?;
            if let Some(held) = held.filter(|held| held.is_repeated_by(&content)) {
                let edition = Edition {
                    content: Some(held),
                    ..edition
                };
                let answer = convert::to_edition(edition, moves);
                return Ok(Outcome::repeated(&key, "edition.preparation_repeated", answer));
            }
            db::edition::save_content(connection, &edition).await?;
            if keeps {
                staged.keep().await?;
            }
            let answer = convert::to_edition(edition, moves);
            Ok(Outcome::of(&key, "edition.prepared", answer))
        })
    })
    .await
}
