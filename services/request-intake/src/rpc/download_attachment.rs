//! DownloadAttachment.

use futures::{StreamExt, stream, stream::BoxStream};
use legalstat_kit::{Call, Error, FieldReason, Refusal, Violations, door::languages::Languages, schema::Database};
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
    let languages = Languages::read(&mut violations, &message.languages);
    let attachment = find(service, call, violations.sound(id)?).await?;
    if service.attachments.has_expired(&attachment, service.context.now()) {
        // Its content may be gone before its row.
        return Err(Refusal::not_found(&message.name).into());
    }
    if attachment.is_erased() {
        return Err(erased(&service.context.db, &attachment).await?.into());
    }
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
    let (db, id) = (service.context.db.clone(), attachment.id);
    let description = languages.keep(convert_attachments::attachment(attachment, expires));
    let description = stream::iter([Ok(part(Part::File(description)))]);
    let chunks = content.then(move |chunk| {
        let db = db.clone();
        async move {
            match chunk {
                Ok(chunk) => Ok(part(Part::Chunk(chunk.to_vec()))),
                Err(error) => Err(Status::from(gone_meanwhile(&db, id).await.unwrap_or(error))),
            }
        }
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

/// That an attachment was erased with its request.
async fn erased(db: &Database, attachment: &Attachment) -> Result<Refusal, Error> {
    let name = names::attachment(attachment.id);
    let request = attachment.request.unwrap_or_default();
    let mut connection = db.connection().await?;
    let erasure = db::erasure::of_requests(&mut connection, &[request])
        .await?
        .remove(&request);
    Ok(erasure.map_or_else(|| Refusal::not_found(&name), |erasure| erasure.told(&name).refusal()))
}

/// That an attachment was dropped or erased while it was sent; none when that is not why it could not be read.
async fn gone_meanwhile(db: &Database, id: Uuid) -> Option<Error> {
    let found = {
        let mut connection = db.connection().await.ok()?;
        db::attachment::get(&mut connection, &[id]).await.ok()?.remove(&id)
    };
    let Some(found) = found else {
        return Some(Refusal::not_found(&names::attachment(id)).into());
    };
    if !found.is_erased() {
        return None;
    }
    erased(db, &found).await.ok().map(Error::from)
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
