//! ApproveRetentionRule.

use legalstat_kit::{
    Call, Error, Refusal, Violations,
    write::{self, Mutation, Outcome},
    zone,
};
use legalstat_proto::{
    common::v1::ErrorReason,
    requests::v1::{self as proto, ApproveRetentionRuleRequest},
};
use tonic::Code;

use super::{RequestIntake, retention_rules};
use crate::{
    db,
    domain::{names, retention::RuleState},
};

pub(super) async fn approve_retention_rule(
    service: &RequestIntake,
    call: Call,
    message: ApproveRetentionRuleRequest,
) -> Result<proto::RetentionRule, Error> {
    let mut violations = Violations::new();
    let id = retention_rules::name(&mut violations, "name", &message.name);
    let request_id = violations.request_id("request_id", &message.request_id);
    let id = violations.sound(id)?;
    let mutation = Mutation::of(&call, &message.name, request_id, message.validate_only, &message);
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let name = names::retention_rule(id);
            let mut rule = retention_rules::locked(write.connection(), id).await?;
            if rule.state() != RuleState::Proposed {
                let message = "only a rule that is proposed is approved";
                return Err(Refusal::new(Code::FailedPrecondition, ErrorReason::WrongState, message).into());
            }
            let done = call.done(write.now());
            if done.by == rule.entered.by {
                let message = format!("{} entered this rule; another person approves it", done.by);
                let refusal = Refusal::new(Code::FailedPrecondition, ErrorReason::SamePerson, message);
                return Err(refusal.legal_basis(&rule.facts.legal_basis).into());
            }
            db::retention_rule::approve(write.connection(), id, &done).await?;
            let today = zone::civil_day(done.at);
            let effect = retention_rules::effect(write.connection(), &rule.facts, today).await?;
            rule.approved = Some(done);
            let answer = proto::RetentionRule {
                effect: Some(effect),
                ..retention_rules::shown(rule)
            };
            Ok(Outcome::of(&name, "retention-rule.approved", answer))
        })
    })
    .await
}
