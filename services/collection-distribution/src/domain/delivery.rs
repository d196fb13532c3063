//! The delivery of copies to the servers of their recipients: how an attempt ends, and when the next one follows.

use std::time::Duration;

use legalstat_kit::door::word::Word;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Received,
    Rejected,
    NoEndpoint,
    Unreachable,
    CertificateRefused,
    NoAnswer,
    BrokenOff,
    UnreadableAnswer,
    Redirected,
    Refused,
    Busy,
    ReceiptNotTrue,
    SenderLost,
}

impl Word for Outcome {
    const ALL: &'static [Self] = &[
        Self::Received,
        Self::Rejected,
        Self::NoEndpoint,
        Self::Unreachable,
        Self::CertificateRefused,
        Self::NoAnswer,
        Self::BrokenOff,
        Self::UnreadableAnswer,
        Self::Redirected,
        Self::Refused,
        Self::Busy,
        Self::ReceiptNotTrue,
        Self::SenderLost,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Received => "RECEIVED",
            Self::Rejected => "REJECTED",
            Self::NoEndpoint => "NO_ENDPOINT",
            Self::Unreachable => "UNREACHABLE",
            Self::CertificateRefused => "CERTIFICATE_REFUSED",
            Self::NoAnswer => "NO_ANSWER",
            Self::BrokenOff => "BROKEN_OFF",
            Self::UnreadableAnswer => "UNREADABLE_ANSWER",
            Self::Redirected => "REDIRECTED",
            Self::Refused => "REFUSED",
            Self::Busy => "BUSY",
            Self::ReceiptNotTrue => "RECEIPT_NOT_TRUE",
            Self::SenderLost => "SENDER_LOST",
        }
    }
}

/// Why an attempt brought no answer of the recipient: how it ended, and what happened, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub outcome: Outcome,
    pub detail: String,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure of a server that asks for no time.
    pub fn new(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self {
            outcome,
            detail: detail.into(),
            retry_after: None,
        }
    }
}
