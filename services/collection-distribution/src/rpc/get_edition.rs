//! GetEdition.

use legalstat_kit::{Call, Error, Violations, due::follow};
use legalstat_proto::collections::v1::{Edition, GetEditionRequest};
use tonic::Request;

use super::{CollectionDistribution, convert, door};

pub(super) async fn get_edition(
    service: &CollectionDistribution,
    request: Request<GetEditionRequest>,
) -> Result<Edition, Error> {
    let (call, request) = (Call::of(&request), request.into_inner());
    let (mut violations, context) = (Violations::new(), &service.context);
    let key = door::edition(&mut violations, &context.db, "name", &request.name).await?;
    let key = violations.sound(key)?;
    service.schedule.require()?;
    let mut snapshot = context.db.snapshot().await?;
    let edition = door::find_edition(&mut *snapshot, &key).await?;
    let changes = follow::changes_of(&mut *snapshot, &key).await?;
    Ok(convert::to_edition_for(&call.caller, edition, changes))
}
