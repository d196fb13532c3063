//! DeleteEditionFile.

use legalstat_kit::{Call, Error, Violations, write::Mutation};
use legalstat_proto::forms::v1::{DeleteEditionFileRequest, Edition};

use super::{
    FormRegistry,
    changing::{self, Asked, Changed, decided},
    door,
};
use crate::db;

pub(super) async fn delete_edition_file(
    registry: &FormRegistry,
    call: Call,
    request: DeleteEditionFileRequest,
) -> Result<Edition, Error> {
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, "name", &request.name);
    let filename = violations.name("filename", &request.filename, 255);
    let request_id = violations.request_id("request_id", &request.request_id);
    let key = door::sound(violations, &registry.context.db, ("name", key), key).await?;
    let asked = Asked {
        field: "name",
        key,
        mutation: Mutation::of(&call, &key, request_id, request.validate_only, &request),
        call,
    };
    changing::carry_out(registry, asked, move |edition, connection, removed| {
        Box::pin(async move {
            let edition = decided(key, edition.without_file(&filename))?;
            if let Some(open) = edition.open_revision() {
                db::revision::remove_file(connection, key, open.number, &filename, &removed).await?;
            }
            Ok(Changed::To(edition, "edition.file_deleted"))
        })
    })
    .await
}
