//! Between the contract's messages and the service's own types.

use jiff::Timestamp;
use legalstat_kit::{Caller, FieldReason, Violations, door::wire};
use legalstat_proto::{calendar::v1::DueDateChange, forms::v1 as proto};

use crate::domain::{
    availability::{Availability, Finding},
    edition::{Channel, Edition, EditionFile, EditionState, Placement, Punctuality},
    form::{Form, Periodicity},
    names,
};

/// Reads an optional periodicity; unspecified means any.
pub(super) fn optional_periodicity(violations: &mut Violations, field: &str, number: i32) -> Option<Periodicity> {
    match proto::Periodicity::try_from(number) {
        Ok(proto::Periodicity::Unspecified) => None,
        Ok(proto::Periodicity::Monthly) => Some(Periodicity::Monthly),
        Ok(proto::Periodicity::Quarterly) => Some(Periodicity::Quarterly),
        Err(_) => {
            violations.add(field, FieldReason::Enum, "not a periodicity");
            None
        }
    }
}

/// Reads an optional state; unspecified means any.
pub(super) fn optional_state(violations: &mut Violations, field: &str, number: i32) -> Option<EditionState> {
    match proto::EditionState::try_from(number) {
        Ok(proto::EditionState::Unspecified) => None,
        Ok(proto::EditionState::Scheduled) => Some(EditionState::Scheduled),
        Ok(proto::EditionState::Prepared) => Some(EditionState::Prepared),
        Ok(proto::EditionState::Placed) => Some(EditionState::Placed),
        Err(_) => {
            violations.add(field, FieldReason::Enum, "not a state of an edition");
            None
        }
    }
}

/// Reads a required channel.
pub(super) fn channel(violations: &mut Violations, field: &str, number: i32) -> Option<Channel> {
    match proto::Channel::try_from(number) {
        Ok(proto::Channel::Unspecified) => {
            violations.add(field, FieldReason::Required, "required");
            None
        }
        Ok(proto::Channel::InformationService) => Some(Channel::InformationService),
        Ok(proto::Channel::OfficialWebsite) => Some(Channel::OfficialWebsite),
        Ok(proto::Channel::OpenDataPortal) => Some(Channel::OpenDataPortal),
        Err(_) => {
            violations.add(field, FieldReason::Enum, "not a channel");
            None
        }
    }
}

fn to_channel(channel: Channel) -> proto::Channel {
    match channel {
        Channel::InformationService => proto::Channel::InformationService,
        Channel::OfficialWebsite => proto::Channel::OfficialWebsite,
        Channel::OpenDataPortal => proto::Channel::OpenDataPortal,
    }
}

fn to_state(state: EditionState) -> proto::EditionState {
    match state {
        EditionState::Scheduled => proto::EditionState::Scheduled,
        EditionState::Prepared => proto::EditionState::Prepared,
        EditionState::Placed => proto::EditionState::Placed,
    }
}

fn to_punctuality(punctuality: Punctuality) -> proto::Punctuality {
    match punctuality {
        Punctuality::OnTime => proto::Punctuality::OnTime,
        Punctuality::Late => proto::Punctuality::Late,
        Punctuality::NotDue => proto::Punctuality::NotDue,
        Punctuality::Overdue => proto::Punctuality::Overdue,
    }
}

pub(super) fn to_form(form: Form) -> proto::Form {
    let periodicity = match form.periodicity {
        Periodicity::Monthly => proto::Periodicity::Monthly,
        Periodicity::Quarterly => proto::Periodicity::Quarterly,
    };
    proto::Form {
        name: names::form(form.list_number),
        list_number: form.list_number,
        code: form.code.unwrap_or_default(),
        title: Some(form.title.into()),
        periodicity: periodicity.into(),
        due_day: form.due_day,
        roll_forward: form.roll_forward,
        roll_forward_basis: Some(form.roll_forward_basis.into()),
        legal_basis: Some(form.legal_basis.into()),
        valid_from: Some(wire::to_date(form.valid_from)),
        valid_to: form.valid_to.map(wire::to_date),
    }
}

pub(super) fn to_file(file: EditionFile) -> proto::EditionFile {
    proto::EditionFile {
        filename: file.filename,
        content_type: file.content_type,
        size_bytes: file.size_bytes,
        sha256: hex::encode(file.sha256),
        uploaded_at: Some(wire::to_timestamp(file.uploaded_at)),
    }
}

fn to_placement(placement: &Placement) -> proto::Placement {
    proto::Placement {
        channel: to_channel(placement.channel).into(),
        placed_at: Some(wire::to_timestamp(placement.placed_at)),
        punctuality: to_punctuality(placement.punctuality).into(),
        legal_basis: Some(placement.channel.legal_basis().into()),
    }
}

/// Writes an edition for a caller: what is not placed yet shows its file to officials only.
pub(super) fn to_edition_for(
    caller: &Caller,
    mut edition: Edition,
    changes: Vec<DueDateChange>,
    now: Timestamp,
) -> proto::Edition {
    if edition.state != EditionState::Placed && !caller.is_official() {
        edition.file = None;
    }
    to_edition(edition, changes, now)
}

/// Writes an edition as it stands at an instant, with how its due date moved.
pub(super) fn to_edition(edition: Edition, changes: Vec<DueDateChange>, now: Timestamp) -> proto::Edition {
    let punctuality = edition.punctuality(now);
    proto::Edition {
        name: edition.key.to_string(),
        form: names::form(edition.key.form),
        period: edition.key.period.to_string(),
        state: to_state(edition.state).into(),
        due_date: Some(wire::to_date(edition.due.date)),
        due_time: Some(wire::to_timestamp(edition.due.time)),
        provisional: edition.due.provisional,
        assumed: edition.due.assumed,
        calendar_version: edition.due.calendar_version,
        file: edition.file.map(to_file),
        placements: edition.placements.iter().map(to_placement).collect(),
        punctuality: to_punctuality(punctuality).into(),
        due_date_changes: changes,
    }
}

/// Writes a line of a schedule; `revision` tells how many times its due date moved.
pub(super) fn to_schedule_item(edition: &Edition, revision: usize) -> proto::ScheduleItem {
    proto::ScheduleItem {
        edition: edition.key.to_string(),
        form: names::form(edition.key.form),
        period: edition.key.period.to_string(),
        due_date: Some(wire::to_date(edition.due.date)),
        provisional: edition.due.provisional,
        assumed: edition.due.assumed,
        state: to_state(edition.state).into(),
        due_date_revision: i32::try_from(revision).unwrap_or(i32::MAX),
    }
}

pub(super) fn to_item_availability(finding: Finding) -> proto::ItemAvailability {
    let availability = match finding.availability {
        Availability::Placed => proto::Availability::Placed,
        Availability::Undetermined => proto::Availability::Undetermined,
        Availability::NotRegistered => proto::Availability::NotRegistered,
    };
    proto::ItemAvailability {
        availability: availability.into(),
        editions: finding.editions.iter().map(ToString::to_string).collect(),
        text: Some(finding.text.into()),
        legal_basis: Some(finding.legal_basis.into()),
    }
}
