//! The methods of the contract, one file each: parse, one transaction, reply.

use futures::stream::BoxStream;
use legalstat_kit::{Call, Context, due::Schedule, files::FileStore};
use legalstat_proto::calendar::v1::{PreviewRecomputeRequest, PreviewRecomputeResponse};
use legalstat_proto::forms::v1::{
    AnsweringDay, CheckAvailabilityRequest, CheckAvailabilityResponse, CorrectEditionRequest, CreateFormRequest,
    CreateOpenDataEntryRequest, DeclareNilEditionRequest, DeleteEditionFileRequest, DownloadEditionFileRequest,
    DownloadEditionFileResponse, Edition, EditionFileUpload, EndOpenDataEntryRequest, Form, GetAnsweringDayRequest,
    GetEditionFileUploadRequest, GetEditionRequest, GetFormRequest, GetPunctualityRequest, ListEditionsRequest,
    ListEditionsResponse, ListFormVersionsRequest, ListFormVersionsResponse, ListFormsRequest, ListFormsResponse,
    ListOpenDataEntriesRequest, ListOpenDataEntriesResponse, ListPlacementsRequest, ListPlacementsResponse,
    ListScheduleRequest, ListScheduleResponse, OpenDataEntry, PlaceEditionRequest, PunctualityReport,
    RetireFormRequest, SealEditionRequest, SetAnsweringDayRequest, SetEmbargoRequest, UpdateFormRequest,
    UploadEditionFileRequest, WithdrawEditionRequest, form_registry_service_server::FormRegistryService,
};
use tonic::{Request, Response, Status, Streaming};

mod changing;
mod check_availability;
mod convert;
mod correct_edition;
mod create_form;
mod create_open_data_entry;
mod declare_nil_edition;
mod delete_edition_file;
mod door;
mod download_edition_file;
mod end_open_data_entry;
mod get_answering_day;
mod get_edition;
mod get_edition_file_upload;
mod get_form;
mod get_punctuality;
mod list_editions;
mod list_form_versions;
mod list_forms;
mod list_open_data_entries;
mod list_placements;
mod list_schedule;
mod place_edition;
mod read_form;
mod retire_form;
mod revising;
mod seal_edition;
mod set_answering_day;
mod set_embargo;
mod showing;
mod update_form;
mod upload_edition_file;
mod withdraw_edition;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a caller chooses ids")]
mod tests;

/// The service: what its handlers work with.
pub struct FormRegistry {
    pub context: Context,
    pub files: FileStore,
    pub schedule: Schedule,
}

#[tonic::async_trait]
impl FormRegistryService for FormRegistry {
    type DownloadEditionFileStream = BoxStream<'static, Result<DownloadEditionFileResponse, Status>>;

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
        Ok(list_schedule::list_schedule(self, call, message).await?)
    }

    async fn list_editions(
        &self,
        request: Request<ListEditionsRequest>,
    ) -> Result<Response<ListEditionsResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(list_editions::list_editions(self, call, message).await?)
    }

    async fn get_edition(&self, request: Request<GetEditionRequest>) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(get_edition::get_edition(self, call, message).await?)
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
        Ok(check_availability::check_availability(self, call, message).await?)
    }

    async fn preview_recompute(
        &self,
        request: Request<PreviewRecomputeRequest>,
    ) -> Result<Response<PreviewRecomputeResponse>, Status> {
        Ok(Response::new(self.schedule.preview(request.get_ref()).await?))
    }

    async fn create_form(&self, request: Request<CreateFormRequest>) -> Result<Response<Form>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(create_form::create_form(self, call, message).await?))
    }

    async fn update_form(&self, request: Request<UpdateFormRequest>) -> Result<Response<Form>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(update_form::update_form(self, call, message).await?))
    }

    async fn retire_form(&self, request: Request<RetireFormRequest>) -> Result<Response<Form>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(retire_form::retire_form(self, call, message).await?))
    }

    async fn list_form_versions(
        &self,
        request: Request<ListFormVersionsRequest>,
    ) -> Result<Response<ListFormVersionsResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            list_form_versions::list_form_versions(self, call, message).await?,
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

    async fn list_open_data_entries(
        &self,
        request: Request<ListOpenDataEntriesRequest>,
    ) -> Result<Response<ListOpenDataEntriesResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            list_open_data_entries::list_open_data_entries(self, call, message).await?,
        ))
    }

    async fn create_open_data_entry(
        &self,
        request: Request<CreateOpenDataEntryRequest>,
    ) -> Result<Response<OpenDataEntry>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            create_open_data_entry::create_open_data_entry(self, call, message).await?,
        ))
    }

    async fn end_open_data_entry(
        &self,
        request: Request<EndOpenDataEntryRequest>,
    ) -> Result<Response<OpenDataEntry>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            end_open_data_entry::end_open_data_entry(self, call, message).await?,
        ))
    }

    async fn get_edition_file_upload(
        &self,
        request: Request<GetEditionFileUploadRequest>,
    ) -> Result<Response<EditionFileUpload>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            get_edition_file_upload::get_edition_file_upload(self, call, message).await?,
        ))
    }

    async fn delete_edition_file(
        &self,
        request: Request<DeleteEditionFileRequest>,
    ) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            delete_edition_file::delete_edition_file(self, call, message).await?,
        ))
    }

    async fn seal_edition(&self, request: Request<SealEditionRequest>) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(seal_edition::seal_edition(self, call, message).await?))
    }

    async fn correct_edition(&self, request: Request<CorrectEditionRequest>) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            correct_edition::correct_edition(self, call, message).await?,
        ))
    }

    async fn withdraw_edition(&self, request: Request<WithdrawEditionRequest>) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            withdraw_edition::withdraw_edition(self, call, message).await?,
        ))
    }

    async fn declare_nil_edition(
        &self,
        request: Request<DeclareNilEditionRequest>,
    ) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            declare_nil_edition::declare_nil_edition(self, call, message).await?,
        ))
    }

    async fn set_embargo(&self, request: Request<SetEmbargoRequest>) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(set_embargo::set_embargo(self, call, message).await?))
    }

    async fn list_placements(
        &self,
        request: Request<ListPlacementsRequest>,
    ) -> Result<Response<ListPlacementsResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(list_placements::list_placements(self, call, message).await?)
    }
}
