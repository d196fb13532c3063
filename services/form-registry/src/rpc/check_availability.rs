//! CheckAvailability.

use std::collections::HashSet;

use legalstat_kit::{Call, Error, FieldReason, Violations, zone};
use legalstat_proto::forms::v1::{CheckAvailabilityRequest, CheckAvailabilityResponse};

use tonic::Response;

use super::{FormRegistry, convert, showing::Showing};
use crate::{
    db,
    domain::{
        availability::{self, Item},
        key::{self, EditionKey},
        visibility::View,
    },
};

/// How many items one call may ask about.
const MAX_ITEMS: usize = 100;

pub(super) async fn check_availability(
    registry: &FormRegistry,
    call: Call,
    request: CheckAvailabilityRequest,
) -> Result<Response<CheckAvailabilityResponse>, Error> {
    let mut violations = Violations::new();
    if !(1..=MAX_ITEMS).contains(&request.items.len()) {
        violations.add("items", FieldReason::OutOfRange, format!("1 to {MAX_ITEMS} items"));
    }
    violations.refuse()?;
    registry.schedule.require_whole()?;
    let items: Vec<Item> = request
        .items
        .into_iter()
        .map(|item| Item {
            form: item.form,
            period: item.period,
            until_period: item.until_period,
        })
        .collect();
    let named: Vec<i32> = items
        .iter()
        .filter_map(|item| key::parse_form(&item.form).ok())
        .collect();
    let (db, now) = (&registry.context.db, registry.context.now());
    let today = zone::civil_day(now);
    // Side by side, for a submission waits for both. Each hands its connection back without waiting for the other.
    let forms = async { db::form::list(&mut *db.planned().await?, Some(&named), today).await };
    let placed = async {
        let mut connection = db.planned().await?;
        let placed = db::placement::on_information_service(&mut connection, &named).await?;
        let embargoes = db::embargo::holding(&mut connection, None, now).await?;
        Ok((placed, embargoes))
    };
    let (forms, (placed, embargoes)) = tokio::try_join!(forms, placed)?;
    let mut showing = Showing::to(&call, now);
    let is_shown = |key: &EditionKey| {
        let is_named = items.iter().any(|item| availability::names(item, *key));
        showing.view(*key, embargoes.get(key), is_named) != View::Dates
    };
    let placed: HashSet<_> = placed.into_iter().filter(is_shown).collect();
    let findings = items.iter().map(|item| availability::find(item, &forms, &placed));
    let answer = CheckAvailabilityResponse {
        items: findings.map(convert::to_item_availability).collect(),
    };
    showing.record(&registry.context, &call).await?;
    Ok(showing.answer(answer))
}
