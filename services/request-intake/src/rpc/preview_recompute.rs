//! PreviewRecompute.

use legalstat_kit::due::preview;
use legalstat_proto::calendar::v1::{PreviewRecomputeRequest, PreviewRecomputeResponse};
use tonic::Status;

use super::RequestIntake;
use crate::jobs::recompute::OpenRequests;

pub(super) async fn preview_recompute(
    service: &RequestIntake,
    request: PreviewRecomputeRequest,
) -> Result<PreviewRecomputeResponse, Status> {
    preview::preview(&service.context, &service.calendar, &OpenRequests, &request).await
}
