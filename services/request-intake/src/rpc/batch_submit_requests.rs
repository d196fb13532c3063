//! BatchSubmitRequests. Each of its requests goes the way of SubmitRequest, through the same groups, and under the name of that method:
//! its repetition has the same answer whichever of the two asks, and its refusal is in the journal by either.

use futures::{StreamExt as _, stream};
use legalstat_kit::{Call, Error, Violations, write::EachRefused};
use legalstat_proto::requests::v1::{
    BatchSubmitRequestsRequest, BatchSubmitRequestsResponse, Request, SubmissionFailure, SubmissionResult,
    submission_result::Result as Became,
};
use tonic::{Response, Status};
use tonic_types::StatusExt as _;

use super::{RequestIntake, submit_request};

/// How many requests one call submits.
const MOST: usize = 100;
/// How many of them wait in the groups at once: other callers' wait there, too.
const AT_ONCE: usize = 50;
/// The method that each of them is a call of.
const EACH: &str = "/legalstat.requests.v1.RequestIntakeService/SubmitRequest";

pub(super) async fn batch_submit_requests(
    service: &RequestIntake,
    call: &Call,
    message: BatchSubmitRequestsRequest,
) -> Result<Response<BatchSubmitRequestsResponse>, Error> {
    let mut violations = Violations::new();
    violations.count("requests", message.requests.len(), MOST);
    violations.refuse()?;
    let call = Call {
        method: EACH,
        ..call.clone()
    };
    let submitting = message.requests.into_iter().map(|request| {
        let call = &call;
        async move {
            let submitted = submit_request::submit_request(service, call, request).await;
            submitted.map_err(Status::from)
        }
    });
    let submitted: Vec<Result<Request, Status>> = stream::iter(submitting).buffered(AT_ONCE).collect().await;
    let refused = EachRefused {
        method: EACH,
        statuses: submitted
            .iter()
            .filter_map(|each| each.as_ref().err())
            .cloned()
            .collect(),
    };
    let results = submitted.into_iter().map(result).collect();
    let mut response = Response::new(BatchSubmitRequestsResponse { results });
    response.extensions_mut().insert(refused);
    Ok(response)
}

fn result(submitted: Result<Request, Status>) -> SubmissionResult {
    let became = match submitted {
        Ok(request) => Became::Request(request),
        Err(status) => Became::Failure(failure(status)),
    };
    SubmissionResult { result: Some(became) }
}

/// What a refused call would have in its trailers.
fn failure(status: Status) -> SubmissionFailure {
    let reason = status.get_error_details().error_info().map(|info| info.reason.clone());
    SubmissionFailure {
        code: status.code().into(),
        message: status.message().to_owned(),
        reason: reason.unwrap_or_default(),
        status: status.details().to_vec(),
    }
}
