//! Acts as the contract writes them.

use legalstat_kit::{
    FieldReason, Violations,
    door::wire::{to_date, to_timestamp},
    law::LocalizedText,
};
use legalstat_proto::{calendar::v1 as proto, common::v1 as common};

use super::convert;
use crate::domain::{
    Act, ActKind, ChangedDay, DayOffRule, DayOffStatus, Grade, HolidayClass, HolidayRule, RulePlace, RuleSet, Source,
    TransferRule,
};

/// What the resource name of an act begins with.
pub(super) const PREFIX: &str = "calendarActs/";

/// Reads the resource name of an act.
pub(super) fn id(violations: &mut Violations, field: &str, name: &str) -> Option<String> {
    let id = name.strip_prefix(PREFIX).filter(|id| is_slug(id));
    if id.is_none() {
        let description =
            "required: calendarActs/ and at most 64 lower case letters and digits with hyphens between them";
        violations.add(field, FieldReason::ResourceName, description);
    }
    id.map(str::to_owned)
}

/// Whether a text is lower case letters and digits with hyphens between them, at most 64.
pub(super) fn is_slug(text: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= 64 && text.split('-').all(word)
}

/// The resource name of an act.
pub(super) fn name(id: &str) -> String {
    format!("{PREFIX}{id}")
}

pub(super) fn kind(kind: ActKind) -> i32 {
    let kind = match kind {
        ActKind::Law => proto::CalendarActKind::Law,
        ActKind::Resolution => proto::CalendarActKind::Resolution,
        ActKind::Order => proto::CalendarActKind::Order,
    };
    kind.into()
}

pub(super) fn grade(grade: Grade) -> i32 {
    let grade = match grade {
        Grade::A => proto::Grade::ActRead,
        Grade::B => proto::Grade::StateBody,
        Grade::C => proto::Grade::ThirdParty,
        Grade::D => proto::Grade::Assumed,
    };
    grade.into()
}

pub(super) fn holiday_class(class: HolidayClass) -> i32 {
    let kind = match class {
        HolidayClass::Holiday => proto::DayKind::Holiday,
        HolidayClass::DayOff => proto::DayKind::DayOff,
    };
    kind.into()
}

pub(super) fn day_off_status(status: DayOffStatus) -> i32 {
    let status = match status {
        DayOffStatus::Provisional => proto::DayOffStatus::Provisional,
        DayOffStatus::Announced => proto::DayOffStatus::Announced,
        DayOffStatus::Confirmed => proto::DayOffStatus::Confirmed,
    };
    status.into()
}

/// The path of the field that a contradiction is about.
pub(super) fn path(field: &str, place: RulePlace) -> String {
    match place {
        RulePlace::Holiday(at) => format!("{field}.holidays[{at}].key"),
        RulePlace::DayOff(at) => format!("{field}.days_off[{at}].occasion"),
        RulePlace::WorkingDay(at) => format!("{field}.transfers[{at}].working_day"),
        RulePlace::TransferredDayOff(at) => format!("{field}.transfers[{at}].day_off"),
    }
}

pub(super) fn changed_day(day: &ChangedDay) -> proto::ChangedDay {
    proto::ChangedDay {
        date: Some(to_date(day.date)),
        old_kind: convert::day_kind(day.old).into(),
        new_kind: convert::day_kind(day.new).into(),
    }
}

/// An act with the day rules it brought.
pub(super) fn write(rules: &RuleSet, act: &Act) -> proto::CalendarAct {
    let brought = |source: &Source| source.act == act.id;
    let holidays = rules.holidays.iter().filter(|rule| brought(&rule.source));
    let days_off = rules.days_off.iter().filter(|rule| brought(&rule.source));
    let transfers = rules.transfers.iter().filter(|rule| brought(&rule.source));
    proto::CalendarAct {
        name: name(&act.id),
        kind: kind(act.kind),
        citation: act.citation.clone(),
        title: text(&act.title),
        number: act.number.clone(),
        adilet_id: act.adilet_id.clone(),
        uri: act.uri.clone(),
        dated: act.dated.map(to_date),
        published_on: act.published_on.map(to_date),
        grade: grade(act.grade),
        valid_from: act.valid_from.map(to_date),
        valid_to: act.valid_to.map(to_date),
        holidays: holidays.map(holiday).collect(),
        days_off: days_off.map(day_off).collect(),
        transfers: transfers.map(transfer).collect(),
        known_from: act.known_from.map(to_timestamp),
        recorded_at: act.recorded_at.map(to_timestamp),
        withdrawn_at: act.withdrawn_at.map(to_timestamp),
        sequence: i64::try_from(act.sequence).expect("sequences come from the database, which counts in i64"),
    }
}

fn text(text: &LocalizedText) -> Option<common::LocalizedText> {
    (*text != LocalizedText::default()).then(|| text.clone().into())
}

fn cited_act(source: &Source) -> String {
    if source.cited_act == source.act {
        String::new()
    } else {
        name(&source.cited_act)
    }
}

fn holiday(rule: &HolidayRule) -> proto::RecurringHoliday {
    proto::RecurringHoliday {
        key: rule.key.clone(),
        title: text(&rule.name),
        kind: holiday_class(rule.class),
        month: rule.month.into(),
        day: rule.day.into(),
        first_year: rule.first_year.into(),
        last_year: rule.last_year.map_or(0, Into::into),
        rolls_forward: rule.rolls_forward,
        cited_act: cited_act(&rule.source),
        provision: rule.source.legal_basis.provision.clone(),
        note: rule.note.clone(),
    }
}

fn day_off(rule: &DayOffRule) -> proto::SingleDayOff {
    proto::SingleDayOff {
        occasion: rule.key.clone(),
        date: Some(to_date(rule.date)),
        status: day_off_status(rule.status),
        title: text(&rule.name),
        cited_act: cited_act(&rule.source),
        provision: rule.source.legal_basis.provision.clone(),
    }
}

fn transfer(rule: &TransferRule) -> proto::Transfer {
    proto::Transfer {
        working_day: Some(to_date(rule.working_day)),
        day_off: Some(to_date(rule.day_off)),
        cited_act: cited_act(&rule.source),
        provision: rule.source.legal_basis.provision.clone(),
    }
}
