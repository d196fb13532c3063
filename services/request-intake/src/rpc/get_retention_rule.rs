//! GetRetentionRule.

use legalstat_kit::{Error, Refusal, Violations, door::languages::Languages};
use legalstat_proto::requests::v1::{self as proto, GetRetentionRuleRequest};

use super::{RequestIntake, retention_rules};
use crate::db;

pub(super) async fn get_retention_rule(
    service: &RequestIntake,
    message: GetRetentionRuleRequest,
) -> Result<proto::RetentionRule, Error> {
    let mut violations = Violations::new();
    let id = retention_rules::name(&mut violations, "name", &message.name);
    let languages = Languages::read(&mut violations, &message.languages);
    let id = violations.sound(id)?;
    let found = db::retention_rule::get(&mut *service.context.db.connection().await?, id).await?;
    let rule = found.ok_or_else(|| Refusal::not_found(&message.name))?;
    Ok(languages.keep(retention_rules::shown(rule)))
}
