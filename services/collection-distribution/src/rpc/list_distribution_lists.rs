//! ListDistributionLists.

use legalstat_kit::{
    Call, Error, Violations,
    door::{page::Page, word, word::Word as _},
};
use legalstat_proto::collections::v1::{ListDistributionListsRequest, ListDistributionListsResponse};

use super::{CollectionDistribution, distribution_lists, door};
use crate::{
    db::{distribution_list, distribution_list::Filter},
    domain::{
        distribution_list::{LOADED, ListState},
        key,
    },
};

pub(super) async fn list_distribution_lists(
    service: &CollectionDistribution,
    call: Call,
    request: ListDistributionListsRequest,
) -> Result<ListDistributionListsResponse, Error> {
    let mut violations = Violations::new();
    let id = door::resource(&mut violations, "parent", &request.parent, key::parse_collection);
    let state = word::optional(
        &mut violations,
        "state",
        request.state,
        ListState::ALL,
        distribution_lists::state,
    );
    let query = ["distribution-lists", &*request.parent, &request.state.to_string()];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let id = violations.sound(id)?;
    let mut connection = service.context.db.connection().await?;
    let collection = door::find_collection(&mut connection, &id).await?;
    let after: i32 = page.after()?.unwrap_or_default();
    // What a caller may not see is for them not there.
    let seen = match state {
        state if call.caller.is_official() => Some(state),
        None | Some(ListState::InForce) => Some(Some(ListState::InForce)),
        Some(_) => None,
    };
    let mut numbers = Vec::new();
    if let Some(state) = seen {
        if after < LOADED && state.is_none_or(|state| state == ListState::InForce) {
            numbers.push(LOADED);
        }
        let filter = Filter {
            state,
            version: None,
            after,
        };
        let later = distribution_list::list(&mut connection, &id, &filter, page.limit()).await?;
        numbers.extend(later.into_iter().map(|version| version.version));
    }
    let (numbers, next_page_token) = page.cut(numbers, i32::to_string);
    let mut lists = Vec::new();
    for number in numbers {
        lists.push(distribution_lists::version(&mut connection, &collection, number, &call).await?);
    }
    Ok(ListDistributionListsResponse {
        distribution_lists: lists,
        next_page_token,
    })
}
