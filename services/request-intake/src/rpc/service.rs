//! The methods of the contract, each handed to the file of its name.

use futures::stream::BoxStream;
use legalstat_kit::Call;
use legalstat_proto::calendar::v1::{PreviewRecomputeRequest, PreviewRecomputeResponse};
use legalstat_proto::requests::v1::{
    self as proto, ApproveAnswerRequest, ApproveRetentionRuleRequest, AskClarificationRequest, AssignRequestRequest,
    Attachment, AttachmentUpload, BatchSubmitRequestsRequest, BatchSubmitRequestsResponse, Body, CorrectRequestRequest,
    CreateBodyRequest, CreateRetentionRuleRequest, DownloadAnswerByCouponRequest, DownloadAnswerRequest,
    DownloadAnswerResponse, DownloadAttachmentRequest, DraftAnswerRequest, EndRetentionRuleRequest,
    EraseRequestRequest, ExtendRequestRequest, ForwardRequestRequest, GetAnswerByCouponRequest, GetAnswerRequest,
    GetAttachmentUploadRequest, GetBodyRequest, GetRequestRequest, GetRequestStatisticsRequest,
    GetRequestStatusRequest, GetRetentionRuleRequest, LeaveWithoutConsiderationRequest, ListBodiesRequest,
    ListBodiesResponse, ListRequestsRequest, ListRequestsResponse, ListRetentionRulesRequest,
    ListRetentionRulesResponse, ListSigningKeysRequest, ListSigningKeysResponse, LookupRequestRequest,
    LookupRequestResponse, ProvideClarificationRequest, RecordDispatchRequest, RecordNoticeRequest, RequestStatistics,
    RequestStatus, RetentionRule, ReturnRequestRequest, ReviewDecisionRequest, SubmitRequestRequest,
    TerminateRequestRequest, UpdateAnswerRequest, UpdateBodyRequest, UploadAttachmentRequest, WatchRequestsRequest,
    WithdrawRequestRequest, request_intake_service_server::RequestIntakeService,
};
use tonic::{Request, Response, Status, Streaming};

use super::{
    RequestIntake, approve_answer, approve_retention_rule, ask_clarification, assign_request, batch_submit_requests,
    correct_request, create_body, create_retention_rule, download_answer, download_answer_by_coupon,
    download_attachment, draft_answer, end_retention_rule, erase_request, extend_request, forward_request, get_answer,
    get_answer_by_coupon, get_attachment_upload, get_body, get_request, get_request_statistics, get_request_status,
    get_retention_rule, leave_without_consideration, list_bodies, list_requests, list_retention_rules,
    list_signing_keys, lookup_request, preview_recompute, provide_clarification, record_dispatch, record_notice,
    return_request, review_decision, submit_request, terminate_request, update_answer, update_body, upload_attachment,
    watch_requests, withdraw_request,
};

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

    async fn record_notice(&self, request: Request<RecordNoticeRequest>) -> Result<Response<proto::Request>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(record_notice::record_notice(self, call, message).await?))
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

    async fn get_answer_by_coupon(
        &self,
        request: Request<GetAnswerByCouponRequest>,
    ) -> Result<Response<proto::Answer>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            get_answer_by_coupon::get_answer_by_coupon(self, &call, message).await?,
        ))
    }

    type DownloadAnswerByCouponStream = Self::DownloadAnswerStream;

    async fn download_answer_by_coupon(
        &self,
        request: Request<DownloadAnswerByCouponRequest>,
    ) -> Result<Response<Self::DownloadAnswerByCouponStream>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            download_answer_by_coupon::download_answer_by_coupon(self, &call, message).await?,
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
        Ok(batch_submit_requests::batch_submit_requests(self, &call, message).await?)
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

    async fn create_retention_rule(
        &self,
        request: Request<CreateRetentionRuleRequest>,
    ) -> Result<Response<RetentionRule>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            create_retention_rule::create_retention_rule(self, call, message).await?,
        ))
    }

    async fn approve_retention_rule(
        &self,
        request: Request<ApproveRetentionRuleRequest>,
    ) -> Result<Response<RetentionRule>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            approve_retention_rule::approve_retention_rule(self, call, message).await?,
        ))
    }

    async fn end_retention_rule(
        &self,
        request: Request<EndRetentionRuleRequest>,
    ) -> Result<Response<RetentionRule>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            end_retention_rule::end_retention_rule(self, call, message).await?,
        ))
    }

    async fn erase_request(&self, request: Request<EraseRequestRequest>) -> Result<Response<proto::Request>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(erase_request::erase_request(self, call, message).await?))
    }

    async fn get_retention_rule(
        &self,
        request: Request<GetRetentionRuleRequest>,
    ) -> Result<Response<RetentionRule>, Status> {
        let message = request.into_inner();
        Ok(Response::new(
            get_retention_rule::get_retention_rule(self, message).await?,
        ))
    }

    async fn list_retention_rules(
        &self,
        request: Request<ListRetentionRulesRequest>,
    ) -> Result<Response<ListRetentionRulesResponse>, Status> {
        let message = request.into_inner();
        Ok(Response::new(
            list_retention_rules::list_retention_rules(self, message).await?,
        ))
    }
}
