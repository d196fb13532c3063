//! How editions stand to their due dates on the channels that their forms name, counted.

use jiff::{Timestamp, civil::Date};
use legalstat_kit::due::{DueDate, Moment, Punctuality};

use super::key::EditionKey;

/// An edition as it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub key: EditionKey,
    pub due: DueDate,
    /// When it stood on every channel that its form names, or was declared nil; with an embargo at its end, which may lie ahead.
    pub met_at: Option<Timestamp>,
    /// Whether it was met by the declaration that there is nothing to place, also when that was taken back.
    pub is_nil: bool,
    /// Whether it was due before the installation answers, or recorded afterwards.
    pub is_not_kept: bool,
}

/// The counts. Every edition expected is one of `on_time`, `late`, `overdue`, `not_due`, `nil` and `not_kept`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub expected: i32,
    /// Placed, in time or not, also what was recorded afterwards.
    pub placed: i32,
    pub on_time: i32,
    pub late: i32,
    /// How many civil days late, all together and at the most.
    pub days_late: i32,
    pub most_days_late: i32,
    pub overdue: i32,
    pub not_due: i32,
    /// Of those not due yet: due today, and due soon after.
    pub due_today: i32,
    pub due_soon: i32,
    pub nil: i32,
    pub not_kept: i32,
}

impl Standing {
    /// When it was met, which can lie ahead: an embargo ends only then, and until then nothing is told of it.
    fn met_by(&self, now: Timestamp) -> Option<Timestamp> {
        self.met_at.filter(|at| *at <= now)
    }

    /// Whether it is met and an embargo keeps that to itself.
    pub fn is_withheld(&self, now: Timestamp) -> bool {
        self.met_at.is_some_and(|at| at > now)
    }

    fn punctuality(&self, now: Timestamp) -> Punctuality {
        match self.met_by(now) {
            _ if self.is_not_kept => Punctuality::NotKept,
            Some(at) => Punctuality::of_done(at, self.due.time),
            None => Punctuality::of_open(now, self.due.time),
        }
    }
}

impl Counts {
    /// Counts some editions.
    pub fn of<'a>(standings: impl IntoIterator<Item = &'a Standing>, moment: Moment) -> Self {
        let mut counts = Self::default();
        for standing in standings {
            counts.add(standing, moment);
        }
        counts
    }

    fn add(&mut self, standing: &Standing, moment: Moment) {
        self.expected += 1;
        let met_at = standing.met_by(moment.now);
        if met_at.is_some() && !standing.is_nil {
            self.placed += 1;
        }
        match standing.punctuality(moment.now) {
            Punctuality::NotKept => self.not_kept += 1,
            Punctuality::OnTime | Punctuality::Late if standing.is_nil => self.nil += 1,
            Punctuality::OnTime => self.on_time += 1,
            Punctuality::Late => {
                self.late += 1;
                let days = met_at.map_or(0, |at| standing.due.days_late(at));
                self.days_late += days;
                self.most_days_late = self.most_days_late.max(days);
            }
            Punctuality::Overdue => self.overdue += 1,
            Punctuality::NotDue => self.add_not_due(standing.due.date, moment),
        }
    }

    fn add_not_due(&mut self, due: Date, moment: Moment) {
        self.not_due += 1;
        if due == moment.today {
            self.due_today += 1;
        } else if due <= moment.soon {
            self.due_soon += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan as _;
    use legalstat_kit::zone;
    use proptest::prelude::*;

    fn standing(due: Date, met_at: Option<Timestamp>, is_nil: bool, is_not_kept: bool) -> Standing {
        Standing {
            key: "forms/1/editions/2026-M10".parse().expect("a name"),
            due: DueDate {
                date: due,
                time: zone::end(due),
                provisional: false,
                assumed: false,
                calendar_version: "1".into(),
            },
            met_at,
            is_nil,
            is_not_kept,
        }
    }

    fn day(text: &str) -> Date {
        text.parse().expect("a day")
    }

    #[test]
    fn each_edition_counts_where_it_stands() {
        let at = |text: &str| Some(zone::beginning(day(text)));
        let now = zone::beginning(day("2026-11-10"));
        let editions = [
            standing(day("2026-11-05"), at("2026-11-05"), false, false),
            standing(day("2026-11-05"), at("2026-11-06"), false, false),
            standing(day("2026-11-05"), at("2026-11-08"), false, false),
            standing(day("2026-11-09"), None, false, false),
            standing(day("2026-11-10"), None, false, false),
            standing(day("2026-11-12"), None, false, false),
            standing(day("2026-11-13"), at("2026-11-11"), false, false),
            standing(day("2026-11-05"), at("2026-11-06"), true, false),
            standing(day("2026-10-05"), None, false, true),
            standing(day("2026-10-05"), at("2026-11-09"), false, true),
        ];
        let expected = Counts {
            expected: 10,
            placed: 4,
            on_time: 1,
            late: 2,
            days_late: 4,
            most_days_late: 3,
            overdue: 1,
            not_due: 3,
            due_today: 1,
            due_soon: 1,
            nil: 1,
            not_kept: 2,
        };
        assert_eq!(Counts::of(&editions, Moment::new(now, 2)), expected);
    }

    #[test]
    fn what_is_met_by_the_end_of_an_embargo_is_withheld_until_then() {
        let end = zone::beginning(day("2026-11-05"));
        let met = standing(day("2026-11-05"), Some(end), false, false);
        let before = end - jiff::SignedDuration::from_micros(1);
        assert!(met.is_withheld(before) && !met.is_withheld(end));
        let open = standing(day("2026-11-05"), None, false, false);
        assert!(!open.is_withheld(before), "there is nothing to withhold");
        let counted = |now| Counts::of([&met], Moment::new(now, 0));
        assert_eq!((counted(before).placed, counted(end).placed), (0, 1));
    }

    proptest! {
        #[test]
        fn every_edition_is_counted_once(
            editions in prop::collection::vec((0..60_i64, prop::option::of(0..60_i64), any::<bool>(), any::<bool>()), 0..40),
            now in 0..60_i64, soon in 0..20_i32,
        ) {
            let start = day("2026-11-01");
            let on = |days: i64| start.saturating_add(days.days());
            let editions: Vec<Standing> = editions.into_iter().map(|(due, met, nil, not_kept)| {
                standing(on(due), met.map(|days| zone::beginning(on(days))), nil, not_kept)
            }).collect();
            let counts = Counts::of(&editions, Moment::new(zone::beginning(on(now)), soon));
            let Counts { on_time, late, overdue, not_due, nil, not_kept, .. } = counts;
            prop_assert_eq!(counts.expected, on_time + late + overdue + not_due + nil + not_kept);
            prop_assert_eq!(usize::try_from(counts.expected).ok(), Some(editions.len()));
            prop_assert!(counts.due_today + counts.due_soon <= not_due && late <= counts.days_late);
            prop_assert!(counts.placed <= on_time + late + not_kept);
        }
    }
}
