//! DownloadCopy.

use futures::{StreamExt, stream};
use legalstat_kit::{Call, Error, Violations, write};
use legalstat_proto::collections::v1::{
    DownloadCopyRequest, DownloadCopyResponse, collection_distribution_service_server::CollectionDistributionService,
    download_copy_response::Part,
};
use tonic::{Request, Status};

use super::{CollectionDistribution, convert, door};
use crate::{db, error::CollectionsError};

type Download = <CollectionDistribution as CollectionDistributionService>::DownloadCopyStream;

pub(super) async fn download_copy(
    service: &CollectionDistribution,
    request: Request<DownloadCopyRequest>,
) -> Result<Download, Error> {
    let call = Call::of(&request);
    let (request, context) = (request.into_inner(), &service.context);
    let mut violations = Violations::new();
    let key = door::copy(&mut violations, &context.db, "name", &request.name).await?;
    let key = violations.sound(key)?;

    // Someone else's copy is not found, so that its existence is not told.
    let copy = db::copy::get_own(&mut *context.db.connection().await?, &key, &call.caller.name).await?;
    let copy = copy.ok_or_else(|| CollectionsError::NotFound(key.to_string()))?;
    let edition = door::find_edition(&mut *context.db.connection().await?, &key.edition).await?;
    let content = edition
        .content
        .ok_or_else(|| anyhow::anyhow!("{key} was issued for an edition without content"))?;
    let chunks = service.files.read(&copy.sha256).await?;
    write::record_reading(context, &call, &key.to_string()).await?;

    let description = stream::iter([Ok(message(Part::Content(convert::to_content(content))))]);
    let chunks = chunks.map(|chunk| Ok(message(Part::Chunk(chunk.map_err(Status::from)?.to_vec()))));
    Ok(description.chain(chunks).boxed())
}

fn message(part: Part) -> DownloadCopyResponse {
    DownloadCopyResponse { part: Some(part) }
}
