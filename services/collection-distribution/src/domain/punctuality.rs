//! How editions and their copies stand to the due dates, counted.

use jiff::Timestamp;
use legalstat_kit::{
    due::{DueDate, Moment, Punctuality},
    zone,
};

use super::{copy::CopyState, key::EditionKey};

/// An edition as it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub key: EditionKey,
    pub due: DueDate,
    /// When all of its copies were first issued; `None` before.
    pub released_at: Option<Timestamp>,
    /// Whether it was due when the installation answered already, and not recorded afterwards.
    pub is_kept: bool,
}

impl Standing {
    /// How it stands at an instant.
    pub fn punctuality(&self, now: Timestamp) -> Punctuality {
        match self.released_at {
            _ if !self.is_kept => Punctuality::NotKept,
            Some(at) => Punctuality::of_done(at, self.due.time),
            None => Punctuality::of_open(now, self.due.time),
        }
    }
}

/// The counts of editions. Every edition expected is one of `on_time`, `late`, `overdue`, `not_due` and `not_kept`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EditionCounts {
    pub expected: i32,
    pub on_time: i32,
    pub late: i32,
    /// How many civil days late, all together and at the most.
    pub days_late: i32,
    pub most_days_late: i32,
    pub overdue: i32,
    /// How many civil days overdue by now, all together and at the most.
    pub days_overdue: i32,
    pub most_days_overdue: i32,
    pub not_due: i32,
    /// Of those not due yet: due today, and due soon after.
    pub due_today: i32,
    pub due_soon: i32,
    pub not_kept: i32,
}

impl EditionCounts {
    /// Counts an edition.
    pub fn add(&mut self, standing: &Standing, moment: Moment) {
        self.expected += 1;
        let days = standing.due.days_late(standing.released_at.unwrap_or(moment.now));
        match standing.punctuality(moment.now) {
            Punctuality::NotKept => self.not_kept += 1,
            Punctuality::OnTime => self.on_time += 1,
            Punctuality::Late => {
                self.late += 1;
                self.days_late += days;
                self.most_days_late = self.most_days_late.max(days);
            }
            Punctuality::Overdue => {
                self.overdue += 1;
                self.days_overdue += days;
                self.most_days_overdue = self.most_days_overdue.max(days);
            }
            Punctuality::NotDue => {
                self.not_due += 1;
                let due = standing.due.date;
                if due == moment.today {
                    self.due_today += 1;
                } else if due <= moment.soon {
                    self.due_soon += 1;
                }
            }
        }
    }
}

/// A copy as it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issued {
    pub state: CopyState,
    pub issued_at: Timestamp,
    /// When its recipient confirmed it; `None` before.
    pub received_at: Option<Timestamp>,
}

/// The counts of copies. Every copy issued is one of `on_time`, `late`, `unconfirmed`, `rejected`, `recalled` and `not_kept`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyCounts {
    pub issued: i32,
    pub on_time: i32,
    pub late: i32,
    pub unconfirmed: i32,
    /// Of those unconfirmed: the due date has ended.
    pub overdue: i32,
    pub rejected: i32,
    pub recalled: i32,
    pub not_kept: i32,
    /// How many civil days lay between issue and receipt, of each received copy.
    days: Vec<i32>,
}

impl CopyCounts {
    /// Counts a copy of an edition.
    pub fn add(&mut self, copy: Issued, edition: &Standing, moment: Moment) {
        self.issued += 1;
        let due_time = edition.due.time;
        if !edition.is_kept {
            self.not_kept += 1;
        } else if let Some(at) = copy.received_at {
            match Punctuality::of_done(at, due_time) {
                Punctuality::OnTime => self.on_time += 1,
                _ => self.late += 1,
            }
            self.days
                .push((zone::civil_day(at) - zone::civil_day(copy.issued_at)).get_days());
        } else if copy.state.is_unconfirmed() {
            self.unconfirmed += 1;
            self.overdue += i32::from(due_time <= moment.now);
        } else if copy.state == CopyState::Rejected {
            self.rejected += 1;
        } else {
            self.recalled += 1;
        }
    }

    /// How many days lay between issue and receipt in the middle; of two in the middle halfway. 0 when nothing is received.
    pub fn median_days(&self) -> f64 {
        let mut days = self.days.clone();
        days.sort_unstable();
        let upper = days.get(days.len() / 2).copied().unwrap_or_default();
        let lower = days.get(days.len().saturating_sub(1) / 2).copied().unwrap_or_default();
        f64::from(lower + upper) / 2.0
    }

    /// How many they were at the most; 0 when nothing is received.
    pub fn most_days(&self) -> i32 {
        self.days.iter().copied().max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{ToSpan as _, civil::Date};
    use proptest::prelude::*;

    fn day(text: &str) -> Date {
        text.parse().expect("a day")
    }

    fn standing(due: Date, released_at: Option<Timestamp>, is_kept: bool) -> Standing {
        Standing {
            key: "collections/crime/editions/2026-Q3".parse().expect("a name"),
            due: DueDate {
                date: due,
                time: zone::end(due),
                provisional: false,
                assumed: false,
                calendar_version: "1".into(),
            },
            released_at,
            is_kept,
        }
    }

    #[test]
    fn each_edition_counts_where_it_stands() {
        let at = |text: &str| Some(zone::beginning(day(text)));
        let editions = [
            standing(day("2026-11-05"), at("2026-11-05"), true),
            standing(day("2026-11-05"), at("2026-11-06"), true),
            standing(day("2026-11-05"), at("2026-11-08"), true),
            standing(day("2026-11-05"), None, true),
            standing(day("2026-11-09"), None, true),
            standing(day("2026-11-10"), None, true),
            standing(day("2026-11-12"), None, true),
            standing(day("2026-11-13"), None, true),
            standing(day("2026-10-05"), None, false),
            standing(day("2026-10-05"), at("2026-11-09"), false),
        ];
        let expected = EditionCounts {
            expected: 10,
            on_time: 1,
            late: 2,
            days_late: 4,
            most_days_late: 3,
            overdue: 2,
            days_overdue: 6,
            most_days_overdue: 5,
            not_due: 3,
            due_today: 1,
            due_soon: 1,
            not_kept: 2,
        };
        let mut counts = EditionCounts::default();
        let moment = Moment::new(zone::beginning(day("2026-11-10")), 2);
        editions.iter().for_each(|edition| counts.add(edition, moment));
        assert_eq!(counts, expected);
    }

    #[test]
    fn each_copy_counts_where_it_stands_with_the_days_that_its_recipient_took() {
        let at = |text: &str| zone::beginning(day(text));
        let copy = |state, received: Option<&str>| Issued {
            state,
            issued_at: at("2026-11-05"),
            received_at: received.map(at),
        };
        let edition = standing(day("2026-11-06"), Some(at("2026-11-05")), true);
        let moment = Moment::new(at("2026-11-20"), 0);
        let mut counts = CopyCounts::default();
        for copy in [
            copy(CopyState::Received, Some("2026-11-05")),
            copy(CopyState::Received, Some("2026-11-06")),
            copy(CopyState::Recalled, Some("2026-11-07")),
            copy(CopyState::Received, Some("2026-11-15")),
            copy(CopyState::Recalled, None),
            copy(CopyState::Rejected, None),
            copy(CopyState::Issued, None),
            copy(CopyState::Sending, None),
            copy(CopyState::Failed, None),
        ] {
            counts.add(copy, &edition, moment);
        }
        counts.add(
            copy(CopyState::Issued, None),
            &standing(day("2026-11-06"), None, false),
            moment,
        );
        counts.add(
            copy(CopyState::Issued, None),
            &standing(day("2026-11-20"), None, true),
            moment,
        );
        assert_eq!((counts.median_days(), counts.most_days()), (1.5, 10));
        counts.days.clear();
        let expected = CopyCounts {
            issued: 11,
            on_time: 2,
            late: 2,
            unconfirmed: 4,
            overdue: 3,
            rejected: 1,
            recalled: 1,
            not_kept: 1,
            days: Vec::new(),
        };
        assert_eq!(counts, expected);
        assert_eq!((counts.median_days(), counts.most_days()), (0.0, 0));
    }

    proptest! {
        #[test]
        fn half_of_the_copies_took_the_median_or_less_and_half_as_long_or_longer(days in prop::collection::vec(0..60_i32, 1..40)) {
            let counts = CopyCounts { days: days.clone(), ..CopyCounts::default() };
            let median = counts.median_days();
            let half = days.len().div_ceil(2);
            prop_assert!(days.iter().filter(|days| f64::from(**days) <= median).count() >= days.len() / 2);
            prop_assert!(days.iter().filter(|days| f64::from(**days) >= median).count() >= days.len() / 2);
            if days.len() % 2 == 1 {
                prop_assert!(days.iter().filter(|days| f64::from(**days) <= median).count() >= half);
            }
            prop_assert!(median <= f64::from(counts.most_days()));
        }

        #[test]
        fn every_edition_is_counted_once(
            editions in prop::collection::vec((0..60_i64, prop::option::of(0..60_i64), any::<bool>()), 0..40),
            now in 0..60_i64, soon in 0..20_i32,
        ) {
            let start = day("2026-11-01");
            let on = |days: i64| start.saturating_add(days.days());
            let moment = Moment::new(zone::beginning(on(now)), soon);
            let mut counts = EditionCounts::default();
            for (due, released, is_kept) in &editions {
                counts.add(&standing(on(*due), released.map(|days| zone::beginning(on(days))), *is_kept), moment);
            }
            let EditionCounts { on_time, late, overdue, not_due, not_kept, .. } = counts;
            prop_assert_eq!(counts.expected, on_time + late + overdue + not_due + not_kept);
            prop_assert_eq!(usize::try_from(counts.expected).ok(), Some(editions.len()));
            prop_assert!(counts.due_today + counts.due_soon <= not_due);
            prop_assert!(late <= counts.days_late && overdue <= counts.days_overdue);
        }
    }
}
