//! What holds from one day to another, and how a register takes a later version of it.

use std::collections::{HashMap, HashSet};

use jiff::{ToSpan, civil::Date};
use legalstat_kit::law::{LegalBasis, LocalizedText};

use super::faults::{Fault, Faults, Kind};

/// From which day to which something holds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    pub from: Date,
    /// `None` while it goes on.
    pub to: Option<Date>,
}

impl Validity {
    pub fn holds_on(self, day: Date) -> bool {
        self.from <= day && self.to.is_none_or(|last| day <= last)
    }

    /// Whether it holds on a day from one to another.
    pub fn holds_within(self, first: Date, last: Date) -> bool {
        self.from <= last && self.to.is_none_or(|end| first <= end)
    }
}

/// One version of what a register holds under a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated<T> {
    pub validity: Validity,
    pub title: LocalizedText,
    pub legal_basis: LegalBasis,
    pub facts: T,
}

/// What entering a version does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entering {
    /// There is nothing under its code.
    Creates,
    /// It takes the place of the last version, which ends on this day.
    Replaces { last_day: Date },
    /// The last version is the same.
    Repeats,
}

/// Why a version cannot be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version of {from} is entered already; a new one begins on a later day")]
pub struct TooEarly {
    pub from: Date,
}

/// What entering a version does to the last one that there is.
///
/// # Errors
/// When the version begins no later: what was in force stays as it was.
pub fn entering<T: PartialEq>(last: Option<&Dated<T>>, given: &Dated<T>) -> Result<Entering, TooEarly> {
    let Some(last) = last else {
        return Ok(Entering::Creates);
    };
    if last == given {
        return Ok(Entering::Repeats);
    }
    let from = last.validity.from;
    if given.validity.from <= from {
        return Err(TooEarly { from });
    }
    let eve = given.validity.from.saturating_sub(1.day());
    let last_day = last.validity.to.map_or(eve, |to| to.min(eve));
    Ok(Entering::Replaces { last_day })
}

/// The end of a last version: the code, the last day and the law that ends it, in the registers' notation.
pub type End = (String, Date, String);

/// What entering a batch comes to.
#[derive(Clone, Debug)]
pub struct Batch<T> {
    /// The versions to store.
    pub add: Vec<(String, Dated<T>)>,
    /// The last versions that they replace.
    pub ends: Vec<End>,
    pub created: i32,
    pub replaced: i32,
    pub unchanged: i32,
}

/// Decides about a batch by the last versions there are. What cannot be entered is a fault of its row.
pub fn enter<T: PartialEq>(
    given: Vec<(String, Dated<T>)>,
    last: &HashMap<String, Dated<T>>,
    faults: &mut Faults,
) -> Batch<T> {
    let (add, ends) = (Vec::new(), Vec::new());
    let (created, replaced, unchanged) = (0, 0, 0);
    let mut batch = Batch {
        add,
        ends,
        created,
        replaced,
        unchanged,
    };
    for (row, (code, version)) in (1..).zip(given) {
        match entering(last.get(&code), &version) {
            Err(TooEarly { from }) => {
                faults.add(|| Fault::new(row, "valid_from", Kind::Contradiction, &from.to_string()));
                continue;
            }
            Ok(Entering::Repeats) => {
                batch.unchanged += 1;
                continue;
            }
            Ok(Entering::Creates) => batch.created += 1,
            Ok(Entering::Replaces { last_day }) => {
                batch.replaced += 1;
                batch
                    .ends
                    .push((code.clone(), last_day, version.legal_basis.notation()));
            }
        }
        batch.add.push((code, version));
    }
    batch
}

/// A code that stands in a batch twice is a fault of its second row.
pub fn require_once<'a>(codes: impl Iterator<Item = &'a str>, faults: &mut Faults) {
    let mut seen = HashSet::new();
    for (row, code) in (1..).zip(codes) {
        if !seen.insert(code) {
            faults.add(|| Fault::new(row, "code", Kind::Duplicate, code));
        }
    }
}

/// Why what holds cannot end on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRetired {
    #[error("it begins on {0} only")]
    BeforeItBegins(Date),
    #[error("it ends on {0} already")]
    EndsBefore(Date),
}

/// Whether a version can end on a day; `false` when it ends on that day already.
///
/// # Errors
/// A day before it begins, or after its end.
pub fn retiring(last: Validity, day: Date) -> Result<bool, NotRetired> {
    match last.to {
        _ if day < last.from => Err(NotRetired::BeforeItBegins(last.from)),
        Some(to) if to < day => Err(NotRetired::EndsBefore(to)),
        Some(to) => Ok(day < to),
        None => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn version(from: Date, to: Option<Date>, facts: u8) -> Dated<u8> {
        Dated {
            validity: Validity { from, to },
            title: LocalizedText::default(),
            legal_basis: LegalBasis::default(),
            facts,
        }
    }

    #[test]
    fn a_version_is_created_repeated_or_takes_the_place_of_the_last_from_its_day_on() {
        let (first, later) = (date(2026, 1, 1), date(2026, 7, 1));
        let last = version(first, None, 1);
        assert_eq!(entering(None, &last), Ok(Entering::Creates));
        assert_eq!(entering(Some(&last), &last), Ok(Entering::Repeats));
        let last_day = date(2026, 6, 30);
        let replaces = Ok(Entering::Replaces { last_day });
        assert_eq!(entering(Some(&last), &version(later, None, 2)), replaces);
        let ended = version(first, Some(date(2026, 3, 31)), 1);
        let last_day = date(2026, 3, 31);
        let replaces = Ok(Entering::Replaces { last_day });
        assert_eq!(
            entering(Some(&ended), &version(later, None, 2)),
            replaces,
            "a gap stays a gap"
        );
        for given in [
            version(first, None, 2),
            version(date(2025, 1, 1), None, 1),
            version(first, Some(later), 1),
        ] {
            assert_eq!(
                entering(Some(&last), &given),
                Err(TooEarly { from: first }),
                "{given:?}"
            );
        }
    }

    #[test]
    fn a_batch_creates_replaces_and_repeats_and_counts_each_and_names_the_rows_that_come_too_early() {
        let (first, later) = (date(2026, 1, 1), date(2026, 7, 1));
        let own = |code: &str| code.to_owned();
        let held = ["A", "B", "C", "D"].map(|code| (own(code), version(first, None, 1)));
        let given = vec![
            (own("A"), version(later, None, 2)),
            (own("N"), version(first, None, 1)),
            (own("B"), version(first, None, 1)),
            (own("C"), version(first, None, 2)),
            (own("D"), version(later, None, 2)),
        ];
        let mut faults = Faults::default();
        let batch = enter(given, &HashMap::from(held), &mut faults);
        assert_eq!((batch.created, batch.replaced, batch.unchanged), (1, 2, 1));
        let added: Vec<&str> = batch.add.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(added, ["A", "N", "D"]);
        let ends: Vec<_> = batch.ends.iter().map(|(code, day, _)| (code.as_str(), *day)).collect();
        assert_eq!(ends, [("A", date(2026, 6, 30)), ("D", date(2026, 6, 30))]);
        require_once(["A", "B", "A", "A"].into_iter(), &mut faults);
        let told: Vec<_> = faults
            .first
            .iter()
            .map(|fault| (fault.row, fault.column.as_str()))
            .collect();
        assert_eq!(told, [(4, "valid_from"), (3, "code"), (4, "code")]);
    }

    #[test]
    fn what_holds_ends_within_its_days() {
        let day = |day| date(2026, 3, day);
        let open = Validity {
            from: day(10),
            to: None,
        };
        assert_eq!(retiring(open, day(9)), Err(NotRetired::BeforeItBegins(day(10))));
        assert_eq!(retiring(open, day(10)), Ok(true));
        let ends = Validity {
            from: day(10),
            to: Some(day(20)),
        };
        assert_eq!(retiring(ends, day(19)), Ok(true));
        assert_eq!(retiring(ends, day(20)), Ok(false));
        assert_eq!(retiring(ends, day(21)), Err(NotRetired::EndsBefore(day(20))));
    }

    proptest! {
        #[test]
        fn no_day_belongs_to_two_versions(from in 0..1000_i64, length in prop::option::of(0..500_i64), later in 1..1000_i64, day in -10..3000_i64) {
            let at = |days: i64| date(2020, 1, 1).saturating_add(days.days());
            let last = version(at(from), length.map(|length| at(from + length)), 1);
            let given = version(at(from + later), None, 2);
            let Ok(Entering::Replaces { last_day }) = entering(Some(&last), &given) else {
                return Err(TestCaseError::fail("it replaces"));
            };
            let ended = Validity { from: last.validity.from, to: Some(last_day) };
            prop_assert!(ended.from <= last_day);
            prop_assert!(!(ended.holds_on(at(day)) && given.validity.holds_on(at(day))));
        }
    }
}
