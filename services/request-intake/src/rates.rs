//! How much one caller submits and uploads within a day. It is counted in memory, so that nobody waits for it: each replica counts its
//! own, and a restart begins anew.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use legalstat_kit::Refusal;
use legalstat_proto::common::v1::ErrorReason;
use quick_cache::sync::Cache;
use tonic::Code;

/// How many callers are counted at once. Who was not seen for longest begins anew.
const CALLERS: usize = 16 * 1024;
/// A day in seconds.
const DAY: f64 = 86_400.0;

/// How much one caller may bring within a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Daily {
    pub calls: u64,
    pub bytes: u64,
}

/// What a caller has brought, less what the time since has let go.
#[derive(Clone, Copy)]
struct Used {
    calls: f64,
    bytes: f64,
    at: Timestamp,
}

/// Counts what each caller brings. What it has brought is let go evenly within a day, so that who is refused does not wait for
/// midnight.
pub struct Rate {
    /// What is brought, in the words of the refusal.
    of: &'static str,
    limit: Daily,
    callers: Cache<String, Arc<Mutex<Used>>>,
}

impl Rate {
    pub fn new(of: &'static str, limit: Daily) -> Self {
        Self {
            of,
            limit,
            callers: Cache::new(CALLERS),
        }
    }

    /// Counts a call with so many bytes. The call that fills the bytes is taken, however large it is.
    ///
    /// # Errors
    /// RATE_EXCEEDED when the caller has brought as many calls or bytes as are taken within a day.
    pub fn take(&self, caller: &str, bytes: usize, now: Timestamp) -> Result<(), Refusal> {
        self.changing(caller, now, |used, limit| {
            let calls = (used.calls + 1.0 - limit.calls as f64) / limit.calls as f64;
            let full = (used.bytes - limit.bytes as f64) / limit.bytes as f64;
            if calls > 0.0 || full >= 0.0 {
                return Err(self.refusal(calls.max(full)));
            }
            used.calls += 1.0;
            used.bytes += bytes as f64;
            Ok(())
        })
    }

    /// Counts bytes of a call that was taken.
    pub fn add(&self, caller: &str, bytes: usize, now: Timestamp) {
        self.changing(caller, now, |used, _| used.bytes += bytes as f64);
    }

    fn changing<R>(&self, caller: &str, now: Timestamp, change: impl FnOnce(&mut Used, Daily) -> R) -> R {
        let nothing = || {
            let used = Used {
                calls: 0.0,
                bytes: 0.0,
                at: now,
            };
            Ok::<_, std::convert::Infallible>(Arc::new(Mutex::new(used)))
        };
        let Ok(used) = self.callers.get_or_insert_with(caller, nothing);
        let mut used = used.lock().expect("no code panics while it holds this lock");
        used.let_go(self.limit, now);
        change(&mut used, self.limit)
    }

    /// `over` is by which part of a day's limit.
    fn refusal(&self, over: f64) -> Refusal {
        let Daily { calls, bytes } = self.limit;
        let message = format!(
            "one caller brings {calls} {} or {bytes} bytes of them a day at most",
            self.of
        );
        let mut refusal = Refusal::new(Code::ResourceExhausted, ErrorReason::RateExceeded, message).with("of", self.of);
        let wait = SignedDuration::from_secs_f64((over * DAY).ceil().max(1.0));
        refusal.retry_after = Some(wait.unsigned_abs());
        refusal
    }
}

impl Used {
    fn let_go(&mut self, limit: Daily, now: Timestamp) {
        let days = now.duration_since(self.at).as_secs_f64().max(0.0) / DAY;
        self.calls = (self.calls - days * limit.calls as f64).max(0.0);
        self.bytes = (self.bytes - days * limit.bytes as f64).max(0.0);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn rate(calls: u64, bytes: u64) -> Rate {
        Rate::new("uploads", Daily { calls, bytes })
    }

    #[test]
    fn a_caller_that_brought_a_days_calls_waits_until_one_is_let_go_and_others_do_not_wait() {
        let (rate, now) = (rate(24, 1_000), Timestamp::UNIX_EPOCH);
        for _ in 0..24 {
            rate.take("edms", 0, now).expect("it is within the limit");
        }
        let refusal = rate.take("edms", 0, now).expect_err("it is the 25th");
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(3600)));
        rate.take("kadagalau", 0, now).expect("another caller");
        let early = now + Duration::from_secs(3599);
        rate.take("edms", 0, early).expect_err("a second too early");
        let then = now + Duration::from_secs(3600);
        rate.take("edms", 0, then).expect("one is let go");
        rate.take("edms", 0, then).expect_err("and one only");
        for _ in 0..24 {
            let tomorrow = then + Duration::from_secs(86_400);
            rate.take("edms", 0, tomorrow).expect("a day lets all go");
        }
    }

    #[test]
    fn the_call_that_fills_the_bytes_is_taken_and_the_next_one_waits_until_there_is_room() {
        let (rate, now) = (rate(100, 1_000), Timestamp::UNIX_EPOCH);
        rate.take("edms", 900, now).expect("there is room");
        rate.add("edms", 600, now);
        let refusal = rate.take("edms", 1, now).expect_err("half a day's bytes too many");
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(43_200)));
        rate.take("edms", 1, now + Duration::from_secs(43_201))
            .expect("there is room again");
    }

    #[test]
    fn a_clock_that_goes_back_lets_nothing_go() {
        let (rate, now) = (rate(1, 1_000), Timestamp::UNIX_EPOCH);
        rate.take("edms", 0, now).expect("it is the first");
        rate.take("edms", 0, now - Duration::from_secs(90_000))
            .expect_err("it is the same day");
        rate.take("edms", 0, now + Duration::from_secs(60))
            .expect_err("and still is");
    }
}
