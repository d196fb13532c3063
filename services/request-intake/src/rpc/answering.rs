//! What the methods of answers have in common: reading an answer as it stands, and writing it in the words of the contracts.

use legalstat_answer_document::answer as document;
use legalstat_kit::{Call, Error, Refusal, door::wire};
use legalstat_proto::{
    common::v1::{self as common, ErrorReason},
    requests::v1::{self as proto, AnswerFigure, AnswerReason, AnsweredItem},
};
use sqlx::PgConnection;
use tonic::Code;
use uuid::Uuid;

use super::{RequestIntake, convert, seeing};
use crate::{
    db::{
        self,
        answer::{Approved, Version},
        request::Stored,
    },
    domain::{
        amendment,
        attachment::Attachment,
        dispatch::{Dispatch, Means, SignatureVerdict, SignerComparison},
        names,
        request::{State, Unit},
    },
    error,
};
use legalstat_kit::door::word::Word as _;

/// An answer as it stands, not yet taken apart.
pub(super) struct Standing {
    pub stored: Stored,
    pub version: Version,
    pub dispatch: Option<Dispatch>,
    /// The file that proves the dispatch, for those who may see it.
    pub proof_file: Option<Attachment>,
    /// Whether it answers the request as it was before, and is not dispatched.
    pub is_outdated: bool,
}

/// The answer to a request, as this caller sees it: a draft is for officials.
///
/// # Errors
/// NOT_FOUND when the caller sees no such request, or no answer of it; DATA_ERASED.
pub(super) async fn standing(service: &RequestIntake, call: &Call, id: Uuid) -> Result<Standing, Error> {
    let mut snapshot = service.context.db.snapshot().await?;
    let connection = &mut *snapshot;
    let stored = db::request::get(connection, &[id]).await?.remove(&id);
    let stored = seeing::visible(&service.rules, &service.context, call, id, stored.transpose()?).await?;
    if !call.caller.is_official() && stored.standing.state != State::Answered {
        return Err(missing(id).into());
    }
    of_stored(connection, stored, call.caller.is_official()).await
}

/// The answer to a request that is answered, whoever asks.
///
/// # Errors
/// FAILED_PRECONDITION with WRONG_STATE before its dispatch, with DATA_ERASED once its data were erased.
pub(super) async fn dispatched(service: &RequestIntake, id: Uuid) -> Result<Standing, Error> {
    let mut snapshot = service.context.db.snapshot().await?;
    let connection = &mut *snapshot;
    let stored = db::request::get(connection, &[id]).await?.remove(&id);
    let stored = stored.transpose()?.ok_or_else(|| error::not_found(id))?;
    match stored.standing.state {
        State::Answered => of_stored(connection, stored, false).await,
        state => {
            let message = "no answer to this request is dispatched";
            let refusal = Refusal::new(Code::FailedPrecondition, ErrorReason::WrongState, message)
                .with("state", state.word())
                .with("allowed_states", State::Answered.word());
            Err(refusal.about(&name(id)).into())
        }
    }
}

async fn of_stored(connection: &mut PgConnection, stored: Stored, for_official: bool) -> Result<Standing, Error> {
    let id = stored.receipt.id;
    if let Some(erasure) = &stored.standing.erased
        && erasure.answer_versions > 0
    {
        return Err(erasure.told(&name(id)).refusal().into());
    }
    let version = db::answer::last(connection, id).await?.ok_or_else(|| missing(id))?;
    let dispatch = db::answer::dispatched(connection, id).await?;
    let proof_file = dispatch.as_ref().and_then(|dispatch| dispatch.proof_file);
    let proof_file = match proof_file.filter(|_| for_official) {
        Some(file) => db::attachment::get(connection, &[file]).await?.remove(&file),
        None => None,
    };
    let is_outdated = dispatch.is_none() && !is_current(connection, &stored, &version).await?;
    Ok(Standing {
        stored,
        version,
        dispatch,
        proof_file,
        is_outdated,
    })
}

/// There is no answer, or not for this caller.
pub(super) fn missing(id: Uuid) -> Refusal {
    Refusal::not_found(&name(id))
}

/// The name of the answer to a request.
pub(super) fn name(id: Uuid) -> String {
    format!("{}/answer", names::request(id))
}

/// Refuses what answers the request as it was before it was changed, or before some of its items went to another body.
///
/// # Errors
/// FAILED_PRECONDITION with ANSWER_OUTDATED: it is to be drafted again.
pub(super) async fn require_current(
    connection: &mut PgConnection,
    stands: &Stored,
    version: &Version,
) -> Result<(), Error> {
    if is_current(connection, stands, version).await? {
        return Ok(());
    }
    Err(error::answer_outdated(&names::request(stands.receipt.id), version.version).into())
}

/// Whether a version answers the request as it stands.
async fn is_current(connection: &mut PgConnection, stands: &Stored, version: &Version) -> Result<bool, sqlx::Error> {
    let forwarded = db::decision::forwarded_items(connection, stands.receipt.id).await?;
    let asked = amendment::digest(&stands.submission, &forwarded);
    Ok(version.submission_sha256.as_deref() == Some(&asked[..]))
}

/// The answer of a version.
pub(super) fn read(version: &Version) -> anyhow::Result<document::Answer> {
    Ok(legalstat_answer_document::read(&version.canonical)?)
}

/// The answer as a transaction leaves it, for [`super::deciding::decide_to`].
pub(super) async fn left(connection: &mut PgConnection, left: Stored) -> Result<proto::Answer, Error> {
    // Only officials change answers.
    to_answer(of_stored(connection, left, true).await?)
}

/// An answer as its callers see it.
///
/// # Errors
/// When what is stored is no answer.
pub(super) fn to_answer(standing: Standing) -> Result<proto::Answer, Error> {
    let answer = read(&standing.version)?;
    let Standing {
        stored,
        version,
        dispatch,
        proof_file,
        is_outdated,
    } = standing;
    Ok(proto::Answer {
        name: name(stored.receipt.id),
        etag: convert::etag(&stored.standing),
        version: version.version,
        language: language(answer.language),
        opening: answer.opening,
        items: answer.items.into_iter().map(item).collect(),
        sources: answer.sources.into_iter().map(source).collect(),
        appeal: answer.appeal.into_iter().map(reason).collect(),
        drafted_by: answer.drafted_by,
        edited_by: answer.edited_by,
        update_time: Some(wire::to_timestamp(version.written_at)),
        sha256: hex::encode(version.sha256),
        approval: version.approval.map(approval),
        dispatch: dispatch.map(|dispatch| to_dispatch(dispatch, proof_file)),
        outdated: is_outdated,
    })
}

fn item(item: document::AnsweredItem) -> AnsweredItem {
    AnsweredItem {
        description: item.description,
        unit: Unit::read(&item.unit).map(convert::unit).unwrap_or_default(),
        period: item.period,
        until_period: item.until_period,
        provision: match item.provision {
            document::Provision::Provided => proto::ItemProvision::Provided,
            document::Provision::PartlyProvided => proto::ItemProvision::PartlyProvided,
            document::Provision::NotProvided => proto::ItemProvision::NotProvided,
        }
        .into(),
        figures: item.figures.into_iter().map(figure).collect(),
        not_provided: item.not_provided.into_iter().map(reason).collect(),
        remark: item.remark,
    }
}

fn figure(figure: document::Figure) -> AnswerFigure {
    let breakdown = figure.breakdown.into_iter().map(|by| proto::FigureBreakdown {
        dimension: by.dimension,
        code: Some(named(by.code)),
    });
    let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    AnswerFigure {
        indicator: Some(named(figure.indicator)),
        territory: Some(named(figure.territory)),
        period: figure.period,
        breakdown: breakdown.collect(),
        value: figure.value,
        status: figure.status,
        note: Some(text(figure.note)),
        parts: figure.total_of.map(|of| count(of.parts)).unwrap_or_default(),
        missing_parts: figure.total_of.map(|of| count(of.missing)).unwrap_or_default(),
        edition: figure.edition,
        by_hand: figure.by_hand,
    }
}

fn named(named: document::Named) -> proto::NamedCode {
    proto::NamedCode {
        code: named.code,
        title: Some(text(named.title)),
    }
}

fn text(words: document::Words) -> common::LocalizedText {
    let document::Words { kk, ru, en } = words;
    common::LocalizedText { kk, ru, en }
}

fn reason(reason: document::Reason) -> AnswerReason {
    let document::Law {
        act,
        provision,
        uri,
        assumed,
    } = reason.legal_basis;
    AnswerReason {
        word: reason.word,
        text: Some(text(reason.text)),
        legal_basis: Some(common::LegalBasis {
            act,
            provision,
            uri,
            assumed,
        }),
    }
}

fn source(source: document::Source) -> proto::AnswerSource {
    proto::AnswerSource {
        edition: source.edition,
        title: Some(text(source.title)),
        revision: i32::try_from(source.revision).unwrap_or(i32::MAX),
        content_sha256: source.sha256,
        address: source.address,
    }
}

fn approval(approved: Approved) -> proto::AnswerApproval {
    let compared = SignerComparison::of(approved.verdict, &approved.signer, &approved.approved_by);
    proto::AnswerApproval {
        signer_comparison: match compared {
            SignerComparison::SameName => proto::SignerComparison::SameName,
            SignerComparison::OtherName => proto::SignerComparison::OtherName,
            SignerComparison::NotCompared => proto::SignerComparison::NotCompared,
        }
        .into(),
        approved_by: approved.approved_by,
        capacity: convert::official_capacity(approved.capacity),
        approve_time: Some(wire::to_timestamp(approved.approved_at)),
        signature: approved.signature,
        verdict: match approved.verdict {
            SignatureVerdict::Valid => proto::AnswerSignatureVerdict::Valid,
            SignatureVerdict::NobodyTrusted => proto::AnswerSignatureVerdict::NobodyTrusted,
            SignatureVerdict::Unsupported => proto::AnswerSignatureVerdict::Unsupported,
        }
        .into(),
        signer: approved.signer,
    }
}

fn to_dispatch(dispatch: Dispatch, proof_file: Option<Attachment>) -> proto::Dispatch {
    proto::Dispatch {
        means: means(dispatch.means),
        dispatch_time: Some(wire::to_timestamp(dispatch.dispatched_at)),
        proof: dispatch.proof,
        recorded_by: dispatch.recorded_by,
        record_time: Some(wire::to_timestamp(dispatch.recorded_at)),
        proof_file: proof_file.map(|file| proto::ProofFile {
            name: names::attachment(file.id),
            filename: file.filename,
            content_type: file.content_type,
            size_bytes: file.size_bytes,
            sha256: hex::encode(file.sha256),
        }),
    }
}

/// The means of a dispatch.
pub(super) fn means(means: Means) -> i32 {
    match means {
        Means::UnifiedEdms => proto::DispatchMeans::UnifiedEdms,
        Means::Kadagalau => proto::DispatchMeans::Kadagalau,
        Means::EGovernment => proto::DispatchMeans::EGovernment,
        Means::Post => proto::DispatchMeans::Post,
        Means::InPerson => proto::DispatchMeans::InPerson,
        Means::Email => proto::DispatchMeans::Email,
    }
    .into()
}

/// The language of an answer.
pub(super) fn language(language: document::Language) -> i32 {
    match language {
        document::Language::Kk => proto::AnswerLanguage::Kk,
        document::Language::Ru => proto::AnswerLanguage::Ru,
        document::Language::En => proto::AnswerLanguage::En,
    }
    .into()
}
