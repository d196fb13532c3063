//! Between the contract and the domain.

use legalstat_kit::wire::{to_date, to_timestamp};
use legalstat_proto::{calendar::v1 as proto, common::v1::LocalizedText};

use crate::domain::{
    Day, DayKind, Deadline, Reason, RequesterKind, Span, Step, StepEffect, Term, TermOrigin, TermUnit,
};

pub(super) fn day(day: &Day, version: &str) -> proto::Day {
    proto::Day {
        name: format!("days/{}", day.date),
        date: Some(to_date(day.date)),
        working: day.kind.is_working(),
        kind: day_kind(day.kind).into(),
        reasons: day.reasons.iter().map(|reason| day_reason(reason)).collect(),
        provisional: day.provisional,
        calendar_version: version.into(),
    }
}

fn day_reason(reason: &Reason) -> proto::DayReason {
    proto::DayReason {
        kind: day_kind(reason.kind).into(),
        text: Some(reason.text.clone().into()),
        legal_basis: Some(reason.basis.clone().into()),
    }
}

fn day_kind(kind: DayKind) -> proto::DayKind {
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

pub(super) fn deadline(deadline: Deadline, version: &str, include_steps: bool) -> proto::Deadline {
    proto::Deadline {
        due_date: Some(to_date(deadline.due_date)),
        due_time: Some(to_timestamp(deadline.due_time)),
        provisional: deadline.provisional,
        assumed: deadline.assumed,
        calendar_version: version.into(),
        steps: if include_steps {
            deadline.steps.into_iter().map(step).collect()
        } else {
            Vec::new()
        },
        term: deadline.term.map(|id| format!("terms/{id}")).unwrap_or_default(),
        registered_on: deadline.registered_on.map(to_date),
    }
}

fn step(step: Step) -> proto::Step {
    let effect = match step.effect {
        StepEffect::Start => proto::StepEffect::Start,
        StepEffect::Counted => proto::StepEffect::Counted,
        StepEffect::Skipped => proto::StepEffect::Skipped,
        StepEffect::Rolled => proto::StepEffect::Rolled,
        StepEffect::Due => proto::StepEffect::Due,
    };
    proto::Step {
        date: Some(to_date(step.date)),
        effect: effect.into(),
        text: Some(step.text.into()),
        legal_basis: Some(step.basis.into()),
    }
}

pub(super) fn requester_kind(number: i32) -> Result<RequesterKind, &'static str> {
    match proto::RequesterKind::try_from(number) {
        Ok(proto::RequesterKind::StateBody) => Ok(RequesterKind::StateBody),
        Ok(proto::RequesterKind::ProsecutorBody) => Ok(RequesterKind::ProsecutorBody),
        Ok(proto::RequesterKind::Individual) => Ok(RequesterKind::Individual),
        Ok(proto::RequesterKind::LegalEntity) => Ok(RequesterKind::LegalEntity),
        Ok(proto::RequesterKind::Unspecified) => Err("required"),
        Err(_) => Err("not a kind of requester"),
    }
}

fn to_requester_kind(kind: RequesterKind) -> proto::RequesterKind {
    match kind {
        RequesterKind::StateBody => proto::RequesterKind::StateBody,
        RequesterKind::ProsecutorBody => proto::RequesterKind::ProsecutorBody,
        RequesterKind::Individual => proto::RequesterKind::Individual,
        RequesterKind::LegalEntity => proto::RequesterKind::LegalEntity,
    }
}

fn span(span: &Span) -> proto::Span {
    let unit = match span.unit {
        TermUnit::CalendarDay => proto::TermUnit::CalendarDay,
        TermUnit::WorkingDay => proto::TermUnit::WorkingDay,
        TermUnit::Month => proto::TermUnit::Month,
    };
    proto::Span {
        length: span.length,
        unit: unit.into(),
        note: (!span.note.is_empty()).then(|| LocalizedText {
            en: span.note.clone(),
            ..Default::default()
        }),
        legal_basis: Some(span.basis.clone().into()),
    }
}

pub(super) fn term(term: &Term) -> proto::Term {
    let origin = match term.origin {
        TermOrigin::Receipt => proto::TermOrigin::Receipt,
        TermOrigin::Registration => proto::TermOrigin::Registration,
    };
    proto::Term {
        name: format!("terms/{}", term.id),
        requester_kinds: term
            .requester_kinds
            .iter()
            .map(|kind| to_requester_kind(*kind).into())
            .collect(),
        received_from: term.received_from.map(to_date),
        received_to: term.received_to.map(to_date),
        selected: term.selected,
        base: Some(span(&term.base)),
        origin: origin.into(),
        origin_basis: Some(term.origin_basis.clone().into()),
        roll_forward: term.roll_forward,
        roll_forward_basis: Some(term.roll_forward_basis.clone().into()),
        long_base: term.long_base.as_ref().map(span),
        extension: term.extension.as_ref().map(span),
        extension_notice: term.extension_notice.as_ref().map(span),
        forwarding: term.forwarding.as_ref().map(span),
    }
}
