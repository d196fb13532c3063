//! What this service refuses, and how each refusal reaches the caller.

use jiff::civil::Date;
use legalstat_kit::{Refusal, door::word::Word, law::LegalBasis};
use legalstat_proto::common::v1::ErrorReason;
use tonic::Code;
use uuid::Uuid;

use crate::domain::{
    life::{NotAllowed, Verb},
    names,
    request::{Channel, RequesterKind},
};

/// There is no such request, or not for this caller.
pub fn not_found(id: Uuid) -> Refusal {
    Refusal::not_found(&names::request(id))
}

/// The day turned between the question to the calendar and the decision.
pub fn day_turned(name: &str) -> Refusal {
    let message = format!("the day turned while the calendar was asked about {name}: decide again, as of the new day");
    Refusal::new(Code::Aborted, ErrorReason::EtagMismatch, message).about(name)
}

impl NotAllowed {
    /// The refusal of what was asked of a request.
    pub fn refusal(self, name: &str) -> Refusal {
        let mut refusal = Refusal::new(Code::FailedPrecondition, ErrorReason::WrongState, self.to_string()).about(name);
        let allowed: Vec<&str> = self.allowed().into_iter().map(Verb::word).collect();
        refusal.metadata.insert("state".into(), self.state().word().into());
        refusal.metadata.insert("allowed".into(), allowed.join(" "));
        refusal
    }
}

/// The caller may not bring requests through this channel.
pub fn channel_not_of_caller(caller: &str, channel: Channel) -> Refusal {
    Refusal::new(
        Code::PermissionDenied,
        ErrorReason::ChannelNotOfCaller,
        format!(
            "{caller} may not bring a request through the channel {}",
            channel.word()
        ),
    )
    .legal_basis(LegalBasis::instruction("para 7"))
}

/// No law lets this be done with the requests of this kind of requester.
pub fn not_ordered(verb: Verb, kind: RequesterKind, day: Date) -> Refusal {
    let message = format!("no law in force on {day} lets a request of {} {verb}", kind.word());
    Refusal::new(Code::FailedPrecondition, ErrorReason::VerbNotOrdered, message)
}

/// What was submitted contradicts the ground.
pub fn ground_contradicted(ground: &str, why: &str, basis: &LegalBasis) -> Refusal {
    let message =
        format!("the ground {ground} is not given: {why}; correct what was recorded wrongly, or name another ground");
    let mut refusal = Refusal::new(Code::FailedPrecondition, ErrorReason::GroundContradicted, message);
    refusal.metadata.insert("ground".into(), ground.into());
    refusal.legal_basis(basis.clone())
}

/// An official left the request without consideration: that is not a decision of the system.
pub fn decided_by_official(name: &str) -> Refusal {
    let message = format!("an official left {name} without consideration; only what the system decided is reviewed");
    let mut refusal = Refusal::new(Code::FailedPrecondition, ErrorReason::WrongState, message).about(name);
    refusal.metadata.insert("allowed".into(), String::new());
    refusal
}

/// The requester was asked about this field before.
pub fn clarification_repeated(field: &str, basis: &LegalBasis) -> Refusal {
    let of = if field.is_empty() { "the whole request" } else { field };
    let message = format!(
        "the requester was asked about {of} before: return the request once the time for curing it has passed, or decide on it"
    );
    let mut refusal = Refusal::new(Code::FailedPrecondition, ErrorReason::ClarificationRepeated, message);
    refusal.metadata.insert("field".into(), field.into());
    refusal.legal_basis(basis.clone())
}

/// The requester can still cure the defects.
pub fn cure_term_running(cure_by: Date, basis: &LegalBasis) -> Refusal {
    let message = format!("the requester has time until {cure_by} to cure the defects");
    let mut refusal = Refusal::new(Code::FailedPrecondition, ErrorReason::CureTermRunning, message);
    refusal.metadata.insert("cure_by".into(), cure_by.to_string());
    refusal.legal_basis(basis.clone())
}

/// The time for curing the defects has passed: nothing is asked any more.
pub fn cure_term_passed(cure_by: Date, basis: &LegalBasis) -> Refusal {
    let message =
        format!("the requester had time until {cure_by} to cure the defects: return the request, or decide on it");
    let mut refusal = Refusal::new(Code::FailedPrecondition, ErrorReason::CureTermPassed, message);
    refusal.metadata.insert("cure_by".into(), cure_by.to_string());
    refusal.legal_basis(basis.clone())
}

/// The due date has passed: nothing puts it off any more.
pub fn due_date_passed(due_date: Date, basis: &LegalBasis) -> Refusal {
    let message = format!("the due date {due_date} has passed: it can be put off before it only");
    let mut refusal = Refusal::new(Code::FailedPrecondition, ErrorReason::DueDatePassed, message);
    refusal.metadata.insert("due_date".into(), due_date.to_string());
    refusal.legal_basis(basis.clone())
}

/// It is not registered, so that there is no due date to put off.
pub fn without_due_date(name: &str) -> Refusal {
    let message = format!("{name} is not registered: it has no due date that could be put off");
    Refusal::new(Code::FailedPrecondition, ErrorReason::WrongState, message).about(name)
}

/// The due date was put off in this way before.
pub fn already_extended(basis: &LegalBasis) -> Refusal {
    let message = "the due date was put off so before, and the law gives that time once";
    Refusal::new(Code::FailedPrecondition, ErrorReason::AlreadyExtended, message).legal_basis(basis.clone())
}

/// The version answers the request as it was, not as it stands.
pub fn answer_outdated(name: &str, version: i32) -> Refusal {
    let message = format!(
        "the request was changed, or items of it were passed on, since version {version} of its answer was drafted: draft it again"
    );
    let reason = ErrorReason::AnswerOutdated;
    Refusal::new(Code::FailedPrecondition, reason, message).about(&format!("{name}/answer"))
}

/// The calendar, without which a due date cannot be put off, is away.
pub fn calendar_away() -> Refusal {
    Refusal::unavailable("the calendar is away; repeat the call with its request_id")
}

/// The calendar computes no such due date.
pub fn calendar_refused(reason: &str) -> Refusal {
    let message = format!("the calendar gives no such due date: {reason}");
    Refusal::new(Code::OutOfRange, ErrorReason::NoTermApplies, message)
}
