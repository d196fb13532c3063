//! SealEdition.

use legalstat_kit::{Call, Error, Violations, write::Mutation};
use legalstat_proto::forms::v1::{Edition, SealEditionRequest};

use super::{
    FormRegistry,
    changing::{self, Asked, Changed, decided},
    door,
};

pub(super) async fn seal_edition(
    registry: &FormRegistry,
    call: Call,
    request: SealEditionRequest,
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
    changing::carry_out(registry, asked, move |edition, connection, sealed| {
        Box::pin(async move {
            let figures = changing::figures(connection, &edition).await?;
            let sealed = decided(key, edition.seal(figures, sealed))?;
            Ok(Changed::To(sealed, "edition.sealed"))
        })
    })
    .await
}
