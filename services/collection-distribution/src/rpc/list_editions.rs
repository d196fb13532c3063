//! ListEditions.

use legalstat_kit::{
    Call, Error, Violations,
    door::page::Page,
    due::{moves, schedule},
};
use legalstat_proto::collections::v1::{ListEditionsRequest, ListEditionsResponse};

use super::{CollectionDistribution, convert, door, sight::Sight};
use crate::{
    db::edition::{self, Filter},
    domain::key,
};

pub(super) async fn list_editions(
    service: &CollectionDistribution,
    call: Call,
    request: ListEditionsRequest,
) -> Result<ListEditionsResponse, Error> {
    let mut violations = Violations::new();
    let query = [
        request.parent.as_str(),
        &request.state.to_string(),
        &request.year.to_string(),
    ];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let collection = match request.parent.as_str() {
        key::ALL_COLLECTIONS => None,
        parent => door::resource(&mut violations, "parent", parent, key::parse_collection),
    };
    let state = convert::optional_edition_state(&mut violations, "state", request.state);
    let year = schedule::optional_year(&mut violations, "year", request.year);
    violations.refuse()?;
    let mut snapshot = service.context.db.snapshot().await?;
    door::require_registered(&mut snapshot, collection.as_deref()).await?;
    service.schedule.require_whole()?;
    let filter = Filter {
        parent: collection.as_deref().map(key::collection),
        year,
        state,
        after: page.after()?,
        ..Filter::default()
    };
    let editions = edition::list(&mut snapshot, &filter, page.limit()).await?;
    let (editions, next_page_token) = page.cut(editions, |edition| edition.schedule_place().to_string());
    let names: Vec<String> = editions.iter().map(|edition| edition.key.to_string()).collect();
    let mut moves = moves::of_each(&mut *snapshot, &names).await?;
    let keys: Vec<_> = editions.iter().map(|edition| &edition.key).collect();
    let sight = Sight::of(&mut snapshot, &call, &keys, service.context.now()).await?;
    let editions = editions.into_iter().zip(names).map(|(edition, name)| {
        let moves = moves.remove(&name).unwrap_or_default();
        convert::to_edition_for(&sight, edition, moves)
    });
    Ok(ListEditionsResponse {
        editions: editions.collect(),
        next_page_token,
    })
}
