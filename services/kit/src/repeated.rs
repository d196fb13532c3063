//! What fails again and again is logged once, and then every ten seconds with how often it came since.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex},
    time::{Duration, Instant},
};

/// How long a kind of failure is only counted after it was logged.
const SILENCE: Duration = Duration::from_secs(10);
/// How many kinds are told apart; what comes beyond counts as one kind.
const KINDS: usize = 64;
/// How many characters of a failure make its kind.
const KIND: usize = 200;

static FAILURES: LazyLock<Repeated> = LazyLock::new(Repeated::default);

#[derive(Default)]
struct Repeated {
    kinds: Mutex<HashMap<String, (Instant, u64)>>,
}

impl Repeated {
    /// Counts a failure. Answers how many of its kind were not logged before it, if it is to be logged.
    fn count(&self, kind: &str, now: Instant) -> Option<u64> {
        let mut kinds = self.kinds.lock().expect("no code panics while it holds this lock");
        if kinds.len() >= KINDS && !kinds.contains_key(kind) {
            kinds.retain(|_, (logged, unlogged)| *unlogged > 0 || now.duration_since(*logged) < SILENCE);
        }
        let kind = if kinds.len() < KINDS || kinds.contains_key(kind) {
            kind
        } else {
            ""
        };
        match kinds.get_mut(kind) {
            Some((logged, unlogged)) if now.duration_since(*logged) < SILENCE => {
                *unlogged += 1;
                None
            }
            Some(entry) => Some(std::mem::replace(entry, (now, 0)).1),
            None => {
                kinds.insert(kind.to_owned(), (now, 0));
                Some(0)
            }
        }
    }
}

/// Whether to log a failure, and how many like it were not logged since the last that was. Failures whose texts differ by
/// numbers only are of one kind.
pub(crate) fn to_log(failure: &str) -> Option<u64> {
    let kind = failure.chars().filter(|c| !c.is_ascii_digit()).take(KIND);
    FAILURES.count(&kind.collect::<String>(), Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_again_is_logged_once_and_then_with_a_count() {
        let (repeated, now) = (Repeated::default(), Instant::now());
        let logged: Vec<_> = (0..6801).map(|_| repeated.count("no room", now)).collect();
        assert_eq!(logged[0], Some(0));
        assert!(logged[1..].iter().all(Option::is_none));
        assert_eq!(repeated.count("another", now), Some(0));
        assert_eq!(repeated.count("no room", now + SILENCE), Some(6800));
        assert_eq!(repeated.count("no room", now + SILENCE), None);
    }

    #[test]
    fn kinds_without_number_take_no_more_room_than_a_bound() {
        let (repeated, now) = (Repeated::default(), Instant::now());
        let logged = (0..10_000).filter(|kind| repeated.count(&kind.to_string(), now).is_some());
        assert_eq!(logged.count(), KINDS + 1);
        assert!(repeated.kinds.lock().expect("it is not poisoned").len() <= KINDS + 1);
    }

    #[test]
    fn failures_that_differ_by_their_numbers_are_one_kind() {
        assert_eq!(to_log("row 17 of this test"), Some(0));
        assert_eq!(to_log("row 1800 of this test"), None);
    }
}
