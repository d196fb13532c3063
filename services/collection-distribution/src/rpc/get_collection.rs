//! GetCollection.

use legalstat_kit::{Call, Error, Violations};
use legalstat_proto::collections::v1::{Collection, GetCollectionRequest};

use super::{CollectionDistribution, convert, door};
use crate::domain::key;

pub(super) async fn get_collection(
    service: &CollectionDistribution,
    _: Call,
    request: GetCollectionRequest,
) -> Result<Collection, Error> {
    let mut violations = Violations::new();
    let id = door::resource(&mut violations, "name", &request.name, key::parse_collection);
    let id = violations.sound(id)?;
    let collection = door::find_collection(&mut *service.context.db.connection().await?, &id).await?;
    Ok(convert::to_collection(collection))
}
