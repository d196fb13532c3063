//! DownloadAnswer.

use std::sync::Arc;

use futures::{StreamExt, stream};
use legalstat_answer_document::{
    Format,
    answer::{Approval, Capacity, Document, Language},
};
use legalstat_kit::{
    Call, Error, Violations,
    door::{wire, word},
    write,
};
use legalstat_proto::requests::v1::{
    AnswerFile, AnswerFormat, DownloadAnswerRequest, DownloadAnswerResponse, download_answer_response::Part,
    request_intake_service_server::RequestIntakeService,
};

use super::{
    RequestIntake,
    answering::{self, Standing, language},
    parse,
};
use crate::{
    db::answer::{Approved, Version},
    domain::{answering::day, decision::OfficialCapacity},
    rendering::{For, Key},
};

pub(super) type Download = <RequestIntake as RequestIntakeService>::DownloadAnswerStream;

/// How many bytes one message of the stream has at most.
const CHUNK: usize = 64 * 1024;

const ALL: [AnswerFormat; 4] = [
    AnswerFormat::Pdf,
    AnswerFormat::Xlsx,
    AnswerFormat::Json,
    AnswerFormat::CanonicalJson,
];

/// What is downloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    format: AnswerFormat,
    /// That of the answer when it is not set.
    language: Option<Language>,
}

impl Wanted {
    /// Reads the fields `format` and `language`.
    pub fn read(violations: &mut Violations, format: i32, asked: i32) -> Option<Self> {
        let format = word::required(violations, "format", format, &ALL, i32::from);
        let language = word::optional(violations, "language", asked, &Language::ALL, language);
        Some(Self {
            format: format?,
            language,
        })
    }

    /// How it is rendered; `None` of the very bytes that are signed.
    const fn rendered(self) -> Option<Format> {
        match self.format {
            AnswerFormat::Pdf => Some(Format::Pdf),
            AnswerFormat::Xlsx => Some(Format::Xlsx),
            AnswerFormat::Json => Some(Format::Json),
            AnswerFormat::CanonicalJson | AnswerFormat::Unspecified => None,
        }
    }

    /// The ending of its file's name, and its media type.
    const fn file(self) -> (&'static str, &'static str) {
        match self.rendered() {
            Some(Format::Pdf) => ("pdf", "application/pdf"),
            Some(Format::Xlsx) => (
                "xlsx",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            ),
            Some(Format::Json) => ("json", "application/json"),
            None => ("rfc8785.json", "application/json"),
        }
    }
}

pub(super) async fn download_answer(
    service: &RequestIntake,
    call: &Call,
    message: DownloadAnswerRequest,
) -> Result<Download, Error> {
    let mut violations = Violations::new();
    let id = parse::request(&mut violations, &message.name);
    let wanted = Wanted::read(&mut violations, message.format, message.language);
    let (id, wanted) = violations.sound(id.zip(wanted))?;
    let standing = answering::standing(service, call, id).await?;
    write::record_reading(&service.context, call, &answering::name(id)).await?;
    document(service, standing, wanted, For::Known).await
}

/// The answer as a document. It is rendered for one class of callers, and kept for all.
pub(super) async fn document(
    service: &RequestIntake,
    standing: Standing,
    wanted: Wanted,
    whom: For,
) -> Result<Download, Error> {
    let Standing { stored, version, .. } = standing;
    let answer_sha256 = hex::encode(&version.sha256);
    let content = match wanted.rendered() {
        None => Arc::new(version.canonical),
        Some(format) => {
            let key = Key::of(&version, format, wanted.language);
            let document = || to_document(version, wanted.language);
            service.rendering.render(key, format, whom, document).await?
        }
    };
    let (ending, media_type) = wanted.file();
    let number = stored.registration_number.unwrap_or(stored.receipt.coupon_number);
    let file = AnswerFile {
        filename: format!("answer-{number}.{ending}"),
        media_type: media_type.to_owned(),
        size_bytes: i64::try_from(content.len()).unwrap_or(i64::MAX),
        sha256: hex::encode(wire::sha256(&content)),
        answer_sha256,
    };
    // Each chunk is copied when it is asked for: of what nobody reads there is nothing but what is kept.
    let count = content.len().div_ceil(CHUNK);
    let chunks = (0..count).filter_map(move |place| content.chunks(CHUNK).nth(place).map(<[u8]>::to_vec));
    let parts = std::iter::once(Part::File(file)).chain(chunks.map(Part::Chunk));
    Ok(stream::iter(parts.map(|part| Ok(DownloadAnswerResponse { part: Some(part) }))).boxed())
}

fn to_document(version: Version, asked: Option<Language>) -> anyhow::Result<Document> {
    let answer = answering::read(&version)?;
    Ok(Document {
        language: asked.unwrap_or(answer.language),
        approval: version.approval.map(approval),
        answer,
    })
}

fn approval(approved: Approved) -> Approval {
    Approval {
        approved_by: approved.approved_by,
        capacity: match approved.capacity {
            OfficialCapacity::Head => Capacity::Head,
            OfficialCapacity::Deputy => Capacity::Deputy,
            OfficialCapacity::HeadOfApparatus => Capacity::HeadOfApparatus,
        },
        approved_at: approved.approved_at.to_string(),
        approved_on: day(approved.approved_at),
        signature: hex::encode(approved.signature),
    }
}
