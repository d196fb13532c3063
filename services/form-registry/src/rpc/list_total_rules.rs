//! ListTotalRules.

use legalstat_kit::{Call, Error, Violations, door::page::Page};
use legalstat_proto::forms::v1::{ListTotalRulesRequest, ListTotalRulesResponse};

use super::{FormRegistry, as_of::AsOf, convert_registers::to_rule, door};
use crate::db::total_rule;

pub(super) async fn list_total_rules(
    registry: &FormRegistry,
    _: Call,
    request: ListTotalRulesRequest,
) -> Result<ListTotalRulesResponse, Error> {
    let mut violations = Violations::new();
    let query = [request.parent.as_str()];
    let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &query)?;
    let form = door::form(&mut violations, "parent", &request.parent);
    let form = violations.sound(form)?;
    let after = AsOf::after(&page)?;
    let after = after.as_ref().map(|(key, from)| {
        let (dimension, total) = key.split_once(' ').unwrap_or((key, ""));
        (dimension, total, *from)
    });
    let mut snapshot = registry.context.db.snapshot().await?;
    door::require_registered(&mut snapshot, Some(form)).await?;
    let rules = total_rule::list(&mut snapshot, form, None, after, Some(page.limit())).await?;
    let (rules, next_page_token) = page.cut(rules, |(rule, _)| {
        AsOf::key(&format!("{} {}", rule.dimension, rule.total), rule.validity.from)
    });
    Ok(ListTotalRulesResponse {
        total_rules: rules.into_iter().map(|(rule, _)| to_rule(rule)).collect(),
        next_page_token,
    })
}
