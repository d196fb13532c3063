//! The life of a request: which state each verb leads to, and from where (Instruction, paras 5 to 8; the terms' own law).

use std::fmt;

use legalstat_kit::door::word::Word;

use super::{examination::Examination, request::State};

/// What can happen to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Its examination is put off: a service that it needs is away, or an official must look.
    PutOff,
    /// It is registered.
    Register,
    /// Its requester is asked for what is missing.
    AskClarification,
    /// It is left without consideration.
    LeaveWithoutConsideration,
    /// It is given to an official.
    Assign,
    /// Its requester takes it back.
    Withdraw,
    /// Its answer is drafted.
    DraftAnswer,
    /// The draft of its answer is edited.
    UpdateAnswer,
    /// Its answer is approved.
    ApproveAnswer,
    /// The dispatch of its answer is recorded.
    RecordDispatch,
}

impl Word for Verb {
    const ALL: &'static [Self] = &[
        Self::PutOff,
        Self::Register,
        Self::AskClarification,
        Self::LeaveWithoutConsideration,
        Self::Assign,
        Self::Withdraw,
        Self::DraftAnswer,
        Self::UpdateAnswer,
        Self::ApproveAnswer,
        Self::RecordDispatch,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::PutOff => "PUT_OFF",
            Self::Register => "REGISTER",
            Self::AskClarification => "ASK_CLARIFICATION",
            Self::LeaveWithoutConsideration => "LEAVE_WITHOUT_CONSIDERATION",
            Self::Assign => "ASSIGN",
            Self::Withdraw => "WITHDRAW",
            Self::DraftAnswer => "DRAFT_ANSWER",
            Self::UpdateAnswer => "UPDATE_ANSWER",
            Self::ApproveAnswer => "APPROVE_ANSWER",
            Self::RecordDispatch => "RECORD_DISPATCH",
        }
    }
}

/// The whole life.
const LIFE: &[(State, Verb, State)] = &[
    (State::Received, Verb::PutOff, State::Received),
    (State::Received, Verb::Register, State::Registered),
    (State::Received, Verb::AskClarification, State::AwaitingClarification),
    (
        State::Received,
        Verb::LeaveWithoutConsideration,
        State::LeftWithoutConsideration,
    ),
    // Who is given a request before it is registered looks after its examination.
    (State::Received, Verb::Assign, State::Received),
    (State::AwaitingClarification, Verb::Assign, State::AwaitingClarification),
    (State::Registered, Verb::Assign, State::InPreparation),
    (State::InPreparation, Verb::Assign, State::InPreparation),
    (State::Received, Verb::Withdraw, State::Withdrawn),
    (State::AwaitingClarification, Verb::Withdraw, State::Withdrawn),
    (State::Registered, Verb::Withdraw, State::Withdrawn),
    (State::InPreparation, Verb::Withdraw, State::Withdrawn),
    (State::Registered, Verb::DraftAnswer, State::InPreparation),
    (State::InPreparation, Verb::DraftAnswer, State::InPreparation),
    (State::InPreparation, Verb::UpdateAnswer, State::InPreparation),
    (State::InPreparation, Verb::ApproveAnswer, State::InPreparation),
    // Neither a signature nor anything else meets the term.
    (State::InPreparation, Verb::RecordDispatch, State::Answered),
];

/// A verb that a request's state does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAllowed {
    state: State,
    verb: Verb,
}

impl NotAllowed {
    /// Where the request stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// What the state allows.
    pub fn allowed(&self) -> Vec<Verb> {
        let from_here = LIFE.iter().filter(|(from, _, _)| *from == self.state);
        from_here.map(|(_, verb, _)| *verb).collect()
    }
}

impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, allowed) = (self.state.word(), listed(&self.allowed()));
        write!(f, "a request that is {state} cannot {}; it can {allowed}", self.verb)
    }
}

impl std::error::Error for NotAllowed {}

fn listed(verbs: &[Verb]) -> String {
    match verbs {
        [] => "do nothing".into(),
        verbs => verbs.iter().map(Verb::to_string).collect::<Vec<_>>().join(", "),
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Assign => "be assigned",
            Self::Withdraw => "be withdrawn",
            Self::DraftAnswer => "have its answer drafted",
            Self::UpdateAnswer => "have its answer edited",
            Self::ApproveAnswer => "have its answer approved",
            Self::RecordDispatch => "have the dispatch of its answer recorded",
            Self::PutOff => "wait for its examination",
            Self::Register => "be registered",
            Self::AskClarification => "await clarification",
            Self::LeaveWithoutConsideration => "be left without consideration",
        })
    }
}

impl Verb {
    /// What an examination does to a request.
    pub fn of(examination: &Examination) -> Self {
        match examination.state {
            State::Registered => Self::Register,
            State::AwaitingClarification => Self::AskClarification,
            State::LeftWithoutConsideration => Self::LeaveWithoutConsideration,
            _ => Self::PutOff,
        }
    }
}

/// Where a verb leads.
///
/// # Errors
/// A verb that the state does not allow; it tells which ones it does.
pub fn step(state: State, verb: Verb) -> Result<State, NotAllowed> {
    let found = LIFE.iter().find(|(from, by, _)| (*from, *by) == (state, verb));
    found.map(|(_, _, to)| *to).ok_or(NotAllowed { state, verb })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_received_is_examined_and_a_refusal_tells_what_is_allowed() {
        assert_eq!(step(State::Received, Verb::Register), Ok(State::Registered));
        for &state in State::ALL.iter().filter(|state| **state != State::Received) {
            let refused = step(state, Verb::Register).expect_err("it was examined");
            assert!(!refused.allowed().contains(&Verb::Register));
        }
        let told = NotAllowed {
            state: State::Received,
            verb: Verb::Register,
        };
        assert_eq!(told.allowed().len(), 6);
        assert!(
            told.to_string().contains("be registered, await clarification"),
            "{told}"
        );
    }

    #[test]
    fn what_has_ended_allows_nothing() {
        for ended in [State::Answered, State::Withdrawn, State::Returned, State::Terminated] {
            let refused = step(ended, Verb::Assign).expect_err("it has ended");
            assert_eq!((refused.state(), refused.allowed()), (ended, vec![]));
            assert!(refused.to_string().ends_with("it can do nothing"), "{refused}");
        }
    }

    #[test]
    fn no_verb_leads_from_one_state_to_two() {
        for (place, (from, verb, _)) in LIFE.iter().enumerate() {
            let again = LIFE[place + 1..].iter().any(|(f, v, _)| (f, v) == (from, verb));
            assert!(!again, "{from:?} {verb:?}");
        }
    }
}
