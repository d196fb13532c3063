//! The methods of the contract, one file each: parse, one transaction, reply.

use std::sync::Arc;

use futures::stream::BoxStream;
use legalstat_kit::{Call, Context, due::Schedule, feed::Outbox, files::FileStore};
use legalstat_proto::calendar::v1::{PreviewRecomputeRequest, PreviewRecomputeResponse};
use legalstat_proto::forms::v1::{
    AnsweringDay, BatchCreateCodesRequest, BatchCreateDetailsRequest, BatchCreateIndicatorsRequest,
    CheckAvailabilityRequest, CheckAvailabilityResponse, CodeList, CorrectEditionRequest, CreateCodeListRequest,
    CreateFormRequest, CreateOpenDataEntryRequest, CreateTotalRuleRequest, DeclareNilEditionRequest,
    DeleteEditionFileRequest, DeleteObservationsRequest, DownloadEditionFileRequest, DownloadEditionFileResponse,
    DownloadOpenDataFileRequest, DownloadOpenDataFileResponse, Edition, EditionFileUpload, EndOpenDataEntryRequest,
    Form, GetAnsweringDayRequest, GetEditionFileUploadRequest, GetEditionRequest, GetFormRequest,
    GetOpenDataPackageRequest, GetPunctualityRequest, ImportObservationsRequest, ImportObservationsResponse,
    ListCodeListsRequest, ListCodeListsResponse, ListCodesRequest, ListCodesResponse, ListDetailsRequest,
    ListDetailsResponse, ListEditionsRequest, ListEditionsResponse, ListFormVersionsRequest, ListFormVersionsResponse,
    ListFormsRequest, ListFormsResponse, ListIndicatorsRequest, ListIndicatorsResponse, ListOpenDataEntriesRequest,
    ListOpenDataEntriesResponse, ListPlacementsRequest, ListPlacementsResponse, ListScheduleRequest,
    ListScheduleResponse, ListTotalRulesRequest, ListTotalRulesResponse, OpenDataEntry, OpenDataPackage,
    PlaceEditionRequest, PunctualityReport, QueryObservationsRequest, QueryObservationsResponse, RegisterChange,
    RetireCodesRequest, RetireDetailsRequest, RetireFormRequest, RetireIndicatorsRequest, SealEditionRequest,
    SetAnsweringDayRequest, SetEmbargoRequest, TotalRule, UpdateFormRequest, UploadEditionFileRequest,
    WatchFormsRequest, WatchFormsResponse, WithdrawEditionRequest, form_registry_service_server::FormRegistryService,
};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};

use crate::config::Portal;

mod as_of;
mod batch_create_codes;
mod batch_create_details;
mod batch_create_indicators;
mod changing;
mod check_availability;
mod convert;
mod convert_registers;
mod correct_edition;
mod create_code_list;
mod create_form;
mod create_open_data_entry;
mod create_total_rule;
mod declare_nil_edition;
mod delete_edition_file;
mod delete_observations;
mod door;
mod download_edition_file;
mod download_open_data_file;
mod end_open_data_entry;
mod faults;
mod figures;
mod get_answering_day;
mod get_edition;
mod get_edition_file_upload;
mod get_form;
mod get_open_data_package;
mod get_punctuality;
mod import_observations;
mod list_code_lists;
mod list_codes;
mod list_details;
mod list_editions;
mod list_form_versions;
mod list_forms;
mod list_indicators;
mod list_open_data_entries;
mod list_placements;
mod list_schedule;
mod list_total_rules;
mod narrowing;
mod packaging;
mod place_edition;
mod query_observations;
mod read_form;
mod registering;
mod retire;
mod retire_form;
mod revising;
mod seal_edition;
mod set_answering_day;
mod set_embargo;
mod showing;
mod summing;
mod update_form;
mod upload_edition_file;
mod watch_forms;
mod withdraw_edition;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a caller chooses ids")]
mod tests;

/// The service: what its handlers work with.
pub struct FormRegistry {
    pub context: Context,
    pub files: FileStore,
    pub schedule: Schedule,
    pub outbox: Outbox,
    pub portal: Portal,
    pub figures: crate::config::Figures,
    /// A permit for each row that the imports under way hold.
    pub importing: Arc<Semaphore>,
    /// A permit for each package that is being made.
    pub packaging: Semaphore,
}

/// How many packages are made at once: one takes up to 50 MB, and a container has 128 MiB for all that goes on.
pub const PACKAGES: usize = 1;

#[tonic::async_trait]
impl FormRegistryService for FormRegistry {
    type DownloadEditionFileStream = BoxStream<'static, Result<DownloadEditionFileResponse, Status>>;
    type DownloadOpenDataFileStream = BoxStream<'static, Result<DownloadOpenDataFileResponse, Status>>;
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
        Ok(get_punctuality::get_punctuality(self, call, message).await?)
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

    async fn get_open_data_package(
        &self,
        request: Request<GetOpenDataPackageRequest>,
    ) -> Result<Response<OpenDataPackage>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(get_open_data_package::get_open_data_package(self, call, message).await?)
    }

    async fn download_open_data_file(
        &self,
        request: Request<DownloadOpenDataFileRequest>,
    ) -> Result<Response<Self::DownloadOpenDataFileStream>, Status> {
        let (call, message) = Call::with_message(request);
        let download = download_open_data_file::download_open_data_file(self, call, message).await?;
        Ok(Response::new(download))
    }

    async fn watch_forms(
        &self,
        request: Request<WatchFormsRequest>,
    ) -> Result<Response<Self::WatchFormsStream>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(watch_forms::watch_forms(self, call, message).await?)
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

    async fn delete_observations(
        &self,
        request: Request<DeleteObservationsRequest>,
    ) -> Result<Response<Edition>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            delete_observations::delete_observations(self, call, message).await?,
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

    async fn create_code_list(&self, request: Request<CreateCodeListRequest>) -> Result<Response<CodeList>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            create_code_list::create_code_list(self, call, message).await?,
        ))
    }

    async fn list_code_lists(
        &self,
        request: Request<ListCodeListsRequest>,
    ) -> Result<Response<ListCodeListsResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            list_code_lists::list_code_lists(self, call, message).await?,
        ))
    }

    async fn batch_create_codes(
        &self,
        request: Request<BatchCreateCodesRequest>,
    ) -> Result<Response<RegisterChange>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            batch_create_codes::batch_create_codes(self, call, message).await?,
        ))
    }

    async fn retire_codes(&self, request: Request<RetireCodesRequest>) -> Result<Response<RegisterChange>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(retire::retire_codes(self, call, message).await?))
    }

    async fn list_codes(&self, request: Request<ListCodesRequest>) -> Result<Response<ListCodesResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(list_codes::list_codes(self, call, message).await?))
    }

    async fn batch_create_indicators(
        &self,
        request: Request<BatchCreateIndicatorsRequest>,
    ) -> Result<Response<RegisterChange>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            batch_create_indicators::batch_create_indicators(self, call, message).await?,
        ))
    }

    async fn retire_indicators(
        &self,
        request: Request<RetireIndicatorsRequest>,
    ) -> Result<Response<RegisterChange>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(retire::retire_indicators(self, call, message).await?))
    }

    async fn list_indicators(
        &self,
        request: Request<ListIndicatorsRequest>,
    ) -> Result<Response<ListIndicatorsResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            list_indicators::list_indicators(self, call, message).await?,
        ))
    }

    async fn batch_create_details(
        &self,
        request: Request<BatchCreateDetailsRequest>,
    ) -> Result<Response<RegisterChange>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            batch_create_details::batch_create_details(self, call, message).await?,
        ))
    }

    async fn retire_details(&self, request: Request<RetireDetailsRequest>) -> Result<Response<RegisterChange>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(retire::retire_details(self, call, message).await?))
    }

    async fn list_details(
        &self,
        request: Request<ListDetailsRequest>,
    ) -> Result<Response<ListDetailsResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(list_details::list_details(self, call, message).await?))
    }

    async fn create_total_rule(&self, request: Request<CreateTotalRuleRequest>) -> Result<Response<TotalRule>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            create_total_rule::create_total_rule(self, call, message).await?,
        ))
    }

    async fn list_total_rules(
        &self,
        request: Request<ListTotalRulesRequest>,
    ) -> Result<Response<ListTotalRulesResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            list_total_rules::list_total_rules(self, call, message).await?,
        ))
    }

    async fn import_observations(
        &self,
        request: Request<Streaming<ImportObservationsRequest>>,
    ) -> Result<Response<ImportObservationsResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(Response::new(
            import_observations::import_observations(self, call, message).await?,
        ))
    }

    async fn query_observations(
        &self,
        request: Request<QueryObservationsRequest>,
    ) -> Result<Response<QueryObservationsResponse>, Status> {
        let (call, message) = Call::with_message(request);
        Ok(query_observations::query_observations(self, call, message).await?)
    }
}
