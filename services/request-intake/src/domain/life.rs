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
    /// It was registered before, and is examined again: what that finds is for an official.
    ExamineAgain,
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
    /// An official decides checks.
    ReviewDecision,
    /// A review that finds every ground kept on which the system left it or asked its requester.
    ReverseDecision,
    /// A slip of the pen in it is mended.
    Correct,
    /// Its requester supplies what is missing.
    ProvideClarification,
    /// The same of one that was registered before it was asked about.
    ClarifyRegistered,
    /// The same of one whose answer somebody prepares.
    ClarifyPrepared,
    /// Its due date is put off.
    Extend,
    /// It goes to another body.
    Forward,
    /// Some of its items go to another body.
    ForwardItems,
    /// It is given back.
    Return,
    /// Its consideration is ended.
    Terminate,
}

impl Word for Verb {
    const ALL: &'static [Self] = &[
        Self::PutOff,
        Self::Register,
        Self::ExamineAgain,
        Self::AskClarification,
        Self::LeaveWithoutConsideration,
        Self::Assign,
        Self::Withdraw,
        Self::DraftAnswer,
        Self::UpdateAnswer,
        Self::ApproveAnswer,
        Self::RecordDispatch,
        Self::ReviewDecision,
        Self::ReverseDecision,
        Self::Correct,
        Self::ProvideClarification,
        Self::ClarifyRegistered,
        Self::ClarifyPrepared,
        Self::Extend,
        Self::Forward,
        Self::ForwardItems,
        Self::Return,
        Self::Terminate,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::PutOff => "PUT_OFF",
            Self::Register => "REGISTER",
            Self::ExamineAgain => "EXAMINE_AGAIN",
            Self::AskClarification => "ASK_CLARIFICATION",
            Self::LeaveWithoutConsideration => "LEAVE_WITHOUT_CONSIDERATION",
            Self::Assign => "ASSIGN",
            Self::Withdraw => "WITHDRAW",
            Self::DraftAnswer => "DRAFT_ANSWER",
            Self::UpdateAnswer => "UPDATE_ANSWER",
            Self::ApproveAnswer => "APPROVE_ANSWER",
            Self::RecordDispatch => "RECORD_DISPATCH",
            Self::ReviewDecision => "REVIEW_DECISION",
            Self::ReverseDecision => "REVERSE_DECISION",
            Self::Correct => "CORRECT",
            Self::ProvideClarification => "PROVIDE_CLARIFICATION",
            Self::ClarifyRegistered => "CLARIFY_REGISTERED",
            Self::ClarifyPrepared => "CLARIFY_PREPARED",
            Self::Extend => "EXTEND",
            Self::Forward => "FORWARD",
            Self::ForwardItems => "FORWARD_ITEMS",
            Self::Return => "RETURN",
            Self::Terminate => "TERMINATE",
        }
    }
}

/// The whole life: where a verb leads, by the state in which it finds a request.
const LIFE: &[(Verb, &[(State, State)])] = &[
    (Verb::PutOff, &[(State::Received, State::Received)]),
    (Verb::Register, &[(State::Received, State::Registered)]),
    (
        Verb::ExamineAgain,
        &[
            (State::Registered, State::Registered),
            (State::InPreparation, State::InPreparation),
        ],
    ),
    (
        Verb::AskClarification,
        &[
            (State::Received, State::AwaitingClarification),
            (State::AwaitingClarification, State::AwaitingClarification),
            (State::Registered, State::AwaitingClarification),
            (State::InPreparation, State::AwaitingClarification),
        ],
    ),
    (
        Verb::LeaveWithoutConsideration,
        &[
            (State::Received, State::LeftWithoutConsideration),
            (State::AwaitingClarification, State::LeftWithoutConsideration),
            (State::Registered, State::LeftWithoutConsideration),
            (State::InPreparation, State::LeftWithoutConsideration),
        ],
    ),
    // Who is given a request before it is registered looks after its examination.
    (
        Verb::Assign,
        &[
            (State::Received, State::Received),
            (State::AwaitingClarification, State::AwaitingClarification),
            (State::Registered, State::InPreparation),
            (State::InPreparation, State::InPreparation),
        ],
    ),
    (
        Verb::Withdraw,
        &[
            (State::Received, State::Withdrawn),
            (State::AwaitingClarification, State::Withdrawn),
            (State::Registered, State::Withdrawn),
            (State::InPreparation, State::Withdrawn),
        ],
    ),
    (
        Verb::DraftAnswer,
        &[
            (State::Registered, State::InPreparation),
            (State::InPreparation, State::InPreparation),
        ],
    ),
    (Verb::UpdateAnswer, &[(State::InPreparation, State::InPreparation)]),
    (Verb::ApproveAnswer, &[(State::InPreparation, State::InPreparation)]),
    // Neither a signature nor anything else meets the term.
    (Verb::RecordDispatch, &[(State::InPreparation, State::Answered)]),
    (
        Verb::ReviewDecision,
        &[
            (State::Received, State::Received),
            (State::AwaitingClarification, State::AwaitingClarification),
            (State::LeftWithoutConsideration, State::LeftWithoutConsideration),
            (State::Registered, State::Registered),
            (State::InPreparation, State::InPreparation),
        ],
    ),
    (
        Verb::ReverseDecision,
        &[
            (State::AwaitingClarification, State::Received),
            (State::LeftWithoutConsideration, State::Received),
        ],
    ),
    (
        Verb::Correct,
        &[
            (State::Received, State::Received),
            (State::AwaitingClarification, State::AwaitingClarification),
            (State::Registered, State::Registered),
            (State::InPreparation, State::InPreparation),
        ],
    ),
    (
        Verb::ProvideClarification,
        &[(State::AwaitingClarification, State::Received)],
    ),
    (
        Verb::ClarifyRegistered,
        &[(State::AwaitingClarification, State::Registered)],
    ),
    (
        Verb::ClarifyPrepared,
        &[(State::AwaitingClarification, State::InPreparation)],
    ),
    (
        Verb::Extend,
        &[
            (State::AwaitingClarification, State::AwaitingClarification),
            (State::Registered, State::Registered),
            (State::InPreparation, State::InPreparation),
        ],
    ),
    (
        Verb::Forward,
        &[
            (State::Received, State::Forwarded),
            (State::AwaitingClarification, State::Forwarded),
            (State::Registered, State::Forwarded),
            (State::InPreparation, State::Forwarded),
        ],
    ),
    (
        Verb::ForwardItems,
        &[
            (State::Received, State::Received),
            (State::AwaitingClarification, State::AwaitingClarification),
            (State::Registered, State::Registered),
            (State::InPreparation, State::InPreparation),
        ],
    ),
    (Verb::Return, &[(State::AwaitingClarification, State::Returned)]),
    (
        Verb::Terminate,
        &[
            (State::Received, State::Terminated),
            (State::AwaitingClarification, State::Terminated),
            (State::Registered, State::Terminated),
            (State::InPreparation, State::Terminated),
        ],
    ),
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

    /// What the state allows somebody to do.
    pub fn allowed(&self) -> Vec<Verb> {
        let from_here = LIFE
            .iter()
            .filter(|(_, ways)| ways.iter().any(|(from, _)| *from == self.state));
        from_here
            .map(|(verb, _)| *verb)
            .filter(|verb| verb.is_asked())
            .collect()
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
            Self::ExamineAgain => "be examined again",
            Self::AskClarification => "await clarification",
            Self::LeaveWithoutConsideration => "be left without consideration",
            Self::ReviewDecision => "be reviewed",
            Self::ReverseDecision => "be taken up again",
            Self::Correct => "be corrected",
            Self::ProvideClarification | Self::ClarifyRegistered | Self::ClarifyPrepared => "be clarified",
            Self::Extend => "be extended",
            Self::Forward => "be forwarded",
            Self::ForwardItems => "be forwarded in part",
            Self::Return => "be returned",
            Self::Terminate => "be terminated",
        })
    }
}

impl Verb {
    /// Whether somebody asks for it by a method of its own; the others are what such a method or an examination comes to.
    pub fn is_asked(self) -> bool {
        !matches!(
            self,
            Self::PutOff
                | Self::Register
                | Self::ExamineAgain
                | Self::ReverseDecision
                | Self::ClarifyRegistered
                | Self::ClarifyPrepared
                | Self::ForwardItems
        )
    }

    /// What an examination does to a request that stands there.
    pub fn of(examination: &Examination, stands: State) -> Self {
        match examination.state {
            _ if matches!(stands, State::Registered | State::InPreparation) => Self::ExamineAgain,
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
    let ways = LIFE.iter().find(|(by, _)| *by == verb).map(|(_, ways)| *ways);
    let way = ways.unwrap_or_default().iter().find(|(from, _)| *from == state);
    way.map(|(_, to)| *to).ok_or(NotAllowed { state, verb })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_received_is_registered_and_a_refusal_tells_what_is_allowed() {
        assert_eq!(step(State::Received, Verb::Register), Ok(State::Registered));
        for &state in State::ALL.iter().filter(|state| **state != State::Received) {
            let refused = step(state, Verb::Register).expect_err("it was examined");
            assert!(!refused.allowed().contains(&Verb::Register));
        }
        let told = step(State::AwaitingClarification, Verb::DraftAnswer).expect_err("it is not clear yet");
        let allowed = told.allowed();
        assert!(allowed.contains(&Verb::Return) && allowed.contains(&Verb::ProvideClarification));
        assert!(!allowed.contains(&Verb::ClarifyPrepared) && !allowed.contains(&Verb::ReverseDecision));
        assert!(
            told.to_string().contains("cannot have its answer drafted; it can "),
            "{told}"
        );
        assert!(told.to_string().contains("be clarified, "), "{told}");
    }

    #[test]
    fn what_has_ended_allows_nothing_but_the_review_of_what_was_left_without_consideration() {
        let ended = [
            State::Answered,
            State::Forwarded,
            State::Withdrawn,
            State::Returned,
            State::Terminated,
        ];
        for ended in ended {
            let refused = step(ended, Verb::Assign).expect_err("it has ended");
            assert_eq!((refused.state(), refused.allowed()), (ended, vec![]));
            assert!(refused.to_string().ends_with("it can do nothing"), "{refused}");
        }
        let refused = step(State::LeftWithoutConsideration, Verb::Assign).expect_err("it has ended");
        assert_eq!(refused.allowed(), [Verb::ReviewDecision]);
    }

    #[test]
    fn each_verb_has_one_row_and_leads_from_one_state_to_one() {
        let rows: Vec<Verb> = LIFE.iter().map(|(verb, _)| *verb).collect();
        assert_eq!(rows, Verb::ALL);
        for (verb, ways) in LIFE {
            for (place, (from, _)) in ways.iter().enumerate() {
                assert!(
                    !ways[place + 1..].iter().any(|(other, _)| other == from),
                    "{from:?} {verb:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_registered_is_examined_again_without_being_registered_again() {
        let examination = Examination {
            state: State::LeftWithoutConsideration,
            checks: Vec::new(),
            clarifications: Vec::new(),
            deadline: None,
        };
        assert_eq!(Verb::of(&examination, State::Received), Verb::LeaveWithoutConsideration);
        for stands in [State::Registered, State::InPreparation] {
            let verb = Verb::of(&examination, stands);
            assert_eq!((verb, step(stands, verb)), (Verb::ExamineAgain, Ok(stands)));
        }
    }
}
