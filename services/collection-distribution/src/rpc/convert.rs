//! Between the contract's messages and the service's own types.

use jiff::Timestamp;
use legalstat_kit::{
    Violations,
    call::Done,
    door::{
        wire,
        word::{self, Word},
    },
    due::{Punctuality, scheduled::Scheduled},
};
use legalstat_proto::{calendar::v1::DueDateChange, collections::v1 as proto};

use super::sight::Sight;
use crate::db::revision::Revision;
use crate::domain::{
    collection::{Collection, Periodicity, Title},
    content::{self, EditionFile, Files},
    copy::{Copy, CopyState, Status},
    delivery::{Attempt, Delivery, Outcome},
    distribution::{Cell, Distribution, Group},
    edition::{Edition, EditionState},
    key,
    marking::OfficialUse,
    punctuality::{CopyCounts, EditionCounts},
    receipt::{Receipt, Rejection, Way},
    statement::{self, Proof, Statement},
};
use crate::receiving;

/// Reads an optional state of editions; unspecified means any.
pub(super) fn optional_edition_state(violations: &mut Violations, field: &str, number: i32) -> Option<EditionState> {
    word::optional(violations, field, number, EditionState::ALL, to_edition_state)
}

/// Reads an optional state of copies; unspecified means any.
pub(super) fn optional_copy_state(violations: &mut Violations, field: &str, number: i32) -> Option<CopyState> {
    word::optional(violations, field, number, CopyState::ALL, to_copy_state)
}

fn to_edition_state(state: EditionState) -> i32 {
    let state = match state {
        EditionState::Scheduled => proto::EditionState::Scheduled,
        EditionState::Prepared => proto::EditionState::Prepared,
        EditionState::Sealed => proto::EditionState::Sealed,
        EditionState::PartlyReleased => proto::EditionState::PartlyReleased,
        EditionState::Released => proto::EditionState::Released,
        EditionState::Recalled => proto::EditionState::Recalled,
    };
    state.into()
}

fn to_copy_state(state: CopyState) -> i32 {
    let state = match state {
        CopyState::Issued => proto::CopyState::Issued,
        CopyState::Received => proto::CopyState::Received,
        CopyState::Sending => proto::CopyState::Sending,
        CopyState::Rejected => proto::CopyState::Rejected,
        CopyState::Failed => proto::CopyState::Failed,
        CopyState::Recalled => proto::CopyState::Recalled,
    };
    state.into()
}

/// Writes a collection with what it is called.
pub(super) fn to_collection(collection: Collection, title: Option<&Title>) -> proto::Collection {
    let periodicity = match collection.periodicity {
        Periodicity::Quarterly => proto::Periodicity::Quarterly,
        Periodicity::HalfYearAndYear => proto::Periodicity::HalfYearAndYear,
    };
    let duty = collection.duty;
    proto::Collection {
        name: duty.parent,
        title: Some(title.map_or(collection.title, |title| title.text.clone()).into()),
        periodicity: periodicity.into(),
        due_day: duty.due_day,
        roll_forward: duty.roll_forward,
        roll_forward_basis: Some(duty.roll_forward_basis.into()),
        copies_total: collection.copies_total,
        legal_basis: Some(duty.legal_basis.into()),
        valid_from: Some(wire::to_date(duty.valid_from)),
        valid_to: duty.valid_to.map(wire::to_date),
        etag: title.map(|title| title.number.to_string()).unwrap_or_default(),
        title_from: title.map(|title| wire::to_date(title.valid_from)),
    }
}

fn to_cell(cell: &Cell) -> proto::DistributionCell {
    proto::DistributionCell {
        recipient: key::recipient(&cell.recipient),
        column: cell.column,
        copies: cell.copies.unwrap_or_default(),
        unresolved: cell.copies.is_none(),
        legal_basis: Some(cell.legal_basis.clone().into()),
    }
}

fn to_group(group: &Group) -> proto::UnresolvedGroup {
    proto::UnresolvedGroup {
        first_column: group.first_column,
        last_column: group.last_column,
        copies: group.copies,
        legal_basis: Some(group.legal_basis.clone().into()),
    }
}

pub(super) fn to_distribution_list(collection: &str, distribution: &Distribution) -> proto::DistributionList {
    proto::DistributionList {
        name: key::distribution_list(collection),
        cells: distribution.cells().iter().map(to_cell).collect(),
        unresolved_groups: distribution.unresolved_groups().iter().map(to_group).collect(),
        copies_total: distribution.copies_total(),
        legal_basis: Some(distribution.legal_basis().into()),
        ..Default::default()
    }
}

pub(crate) fn to_content(file: EditionFile) -> proto::EditionContent {
    let EditionFile { content, language } = file;
    proto::EditionContent {
        filename: content.filename,
        content_type: content.content_type,
        size_bytes: content.size_bytes,
        sha256: hex::encode(content.sha256),
        uploaded_at: Some(wire::to_timestamp(content.uploaded.at)),
        language,
    }
}

fn to_manifest(files: Files) -> proto::ContentManifest {
    let files = files.into_iter().map(|file| proto::ManifestFile {
        filename: file.content.filename,
        content_type: file.content.content_type,
        size_bytes: file.content.size_bytes,
        sha256: hex::encode(file.content.sha256),
        language: file.language,
    });
    proto::ContentManifest {
        format: content::FORMAT.to_owned(),
        files: files.collect(),
    }
}

fn to_official_use(official_use: OfficialUse) -> proto::OfficialUse {
    proto::OfficialUse {
        copies: official_use.copies,
        reason: official_use.reason,
        expires_on: official_use.expires_on.map(wire::to_date),
    }
}

/// Writes an edition as a caller sees it: with its content, its marking and its embargo, or without.
pub(super) fn to_edition_for(sight: &Sight, mut edition: Edition, moves: Vec<DueDateChange>) -> proto::Edition {
    if !sight.shows(&edition) {
        edition.files = Files::default();
        (edition.official_use, edition.embargo_until) = (None, None);
    }
    to_edition(edition, moves)
}

/// Writes an edition with how its due date moved.
pub(super) fn to_edition(mut edition: Edition, moves: Vec<DueDateChange>) -> proto::Edition {
    let files = std::mem::take(&mut edition.files);
    let files: Vec<_> = files.into_iter().map(to_content).collect();
    proto::Edition {
        name: edition.key.to_string(),
        collection: key::collection(&edition.key.collection),
        period: edition.key.period.to_string(),
        state: to_edition_state(edition.standing()),
        due_date: Some(wire::to_date(edition.due.date)),
        due_time: Some(wire::to_timestamp(edition.due.time)),
        provisional: edition.due.provisional,
        assumed: edition.due.assumed,
        calendar_version: edition.due.calendar_version,
        content: files.first().cloned(),
        files,
        official_use: edition.official_use.map(to_official_use),
        embargo_until: edition.embargo_until.map(wire::to_timestamp),
        sealed_at: edition.sealed.map(|done| wire::to_timestamp(done.at)),
        released_at: edition.released.map(|done| wire::to_timestamp(done.at)),
        copies_issued: edition.copies_issued,
        due_date_changes: moves,
        revision: edition.revision,
        copies_total: edition.copies_total,
        partly_released_at: edition.partly_released.map(|done| wire::to_timestamp(done.at)),
        revisions: Vec::new(),
    }
}

/// Adds the revisions of an edition to what is told of it.
pub(super) fn with_revisions(edition: proto::Edition, revisions: Vec<Revision>) -> proto::Edition {
    proto::Edition {
        revisions: revisions.into_iter().map(to_revision).collect(),
        ..edition
    }
}

pub(super) fn to_revision(revision: Revision) -> proto::EditionRevision {
    let at = |done: Option<Done>| done.map(|done| wire::to_timestamp(done.at));
    let confirmed = revision.recall_confirmed;
    let recall = revision.recalled.map(|recall| proto::EditionRecall {
        reason: recall.reason,
        recalled_at: Some(wire::to_timestamp(recall.done.at)),
        recalled_by: recall.done.by,
        copies_confirmed: confirmed,
    });
    proto::EditionRevision {
        revision: revision.number,
        content_sha256: hex::encode(revision.content_sha256),
        sealed_at: at(revision.sealed),
        partly_released_at: at(revision.partly_released),
        released_at: at(revision.released),
        recall,
        copies_issued: revision.copies_issued,
        first_number: revision.first_number.unwrap_or_default(),
        manifest: Some(to_manifest(revision.files)),
        official_use: revision.official_use.map(to_official_use),
        embargo_until: revision.embargo_until.map(wire::to_timestamp),
    }
}

fn to_punctuality(punctuality: Punctuality) -> i32 {
    let punctuality = match punctuality {
        Punctuality::OnTime => proto::Punctuality::OnTime,
        Punctuality::Late => proto::Punctuality::Late,
        Punctuality::NotDue => proto::Punctuality::NotDue,
        Punctuality::Overdue => proto::Punctuality::Overdue,
        Punctuality::NotKept => proto::Punctuality::NotKept,
    };
    punctuality.into()
}

pub(super) fn to_edition_counts(counts: EditionCounts) -> proto::EditionCounts {
    proto::EditionCounts {
        expected: counts.expected,
        on_time: counts.on_time,
        late: counts.late,
        days_late: counts.days_late,
        most_days_late: counts.most_days_late,
        overdue: counts.overdue,
        days_overdue: counts.days_overdue,
        most_days_overdue: counts.most_days_overdue,
        not_due: counts.not_due,
        due_today: counts.due_today,
        due_soon: counts.due_soon,
        not_kept: counts.not_kept,
    }
}

pub(super) fn to_copy_counts(counts: &CopyCounts) -> proto::CopyCounts {
    proto::CopyCounts {
        issued: counts.issued,
        on_time: counts.on_time,
        late: counts.late,
        unconfirmed: counts.unconfirmed,
        overdue: counts.overdue,
        rejected: counts.rejected,
        recalled: counts.recalled,
        not_kept: counts.not_kept,
        median_days: counts.median_days(),
        most_days: counts.most_days(),
    }
}

/// Writes a line of a schedule.
pub(super) fn to_schedule_item(item: Scheduled, state: EditionState, punctuality: Punctuality) -> proto::ScheduleItem {
    proto::ScheduleItem {
        edition: item.name(),
        collection: item.parent,
        period: item.period.to_string(),
        due_date: Some(wire::to_date(item.due.date)),
        provisional: item.due.provisional,
        assumed: item.due.assumed,
        state: to_edition_state(state),
        due_date_revision: i32::try_from(item.moves).unwrap_or(i32::MAX),
        punctuality: to_punctuality(punctuality),
    }
}

fn to_way(way: Way) -> i32 {
    let way = match way {
        Way::Pull => proto::ReceiptWay::Pull,
        Way::Push => proto::ReceiptWay::Push,
    };
    way.into()
}

fn to_rejection(rejection: Rejection) -> proto::Rejection {
    proto::Rejection {
        reason: rejection.reason,
        rejected_by: rejection.said_by,
        recorded_at: Some(wire::to_timestamp(rejection.recorded_at)),
        way: to_way(rejection.way),
        successor: rejection.successor.as_deref().map(key::recipient).unwrap_or_default(),
    }
}

fn to_receipt(copy: &Copy, receipt: &Receipt) -> proto::Receipt {
    let signed = receipt.signed.as_ref();
    proto::Receipt {
        statement: Some(receiving::statement(copy, receipt.received_at)),
        signing_key: signed
            .map(|signed| key::recipient_key(receipt.signer(&copy.recipient), &signed.key))
            .unwrap_or_default(),
        signature: signed.map(|signed| signed.signature.to_vec()).unwrap_or_default(),
        confirmed_by: receipt.said_by.clone(),
        recorded_at: Some(wire::to_timestamp(receipt.recorded_at)),
        way: to_way(receipt.way),
        late: receipt.late,
        successor: receipt.successor.as_deref().map(key::recipient).unwrap_or_default(),
    }
}

/// Writes a copy with the statement that was signed.
pub(crate) fn to_full_copy(copy: Copy, now: Timestamp) -> proto::Copy {
    let statement = copy.statement().map(to_statement);
    proto::Copy {
        statement,
        ..to_copy(copy, now)
    }
}

fn to_statement(statement: Statement) -> proto::CopyStatement {
    proto::CopyStatement {
        format: statement::FORMAT.to_owned(),
        copy: statement.copy.to_string(),
        number: statement.copy.number,
        ordinal: statement.ordinal,
        copies_total: statement.copies_total,
        revision: statement.revision,
        recipient: key::recipient(&statement.recipient),
        content_sha256: hex::encode(statement.content_sha256),
        sending_body: key::body(&statement.sending_body),
        issued_at: Some(wire::to_timestamp(statement.issued_at)),
        official_use: statement.official_use.map(to_official_use),
    }
}

/// Writes a copy as it stands at an instant.
pub(super) fn to_copy(copy: Copy, now: Timestamp) -> proto::Copy {
    let receipt = copy.receipt.as_ref().map(|receipt| to_receipt(&copy, receipt));
    let overdue = copy.is_overdue(now);
    let (since, reason) = match copy.status {
        Some(Status { since, reason }) => (Some(since), reason),
        None => (None, None),
    };
    proto::Copy {
        name: copy.key.to_string(),
        number: copy.key.number,
        recipient: key::recipient(&copy.recipient),
        state: to_copy_state(copy.state),
        sha256: hex::encode(copy.sha256),
        issued_at: Some(wire::to_timestamp(copy.issued_at)),
        received_at: copy.received_at.map(wire::to_timestamp),
        legal_basis: Some(copy.legal_basis.into()),
        receipt,
        rejection: copy.rejection.map(to_rejection),
        list_version: copy.list_version.unwrap_or_default(),
        status_reason: reason.unwrap_or_default(),
        status_time: since.map(wire::to_timestamp),
        due_date: Some(wire::to_date(copy.due_date)),
        overdue,
        delivery: copy.delivery.map(to_delivery),
        revision: copy.revision,
        recalled_at: copy.recalled_at.map(wire::to_timestamp),
        recall_confirmed_at: copy.recall_confirmed_at.map(wire::to_timestamp),
        official_use: copy.official_use.map(to_official_use),
        ..copy.proof.map(to_signed).unwrap_or_default()
    }
}

fn to_delivery(delivery: Delivery) -> proto::CopyDelivery {
    proto::CopyDelivery {
        delivery_id: delivery.id.to_string(),
        attempts: delivery.attempts,
        next_attempt_time: delivery.next_attempt_at.map(wire::to_timestamp),
        last_outcome: delivery.last_outcome.map_or(0, to_outcome),
    }
}

fn to_outcome(outcome: Outcome) -> i32 {
    let outcome = match outcome {
        Outcome::Received => proto::DeliveryOutcome::Received,
        Outcome::Rejected => proto::DeliveryOutcome::Rejected,
        Outcome::NoEndpoint => proto::DeliveryOutcome::NoEndpoint,
        Outcome::Unreachable => proto::DeliveryOutcome::Unreachable,
        Outcome::CertificateRefused => proto::DeliveryOutcome::CertificateRefused,
        Outcome::NoAnswer => proto::DeliveryOutcome::NoAnswer,
        Outcome::BrokenOff => proto::DeliveryOutcome::BrokenOff,
        Outcome::UnreadableAnswer => proto::DeliveryOutcome::UnreadableAnswer,
        Outcome::Redirected => proto::DeliveryOutcome::Redirected,
        Outcome::Refused => proto::DeliveryOutcome::Refused,
        Outcome::Busy => proto::DeliveryOutcome::Busy,
        Outcome::ReceiptNotTrue => proto::DeliveryOutcome::ReceiptNotTrue,
        Outcome::SenderLost => proto::DeliveryOutcome::SenderLost,
    };
    outcome.into()
}

/// Writes an attempt to deliver a copy.
pub(super) fn to_attempt(attempt: Attempt) -> proto::DeliveryAttempt {
    let (end_time, outcome, detail) = match attempt.ended {
        Some(ended) => (
            Some(wire::to_timestamp(ended.at)),
            to_outcome(ended.outcome),
            ended.detail,
        ),
        None => (None, 0, None),
    };
    proto::DeliveryAttempt {
        number: attempt.number,
        start_time: Some(wire::to_timestamp(attempt.started_at)),
        end_time,
        outcome,
        detail: detail.unwrap_or_default(),
        endpoint: attempt.endpoint,
    }
}

/// What only a copy with a signed statement has.
fn to_signed(proof: Proof) -> proto::Copy {
    proto::Copy {
        ordinal: proof.ordinal,
        copies_total: proof.copies_total,
        copy_sha256: hex::encode(proof.copy_sha256),
        signing_key: proof.signing_key,
        signature: proof.signature,
        sending_body: key::body(&proof.sending_body),
        ..proto::Copy::default()
    }
}
