//! All SQL of the calendar.

pub mod act;
mod day_rule;
mod provision_rule;
pub mod reference;
pub mod rule_set;
mod term_rule;

use jiff::{Timestamp, civil::Date};
use legalstat_kit::door::word::Word as _;

use crate::domain::{CalendarError, Grade, Knowledge, RuleSet, Source};

/// The columns that every rule has.
struct SourceRow {
    act: String,
    basis_act: String,
    provision: String,
    grade: String,
    known_from: Option<jiff_sqlx::Timestamp>,
    known_to: Option<jiff_sqlx::Timestamp>,
    known_from_assumed: bool,
}

impl SourceRow {
    fn read(self, rules: &RuleSet) -> anyhow::Result<Source> {
        let known = knowledge(self.known_from, self.known_to, self.known_from_assumed);
        let grade = Grade::read_stored(&self.grade, "grade")?;
        let source = rules.source((self.act, self.basis_act), &self.provision, grade, known);
        source.map_err(CalendarError::into)
    }
}

fn knowledge(from: Option<jiff_sqlx::Timestamp>, to: Option<jiff_sqlx::Timestamp>, assumed: bool) -> Knowledge {
    Knowledge {
        from: from.map(jiff_sqlx::Timestamp::to_jiff),
        to: to.map(jiff_sqlx::Timestamp::to_jiff),
        assumed,
    }
}

fn to_instant(instant: Option<Timestamp>) -> Option<jiff_sqlx::Timestamp> {
    instant.map(jiff_sqlx::Timestamp::from)
}

fn to_date(date: Option<Date>) -> Option<jiff_sqlx::Date> {
    date.map(jiff_sqlx::Date::from)
}
