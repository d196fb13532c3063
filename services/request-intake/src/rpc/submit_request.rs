//! SubmitRequest.

use jiff::Timestamp;
use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    due::follow,
    write::{self, Mutation, Outcome, Write},
    zone,
};
use legalstat_proto::requests::v1::{self as proto, SubmitRequestRequest};
use rand::RngExt;
use uuid::{NoContext, Uuid};

use super::{RequestIntake, bringing_roles, convert, parse};
use crate::{
    clients, db,
    domain::{
        examination::Examination,
        names,
        registration::coupon_number,
        request::{CallerRole, Channel, Receipt, Request, Submission},
        rules::Rules,
    },
    error::IntakeError,
};

/// How many coupon numbers are tried before a collision is taken for a fault.
const COUPONS: usize = 8;

pub(super) async fn submit_request(
    service: &RequestIntake,
    call: &Call,
    message: SubmitRequestRequest,
) -> Result<proto::Request, Error> {
    let context = &service.context;
    let mut violations = Violations::new();
    let request_id = violations.request_id("request_id", &message.request_id);
    let mutation = Mutation::of(call, &"", request_id, message.validate_only, &message);
    // A repeated call is answered from what is stored: the rules may have changed since, and nobody is asked again.
    if write::was_answered(context, call, request_id).await? {
        return write::carry_out(context, mutation, |_| {
            Box::pin(async { Err(anyhow::anyhow!("an answer that was stored is gone").into()) })
        })
        .await;
    }
    let rules = db::rules::read(&context.db).await?;
    let submission = read(violations, call, &message, &rules, context.now())?;
    // Asked before the transaction: no row is locked while another service takes its time.
    let examination = service.services.examine(&submission, &rules).await;
    let accepted_by = call.caller.name.clone();
    let validate_only = message.validate_only;
    write::carry_out(context, mutation, move |write| {
        Box::pin(async move {
            let examination = if is_current(write, &examination).await? {
                examination
            } else {
                clients::put_off(&submission, &rules)
            };
            if validate_only {
                Ok(show(write, submission, examination))
            } else {
                accept(write, &accepted_by, submission, examination).await
            }
        })
    })
    .await
}

/// Whether the due date still holds: the calendar may have changed since it was asked.
async fn is_current(write: &mut Write, examination: &Examination) -> Result<bool, Error> {
    match &examination.deadline {
        Some(deadline) => Ok(follow::is_current(write.connection(), &deadline.calendar_version).await?),
        None => Ok(true),
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
    let brought_as = match parse::known_word(request.channel, &Channel::ALL, convert::channel) {
        None => None,
        Some(channel) => {
            let rule = rules.caller_channel(&roles, channel, zone::civil_day(now));
            let refused = || IntakeError::ChannelNotOfCaller {
                caller: call.caller.name.clone(),
                channel,
            };
            Some(rule.ok_or_else(refused)?.role)
        }
    };
    let records = brought_as.map_or_else(
        || roles.contains(&CallerRole::Operator),
        |role| role == CallerRole::Operator,
    );
    let door = parse::Door { rules, now, records };
    let submission = parse::submission(&mut violations, request, &door);
    violations.sound(submission)
}

/// Answers a call that only checks: the examination, without name, coupon and number.
fn show(write: &Write, submission: Submission, examination: Examination) -> Outcome<proto::Request> {
    let shown = Request {
        receipt: None,
        submission,
        examination,
        examined_at: write.now(),
        registration_number: None,
    };
    Outcome::each(Vec::new(), convert::request(shown))
}

async fn accept(
    write: &mut Write,
    accepted_by: &str,
    submission: Submission,
    examination: Examination,
) -> Result<Outcome<proto::Request>, Error> {
    let now = write.now();
    let receipt = insert(write, accepted_by, &submission).await?;
    let explanation = db::storing::explain(write.connection(), &examination).await?;
    // The year's counter is locked as late as possible: all registrations wait for it.
    let registration_number = db::registration::take_number(write.connection(), &examination).await?;
    let number = registration_number.as_deref();
    db::storing::conclude(write.connection(), receipt.id, &examination, explanation, number, now).await?;
    let name = names::request(receipt.id);
    let accepted = Request {
        receipt: Some(receipt),
        submission,
        examination,
        examined_at: now,
        registration_number,
    };
    Ok(Outcome::of(&name, "request.accepted", convert::request(accepted)))
}

async fn insert(write: &mut Write, accepted_by: &str, submission: &Submission) -> Result<Receipt, Error> {
    // A system's clock may be set back between the door and here.
    let accepted_at = write.now().max(submission.received_at);
    let seconds = accepted_at.as_second().unsigned_abs();
    let unix = uuid::Timestamp::from_unix(NoContext, seconds, accepted_at.subsec_nanosecond().unsigned_abs());
    for _ in 0..COUPONS {
        #[expect(
            clippy::disallowed_methods,
            reason = "here the call comes in: what decides gets the number as a parameter"
        )]
        let receipt = Receipt {
            id: Uuid::new_v7(unix),
            coupon_number: coupon_number(zone::civil_day(accepted_at), rand::rng().random()),
            accepted_at,
            accepted_by: accepted_by.to_owned(),
        };
        if db::storing::insert(write.connection(), &receipt, submission).await? {
            return Ok(receipt);
        }
    }
    Err(Error::Unknown(anyhow::anyhow!(
        "{COUPONS} coupon numbers in a row were taken"
    )))
}
