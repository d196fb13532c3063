//! ListCodeLists.

use legalstat_kit::{
    Call, Error, Violations,
    door::{languages::Languages, page::Page},
};
use legalstat_proto::forms::v1::{ListCodeListsRequest, ListCodeListsResponse};

use super::{FormRegistry, convert_registers::to_list};
use crate::db::code_list;

pub(super) async fn list_code_lists(
    registry: &FormRegistry,
    _: Call,
    request: ListCodeListsRequest,
) -> Result<ListCodeListsResponse, Error> {
    let mut violations = Violations::new();
    let languages = Languages::read(&mut violations, &request.languages);
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &[])?;
    violations.refuse()?;
    let after = page.after.clone().unwrap_or_default();
    let mut connection = registry.context.db.connection().await?;
    let lists = code_list::lists(&mut connection, &after, page.limit()).await?;
    let (lists, next_page_token) = page.cut(lists, |list| list.id.clone());
    Ok(languages.keep(ListCodeListsResponse {
        code_lists: lists.into_iter().map(to_list).collect(),
        next_page_token,
    }))
}
