//! CreateRetentionRule.

use legalstat_kit::{
    Call, Error, Violations,
    write::{self, Mutation, Outcome},
    zone,
};
use legalstat_proto::requests::v1::{self as proto, CreateRetentionRuleRequest};
use uuid::{NoContext, Uuid};

use super::{
    RequestIntake,
    retention_rules::{self, REASON},
};
use crate::{
    db,
    domain::{names, retention::RetentionRule},
};

pub(super) async fn create_retention_rule(
    service: &RequestIntake,
    call: Call,
    message: CreateRetentionRuleRequest,
) -> Result<proto::RetentionRule, Error> {
    let mut violations = Violations::new();
    violations.set_by_service(call.method, &message);
    let given = message.retention_rule.clone().unwrap_or_default();
    let today = zone::civil_day(service.context.now());
    let facts = retention_rules::facts(&mut violations, &given, today);
    let reason = violations.text("reason", &message.reason, REASON);
    let request_id = violations.request_id("request_id", &message.request_id);
    let facts = violations.sound(facts)?;
    let (validate_only, no_name) = (message.validate_only, "");
    let mutation = Mutation::of(&call, &no_name, request_id, validate_only, &message);
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let done = call.done(write.now());
            let effect = retention_rules::effect(write.connection(), &facts, today).await?;
            let seconds = done.at.as_second().unsigned_abs();
            let nanoseconds = done.at.subsec_nanosecond().unsigned_abs();
            let rule = RetentionRule {
                id: Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanoseconds)),
                facts,
                entered: done,
                reason,
                approved: None,
                ended: None,
            };
            let stored = db::retention_rule::insert(write.connection(), &rule).await;
            stored.map_err(retention_rules::one_at_a_time)?;
            let name = names::retention_rule(rule.id);
            let mut answer = proto::RetentionRule {
                effect: Some(effect),
                ..retention_rules::shown(rule)
            };
            if validate_only {
                answer.name.clear();
            }
            Ok(Outcome::of(&name, "retention-rule.created", answer))
        })
    })
    .await
}
