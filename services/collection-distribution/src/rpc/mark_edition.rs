//! MarkEdition.

use jiff::civil::Date;
use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    door::wire,
    write::{Change, Mutation},
    zone,
};
use legalstat_proto::collections::v1::{self as proto, Edition, MarkEditionRequest};

use super::{CollectionDistribution, door, preparing};
use crate::{db, domain::marking::OfficialUse};

/// How many characters a reason has at most.
const REASON: usize = 1000;

pub(super) async fn mark_edition(
    service: &CollectionDistribution,
    call: Call,
    request: MarkEditionRequest,
) -> Result<Edition, Error> {
    let (mut violations, context) = (Violations::new(), &service.context);
    let key = door::edition(&mut violations, "name", &request.name);
    let today = zone::civil_day(context.now());
    let given = request.official_use.as_ref();
    let official_use = given.map(|given| read(&mut violations, given, today));
    let request_id = violations.request_id("request_id", &request.request_id);
    let key = door::sound(violations, &context.db, ("name", key.as_ref()), key.clone()).await?;

    let mutation = Mutation::of(&call, &key, request_id, request.validate_only, &request);
    preparing::carry_out(service, mutation, key.clone(), move |edition, connection, _| {
        Box::pin(async move {
            let marked = edition.clone().mark(official_use);
            let marked = marked.map_err(|obstacle| obstacle.refusal(&key))?;
            if marked == edition {
                return Ok((edition, Change::repeated(&key, "edition.marking_repeated")));
            }
            db::edition::save_terms(connection, &marked).await?;
            Ok((marked, Change::of(&key, "edition.marked")))
        })
    })
    .await
}

fn read(violations: &mut Violations, given: &proto::OfficialUse, today: Date) -> OfficialUse {
    if given.copies < 1 {
        violations.add("official_use.copies", FieldReason::OutOfRange, "1 or more");
    }
    let day = given.expires_on.as_ref().map(wire::date);
    let expires_on = day.and_then(|day| violations.check("official_use.expires_on", FieldReason::Date, day));
    if expires_on.is_some_and(|last| last < today) {
        let description = "the last day on which the marking holds has not passed";
        violations.add("official_use.expires_on", FieldReason::OutOfRange, description);
    }
    OfficialUse {
        copies: given.copies,
        reason: violations.text("official_use.reason", &given.reason, REASON),
        expires_on,
    }
}
