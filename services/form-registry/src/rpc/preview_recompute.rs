//! PreviewRecompute.

use legalstat_kit::due::preview;
use legalstat_proto::calendar::v1::{PreviewRecomputeRequest, PreviewRecomputeResponse};
use tonic::Status;

use super::FormRegistry;
use crate::jobs::recompute::Editions;

pub(super) async fn preview_recompute(
    registry: &FormRegistry,
    request: PreviewRecomputeRequest,
) -> Result<PreviewRecomputeResponse, Status> {
    registry.schedule.require()?;
    preview::recompute(&registry.context, &registry.calendar, &Editions, &request).await
}
