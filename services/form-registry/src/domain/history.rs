//! What was recorded about a form in the course of time, and what follows from it for each day. A recording speaks of some days
//! and stays for good; of two that speak of the same day the later one holds.

use jiff::civil::Date;
use legalstat_kit::{call::Done, door::word::Word, due::Terms, period::ReportingPeriod};

use super::form::{Form, WrongPeriodKind};

/// What a recording was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Loaded with the register of a release.
    Loaded,
    Created,
    /// Other terms from a day on.
    Updated,
    /// Other texts of the same days.
    Corrected,
    /// On its days the form is not in force.
    Retired,
}

impl Word for Kind {
    const ALL: &'static [Self] = &[
        Self::Loaded,
        Self::Created,
        Self::Updated,
        Self::Corrected,
        Self::Retired,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Loaded => "LOADED",
            Self::Created => "CREATED",
            Self::Updated => "UPDATED",
            Self::Corrected => "CORRECTED",
            Self::Retired => "RETIRED",
        }
    }
}

/// One recording about a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Its place in the order of recording, from 1.
    pub number: i32,
    pub kind: Kind,
    /// The form on the days of its duty.
    pub form: Form,
    /// Why.
    pub reason: String,
    pub recorded: Done,
}

/// The form on the days on which nothing about it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The recording that holds on them.
    pub number: i32,
    /// The form on the days of its duty.
    pub form: Form,
}

/// Everything recorded about one form, in order; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History(Vec<Recording>);

impl History {
    /// The recordings of one form in their order; `None` for no recording.
    pub fn new(recordings: Vec<Recording>) -> Option<Self> {
        (!recordings.is_empty()).then_some(Self(recordings))
    }

    /// With more recordings after the others.
    #[must_use]
    pub fn with(&self, more: &[Recording]) -> Self {
        Self([&self.0, more].concat())
    }

    /// The recordings, the first one first.
    pub fn recordings(&self) -> &[Recording] {
        &self.0
    }

    /// The last recording; its number tells states of the form apart.
    pub fn last(&self) -> &Recording {
        self.0.last().expect("a history is never empty")
    }

    /// The versions in the order of their days, without the days on which the form is not in force.
    pub fn versions(&self) -> Vec<Version> {
        let mut begins: Vec<Date> = Vec::new();
        for recording in &self.0 {
            begins.push(recording.form.duty.valid_from);
            begins.extend(recording.form.duty.valid_to.and_then(|day| day.tomorrow().ok()));
        }
        begins.sort_unstable();
        begins.dedup();
        let ends = begins.iter().skip(1).map(|next| next.yesterday().ok());
        let ends: Vec<Option<Date>> = ends.chain([None]).collect();
        let mut versions: Vec<Version> = Vec::new();
        for (from, to) in begins.into_iter().zip(ends) {
            let Some(holding) = self.holding(from) else { continue };
            let follows = |version: &&mut Version| {
                let end = version.form.duty.valid_to.and_then(|day| day.tomorrow().ok());
                version.number == holding.number && end == Some(from)
            };
            match versions.last_mut().filter(follows) {
                Some(version) => version.form.duty.valid_to = to,
                None => versions.push(Version {
                    number: holding.number,
                    form: holding.form.clone().within(from, to),
                }),
            }
        }
        versions
    }

    /// The version in force on a day.
    pub fn on(&self, day: Date) -> Option<Version> {
        let mut versions = self.versions().into_iter();
        versions.find(|version| version.form.duty.holds_on(day))
    }

    /// The version to show on a day: the one in force, else the last before it, else the first.
    ///
    /// # Panics
    /// Never: a history begins with a recording of a form, which a retirement can end on its first day at the earliest.
    pub fn shown_on(&self, day: Date) -> Version {
        let versions = self.versions();
        let shown = shown_among(&versions, day);
        shown.cloned().expect("a form is in force on its first day")
    }

    /// The version whose terms govern a period, as [`Terms::governing`] tells; `None` where no version has such periods.
    pub fn governing(&self, period: ReportingPeriod) -> Option<Version> {
        let terms = self.terms();
        let duty = terms.governing(period)?;
        self.versions().into_iter().find(|version| version.form.duty == *duty)
    }

    /// The periods of this kind from one to another, each with whether the form was placed for such periods as it stood on the
    /// period's last day; `None` where no version ever was.
    pub fn between(&self, first: ReportingPeriod, last: ReportingPeriod) -> Option<Vec<(ReportingPeriod, bool)>> {
        let versions = self.versions();
        let having = versions.iter().find(|version| version.form.duty.has(first))?;
        let periods = having.form.duty.periods_between(first, last);
        let fits = |period: &ReportingPeriod| {
            shown_among(&versions, period.last_day()).is_some_and(|version| version.form.duty.has(*period))
        };
        Some(periods.map(|period| (period, fits(&period))).collect())
    }

    /// The first day on which the form is in force, and the last; `None` while it goes on.
    pub fn span(&self) -> (Date, Option<Date>) {
        let versions = self.versions();
        let (first, last) = (versions.first(), versions.last());
        let days = first
            .zip(last)
            .map(|(first, last)| (first.form.duty.valid_from, last.form.duty.valid_to));
        days.unwrap_or((self.0[0].form.duty.valid_from, None))
    }

    /// The terms of its duty.
    pub fn terms(&self) -> Terms {
        Terms::new(self.versions().into_iter().map(|version| version.form.duty).collect())
    }

    /// Whether the form is placed for periods of this kind in any of its versions.
    ///
    /// # Errors
    /// Says which periods the last one is placed for.
    pub fn require_kind_of(&self, period: ReportingPeriod) -> Result<(), WrongPeriodKind> {
        let versions = self.versions();
        if versions.iter().any(|version| version.form.duty.has(period)) {
            return Ok(());
        }
        self.last().form.require_kind_of(period)
    }

    fn holding(&self, day: Date) -> Option<&Recording> {
        let speaking = self.0.iter().rev().find(|recording| recording.form.duty.holds_on(day));
        speaking.filter(|recording| recording.kind != Kind::Retired)
    }
}

/// Of versions in order the one to show on a day: the last that has begun, else the first.
fn shown_among(versions: &[Version], day: Date) -> Option<&Version> {
    let begun = versions
        .iter()
        .rev()
        .find(|version| version.form.duty.valid_from <= day);
    begun.or(versions.first())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::register;
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn recording(number: i32, kind: Kind, due_day: i32, from: &str, to: Option<&str>) -> Recording {
        let mut form = register::appendix_2().expect("it is readable").swap_remove(0);
        form.duty.due_day = due_day;
        let day = |text: &str| text.parse().expect("a day");
        Recording {
            number,
            kind,
            form: form.within(day(from), to.map(day)),
            reason: "an order".into(),
            recorded: Done {
                at: Timestamp::UNIX_EPOCH,
                by: "administrator".into(),
            },
        }
    }

    fn told(history: &History) -> Vec<String> {
        let versions = history.versions().into_iter();
        let told = versions.map(|version| {
            let duty = version.form.duty;
            let to = duty.valid_to.map(|day| day.to_string()).unwrap_or_default();
            format!("{} {} {}..{to}", version.number, duty.due_day, duty.valid_from)
        });
        told.collect()
    }

    #[test]
    fn the_later_recording_holds_and_the_earlier_one_goes_on_where_it_does_not_speak() {
        let mut history = History(vec![recording(1, Kind::Loaded, 5, "2019-04-15", None)]);
        history = history.with(&[recording(2, Kind::Updated, 7, "2027-01-01", None)]);
        assert_eq!(told(&history), ["1 5 2019-04-15..2026-12-31", "2 7 2027-01-01.."]);
        history = history.with(&[recording(3, Kind::Updated, 9, "2026-01-01", Some("2026-12-31"))]);
        assert_eq!(
            told(&history),
            [
                "1 5 2019-04-15..2025-12-31",
                "3 9 2026-01-01..2026-12-31",
                "2 7 2027-01-01.."
            ]
        );
        history = history.with(&[recording(4, Kind::Retired, 7, "2028-01-01", None)]);
        assert_eq!(told(&history)[2], "2 7 2027-01-01..2027-12-31");
        let span = history.span();
        assert_eq!(
            (span.0.to_string(), span.1.map(|day| day.to_string())),
            ("2019-04-15".into(), Some("2027-12-31".into()))
        );
    }

    #[test]
    fn a_form_is_shown_as_it_is_or_as_it_was_last_or_as_it_will_be_first() {
        let history = History(vec![
            recording(1, Kind::Created, 5, "2026-01-01", None),
            recording(2, Kind::Retired, 5, "2027-01-01", None),
        ]);
        let day = |text: &str| text.parse().expect("a day");
        assert_eq!(history.on(day("2025-12-31")), None);
        assert_eq!(history.on(day("2027-01-01")), None);
        assert!(history.on(day("2026-12-31")).is_some());
        for shown in ["2025-12-31", "2026-06-01", "2030-01-01"] {
            assert_eq!(
                history.shown_on(day(shown)).form.duty.valid_to,
                Some(day("2026-12-31")),
                "{shown}"
            );
        }
    }

    #[test]
    fn a_period_fits_when_any_version_has_it() {
        let mut quarterly = recording(2, Kind::Updated, 5, "2027-01-01", None);
        quarterly.form = Form {
            duty: legalstat_kit::due::Duty {
                valid_from: quarterly.form.duty.valid_from,
                ..register::appendix_2().expect("it is readable")[1].duty.clone()
            },
            ..register::appendix_2().expect("it is readable").swap_remove(1)
        };
        let history = History(vec![recording(1, Kind::Loaded, 5, "2019-04-15", None), quarterly]);
        for (period, fits) in [("2026-M01", true), ("2027-Q1", true), ("2027-S1", false)] {
            let fitted = history.require_kind_of(period.parse().expect("a period"));
            assert_eq!(fitted.is_ok(), fits, "{period}");
        }
    }

    #[test]
    fn each_period_is_governed_and_fits_by_the_version_of_its_time() {
        let mut quarterly = recording(2, Kind::Updated, 9, "2027-01-01", None);
        let other = register::appendix_2().expect("it is readable").swap_remove(1);
        quarterly.form.periodicity = other.periodicity;
        quarterly.form.duty.periods = other.duty.periods;
        let history = History(vec![recording(1, Kind::Loaded, 5, "2019-04-15", None), quarterly]);
        let period = |text: &str| text.parse::<ReportingPeriod>().expect("a period");
        let between = |first: &str, last: &str| {
            let fitting = history.between(period(first), period(last))?;
            Some(
                fitting
                    .iter()
                    .map(|(period, fits)| format!("{period} {fits}"))
                    .collect::<Vec<_>>(),
            )
        };
        let months = ["2026-M11 true", "2026-M12 true", "2027-M01 false"];
        assert_eq!(between("2026-M11", "2027-M01").expect("it had months"), months);
        assert_eq!(
            between("2026-Q4", "2027-Q1").expect("it has quarters"),
            ["2026-Q4 false", "2027-Q1 true"]
        );
        assert_eq!(
            between("2018-M12", "2018-M12").expect("it had months"),
            ["2018-M12 true"]
        );
        assert_eq!(between("2026-S1", "2026-S1"), None);
        let governing = |text: &str| history.governing(period(text)).map(|version| version.number);
        assert_eq!(["2026-M12", "2027-Q1", "2026"].map(governing), [Some(1), Some(2), None]);
    }

    proptest! {
        #[test]
        fn versions_do_not_overlap_and_each_day_has_what_was_recorded_last_of_it(
            spans in prop::collection::vec((0..40_i64, prop::option::of(0..40_i64), any::<bool>()), 0..8), asked in 0..100_i64,
        ) {
            let start: Date = "2019-04-15".parse().expect("a day");
            let later = |day: Date, days: i64| day.checked_add(jiff::Span::new().days(days)).expect("in range");
            let mut history = History(vec![recording(1, Kind::Loaded, 5, "2019-04-15", None)]);
            for (number, (from, length, retires)) in (2..).zip(spans) {
                let mut next = recording(number, if retires { Kind::Retired } else { Kind::Updated }, 5, "2019-04-15", None);
                let from = later(start, from + 1);
                next.form = next.form.within(from, length.map(|length| later(from, length)));
                history = history.with(&[next]);
            }
            let day = later(start, asked);
            let speaking = history.recordings().iter().rev().find(|one| one.form.duty.holds_on(day)).expect("the first does");
            let expected = (speaking.kind != Kind::Retired).then_some(speaking.number);
            prop_assert_eq!(history.on(day).map(|version| version.number), expected);
            for pair in history.versions().windows(2) {
                prop_assert!(pair[0].form.duty.valid_to.is_some_and(|end| end < pair[1].form.duty.valid_from));
            }
        }
    }
}
