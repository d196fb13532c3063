//! Between the contract's messages and the service's own types.

use jiff::Timestamp;
use legalstat_kit::{
    Caller, Violations,
    door::{
        wire,
        word::{self, Word},
    },
    due::{Punctuality, scheduled::Scheduled},
    files::Content,
};
use legalstat_proto::{calendar::v1::DueDateChange, forms::v1 as proto};

use crate::domain::{
    edition::{Channel, Edition, EditionState, Placement},
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
        EditionState::Placed => proto::EditionState::Placed,
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

pub(super) fn to_file(file: Content) -> proto::EditionFile {
    proto::EditionFile {
        filename: file.filename,
        content_type: file.content_type,
        size_bytes: file.size_bytes,
        sha256: hex::encode(file.sha256),
        uploaded_at: Some(wire::to_timestamp(file.uploaded.at)),
    }
}

fn to_placement(placement: &Placement) -> proto::Placement {
    proto::Placement {
        channel: to_channel(placement.channel),
        placed_at: Some(wire::to_timestamp(placement.placed.at)),
        punctuality: to_punctuality(placement.punctuality),
        legal_basis: Some(placement.channel.legal_basis().into()),
    }
}

/// Writes an edition for a caller: what is not placed yet shows its file to officials only.
pub(super) fn to_edition_for(
    caller: &Caller,
    mut edition: Edition,
    moves: Vec<DueDateChange>,
    now: Timestamp,
) -> proto::Edition {
    if edition.state != EditionState::Placed && !caller.is_official() {
        edition.file = None;
    }
    to_edition(edition, moves, now)
}

/// Writes an edition as it stands at an instant, with how its due date moved.
pub(super) fn to_edition(edition: Edition, moves: Vec<DueDateChange>, now: Timestamp) -> proto::Edition {
    let punctuality = edition.punctuality(now);
    proto::Edition {
        name: edition.key.to_string(),
        form: key::form(edition.key.form),
        period: edition.key.period.to_string(),
        state: to_state(edition.state),
        due_date: Some(wire::to_date(edition.due.date)),
        due_time: Some(wire::to_timestamp(edition.due.time)),
        provisional: edition.due.provisional,
        assumed: edition.due.assumed,
        calendar_version: edition.due.calendar_version,
        file: edition.file.map(to_file),
        placements: edition.placements.iter().map(to_placement).collect(),
        punctuality: to_punctuality(punctuality),
        due_date_changes: moves,
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
