//! GetCollection.

use legalstat_kit::{Call, Error, Violations, door::languages::Languages, zone};
use legalstat_proto::collections::v1::{self as proto, GetCollectionRequest};

use super::{CollectionDistribution, convert, door, recipients};
use crate::{
    db::collection_title,
    domain::{
        collection::{self, Title},
        key,
    },
};

pub(super) async fn get_collection(
    service: &CollectionDistribution,
    _: Call,
    request: GetCollectionRequest,
) -> Result<proto::Collection, Error> {
    let mut violations = Violations::new();
    let id = door::resource(&mut violations, "name", &request.name, key::parse_collection);
    let as_of = recipients::day(&mut violations, "as_of", request.as_of.as_ref());
    let languages = Languages::read(&mut violations, &request.languages);
    let id = violations.sound(id)?;
    let mut connection = service.context.db.connection().await?;
    let collection = door::find_collection(&mut connection, &id).await?;
    let titles = collection_title::of(&mut connection, &[&collection]).await?;
    let titles: Vec<Title> = titles.into_iter().map(|(_, title)| title).collect();
    let day = as_of.unwrap_or_else(|| zone::civil_day(service.context.now()));
    let shown = convert::to_collection(collection, collection::title_on(&titles, day));
    Ok(languages.keep(shown))
}
