//! ListDetails.

use legalstat_kit::{
    Call, Error, Violations,
    door::{languages::Languages, page::Page},
};
use legalstat_proto::forms::v1::{ListDetailsRequest, ListDetailsResponse};

use super::{FormRegistry, as_of::AsOf, convert_registers::to_detail, registering};
use crate::db::indicator::{self, Filter};

pub(super) async fn list_details(
    registry: &FormRegistry,
    _: Call,
    request: ListDetailsRequest,
) -> Result<ListDetailsResponse, Error> {
    let mut violations = Violations::new();
    let languages = Languages::read(&mut violations, &request.languages);
    let as_of = AsOf::read(&mut violations, request.as_of.as_ref());
    let query = [request.parent.as_str(), &as_of.text()];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let document = registering::document(&mut violations, "parent", &request.parent);
    let document = violations.sound(document)?;
    let filter = Filter {
        as_of: as_of.day,
        after: AsOf::after(&page)?,
        ..Filter::default()
    };
    let mut snapshot = registry.context.db.snapshot().await?;
    let owner = registering::owner_of_details(&mut snapshot, &document).await?;
    let details = indicator::list(&mut snapshot, owner, &filter, Some(page.limit())).await?;
    let (details, next_page_token) = page.cut(details, |(code, version)| AsOf::key(code, version.validity.from));
    Ok(languages.keep(ListDetailsResponse {
        details: details.into_iter().map(|detail| to_detail(&document, detail)).collect(),
        next_page_token,
    }))
}
