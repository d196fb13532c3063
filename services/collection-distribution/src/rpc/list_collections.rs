//! ListCollections.

use legalstat_kit::{
    Call, Error, Violations,
    door::{languages::Languages, page::Page},
    zone,
};
use legalstat_proto::collections::v1::{ListCollectionsRequest, ListCollectionsResponse};

use super::{CollectionDistribution, convert, recipients};
use crate::{
    db::{
        collection::{self, Filter},
        collection_title,
    },
    domain::collection::{Collection, Title, title_on},
};

pub(super) async fn list_collections(
    service: &CollectionDistribution,
    _: Call,
    request: ListCollectionsRequest,
) -> Result<ListCollectionsResponse, Error> {
    let mut violations = Violations::new();
    let languages = Languages::read(&mut violations, &request.languages);
    let as_of = recipients::day(&mut violations, "as_of", request.as_of.as_ref());
    let page = Page::parse(
        &mut violations,
        request.page_size,
        100,
        &request.page_token,
        &["collections"],
    )?;
    violations.refuse()?;
    let filter = Filter {
        id: None,
        after: page.after.as_deref(),
    };
    let mut connection = service.context.db.connection().await?;
    let collections = collection::list(&mut connection, &filter, Some(page.limit())).await?;
    let (collections, next_page_token) = page.cut(collections, |collection| collection.id.clone());
    let titles = collection_title::of(&mut connection, &collections.iter().collect::<Vec<_>>()).await?;
    let day = as_of.unwrap_or_else(|| zone::civil_day(service.context.now()));
    let shown = |collection: Collection| {
        let of_it = titles.iter().filter(|(id, _)| *id == collection.id);
        let of_it: Vec<Title> = of_it.map(|(_, title)| title.clone()).collect();
        convert::to_collection(collection, title_on(&of_it, day))
    };
    let collections = collections.into_iter().map(shown).collect();
    Ok(languages.keep(ListCollectionsResponse {
        collections,
        next_page_token,
    }))
}
