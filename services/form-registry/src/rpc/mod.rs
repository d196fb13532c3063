//! The methods of the contract, one file each: parse, one transaction, reply.

use futures::stream::BoxStream;
use legalstat_kit::{Call, Context, due::Schedule, feed::Outbox, files::FileStore};
use legalstat_proto::calendar::v1::{PreviewRecomputeRequest, PreviewRecomputeResponse};
use legalstat_proto::forms::v1::{
    CheckAvailabilityRequest, CheckAvailabilityResponse, DownloadEditionFileRequest, DownloadEditionFileResponse,
    Edition, Form, GetEditionRequest, GetFormRequest, GetPunctualityRequest, ListEditionsRequest, ListEditionsResponse,
    ListFormsRequest, ListFormsResponse, ListScheduleRequest, ListScheduleResponse, PlaceEditionRequest,
    PunctualityReport, UploadEditionFileRequest, WatchFormsRequest, WatchFormsResponse,
    form_registry_service_server::FormRegistryService,
};
use tonic::{Request, Response, Status, Streaming};

mod check_availability;
mod convert;
mod door;
mod download_edition_file;
mod get_edition;
mod get_form;
mod get_punctuality;
mod list_editions;
mod list_forms;
mod list_schedule;
mod place_edition;
mod upload_edition_file;
mod watch_forms;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a caller chooses ids")]
mod tests;

/// The service: what its handlers work with.
pub struct FormRegistry {
    pub context: Context,
    pub files: FileStore,
    pub schedule: Schedule,
    pub outbox: Outbox,
}

#[tonic::async_trait]
impl FormRegistryService for FormRegistry {
    type DownloadEditionFileStream = BoxStream<'static, Result<DownloadEditionFileResponse, Status>>;
    type WatchFormsStream = BoxStream<'static, Result<WatchFormsResponse, Status>>;

    async fn list_forms(&self, request: Request<ListFormsRequest>) -> Result<Response<ListFormsResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(list_forms::list_forms(self, call, message).await?))
    }

    async fn get_form(&self, request: Request<GetFormRequest>) -> Result<Response<Form>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(get_form::get_form(self, call, message).await?))
    }

    async fn list_schedule(
        &self,
        request: Request<ListScheduleRequest>,
    ) -> Result<Response<ListScheduleResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(list_schedule::list_schedule(self, call, message).await?))
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

    async fn upload_edition_file(
        &self,
        request: Request<Streaming<UploadEditionFileRequest>>,
    ) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            upload_edition_file::upload_edition_file(self, call, message).await?,
        ))
    }

    async fn download_edition_file(
        &self,
        request: Request<DownloadEditionFileRequest>,
    ) -> Result<Response<Self::DownloadEditionFileStream>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            download_edition_file::download_edition_file(self, call, message).await?,
        ))
    }

    async fn place_edition(&self, request: Request<PlaceEditionRequest>) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(place_edition::place_edition(self, call, message).await?))
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

    async fn check_availability(
        &self,
        request: Request<CheckAvailabilityRequest>,
    ) -> Result<Response<CheckAvailabilityResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            check_availability::check_availability(self, call, message).await?,
        ))
    }

    async fn preview_recompute(
        &self,
        request: Request<PreviewRecomputeRequest>,
    ) -> Result<Response<PreviewRecomputeResponse>, Status> {
        Ok(Response::new(self.schedule.preview(request.get_ref()).await?))
    }

    async fn watch_forms(
        &self,
        request: Request<WatchFormsRequest>,
    ) -> Result<Response<Self::WatchFormsStream>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(watch_forms::watch_forms(self, call, message).await?))
    }
}
