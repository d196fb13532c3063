//! The service as its callers see it: one file per method.

use std::sync::Arc;

use legalstat_kit::{Call, Caller, Context, call::caller::Role, due::calendar::Calendar, feed::Outbox, write::Groups};
use legalstat_proto::calendar::v1::{PreviewRecomputeRequest, PreviewRecomputeResponse};
use legalstat_proto::requests::v1::{
    self as proto, AskClarificationRequest, AssignRequestRequest, BatchSubmitRequestsRequest,
    BatchSubmitRequestsResponse, Body, CorrectRequestRequest, CreateBodyRequest, ExtendRequestRequest,
    ForwardRequestRequest, GetBodyRequest, GetRequestRequest, GetRequestStatisticsRequest, GetRequestStatusRequest,
    LeaveWithoutConsiderationRequest, ListBodiesRequest, ListBodiesResponse, ListRequestsRequest, ListRequestsResponse,
    ListSigningKeysRequest, ListSigningKeysResponse, LookupRequestRequest, LookupRequestResponse,
    ProvideClarificationRequest, RequestStatistics, RequestStatus, ReturnRequestRequest, ReviewDecisionRequest,
    SubmitRequestRequest, TerminateRequestRequest, UpdateBodyRequest, WatchRequestsRequest, WithdrawRequestRequest,
    request_intake_service_server::RequestIntakeService,
};
use tonic::{Request, Response, Status};

mod accepting;
mod amending;
mod ask_clarification;
mod assign_request;
mod batch_submit_requests;
mod bodies;
mod convert;
mod correct_request;
pub mod coupons;
mod create_body;
mod deciding;
mod extend_request;
mod forward_request;
mod get_body;
mod get_request;
mod get_request_statistics;
mod get_request_status;
pub mod holder;
mod kept;
mod leave_without_consideration;
mod list_bodies;
mod list_requests;
mod list_signing_keys;
mod listing;
mod lookup_request;
mod parse;
mod preview_recompute;
mod provide_clarification;
mod return_request;
mod review_decision;
mod seeing;
pub mod submit_request;
mod terminate_request;
mod update_body;
mod watch_requests;
mod withdraw_request;

use crate::{
    current_rules::CurrentRules,
    domain::request::CallerRole,
    examining::Examiner,
    lookup::Lookup,
    rpc::{coupons::Coupons, holder::Guesses, submit_request::Submissions},
    shared_texts::SharedTexts,
    watched::Watched,
};

/// What the handlers work with.
pub struct RequestIntake {
    pub context: Context,
    pub calendar: Calendar,
    pub rules: Arc<CurrentRules>,
    pub texts: Arc<SharedTexts>,
    pub examiner: Arc<Examiner>,
    pub lookup: Lookup,
    pub coupons: Coupons,
    pub guesses: Guesses,
    pub watched: Arc<Watched>,
    pub outbox: Outbox,
    pub submissions: Groups<Submissions>,
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

    async fn assign_request(&self, request: Request<AssignRequestRequest>) -> Result<Response<proto::Request>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            assign_request::assign_request(self, &call, request.into_inner()).await?,
        ))
    }

    async fn withdraw_request(
        &self,
        request: Request<WithdrawRequestRequest>,
    ) -> Result<Response<proto::Request>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            withdraw_request::withdraw_request(self, &call, request.into_inner()).await?,
        ))
    }

    async fn review_decision(
        &self,
        request: Request<ReviewDecisionRequest>,
    ) -> Result<Response<proto::Request>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            review_decision::review_decision(self, &call, request.into_inner()).await?,
        ))
    }

    async fn correct_request(
        &self,
        request: Request<CorrectRequestRequest>,
    ) -> Result<Response<proto::Request>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            correct_request::correct_request(self, &call, request.into_inner()).await?,
        ))
    }

    async fn ask_clarification(
        &self,
        request: Request<AskClarificationRequest>,
    ) -> Result<Response<proto::Request>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            ask_clarification::ask_clarification(self, &call, request.into_inner()).await?,
        ))
    }

    async fn provide_clarification(
        &self,
        request: Request<ProvideClarificationRequest>,
    ) -> Result<Response<proto::Request>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            provide_clarification::provide_clarification(self, &call, request.into_inner()).await?,
        ))
    }

    async fn extend_request(&self, request: Request<ExtendRequestRequest>) -> Result<Response<proto::Request>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            extend_request::extend_request(self, &call, request.into_inner()).await?,
        ))
    }

    async fn forward_request(
        &self,
        request: Request<ForwardRequestRequest>,
    ) -> Result<Response<proto::Request>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            forward_request::forward_request(self, &call, request.into_inner()).await?,
        ))
    }

    async fn leave_without_consideration(
        &self,
        request: Request<LeaveWithoutConsiderationRequest>,
    ) -> Result<Response<proto::Request>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            leave_without_consideration::leave_without_consideration(self, &call, request.into_inner()).await?,
        ))
    }

    async fn return_request(&self, request: Request<ReturnRequestRequest>) -> Result<Response<proto::Request>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            return_request::return_request(self, &call, request.into_inner()).await?,
        ))
    }

    async fn terminate_request(
        &self,
        request: Request<TerminateRequestRequest>,
    ) -> Result<Response<proto::Request>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            terminate_request::terminate_request(self, &call, request.into_inner()).await?,
        ))
    }

    async fn get_request_status(
        &self,
        request: Request<GetRequestStatusRequest>,
    ) -> Result<Response<RequestStatus>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            get_request_status::get_request_status(self, &call, request.into_inner()).await?,
        ))
    }

    async fn list_signing_keys(
        &self,
        request: Request<ListSigningKeysRequest>,
    ) -> Result<Response<ListSigningKeysResponse>, Status> {
        Ok(Response::new(list_signing_keys::list_signing_keys(
            self,
            request.get_ref(),
        )?))
    }

    async fn lookup_request(
        &self,
        request: Request<LookupRequestRequest>,
    ) -> Result<Response<LookupRequestResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            lookup_request::lookup_request(self, &call, message).await?,
        ))
    }

    async fn batch_submit_requests(
        &self,
        request: Request<BatchSubmitRequestsRequest>,
    ) -> Result<Response<BatchSubmitRequestsResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            batch_submit_requests::batch_submit_requests(self, &call, message).await?,
        ))
    }

    type WatchRequestsStream = watch_requests::Feed;

    async fn watch_requests(
        &self,
        request: Request<WatchRequestsRequest>,
    ) -> Result<Response<Self::WatchRequestsStream>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            watch_requests::watch_requests(self, call, message).await?,
        ))
    }

    async fn get_request_statistics(
        &self,
        request: Request<GetRequestStatisticsRequest>,
    ) -> Result<Response<RequestStatistics>, Status> {
        let message = request.into_inner();
        Ok(Response::new(
            get_request_statistics::get_request_statistics(self, message).await?,
        ))
    }

    async fn create_body(&self, request: Request<CreateBodyRequest>) -> Result<Response<Body>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(create_body::create_body(self, call, message).await?))
    }

    async fn update_body(&self, request: Request<UpdateBodyRequest>) -> Result<Response<Body>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(update_body::update_body(self, call, message).await?))
    }

    async fn get_body(&self, request: Request<GetBodyRequest>) -> Result<Response<Body>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(get_body::get_body(self, &call, message).await?))
    }

    async fn list_bodies(&self, request: Request<ListBodiesRequest>) -> Result<Response<ListBodiesResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(list_bodies::list_bodies(self, &call, message).await?))
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
