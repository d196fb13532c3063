//! The service as its callers see it: one file per method.

use std::sync::Arc;

use futures::stream::BoxStream;
use legalstat_kit::{Call, Caller, Context, call::caller::Role, due::calendar::Calendar, write::Groups};
use legalstat_proto::calendar::v1::{PreviewRecomputeRequest, PreviewRecomputeResponse};
use legalstat_proto::requests::v1::{
    self as proto, ApproveAnswerRequest, AssignRequestRequest, DownloadAnswerRequest, DownloadAnswerResponse,
    DraftAnswerRequest, GetAnswerRequest, GetRequestRequest, ListRequestsRequest, ListRequestsResponse,
    RecordDispatchRequest, SubmitRequestRequest, UpdateAnswerRequest, WithdrawRequestRequest,
    request_intake_service_server::RequestIntakeService,
};
use tonic::{Request, Response, Status};

mod accepting;
mod answering;
mod approve_answer;
mod assign_request;
mod convert;
mod deciding;
mod download_answer;
mod draft_answer;
mod get_answer;
mod get_request;
mod kept;
mod list_requests;
mod parse;
mod preview_recompute;
mod record_dispatch;
pub mod submit_request;
mod update_answer;
mod withdraw_request;

use crate::{
    clients::form_registry::FormRegistry, current_rules::CurrentRules, domain::request::CallerRole, lookup::Lookup,
    rendering::Rendering, rpc::submit_request::Submissions, shared_texts::SharedTexts, signature::TrustStore,
};

/// What the handlers work with.
pub struct RequestIntake {
    pub context: Context,
    pub calendar: Calendar,
    pub rules: Arc<CurrentRules>,
    pub texts: Arc<SharedTexts>,
    pub lookup: Lookup,
    pub submissions: Groups<Submissions>,
    /// For the figures of answers.
    pub form_registry: FormRegistry,
    pub rendering: Rendering,
    /// The authorities that approvers' signatures are verified by.
    pub trust: Arc<TrustStore>,
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

    async fn draft_answer(&self, request: Request<DraftAnswerRequest>) -> Result<Response<proto::Answer>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            draft_answer::draft_answer(self, &call, request.into_inner()).await?,
        ))
    }

    async fn update_answer(&self, request: Request<UpdateAnswerRequest>) -> Result<Response<proto::Answer>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            update_answer::update_answer(self, &call, request.into_inner()).await?,
        ))
    }

    async fn approve_answer(&self, request: Request<ApproveAnswerRequest>) -> Result<Response<proto::Answer>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            approve_answer::approve_answer(self, &call, request.into_inner()).await?,
        ))
    }

    async fn record_dispatch(
        &self,
        request: Request<RecordDispatchRequest>,
    ) -> Result<Response<proto::Answer>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            record_dispatch::record_dispatch(self, &call, request.into_inner()).await?,
        ))
    }

    async fn get_answer(&self, request: Request<GetAnswerRequest>) -> Result<Response<proto::Answer>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            get_answer::get_answer(self, &call, request.into_inner()).await?,
        ))
    }

    type DownloadAnswerStream = BoxStream<'static, Result<DownloadAnswerResponse, Status>>;

    async fn download_answer(
        &self,
        request: Request<DownloadAnswerRequest>,
    ) -> Result<Response<Self::DownloadAnswerStream>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            download_answer::download_answer(self, &call, request.into_inner()).await?,
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
