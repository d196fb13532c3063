//! DownloadCopy.

use futures::{StreamExt, stream};
use legalstat_kit::{Call, Error, FieldReason, Violations, write};
use legalstat_proto::collections::v1::{
    DownloadCopyRequest, DownloadCopyResponse, collection_distribution_service_server::CollectionDistributionService,
    download_copy_response::Part,
};
use tonic::Status;

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::{content::EditionFile, key::CopyKey},
};

type Download = <CollectionDistribution as CollectionDistributionService>::DownloadCopyStream;

pub(super) async fn download_copy(
    service: &CollectionDistribution,
    call: Call,
    request: DownloadCopyRequest,
) -> Result<Download, Error> {
    let (mut violations, context) = (Violations::new(), &service.context);
    let key = door::copy(&mut violations, "name", &request.name);
    let offset = number(&mut violations, "offset", request.offset);
    let length = number(&mut violations, "length", request.length);
    let filename = violations.optional_name("filename", &request.filename, door::FILENAME);
    let key = violations.sound(key)?;

    let mut connection = context.db.connection().await?;
    let recipients = door::spoken_for(&mut connection, &call, context.now()).await?;
    let own = db::copy::get_own(&mut connection, &key, &recipients).await?;
    let copy = door::own(&mut connection, "name", &key, own).await?;
    copy.require_current().map_err(|obstacle| obstacle.refusal(&key))?;
    let files = db::revision_file::of(&mut connection, &key.edition, copy.revision).await?;
    drop(connection);
    let file = chosen(&key, files, &filename)?;
    let size = u64::try_from(file.content.size_bytes).map_err(anyhow::Error::new)?;
    if offset > size {
        let description = format!("the file has {size} bytes");
        return Err(Violations::one("offset", FieldReason::OutOfRange, &description)
            .about(&key)
            .into());
    }
    let end = match length {
        0 => size,
        length => size.min(offset.saturating_add(length)),
    };
    let chunks = service.files.read_range(&file.content.sha256, offset..end);
    write::record_reading(context, &call, &key.to_string()).await?;

    let description = stream::iter([Ok(message(Part::Content(convert::to_content(file))))]);
    let chunks = chunks.map(|chunk| Ok(message(Part::Chunk(chunk.map_err(Status::from)?.to_vec()))));
    Ok(description.chain(chunks).boxed())
}

/// The file of a copy that is asked for: the only one, where none is named.
fn chosen(copy: &CopyKey, mut files: Vec<EditionFile>, filename: &str) -> Result<EditionFile, Error> {
    let names: Vec<_> = files.iter().map(|file| file.content.filename.as_str()).collect();
    let place = match (filename, names.as_slice()) {
        ("", [_]) => Some(0),
        (filename, names) => names.iter().position(|name| *name == filename),
    };
    if let Some(place) = place {
        return Ok(files.swap_remove(place));
    }
    let reason = if filename.is_empty() {
        FieldReason::Required
    } else {
        FieldReason::Unknown
    };
    let description = format!("the copy has the files: {}", names.join(", "));
    Err(Violations::one("filename", reason, &description).about(copy).into())
}

fn number(violations: &mut Violations, field: &str, given: i64) -> u64 {
    u64::try_from(given).unwrap_or_else(|_| {
        violations.add(field, FieldReason::OutOfRange, "0 or more");
        0
    })
}

fn message(part: Part) -> DownloadCopyResponse {
    DownloadCopyResponse { part: Some(part) }
}
