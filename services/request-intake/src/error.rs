//! What this service refuses, and how each refusal reaches the caller.

use legalstat_kit::{Refusal, door::word::Word, law::LegalBasis};
use legalstat_proto::common::v1::ErrorReason;
use tonic::Code;
use uuid::Uuid;

use crate::domain::{names, request::Channel};

/// There is no such request, or not for this caller.
pub fn not_found(id: Uuid) -> Refusal {
    Refusal::not_found(&names::request(id))
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
