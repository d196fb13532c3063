//! GetEdition.

use legalstat_kit::{Call, Error, Violations, due::moves};
use legalstat_proto::collections::v1::{Edition, GetEditionRequest};

use super::{CollectionDistribution, convert, door};

pub(super) async fn get_edition(
    service: &CollectionDistribution,
    call: Call,
    request: GetEditionRequest,
) -> Result<Edition, Error> {
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, "name", &request.name);
    let key = violations.sound(key)?;
    service.schedule.require_whole()?;
    let mut snapshot = service.context.db.snapshot().await?;
    let edition = door::find(&mut snapshot, "name", &key).await?;
    let moves = moves::of(&mut *snapshot, &key).await?;
    Ok(convert::to_edition_for(&call.caller, edition, moves))
}
