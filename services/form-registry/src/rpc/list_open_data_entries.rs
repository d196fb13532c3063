//! ListOpenDataEntries.

use legalstat_kit::{Call, Error, Violations, door::page::Page};
use legalstat_proto::forms::v1::{ListOpenDataEntriesRequest, ListOpenDataEntriesResponse};

use super::{FormRegistry, convert, door, read_form};
use crate::{
    db::open_data::{self, Filter},
    domain::key,
};

pub(super) async fn list_open_data_entries(
    registry: &FormRegistry,
    _: Call,
    request: ListOpenDataEntriesRequest,
) -> Result<ListOpenDataEntriesResponse, Error> {
    let mut violations = Violations::new();
    let query = [request.parent.as_str(), &door::query_date(request.as_of.as_ref())];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let form = match request.parent.as_str() {
        key::ALL_FORMS => None,
        parent => door::form(&mut violations, "parent", parent),
    };
    let on = read_form::optional_day(&mut violations, "as_of", request.as_of.as_ref());
    violations.refuse()?;
    let mut snapshot = registry.context.db.snapshot().await?;
    door::require_registered(&mut snapshot, form).await?;
    let filter = Filter {
        form,
        on,
        after: page.after()?,
    };
    let entries = open_data::list(&mut snapshot, &filter, page.limit()).await?;
    let (entries, next_page_token) = page.cut(entries, |entry| entry.key.to_string());
    Ok(ListOpenDataEntriesResponse {
        open_data_entries: entries.into_iter().map(convert::to_open_data_entry).collect(),
        next_page_token,
    })
}
