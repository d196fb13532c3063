//! SetEmbargo.

use legalstat_kit::{
    Call, Error, Violations,
    door::wire,
    write::{Change, Mutation},
};
use legalstat_proto::collections::v1::{Edition, SetEmbargoRequest};

use super::{CollectionDistribution, door, preparing};
use crate::db;

pub(super) async fn set_embargo(
    service: &CollectionDistribution,
    call: Call,
    request: SetEmbargoRequest,
) -> Result<Edition, Error> {
    let mut violations = Violations::new();
    let key = door::edition(&mut violations, "name", &request.name);
    let until = wire::optional_timestamp(&mut violations, "until", request.until.as_ref());
    let until = until.map(wire::whole_microseconds);
    let request_id = violations.request_id("request_id", &request.request_id);
    let key = door::sound(violations, &service.context.db, ("name", key.as_ref()), key.clone()).await?;

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    preparing::carry_out(service, mutation, key.clone(), move |edition, connection, set| {
        Box::pin(async move {
            let embargoed = edition.clone().embargo(until, set.at);
            let embargoed = embargoed.map_err(|obstacle| obstacle.refusal(&key))?;
            if embargoed == edition {
                return Ok((edition, Change::repeated(&key, "edition.embargo_repeated")));
            }
            db::edition::save_terms(connection, &embargoed).await?;
            Ok((embargoed, Change::of(&key, "edition.embargo_set")))
        })
    })
    .await
}
