//! GetDistributionList.

use legalstat_kit::{Call, Error, FieldReason, Violations, zone};
use legalstat_proto::collections::v1::{DistributionList, GetDistributionListRequest};

use super::{CollectionDistribution, distribution_lists, door, recipients};
use crate::{db, domain::key};

pub(super) async fn get_distribution_list(
    service: &CollectionDistribution,
    call: Call,
    request: GetDistributionListRequest,
) -> Result<DistributionList, Error> {
    let (mut violations, context) = (Violations::new(), &service.context);
    let named = door::resource(&mut violations, "name", &request.name, key::parse_distribution_list);
    let as_of = recipients::day(&mut violations, "as_of", request.as_of.as_ref());
    if matches!(named, Some((_, Some(_)))) && request.as_of.is_some() {
        let description = "a version is what it is: name the list without one to ask for a day's";
        violations.add("as_of", FieldReason::Conflict, description);
    }
    let (id, version) = violations.sound(named)?;
    let mut connection = context.db.connection().await?;
    let collection = door::find_collection(&mut connection, &id).await?;
    if let Some(number) = version {
        return distribution_lists::version(&mut connection, &collection, number, &call).await;
    }
    let day = as_of.unwrap_or_else(|| zone::civil_day(context.now()));
    let distribution = db::distribution::get(&mut connection, &collection, day).await?;
    let name = key::distribution_list(&collection.id);
    let in_force = db::distribution_list::in_force_on(&mut connection, &collection.id, day).await?;
    Ok(match in_force {
        Some(version) => distribution_lists::shown(name, &version, &distribution, &call),
        None => distribution_lists::loaded(name, &collection, &distribution),
    })
}
