//! UploadAttachment: a file is received, looked at and, where it holds a signature, verified, all of it outside any transaction;
//! what is stored then is its row, and its content under its digest.

use std::{
    io::{self, Read as _},
    pin::pin,
};

use futures::{Stream, StreamExt, TryStreamExt};
use jiff::Timestamp;
use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    door::word::{self, Word as _},
    files::Staged,
    partial::Resumed,
    upload::{self, Arriving, Resuming},
    write::{self, Change, Mutation, Outcome},
};
use legalstat_proto::requests::v1::{
    Attachment as Shown, UploadAttachmentHeader, UploadAttachmentRequest, upload_attachment_request::Part,
};
use tonic::Streaming;
use uuid::{NoContext, Uuid};

use super::{RequestIntake, attaching, convert_attachments};
use crate::{
    db,
    domain::{
        attachment::{self, Attachment, Kind},
        media, names,
        told::Told,
    },
    signature::{MAX_CONTAINER, Verdict},
    signatures::Content,
};

pub(super) async fn upload_attachment(
    service: &RequestIntake,
    call: Call,
    messages: Streaming<UploadAttachmentRequest>,
) -> Result<Shown, Error> {
    let (mut messages, context) = (pin!(upload::arriving(messages, part)), &service.context);
    let given = upload::header(messages.next().await)?;
    let header = read(&call, &given)?;
    let id = header.upload.request_id;
    let answered = upload::answered(context, &call, &header.upload, header.resumed.as_ref()).await?;
    let received = match answered {
        Some(_) => None,
        None => Some(receive(service, &call, &header, messages).await?),
    };
    if let Some(received) = received.as_ref().filter(|_| !given.validate_only) {
        upload::send(context, &call, &header.upload, &received.staged).await?;
    }
    let of_content = received.as_ref().map(|received| received.staged.sha256);
    let sha256 = answered.or(of_content).unwrap_or_default();
    let body = whole(&given);
    let mutation = Mutation::of_upload(&call, &"", id, given.validate_only, &body, &sha256);
    save(service, call, mutation, header, received).await
}

fn part(message: UploadAttachmentRequest) -> Option<upload::Part<UploadAttachmentHeader>> {
    Some(match message.part? {
        Part::Header(header) => upload::Part::Header(header),
        Part::Chunk(chunk) => upload::Part::Chunk(chunk),
    })
}

/// The header of the whole upload, whichever part of it this call brings.
fn whole(given: &UploadAttachmentHeader) -> UploadAttachmentHeader {
    UploadAttachmentHeader {
        offset: 0,
        ..given.clone()
    }
}

/// What a header says.
struct Header {
    upload: upload::Header,
    /// What it says of the content; empty for nothing.
    content_type: String,
    to: attaching::To,
    /// How it is resumed, if it may be.
    resumed: Option<Resumed>,
}

fn read(call: &Call, given: &UploadAttachmentHeader) -> Result<Header, Error> {
    let mut violations = Violations::new();
    let kind = word::required(
        &mut violations,
        "header.kind",
        given.kind,
        Kind::ALL,
        convert_attachments::kind,
    );
    let filename = attachment::cleaned(&given.filename);
    // What says nothing is as good as any type, for the door wants one.
    let content_type = if given.content_type.is_empty() {
        "application/octet-stream"
    } else {
        &given.content_type
    };
    let (sha256, id) = (&given.sha256, &given.request_id);
    let upload = upload::Header::read(&mut violations, &filename, content_type, sha256, id);
    let resuming = Resuming {
        resumable: given.resumable,
        size_bytes: given.size_bytes,
        offset: given.offset,
    };
    let resumed = resuming.read(&mut violations, call, &upload, &whole(given));
    let request = named(&mut violations, "header.request", &given.request, names::parse_request);
    let signs = named(&mut violations, "header.signs", &given.signs, names::parse_attachment);
    match (kind, given.signs.is_empty()) {
        (Some(Kind::Signature), true) => {
            violations.add("header.signs", FieldReason::Required, "required of a SIGNATURE");
        }
        (Some(Kind::Attachment | Kind::SignedOriginal), false) => {
            violations.add(
                "header.signs",
                FieldReason::Conflict,
                "only a SIGNATURE signs another file",
            );
        }
        _ => {}
    }
    let kind = violations.sound(kind)?;
    Ok(Header {
        content_type: content_type.to_owned(),
        to: attaching::To { kind, request, signs },
        upload,
        resumed,
    })
}

fn named(violations: &mut Violations, field: &str, name: &str, parse: fn(&str) -> Option<Uuid>) -> Option<Uuid> {
    let id = parse(name);
    if id.is_none() && !name.is_empty() {
        violations.add(
            field,
            FieldReason::ResourceName,
            "write its name with the UUID in lower case",
        );
    }
    id
}

/// Content that was received, with what it looks like and what its signature came to.
struct Received {
    staged: Staged,
    content_type: String,
    signature: Option<Verdict>,
}

/// Receives the content and looks at it, after what would be refused anyway.
async fn receive(
    service: &RequestIntake,
    call: &Call,
    header: &Header,
    messages: impl Stream<Item = Arriving<UploadAttachmentHeader>>,
) -> Result<Received, Error> {
    let (caller, now) = (&call.caller.name, service.context.now());
    service.uploaded.take(caller, 0, now)?;
    let messages = messages.inspect(|message| {
        if let Ok(Some(upload::Part::Chunk(chunk))) = message {
            service.uploaded.add(caller, chunk.len(), now);
        }
    });
    let (mut original, asker) = (None, attaching::Asker::of(service, call));
    upload::refuse_early(&service.context, call, &header.upload, async |connection| {
        original = attaching::require(connection, &asker, &header.to).await?;
        Ok(())
    })
    .await?;
    let staged = match &header.resumed {
        Some(resumed) => upload::resume(&service.files, messages, resumed).await?,
        None => upload::receive(&service.files, messages, &header.upload).await?,
    };
    let first = staged.examine(|file| read_at_most(file, media::LOOKED_AT)).await?;
    let content_type = match media::of(&header.content_type, &first) {
        Ok(content_type) => content_type,
        Err(looks) => {
            staged.discard();
            let description = format!("the content looks like {looks}, and not like {}", header.content_type);
            return Err(Violations::one("header.content_type", FieldReason::Content, &description).into());
        }
    };
    let signature = verified(service, header.to.kind, &first, original, &staged).await?;
    Ok(Received {
        staged,
        content_type,
        signature,
    })
}

fn read_at_most(file: &mut std::fs::File, most: usize) -> io::Result<Vec<u8>> {
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(most);
    let mut bytes = Vec::with_capacity(length.min(most));
    file.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What the signature comes to that a file holds: a signature beside another file, or a signed original that is a container.
async fn verified(
    service: &RequestIntake,
    kind: Kind,
    first: &[u8],
    original: Option<Attachment>,
    staged: &Staged,
) -> Result<Option<Verdict>, Error> {
    let holds_one = match kind {
        Kind::Attachment => false,
        Kind::SignedOriginal => media::is_container(first),
        // None: it was answered before, and is not looked at.
        Kind::Signature => original.is_some(),
    };
    if !holds_one {
        return Ok(None);
    }
    let place = service.signatures.place().await?;
    // One byte more than a container may have tells that it has too many.
    let container = staged.examine(|file| read_at_most(file, MAX_CONTAINER + 1)).await?;
    let content = match original {
        None => Content::Enclosed,
        Some(original) => content(service, &original).await?,
    };
    let now = service.context.now();
    Ok(Some(place.verify(container, content, now).await?))
}

async fn content(service: &RequestIntake, original: &Attachment) -> Result<Content, Error> {
    let size = usize::try_from(original.size_bytes).map_err(anyhow::Error::new)?;
    if size > MAX_CONTAINER {
        return Ok(Content::Digest(original.sha256));
    }
    let read = service.files.read(&original.sha256).await?;
    let bytes = read.try_fold(Vec::with_capacity(size), |mut whole, chunk| async move {
        whole.extend_from_slice(&chunk);
        Ok(whole)
    });
    Ok(Content::Beside(bytes.await?))
}

async fn save(
    service: &RequestIntake,
    call: Call,
    mutation: Mutation,
    header: Header,
    received: Option<Received>,
) -> Result<Shown, Error> {
    let (keeps, limits) = (!mutation.validate_only, service.attachments.clone());
    let asker = attaching::Asker::of(service, &call);
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let received = received.ok_or_else(|| anyhow::anyhow!("an answer that was stored is gone"))?;
            let staged = received.staged;
            if let Some(request) = header.to.request {
                db::decision::lock(write.connection(), request).await?;
            }
            if let Err(error) = attaching::require(write.connection(), &asker, &header.to).await {
                staged.discard();
                return Err(error);
            }
            let uploaded_at = write.now();
            let attachment = Attachment {
                id: id_at(uploaded_at),
                kind: header.to.kind,
                filename: header.upload.filename,
                content_type: received.content_type,
                size_bytes: i64::try_from(staged.size).map_err(anyhow::Error::new)?,
                sha256: staged.sha256,
                uploaded_by: call.caller.name.clone(),
                uploaded_at,
                signs: header.to.signs,
                request: header.to.request,
                signature: received.signature,
            };
            if keeps {
                // Nobody drops the same content between this and the row that needs it.
                db::attachment::lock_content(write.connection(), &attachment.sha256).await?;
                db::attachment::insert(write.connection(), &attachment).await?;
                staged.keep().await?;
            } else {
                staged.discard();
            }
            Ok(outcome(attachment, &limits, keeps))
        })
    })
    .await
}

fn outcome(attachment: Attachment, limits: &attaching::Limits, keeps: bool) -> Outcome<Shown> {
    let mut changes = vec![Change::of(&names::attachment(attachment.id), "attachment.uploaded")];
    if let Some(request) = attachment.request {
        let told = Told {
            bad_signature: matches!(attachment.signature, Some(Verdict::NotValid(_))),
            ..Told::default()
        };
        changes.push(Change::of(&names::request(request), "request.attachment_added").telling(&told));
    }
    let expires = limits.expires(&attachment).filter(|_| keeps);
    let mut answer = convert_attachments::attachment(attachment, expires);
    if !keeps {
        answer.name.clear();
    }
    Outcome::each(changes, answer)
}

fn id_at(now: Timestamp) -> Uuid {
    let seconds = now.as_second().unsigned_abs();
    Uuid::new_v7(uuid::Timestamp::from_unix(
        NoContext,
        seconds,
        now.subsec_nanosecond().unsigned_abs(),
    ))
}

/// The refusal of a submission that names a file which another has taken meanwhile, or which was dropped.
pub(super) fn taken_meanwhile() -> Refusal {
    let description = "one of them was bound to another request meanwhile, or dropped";
    Violations::one("request.attachments", FieldReason::Conflict, description)
}
