//! Connections that wait for their next delivery: so many at most, none for long.

use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use crate::clients::{inbox::Destination, line::Line};

/// How many wait at most, to all servers together. One more, and the one that has waited longest is closed.
pub(super) const MOST: usize = 64;

/// The connections, those that have waited longest first.
pub(super) struct Lines {
    waiting: Mutex<Vec<(Destination, Line)>>,
    age: Duration,
}

impl Lines {
    /// None yet. A connection is used for `age`, then a new one is made: so a certificate that has changed, expired or been revoked
    /// since, on either side, or another address behind the server's name, does not go unnoticed for longer.
    pub(super) fn new(age: Duration) -> Self {
        let waiting = Mutex::default();
        Self { waiting, age }
    }

    /// One to this server, if one waits.
    pub(super) fn take(&self, to: &Destination) -> Option<Line> {
        self.sweep();
        let mut waiting = self.waiting();
        let at = waiting.iter().rposition(|(of, _)| of == to)?;
        Some(waiting.remove(at).1)
    }

    /// Lets one wait.
    pub(super) fn keep(&self, to: &Destination, line: Line) {
        if !line.is_usable(self.age) {
            return line.close();
        }
        line.rest();
        let mut waiting = self.waiting();
        if waiting.len() >= MOST {
            waiting.remove(0).1.close();
        }
        waiting.push((to.clone(), line));
    }

    /// Closes those that are not used any more.
    pub(super) fn sweep(&self) {
        let old = self
            .waiting()
            .extract_if(.., |(_, line)| !line.is_usable(self.age))
            .collect::<Vec<_>>();
        old.into_iter().for_each(|(_, line)| line.close());
    }

    #[cfg(test)]
    pub(super) fn number(&self) -> usize {
        self.waiting().len()
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<(Destination, Line)>> {
        self.waiting.lock().expect("no code panics while it holds this lock")
    }
}
