//! Between the contract's messages and the service's own types.

use legalstat_kit::{Caller, FieldReason, Violations, door::wire};
use legalstat_proto::{calendar::v1::DueDateChange, collections::v1 as proto};

use crate::domain::{
    collection::{Collection, Periodicity},
    copy::{Copy, CopyState},
    distribution::{Cell, Distribution, Group},
    edition::{Content, Edition, EditionState},
    names,
    recipient::Recipient,
};

/// Reads an optional state of editions; unspecified means any.
pub(super) fn optional_edition_state(violations: &mut Violations, field: &str, number: i32) -> Option<EditionState> {
    match proto::EditionState::try_from(number) {
        Ok(proto::EditionState::Unspecified) => None,
        Ok(proto::EditionState::Scheduled) => Some(EditionState::Scheduled),
        Ok(proto::EditionState::Prepared) => Some(EditionState::Prepared),
        Ok(proto::EditionState::Sealed) => Some(EditionState::Sealed),
        Ok(proto::EditionState::Released) => Some(EditionState::Released),
        Err(_) => {
            violations.add(field, FieldReason::Enum, "not a state of an edition");
            None
        }
    }
}

/// Reads an optional state of copies; unspecified means any.
pub(super) fn optional_copy_state(violations: &mut Violations, field: &str, number: i32) -> Option<CopyState> {
    match proto::CopyState::try_from(number) {
        Ok(proto::CopyState::Unspecified) => None,
        Ok(proto::CopyState::Issued) => Some(CopyState::Issued),
        Ok(proto::CopyState::Received) => Some(CopyState::Received),
        Err(_) => {
            violations.add(field, FieldReason::Enum, "not a state of a copy");
            None
        }
    }
}

fn to_edition_state(state: EditionState) -> proto::EditionState {
    match state {
        EditionState::Scheduled => proto::EditionState::Scheduled,
        EditionState::Prepared => proto::EditionState::Prepared,
        EditionState::Sealed => proto::EditionState::Sealed,
        EditionState::Released => proto::EditionState::Released,
    }
}

pub(super) fn to_collection(collection: Collection) -> proto::Collection {
    let periodicity = match collection.periodicity {
        Periodicity::Quarterly => proto::Periodicity::Quarterly,
        Periodicity::HalfYearAndYear => proto::Periodicity::HalfYearAndYear,
    };
    proto::Collection {
        name: names::collection(&collection.id),
        title: Some(collection.title.into()),
        periodicity: periodicity.into(),
        due_day: collection.due_day,
        roll_forward: collection.roll_forward,
        roll_forward_basis: Some(collection.roll_forward_basis.into()),
        copies_total: collection.copies_total,
        legal_basis: Some(collection.legal_basis.into()),
        valid_from: Some(wire::to_date(collection.valid_from)),
        valid_to: collection.valid_to.map(wire::to_date),
    }
}

pub(super) fn to_recipient(recipient: Recipient) -> proto::Recipient {
    proto::Recipient {
        name: names::recipient(&recipient.id),
        display_name: Some(recipient.name.into()),
        column: recipient.appendix_column.unwrap_or_default(),
        parent: recipient.parent.as_deref().map(names::recipient).unwrap_or_default(),
        legal_basis: Some(recipient.legal_basis.into()),
        valid_from: Some(wire::to_date(recipient.valid_from)),
        valid_to: recipient.valid_to.map(wire::to_date),
    }
}

fn to_cell(cell: &Cell) -> proto::DistributionCell {
    proto::DistributionCell {
        recipient: names::recipient(&cell.recipient),
        column: cell.column,
        copies: cell.copies.unwrap_or_default(),
        unresolved: cell.copies.is_none(),
    }
}

fn to_group(group: &Group) -> proto::UnresolvedGroup {
    proto::UnresolvedGroup {
        first_column: group.first_column,
        last_column: group.last_column,
        copies: group.copies,
    }
}

pub(super) fn to_distribution_list(collection: &str, distribution: &Distribution) -> proto::DistributionList {
    proto::DistributionList {
        name: names::distribution_list(collection),
        cells: distribution.cells().iter().map(to_cell).collect(),
        unresolved_groups: distribution.unresolved_groups().iter().map(to_group).collect(),
        copies_total: distribution.copies_total(),
        legal_basis: Some(distribution.legal_basis().into()),
    }
}

pub(super) fn to_content(content: Content) -> proto::EditionContent {
    proto::EditionContent {
        filename: content.filename,
        content_type: content.content_type,
        size_bytes: content.size_bytes,
        sha256: hex::encode(content.sha256),
        uploaded_at: Some(wire::to_timestamp(content.uploaded.at)),
    }
}

/// Writes an edition for a caller: what is not released yet shows its content to officials only.
pub(super) fn to_edition_for(caller: &Caller, mut edition: Edition, changes: Vec<DueDateChange>) -> proto::Edition {
    if edition.state != EditionState::Released && !caller.is_official() {
        edition.content = None;
    }
    to_edition(edition, changes)
}

/// Writes an edition with how its due date moved.
pub(super) fn to_edition(edition: Edition, changes: Vec<DueDateChange>) -> proto::Edition {
    proto::Edition {
        name: edition.key.to_string(),
        collection: names::collection(&edition.key.collection),
        period: edition.key.period.to_string(),
        state: to_edition_state(edition.state).into(),
        due_date: Some(wire::to_date(edition.due.date)),
        due_time: Some(wire::to_timestamp(edition.due.time)),
        provisional: edition.due.provisional,
        assumed: edition.due.assumed,
        calendar_version: edition.due.calendar_version,
        content: edition.content.map(to_content),
        sealed_at: edition.sealed.map(|done| wire::to_timestamp(done.at)),
        released_at: edition.released.map(|done| wire::to_timestamp(done.at)),
        copies_issued: edition.copies_issued,
        due_date_changes: changes,
    }
}

/// Writes a line of a schedule; `revision` tells how many times its due date moved.
pub(super) fn to_schedule_item(edition: &Edition, revision: usize) -> proto::ScheduleItem {
    proto::ScheduleItem {
        edition: edition.key.to_string(),
        collection: names::collection(&edition.key.collection),
        period: edition.key.period.to_string(),
        due_date: Some(wire::to_date(edition.due.date)),
        provisional: edition.due.provisional,
        assumed: edition.due.assumed,
        state: to_edition_state(edition.state).into(),
        due_date_revision: i32::try_from(revision).unwrap_or(i32::MAX),
    }
}

pub(super) fn to_copy(copy: Copy) -> proto::Copy {
    let state = match copy.state {
        CopyState::Issued => proto::CopyState::Issued,
        CopyState::Received => proto::CopyState::Received,
    };
    proto::Copy {
        name: copy.key.to_string(),
        number: copy.key.number,
        recipient: names::recipient(&copy.recipient),
        state: state.into(),
        sha256: hex::encode(copy.sha256),
        issued_at: Some(wire::to_timestamp(copy.issued_at)),
        received_at: copy.received_at.map(wire::to_timestamp),
        legal_basis: Some(copy.legal_basis.into()),
    }
}
