//! How the command line fails: exit status 1 refused by the service, 2 wrong usage, 3 unreachable.

use std::{fmt, process::ExitCode, time::Duration};

use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The service refused.
    Refused(Box<Status>),
    /// The command line, or the file it was given, is wrong.
    Usage(String),
    /// The service cannot be reached.
    Unreachable(String),
    /// Anything else on this side.
    Other(anyhow::Error),
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    pub(crate) fn unreachable(error: tonic::transport::Error) -> Self {
        Self::Unreachable(with_causes(&error))
    }

    /// The exit status of the process.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Refused(_) | Self::Other(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
            Self::Unreachable(_) => ExitCode::from(3),
        }
    }

    /// The documented reason of a refusal, without its prefix.
    pub(crate) fn reason(&self) -> Option<String> {
        let Self::Refused(status) = self else { return None };
        let details = status.get_error_details();
        details
            .error_info()
            .map(|info| info.reason.trim_start_matches("ERROR_REASON_").to_owned())
    }
}

impl Failure {
    /// When to try again, if the service says so.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let Self::Refused(status) = self else { return None };
        status
            .get_error_details()
            .retry_info()
            .and_then(|retry| retry.retry_delay)
    }
}

/// An error with its causes: tonic shows only "transport error" otherwise.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        // A status without ErrorInfo was not sent by a service of ours: the line or the peer failed.
        let ours = status.get_error_details().error_info().is_some();
        match status.code() {
            Code::Unavailable | Code::Unknown | Code::Cancelled | Code::DeadlineExceeded if !ours => {
                Self::Unreachable(with_causes(&status))
            }
            _ => Self::Refused(Box::new(status)),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(status) => refused(status, f),
            Self::Usage(message) => write!(f, "error: {message}"),
            Self::Unreachable(message) => {
                write!(
                    f,
                    "unreachable: {message}\n  is the system running? `legalstat up` starts it"
                )
            }
            Self::Other(error) => write!(f, "error: {error:#}"),
        }
    }
}

fn refused(status: &Status, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let details = status.get_error_details();
    write!(f, "refused: {}", status.message())?;
    if let Some(bad_request) = details.bad_request() {
        for violation in &bad_request.field_violations {
            write!(
                f,
                "\n  {}: {} ({})",
                violation.field, violation.description, violation.reason
            )?;
        }
    }
    let Some(info) = details.error_info() else {
        return write!(f, "\n  code: {:?}", status.code());
    };
    write!(f, "\n  reason: {} ({:?})", info.reason, status.code())?;
    let mut facts: Vec<_> = info.metadata.iter().collect();
    facts.sort();
    for (key, value) in facts {
        write!(f, "\n  {}: {value}", key.replace('_', " "))?;
    }
    if let Some(after) = details.retry_info().and_then(|retry| retry.retry_delay) {
        write!(f, "\n  try again after: {} s", after.as_secs_f32())?;
    }
    Ok(())
}
