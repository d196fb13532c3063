//! The service as its callers see it: one file per method.

use legalstat_kit::{Call, Caller, Context, call::caller::Role, due::calendar::Calendar};
use legalstat_proto::calendar::v1::{PreviewRecomputeRequest, PreviewRecomputeResponse};
use legalstat_proto::requests::v1::{
    self as proto, GetRequestRequest, ListRequestsRequest, ListRequestsResponse, SubmitRequestRequest,
    request_intake_service_server::RequestIntakeService,
};
use tonic::{Request, Response, Status};

mod convert;
mod get_request;
mod list_requests;
mod parse;
mod preview_recompute;
mod submit_request;

use crate::{clients::Services, domain::request::CallerRole};

/// What the handlers work with.
pub struct RequestIntake {
    /// The service's context.
    pub context: Context,
    /// The services an examination asks.
    pub services: Services,
    /// The calendar, for previews.
    pub calendar: Calendar,
}

#[tonic::async_trait]
impl RequestIntakeService for RequestIntake {
    async fn submit_request(&self, request: Request<SubmitRequestRequest>) -> Result<Response<proto::Request>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            submit_request::submit_request(self, &call, request.into_inner()).await?,
        ))
    }

    async fn get_request(&self, request: Request<GetRequestRequest>) -> Result<Response<proto::Request>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            get_request::get_request(self, &call, request.into_inner()).await?,
        ))
    }

    async fn list_requests(
        &self,
        request: Request<ListRequestsRequest>,
    ) -> Result<Response<ListRequestsResponse>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            list_requests::list_requests(self, &call, request.into_inner()).await?,
        ))
    }

    async fn preview_recompute(
        &self,
        request: Request<PreviewRecomputeRequest>,
    ) -> Result<Response<PreviewRecomputeResponse>, Status> {
        let request = request.into_inner();
        Ok(Response::new(
            preview_recompute::preview_recompute(self, request).await?,
        ))
    }
}

/// Whose requests a caller sees: officials see all, a system those it brought.
fn sees_only_own(caller: &Caller) -> Option<&str> {
    if caller.is_official() { None } else { Some(&caller.name) }
}

/// The roles of a caller that bring requests.
fn bringing_roles(caller: &Caller) -> Vec<CallerRole> {
    let of = |role: &Role| match role {
        Role::Edms => Some(CallerRole::Edms),
        Role::Kadagalau => Some(CallerRole::Kadagalau),
        Role::Operator => Some(CallerRole::Operator),
        _ => None,
    };
    caller.roles.iter().filter_map(of).collect()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a caller chooses ids")]
mod tests;
