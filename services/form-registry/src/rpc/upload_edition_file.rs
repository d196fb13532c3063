//! UploadEditionFile.

use std::pin::pin;

use futures::{Stream, StreamExt};
use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    files::Staged,
    partial::Resumed,
    upload::{self, Arriving, Resuming},
    write::Mutation,
};
use legalstat_proto::forms::v1::{
    Edition as Shown, UploadEditionFileHeader, UploadEditionFileRequest, upload_edition_file_request::Part,
};
use tonic::Streaming;

use super::{
    FormRegistry,
    changing::{self, Asked, Changed, decided},
    door,
};
use crate::{
    db,
    domain::{
        edition::EditionFile,
        key::EditionKey,
        media::{self, Fault, MediaType},
    },
};

const NAME: &str = "header.name";

/// What a caller says of a file that says nothing.
const ANY_TYPE: &str = "application/octet-stream";

pub(super) async fn upload_edition_file(
    registry: &FormRegistry,
    call: Call,
    messages: Streaming<UploadEditionFileRequest>,
) -> Result<Shown, Error> {
    let (mut messages, context) = (pin!(upload::arriving(messages, part)), &registry.context);
    let given = upload::header(messages.next().await)?;
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, NAME, &given.name);
    let header = read(&mut violations, &call, &given);
    let (key, header) = door::sound(violations, &context.db, (NAME, key), key.zip(header)).await?;
    let id = header.upload.request_id;
    let answered = upload::answered(context, &call, &header.upload, header.resumed.as_ref()).await?;
    let staged = match answered {
        Some(_) => None,
        None => Some(receive(registry, &call, key, &header, messages).await?),
    };
    if let Some(staged) = staged.as_ref().filter(|_| !given.validate_only) {
        let sent = upload::send(context, &call, &header.upload, staged).await;
        sent.map_err(|error| error.about(&key))?;
    }
    let sha256 = answered
        .or(staged.as_ref().map(|staged| staged.sha256))
        .unwrap_or_default();
    let body = whole(&given);
    let asked = Asked {
        field: NAME,
        key,
        mutation: Mutation::of_upload(&call, &key, id, given.validate_only, &body, &sha256),
        call,
    };
    save(registry, asked, header, staged).await
}

fn part(message: UploadEditionFileRequest) -> Option<upload::Part<UploadEditionFileHeader>> {
    Some(match message.part? {
        Part::Header(header) => upload::Part::Header(header),
        Part::Chunk(chunk) => upload::Part::Chunk(chunk),
    })
}

/// What a header says.
struct Header {
    upload: upload::Header,
    media_type: MediaType,
    language: String,
    restricted: bool,
    /// How it is resumed, if it may be.
    resumed: Option<Resumed>,
}

/// The header of the whole upload, whichever part of it this call brings.
fn whole(given: &UploadEditionFileHeader) -> UploadEditionFileHeader {
    UploadEditionFileHeader {
        offset: 0,
        ..given.clone()
    }
}

fn read(violations: &mut Violations, call: &Call, given: &UploadEditionFileHeader) -> Option<Header> {
    let media_type = MediaType::of_name(given.filename.trim());
    let says_nothing = given.content_type.is_empty() || given.content_type == ANY_TYPE;
    let content_type = match media_type {
        Some(media_type) if says_nothing => media_type.name(),
        None if says_nothing => ANY_TYPE,
        _ => &given.content_type,
    };
    let (sha256, id) = (&given.sha256, &given.request_id);
    let upload = upload::Header::read(violations, &given.filename, content_type, sha256, id);
    match media_type {
        None if !upload.filename.is_empty() => violations.add(
            "header.filename",
            FieldReason::MediaType,
            "a name that ends in .xlsx, .csv or .pdf: it tells what the file is",
        ),
        Some(media_type) if !content_type.eq_ignore_ascii_case(media_type.name()) => {
            let description = format!("the file's name says {}", media_type.name());
            violations.add("header.content_type", FieldReason::MediaType, description);
        }
        _ => {}
    }
    let language = given.language.clone();
    let is_code = |code: &str| (2..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_lowercase());
    if !language.is_empty() && !is_code(&language) {
        let description = "two or three lower case letters of ISO 639, for example kk";
        violations.add("header.language", FieldReason::Language, description);
    }
    let resuming = Resuming {
        resumable: given.resumable,
        size_bytes: given.size_bytes,
        offset: given.offset,
    };
    let resumed = resuming.read(violations, call, &upload, &whole(given));
    Some(Header {
        upload,
        media_type: media_type?,
        language,
        restricted: given.restricted,
        resumed,
    })
}

/// Receives the content and looks at it, after what would be refused anyway.
async fn receive(
    registry: &FormRegistry,
    call: &Call,
    key: EditionKey,
    header: &Header,
    messages: impl Stream<Item = Arriving<UploadEditionFileHeader>>,
) -> Result<Staged, Error> {
    let context = &registry.context;
    upload::refuse_early(context, call, &header.upload, async |connection| {
        registry.schedule.require_whole()?;
        let now = context.now();
        let edition = door::find(connection, NAME, key, now).await?;
        decided(key, edition.accepts_content(now))
    })
    .await?;
    let staged = match &header.resumed {
        Some(resumed) => upload::resume(&registry.files, messages, resumed).await,
        None => upload::receive(&registry.files, messages, &header.upload).await,
    };
    let staged = staged.map_err(|error| error.about(&key))?;
    let media_type = header.media_type;
    let faults = staged.examine(move |file| media::faults(media_type, file)).await?;
    if let Err(refusal) = refuse(&faults) {
        staged.discard();
        return Err(refusal.about(&key).into());
    }
    Ok(staged)
}

fn refuse(faults: &[Fault]) -> Result<(), Refusal> {
    let mut violations = Violations::new();
    for fault in faults {
        let reason = match fault {
            Fault::OtherContent(_) => FieldReason::Content,
            Fault::Archive(_) => FieldReason::Archive,
            Fault::Formula(_) => FieldReason::Formula,
        };
        violations.add("chunk", reason, fault.to_string());
    }
    violations.refuse()
}

async fn save(registry: &FormRegistry, asked: Asked, header: Header, staged: Option<Staged>) -> Result<Shown, Error> {
    let (key, keeps) = (asked.key, !asked.mutation.validate_only);
    changing::carry_out(registry, asked, move |edition, connection, uploaded| {
        Box::pin(async move {
            let staged = staged.ok_or_else(|| anyhow::anyhow!("an answer that was stored is gone"))?;
            let prepared = match edition.clone().prepare(uploaded.clone()) {
                Ok(prepared) => prepared,
                Err(obstacle) => {
                    staged.discard();
                    return Err(obstacle.refusal(&key).into());
                }
            };
            let file = EditionFile {
                content: staged.content(&header.upload, uploaded)?,
                language: header.language,
                restricted: header.restricted,
            };
            let open = prepared.open_revision();
            if open.is_some_and(|open| open.files.iter().any(|held| held.is_repeated_by(&file))) {
                staged.discard();
                return Ok(Changed::Not(edition, "edition.preparation_repeated"));
            }
            if let Some(open) = open {
                db::revision::save_last(connection, key, open).await?;
                db::revision::add_file(connection, key, open.number, &file).await?;
            }
            let edition = decided(key, prepared.with_file(file))?;
            if keeps {
                staged.keep().await?;
            } else {
                // Only a check: nothing waits for its rest.
                staged.discard();
            }
            Ok(Changed::To(edition, "edition.prepared"))
        })
    })
    .await
}
