//! DownloadEditionFile.

use futures::{StreamExt, stream};
use legalstat_kit::{Call, Error, FieldReason, Violations};
use legalstat_proto::forms::v1::{
    DownloadEditionFileRequest, DownloadEditionFileResponse, download_edition_file_response::Part,
    form_registry_service_server::FormRegistryService,
};
use tonic::Status;

use super::{FormRegistry, convert, door, showing::Showing};
use crate::domain::visibility::{self, Wanted};

type Download = <FormRegistry as FormRegistryService>::DownloadEditionFileStream;

pub(super) async fn download_edition_file(
    registry: &FormRegistry,
    call: Call,
    request: DownloadEditionFileRequest,
) -> Result<Download, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let key = door::edition(&mut violations, "name", &request.name);
    let filename = violations.optional_name("filename", &request.filename, 255);
    let wanted = Wanted {
        filename: Some(filename).filter(|filename| !filename.is_empty()),
        revision: door::revision(&mut violations, request.revision),
        sha256: violations.sha256("sha256", &request.sha256),
    };
    let offset = number(&mut violations, "offset", request.offset);
    let length = number(&mut violations, "length", request.length);
    let key = door::sound(violations, &context.db, ("name", key), key).await?;
    registry.schedule.require_whole()?;
    let now = context.now();
    let edition = door::find(&mut *context.db.connection().await?, "name", key, now).await?;
    let mut showing = Showing::to(&call, now);
    let (edition, view) = showing.edition(edition);
    let readable = visibility::readable(&edition, view, &wanted);
    let file = readable.map_err(|obstacle| obstacle.refusal(&key))?;
    let size = u64::try_from(file.content.size_bytes).map_err(anyhow::Error::new)?;
    if offset > size {
        let description = format!("the file has {size} bytes");
        return Err(Violations::one("offset", FieldReason::OutOfRange, &description)
            .about(&key)
            .into());
    }
    let end = if length == 0 {
        size
    } else {
        size.min(offset.saturating_add(length))
    };
    showing.record(context, &call).await?;
    let content = registry.files.read_range(&file.content.sha256, offset..end);
    let description = stream::iter([Ok(message(Part::File(convert::to_file(file))))]);
    let chunks = content.map(|chunk| {
        let chunk = chunk.map_err(Status::from)?;
        Ok(message(Part::Chunk(chunk.to_vec())))
    });
    Ok(description.chain(chunks).boxed())
}

fn number(violations: &mut Violations, field: &str, given: i64) -> u64 {
    let number = u64::try_from(given);
    number.unwrap_or_else(|_| {
        violations.add(field, FieldReason::OutOfRange, "0 or more");
        0
    })
}

fn message(part: Part) -> DownloadEditionFileResponse {
    DownloadEditionFileResponse { part: Some(part) }
}
