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
    kinds: Mutex<HashMap<String, Kind>>,
}

struct Kind {
    /// How the first of them read.
    failure: String,
    logged: Instant,
    unlogged: u64,
}

/// What is to be logged.
#[derive(Debug, Default, PartialEq, Eq)]
struct ToLog {
    /// How many of its kind were not logged before this failure, if it is to be logged.
    this: Option<u64>,
    /// Failures that have not come again since, and how many of each were not logged.
    past: Vec<(String, u64)>,
}

impl Repeated {
    /// Counts a failure.
    fn count(&self, failure: &str, now: Instant) -> ToLog {
        let mut kinds = self.kinds.lock().expect("no code panics while it holds this lock");
        let mut kind = kind(failure);
        let mut unlogged = 0;
        let mut past = Vec::new();
        kinds.retain(|of_kind, counted| {
            if now.duration_since(counted.logged) < SILENCE {
                return true;
            }
            if *of_kind == kind {
                unlogged = counted.unlogged;
            } else if counted.unlogged > 0 {
                past.push((std::mem::take(&mut counted.failure), counted.unlogged));
            }
            false
        });
        if kinds.len() >= KINDS && !kinds.contains_key(&kind) {
            kind.clear();
        }
        if let Some(counted) = kinds.get_mut(&kind) {
            counted.unlogged += 1;
            return ToLog { this: None, past };
        }
        let counted = Kind {
            failure: failure.chars().take(KIND).collect(),
            logged: now,
            unlogged: 0,
        };
        kinds.insert(kind, counted);
        ToLog {
            this: Some(unlogged),
            past,
        }
    }
}

/// What failures have in common that differ by numbers and ids only.
fn kind(failure: &str) -> String {
    failure.chars().filter(|c| !c.is_ascii_hexdigit()).take(KIND).collect()
}

/// Whether to log a failure, and how many like it were not logged since the last that was. Failures whose texts differ by
/// numbers and ids only are of one kind. What others have not told, because they did not come again, is logged here.
pub fn to_log(failure: &str) -> Option<u64> {
    let ToLog { this, past } = FAILURES.count(failure, Instant::now());
    for (failure, unlogged) in past {
        tracing::warn!(failure, unlogged, "a failure has come again since it was logged");
    }
    this
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_again_is_logged_once_and_then_with_a_count() {
        let (repeated, now) = (Repeated::default(), Instant::now());
        let logged: Vec<_> = (0..6801).map(|_| repeated.count("no room", now).this).collect();
        assert_eq!(logged[0], Some(0));
        assert!(logged[1..].iter().all(Option::is_none));
        assert_eq!(repeated.count("another", now).this, Some(0));
        assert_eq!(repeated.count("no room", now + SILENCE).this, Some(6800));
        assert_eq!(repeated.count("no room", now + SILENCE).this, None);
    }

    #[test]
    fn what_does_not_come_again_is_told_with_its_count() {
        let (repeated, now) = (Repeated::default(), Instant::now());
        for _ in 0..17 {
            repeated.count("no room in row 5", now);
        }
        let told = ToLog {
            this: Some(0),
            past: vec![("no room in row 5".to_owned(), 16)],
        };
        assert_eq!(repeated.count("another", now + SILENCE), told);
        assert_eq!(repeated.count("another", now + 2 * SILENCE).past, []);
    }

    /// Texts without hexadecimal digits.
    fn kinds(count: usize) -> impl Iterator<Item = String> {
        (1..=count).map(|number| "z".repeat(number % 100) + &"y".repeat(number / 100))
    }

    #[test]
    fn kinds_without_number_take_no_more_room_than_a_bound_and_no_longer_than_a_while() {
        let (repeated, now) = (Repeated::default(), Instant::now());
        for failure in kinds(10_000).chain(kinds(10_000)) {
            repeated.count(&failure, now);
        }
        assert_eq!(repeated.kinds.lock().expect("it is not poisoned").len(), KINDS + 1);
        let logged = kinds(KINDS).filter(|kind| repeated.count(&format!("x{kind}"), now + SILENCE).this.is_some());
        assert_eq!(logged.count(), KINDS);
    }

    #[test]
    fn failures_that_differ_by_their_numbers_and_ids_are_one_kind() {
        assert_eq!(to_log("row 17 of this test"), Some(0));
        assert_eq!(to_log("row 1800 of this test"), None);
        assert_eq!(to_log("no request 5c3ab8fe-0d1c-4f5e-9aaa-bb01cafe0123"), Some(0));
        assert_eq!(to_log("no request 00000000-0d1c-4f5e-abcd-ef01cafe0123"), None);
    }
}
