//! DownloadAttachment.

use futures::{StreamExt, stream, stream::BoxStream};
use legalstat_kit::{Call, Error, FieldReason, Refusal, Violations};
use legalstat_proto::requests::v1::{
    DownloadAttachmentRequest, DownloadAttachmentResponse, download_attachment_response::Part,
};
use tonic::Status;
use uuid::Uuid;

use super::{RequestIntake, convert_attachments, seeing::visible};
use crate::{
    db,
    domain::{attachment::Attachment, names},
};

pub(super) type Download = BoxStream<'static, Result<DownloadAttachmentResponse, Status>>;

pub(super) async fn download_attachment(
    service: &RequestIntake,
    call: &Call,
    message: DownloadAttachmentRequest,
) -> Result<Download, Error> {
    let mut violations = Violations::new();
    let id = names::parse_attachment(&message.name);
    if id.is_none() {
        let description = "write attachments/ and the UUID in lower case";
        violations.add("name", FieldReason::ResourceName, description);
    }
    let offset = number(&mut violations, "offset", message.offset);
    let length = number(&mut violations, "length", message.length);
    let attachment = find(service, call, violations.sound(id)?).await?;
    let size = u64::try_from(attachment.size_bytes).map_err(anyhow::Error::new)?;
    if offset > size {
        let description = format!("the file has {size} bytes");
        let refusal = Violations::one("offset", FieldReason::OutOfRange, &description);
        return Err(refusal.about(&message.name).into());
    }
    let end = match length {
        0 => size,
        length => size.min(offset.saturating_add(length)),
    };
    let content = service.files.read_range(&attachment.sha256, offset..end);
    let expires = service.attachments.expires(&attachment);
    let description = convert_attachments::attachment(attachment, expires);
    let description = stream::iter([Ok(part(Part::File(description)))]);
    let chunks = content.map(|chunk| {
        let chunk = chunk.map_err(Status::from)?;
        Ok(part(Part::Chunk(chunk.to_vec())))
    });
    Ok(description.chain(chunks).boxed())
}

/// The attachment, if the caller may read it: as its uploader, or since it sees the request that it belongs to. What proves a dispatch
/// is for officials.
async fn find(service: &RequestIntake, call: &Call, id: Uuid) -> Result<Attachment, Error> {
    let missing = || Refusal::not_found(&names::attachment(id));
    let found = {
        let mut connection = service.context.db.connection().await?;
        db::attachment::get(&mut connection, &[id]).await?.remove(&id)
    };
    let attachment = found.ok_or_else(missing)?;
    if call.caller.is_official() || attachment.uploaded_by == call.caller.name {
        return Ok(attachment);
    }
    let request = attachment.request.ok_or_else(missing)?;
    if db::answer::is_proof(&mut *service.context.db.connection().await?, id).await? {
        return Err(missing().into());
    }
    let found = service.lookup.get(request).await?;
    match visible(&service.rules, &service.context, call, request, found).await {
        Ok(_) => Ok(attachment),
        Err(Error::Refusal(_)) => Err(missing().into()),
        Err(error) => Err(error),
    }
}

fn number(violations: &mut Violations, field: &str, given: i64) -> u64 {
    u64::try_from(given).unwrap_or_else(|_| {
        violations.add(field, FieldReason::OutOfRange, "0 or more");
        0
    })
}

fn part(part: Part) -> DownloadAttachmentResponse {
    DownloadAttachmentResponse { part: Some(part) }
}
