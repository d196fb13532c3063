//! CorrectEdition.

use legalstat_kit::{Call, Error, Violations, write::Mutation};
use legalstat_proto::forms::v1::{CorrectEditionRequest, Edition};

use super::{
    FormRegistry,
    changing::{self, Asked, Changed, decided},
    door,
};

pub(super) async fn correct_edition(
    registry: &FormRegistry,
    call: Call,
    request: CorrectEditionRequest,
) -> Result<Edition, Error> {
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, "name", &request.name);
    let reason = door::reason(&mut violations, &request.reason);
    let request_id = violations.request_id("request_id", &request.request_id);
    let key = door::sound(violations, &registry.context.db, ("name", key), key).await?;
    let asked = Asked {
        field: "name",
        key,
        mutation: Mutation::of(&call, &key, request_id, request.validate_only, &request),
        call,
    };
    changing::carry_out(registry, asked, move |edition, _, begun| {
        Box::pin(async move {
            let corrected = decided(key, edition.correct(reason, begun))?;
            Ok(Changed::To(corrected, "edition.correction_begun"))
        })
    })
    .await
}
