//! RecordNotice. It is no verb of the request's life, for it is recorded of requests that have ended too, and the release before knows
//! no such decision.

use jiff::civil::Date;
use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    call::Done,
    door::{
        wire,
        word::{self, Word as _},
    },
    write::{self, Mutation, Outcome},
};
use legalstat_proto::requests::v1::{self as proto, RecordNoticeRequest};

use super::{
    RequestIntake,
    deciding::{self, Asked},
    seeing,
    showing::Showing,
};
use crate::{
    db,
    domain::{
        decision::{Decision, NotTold, Notice, NoticeMeans},
        names,
    },
};

pub(super) async fn record_notice(
    service: &RequestIntake,
    call: Call,
    message: RecordNoticeRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    let on = deciding::notified_on(&mut violations, message.notified_on.as_ref(), service.context.now());
    if message.notified_on.is_none() {
        violations.add(
            "notified_on",
            FieldReason::Required,
            "required: when the requester was told",
        );
    }
    let (given, all) = (message.means, NoticeMeans::ALL);
    let means = word::required(&mut violations, "means", given, all, means_of);
    let RecordNoticeRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let ((asked, on), means) = violations.sound(asked.zip(on).zip(means))?;
    let (name, place) = (names::request(asked.id), message.decision);
    let mutation = Mutation::of(&call, &name, asked.request_id, asked.validate_only, &message);
    let showing = Showing::of(service);
    write::carry_out(&service.context, mutation, move |write| {
        Box::pin(async move {
            let stands = deciding::locked(write.connection(), &asked).await?;
            let stands = seeing::whole(&showing.rules, &showing.context, &call, asked.id, stands).await?;
            deciding::require_etag(&stands, &asked)?;
            write.not_before(stands.standing.changed_at.unwrap_or(stands.receipt.accepted_at));
            let decided = db::decision::of_each(write.connection(), &[asked.id]).await?;
            let decided = decided.get(&asked.id).map(Vec::as_slice).unwrap_or_default();
            let decision = usize::try_from(place).ok().and_then(|place| decided.get(place));
            let allowed = decision.map_or(Err(NotTold::Missing), |decision| decision.may_be_told(on));
            allowed.map_err(|why| refused(why, decided))?;
            let recorded = Done {
                by: call.caller.name.clone(),
                at: write.now(),
            };
            let notice = Notice { on, means, recorded };
            db::notice::insert(write.connection(), asked.id, place, &notice).await?;
            let told = deciding::told(&stands);
            let answer = showing.left(write, &asked, &call).await?;
            Ok(Outcome::of(&name, "request.notice_recorded", answer).telling(&told))
        })
    })
    .await
}

/// A notice as its callers see it.
pub(super) fn told(notice: Notice, notify_by: Option<Date>) -> proto::RequesterNotice {
    proto::RequesterNotice {
        notified_on: Some(wire::to_date(notice.on)),
        means: means_of(notice.means),
        recorded_by: notice.recorded.by,
        record_time: Some(wire::to_timestamp(notice.recorded.at)),
        late: notify_by.is_some_and(|by| by < notice.on),
    }
}

fn means_of(means: NoticeMeans) -> i32 {
    match means {
        NoticeMeans::UnifiedEdms => proto::NoticeMeans::UnifiedEdms,
        NoticeMeans::Kadagalau => proto::NoticeMeans::Kadagalau,
        NoticeMeans::EGovernment => proto::NoticeMeans::EGovernment,
        NoticeMeans::Post => proto::NoticeMeans::Post,
        NoticeMeans::InPerson => proto::NoticeMeans::InPerson,
        NoticeMeans::Email => proto::NoticeMeans::Email,
        NoticeMeans::Telephone => proto::NoticeMeans::Telephone,
    }
    .into()
}

fn refused(why: NotTold, decided: &[Decision]) -> Refusal {
    let untold = decided.iter().enumerate().filter(|(_, one)| {
        let terms = &one.terms;
        one.is_to_be_told() && terms.notice.is_none() && terms.notified_on.is_none()
    });
    let untold: Vec<String> = untold.map(|(place, _)| place.to_string()).collect();
    let open = match untold.as_slice() {
        [] => "no decision on this request waits for a notice".to_owned(),
        untold => format!("of this request {} wait for a notice", untold.join(", ")),
    };
    match why {
        NotTold::Missing => Violations::one(
            "decision",
            FieldReason::OutOfRange,
            &format!("there is no such decision; {open}"),
        ),
        NotTold::Unneeded => Violations::one(
            "decision",
            FieldReason::Conflict,
            &format!("it is neither a forwarding nor an extension; {open}"),
        ),
        NotTold::Recorded => Violations::one(
            "decision",
            FieldReason::Duplicate,
            &format!("that the requester was told of it is recorded; {open}"),
        ),
        NotTold::Earlier => Violations::one(
            "notified_on",
            FieldReason::Range,
            "must not lie before the day of the decision",
        ),
    }
}
