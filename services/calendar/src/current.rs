//! The calendars that answers are given from, replaced as a whole when something is recorded.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, futures::OwnedNotified};

use crate::domain::Calendars;

/// The newest calendars this process knows. Who has loaded them keeps them, whatever is recorded meanwhile.
pub struct CurrentCalendars {
    calendars: ArcSwap<Calendars>,
    learnt: Arc<Notify>,
}

impl CurrentCalendars {
    /// Begins with these.
    pub fn new(calendars: Calendars) -> Self {
        Self {
            calendars: ArcSwap::from_pointee(calendars),
            learnt: Arc::default(),
        }
    }

    /// The newest.
    pub fn load(&self) -> Arc<Calendars> {
        self.calendars.load_full()
    }

    /// Replaces them, unless something recorded later is known already.
    pub fn install(&self, calendars: Calendars) {
        let learnt = Arc::new(calendars);
        self.calendars.rcu(|current| {
            let newer = learnt.recorded() > current.recorded();
            Arc::clone(if newer { &learnt } else { current })
        });
        self.learnt.notify_waiters();
    }

    /// Ends when something is learnt after this was called.
    pub fn learnt(&self) -> OwnedNotified {
        Arc::clone(&self.learnt).notified_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::embedded_rules;

    #[test]
    fn what_was_recorded_earlier_never_replaces_what_was_recorded_later() {
        let rules = embedded_rules().expect("the registers");
        let mut withdrawn = rules.clone();
        withdrawn.acts[3].withdrawn_at = Some(jiff::Timestamp::UNIX_EPOCH);
        let current = CurrentCalendars::new(Calendars::new(rules.clone()));
        current.install(Calendars::new(withdrawn));
        assert_eq!(current.load().recorded(), (18, 1, 0));
        current.install(Calendars::new(rules));
        assert_eq!(current.load().recorded(), (18, 1, 0));
    }
}
