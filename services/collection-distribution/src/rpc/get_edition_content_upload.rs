//! GetEditionContentUpload.

use legalstat_kit::{Call, Error, Refusal, Violations, door::wire};
use legalstat_proto::collections::v1::{EditionContentUpload, GetEditionContentUploadRequest};

use super::CollectionDistribution;

pub(super) async fn get_edition_content_upload(
    service: &CollectionDistribution,
    call: Call,
    request: GetEditionContentUploadRequest,
) -> Result<EditionContentUpload, Error> {
    let mut violations = Violations::new();
    let id = violations.request_id("upload_id", &request.upload_id);
    violations.refuse()?;
    let found = service.files.partial(&call.caller.name, id).await?;
    let partial = found.ok_or_else(|| Refusal::not_found(&format!("upload {id}")))?;
    Ok(EditionContentUpload {
        upload_id: id.to_string(),
        received_bytes: i64::try_from(partial.received).map_err(anyhow::Error::new)?,
        size_bytes: i64::try_from(partial.size).map_err(anyhow::Error::new)?,
        expire_time: Some(wire::to_timestamp(partial.expires)),
    })
}
