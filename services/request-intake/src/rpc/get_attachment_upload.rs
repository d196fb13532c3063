//! GetAttachmentUpload.

use legalstat_kit::{Call, Error, Refusal, Violations, door::wire};
use legalstat_proto::requests::v1::{AttachmentUpload, GetAttachmentUploadRequest};

use super::RequestIntake;

pub(super) async fn get_attachment_upload(
    service: &RequestIntake,
    call: &Call,
    message: GetAttachmentUploadRequest,
) -> Result<AttachmentUpload, Error> {
    let mut violations = Violations::new();
    let id = violations.request_id("upload_id", &message.upload_id);
    violations.refuse()?;
    let found = service.files.partial(&call.caller.name, id).await?;
    let partial = found.ok_or_else(|| Refusal::not_found(&format!("upload {id}")))?;
    Ok(AttachmentUpload {
        upload_id: id.to_string(),
        received_bytes: i64::try_from(partial.received).map_err(anyhow::Error::new)?,
        size_bytes: i64::try_from(partial.size).map_err(anyhow::Error::new)?,
        expire_time: Some(wire::to_timestamp(partial.expires)),
    })
}
