//! ListCodes.

use jiff::civil::date;
use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    door::{languages::Languages, page::Page},
};
use legalstat_proto::forms::v1::{ListCodesRequest, ListCodesResponse};

use super::{FormRegistry, as_of::AsOf, convert_registers::to_code, registering};
use crate::db::code_list;

/// How many codes a list can be narrowed to.
const MOST: usize = 100;

pub(super) async fn list_codes(
    registry: &FormRegistry,
    _: Call,
    request: ListCodesRequest,
) -> Result<ListCodesResponse, Error> {
    let mut violations = Violations::new();
    let languages = Languages::read(&mut violations, &request.languages);
    let as_of = AsOf::read(&mut violations, request.as_of.as_ref());
    if request.codes.len() > MOST {
        violations.add("codes", FieldReason::TooMany, format!("at most {MOST}"));
    }
    let codes = request.codes.join(" ");
    let query = [request.parent.as_str(), &as_of.text(), codes.as_str()];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let list = registering::list(&mut violations, "parent", &request.parent);
    let list = violations.sound(list)?;
    let after = AsOf::after(&page)?.unwrap_or((String::new(), date(1, 1, 1)));
    let mut connection = registry.context.db.connection().await?;
    let number = registering::list_number(&mut connection, &list).await?;
    let after = (after.0.as_str(), after.1);
    let among = Some(request.codes.as_slice()).filter(|codes| !codes.is_empty());
    let codes = code_list::list(&mut connection, number, as_of.day, among, after, page.limit()).await?;
    let (codes, next_page_token) = page.cut(codes, |(code, version)| AsOf::key(code, version.validity.from));
    Ok(languages.keep(ListCodesResponse {
        codes: codes.into_iter().map(|code| to_code(&list, code)).collect(),
        next_page_token,
    }))
}
