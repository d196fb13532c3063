//! DownloadEditionFile.

use futures::{StreamExt, stream};
use legalstat_kit::{Call, Error, Violations};
use legalstat_proto::forms::v1::{
    DownloadEditionFileRequest, DownloadEditionFileResponse, download_edition_file_response::Part,
    form_registry_service_server::FormRegistryService,
};
use tonic::{Request, Status};

use super::{FormRegistry, convert, door};
use crate::error::FormsError;

type Download = <FormRegistry as FormRegistryService>::DownloadEditionFileStream;

pub(super) async fn download_edition_file(
    registry: &FormRegistry,
    request: Request<DownloadEditionFileRequest>,
) -> Result<Download, Error> {
    let call = Call::of(&request);
    let (request, context) = (request.into_inner(), &registry.context);
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, &context.db, "name", &request.name).await?;
    let key = violations.sound(key)?;
    registry.schedule.require()?;
    let edition = door::find(&mut *context.db.connection().await?, key).await?;
    let file = edition
        .readable_file(call.caller.is_official())
        .map_err(|obstacle| FormsError::Obstacle(key, obstacle))?
        .clone();
    let content = registry.files.read(&file.sha256).await?;
    let description = stream::iter([Ok(message(Part::File(convert::to_file(file))))]);
    let chunks = content.map(|chunk| {
        let chunk = chunk.map_err(Status::from)?;
        Ok(message(Part::Chunk(chunk.to_vec())))
    });
    Ok(description.chain(chunks).boxed())
}

fn message(part: Part) -> DownloadEditionFileResponse {
    DownloadEditionFileResponse { part: Some(part) }
}
