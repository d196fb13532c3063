//! SubmitRequest. Its calls are carried out in groups: each registration takes the next number of the year, so that without
//! groups all of them would be stored one after another.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use legalstat_kit::{
    Call, Context, Error, FieldReason, Violations,
    call::deadline,
    door::word::{self, Word},
    due::follow,
    write::{Grouped, Mutation, Outcome, Write},
    zone,
};
use legalstat_proto::requests::v1::{self as proto, SubmitRequestRequest};
use prost::Message;
use sqlx::PgConnection;

use super::{
    RequestIntake,
    accepting::{self, Plan},
    bringing_roles, convert,
    coupons::{self, Coupons},
    kept, parse,
};
use crate::{
    current_rules::CurrentRules,
    domain::{
        request::{CallerRole, Channel, Request, Standing, Submission},
        rules::Rules,
    },
    error,
    examining::{Examiner, LONGEST},
    shared_texts::SharedTexts,
};

pub(super) async fn submit_request(
    service: &RequestIntake,
    call: &Call,
    message: SubmitRequestRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    let request_id = violations.request_id("request_id", &message.request_id);
    if !violations.is_empty() {
        // Without its key the call cannot be carried out; what else is wrong with it is told all the same.
        let rules = service.rules.get(&service.context.db).await?;
        let refused = read(violations, call, &message, &rules, service.context.now()).err();
        return Err(refused.unwrap_or_else(|| anyhow::anyhow!("a violation did not refuse").into()));
    }
    let mutation = Mutation::of(call, &"", request_id, message.validate_only, &message);
    let bytes = message.encoded_len();
    let asked = Asked {
        call: call.clone(),
        message,
        // What remains is for storing.
        patience: deadline::remaining(LONGEST * 2) / 2,
    };
    service.submissions.carry_out(mutation, asked, bytes).await
}

/// Everything that submissions need.
pub struct Submissions {
    pub context: Context,
    pub rules: Arc<CurrentRules>,
    pub examiner: Arc<Examiner>,
    pub texts: Arc<SharedTexts>,
    pub coupons: Coupons,
}

/// A call of SubmitRequest.
pub struct Asked {
    call: Call,
    message: SubmitRequestRequest,
    patience: Duration,
}

#[tonic::async_trait]
impl Grouped for Submissions {
    const BEGIN: &'static str = follow::BEGIN;

    type Asked = Asked;
    type Plan = Plan;
    type Answer = proto::Request;

    async fn prepare(&self, asked: &[&Asked]) -> Result<Vec<Result<Plan, Error>>, Error> {
        let db = &self.context.db;
        // Whether the rules have changed is asked while the requests are examined under those that are known.
        if let Some(known) = self.rules.known() {
            let (plans, current) = tokio::join!(self.plans(asked, &known), self.rules.get(db));
            if Arc::ptr_eq(&known, &current?) {
                return Ok(plans);
            }
        }
        let rules = self.rules.get(db).await?;
        Ok(self.plans(asked, &rules).await)
    }

    async fn store(&self, write: &mut Write, plans: &[&Plan]) -> Result<Vec<Outcome<proto::Request>>, Error> {
        accepting::accept(self, write, plans).await
    }

    /// The examination, without name, coupon and number.
    fn shown(&self, plan: Plan) -> proto::Request {
        convert::request(Request {
            standing: Standing::first(plan.examination.state),
            receipt: None,
            submission: plan.submission,
            examination: plan.examination,
            examined_at: plan.examined_at,
            registration_number: None,
        })
    }

    async fn recall(&self, connection: &mut PgConnection, kept: &[u8]) -> Result<proto::Request, Error> {
        Ok(kept::recall(connection, &self.texts, &self.coupons, kept).await?)
    }
}

impl Submissions {
    /// Reads and examines all of them. Other services are asked here, before the transaction: no row is locked while one takes
    /// its time.
    async fn plans(&self, asked: &[&Asked], rules: &Arc<Rules>) -> Vec<Result<Plan, Error>> {
        let now = self.context.now();
        let read = |asked: &&Asked| read(Violations::new(), &asked.call, &asked.message, rules, now);
        let read: Vec<Result<Submission, Error>> = asked.iter().map(read).collect();
        let sound: Vec<&Submission> = read.iter().filter_map(|read| read.as_ref().ok()).collect();
        // As long as the most patient waits: who is hasty loses his answer, and puts off no other's examination.
        let patience = asked.iter().map(|asked| asked.patience).max().unwrap_or(LONGEST);
        let examined = self.examiner.examine(&sound, rules, patience).await;
        let mut examined = examined.into_iter();
        let plans = read.into_iter().zip(asked).map(|(read, asked)| {
            let submission = read?;
            let content = asked.message.request.as_ref().map(coupons::content_sha256);
            Ok(Plan {
                accepted_by: asked.call.caller.name.clone(),
                content_sha256: content.ok_or_else(|| anyhow::anyhow!("a sound call has a request"))??,
                submission,
                examination: examined
                    .next()
                    .ok_or_else(|| anyhow::anyhow!("a sound request was not examined"))?,
                rules: Arc::clone(rules),
                examined_at: now,
            })
        });
        plans.collect()
    }
}

/// The door: who brings it, then everything that is wrong with it.
fn read(
    mut violations: Violations,
    call: &Call,
    message: &SubmitRequestRequest,
    rules: &Rules,
    now: Timestamp,
) -> Result<Submission, Error> {
    let Some(request) = &message.request else {
        violations.add("request", FieldReason::Required, "required");
        return violations.sound(None);
    };
    let roles = bringing_roles(&call.caller);
    let brought_as = match word::known(request.channel, Channel::ALL, convert::channel) {
        None => None,
        Some(channel) => {
            let rule = rules.caller_channel(&roles, channel, zone::civil_day(now));
            let refused = || error::channel_not_of_caller(&call.caller.name, channel);
            Some(rule.ok_or_else(refused)?.role)
        }
    };
    let records = brought_as.map_or_else(
        || roles.contains(&CallerRole::Operator),
        |role| role == CallerRole::Operator,
    );
    let door = parse::Door { rules, now, records };
    violations.set_by_service(call.method, message);
    let submission = parse::submission(&mut violations, request, &door);
    violations.sound(submission)
}
