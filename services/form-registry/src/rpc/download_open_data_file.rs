//! DownloadOpenDataFile.

use futures::{StreamExt, stream};
use legalstat_kit::{Call, Error, FieldReason, Refusal, Violations};
use legalstat_proto::forms::v1::{
    DownloadOpenDataFileRequest, DownloadOpenDataFileResponse, download_open_data_file_response::Part,
    form_registry_service_server::FormRegistryService,
};
use tonic::Status;

use super::{
    FormRegistry, door,
    get_open_data_package::{Version, readable, to_file, version},
    showing::Showing,
};
use crate::db;

type Download = <FormRegistry as FormRegistryService>::DownloadOpenDataFileStream;

const WRITTEN: &str = "write the edition, /openDataPackages/ and the version, for example v1";

pub(super) async fn download_open_data_file(
    registry: &FormRegistry,
    call: Call,
    request: DownloadOpenDataFileRequest,
) -> Result<Download, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let parts = request.name.split_once("/openDataPackages/");
    if parts.is_none() && !request.name.is_empty() {
        violations.add("name", FieldReason::ResourceName, WRITTEN);
    }
    let (edition, number) = parts.unwrap_or_default();
    let key = if request.name.is_empty() || parts.is_some() {
        door::edition(&mut violations, "name", edition)
    } else {
        None
    };
    let number = version(&mut violations, "name", number).filter(|version| matches!(version, Version::Number(_)));
    if parts.is_some() && number.is_none() && violations.is_empty() {
        violations.add("name", FieldReason::ResourceName, WRITTEN);
    }
    let path = violations.name("path", &request.path, 300);
    let (key, number) = door::sound(violations, &context.db, ("name", key), key.zip(number)).await?;
    registry.schedule.require_whole()?;
    let now = context.now();
    let (edition, stored) = {
        let mut connection = context.db.connection().await?;
        let edition = door::find(&mut connection, "name", key, now).await?;
        (edition, db::package::all(&mut connection, key).await?)
    };
    let mut showing = Showing::to(&call, now);
    let (edition, view) = showing.edition(edition);
    let stored = readable(&edition, view, number, stored)?;
    let files = db::package::files(&mut *context.db.connection().await?, key, stored.version).await?;
    let missing = || Refusal::not_found(&format!("{}/files/{path}", request.name)).about(&key);
    let file = files.into_iter().find(|file| file.path == path).ok_or_else(missing)?;
    showing.record(context, &call).await?;
    let content = registry.files.read(&file.sha256).await?;
    let description = stream::iter([Ok(message(Part::File(to_file(file))))]);
    let chunks = content.map(|chunk| {
        let chunk = chunk.map_err(Status::from)?;
        Ok(message(Part::Chunk(chunk.to_vec())))
    });
    Ok(description.chain(chunks).boxed())
}

fn message(part: Part) -> DownloadOpenDataFileResponse {
    DownloadOpenDataFileResponse { part: Some(part) }
}
