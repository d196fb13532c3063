//! What this service refuses, and how each refusal reaches the caller.

use legalstat_kit::{Refusal, door::word::Word, law::LegalBasis};
use legalstat_proto::common::v1::ErrorReason;
use tonic::Code;
use uuid::Uuid;

use crate::domain::{
    life::{NotAllowed, Verb},
    names,
    request::Channel,
};

/// There is no such request, or not for this caller.
pub fn not_found(id: Uuid) -> Refusal {
    Refusal::not_found(&names::request(id))
}

/// The request was changed since the caller has read it.
pub fn changed(name: &str) -> Refusal {
    let message = format!("{name} was changed meanwhile: read it again, and decide again");
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
