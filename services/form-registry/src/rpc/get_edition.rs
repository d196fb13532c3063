//! GetEdition.

use legalstat_kit::{Call, Error, Violations, due::moves};
use legalstat_proto::forms::v1::{Edition, GetEditionRequest};

use super::{FormRegistry, convert, door};

pub(super) async fn get_edition(
    registry: &FormRegistry,
    call: Call,
    request: GetEditionRequest,
) -> Result<Edition, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let key = door::edition(&mut violations, "name", &request.name);
    let key = violations.sound(key)?;
    registry.schedule.require_whole()?;
    let mut snapshot = context.db.snapshot().await?;
    let edition = door::find(&mut snapshot, "name", key).await?;
    let moves = moves::of(&mut *snapshot, &key).await?;
    Ok(convert::to_edition_for(&call.caller, edition, moves, context.now()))
}
