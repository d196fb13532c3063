//! ListEditions.

use legalstat_kit::{
    Call, Error, Violations,
    door::page::Page,
    due::{follow, schedule},
};
use legalstat_proto::collections::v1::{ListEditionsRequest, ListEditionsResponse};
use tonic::Request;

use super::{CollectionDistribution, convert, door};
use crate::{
    db,
    domain::{edition::SchedulePosition, names},
};

pub(super) async fn list_editions(
    service: &CollectionDistribution,
    request: Request<ListEditionsRequest>,
) -> Result<ListEditionsResponse, Error> {
    let (call, request) = (Call::of(&request), request.into_inner());
    let mut violations = Violations::new();
    let query = [
        request.parent.as_str(),
        &request.state.to_string(),
        &request.year.to_string(),
    ];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let collection = match request.parent.as_str() {
        names::ALL_COLLECTIONS => None,
        parent => door::resource(&mut violations, "parent", parent, names::parse_collection),
    };
    let state = convert::optional_edition_state(&mut violations, "state", request.state);
    let year = match request.year {
        0 => None,
        year => schedule::year(&mut violations, "year", year),
    };
    violations.refuse()?;
    let db = &service.context.db;
    door::require_registered(db, collection.as_deref()).await?;
    service.schedule.require()?;
    let filter = db::edition::Filter {
        collection,
        year,
        state,
        after: page.after()?,
        ..Default::default()
    };
    let mut snapshot = db.snapshot().await?;
    let editions = db::edition::list(&mut *snapshot, &filter, page.limit()).await?;
    let (editions, next_page_token) = page.cut(editions, |edition| SchedulePosition::of(edition).to_string());
    let names: Vec<String> = editions.iter().map(|edition| edition.key.to_string()).collect();
    let mut changes = follow::changes(&mut *snapshot, &names).await?;
    let editions = editions.into_iter().zip(names).map(|(edition, name)| {
        let changes = changes.remove(&name).unwrap_or_default();
        convert::to_edition_for(&call.caller, edition, changes)
    });
    Ok(ListEditionsResponse {
        editions: editions.collect(),
        next_page_token,
    })
}
