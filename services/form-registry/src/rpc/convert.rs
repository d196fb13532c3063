//! Between the contract's messages and the service's own types.

use jiff::Timestamp;
use legalstat_kit::{
    Caller, Violations,
    door::{
        wire,
        word::{self, Word},
    },
    due::{Punctuality, answering},
};
use legalstat_proto::{calendar::v1::DueDateChange, forms::v1 as proto};

use crate::domain::{
    edition::{Channel, Edition, EditionFile, EditionState, Placement, Revision},
    embargo::Embargo,
    form::{Body, Form, Periodicity},
    history::{History, Kind, Recording, Version},
    key,
    open_data::Entry,
    punctuality::Counts,
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

/// How much of an edition an answer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Basic,
    Full,
}

pub(super) const VIEWS: [View; 2] = [View::Basic, View::Full];

pub(super) fn view(view: View) -> i32 {
    let view = match view {
        View::Basic => proto::EditionView::Basic,
        View::Full => proto::EditionView::Full,
    };
    view.into()
}

/// What the lines of a report of punctuality are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    ByForm,
    ByPeriod,
}

pub(super) const LINES: [Lines; 2] = [Lines::ByForm, Lines::ByPeriod];

pub(super) fn lines(lines: Lines) -> i32 {
    let lines = match lines {
        Lines::ByForm => proto::PunctualityLines::ByForm,
        Lines::ByPeriod => proto::PunctualityLines::ByPeriod,
    };
    lines.into()
}

pub(super) fn to_body(body: Body) -> i32 {
    let body = match body {
        Body::Committee => proto::BodyKind::Committee,
        Body::Territorial => proto::BodyKind::Territorial,
    };
    body.into()
}

fn to_kind(kind: Kind) -> i32 {
    let kind = match kind {
        Kind::Loaded => proto::FormVersionKind::Loaded,
        Kind::Created => proto::FormVersionKind::Created,
        Kind::Updated => proto::FormVersionKind::Updated,
        Kind::Corrected => proto::FormVersionKind::Corrected,
        Kind::Retired => proto::FormVersionKind::Retired,
    };
    kind.into()
}

pub(super) fn to_periodicity(periodicity: Periodicity) -> i32 {
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
        Punctuality::NotKept => proto::Punctuality::NotKept,
    };
    punctuality.into()
}

/// Tells states of a form apart.
pub(super) fn etag(history: &History) -> String {
    history.last().number.to_string()
}

/// Writes a version of a form.
pub(super) fn to_form(history: &History, version: Version) -> proto::Form {
    proto::Form {
        version: version.number,
        etag: etag(history),
        ..of_form(version.form)
    }
}

/// Writes a recording about a form.
pub(super) fn to_form_version(history: &History, recording: &Recording) -> proto::FormVersion {
    let version = Version {
        number: recording.number,
        form: recording.form.clone(),
    };
    proto::FormVersion {
        name: key::form_version(recording.form.list_number, recording.number),
        kind: to_kind(recording.kind),
        form: Some(to_form(history, version)),
        reason: recording.reason.clone(),
        recorded_at: Some(wire::to_timestamp(recording.recorded.at)),
        recorded_by: recording.recorded.by.clone(),
    }
}

fn of_form(form: Form) -> proto::Form {
    let missing_languages = form.missing_languages().into_iter().map(str::to_owned).collect();
    let (duty, responsible) = (form.duty, form.responsible);
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
        missing_languages,
        channels: form.channels.into_iter().map(to_channel).collect(),
        responsible: Some(proto::Responsible {
            body: to_body(responsible.body),
            territory: responsible.territory,
            unit: responsible.unit,
        }),
        ..proto::Form::default()
    }
}

/// Writes a day from which the installation answers; who set it is told to officials.
pub(super) fn to_answering_day(day: answering::AnsweringDay, caller: &Caller) -> proto::AnsweringDay {
    proto::AnsweringDay {
        day: Some(wire::to_date(day.day)),
        reason: day.reason,
        set_at: Some(wire::to_timestamp(day.set.at)),
        set_by: if caller.is_official() {
            day.set.by
        } else {
            String::new()
        },
        etag: day.number.to_string(),
        previous: Vec::new(),
    }
}

/// Writes an entry of the approved list of open data.
pub(super) fn to_open_data_entry(entry: Entry) -> proto::OpenDataEntry {
    proto::OpenDataEntry {
        name: entry.key.to_string(),
        form: key::form(entry.key.form),
        valid_from: Some(wire::to_date(entry.key.valid_from)),
        valid_to: entry.valid_to.map(wire::to_date),
        legal_basis: Some(entry.legal_basis.into()),
        end_reason: entry.end_reason,
    }
}

/// Writes the counts of editions.
pub(super) fn to_counts(counts: Counts) -> proto::PunctualityCounts {
    proto::PunctualityCounts {
        expected: counts.expected,
        placed: counts.placed,
        on_time: counts.on_time,
        late: counts.late,
        days_late: counts.days_late,
        most_days_late: counts.most_days_late,
        overdue: counts.overdue,
        not_due: counts.not_due,
        due_today: counts.due_today,
        due_soon: counts.due_soon,
        nil: counts.nil,
        not_kept: counts.not_kept,
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
        recorded_afterwards: placement.lateness.punctuality == Punctuality::NotKept,
        edition: placement.edition.to_string(),
        revision: placement.revision,
        placed_by: placement.placed.by,
        address: placement.address,
        content_sha256: hex::encode(placement.content_sha256),
        effective_at: Some(wire::to_timestamp(placement.effective_at)),
        due_date: Some(wire::to_date(placement.due_date)),
        calendar_version: placement.calendar_version,
        late_days: placement.lateness.days,
        ordered: placement.ordered,
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
    let (recorded_afterwards, days_late) = (edition.is_recorded_afterwards(), edition.days_late(now));
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
        due_date_steps: Vec::new(),
        due_date_steps_missing: String::new(),
        recorded_afterwards,
        days_late,
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

/// Writes a line of a schedule as it stands at an instant, for an edition whose due date moved so many times.
pub(super) fn to_schedule_item(edition: &Edition, moves: i64, now: Timestamp) -> proto::ScheduleItem {
    proto::ScheduleItem {
        edition: edition.key.to_string(),
        form: key::form(edition.key.form),
        period: edition.key.period.to_string(),
        due_date: Some(wire::to_date(edition.due.date)),
        provisional: edition.due.provisional,
        assumed: edition.due.assumed,
        state: to_state(edition.state),
        due_date_revision: i32::try_from(moves).unwrap_or(i32::MAX),
        punctuality: to_punctuality(edition.punctuality(now)),
    }
}
