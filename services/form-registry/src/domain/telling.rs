//! To whom the feed tells which events.

/// Who may be told of an event besides officials, who are told everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Openness {
    /// Everyone.
    Everyone,
    /// Everyone, once the edition may be served openly.
    OnceServed,
    /// Nobody else.
    OfficialsOnly,
}

/// Who may be told of events of a kind. What is not named here stays with officials, so that a new kind is not told by accident.
pub fn openness(kind: &str) -> Openness {
    match kind {
        // Periods and due dates are public of every edition, the registers and the schedule too.
        "edition.due_date_moved"
        | "edition.due_date_restated"
        | "schedule.filled"
        | "form-register.loaded"
        | "form.created"
        | "form.updated"
        | "form.retired" => Openness::Everyone,
        "edition.placed" | "edition.corrected" | "edition.withdrawn" | "edition.nil_declared" => Openness::OnceServed,
        _ => Openness::OfficialsOnly,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_that_is_not_known_stays_with_officials() {
        assert_eq!(openness("edition.prepared"), Openness::OfficialsOnly);
        assert_eq!(openness("edition.placement_repeated"), Openness::OfficialsOnly);
        assert_eq!(openness("list.changed"), Openness::OfficialsOnly);
        assert_eq!(openness("edition.placed"), Openness::OnceServed);
        assert_eq!(openness("edition.due_date_moved"), Openness::Everyone);
    }
}
