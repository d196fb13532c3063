//! SubmitRequest. Its calls are carried out in groups: each registration takes the next number of the year, so that without
//! groups all of them would be stored one after another.

use std::{collections::HashMap, sync::Arc, time::Duration};

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
use uuid::Uuid;

use super::{
    RequestIntake,
    accepting::{self, Plan},
    attaching::Limits,
    bringing_roles, convert,
    coupons::{self, Coupons},
    earlier, kept, parse, parse_attachments,
};
use crate::{
    current_rules::CurrentRules,
    db::{
        self,
        earlier::{Found, Sought},
    },
    domain::{
        attachment::Attachment,
        earlier::{Earlier, KnownBy},
        request::{CallerRole, Channel, Request, Standing, Submission},
        rules::Rules,
        viewer::Viewer,
    },
    earlier_requests::EarlierRequests,
    error,
    examining::{Examiner, LONGEST},
    shared_texts::SharedTexts,
};

pub(super) async fn submit_request(
    service: &RequestIntake,
    call: &Call,
    message: SubmitRequestRequest,
) -> Result<proto::Request, Error> {
    let bytes = message.encoded_len();
    service
        .submitted
        .take(&call.caller.name, bytes, service.context.now())?;
    let mut violations = Violations::new();
    let request_id = violations.request_id("request_id", &message.request_id);
    if !violations.is_empty() {
        // Without its key the call cannot be carried out; what else is wrong with it is told all the same.
        let rules = service.rules.get(&service.context.db).await?;
        let found = attachments(&service.context, &service.attachments, [&message]).await?;
        let refused = read(violations, call, &message, &rules, &found, service.context.now()).err();
        return Err(refused.unwrap_or_else(|| anyhow::anyhow!("a violation did not refuse").into()));
    }
    let mutation = Mutation::of(call, &"", request_id, message.validate_only, &message);
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
    pub earlier: Arc<EarlierRequests>,
    pub coupons: Coupons,
    pub attachments: Limits,
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
        let messages = asked.iter().map(|asked| &asked.message);
        let found = attachments(&self.context, &self.attachments, messages).await?;
        // Whether the rules have changed is asked while the requests are examined under those that are known.
        if let Some(known) = self.rules.known() {
            let (plans, current) = tokio::join!(self.plans(asked, &found, &known), self.rules.get(db));
            if Arc::ptr_eq(&known, &current?) {
                return Ok(plans);
            }
        }
        let rules = self.rules.get(db).await?;
        Ok(self.plans(asked, &found, &rules).await)
    }

    async fn store(&self, write: &mut Write, plans: &[&Plan]) -> Result<Vec<Outcome<proto::Request>>, Error> {
        accepting::accept(self, write, plans).await
    }

    /// The examination, without name, coupon and number.
    fn shown(&self, plan: Plan) -> proto::Request {
        let earlier = &plan.earlier;
        let (duplicate, repeats) = (earlier.likely_duplicate_of.is_some(), earlier.repeats.is_some());
        let found = plan
            .examination
            .found(duplicate, repeats, &plan.submission, &plan.rules);
        let mut shown = convert::request(Request {
            standing: Standing::first(plan.examination.state),
            receipt: None,
            submission: plan.submission,
            examination: plan.examination.with(&found),
            examined_at: plan.examined_at,
            registration_number: None,
        });
        earlier::tell(&mut shown, &plan.viewer, &plan.earlier);
        shown
    }

    async fn recall(&self, connection: &mut PgConnection, kept: &[u8]) -> Result<proto::Request, Error> {
        Ok(kept::recall(connection, &self.texts, &self.coupons, kept).await?)
    }
}

impl Submissions {
    /// Reads and examines all of them. Other services are asked here, before the transaction: no row is locked while one takes
    /// its time.
    async fn plans(&self, asked: &[&Asked], files: &Files, rules: &Arc<Rules>) -> Vec<Result<Plan, Error>> {
        let now = self.context.now();
        let read = |asked: &&Asked| read(Violations::new(), &asked.call, &asked.message, rules, files, now);
        let read: Vec<Result<Submission, Error>> = asked.iter().map(read).collect();
        let sound: Vec<&Submission> = read.iter().filter_map(|read| read.as_ref().ok()).collect();
        // As long as the most patient waits: who is hasty loses his answer, and puts off no other's examination.
        let patience = asked.iter().map(|asked| asked.patience).max().unwrap_or(LONGEST);
        let (examined, shown) = tokio::join!(
            self.examiner.examine(&sound, rules, patience),
            self.before_checks(asked, &read)
        );
        let mut examined = examined.into_iter();
        let accepted_at = self.context.now();
        let today = zone::civil_day(now);
        let plans = read.into_iter().zip(asked).enumerate().map(|(place, (read, asked))| {
            let submission = read?;
            // Taken before anything can fail: the next one must not get it.
            let examination = examined
                .next()
                .ok_or_else(|| anyhow::anyhow!("a sound request was not examined"))?;
            let content = asked.message.request.as_ref().map(coupons::content_sha256);
            let content = content.ok_or_else(|| anyhow::anyhow!("a sound call has a request"))??;
            let caller = &asked.call.caller;
            // A system's clock may be set back between the door and here.
            let accepted_at = accepted_at.max(submission.received_at);
            let (receipt, secret) = accepting::signed(&self.coupons, caller, content, accepted_at)?;
            Ok(Plan {
                receipt,
                secret,
                viewer: Viewer::of(&caller.name, caller.is_official(), &rules.bodies, today),
                known_by: KnownBy::of(&submission),
                earlier: match &shown {
                    Ok(found) => found.of(place),
                    Err(error) if asked.message.validate_only => return Err(error.again()),
                    Err(_) => Earlier::default(),
                },
                submission,
                examination,
                rules: Arc::clone(rules),
                examined_at: now,
            })
        });
        plans.collect()
    }

    /// What those come after that are only checked. The others are stored, and it is found on the way.
    async fn before_checks(&self, asked: &[&Asked], read: &[Result<Submission, Error>]) -> Result<Found, Error> {
        let checked = read.iter().zip(asked).enumerate();
        let checked = checked.filter(|(_, (_, asked))| asked.message.validate_only);
        let known_by = checked.filter_map(|(place, (read, _))| Some((place, KnownBy::of(read.as_ref().ok()?))));
        let known_by: Vec<(usize, KnownBy)> = known_by.collect();
        if known_by.is_empty() {
            return Ok(Found::default());
        }
        let sought = Sought::of(known_by.iter().map(|(place, known_by)| (*place, known_by)));
        let mut connection = self.context.db.writing().await?;
        Ok(db::earlier::find(&mut connection, &sought).await?)
    }
}

/// The attachments that submissions name, by their ids.
type Files = HashMap<Uuid, Attachment>;

/// Looks up the attachments that submissions name and that are still to be had; most name none, and cost nothing.
async fn attachments(
    context: &Context,
    limits: &Limits,
    messages: impl IntoIterator<Item = &SubmitRequestRequest>,
) -> Result<Files, Error> {
    let requests = messages.into_iter().filter_map(|message| message.request.as_ref());
    let ids: Vec<Uuid> = requests.flat_map(parse_attachments::ids).collect();
    if ids.is_empty() {
        return Ok(Files::new());
    }
    let mut connection = context.db.connection().await?;
    let mut found = db::attachment::get(&mut connection, &ids).await?;
    let now = context.now();
    found.retain(|_, attachment| !limits.has_expired(attachment, now));
    Ok(found)
}

/// The door: who brings it, then everything that is wrong with it.
fn read(
    mut violations: Violations,
    call: &Call,
    message: &SubmitRequestRequest,
    rules: &Rules,
    files: &Files,
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
    let mut submission = parse::submission(&mut violations, request, &door);
    let attachments = parse_attachments::attachments(&mut violations, request, &call.caller.name, files);
    if let Some(submission) = &mut submission {
        submission.attachments = attachments;
    }
    violations.sound(submission)
}
