//! DownloadCopy.

use futures::{StreamExt, stream};
use legalstat_kit::{Call, Error, Violations, write};
use legalstat_proto::collections::v1::{
    DownloadCopyRequest, DownloadCopyResponse, collection_distribution_service_server::CollectionDistributionService,
    download_copy_response::Part,
};
use tonic::Status;

use super::{CollectionDistribution, convert, door};
use crate::db;

type Download = <CollectionDistribution as CollectionDistributionService>::DownloadCopyStream;

pub(super) async fn download_copy(
    service: &CollectionDistribution,
    call: Call,
    request: DownloadCopyRequest,
) -> Result<Download, Error> {
    let (mut violations, context) = (Violations::new(), &service.context);
    let key = door::copy(&mut violations, "name", &request.name);
    let key = violations.sound(key)?;

    let mut connection = context.db.connection().await?;
    let own = db::copy::get_own(&mut connection, &key, &call.caller.name).await?;
    let copy = door::own(&mut connection, "name", &key, own).await?;
    copy.require_current().map_err(|obstacle| obstacle.refusal(&key))?;
    let content = db::revision::content(&mut connection, &key.edition, copy.revision).await?;
    drop(connection);
    let content = content.ok_or_else(|| anyhow::anyhow!("{key} was issued for an edition without content"))?;
    let chunks = service.files.read(&copy.sha256).await?;
    write::record_reading(context, &call, &key.to_string()).await?;

    let description = stream::iter([Ok(message(Part::Content(convert::to_content(content))))]);
    let chunks = chunks.map(|chunk| Ok(message(Part::Chunk(chunk.map_err(Status::from)?.to_vec()))));
    Ok(description.chain(chunks).boxed())
}

fn message(part: Part) -> DownloadCopyResponse {
    DownloadCopyResponse { part: Some(part) }
}
