//! DeleteObservations.

use legalstat_kit::{Call, Error, Violations, write::Mutation};
use legalstat_proto::forms::v1::{DeleteObservationsRequest, Edition};

use super::{
    FormRegistry,
    changing::{self, Asked, Changed, decided},
    door,
};
use crate::{
    db::{canonical, figure_set},
    domain::edition::Obstacle,
};

pub(super) async fn delete_observations(
    registry: &FormRegistry,
    call: Call,
    request: DeleteObservationsRequest,
) -> Result<Edition, Error> {
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, "name", &request.name);
    let request_id = violations.request_id("request_id", &request.request_id);
    let key = door::sound(violations, &registry.context.db, ("name", key), key).await?;
    let asked = Asked {
        field: "name",
        key,
        mutation: Mutation::of(&call, &key, request_id, request.validate_only, &request),
        call,
    };
    let validate_only = request.validate_only;
    changing::carry_out(registry, asked, move |edition, connection, _| {
        Box::pin(async move {
            let revision = decided(key, edition.figures_can_go())?;
            // A trial does not delete a million rows to bring them back.
            let had_figures = if validate_only {
                canonical::figure_set(connection, key, revision).await?.is_some()
            } else {
                figure_set::clear(connection, key, revision).await?
            };
            if !had_figures {
                return Err(Obstacle::NoFigures.refusal(&key).into());
            }
            Ok(Changed::To(edition, "observations.deleted"))
        })
    })
    .await
}
