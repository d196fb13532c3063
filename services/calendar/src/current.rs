//! The calendars that answers are given from, replaced as a whole when something is recorded.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::domain::Calendars;

/// The newest calendars this process knows. Who has loaded them keeps them, whatever is recorded meanwhile.
pub struct CurrentCalendars(ArcSwap<Calendars>);

impl CurrentCalendars {
    /// Begins with these.
    pub fn new(calendars: Calendars) -> Self {
        Self(ArcSwap::from_pointee(calendars))
    }

    /// The newest.
    pub fn load(&self) -> Arc<Calendars> {
        self.0.load_full()
    }

    /// Replaces them, unless something recorded later is known already.
    pub fn install(&self, calendars: Calendars) {
        let learnt = Arc::new(calendars);
        self.0.rcu(|current| {
            let newer = learnt.recorded() > current.recorded();
            Arc::clone(if newer { &learnt } else { current })
        });
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
        assert_eq!(current.load().recorded(), (18, 1));
        current.install(Calendars::new(rules));
        assert_eq!(current.load().recorded(), (18, 1));
    }
}
