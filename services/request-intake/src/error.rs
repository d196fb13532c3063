//! What this service refuses, and how each refusal reaches the caller.

use legalstat_kit::{Refusal, law::LegalBasis};
use legalstat_proto::common::v1::ErrorReason;
use tonic::Code;
use uuid::Uuid;

use crate::domain::{names, request::Channel};

/// A refusal of request intake.
#[derive(Clone, Debug)]
pub enum IntakeError {
    /// There is no such request, or not for this caller.
    NotFound(Uuid),
    /// The caller may not bring requests through this channel.
    ChannelNotOfCaller {
        /// Who brought it.
        caller: String,
        /// Through which channel.
        channel: Channel,
    },
}

impl From<IntakeError> for Refusal {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::NotFound(id) => Refusal::not_found(&names::request(id)),
            IntakeError::ChannelNotOfCaller { caller, channel } => Refusal::new(
                Code::PermissionDenied,
                ErrorReason::ChannelNotOfCaller,
                format!(
                    "{caller} may not bring a request through the channel {}",
                    channel.stored()
                ),
            )
            .legal_basis(LegalBasis::instruction("para 7")),
        }
    }
}

impl From<IntakeError> for legalstat_kit::Error {
    fn from(error: IntakeError) -> Self {
        Refusal::from(error).into()
    }
}
