//! ReviewDecision.

use std::sync::Arc;

use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    door::word::{self, Word},
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
    let ReviewDecisionRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let asked = violations.sound(asked)?;
    let rules = service.rules.get(&service.context.db).await?;
    let texts = Arc::clone(&service.texts);
    let deed = Deed {
        verb: Verb::ReviewDecision,
        events: ("request.decision_reviewed", "request.decision_reviewed"),
    };
    deciding::decide(service, call, &message, asked, deed, move |write, stands| {
        Box::pin(async move {
            let ordered = deciding::ordered(&rules, stands, Verb::ReviewDecision, "", None)?;
            let connection = write.connection();
            only_of_system(connection, stands).await?;
            let checks = checks(connection, &texts, stands).await?;
            let decided = decided(&checks, &reviews)?;
            let again = is_examined_again(connection, stands, &rules, &checks, &decided).await?;
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
                    ..Terms::default()
                },
                instead: (held && again).then_some(Verb::ReverseDecision),
                ..Done::default()
            })
        })
    })
    .await
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
