//! GetEdition.

use legalstat_kit::{Call, Error, Violations, due::moves};
use legalstat_proto::forms::v1::{Edition, GetEditionRequest};
use tonic::Response;

use super::{FormRegistry, convert, door, showing::Showing};

pub(super) async fn get_edition(
    registry: &FormRegistry,
    call: Call,
    request: GetEditionRequest,
) -> Result<Response<Edition>, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let key = door::edition(&mut violations, "name", &request.name);
    let key = violations.sound(key)?;
    registry.schedule.require_whole()?;
    let now = context.now();
    let (edition, moves) = {
        let mut snapshot = context.db.snapshot().await?;
        let edition = door::find(&mut snapshot, "name", key, now).await?;
        (edition, moves::of(&mut *snapshot, &key).await?)
    };
    let mut showing = Showing::to(&call, now);
    let (edition, _) = showing.edition(edition);
    showing.record(context, &call).await?;
    Ok(showing.answer(convert::to_edition(edition, moves, now)))
}
