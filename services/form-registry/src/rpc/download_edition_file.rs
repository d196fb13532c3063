//! DownloadEditionFile.

use futures::{StreamExt, stream};
use legalstat_kit::{Call, Error, Violations};
use legalstat_proto::forms::v1::{
    DownloadEditionFileRequest, DownloadEditionFileResponse, download_edition_file_response::Part,
    form_registry_service_server::FormRegistryService,
};
use tonic::Status;

use super::{FormRegistry, convert, door};

type Download = <FormRegistry as FormRegistryService>::DownloadEditionFileStream;

pub(super) async fn download_edition_file(
    registry: &FormRegistry,
    call: Call,
    request: DownloadEditionFileRequest,
) -> Result<Download, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let key = door::edition(&mut violations, "name", &request.name);
    let key = violations.sound(key)?;
    registry.schedule.require_whole()?;
    let edition = door::find(&mut *context.db.connection().await?, "name", key).await?;
    let readable = edition.readable_file(call.caller.is_official());
    let file = readable.map_err(|obstacle| obstacle.refusal(&key))?.clone();
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
