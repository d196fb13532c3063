//! GetDistributionList.

use legalstat_kit::{Call, Error, Violations, zone};
use legalstat_proto::collections::v1::{DistributionList, GetDistributionListRequest};

use super::{CollectionDistribution, convert, door};
use crate::{db, domain::key};

pub(super) async fn get_distribution_list(
    service: &CollectionDistribution,
    _: Call,
    request: GetDistributionListRequest,
) -> Result<DistributionList, Error> {
    let (mut violations, context) = (Violations::new(), &service.context);
    let id = door::resource(&mut violations, "name", &request.name, key::parse_distribution_list);
    let id = violations.sound(id)?;
    let mut connection = context.db.connection().await?;
    let collection = door::find_collection(&mut connection, &id).await?;
    let today = zone::civil_day(context.now());
    let distribution = db::distribution::get(&mut connection, &collection, today).await?;
    Ok(convert::to_distribution_list(&collection.id, &distribution))
}
