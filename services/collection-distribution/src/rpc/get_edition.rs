//! GetEdition.

use legalstat_kit::{Call, Error, FieldReason, Violations, due::moves};
use legalstat_proto::collections::v1::{Edition, EditionView, GetEditionRequest};

use super::{CollectionDistribution, convert, door, sight::Sight};
use crate::db;

pub(super) async fn get_edition(
    service: &CollectionDistribution,
    call: Call,
    request: GetEditionRequest,
) -> Result<Edition, Error> {
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, "name", &request.name);
    let view = EditionView::try_from(request.view);
    if view.is_err() {
        let problem = format!("{} is not a value of this enumeration", request.view);
        violations.add("view", FieldReason::Enum, problem);
    }
    let key = violations.sound(key)?;
    service.schedule.require_whole()?;
    let mut snapshot = service.context.db.snapshot().await?;
    let edition = door::find(&mut snapshot, "name", &key).await?;
    let moves = moves::of(&mut *snapshot, &key).await?;
    let revisions = match view {
        Ok(EditionView::Full) => db::revision::list(&mut snapshot, &key).await?,
        _ => Vec::new(),
    };
    let sight = Sight::of(&mut snapshot, &call, &[&key], service.context.now()).await?;
    let revisions = sight.of_revisions(&key, revisions);
    let edition = convert::to_edition_for(&sight, edition, moves);
    Ok(convert::with_revisions(edition, revisions))
}
