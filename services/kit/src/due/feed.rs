//! Whether the calendar's changes are told just now, for whoever keeps an answer of the calendar.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The feed of the calendar's changes as its reader sees it. An answer of the calendar may be given again as long as the
/// epoch is the one in which it was asked for.
#[derive(Clone, Debug, Default)]
pub struct Feed {
    /// Odd while the feed is read. One atomic, so that "read" and "unchanged" are seen together.
    state: Arc<AtomicU64>,
}

impl Feed {
    /// The present epoch; `None` while nobody would learn of a change.
    pub fn epoch(&self) -> Option<u64> {
        Some(self.state.load(Ordering::Acquire)).filter(|state| state % 2 == 1)
    }

    /// A new epoch begins: something has changed, or an answer turned out to be overtaken.
    pub fn changed(&self) {
        self.state.fetch_add(2, Ordering::AcqRel);
    }

    /// The feed is read from now on, until what this gives is dropped.
    #[must_use]
    pub fn reading(&self) -> Reading<'_> {
        self.state.fetch_add(1, Ordering::AcqRel);
        Reading(self)
    }
}

/// Ends the reading when dropped.
pub struct Reading<'a>(&'a Feed);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.state.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_ends_with_a_change_and_with_the_reading_and_never_comes_back() {
        let feed = Feed::default();
        assert_eq!(feed.epoch(), None);
        let reading = feed.reading();
        let first = feed.epoch().expect("it is read");
        feed.changed();
        let second = feed.epoch().expect("it is still read");
        drop(reading);
        feed.changed();
        assert_eq!(feed.epoch(), None);
        let _reading = feed.reading();
        let third = feed.epoch().expect("it is read again");
        assert!(first < second && second < third);
    }
}
