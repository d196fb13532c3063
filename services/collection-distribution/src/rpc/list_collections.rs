//! ListCollections.

use legalstat_kit::{Call, Error, Violations, door::page::Page};
use legalstat_proto::collections::v1::{ListCollectionsRequest, ListCollectionsResponse};

use super::{CollectionDistribution, convert};
use crate::db::collection::{self, Filter};

pub(super) async fn list_collections(
    service: &CollectionDistribution,
    _: Call,
    request: ListCollectionsRequest,
) -> Result<ListCollectionsResponse, Error> {
    let mut violations = Violations::new();
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
    let collections = collection::list(
        &mut *service.context.db.connection().await?,
        &filter,
        Some(page.limit()),
    )
    .await?;
    let (collections, next_page_token) = page.cut(collections, |collection| collection.id.clone());
    let collections = collections.into_iter().map(convert::to_collection).collect();
    Ok(ListCollectionsResponse {
        collections,
        next_page_token,
    })
}
