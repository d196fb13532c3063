//! The services this one calls, answering in its own types.

use std::{future::Future, time::Duration};

use legalstat_kit::call::{client, deadline, tls};
use legalstat_proto::common::v1::ErrorReason;
use tonic::{Code, Response, Status, transport::Channel};
use tonic_types::StatusExt;

pub mod calendar;
pub mod form_registry;

use crate::{
    config::Config,
    domain::{
        evidence::{Answer, Evidence},
        examination::{self, Examination},
        request::Submission,
        rules::Rules,
    },
};
use calendar::Calendar;
use form_registry::FormRegistry;

/// The most of its own time that a call may give to asking: half of what is left, at most this. What remains is for
/// accepting the request without the answer.
const LONGEST: Duration = Duration::from_secs(1);

/// Everything an examination asks.
#[derive(Clone)]
pub struct Services {
    calendar: Calendar,
    form_registry: FormRegistry,
}

impl Services {
    /// The services at the configured addresses; each is called only when asked.
    ///
    /// # Errors
    /// An address that is not a URL, or certificate files that cannot be read.
    pub fn new(config: &Config, files: &tls::Files) -> anyhow::Result<Self> {
        let channel = |url: &str| -> anyhow::Result<Channel> {
            client::channel(
                url,
                tls::client(&files.authority, Some((&files.certificate, &files.key)))?,
            )
        };
        Ok(Self {
            calendar: Calendar::new(channel(&config.calendar_url)?),
            form_registry: FormRegistry::new(channel(&config.form_registry_url)?),
        })
    }

    /// Examines a request, asking the other services unless the request alone decides.
    pub async fn examine(&self, submission: &Submission, rules: &Rules) -> Examination {
        let formal = examination::formal(submission, rules);
        if formal.decides() {
            return formal.close();
        }
        let (deadline, findings) = tokio::join!(
            self.calendar.deadline(submission),
            self.form_registry.findings(submission)
        );
        formal.complete(Evidence { deadline, findings })
    }
}

/// An examination whose questions to other services are put off: it is completed later.
pub fn put_off(submission: &Submission, rules: &Rules) -> Examination {
    examination::formal(submission, rules).complete(Evidence {
        deadline: Answer::Away,
        findings: Answer::Away,
    })
}

/// Asks a service within a short time. A documented refusal is an answer; everything else means that the service is away:
/// an accepted request is never lost over another service's fault.
async fn ask<T>(service: &'static str, call: impl Future<Output = Result<Response<T>, Status>>) -> Answer<T> {
    // The channel's own timeout does not cover connecting.
    let status = match tokio::time::timeout(patience(), call).await {
        Ok(Ok(response)) => return Answer::Given(response.into_inner()),
        Ok(Err(status)) => status,
        Err(_) => Status::deadline_exceeded("no answer in time"),
    };
    // A peer of another release may not read our message; that is no answer to the question.
    let unreadable = status
        .get_error_details()
        .error_info()
        .is_some_and(|info| info.reason == ErrorReason::MessageUnreadable.as_str_name());
    match status.code() {
        Code::InvalidArgument if unreadable => Answer::Away,
        Code::InvalidArgument | Code::OutOfRange | Code::NotFound | Code::FailedPrecondition => {
            tracing::warn!(service, code = ?status.code(), "a service refused a question of an examination");
            Answer::Refused(status.message().to_owned())
        }
        _ if client::is_away(&status) => {
            tracing::debug!(service, code = ?status.code(), "a service is away");
            Answer::Away
        }
        code => {
            tracing::error!(service, ?code, message = status.message(), "a service failed");
            Answer::Away
        }
    }
}

fn patience() -> Duration {
    deadline::remaining(LONGEST * 2) / 2
}

fn request<T>(message: T) -> tonic::Request<T> {
    let mut request = client::request(message);
    request.set_timeout(patience());
    request
}

/// Reads an answer; one that breaks its contract counts as none.
fn understood<A, T>(service: &'static str, answer: Answer<A>, read: impl FnOnce(A) -> anyhow::Result<T>) -> Answer<T> {
    match answer {
        Answer::Away => Answer::Away,
        Answer::Refused(reason) => Answer::Refused(reason),
        Answer::Given(message) => match read(message) {
            Ok(value) => Answer::Given(value),
            Err(error) => {
                tracing::error!(
                    service,
                    error = format!("{error:#}"),
                    "a service's answer breaks its contract"
                );
                Answer::Away
            }
        },
    }
}
