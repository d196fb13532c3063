//! AskClarification.

use jiff::{ToSpan, civil::Date};
use legalstat_kit::{Call, Error, FieldReason, Violations, door::wire, law::LocalizedText, zone};
use legalstat_proto::requests::v1::{self as proto, AskClarificationRequest};

use super::{
    RequestIntake,
    deciding::{self, Asked, Deed, Done, Ordered, REASON},
    owed,
};
use crate::{
    db::{self, clarification::Defect, request::Stored},
    domain::{
        amendment,
        decision::Terms,
        life::Verb,
        request::{Language, State, Submission},
        rules::Rules,
    },
    error,
};

/// The most defects that are told at once.
const DEFECTS: usize = 20;
/// The longest path of a field.
const FIELD: usize = 100;

pub(super) async fn ask_clarification(
    service: &RequestIntake,
    call: &Call,
    message: AskClarificationRequest,
) -> Result<proto::Request, Error> {
    let mut violations = Violations::new();
    let defects = defects(&mut violations, &message.defects);
    let cure_by = message.cure_by.as_ref();
    let cure_by = cure_by.and_then(|day| violations.check("cure_by", FieldReason::Date, wire::date(day)));
    let AskClarificationRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let asked = violations.sound(asked)?;
    let rules = service.rules.get(&service.context.db).await?;
    let deed = Deed {
        verb: Verb::AskClarification,
        events: ("request.clarification_asked", "request.clarification_asked"),
    };
    deciding::decide(service, call, &message, asked, deed, move |write, stands| {
        Box::pin(async move {
            let ordered = deciding::ordered(&rules, stands, Verb::AskClarification, "", None)?;
            of_its_fields(&stands.submission, &defects)?;
            let id = stands.receipt.id;
            let before = db::clarification::asked_about(write.connection(), id).await?;
            if let Some(defect) = defects.iter().find(|defect| before.contains(&defect.field)) {
                return Err(error::clarification_repeated(&defect.field, &ordered.legal_basis).into());
            }
            let today = zone::civil_day(write.now());
            let cure_by = match running(&rules, stands)? {
                Some(last) => still_running(&ordered, last, today, cure_by)?,
                None => within_bounds(&ordered, today, cure_by)?,
            };
            if stands.standing.state != State::AwaitingClarification {
                let now = write.now();
                db::clock_stop::stop(write.connection(), id, now, cure_by).await?;
            }
            db::clarification::ask(write.connection(), id, &defects).await?;
            db::clarification::set_cure_by(write.connection(), id, cure_by).await?;
            Ok(Done {
                reason: told(&defects, stands.submission.language),
                legal_basis: Some(ordered.legal_basis),
                terms: Terms {
                    until: Some(cure_by),
                    ..Terms::default()
                },
                ..Done::default()
            })
        })
    })
    .await
}

fn defects(violations: &mut Violations, given: &[proto::Defect]) -> Vec<Defect> {
    violations.count("defects", given.len(), DEFECTS);
    let mut defects: Vec<Defect> = Vec::new();
    for (place, defect) in given.iter().enumerate().take(DEFECTS) {
        let path = |name: &str| format!("defects[{place}].{name}");
        let field = violations.optional_name(&path("field"), &defect.field, FIELD);
        if defects.iter().any(|other| other.field == field) {
            violations.add(path("field"), FieldReason::Duplicate, "another defect is of this field");
        }
        let text = defect.text.clone().unwrap_or_default();
        let mut read = |language, text: &str| violations.optional_text(&path(language), text, REASON);
        let text = LocalizedText {
            kk: read("text.kk", &text.kk),
            ru: read("text.ru", &text.ru),
            en: read("text.en", &text.en),
        };
        if text == LocalizedText::default() {
            violations.add(path("text"), FieldReason::Required, "required: what is missing");
        }
        defects.push(Defect { field, text });
    }
    defects
}

fn text_in(text: &LocalizedText, language: Language) -> &str {
    match language {
        Language::Kk => &text.kk,
        Language::Ru => &text.ru,
    }
}

/// Refuses a defect of a field that the request does not have, which would be a second spelling of another, and one that is not told
/// in the language in which the requester wrote.
fn of_its_fields(submission: &Submission, defects: &[Defect]) -> Result<(), Error> {
    let language = match submission.language {
        Language::Kk => "kk",
        Language::Ru => "ru",
    };
    let mut violations = Violations::new();
    for (place, defect) in defects.iter().enumerate() {
        if !amendment::has(submission, &defect.field) {
            let description =
                "a field that the request has, spelled as in items[0].period; empty for the whole request";
            violations.add(format!("defects[{place}].field"), FieldReason::Unknown, description);
        }
        if text_in(&defect.text, submission.language).is_empty() {
            let field = format!("defects[{place}].text.{language}");
            violations.add(field, FieldReason::Required, "required: the language of the request");
        }
    }
    Ok(violations.refuse()?)
}

/// What the requester is asked, as the reason of the decision.
fn told(defects: &[Defect], language: Language) -> String {
    let told: Vec<&str> = defects.iter().map(|defect| text_in(&defect.text, language)).collect();
    told.join("\n")
}

/// The last day of the time for curing that runs already, or has passed.
fn running(rules: &Rules, stands: &Stored) -> Result<Option<Date>, Error> {
    match stands.standing.state {
        State::AwaitingClarification => Ok(Some(owed::cure_by(rules, stands)?)),
        _ => Ok(None),
    }
}

/// What is asked besides is cured in the time that runs already: another question puts nothing off.
fn still_running(ordered: &Ordered<'_>, last: Date, today: Date, chosen: Option<Date>) -> Result<Date, Error> {
    if last < today {
        return Err(error::cure_term_passed(last, &ordered.legal_basis).into());
    }
    if chosen.is_some_and(|chosen| chosen != last) {
        let mut violations = Violations::new();
        let description = format!("the time for curing runs already, until {last}: leave it out");
        violations.add_by_law("cure_by", FieldReason::Conflict, description, &ordered.legal_basis);
        violations.refuse()?;
    }
    Ok(last)
}

/// The last day for curing the defects.
fn within_bounds(ordered: &Ordered<'_>, today: Date, chosen: Option<Date>) -> Result<Date, Error> {
    let days = ordered.rule.cure_days;
    let days = days.ok_or_else(|| anyhow::anyhow!("the rule for asking has no time for curing"))?;
    let after = |days: i32| today.saturating_add(days.days());
    let Some(chosen) = chosen else {
        return Ok(after(days.usual));
    };
    let (first, last) = (after(days.shortest), after(days.longest));
    if !(first..=last).contains(&chosen) {
        let mut violations = Violations::new();
        let description = format!("from {first} to {last}");
        violations.add_by_law("cure_by", FieldReason::OutOfRange, description, &ordered.legal_basis);
        violations.refuse()?;
    }
    Ok(chosen)
}
