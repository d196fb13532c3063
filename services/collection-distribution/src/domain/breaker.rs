//! The breaker before a recipient's server: one that fails again and again is left alone for a while, and then tried by one attempt.

use std::time::Duration;

use jiff::Timestamp;

use super::delivery::{Outcome, spread};

/// How many attempts in a row must fail.
const FAILURES: i32 = 5;
/// How long it is open first; twice as long after each attempt that fails again.
const FIRST: Duration = Duration::from_mins(1);
/// How long it is open at most.
const LONGEST: Duration = Duration::from_hours(1);

/// What an attempt says of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    /// It answers, whatever it says of the copy.
    Answers,
    /// It is not there, or takes nothing.
    Fails,
    /// Nothing.
    Unknown,
}

impl Server {
    fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Received | Outcome::Rejected | Outcome::ReceiptNotTrue | Outcome::Refused => Self::Answers,
            Outcome::Unreachable
            | Outcome::CertificateRefused
            | Outcome::NoAnswer
            | Outcome::BrokenOff
            | Outcome::UnreadableAnswer
            | Outcome::Redirected
            | Outcome::Busy => Self::Fails,
            Outcome::NoEndpoint | Outcome::SenderLost => Self::Unknown,
        }
    }
}

/// The breaker of a recipient's server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Attempts that failed since the last one that the server answered.
    pub failures: i32,
    /// `None` while attempts are made.
    pub open: Option<Open>,
}

/// Since when and until when no attempts are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    pub since: Timestamp,
    pub until: Timestamp,
}

impl Breaker {
    /// Takes note of how an attempt ended that had begun at `began`. `chance` between -1 and 1 spreads the attempts that follow.
    pub fn note(&mut self, outcome: Outcome, began: Timestamp, now: Timestamp, chance: f64) {
        match Server::of(outcome) {
            Server::Answers => self.close(),
            // What was under way when it opened says nothing new.
            Server::Fails if self.open.is_none_or(|open| open.since < began) => self.fail(now, chance),
            Server::Fails | Server::Unknown => {}
        }
    }

    /// The server is there: it answers, or has taken more of a copy.
    pub fn close(&mut self) {
        *self = Self::default();
    }

    fn fail(&mut self, now: Timestamp, chance: f64) {
        self.failures = self.failures.saturating_add(1);
        let Ok(again) = u32::try_from(self.failures - FAILURES) else {
            return;
        };
        let wait = FIRST.saturating_mul(1_u32.checked_shl(again.min(16)).unwrap_or(u32::MAX));
        self.open = Some(Open {
            since: now,
            until: now + spread(wait.min(LONGEST), chance),
        });
    }
}

#[cfg(test)]
mod tests {
    use legalstat_kit::door::word::Word;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(minutes * 60).expect("an instant")
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for minute in 0..5 {
            assert_eq!(breaker.open, None, "{minute}");
            breaker.note(Outcome::Unreachable, at(minute), at(minute), 0.0);
        }
        breaker
    }

    #[test]
    fn it_opens_after_five_failures_in_a_row_and_longer_after_each_attempt_that_fails_again() {
        let mut breaker = opened();
        let mut waits = Vec::new();
        for _ in 0..8 {
            let open = breaker.open.expect("it is open");
            waits.push(open.until.duration_since(open.since).as_mins());
            breaker.note(Outcome::NoAnswer, open.until, open.until, 0.0);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn what_was_under_way_when_it_opened_does_not_open_it_longer() {
        let mut breaker = opened();
        let before = breaker.clone();
        breaker.note(Outcome::Unreachable, at(3), at(5), 0.0);
        assert_eq!(breaker, before);
    }

    #[test]
    fn any_answer_closes_it_even_one_that_is_not_true_or_refuses_the_copy() {
        for outcome in [
            Outcome::Received,
            Outcome::Rejected,
            Outcome::ReceiptNotTrue,
            Outcome::Refused,
        ] {
            let mut breaker = opened();
            breaker.note(outcome, at(9), at(9), 0.0);
            assert_eq!(breaker, Breaker::default(), "{outcome:?}");
        }
    }

    #[test]
    fn only_what_a_server_does_counts() {
        for outcome in Outcome::ALL {
            let mut breaker = Breaker::default();
            breaker.note(*outcome, at(0), at(0), 0.0);
            let counts = breaker.failures == 1;
            assert_eq!(counts, Server::of(*outcome) == Server::Fails, "{outcome:?}");
        }
    }
}
