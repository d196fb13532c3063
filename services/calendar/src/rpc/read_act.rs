//! Reads acts from the contract, with every violation.

use jiff::civil::Date;
use legalstat_kit::{FieldReason, Violations, door::wire::required_date, law::LocalizedText};
use legalstat_proto::{calendar::v1 as proto, common::v1 as common};

use super::{
    act::{self, id, is_slug},
    convert::{self, one_of},
};
use crate::domain::{
    Act, ActKind, Amendment, DayOffRule, FIRST_DAY, Grade, HolidayClass, HolidayRule, Knowledge, LAST_DAY, RuleSet,
    Source, TransferRule,
};

/// The most rules of one sort that an act brings.
const MOST: usize = 100;
/// The id of a hypothetical act that was given no name.
const HYPOTHETICAL: &str = "hypothetical";

/// Reads an act to be recorded.
pub(super) fn read_named(
    violations: &mut Violations,
    field: &str,
    given: &proto::CalendarAct,
    rules: &RuleSet,
) -> Option<Amendment> {
    let id = id(violations, &format!("{field}.name"), &given.name);
    read(violations, field, given, id, rules)
}

/// Reads a hypothetical act.
pub(super) fn read_hypothetical(
    violations: &mut Violations,
    field: &str,
    given: &proto::CalendarAct,
    rules: &RuleSet,
) -> Option<Amendment> {
    let id = match given.name.as_str() {
        "" => Some(HYPOTHETICAL.to_owned()),
        name => id(violations, &format!("{field}.name"), name),
    };
    read(violations, field, given, id, rules)
}

/// Reads the rules of one act. Each is cited from it or from an act that is known.
struct Door<'a> {
    violations: &'a mut Violations,
    act: &'a Act,
    rules: &'a RuleSet,
}

fn read(
    violations: &mut Violations,
    field: &str,
    given: &proto::CalendarAct,
    id: Option<String>,
    rules: &RuleSet,
) -> Option<Amendment> {
    let act = read_act(violations, field, given, id.unwrap_or_default());
    let mut door = Door {
        violations,
        act: &act,
        rules,
    };
    let holidays = door.each(&format!("{field}.holidays"), &given.holidays, Door::holiday);
    let days_off = door.each(&format!("{field}.days_off"), &given.days_off, Door::day_off);
    let transfers = door.each(&format!("{field}.transfers"), &given.transfers, Door::transfer);
    Some(Amendment::new(act, holidays?, days_off?, transfers?))
}

fn read_act(violations: &mut Violations, field: &str, given: &proto::CalendarAct, id: String) -> Act {
    let path = |name: &str| format!("{field}.{name}");
    let kind = one_of(
        violations,
        &path("kind"),
        given.kind,
        act::kind,
        "a law, a resolution or an order",
    );
    let grade = one_of(
        violations,
        &path("grade"),
        given.grade,
        act::grade,
        "how well the act is known",
    );
    let uri = violations.optional_name(&path("uri"), &given.uri, 500);
    if !uri.is_empty() && !uri.starts_with("https://") {
        violations.add(path("uri"), FieldReason::Uri, "begins with https://");
    }
    let dated = date(violations, &path("dated"), given.dated.as_ref());
    let published_on = date(violations, &path("published_on"), given.published_on.as_ref());
    let valid_from = date(violations, &path("valid_from"), given.valid_from.as_ref());
    let valid_to = date(violations, &path("valid_to"), given.valid_to.as_ref());
    for (name, first, last) in [
        ("published_on", dated, published_on),
        ("valid_to", valid_from, valid_to),
    ] {
        if first.zip(last).is_some_and(|(first, last)| last < first) {
            violations.add(path(name), FieldReason::Range, "lies before the day it cannot precede");
        }
    }
    Act {
        id,
        sequence: 0,
        kind: kind.unwrap_or(ActKind::Order),
        citation: violations.name(&path("citation"), &given.citation, 300),
        title: text(violations, &path("title"), given.title.as_ref()),
        number: violations.optional_name(&path("number"), &given.number, 100),
        adilet_id: violations.optional_name(&path("adilet_id"), &given.adilet_id, 100),
        uri,
        dated,
        published_on,
        grade: grade.unwrap_or(Grade::D),
        known_from: None,
        valid_from,
        valid_to,
        recorded_at: None,
        withdrawn_at: None,
    }
}

fn date(violations: &mut Violations, field: &str, value: Option<&common::Date>) -> Option<Date> {
    value.and_then(|value| required_date(violations, field, Some(value)))
}

fn text(violations: &mut Violations, field: &str, value: Option<&common::LocalizedText>) -> LocalizedText {
    let value = value.cloned().unwrap_or_default();
    LocalizedText {
        kk: violations.optional_name(&format!("{field}.kk"), &value.kk, 1000),
        ru: violations.optional_name(&format!("{field}.ru"), &value.ru, 1000),
        en: violations.optional_name(&format!("{field}.en"), &value.en, 1000),
    }
}

impl Door<'_> {
    fn each<Given, Rule>(
        &mut self,
        field: &str,
        given: &[Given],
        read: impl Fn(&mut Self, &str, &Given) -> Option<Rule>,
    ) -> Option<Vec<Rule>> {
        if given.len() > MOST {
            self.violations
                .add(field, FieldReason::TooMany, format!("at most {MOST}"));
            return None;
        }
        let rules = given.iter().enumerate();
        let rules: Vec<_> = rules
            .map(|(position, given)| read(self, &format!("{field}[{position}]"), given))
            .collect();
        rules.into_iter().collect()
    }

    fn holiday(&mut self, field: &str, given: &proto::RecurringHoliday) -> Option<HolidayRule> {
        let path = |name: &str| format!("{field}.{name}");
        let classes = "a holiday or a day off";
        let class = one_of(self.violations, &path("kind"), given.kind, act::holiday_class, classes);
        if given.rolls_forward && class == Some(HolidayClass::DayOff) {
            self.violations
                .add(path("rolls_forward"), FieldReason::Conflict, "only a holiday rolls");
        }
        let years = self.years(field, given);
        let day = month_and_day(given.month, given.day);
        let day = self.violations.check(&path("day"), FieldReason::Date, day);
        let key = self.key(&path("key"), &given.key);
        let name = self.title(&path("title"), given.title.as_ref());
        let source = self.source(field, &given.cited_act, &given.provision);
        let note = self.violations.optional_text(&path("note"), &given.note, 1000);
        let ((month, day), (first_year, last_year)) = (day?, years?);
        Some(HolidayRule {
            key: key?,
            name,
            month,
            day,
            first_year,
            last_year,
            rolls_forward: given.rolls_forward,
            class: class?,
            source: source?,
            note,
        })
    }

    /// The first year of a holiday, and the last if there is one.
    fn years(&mut self, field: &str, given: &proto::RecurringHoliday) -> Option<(i16, Option<i16>)> {
        let (first_field, last_field) = (format!("{field}.first_year"), format!("{field}.last_year"));
        let first = convert::year(given.first_year);
        let first = self.violations.check(&first_field, FieldReason::OutOfRange, first);
        if given.last_year == 0 {
            return Some((first?, None));
        }
        let last = convert::year(given.last_year);
        let last = self.violations.check(&last_field, FieldReason::OutOfRange, last);
        if first.zip(last).is_some_and(|(first, last)| last < first) {
            self.violations
                .add(last_field, FieldReason::Range, "lies before `first_year`");
        }
        Some((first?, Some(last?)))
    }

    fn day_off(&mut self, field: &str, given: &proto::SingleDayOff) -> Option<DayOffRule> {
        let path = |name: &str| format!("{field}.{name}");
        let date = self.day(&path("date"), given.date.as_ref());
        let statuses = "provisional, announced or confirmed";
        let status = one_of(
            self.violations,
            &path("status"),
            given.status,
            act::day_off_status,
            statuses,
        );
        let key = self.key(&path("occasion"), &given.occasion);
        let name = self.title(&path("title"), given.title.as_ref());
        let source = self.source(field, &given.cited_act, &given.provision);
        Some(DayOffRule {
            key: key?,
            date: date?,
            status: status?,
            name,
            source: source?,
        })
    }

    fn transfer(&mut self, field: &str, given: &proto::Transfer) -> Option<TransferRule> {
        let working_day = self.day(&format!("{field}.working_day"), given.working_day.as_ref());
        let day_off = self.day(&format!("{field}.day_off"), given.day_off.as_ref());
        let source = self.source(field, &given.cited_act, &given.provision);
        Some(TransferRule {
            working_day: working_day?,
            day_off: day_off?,
            source: source?,
        })
    }

    /// A required day of the calendar.
    fn day(&mut self, field: &str, value: Option<&common::Date>) -> Option<Date> {
        let day = required_date(self.violations, field, value)?;
        if !(FIRST_DAY..=LAST_DAY).contains(&day) {
            self.violations.add(
                field,
                FieldReason::OutOfRange,
                format!("a day from {FIRST_DAY} to {LAST_DAY}"),
            );
            return None;
        }
        Some(day)
    }

    fn key(&mut self, field: &str, value: &str) -> Option<String> {
        if !is_slug(value) {
            let description = "required: lower case letters and digits with hyphens between them, at most 64";
            self.violations.add(field, FieldReason::Key, description);
            return None;
        }
        Some(value.to_owned())
    }

    fn title(&mut self, field: &str, value: Option<&common::LocalizedText>) -> LocalizedText {
        let title = text(self.violations, field, value);
        if title == LocalizedText::default() {
            self.violations
                .add(field, FieldReason::Required, "required in at least one language");
        }
        title
    }

    fn source(&mut self, field: &str, cited_act: &str, provision: &str) -> Option<Source> {
        let provision = self
            .violations
            .optional_name(&format!("{field}.provision"), provision, 300);
        let cited = match cited_act {
            "" => self.act,
            name => {
                let field = format!("{field}.cited_act");
                let id = id(self.violations, &field, name)?;
                self.violations
                    .check(&field, FieldReason::Unknown, self.rules.act(&id))?
            }
        };
        Some(Source {
            act: self.act.id.clone(),
            cited_act: cited.id.clone(),
            legal_basis: cited.cite(&provision, self.act.grade),
            grade: self.act.grade,
            known: Knowledge::default(),
        })
    }
}

/// A month and a day that exist, 29 February included.
fn month_and_day(month: i32, day: i32) -> Result<(i8, i8), String> {
    const LEAP_YEAR: i16 = 2016;
    let exists = || {
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        Date::new(LEAP_YEAR, month, day).ok()?;
        Some((month, day))
    };
    exists().ok_or_else(|| format!("no year has a day {day} in month {month}"))
}
