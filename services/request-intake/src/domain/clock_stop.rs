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
    /// From when to when the clock stands: until the requester has clarified, and to the end of the last day for it at most. Else whoever
    /// gives back nothing would keep a clock still for ever. No law was found that says so: it is assumed, as the calendar says of every
    /// day that stands still. None when it does not stand for a moment.
    pub fn stretch(&self) -> Option<(Timestamp, Timestamp)> {
        let last = zone::end(self.cure_by).saturating_sub(1.microsecond()).ok()?;
        let end = self.restarted_at.map_or(last, |restarted| restarted.min(last));
        (end > self.stopped_at).then_some((self.stopped_at, end))
    }
}

/// The stretches of stops in their order: the first [`MOST`] of them.
pub fn stretches(stops: &[ClockStop]) -> Vec<(Timestamp, Timestamp)> {
    stops.iter().filter_map(ClockStop::stretch).take(MOST).collect()
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

    #[test]
    fn a_clock_stands_until_the_requester_has_clarified_and_at_most_through_the_last_day_for_it() {
        let end = |stop: ClockStop| stop.stretch().map(|(_, end)| end);
        let last = at("2026-03-12T23:59:59.999999+05:00");
        assert_eq!(end(stop(None)), Some(last));
        assert_eq!(end(stop(Some("2026-03-14T10:00:00+05:00"))), Some(last));
        let answered = "2026-03-05T09:00:00+05:00";
        assert_eq!(end(stop(Some(answered))), Some(at(answered)));
        assert_eq!(zone::civil_day(last), date(2026, 3, 12));
    }

    #[test]
    fn a_clock_that_stops_for_no_moment_does_not_stop() {
        assert_eq!(stop(Some("2026-03-02T10:00:00+05:00")).stretch(), None);
        let late = ClockStop {
            cure_by: date(2026, 3, 1),
            ..stop(None)
        };
        assert_eq!(late.stretch(), None);
    }

    #[test]
    fn a_hundred_stops_count_and_the_next_do_not() {
        let many: Vec<ClockStop> = vec![stop(Some("2026-03-03T10:00:00+05:00")); MOST + 1];
        assert_eq!(stretches(&many).len(), MOST);
    }
}
