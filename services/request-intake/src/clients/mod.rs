//! The services this one calls, answering in its own types.

use std::{future::Future, time::Duration};

use legalstat_kit::{call::client, repeated};
use legalstat_proto::common::v1::ErrorReason;
use tonic::{Code, Status};
use tonic_types::StatusExt;

pub mod calendar;
pub mod form_registry;

use crate::domain::evidence::Answer;

/// Asks a service and waits so long. A documented refusal is an answer; everything else means that the service is away: an
/// accepted request is never lost over another service's fault.
async fn ask<T>(service: &'static str, patience: Duration, call: impl Future<Output = Result<T, Status>>) -> Answer<T> {
    // Boxed: a call takes kilobytes, and whatever waits for it would have them several times over.
    let status = match tokio::time::timeout(patience, Box::pin(call)).await {
        Ok(Ok(answer)) => return Answer::Given(answer),
        Ok(Err(status)) => status,
        Err(_) => Status::deadline_exceeded("no answer in time"),
    };
    // A peer of another release may not read our message; that is no answer to the question.
    let details = status.get_error_details();
    let is_for = |reason: ErrorReason| {
        details
            .error_info()
            .is_some_and(|info| info.reason == reason.as_str_name())
    };
    let unreadable = is_for(ErrorReason::MessageUnreadable);
    match status.code() {
        Code::InvalidArgument if unreadable => Answer::Away,
        // So it is for requests of bodies, and told with the request.
        Code::OutOfRange if is_for(ErrorReason::NoTermApplies) => Answer::Refused(status.message().to_owned()),
        Code::InvalidArgument | Code::OutOfRange | Code::NotFound | Code::FailedPrecondition => {
            let code = status.code();
            if let Some(unlogged) = repeated::to_log(&format!("{service} refused a question: {code:?}")) {
                tracing::warn!(
                    service,
                    ?code,
                    unlogged,
                    "a service refused a question of an examination"
                );
            }
            Answer::Refused(status.message().to_owned())
        }
        _ if client::is_away(&status) => {
            tracing::debug!(service, code = ?status.code(), "a service is away");
            Answer::Away
        }
        code => {
            let message = status.message();
            if let Some(unlogged) = repeated::to_log(&format!("{service} failed: {code:?}, {message}")) {
                tracing::error!(service, ?code, message, unlogged, "a service failed");
            }
            Answer::Away
        }
    }
}

/// Reads an answer; one that breaks its contract counts as none.
fn understood<A, T>(service: &'static str, answer: Answer<A>, read: impl FnOnce(A) -> anyhow::Result<T>) -> Answer<T> {
    match answer {
        Answer::Away => Answer::Away,
        Answer::Refused(reason) => Answer::Refused(reason),
        Answer::Given(message) => match read(message) {
            Ok(value) => Answer::Given(value),
            Err(error) => {
                let error = format!("{error:#}");
                if let Some(unlogged) = repeated::to_log(&format!("{service} breaks its contract: {error}")) {
                    tracing::error!(service, error, unlogged, "a service's answer breaks its contract");
                }
                Answer::Away
            }
        },
    }
}
