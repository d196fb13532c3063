//! The service as its callers see it: one file per method.

use std::sync::Arc;

use futures::stream::BoxStream;
use legalstat_kit::{
    Call, Caller, Context, call::caller::Role, due::calendar::Calendar, feed::Outbox, files::FileStore, write::Groups,
};
use legalstat_proto::calendar::v1::{PreviewRecomputeRequest, PreviewRecomputeResponse};
use legalstat_proto::requests::v1::{
    self as proto, ApproveAnswerRequest, AskClarificationRequest, AssignRequestRequest, Attachment, AttachmentUpload,
    BatchSubmitRequestsRequest, BatchSubmitRequestsResponse, Body, CorrectRequestRequest, CreateBodyRequest,
    DownloadAnswerRequest, DownloadAnswerResponse, DownloadAttachmentRequest, DraftAnswerRequest, ExtendRequestRequest,
    ForwardRequestRequest, GetAnswerRequest, GetAttachmentUploadRequest, GetBodyRequest, GetRequestRequest,
    GetRequestStatisticsRequest, GetRequestStatusRequest, LeaveWithoutConsiderationRequest, ListBodiesRequest,
    ListBodiesResponse, ListRequestsRequest, ListRequestsResponse, ListSigningKeysRequest, ListSigningKeysResponse,
    LookupRequestRequest, LookupRequestResponse, ProvideClarificationRequest, RecordDispatchRequest, RequestStatistics,
    RequestStatus, ReturnRequestRequest, ReviewDecisionRequest, SubmitRequestRequest, TerminateRequestRequest,
    UpdateAnswerRequest, UpdateBodyRequest, UploadAttachmentRequest, WatchRequestsRequest, WithdrawRequestRequest,
    request_intake_service_server::RequestIntakeService,
};
use tonic::{Request, Response, Status, Streaming};

mod accepting;
mod amending;
mod answering;
mod approve_answer;
mod ask_clarification;
mod assign_request;
pub mod attaching;
mod batch_submit_requests;
mod bodies;
mod convert;
mod convert_attachments;
mod correct_request;
pub mod coupons;
mod create_body;
mod deciding;
mod download_answer;
mod download_attachment;
mod draft_answer;
mod earlier;
mod extend_request;
mod forward_request;
mod get_answer;
mod get_attachment_upload;
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
mod owed;
mod parse;
mod parse_attachments;
mod preview_recompute;
mod provide_clarification;
mod record_dispatch;
mod repeated;
mod return_request;

mod review_decision;
mod seeing;
pub mod submit_request;
mod terminate_request;
mod update_answer;
mod update_body;
mod upload_attachment;
mod watch_requests;
mod withdraw_request;

use crate::{
    clients::form_registry::FormRegistry,
    current_rules::CurrentRules,
    domain::request::CallerRole,
    earlier_requests::EarlierRequests,
    examining::Examiner,
    lookup::Lookup,
    rendering::Rendering,
    rpc::{coupons::Coupons, holder::Guesses, submit_request::Submissions},
    shared_texts::SharedTexts,
    signatures::Signatures,
    watched::Watched,
};

/// What the handlers work with.
pub struct RequestIntake {
    pub context: Context,
    pub calendar: Calendar,
    pub rules: Arc<CurrentRules>,
    pub texts: Arc<SharedTexts>,
    pub earlier: Arc<EarlierRequests>,
    pub examiner: Arc<Examiner>,
    pub lookup: Lookup,
    pub coupons: Coupons,
    pub guesses: Guesses,
    pub watched: Arc<Watched>,
    pub outbox: Outbox,
    pub submissions: Groups<Submissions>,
    pub files: FileStore,
    pub signatures: Arc<Signatures>,
    pub attachments: attaching::Limits,
    /// For the figures of answers.
    pub form_registry: FormRegistry,
    pub rendering: Rendering,
}

#[tonic::async_trait]
impl RequestIntakeService for RequestIntake {
    type DownloadAttachmentStream = download_attachment::Download;

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

    async fn upload_attachment(
        &self,
        request: Request<Streaming<UploadAttachmentRequest>>,
    ) -> Result<Response<Attachment>, Status> {
        let (call, messages) = Call::with_message(request);
        Ok(Response::new(
            upload_attachment::upload_attachment(self, call, messages).await?,
        ))
    }

    async fn get_attachment_upload(
        &self,
        request: Request<GetAttachmentUploadRequest>,
    ) -> Result<Response<AttachmentUpload>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            get_attachment_upload::get_attachment_upload(self, &call, request.into_inner()).await?,
        ))
    }

    async fn download_attachment(
        &self,
        request: Request<DownloadAttachmentRequest>,
    ) -> Result<Response<Self::DownloadAttachmentStream>, Status> {
        let call = Call::of(&request);
        Ok(Response::new(
            download_attachment::download_attachment(self, &call, request.into_inner()).await?,
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
