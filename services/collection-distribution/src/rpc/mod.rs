//! The methods of the contract, one file each: parse, one transaction, reply.

use std::sync::Arc;

use futures::stream::BoxStream;
use legalstat_kit::{Call, Context, due::Schedule, feed::Outbox, files::FileStore, signing::SigningKeys};
use legalstat_proto::calendar::v1::{PreviewRecomputeRequest, PreviewRecomputeResponse};
use legalstat_proto::collections::v1::{
    AddRecipientKeyRequest, AnsweringDay, ApproveDistributionRequest, Collection, ConfirmRecallRequest,
    ConfirmReceiptRequest, Copy, CreateRecipientRequest, DeliveryProof, DistributionList, DownloadCopyRequest,
    DownloadCopyResponse, Edition, EditionContentUpload, GetAnsweringDayRequest, GetCollectionRequest, GetCopyRequest,
    GetDistributionListRequest, GetEditionContentUploadRequest, GetEditionRequest, GetPunctualityRequest,
    GetRecipientRequest, ListCollectionsRequest, ListCollectionsResponse, ListCopiesRequest, ListCopiesResponse,
    ListDeliveryAttemptsRequest, ListDeliveryAttemptsResponse, ListDistributionListsRequest,
    ListDistributionListsResponse, ListEditionsRequest, ListEditionsResponse, ListRecipientKeysRequest,
    ListRecipientKeysResponse, ListRecipientsRequest, ListRecipientsResponse, ListScheduleRequest,
    ListScheduleResponse, ListSigningKeysRequest, ListSigningKeysResponse, MarkEditionRequest, ProveDeliveryRequest,
    PunctualityReport, RecallEditionRequest, Recipient, RecipientKey, RedeliverCopyRequest, RejectCopyRequest,
    RejectDistributionRequest, ReleaseEditionRequest, RemoveEditionFileRequest, ResolveDistributionRequest,
    RetireRecipientKeyRequest, SealEditionRequest, SetAnsweringDayRequest, SetEmbargoRequest, UpdateCollectionRequest,
    UpdateRecipientRequest, UploadEditionContentRequest, WatchCopiesRequest,
    collection_distribution_service_server::CollectionDistributionService,
};
use tokio::sync::Notify;
use tonic::{Request, Response, Status, Streaming};

mod add_recipient_key;
mod approve_distribution;
mod confirm_recall;
mod confirm_receipt;
pub(crate) mod convert;
mod create_recipient;
mod distribution_lists;
mod door;
mod download_copy;
mod get_answering_day;
mod get_collection;
mod get_copy;
mod get_distribution_list;
mod get_edition;
mod get_edition_content_upload;
mod get_punctuality;
mod get_recipient;
mod list_collections;
mod list_copies;
mod list_delivery_attempts;
mod list_distribution_lists;
mod list_editions;
mod list_recipient_keys;
mod list_recipients;
mod list_schedule;
mod list_signing_keys;
mod mark_edition;
mod preparing;
mod prove_delivery;
mod recall_edition;
mod recipient_keys;
mod recipients;
mod redeliver_copy;
mod reject_copy;
mod reject_distribution;
mod release_edition;
mod remove_edition_file;
mod resolve_distribution;
mod retire_recipient_key;
mod seal_edition;
mod set_answering_day;
mod set_embargo;
mod sight;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a caller chooses ids")]
pub(crate) mod tests;
mod update_collection;
mod update_recipient;
mod upload_edition_content;
mod watch_copies;

/// The service: what its handlers work with.
pub struct CollectionDistribution {
    pub context: Context,
    pub files: FileStore,
    /// How many bytes a file of an edition may have.
    pub file_limit: u64,
    pub schedule: Schedule,
    pub outbox: Outbox,
    pub signing_keys: SigningKeys,
    /// Has deliveries that are due begun at once.
    pub due: Arc<Notify>,
}

#[tonic::async_trait]
impl CollectionDistributionService for CollectionDistribution {
    type WatchCopiesStream = watch_copies::Feed;
    type DownloadCopyStream = BoxStream<'static, Result<DownloadCopyResponse, Status>>;

    async fn list_collections(
        &self,
        request: Request<ListCollectionsRequest>,
    ) -> Result<Response<ListCollectionsResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            list_collections::list_collections(self, call, message).await?,
        ))
    }

    async fn get_collection(&self, request: Request<GetCollectionRequest>) -> Result<Response<Collection>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            get_collection::get_collection(self, call, message).await?,
        ))
    }

    async fn update_collection(
        &self,
        request: Request<UpdateCollectionRequest>,
    ) -> Result<Response<Collection>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            update_collection::update_collection(self, call, message).await?,
        ))
    }

    async fn list_recipients(
        &self,
        request: Request<ListRecipientsRequest>,
    ) -> Result<Response<ListRecipientsResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            list_recipients::list_recipients(self, call, message).await?,
        ))
    }

    async fn get_distribution_list(
        &self,
        request: Request<GetDistributionListRequest>,
    ) -> Result<Response<DistributionList>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            get_distribution_list::get_distribution_list(self, call, message).await?,
        ))
    }

    async fn get_recipient(&self, request: Request<GetRecipientRequest>) -> Result<Response<Recipient>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(get_recipient::get_recipient(self, call, message).await?))
    }

    async fn create_recipient(&self, request: Request<CreateRecipientRequest>) -> Result<Response<Recipient>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            create_recipient::create_recipient(self, call, message).await?,
        ))
    }

    async fn update_recipient(&self, request: Request<UpdateRecipientRequest>) -> Result<Response<Recipient>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            update_recipient::update_recipient(self, call, message).await?,
        ))
    }

    async fn list_recipient_keys(
        &self,
        request: Request<ListRecipientKeysRequest>,
    ) -> Result<Response<ListRecipientKeysResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            list_recipient_keys::list_recipient_keys(self, call, message).await?,
        ))
    }

    async fn add_recipient_key(
        &self,
        request: Request<AddRecipientKeyRequest>,
    ) -> Result<Response<RecipientKey>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            add_recipient_key::add_recipient_key(self, call, message).await?,
        ))
    }

    async fn retire_recipient_key(
        &self,
        request: Request<RetireRecipientKeyRequest>,
    ) -> Result<Response<RecipientKey>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            retire_recipient_key::retire_recipient_key(self, call, message).await?,
        ))
    }

    async fn list_distribution_lists(
        &self,
        request: Request<ListDistributionListsRequest>,
    ) -> Result<Response<ListDistributionListsResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            list_distribution_lists::list_distribution_lists(self, call, message).await?,
        ))
    }

    async fn resolve_distribution(
        &self,
        request: Request<ResolveDistributionRequest>,
    ) -> Result<Response<DistributionList>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            resolve_distribution::resolve_distribution(self, call, message).await?,
        ))
    }

    async fn approve_distribution(
        &self,
        request: Request<ApproveDistributionRequest>,
    ) -> Result<Response<DistributionList>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            approve_distribution::approve_distribution(self, call, message).await?,
        ))
    }

    async fn reject_distribution(
        &self,
        request: Request<RejectDistributionRequest>,
    ) -> Result<Response<DistributionList>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            reject_distribution::reject_distribution(self, call, message).await?,
        ))
    }

    async fn list_schedule(
        &self,
        request: Request<ListScheduleRequest>,
    ) -> Result<Response<ListScheduleResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(list_schedule::list_schedule(self, call, message).await?))
    }

    async fn get_punctuality(
        &self,
        request: Request<GetPunctualityRequest>,
    ) -> Result<Response<PunctualityReport>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            get_punctuality::get_punctuality(self, call, message).await?,
        ))
    }

    async fn get_answering_day(
        &self,
        request: Request<GetAnsweringDayRequest>,
    ) -> Result<Response<AnsweringDay>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            get_answering_day::get_answering_day(self, call, message).await?,
        ))
    }

    async fn set_answering_day(
        &self,
        request: Request<SetAnsweringDayRequest>,
    ) -> Result<Response<AnsweringDay>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            set_answering_day::set_answering_day(self, call, message).await?,
        ))
    }

    async fn list_editions(
        &self,
        request: Request<ListEditionsRequest>,
    ) -> Result<Response<ListEditionsResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(list_editions::list_editions(self, call, message).await?))
    }

    async fn get_edition(&self, request: Request<GetEditionRequest>) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(get_edition::get_edition(self, call, message).await?))
    }

    async fn upload_edition_content(
        &self,
        request: Request<Streaming<UploadEditionContentRequest>>,
    ) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            upload_edition_content::upload_edition_content(self, call, message).await?,
        ))
    }

    async fn get_edition_content_upload(
        &self,
        request: Request<GetEditionContentUploadRequest>,
    ) -> Result<Response<EditionContentUpload>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            get_edition_content_upload::get_edition_content_upload(self, call, message).await?,
        ))
    }

    async fn remove_edition_file(
        &self,
        request: Request<RemoveEditionFileRequest>,
    ) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            remove_edition_file::remove_edition_file(self, call, message).await?,
        ))
    }

    async fn mark_edition(&self, request: Request<MarkEditionRequest>) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(mark_edition::mark_edition(self, call, message).await?))
    }

    async fn set_embargo(&self, request: Request<SetEmbargoRequest>) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(set_embargo::set_embargo(self, call, message).await?))
    }

    async fn seal_edition(&self, request: Request<SealEditionRequest>) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(seal_edition::seal_edition(self, call, message).await?))
    }

    async fn release_edition(&self, request: Request<ReleaseEditionRequest>) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            release_edition::release_edition(self, call, message).await?,
        ))
    }

    async fn recall_edition(&self, request: Request<RecallEditionRequest>) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            recall_edition::recall_edition(self, call, message).await?,
        ))
    }

    async fn get_copy(&self, request: Request<GetCopyRequest>) -> Result<Response<Copy>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(get_copy::get_copy(self, call, message).await?))
    }

    async fn confirm_recall(&self, request: Request<ConfirmRecallRequest>) -> Result<Response<Copy>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            confirm_recall::confirm_recall(self, call, message).await?,
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

    async fn list_copies(&self, request: Request<ListCopiesRequest>) -> Result<Response<ListCopiesResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(list_copies::list_copies(self, call, message).await?))
    }

    async fn download_copy(
        &self,
        request: Request<DownloadCopyRequest>,
    ) -> Result<Response<Self::DownloadCopyStream>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(download_copy::download_copy(self, call, message).await?))
    }

    async fn confirm_receipt(&self, request: Request<ConfirmReceiptRequest>) -> Result<Response<Copy>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            confirm_receipt::confirm_receipt(self, call, message).await?,
        ))
    }

    async fn reject_copy(&self, request: Request<RejectCopyRequest>) -> Result<Response<Copy>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(reject_copy::reject_copy(self, call, message).await?))
    }

    async fn redeliver_copy(&self, request: Request<RedeliverCopyRequest>) -> Result<Response<Copy>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            redeliver_copy::redeliver_copy(self, call, message).await?,
        ))
    }

    async fn list_delivery_attempts(
        &self,
        request: Request<ListDeliveryAttemptsRequest>,
    ) -> Result<Response<ListDeliveryAttemptsResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            list_delivery_attempts::list_delivery_attempts(self, call, message).await?,
        ))
    }

    async fn watch_copies(
        &self,
        request: Request<WatchCopiesRequest>,
    ) -> Result<Response<Self::WatchCopiesStream>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(watch_copies::watch_copies(self, call, message).await?))
    }

    async fn prove_delivery(&self, request: Request<ProveDeliveryRequest>) -> Result<Response<DeliveryProof>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            prove_delivery::prove_delivery(self, call, message).await?,
        ))
    }

    async fn preview_recompute(
        &self,
        request: Request<PreviewRecomputeRequest>,
    ) -> Result<Response<PreviewRecomputeResponse>, Status> {
        Ok(Response::new(self.schedule.preview(request.get_ref()).await?))
    }
}
