//! DownloadAnswer.

use futures::{StreamExt, stream};
use legalstat_answer_document::{
    Format,
    answer::{Approval, Capacity, Document, Language},
};
use legalstat_kit::{
    Call, Error, Violations,
    door::{wire, word},
};
use legalstat_proto::requests::v1::{
    AnswerFile, AnswerFormat, DownloadAnswerRequest, DownloadAnswerResponse, download_answer_response::Part,
    request_intake_service_server::RequestIntakeService,
};

use super::{
    RequestIntake,
    answering::{self, Standing, language},
    get_answer::name,
};
use crate::{
    db::answer::Approved,
    domain::{answering::day, decision::OfficialCapacity},
};

type Download = <RequestIntake as RequestIntakeService>::DownloadAnswerStream;

/// How many bytes one message of the stream has at most.
const CHUNK: usize = 64 * 1024;

/// What is downloaded: a document, or the very bytes that are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Pdf,
    Xlsx,
    Json,
    Canonical,
}

const ALL: [Wanted; 4] = [Wanted::Pdf, Wanted::Xlsx, Wanted::Json, Wanted::Canonical];

fn format(wanted: Wanted) -> i32 {
    match wanted {
        Wanted::Pdf => AnswerFormat::Pdf,
        Wanted::Xlsx => AnswerFormat::Xlsx,
        Wanted::Json => AnswerFormat::Json,
        Wanted::Canonical => AnswerFormat::CanonicalJson,
    }
    .into()
}

impl Wanted {
    /// The ending of its file's name, and its media type.
    const fn file(self) -> (&'static str, &'static str) {
        match self {
            Self::Pdf => ("pdf", "application/pdf"),
            Self::Xlsx => (
                "xlsx",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            ),
            Self::Json => ("json", "application/json"),
            Self::Canonical => ("rfc8785.json", "application/json"),
        }
    }
}

pub(super) async fn download_answer(
    service: &RequestIntake,
    call: &Call,
    message: DownloadAnswerRequest,
) -> Result<Download, Error> {
    let mut violations = Violations::new();
    let id = name(&mut violations, &message.name);
    let wanted = word::required(&mut violations, "format", message.format, &ALL, format);
    let asked = word::optional(&mut violations, "language", message.language, &Language::ALL, language);
    let (id, wanted) = violations.sound(id.zip(wanted))?;
    let standing = answering::standing(service, call, id).await?;
    let answer_sha256 = hex::encode(&standing.version.sha256);
    let (ending, media_type) = wanted.file();
    let number = standing
        .stored
        .registration_number
        .as_ref()
        .unwrap_or(&standing.stored.receipt.coupon_number);
    let filename = format!("answer-{number}.{ending}");
    let content = match wanted {
        Wanted::Pdf => service.rendering.render(document(standing, asked), Format::Pdf).await?,
        Wanted::Xlsx => {
            service
                .rendering
                .render(document(standing, asked), Format::Xlsx)
                .await?
        }
        Wanted::Json => {
            service
                .rendering
                .render(document(standing, asked), Format::Json)
                .await?
        }
        Wanted::Canonical => standing.version.canonical,
    };
    let file = AnswerFile {
        filename,
        media_type: media_type.to_owned(),
        size_bytes: i64::try_from(content.len()).unwrap_or(i64::MAX),
        sha256: hex::encode(wire::sha256(&content)),
        answer_sha256,
    };
    let chunks: Vec<Vec<u8>> = content.chunks(CHUNK).map(<[u8]>::to_vec).collect();
    let parts = std::iter::once(Part::File(file)).chain(chunks.into_iter().map(Part::Chunk));
    Ok(stream::iter(parts.map(|part| Ok(DownloadAnswerResponse { part: Some(part) }))).boxed())
}

fn document(standing: Standing, asked: Option<Language>) -> Document {
    Document {
        language: asked.unwrap_or(standing.answer.language),
        approval: standing.version.approval.map(approval),
        answer: standing.answer,
    }
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
