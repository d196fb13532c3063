//! Between the contract's messages and the service's own types.

use jiff::Timestamp;
use legalstat_kit::{
    Violations,
    door::{
        wire,
        word::{self, Word},
    },
    due::{Punctuality, scheduled::Scheduled},
};
use legalstat_proto::{calendar::v1::DueDateChange, forms::v1 as proto};

use crate::domain::{
    edition::{Channel, Edition, EditionFile, EditionState, Placement, Revision},
    embargo::Embargo,
    form::{Form, Periodicity},
    key,
};

/// Reads an optional periodicity; unspecified means any.
pub(super) fn optional_periodicity(violations: &mut Violations, field: &str, number: i32) -> Option<Periodicity> {
    word::optional(violations, field, number, Periodicity::ALL, to_periodicity)
}

/// Reads an optional state; unspecified means any.
pub(super) fn optional_state(violations: &mut Violations, field: &str, number: i32) -> Option<EditionState> {
    word::optional(violations, field, number, EditionState::ALL, to_state)
}

/// Reads a required channel.
pub(super) fn channel(violations: &mut Violations, field: &str, number: i32) -> Option<Channel> {
    word::required(violations, field, number, Channel::ALL, to_channel)
}

/// Reads an optional channel; unspecified means any.
pub(super) fn optional_channel(violations: &mut Violations, field: &str, number: i32) -> Option<Channel> {
    word::optional(violations, field, number, Channel::ALL, to_channel)
}

fn to_periodicity(periodicity: Periodicity) -> i32 {
    let periodicity = match periodicity {
        Periodicity::Monthly => proto::Periodicity::Monthly,
        Periodicity::Quarterly => proto::Periodicity::Quarterly,
    };
    periodicity.into()
}

fn to_channel(channel: Channel) -> i32 {
    let channel = match channel {
        Channel::InformationService => proto::Channel::InformationService,
        Channel::OfficialWebsite => proto::Channel::OfficialWebsite,
        Channel::OpenDataPortal => proto::Channel::OpenDataPortal,
    };
    channel.into()
}

fn to_state(state: EditionState) -> i32 {
    let state = match state {
        EditionState::Scheduled => proto::EditionState::Scheduled,
        EditionState::Prepared => proto::EditionState::Prepared,
        EditionState::Sealed => proto::EditionState::Sealed,
        EditionState::Placed => proto::EditionState::Placed,
        EditionState::Nil => proto::EditionState::Nil,
        EditionState::Withdrawn => proto::EditionState::Withdrawn,
    };
    state.into()
}

fn to_punctuality(punctuality: Punctuality) -> i32 {
    let punctuality = match punctuality {
        Punctuality::OnTime => proto::Punctuality::OnTime,
        Punctuality::Late => proto::Punctuality::Late,
        Punctuality::NotDue => proto::Punctuality::NotDue,
        Punctuality::Overdue => proto::Punctuality::Overdue,
    };
    punctuality.into()
}

pub(super) fn to_form(form: Form) -> proto::Form {
    let duty = form.duty;
    proto::Form {
        name: duty.parent,
        list_number: form.list_number,
        code: form.code.unwrap_or_default(),
        title: Some(form.title.into()),
        periodicity: to_periodicity(form.periodicity),
        due_day: duty.due_day,
        roll_forward: duty.roll_forward,
        roll_forward_basis: Some(duty.roll_forward_basis.into()),
        legal_basis: Some(duty.legal_basis.into()),
        valid_from: Some(wire::to_date(duty.valid_from)),
        valid_to: duty.valid_to.map(wire::to_date),
    }
}

pub(super) fn to_file(file: &EditionFile) -> proto::EditionFile {
    let content = &file.content;
    proto::EditionFile {
        filename: content.filename.clone(),
        content_type: content.content_type.clone(),
        size_bytes: content.size_bytes,
        sha256: hex::encode(&content.sha256),
        uploaded_at: Some(wire::to_timestamp(content.uploaded.at)),
        language: file.language.clone(),
        restricted: file.restricted,
    }
}

pub(super) fn to_placement(placement: Placement) -> proto::Placement {
    proto::Placement {
        channel: to_channel(placement.channel),
        placed_at: Some(wire::to_timestamp(placement.placed.at)),
        punctuality: to_punctuality(placement.lateness.punctuality),
        legal_basis: Some(placement.channel.legal_basis().into()),
        edition: placement.edition.to_string(),
        revision: placement.revision,
        placed_by: placement.placed.by,
        address: placement.address,
        content_sha256: hex::encode(placement.content_sha256),
        effective_at: Some(wire::to_timestamp(placement.effective_at)),
        due_date: Some(wire::to_date(placement.due_date)),
        calendar_version: placement.calendar_version,
        late_days: placement.lateness.days,
    }
}

fn to_revision(revision: Revision) -> proto::Revision {
    let (replaces, files) = (revision.replaces(), revision.files.iter().map(to_file).collect());
    let mut shown = proto::Revision {
        number: revision.number,
        replaces: replaces.unwrap_or_default(),
        reason: revision.reason,
        prepared_at: Some(wire::to_timestamp(revision.prepared.at)),
        prepared_by: revision.prepared.by,
        files,
        ..Default::default()
    };
    if let Some(seal) = revision.seal {
        shown.sealed_at = Some(wire::to_timestamp(seal.sealed.at));
        shown.sealed_by = seal.sealed.by;
        shown.content_sha256 = hex::encode(seal.content_sha256);
        shown.figures_sha256 = seal.figures_sha256.map(hex::encode).unwrap_or_default();
        shown.restricted = seal.restricted;
        shown.nil_reason = seal.nil_reason.unwrap_or_default();
    }
    if let Some(withdrawal) = revision.withdrawal {
        shown.withdrawn_at = Some(wire::to_timestamp(withdrawal.withdrawn.at));
        shown.withdrawal_reason = withdrawal.reason;
    }
    shown
}

fn to_embargo(embargo: Embargo) -> proto::Embargo {
    let readers = embargo.readers.into_iter().map(|reader| proto::PreReleaseReader {
        caller: reader.caller,
        legal_basis: Some(reader.legal_basis.into()),
    });
    proto::Embargo {
        until: Some(wire::to_timestamp(embargo.until)),
        reason: embargo.reason,
        readers: readers.collect(),
    }
}

/// Writes an edition as it stands at an instant, with how its due date moved. What the caller may not see was taken out before.
pub(super) fn to_edition(edition: Edition, moves: Vec<DueDateChange>, now: Timestamp) -> proto::Edition {
    let punctuality = edition.punctuality(now);
    let revision = edition.shown_revision();
    let held = revision.map(|revision| revision.files.as_slice()).unwrap_or_default();
    let last = held.iter().max_by_key(|file| file.content.uploaded.at);
    let seal = revision.and_then(|revision| revision.seal.as_ref());
    proto::Edition {
        name: edition.key.to_string(),
        form: key::form(edition.key.form),
        period: edition.key.period.to_string(),
        state: to_state(edition.state),
        due_date: Some(wire::to_date(edition.due.date)),
        due_time: Some(wire::to_timestamp(edition.due.time)),
        provisional: edition.due.provisional,
        assumed: edition.due.assumed,
        punctuality: to_punctuality(punctuality),
        due_date_changes: moves,
        file: last.map(to_file),
        files: held.iter().map(to_file).collect(),
        revision: revision.map(|revision| revision.number).unwrap_or_default(),
        content_sha256: seal.map(|seal| hex::encode(seal.content_sha256)).unwrap_or_default(),
        calendar_version: edition.due.calendar_version,
        revisions: edition.revisions.into_iter().map(to_revision).collect(),
        placements: edition.placements.into_iter().map(to_placement).collect(),
        embargo: edition.embargo.map(to_embargo),
    }
}

/// Writes a line of a schedule.
pub(super) fn to_schedule_item(item: Scheduled, state: EditionState) -> proto::ScheduleItem {
    proto::ScheduleItem {
        edition: item.name(),
        form: item.parent,
        period: item.period.to_string(),
        due_date: Some(wire::to_date(item.due.date)),
        provisional: item.due.provisional,
        assumed: item.due.assumed,
        state: to_state(state),
        due_date_revision: i32::try_from(item.moves).unwrap_or(i32::MAX),
    }
}
