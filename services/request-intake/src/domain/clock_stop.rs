//! When the clock of a request stands still because its requester is to clarify it.

use jiff::{Timestamp, ToSpan, civil::Date};
use legalstat_kit::zone;

/// How many stops of one request count at most; the calendar takes no more.
pub const MOST: usize = 100;

/// A stop, as it was recorded. Whether it counts is for the term of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStop {
    /// When the requester was asked.
    pub stopped_at: Timestamp,
    /// The last day for clarifying.
    pub cure_by: Date,
    /// When the requester has clarified; none while that is waited for.
    pub restarted_at: Option<Timestamp>,
}

impl ClockStop {
    /// Until when the clock stands: until the requester has clarified, and to the end of the last day for it at most. Else whoever
    /// gives back nothing would keep a clock still for ever. No law was found that says so: it is assumed, as the calendar says of every
    /// day that stands still.
    fn end(&self) -> Timestamp {
        let end = zone::end(self.cure_by);
        let last = end.saturating_sub(1.microsecond()).unwrap_or(end);
        self.restarted_at.map_or(last, |restarted| restarted.min(last))
    }
}

/// From when to when the clock of a request stands by its stops in their order: by the first [`MOST`] of them that last. Each begins when
/// the one before has ended, whatever the clocks of two replicas say, and none before the receipt.
pub fn stretches(received_at: Timestamp, stops: &[ClockStop]) -> Vec<(Timestamp, Timestamp)> {
    let mut from = received_at;
    let stretches = stops.iter().filter_map(|stop| {
        let (start, end) = (stop.stopped_at.max(from), stop.end());
        from = end.max(from);
        (end > start).then_some((start, end))
    });
    stretches.take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn stop(restarted_at: Option<&str>) -> ClockStop {
        ClockStop {
            stopped_at: at("2026-03-02T10:00:00+05:00"),
            cure_by: date(2026, 3, 12),
            restarted_at: restarted_at.map(at),
        }
    }

    fn of(stops: &[ClockStop]) -> Vec<(Timestamp, Timestamp)> {
        stretches(at("2026-03-02T09:00:00+05:00"), stops)
    }

    #[test]
    fn a_clock_stands_until_the_requester_has_clarified_and_at_most_through_the_last_day_for_it() {
        let end = |stop: ClockStop| of(&[stop]).pop().map(|(_, end)| end);
        let last = at("2026-03-12T23:59:59.999999+05:00");
        assert_eq!(end(stop(None)), Some(last));
        assert_eq!(end(stop(Some("2026-03-14T10:00:00+05:00"))), Some(last));
        let answered = "2026-03-05T09:00:00+05:00";
        assert_eq!(end(stop(Some(answered))), Some(at(answered)));
        assert_eq!(zone::civil_day(last), date(2026, 3, 12));
    }

    #[test]
    fn a_clock_that_stops_for_no_moment_does_not_stop() {
        let late = ClockStop {
            cure_by: date(2026, 3, 1),
            ..stop(None)
        };
        assert!(of(&[stop(Some("2026-03-02T10:00:00+05:00")), late]).is_empty());
    }

    #[test]
    fn a_stop_begins_after_the_receipt_and_after_the_one_before_whatever_clocks_say() {
        let early = ClockStop {
            stopped_at: at("2026-03-02T08:59:59+05:00"),
            ..stop(Some("2026-03-03T10:00:00+05:00"))
        };
        let next = ClockStop {
            stopped_at: at("2026-03-03T09:59:59+05:00"),
            ..stop(Some("2026-03-04T10:00:00+05:00"))
        };
        let expected = [
            "2026-03-02T09:00:00+05:00",
            "2026-03-03T10:00:00+05:00",
            "2026-03-04T10:00:00+05:00",
        ]
        .map(at);
        let [received, between, end] = expected;
        assert_eq!(of(&[early, next]), [(received, between), (between, end)]);
    }

    #[test]
    fn a_hundred_stops_count_and_the_next_do_not() {
        let hours = |hours: i64| stop(None).stopped_at + hours.hours();
        let many: Vec<ClockStop> = (0..=100)
            .map(|number| ClockStop {
                stopped_at: hours(number),
                restarted_at: Some(hours(number + 1)),
                ..stop(None)
            })
            .collect();
        assert_eq!(of(&many).len(), MOST);
    }
}
