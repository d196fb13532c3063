//! Between the contract and the domain.

use legalstat_kit::{
    FieldReason, Violations,
    door::{
        wire::{to_date, to_timestamp},
        word::{self, Word},
    },
    law::{LegalBasis, LocalizedText},
};
use legalstat_proto::{calendar::v1 as proto, common::v1 as common};

use crate::domain::{
    Day, DayKind, DayReason, Deadline, FIRST_DAY, LAST_DAY, RequesterKind, Span, Step, StepEffect, Term, TermOrigin,
    TermPart, TermUnit,
};

fn text(text: &LocalizedText) -> common::LocalizedText {
    text.clone().into()
}

fn basis(basis: &LegalBasis) -> common::LegalBasis {
    basis.clone().into()
}

pub(super) fn day(day: &Day, version: &str) -> proto::Day {
    proto::Day {
        name: format!("days/{}", day.date),
        date: Some(to_date(day.date)),
        working: day.kind.is_working(),
        kind: day_kind(day.kind).into(),
        reasons: day.reasons.iter().map(day_reason).collect(),
        provisional: day.provisional,
        calendar_version: version.into(),
    }
}

fn day_reason(reason: &DayReason) -> proto::DayReason {
    proto::DayReason {
        kind: day_kind(reason.kind).into(),
        text: Some(text(&reason.text)),
        legal_basis: Some(basis(&reason.legal_basis)),
        key: reason.key.to_string(),
        revision: i32::try_from(reason.revision).unwrap_or(i32::MAX),
    }
}

pub(super) fn day_kind(kind: DayKind) -> proto::DayKind {
    match kind {
        DayKind::Working => proto::DayKind::Working,
        DayKind::Weekend => proto::DayKind::Weekend,
        DayKind::Holiday => proto::DayKind::Holiday,
        DayKind::DayOff => proto::DayKind::DayOff,
        DayKind::RolledDayOff => proto::DayKind::RolledDayOff,
        DayKind::TransferredDayOff => proto::DayKind::TransferredDayOff,
        DayKind::TransferredWorkingDay => proto::DayKind::TransferredWorkingDay,
    }
}

pub(super) fn deadline(deadline: Deadline) -> proto::Deadline {
    let (from, before) = deadline
        .received_within
        .map(|within| (within.start, within.end))
        .unzip();
    proto::Deadline {
        due_date: Some(to_date(deadline.due_date)),
        due_time: Some(to_timestamp(deadline.due_time)),
        provisional: deadline.provisional,
        assumed: deadline.assumed,
        calendar_version: deadline.calendar_version.as_ref().into(),
        steps: deadline.steps.iter().map(step).collect(),
        term: deadline.term.map(|id| format!("terms/{id}")).unwrap_or_default(),
        registered_on: deadline.registered_on.map(to_date),
        received_from: from.map(to_timestamp),
        received_before: before.map(to_timestamp),
        part: term_part(deadline.part),
    }
}

pub(super) fn term_part(part: TermPart) -> i32 {
    match part {
        TermPart::Base => proto::TermPart::Unspecified,
        TermPart::LongBase => proto::TermPart::LongBase,
        TermPart::Extension => proto::TermPart::Extension,
        TermPart::ExtensionNotice => proto::TermPart::ExtensionNotice,
        TermPart::Forwarding => proto::TermPart::Forwarding,
        TermPart::Return => proto::TermPart::Return,
    }
    .into()
}

fn step(step: &Step) -> proto::Step {
    proto::Step {
        date: Some(to_date(step.date)),
        effect: step_effect(step.effect).into(),
        text: Some(text(&step.text)),
        legal_basis: Some(basis(&step.legal_basis)),
    }
}

pub(super) fn step_effect(effect: StepEffect) -> proto::StepEffect {
    match effect {
        StepEffect::Start => proto::StepEffect::Start,
        StepEffect::Counted => proto::StepEffect::Counted,
        StepEffect::Skipped => proto::StepEffect::Skipped,
        StepEffect::Suspended => proto::StepEffect::Suspended,
        StepEffect::Rolled => proto::StepEffect::Rolled,
        StepEffect::Due => proto::StepEffect::Due,
    }
}

/// Reads a required enumeration; `values` says in words which values it has here.
pub(super) fn one_of<T: Word>(
    violations: &mut Violations,
    field: &str,
    number: i32,
    wire: fn(T) -> i32,
    values: &str,
) -> Option<T> {
    let read = word::known(number, T::ALL, wire).ok_or_else(|| format!("required: {values}"));
    violations.check(field, FieldReason::Enum, read)
}

pub(super) fn requester_kind(kind: RequesterKind) -> i32 {
    let kind = match kind {
        RequesterKind::StateBody => proto::RequesterKind::StateBody,
        RequesterKind::ProsecutorBody => proto::RequesterKind::ProsecutorBody,
        RequesterKind::Individual => proto::RequesterKind::Individual,
        RequesterKind::LegalEntity => proto::RequesterKind::LegalEntity,
    };
    kind.into()
}

fn span(span: &Span) -> proto::Span {
    let unit = match span.unit {
        TermUnit::CalendarDay => proto::TermUnit::CalendarDay,
        TermUnit::WorkingDay => proto::TermUnit::WorkingDay,
        TermUnit::Month => proto::TermUnit::Month,
    };
    proto::Span {
        length: i32::try_from(span.length).expect("a length is at most 3,660"),
        unit: unit.into(),
        note: (span.note != LocalizedText::default()).then(|| text(&span.note)),
        legal_basis: Some(basis(&span.legal_basis)),
    }
}

pub(super) fn term(term: &Term) -> proto::Term {
    let origin = match term.origin {
        TermOrigin::Receipt => proto::TermOrigin::Receipt,
        TermOrigin::Registration => proto::TermOrigin::Registration,
    };
    proto::Term {
        name: format!("terms/{}", term.name),
        requester_kinds: term.requester_kinds.iter().map(|kind| requester_kind(*kind)).collect(),
        received_from: term.received_from.map(to_date),
        received_to: term.received_to.map(to_date),
        selected: term.selected,
        base: Some(span(&term.base)),
        origin: origin.into(),
        origin_basis: Some(basis(&term.origin_basis)),
        roll_forward: term.roll_forward,
        roll_forward_basis: Some(basis(&term.roll_forward_basis)),
        long_base: term.long_base.as_ref().map(span),
        extension: term.extension.as_ref().map(span),
        extension_notice: term.extension_notice.as_ref().map(span),
        forwarding: term.forwarding.as_ref().map(span),
        returning: term.returning.as_ref().map(span),
        suspension_basis: term.suspension.as_deref().map(basis),
    }
}

/// A year of the calendar.
pub(super) fn year(year: i32) -> Result<i16, String> {
    let inside = i16::try_from(year).ok();
    let inside = inside.filter(|year| (FIRST_DAY.year()..=LAST_DAY.year()).contains(year));
    inside.ok_or_else(|| format!("a year from {} to {}", FIRST_DAY.year(), LAST_DAY.year()))
}
