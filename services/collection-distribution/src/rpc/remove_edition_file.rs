//! RemoveEditionFile.

use legalstat_kit::{
    Call, Error, Violations,
    write::{Change, Mutation},
};
use legalstat_proto::collections::v1::{Edition, RemoveEditionFileRequest};

use super::{CollectionDistribution, door, preparing};
use crate::db;

pub(super) async fn remove_edition_file(
    service: &CollectionDistribution,
    call: Call,
    request: RemoveEditionFileRequest,
) -> Result<Edition, Error> {
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, "name", &request.name);
    let filename = violations.name("filename", &request.filename, door::FILENAME);
    let request_id = violations.request_id("request_id", &request.request_id);
    let key = door::sound(violations, &service.context.db, ("name", key.as_ref()), key.clone()).await?;

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    preparing::carry_out(service, mutation, key.clone(), move |edition, connection, _| {
        Box::pin(async move {
            let edition = edition.without_file(&filename);
            let edition = edition.map_err(|obstacle| obstacle.refusal(&key))?;
            db::edition::save_without_file(connection, &edition, &filename).await?;
            Ok((edition, Change::of(&key, "edition.file_removed")))
        })
    })
    .await
}
