//! CheckAvailability.

use std::collections::HashSet;

use legalstat_kit::{Call, Error, FieldReason, Violations, zone};
use legalstat_proto::forms::v1::{CheckAvailabilityRequest, CheckAvailabilityResponse};

use super::{FormRegistry, convert};
use crate::{
    db,
    domain::{
        availability::{self, Item},
        key,
    },
};

/// How many items one call may ask about.
const MAX_ITEMS: usize = 100;

pub(super) async fn check_availability(
    registry: &FormRegistry,
    _: Call,
    request: CheckAvailabilityRequest,
) -> Result<CheckAvailabilityResponse, Error> {
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
    let db = &registry.context.db;
    let today = zone::civil_day(registry.context.now());
    // Side by side, for a submission waits for both. Each hands its connection back without waiting for the other.
    let forms = async { db::form::list(&mut *db.planned().await?, Some(&named), today).await };
    let placed = async { db::placement::on_information_service(&mut *db.planned().await?, &named).await };
    let (forms, placed) = tokio::try_join!(forms, placed)?;
    let placed: HashSet<_> = placed.into_iter().collect();
    let findings = items.iter().map(|item| availability::find(item, &forms, &placed));
    Ok(CheckAvailabilityResponse {
        items: findings.map(convert::to_item_availability).collect(),
    })
}
