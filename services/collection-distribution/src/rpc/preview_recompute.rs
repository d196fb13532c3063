//! PreviewRecompute.

use legalstat_kit::due::preview;
use legalstat_proto::calendar::v1::{PreviewRecomputeRequest, PreviewRecomputeResponse};
use tonic::Status;

use super::CollectionDistribution;
use crate::jobs::recompute::Editions;

pub(super) async fn preview_recompute(
    service: &CollectionDistribution,
    request: PreviewRecomputeRequest,
) -> Result<PreviewRecomputeResponse, Status> {
    service.schedule.require()?;
    preview::recompute(&service.context, &service.calendar, &Editions, &request).await
}
