//! EndRetentionRule.

use legalstat_kit::{
    Call, Error, Violations,
    write::{self, Mutation, Outcome},
};
use legalstat_proto::requests::v1::{self as proto, EndRetentionRuleRequest};

use super::{
    RequestIntake,
    retention_rules::{self, REASON},
};
use crate::{db, domain::names};

pub(super) async fn end_retention_rule(
    service: &RequestIntake,
    call: Call,
    message: EndRetentionRuleRequest,
) -> Result<proto::RetentionRule, Error> {
    let mut violations = Violations::new();
    let id = retention_rules::name(&mut violations, "name", &message.name);
    let reason = violations.text("reason", &message.reason, REASON);
    let request_id = violations.request_id("request_id", &message.request_id);
    let id = violations.sound(id)?;
    let mutation = Mutation::of(&call, &message.name, request_id, message.validate_only, &message);
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let name = names::retention_rule(id);
            let mut rule = retention_rules::locked(write.connection(), id).await?;
            if rule.ended.is_some() {
                let answer = retention_rules::shown(rule);
                return Ok(Outcome::repeated(&name, "retention-rule.end_repeated", answer));
            }
            let done = call.done(write.now());
            db::retention_rule::end(write.connection(), id, &done, &reason).await?;
            rule.ended = Some((done, reason));
            Ok(Outcome::of(&name, "retention-rule.ended", retention_rules::shown(rule)))
        })
    })
    .await
}
