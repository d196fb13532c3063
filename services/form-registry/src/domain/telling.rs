//! To whom the feed tells which events.

use super::{edition::EditionState, visibility::View};

/// Who may be told of an event besides those who prepare editions, who are told everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Openness {
    /// Everyone.
    Everyone,
    /// Everyone, once something of the edition is out.
    OnceOut,
    /// Officials.
    Officials,
}

/// Who may be told of events of a kind. What is not named here stays with officials, so that a new kind is not told by accident.
fn openness(kind: &str) -> Openness {
    match kind {
        // Periods and due dates are public of every edition, the registers and the schedule too.
        "edition.due_date_moved"
        | "edition.due_date_restated"
        | "edition.scheduled"
        | "edition.unscheduled"
        | "schedule.filled"
        | "form-register.loaded"
        | "form.created"
        | "form.updated"
        | "form.corrected"
        | "form.retired"
        | "indicators.entered"
        | "indicators.retired"
        | "details.entered"
        | "details.retired"
        | "code-list.created"
        | "codes.entered"
        | "codes.retired"
        | "total-rule.created"
        | "open-data-entry.created"
        | "open-data-entry.ended"
        | "answering-day.set" => Openness::Everyone,
        "edition.placed" | "edition.withdrawn" | "edition.declared_nil" | "edition.embargo_ended" => Openness::OnceOut,
        _ => Openness::Officials,
    }
}

/// How a watcher stands to what an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// An edition in this state, of which the watcher is shown so much.
    Edition(EditionState, View),
    /// Something else; the watcher is an official or not.
    Other { official: bool },
}

/// Whether a watcher may be told of an event of a kind now. Who may read an edition early reads it by the methods that record
/// each reading, and is told nothing before.
pub fn is_told(kind: &str, about: About) -> bool {
    let openness = openness(kind);
    match about {
        _ if openness == Openness::Everyone => true,
        About::Edition(_, View::Everything) | About::Other { official: true } => true,
        About::Edition(state, View::Open) => {
            use EditionState::{Nil, Placed, Withdrawn};
            openness == Openness::OnceOut && matches!(state, Placed | Nil | Withdrawn)
        }
        About::Edition(_, View::Sealed | View::Early | View::Dates) | About::Other { official: false } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [&str; 6] = [
        "edition.due_date_moved",
        "edition.prepared",
        "edition.sealed",
        "edition.placed",
        "edition.embargo_set",
        "edition.something_new",
    ];

    fn told(about: About) -> Vec<&'static str> {
        KINDS.into_iter().filter(|kind| is_told(kind, about)).collect()
    }

    #[test]
    fn under_an_embargo_the_due_date_is_all_that_is_told_whatever_the_state() {
        for state in [
            EditionState::Prepared,
            EditionState::Sealed,
            EditionState::Placed,
            EditionState::Withdrawn,
        ] {
            for view in [View::Dates, View::Early] {
                assert_eq!(
                    told(About::Edition(state, view)),
                    ["edition.due_date_moved"],
                    "{state:?} {view:?}"
                );
            }
            assert_eq!(told(About::Edition(state, View::Everything)), KINDS, "{state:?}");
        }
    }

    #[test]
    fn everyone_is_told_of_an_edition_once_something_of_it_is_out() {
        let open = |state| told(About::Edition(state, View::Open));
        assert_eq!(open(EditionState::Sealed), ["edition.due_date_moved"]);
        assert_eq!(open(EditionState::Placed), ["edition.due_date_moved", "edition.placed"]);
    }

    #[test]
    fn of_anything_else_officials_are_told_and_others_only_what_is_open() {
        let open = [
            "form.corrected",
            "indicators.entered",
            "details.retired",
            "codes.entered",
            "total-rule.created",
        ];
        let kinds = [&open[..], &["indicators.entering_repeated", "observations.imported"]].concat();
        let told = |official| {
            let told = kinds.iter().filter(|kind| is_told(kind, About::Other { official }));
            told.copied().collect::<Vec<_>>()
        };
        assert_eq!((told(true), told(false)), (kinds.clone(), open.to_vec()));
    }
}
