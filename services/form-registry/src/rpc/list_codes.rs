//! ListCodes.

use jiff::civil::date;
use legalstat_kit::{Call, Error, Violations, door::page::Page};
use legalstat_proto::forms::v1::{ListCodesRequest, ListCodesResponse};

use super::{FormRegistry, as_of::AsOf, convert_registers::to_code, registering};
use crate::db::code_list;

pub(super) async fn list_codes(
    registry: &FormRegistry,
    _: Call,
    request: ListCodesRequest,
) -> Result<ListCodesResponse, Error> {
    let mut violations = Violations::new();
    let as_of = AsOf::read(&mut violations, request.as_of.as_ref());
    let query = [request.parent.as_str(), &as_of.text()];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let list = registering::list(&mut violations, "parent", &request.parent);
    let list = violations.sound(list)?;
    let after = AsOf::after(&page)?.unwrap_or((String::new(), date(1, 1, 1)));
    let mut connection = registry.context.db.connection().await?;
    let number = registering::list_number(&mut connection, &list).await?;
    let after = (after.0.as_str(), after.1);
    let codes = code_list::list(&mut connection, number, as_of.day, after, page.limit()).await?;
    let (codes, next_page_token) = page.cut(codes, |(code, version)| AsOf::key(code, version.validity.from));
    Ok(ListCodesResponse {
        codes: codes.into_iter().map(|code| to_code(&list, code)).collect(),
        next_page_token,
    })
}
