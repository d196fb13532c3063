//! Events as the notices of a document system: an adapter translates, and decides nothing.

use super::{request::State, told::Told};

/// A notice in the terms of the Unified EDMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// It arrived.
    Delivered,
    /// It has a number.
    Registered,
    /// It is refused.
    Refused,
    /// How its execution goes.
    Execution,
    /// Its term is longer.
    Prolonged,
    /// Its due date is another.
    NewDate,
    /// A due date counts from now on.
    NewControl,
    /// No due date counts any more.
    TakenOffControl,
    /// It is answered.
    Finished,
    /// Its signature is not valid.
    NotValid,
}

/// The notices of an event, in the order in which they are told. None of a kind that this release does not know.
pub fn notices(kind: &str, told: &Told) -> Vec<Notice> {
    let mut notices = of_kind(kind, told);
    if told.bad_signature {
        notices.push(Notice::NotValid);
    }
    notices
}

fn of_kind(kind: &str, told: &Told) -> Vec<Notice> {
    match kind {
        "request.accepted" => [vec![Notice::Delivered], of_examination(told.state)].concat(),
        // What an official finds and what a requester supplies lead to another examination, which tells what it came to.
        "request.examined" => or_execution(of_examination(told.state)),
        "request.due_date_moved" => vec![Notice::NewDate],
        // The same day by other reasons, and what changed nothing, are no news to a sender.
        "request.due_date_restated" => Vec::new(),
        kind if kind.ends_with("_repeated") => Vec::new(),
        "request.extended" => vec![Notice::Prolonged, Notice::NewDate],
        "request.answered" => vec![Notice::Finished, Notice::TakenOffControl],
        "request.left_without_consideration" | "request.returned" => vec![Notice::Refused, Notice::TakenOffControl],
        "request.terminated" | "request.withdrawn" => vec![Notice::TakenOffControl],
        // It was over before.
        "request.erased" | "request.erasure_ordered" => Vec::new(),
        // Of one that is forwarded by items the rest stays to be answered here.
        "request.forwarded" if told.state == Some(State::Forwarded) => vec![Notice::Execution, Notice::TakenOffControl],
        kind if kind.starts_with("request.") => vec![Notice::Execution],
        _ => Vec::new(),
    }
}

fn of_examination(state: Option<State>) -> Vec<Notice> {
    match state {
        Some(State::Registered | State::InPreparation) => vec![Notice::Registered, Notice::NewControl],
        Some(State::LeftWithoutConsideration | State::Returned) => vec![Notice::Refused],
        _ => Vec::new(),
    }
}

fn or_execution(notices: Vec<Notice>) -> Vec<Notice> {
    if notices.is_empty() {
        vec![Notice::Execution]
    } else {
        notices
    }
}

/// Whether an event of this kind is for the inside only: it happened to no request, it changed nothing, or it waits for
/// another official. Of anything else whoever
/// sees the request is told, for he sees the decision too.
pub fn is_for_the_inside(kind: &str) -> bool {
    !kind.starts_with("request.") || kind.ends_with("_repeated") || kind == "request.erasure_ordered"
}

/// Whether an event of this kind leaves a request where it stood, so that it need not tell that.
pub fn leaves_state(kind: &str) -> bool {
    matches!(
        kind,
        "request.due_date_moved"
            | "request.due_date_restated"
            | "request.extended"
            | "request.corrected"
            | "request.overdue"
            | "request.due_soon"
            | "request.attachment_added"
            | "request.answer_edited"
            | "request.answer_edit_repeated"
            | "request.answer_approved"
            | "request.answer_approval_repeated"
            | "request.assignment_repeated"
            | "request.erasure_ordered"
            | "request.notice_recorded"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use legalstat_kit::door::word::Word as _;

    use super::*;

    /// The kinds that the contract names of request intake.
    fn kinds() -> BTreeSet<&'static str> {
        let contract = include_str!("../../../../proto/legalstat/common/v1/change_event.proto");
        let (_, own) = contract.split_once("Of request intake:").expect("it names them");
        let (own, _) = own.split_once("Of the distribution").expect("others follow");
        own.split('`').skip(1).step_by(2).collect()
    }

    /// Every kind of event of this service: what a document system makes of one that leaves the request in preparation; none of what
    /// is for the inside only.
    const TOLD: &[(&str, Option<&[Notice]>)] = {
        use Notice::{
            Delivered, Execution, Finished, NewControl, NewDate, Prolonged, Refused, Registered, TakenOffControl,
        };
        &[
            ("rules.loaded", None),
            ("body.created", None),
            ("body.updated", None),
            ("body.update_repeated", None),
            ("attachment.uploaded", None),
            ("attachment.dropped", None),
            ("request.assignment_repeated", None),
            ("request.correction_repeated", None),
            ("request.accepted", Some(&[Delivered, Registered, NewControl])),
            ("request.examined", Some(&[Registered, NewControl])),
            ("request.decision_reviewed", Some(&[Execution])),
            ("request.clarification_provided", Some(&[Execution])),
            ("request.clarification_asked", Some(&[Execution])),
            ("request.assigned", Some(&[Execution])),
            ("request.corrected", Some(&[Execution])),
            ("request.attachment_added", Some(&[Execution])),
            ("request.answer_drafted", Some(&[Execution])),
            ("request.answer_edited", Some(&[Execution])),
            ("request.answer_approved", Some(&[Execution])),
            ("request.answered", Some(&[Finished, TakenOffControl])),
            ("request.extended", Some(&[Prolonged, NewDate])),
            ("request.due_soon", Some(&[Execution])),
            ("request.overdue", Some(&[Execution])),
            ("request.due_date_moved", Some(&[NewDate])),
            ("request.due_date_restated", Some(&[])),
            ("request.forwarded", Some(&[Execution])),
            ("request.items_forwarded", Some(&[Execution])),
            ("request.notice_recorded", Some(&[Execution])),
            ("request.left_without_consideration", Some(&[Refused, TakenOffControl])),
            ("request.returned", Some(&[Refused, TakenOffControl])),
            ("request.terminated", Some(&[TakenOffControl])),
            ("request.withdrawn", Some(&[TakenOffControl])),
            ("request.erased", Some(&[])),
            ("request.erasure_ordered", None),
            ("request.answer_approval_repeated", None),
            ("request.answer_edit_repeated", None),
            ("retention-rule.created", None),
            ("retention-rule.approved", None),
            ("retention-rule.ended", None),
            ("retention-rule.end_repeated", None),
        ]
    };

    #[test]
    fn every_kind_of_event_has_its_notices_or_is_for_the_inside_only() {
        let known: BTreeSet<&str> = TOLD.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(known, kinds());
        let told = Told::of(State::InPreparation, None);
        for (kind, expected) in TOLD {
            assert_eq!(is_for_the_inside(kind), expected.is_none(), "{kind}");
            assert_eq!(notices(kind, &told), expected.unwrap_or_default(), "{kind}");
        }
    }

    #[test]
    fn a_kind_of_a_later_release_is_how_the_execution_goes() {
        assert_eq!(notices("request.weighed", &Told::default()), [Notice::Execution]);
        assert_eq!(
            notices("request.examined", &Told::default()),
            [Notice::Execution],
            "again"
        );
        assert!(!is_for_the_inside("request.weighed") && is_for_the_inside("scales.bought"));
    }

    #[test]
    fn what_is_accepted_is_delivered_first_and_told_what_its_examination_came_to() {
        use Notice::{Delivered, NewControl, Refused, Registered};
        for (state, expected) in [
            (State::Received, vec![Delivered]),
            (State::AwaitingClarification, vec![Delivered]),
            (State::Registered, vec![Delivered, Registered, NewControl]),
            (State::LeftWithoutConsideration, vec![Delivered, Refused]),
        ] {
            assert_eq!(
                notices("request.accepted", &Told::of(state, None)),
                expected,
                "{state:?}"
            );
        }
    }

    #[test]
    fn a_number_and_a_new_control_are_told_once() {
        for kind in ["request.decision_reviewed", "request.clarification_provided"] {
            for state in State::ALL {
                assert_eq!(
                    notices(kind, &Told::of(*state, None)),
                    [Notice::Execution],
                    "{kind} {state:?}"
                );
            }
        }
        let examined = notices("request.examined", &Told::of(State::Registered, None));
        assert_eq!(examined, [Notice::Registered, Notice::NewControl]);
        let again = notices("request.examined", &Told::default());
        assert_eq!(again, [Notice::Execution]);
    }

    #[test]
    fn control_ends_with_the_answer_and_with_whatever_ends_a_request_otherwise() {
        for kind in [
            "request.answered",
            "request.returned",
            "request.terminated",
            "request.withdrawn",
            "request.left_without_consideration",
        ] {
            let told = notices(kind, &Told::default());
            assert_eq!(told.last(), Some(&Notice::TakenOffControl), "{kind}");
        }
        let forwarded = |state| notices("request.forwarded", &Told::of(state, None));
        assert_eq!(forwarded(State::Forwarded).last(), Some(&Notice::TakenOffControl));
        assert_eq!(
            forwarded(State::InPreparation),
            [Notice::Execution],
            "the rest stays here"
        );
    }

    #[test]
    fn a_bad_signature_is_told_whatever_brought_it() {
        let told = Told {
            bad_signature: true,
            ..Told::of(State::Received, None)
        };
        assert_eq!(
            notices("request.accepted", &told),
            [Notice::Delivered, Notice::NotValid]
        );
        assert_eq!(
            notices("request.attachment_added", &told),
            [Notice::Execution, Notice::NotValid]
        );
    }

    #[test]
    fn dates_that_move_are_told_as_new_dates_and_leave_the_state() {
        for kind in ["request.due_date_moved", "request.extended"] {
            assert_eq!(notices(kind, &Told::default()).last(), Some(&Notice::NewDate));
            assert!(leaves_state(kind));
        }
        assert!(!leaves_state("request.accepted") && !leaves_state("request.answered"));
    }
}
