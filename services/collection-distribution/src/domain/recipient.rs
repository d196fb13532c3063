//! State bodies, or parts of them, that receive collections (Instruction, Appendix 1). What is known of one holds for a time.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use legalstat_kit::law::{LegalBasis, LocalizedText};

/// A recipient, or a heading over several, as the register has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// What identifies it, for example `supreme-court`.
    pub id: String,
    /// The column of Appendix 1; `None` for a heading, which itself receives nothing.
    pub appendix_column: Option<i32>,
    /// Its name; languages not entered yet are empty.
    pub name: LocalizedText,
    /// The id of the body it belongs to.
    pub parent: Option<String>,
    /// The law that entitles it.
    pub legal_basis: LegalBasis,
    /// The first day on which it is entitled.
    pub valid_from: Date,
    /// The last such day; `None` while it goes on.
    pub valid_to: Option<Date>,
}

/// What is known of a recipient, whenever it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its name; languages not entered yet are empty.
    pub name: LocalizedText,
    /// The id of the body it belongs to.
    pub parent: Option<String>,
    /// The name in the certificate of its system.
    pub certificate_name: Option<String>,
    /// Where its own server takes copies; `None` when it fetches them.
    pub endpoint: Option<String>,
    /// The id of what gets its copies after its last day.
    pub successor: Option<String>,
    /// The law that entitles it.
    pub legal_basis: LegalBasis,
    /// The last day; `None` while it goes on.
    pub valid_to: Option<Date>,
}

/// What is known of a recipient from one day to another, as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Which recording this is; 0 for the row of the register.
    pub number: i64,
    /// What identifies the recipient.
    pub id: String,
    /// The column of Appendix 1; `None` for a heading.
    pub appendix_column: Option<i32>,
    /// The first day.
    pub valid_from: Date,
    /// What holds until [`Facts::valid_to`].
    pub facts: Facts,
    /// When it was recorded; `None` for the row of the register.
    pub recorded_at: Option<Timestamp>,
}

impl Known {
    /// Whether it holds on a day.
    pub fn covers(&self, day: Date) -> bool {
        self.valid_from <= day && self.facts.valid_to.is_none_or(|to| day <= to)
    }
}

/// What holds on a day among what is known of one recipient; else what begins next, else what held last. None when nothing is known.
pub fn as_of(rows: &[Known], day: Date) -> Option<&Known> {
    let next = || {
        rows.iter()
            .filter(|row| row.valid_from > day)
            .min_by_key(|row| row.valid_from)
    };
    let last = || rows.iter().max_by_key(|row| row.valid_from);
    rows.iter().find(|row| row.covers(day)).or_else(next).or_else(last)
}

/// Who gets on a day what a recipient is entitled to: itself, or what it became. `None` when it ended without a successor in force.
pub fn entitled<'a>(rows: &'a [Known], id: &'a str, day: Date) -> Option<&'a str> {
    succession(rows, id, day).1
}

/// What a recipient had become by a day: the last states of those that ended one after the other, beginning with its own, and who gets
/// its copies then, as [`entitled`] tells.
pub fn succession<'a>(rows: &'a [Known], id: &'a str, day: Date) -> (Vec<&'a Known>, Option<&'a str>) {
    let (mut ended, mut id) = (Vec::new(), id);
    // More steps than recipients would go round in a circle.
    while ended.len() <= rows.len() {
        let of_it = || rows.iter().filter(|row| row.id == id);
        if of_it().any(|row| row.covers(day)) {
            return (ended, Some(id));
        }
        let before = of_it().filter(|row| row.facts.valid_to.is_some_and(|to| to < day));
        let Some(last) = before.max_by_key(|row| row.valid_from) else {
            break;
        };
        ended.push(last);
        let Some(successor) = last.facts.successor.as_deref() else {
            break;
        };
        id = successor;
    }
    (ended, None)
}

/// For whom a recipient in force speaks on a day: itself first, then those that ended and that it follows.
pub fn spoken_for(rows: &[Known], id: &str, day: Date) -> Vec<String> {
    let others: BTreeSet<&str> = rows
        .iter()
        .map(|row| row.id.as_str())
        .filter(|other| *other != id)
        .collect();
    let followed = others
        .into_iter()
        .filter(|other| entitled(rows, other, day) == Some(id));
    std::iter::once(id).chain(followed).map(str::to_owned).collect()
}

/// The days from one to another on which what is known can change who is entitled: the first, and each on which something begins or is
/// over.
pub fn turning_days(rows: &[Known], from: Date, to: Option<Date>) -> BTreeSet<Date> {
    let over = |row: &Known| row.facts.valid_to.and_then(|last| last.tomorrow().ok());
    let turns = rows.iter().flat_map(|row| [Some(row.valid_from), over(row)]).flatten();
    let within = turns.filter(|day| *day > from && to.is_none_or(|to| *day <= to));
    std::iter::once(from).chain(within).collect()
}

/// A row that is to be written in place of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The first day.
    pub valid_from: Date,
    /// What holds.
    pub facts: Facts,
}

/// What a change does to the rows of a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewriting {
    /// The number of the row that is superseded; 0 for that of the register, which stays.
    pub superseded: i64,
    /// What is written in its place, in the order of time; the last is what the change makes.
    pub written: Vec<Written>,
}

/// Why a recipient cannot be changed so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nothing holds on the day from which it should be otherwise.
    #[error("the recipient is not in force on this day")]
    NotInForce,
    /// It would end before it begins.
    #[error("must not lie before the day from which it holds")]
    EndsBefore,
}

/// What is to be written when something about a recipient is otherwise from a day on, or, without a day, was recorded wrong. `None` when
/// it is so already.
///
/// # Errors
/// Why it cannot be so.
pub fn change(
    rows: &[Known],
    from: Option<Date>,
    today: Date,
    edit: impl FnOnce(&mut Facts),
) -> Result<Option<Rewriting>, Unfit> {
    let row = match from {
        Some(from) => rows.iter().find(|row| row.covers(from)),
        None => as_of(rows, today),
    };
    let row = row.ok_or(Unfit::NotInForce)?;
    let mut facts = row.facts.clone();
    edit(&mut facts);
    if facts == row.facts {
        return Ok(None);
    }
    let begins = from.unwrap_or(row.valid_from);
    if facts.valid_to.is_some_and(|to| to < begins) {
        return Err(Unfit::EndsBefore);
    }
    let mut written = Vec::new();
    if begins > row.valid_from {
        let mut before = row.facts.clone();
        before.valid_to = Some(begins.yesterday().unwrap_or(Date::MIN));
        before.successor = None;
        written.push(Written {
            valid_from: row.valid_from,
            facts: before,
        });
    }
    written.push(Written {
        valid_from: begins,
        facts,
    });
    Ok(Some(Rewriting {
        superseded: row.number,
        written,
    }))
}

/// A key with which a recipient signs receipts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// The id of the recipient.
    pub recipient: String,
    /// What identifies the key among those of its recipient.
    pub id: String,
    /// Ed25519 (RFC 8032, section 5.1.5).
    pub public_key: [u8; 32],
    /// From when on it signs.
    pub valid_from: Timestamp,
    /// When it stops; `None` while no end is known.
    pub valid_to: Option<Timestamp>,
}

impl SigningKey {
    /// Whether a receipt of this instant counts by it.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.valid_from <= at && self.valid_to.is_none_or(|to| at < to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> Date {
        text.parse().expect("a day")
    }

    fn known(number: i64, id: &str, from: &str, to: Option<&str>, successor: Option<&str>) -> Known {
        Known {
            number,
            id: id.to_owned(),
            appendix_column: Some(11),
            valid_from: day(from),
            facts: Facts {
                name: LocalizedText::new("", "", id),
                parent: None,
                certificate_name: Some(id.to_owned()),
                endpoint: None,
                successor: successor.map(str::to_owned),
                legal_basis: LegalBasis::default(),
                valid_to: to.map(day),
            },
            recorded_at: None,
        }
    }

    #[test]
    fn a_council_that_became_a_court_leaves_its_copies_to_the_court() {
        let rows = [
            known(1, "council", "2019-04-15", Some("2022-12-31"), Some("court")),
            known(2, "court", "2023-01-01", None, None),
            known(3, "gone", "2019-04-15", Some("2020-01-01"), None),
        ];
        let table = [
            ("council", "2022-12-31", Some("council")),
            ("council", "2023-01-01", Some("court")),
            ("court", "2022-12-31", None),
            ("gone", "2020-01-01", Some("gone")),
            ("gone", "2020-01-02", None),
            ("nobody", "2020-01-02", None),
        ];
        for (id, on, expected) in table {
            assert_eq!(entitled(&rows, id, day(on)), expected, "{id} on {on}");
        }
    }

    #[test]
    fn what_follows_a_recipient_speaks_for_it_and_for_what_that_followed() {
        let rows = [
            known(1, "committee", "2019-04-15", Some("2020-12-31"), Some("council")),
            known(2, "council", "2019-04-15", Some("2022-12-31"), Some("court")),
            known(3, "court", "2023-01-01", None, None),
            known(4, "senate", "2019-04-15", None, None),
        ];
        assert_eq!(
            spoken_for(&rows, "court", day("2023-01-01")),
            ["court", "committee", "council"]
        );
        assert_eq!(
            spoken_for(&rows, "council", day("2022-12-31")),
            ["council", "committee"]
        );
        assert_eq!(spoken_for(&rows, "senate", day("2023-01-01")), ["senate"]);
        let (ended, heir) = succession(&rows, "committee", day("2023-01-01"));
        let ended: Vec<_> = ended.iter().map(|row| (row.id.as_str(), row.facts.valid_to)).collect();
        let expected = [
            ("committee", Some(day("2020-12-31"))),
            ("council", Some(day("2022-12-31"))),
        ];
        assert_eq!((ended.as_slice(), heir), (&expected[..], Some("court")));
        assert_eq!(
            succession(&rows, "senate", day("2023-01-01")),
            (Vec::new(), Some("senate"))
        );
    }

    #[test]
    fn who_is_entitled_turns_where_something_begins_or_is_over() {
        let rows = [
            known(1, "council", "2019-04-15", Some("2022-12-31"), Some("court")),
            known(2, "court", "2023-02-01", None, None),
        ];
        let days = |from: &str, to: Option<&str>| {
            turning_days(&rows, day(from), to.map(day))
                .into_iter()
                .collect::<Vec<_>>()
        };
        let all = ["2019-05-01", "2023-01-01", "2023-02-01"].map(day);
        assert_eq!(days("2019-05-01", None), all);
        assert_eq!(days("2019-05-01", Some("2023-01-01")), all[..2]);
        assert_eq!(days("2024-01-01", None), [day("2024-01-01")]);
    }

    #[test]
    fn bodies_that_became_each_other_entitle_nobody() {
        let rows = [
            known(1, "a", "2019-04-15", Some("2020-01-01"), Some("b")),
            known(2, "b", "2019-04-15", Some("2020-01-01"), Some("a")),
        ];
        assert_eq!(entitled(&rows, "a", day("2021-01-01")), None);
    }

    #[test]
    fn a_new_name_from_a_day_on_leaves_the_days_before() {
        let rows = [known(0, "council", "2019-04-15", None, None)];
        let renamed = |facts: &mut Facts| facts.name.en = "Constitutional Court".to_owned();
        let changed = change(&rows, Some(day("2023-01-01")), day("2026-03-02"), renamed);
        let changed = changed.expect("it holds then").expect("it is otherwise");
        assert_eq!(changed.superseded, 0);
        let spans: Vec<_> = changed
            .written
            .iter()
            .map(|row| (row.valid_from, row.facts.valid_to, row.facts.name.en.as_str()))
            .collect();
        assert_eq!(
            spans,
            [
                (day("2019-04-15"), Some(day("2022-12-31")), "council"),
                (day("2023-01-01"), None, "Constitutional Court"),
            ]
        );
    }

    #[test]
    fn what_is_so_already_writes_nothing_and_what_does_not_hold_cannot_change() {
        let rows = [known(4, "senate", "2019-04-15", Some("2024-12-31"), None)];
        let today = day("2026-03-02");
        assert_eq!(change(&rows, None, today, |_| ()), Ok(None));
        assert_eq!(
            change(&rows, Some(day("2025-01-01")), today, |_| ()),
            Err(Unfit::NotInForce)
        );
        let ends = |facts: &mut Facts| facts.valid_to = Some(day("2019-04-14"));
        assert_eq!(change(&rows, None, today, ends), Err(Unfit::EndsBefore));
    }

    #[test]
    fn a_key_counts_from_its_first_instant_to_before_its_last() {
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        let key = SigningKey {
            recipient: "senate".to_owned(),
            id: "k1".to_owned(),
            public_key: [7; 32],
            valid_from: at("2025-01-01T00:00:00Z"),
            valid_to: Some(at("2025-02-01T00:00:00Z")),
        };
        for (instant, counts) in [
            ("2024-12-31T23:59:59Z", false),
            ("2025-01-01T00:00:00Z", true),
            ("2025-01-31T23:59:59Z", true),
            ("2025-02-01T00:00:00Z", false),
        ] {
            assert_eq!(key.covers(at(instant)), counts, "{instant}");
        }
    }

    proptest! {
        #[test]
        fn a_change_from_any_day_on_leaves_no_gap_and_no_overlap(offset in 0..4000_i64) {
            let rows = [known(1, "senate", "2019-04-15", None, None)];
            let from = day("2019-04-15").checked_add(jiff::Span::new().days(offset)).map_err(|e| TestCaseError::fail(e.to_string()))?;
            let changed = change(&rows, Some(from), from, |facts| facts.name.ru = "Сенат".to_owned());
            let written = changed.map_err(|e| TestCaseError::fail(e.to_string()))?.map(|made| made.written).unwrap_or_default();
            prop_assert_eq!(written.first().map(|row| row.valid_from), Some(rows[0].valid_from));
            for pair in written.windows(2) {
                prop_assert_eq!(pair[0].facts.valid_to.and_then(|to| to.tomorrow().ok()), Some(pair[1].valid_from));
            }
            prop_assert_eq!(written.last().and_then(|row| row.facts.valid_to), None);
        }
    }
}
