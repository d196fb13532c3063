//! ListIndicators.

use legalstat_kit::{
    Call, Error, Violations,
    door::{languages::Languages, page::Page},
};
use legalstat_proto::forms::v1::{ListIndicatorsRequest, ListIndicatorsResponse};

use super::{FormRegistry, as_of::AsOf, convert_registers::to_indicator, door};
use crate::db::indicator::{self, Filter, Owner};

pub(super) async fn list_indicators(
    registry: &FormRegistry,
    _: Call,
    request: ListIndicatorsRequest,
) -> Result<ListIndicatorsResponse, Error> {
    let mut violations = Violations::new();
    let languages = Languages::read(&mut violations, &request.languages);
    let as_of = AsOf::read(&mut violations, request.as_of.as_ref());
    let query = [request.parent.as_str(), &as_of.text(), &request.unit];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let form = door::form(&mut violations, "parent", &request.parent);
    let unit = violations.optional_name("unit", &request.unit, 40);
    let form = violations.sound(form)?;
    let filter = Filter {
        as_of: as_of.day,
        unit: Some(unit.as_str()).filter(|unit| !unit.is_empty()),
        after: AsOf::after(&page)?,
        last: false,
    };
    let mut snapshot = registry.context.db.snapshot().await?;
    door::require_registered(&mut snapshot, Some(form)).await?;
    let indicators = indicator::list(&mut snapshot, Owner::Form(form), &filter, Some(page.limit())).await?;
    let (indicators, next_page_token) = page.cut(indicators, |(code, version)| AsOf::key(code, version.validity.from));
    Ok(languages.keep(ListIndicatorsResponse {
        indicators: indicators
            .into_iter()
            .map(|indicator| to_indicator(form, indicator))
            .collect(),
        next_page_token,
    }))
}
