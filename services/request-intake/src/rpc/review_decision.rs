//! ReviewDecision.

use std::sync::Arc;

use jiff::{ToSpan, civil::Date};
use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    door::{
        wire,
        word::{self, Word},
    },
    law::LegalBasis,
    zone,
};
use legalstat_proto::requests::v1::{self as proto, ReviewDecisionRequest};
use sqlx::PgConnection;

use super::{
    RequestIntake,
    amending::asked_by_examination,
    convert,
    deciding::{self, Asked, Deed, Done, REASON},
};
use crate::{
    db::{self, request::Stored},
    domain::{
        decision::Terms,
        due_by_hand,
        examination::{Check, CheckRule, Outcome},
        life::Verb,
        names,
        request::State,
        review,
        rules::Rules,
    },
    error,
    shared_texts::SharedTexts,
};

/// The most verdicts at once: a request of a hundred items has four checks of each.
const REVIEWS: usize = 400;
/// The longest path of a field.
const FIELD: usize = 100;
/// The longest text of a law.
const LAW: usize = 300;

/// A verdict on a check.
struct Review {
    rule: CheckRule,
    field: String,
    kept: bool,
}

pub(super) async fn review_decision(
    service: &RequestIntake,
    call: &Call,
    message: ReviewDecisionRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    let reviews = reviews(&mut violations, &message.reviews);
    let reason = violations.text("reason", &message.reason, REASON);
    let entered = entered(&mut violations, &message, zone::civil_day(service.context.now()));
    let ReviewDecisionRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let asked = violations.sound(asked)?;
    let rules = service.rules.get(&service.context.db).await?;
    let texts = Arc::clone(&service.texts);
    // A due date that an official enters ends the examination: the request has its number from then on, which is told as such.
    let kind = match entered {
        Some(_) => "request.examined",
        None => "request.decision_reviewed",
    };
    let deed = Deed {
        verb: Verb::ReviewDecision,
        events: (kind, kind),
    };
    deciding::decide(service, call, &message, asked, deed, move |write, stands| {
        Box::pin(async move {
            let ordered = deciding::ordered(&rules, stands, Verb::ReviewDecision, "", None)?;
            let connection = write.connection();
            only_of_system(connection, stands).await?;
            let checks = checks(connection, &texts, stands).await?;
            let decided = decided(&checks, &reviews)?;
            let again = entered.is_none() && is_examined_again(connection, stands, &rules, &checks, &decided).await?;
            if let Some(entered) = &entered {
                entered.require_undetermined(stands, &checks, &decided)?;
                let deadline = due_by_hand::deadline(stands.submission.received_on(), entered.due_date, &entered.basis);
                let number = db::registration::take_numbers(connection, &[deadline.registered_on.year()])
                    .await?
                    .pop();
                let number = number.ok_or_else(|| anyhow::anyhow!("one year has one number"))?;
                db::due_date::enter(connection, stands.receipt.id, &deadline, &number).await?;
            }
            let state = stands.standing.state;
            if again && state == State::AwaitingClarification {
                let now = write.now();
                db::clarification::provided(write.connection(), stands.receipt.id, now).await?;
            }
            let held = [State::LeftWithoutConsideration, State::AwaitingClarification].contains(&state);
            Ok(Done {
                reason,
                legal_basis: Some(ordered.legal_basis),
                terms: Terms {
                    checks: decided,
                    examine_again: again,
                    until: entered.as_ref().map(|entered| entered.due_date),
                    ..Terms::default()
                },
                instead: match entered {
                    Some(_) => Some(Verb::Register),
                    None => (held && again).then_some(Verb::ReverseDecision),
                },
                ..Done::default()
            })
        })
    })
    .await
}

/// A due date that an official enters.
struct Entered {
    due_date: Date,
    basis: LegalBasis,
}

fn entered(violations: &mut Violations, message: &ReviewDecisionRequest, today: Date) -> Option<Entered> {
    let Some(due_date) = &message.due_date else {
        if message.due_date_basis.is_some() {
            violations.add("due_date_basis", FieldReason::Conflict, "only with due_date");
        }
        return None;
    };
    let due_date = violations.check("due_date", FieldReason::Date, wire::date(due_date));
    let latest = today.saturating_add(2.years());
    if due_date.is_some_and(|day| day <= today || day > latest) {
        violations.add(
            "due_date",
            FieldReason::OutOfRange,
            format!("after {today}, and not after {latest}"),
        );
    }
    let given = message.due_date_basis.clone().unwrap_or_default();
    let basis = LegalBasis {
        act: violations.name("due_date_basis.act", &given.act, LAW),
        provision: violations.optional_name("due_date_basis.provision", &given.provision, LAW),
        uri: violations.optional_name("due_date_basis.uri", &given.uri, LAW),
        assumed: given.assumed,
    };
    Some(Entered {
        due_date: due_date?,
        basis,
    })
}

impl Entered {
    /// Refuses it unless nothing but the due date, which the calendar does not compute, keeps the request from its registration.
    fn require_undetermined(&self, stands: &Stored, checks: &[Check], decided: &[(Check, bool)]) -> Result<(), Error> {
        let is_kept = |(check, kept): &(Check, bool)| {
            *kept && check.rule == CheckRule::DueDate && check.outcome == Outcome::Undetermined
        };
        let waits = checks.iter().any(|check| check.outcome == Outcome::Pending);
        let description = if stands.standing.state != State::Received || !decided.iter().any(is_kept) {
            "only with the verdict KEPT on a DUE_DATE that is UNDETERMINED, of a request that is RECEIVED"
        } else if waits {
            "another check is PENDING: enter it once that is made"
        } else {
            return Ok(());
        };
        Err(Violations::one("due_date", FieldReason::Conflict, description).into())
    }
}

fn reviews(violations: &mut Violations, given: &[proto::CheckReview]) -> Vec<Review> {
    violations.count("reviews", given.len(), REVIEWS);
    let mut reviews: Vec<Review> = Vec::new();
    for (place, review) in given.iter().enumerate().take(REVIEWS) {
        let path = |name: &str| format!("reviews[{place}].{name}");
        let rule = word::required(violations, &path("rule"), review.rule, CheckRule::ALL, convert::rule);
        let field = violations.optional_name(&path("field"), &review.field, FIELD);
        let kept = word::required(violations, &path("verdict"), review.verdict, &[true, false], verdict);
        if reviews
            .iter()
            .any(|other| Some(other.rule) == rule && other.field == field)
        {
            violations.add(
                path("field"),
                FieldReason::Duplicate,
                "another verdict is on this check",
            );
        }
        if let Some((rule, kept)) = rule.zip(kept) {
            reviews.push(Review { rule, field, kept });
        }
    }
    reviews
}

fn verdict(kept: bool) -> i32 {
    if kept {
        proto::Verdict::Kept.into()
    } else {
        proto::Verdict::Broken.into()
    }
}

/// Of what was left without consideration only the system's decision is reviewed.
async fn only_of_system(connection: &mut PgConnection, stands: &Stored) -> Result<(), Error> {
    let id = stands.receipt.id;
    if stands.standing.state == State::LeftWithoutConsideration
        && db::decision::was_done(connection, id, Verb::LeaveWithoutConsideration).await?
    {
        return Err(error::decided_by_official(&names::request(id)).into());
    }
    Ok(())
}

/// What the examination that counts has found.
pub(super) async fn checks(
    connection: &mut PgConnection,
    texts: &SharedTexts,
    stands: &Stored,
) -> Result<Vec<Check>, Error> {
    if stands.findings.is_empty() {
        return Ok(db::finding::of_release_before(connection, stands.receipt.id, stands.round).await?);
    }
    let checks = texts.checks(connection, &stands.findings).await?;
    Ok(checks.into_iter().map(Arc::unwrap_or_clone).collect())
}

/// The checks that the verdicts are on.
fn decided(checks: &[Check], reviews: &[Review]) -> Result<Vec<(Check, bool)>, Error> {
    let mut violations = Violations::new();
    let mut decided = Vec::with_capacity(reviews.len());
    for (place, review) in reviews.iter().enumerate() {
        let found = checks
            .iter()
            .find(|check| check.rule == review.rule && check.field == review.field);
        match found {
            None => violations.add(
                format!("reviews[{place}]"),
                FieldReason::Unknown,
                "the examination has no such check; its field must be spelled as there",
            ),
            Some(check) if is_open(check.outcome) => decided.push((check.clone(), review.kept)),
            Some(check) => violations.add(
                format!("reviews[{place}]"),
                FieldReason::Conflict,
                format!("the check is {}: there is nothing to decide", check.outcome.word()),
            ),
        }
    }
    violations.refuse()?;
    Ok(decided)
}

const fn is_open(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failed | Outcome::Proposed | Outcome::Undetermined)
}

/// Whether the request is examined again: when every ground on which the system left it or asked its requester is found kept, or when a
/// due date could not be computed.
async fn is_examined_again(
    connection: &mut PgConnection,
    stands: &Stored,
    rules: &Rules,
    checks: &[Check],
    decided: &[(Check, bool)],
) -> Result<bool, Error> {
    match stands.standing.state {
        State::LeftWithoutConsideration => {
            let kept = kept(connection, stands, decided).await?;
            let received_on = stands.submission.received_on();
            Ok(review::is_reversed(checks, &kept, rules, received_on))
        }
        State::AwaitingClarification => {
            let kept = kept(connection, stands, decided).await?;
            Ok(review::asks_no_more(checks, &kept) && asked_by_examination(connection, stands).await?)
        }
        State::Received => Ok(decided.iter().any(|(check, _)| check.rule == CheckRule::DueDate)),
        _ => Ok(false),
    }
}

/// The checks whose rules officials have found kept, with these verdicts.
async fn kept(
    connection: &mut PgConnection,
    stands: &Stored,
    decided: &[(Check, bool)],
) -> Result<Vec<Check>, sqlx::Error> {
    let id = stands.receipt.id;
    let found = db::review::kept(connection, &[id]).await?.remove(&id);
    let mut kept = found.unwrap_or_default();
    kept.retain(|check| !decided.iter().any(|(other, _)| other == check));
    kept.extend(decided.iter().filter(|(_, kept)| *kept).map(|(check, _)| check.clone()));
    Ok(kept)
}
