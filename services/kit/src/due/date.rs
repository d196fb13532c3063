//! When something is due, and how it stands to that.

use jiff::{Timestamp, ToSpan as _, civil::Date};

use crate::{door::word::Word, zone};

/// A due date, as the calendar computed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueDate {
    /// The last day.
    pub date: Date,
    /// The instant at which that day ends.
    pub time: Timestamp,
    /// Whether it rests on a year whose acts are not all in.
    pub provisional: bool,
    /// Whether it rests on an assumed rule.
    pub assumed: bool,
    /// The version of the calendar that computed it.
    pub calendar_version: String,
}

impl DueDate {
    /// How many civil days after the due date an instant lies; 0 while it has not ended.
    pub fn days_late(&self, at: Timestamp) -> i32 {
        let days = (zone::civil_day(at) - self.date).get_days();
        if at < self.time { 0 } else { days.max(1) }
    }

    /// The due date in the columns of a row.
    pub fn of_row(
        date: jiff_sqlx::Date,
        time: jiff_sqlx::Timestamp,
        provisional: bool,
        assumed: bool,
        calendar_version: String,
    ) -> Self {
        Self {
            date: date.to_jiff(),
            time: time.to_jiff(),
            provisional,
            assumed,
            calendar_version,
        }
    }
}

/// A version of the calendar: the number of its rules, then the instant since which it knows what it knows.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a>(pub &'a str);

impl Version<'_> {
    /// Since when the calendar knows just what this version knows; `None` for the first version.
    pub fn known_since(self) -> Option<Timestamp> {
        let (_, rest) = self.0.split_once('@')?;
        // A hypothetical version has a suffix after the instant.
        let end = rest.find('Z')?;
        rest[..=end].parse().ok()
    }
}

/// How a duty, or what was done for it, stands to the due date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Punctuality {
    /// Done before the due date ended.
    OnTime,
    /// Done after the due date ended.
    Late,
    /// Not done, and the due date has not ended.
    NotDue,
    /// Not done, although the due date has ended.
    Overdue,
    /// Due before the day from which the service answers, or recorded afterwards: not known here.
    NotKept,
}

impl Punctuality {
    /// Of what was done at an instant.
    pub fn of_done(at: Timestamp, due_time: Timestamp) -> Self {
        if at < due_time { Self::OnTime } else { Self::Late }
    }

    /// Of what is not done yet.
    pub fn of_open(now: Timestamp, due_time: Timestamp) -> Self {
        if now < due_time { Self::NotDue } else { Self::Overdue }
    }
}

/// When punctuality is counted.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The instant.
    pub now: Timestamp,
    /// Its civil day.
    pub today: Date,
    /// The last day of those that count as soon.
    pub soon: Date,
}

impl Moment {
    /// An instant; what is due within so many days after its own counts as due soon.
    pub fn new(now: Timestamp, soon_days: i32) -> Self {
        let today = zone::civil_day(now);
        let soon = today.saturating_add(soon_days.days());
        Self { now, today, soon }
    }
}

impl Word for Punctuality {
    const ALL: &'static [Self] = &[Self::OnTime, Self::Late, Self::NotDue, Self::Overdue, Self::NotKept];

    fn word(self) -> &'static str {
        match self {
            Self::OnTime => "ON_TIME",
            Self::Late => "LATE",
            Self::NotDue => "NOT_DUE",
            Self::Overdue => "OVERDUE",
            Self::NotKept => "NOT_KEPT",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn a_version_tells_since_when_it_is_known() {
        let since = Some(instant("2026-03-17T19:00:00Z"));
        for (version, expected) in [
            ("18@2026-03-17T19:00:00Z", since),
            ("18@2026-03-17T19:00:00Z+order-1", since),
            ("18@2026-03-17T19:00:00Z-order-1", since),
            ("18", None),
        ] {
            assert_eq!(Version(version).known_since(), expected, "{version}");
        }
    }

    #[test]
    fn what_is_done_the_moment_the_due_date_ends_is_late() {
        let due = instant("2025-01-05T19:00:00Z");
        let before = instant("2025-01-05T18:59:59.999999Z");
        assert_eq!(Punctuality::of_done(before, due), Punctuality::OnTime);
        assert_eq!(Punctuality::of_done(due, due), Punctuality::Late);
        assert_eq!(Punctuality::of_open(before, due), Punctuality::NotDue);
        assert_eq!(Punctuality::of_open(due, due), Punctuality::Overdue);
    }

    #[test]
    fn days_late_are_civil_days_in_astana() {
        let due = DueDate {
            date: jiff::civil::date(2024, 2, 28),
            time: instant("2024-02-28T18:00:00Z"),
            provisional: false,
            assumed: false,
            calendar_version: "1".into(),
        };
        // 29 February 2024 had 25 hours there.
        for (at, days) in [
            ("2024-02-28T17:59:59Z", 0),
            ("2024-02-28T18:00:00Z", 1),
            ("2024-02-29T18:59:59Z", 1),
            ("2024-02-29T19:00:00Z", 2),
            ("2024-03-28T19:00:00Z", 30),
        ] {
            assert_eq!(due.days_late(instant(at)), days, "{at}");
        }
    }
}
