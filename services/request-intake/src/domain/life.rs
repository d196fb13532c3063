//! The life of a request: which state each verb leads to, and from where (Instruction, paras 5 to 8).

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
];

/// A verb that a request's state does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAllowed {
    state: State,
    verb: Verb,
}

impl NotAllowed {
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
            State::Received => Self::PutOff,
            State::Registered => Self::Register,
            State::AwaitingClarification => Self::AskClarification,
            State::LeftWithoutConsideration => Self::LeaveWithoutConsideration,
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
            assert_eq!(refused.allowed(), []);
        }
        let told = NotAllowed {
            state: State::Received,
            verb: Verb::Register,
        };
        assert_eq!(told.allowed().len(), 4);
        assert!(
            told.to_string().contains("be registered, await clarification"),
            "{told}"
        );
    }

    #[test]
    fn every_state_is_reached() {
        for state in State::ALL {
            assert!(LIFE.iter().any(|(_, _, to)| to == state), "{state:?}");
        }
    }
}
