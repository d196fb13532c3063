//! WithdrawEdition.

use legalstat_kit::{Call, Error, Violations, write::Mutation};
use legalstat_proto::forms::v1::{Edition, WithdrawEditionRequest};

use super::{
    FormRegistry,
    changing::{self, Asked, Changed, decided},
    door,
};
use crate::{db, domain::edition::Withdrawal};

pub(super) async fn withdraw_edition(
    registry: &FormRegistry,
    call: Call,
    request: WithdrawEditionRequest,
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
    changing::carry_out(registry, asked, move |edition, connection, withdrawn| {
        Box::pin(async move {
            let edition = decided(key, edition.withdraw(&reason, &withdrawn))?;
            let number = edition.effective.unwrap_or_default();
            db::revision::withdraw(connection, key, number, &Withdrawal { reason, withdrawn }).await?;
            Ok(Changed::To(edition, "edition.withdrawn"))
        })
    })
    .await
}
