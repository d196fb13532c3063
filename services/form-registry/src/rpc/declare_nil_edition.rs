//! DeclareNilEdition.

use legalstat_kit::{Call, Error, Violations, due::scheduled, write::Mutation};
use legalstat_proto::forms::v1::{DeclareNilEditionRequest, Edition};

use super::{
    FormRegistry,
    changing::{self, Asked, Changed, decided},
    door,
};

pub(super) async fn declare_nil_edition(
    registry: &FormRegistry,
    call: Call,
    request: DeclareNilEditionRequest,
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
    changing::carry_out(registry, asked, move |edition, connection, declared| {
        Box::pin(async move {
            let has_figures = changing::figures(connection, &edition).await?.sha256.is_some();
            let edition = decided(key, edition.declare_nil(reason, has_figures, declared))?;
            if let Some(met_at) = edition.met_at {
                scheduled::meet(connection, &key.parent(), key.period, met_at).await?;
            }
            Ok(Changed::To(edition, "edition.declared_nil"))
        })
    })
    .await
}
