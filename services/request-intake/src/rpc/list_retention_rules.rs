//! ListRetentionRules.

use legalstat_kit::{
    Error, Violations,
    door::{languages::Languages, page::Page, word},
};
use legalstat_proto::requests::v1::{ListRetentionRulesRequest, ListRetentionRulesResponse};

use super::{RequestIntake, retention_rules};
use crate::{
    db,
    domain::retention::{RetentionRule, RuleState},
};

/// How many rules a page has when its caller does not say.
const PAGE: usize = 50;

pub(super) async fn list_retention_rules(
    service: &RequestIntake,
    message: ListRetentionRulesRequest,
) -> Result<ListRetentionRulesResponse, Error> {
    let mut violations = Violations::new();
    let languages = Languages::read(&mut violations, &message.languages);
    let state = word::optional(
        &mut violations,
        "state",
        message.state,
        &RuleState::ALL,
        retention_rules::state,
    );
    let query = [&*message.state.to_string()];
    let page = Page::parse(&mut violations, message.page_size, PAGE, &message.page_token, &query)?;
    violations.refuse()?;
    let after = page.after()?;
    let mut connection = service.context.db.connection().await?;
    let rows = db::retention_rule::list(&mut connection, state, after, page.limit()).await?;
    let (rows, next_page_token) = page.cut(rows, |rule: &RetentionRule| rule.id.to_string());
    Ok(languages.keep(ListRetentionRulesResponse {
        retention_rules: rows.into_iter().map(retention_rules::shown).collect(),
        next_page_token,
    }))
}
