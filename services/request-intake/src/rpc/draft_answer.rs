//! DraftAnswer.

use std::collections::HashMap;

use legalstat_answer_document::answer::Language;
use legalstat_kit::{Call, Error, FieldReason, Refusal, Violations, door::word, write};
use legalstat_proto::requests::v1::{self as proto, DraftAnswerRequest};

use super::{
    RequestIntake,
    answering::{self, language},
    deciding::{self, Asked, Deed, Done},
    seeing,
};
use crate::{
    db,
    domain::{
        answering::Gathered,
        life::{self, Verb},
        names,
        request::Submission,
    },
    drafting::{self, Drafting},
};

/// How many items a request has at most.
const MOST_ITEMS: usize = 100;

pub(super) async fn draft_answer(
    service: &RequestIntake,
    call: &Call,
    message: DraftAnswerRequest,
) -> Result<proto::Answer, Error> {
    let mut violations = Violations::new();
    let wanted = word::optional(&mut violations, "language", message.language, &Language::ALL, language);
    let meanings = meanings(&mut violations, &message);
    let DraftAnswerRequest {
        name, etag, request_id, ..
    } = &message;
    let asked = Asked::read(&mut violations, name, etag, request_id, message.validate_only);
    let asked = violations.sound(asked)?;
    let gathered = gather(service, call, &asked, &meanings).await?;
    let rules = service.rules.get(&service.context.db).await?;
    let answer_rules = db::answer_rule::all(&mut *service.context.db.connection().await?).await?;
    let by = call.caller.name.clone();
    let deed = Deed {
        verb: Verb::DraftAnswer,
        events: ("request.answer_drafted", "request.answer_drafted"),
    };
    deciding::decide_to(
        service,
        call,
        &message,
        asked,
        deed,
        move |write, stands| {
            Box::pin(async move {
                let ordered = deciding::ordered(&rules, stands, Verb::DraftAnswer, "", None)?;
                let (submission, gathered) = gathered;
                if submission != stands.submission {
                    return Err(Refusal::changed(&names::request(stands.receipt.id)).into());
                }
                let now = write.now();
                let drafting = Drafting {
                    rules: &rules,
                    answer_rules: &answer_rules,
                    wanted,
                    by: &by,
                };
                let (answer, submission_sha256) = drafting.assemble(write.connection(), stands, gathered, now).await?;
                let version = drafting::version(&answer, Some(submission_sha256), &by, now)?;
                db::answer::insert(write.connection(), stands.receipt.id, &version).await?;
                Ok(Done {
                    legal_basis: Some(ordered.legal_basis),
                    ..Done::default()
                })
            })
        },
        |connection, _, left| Box::pin(answering::left(connection, left)),
    )
    .await
}

fn meanings(violations: &mut Violations, message: &DraftAnswerRequest) -> HashMap<usize, String> {
    let mut meanings = HashMap::new();
    if message.meanings.len() > MOST_ITEMS {
        violations.add("meanings", FieldReason::TooMany, format!("at most {MOST_ITEMS}"));
        return meanings;
    }
    for (place, meaning) in message.meanings.iter().enumerate() {
        let field = |name: &str| format!("meanings[{place}].{name}");
        if names::form_of_indicator(&meaning.indicator).is_none() {
            let description = "write forms/{list number}/indicators/{code}";
            violations.add(field("indicator"), FieldReason::ResourceName, description);
        }
        match usize::try_from(meaning.item).ok().filter(|item| *item < MOST_ITEMS) {
            None => violations.add(field("item"), FieldReason::OutOfRange, "the place of an item, from 0"),
            Some(item) if meanings.insert(item, meaning.indicator.clone()).is_some() => {
                violations.add(field("item"), FieldReason::Duplicate, "each item once");
            }
            Some(_) => {}
        }
    }
    meanings
}

/// Gathers what the request asks for, before anything is locked: with it the request as it was then.
async fn gather(
    service: &RequestIntake,
    call: &Call,
    asked: &Asked,
    meanings: &HashMap<usize, String>,
) -> Result<(Submission, Gathered), Error> {
    let found = service.lookup.get(asked.id).await?;
    let stored = seeing::whole(&service.rules, &service.context, call, asked.id, found).await?;
    // What was answered is answered again, whatever the form registry says by now.
    if write::was_answered(&service.context, call, asked.request_id).await? {
        return Ok((stored.submission, Gathered::default()));
    }
    let name = names::request(asked.id);
    life::step(stored.standing.state, Verb::DraftAnswer).map_err(|refused| refused.refusal(&name))?;
    let count = stored.submission.items.len();
    if let Some(beyond) = meanings.keys().find(|item| **item >= count) {
        let description = format!("the request has {count} items, and none at place {beyond}");
        return Err(Violations::one("meanings", FieldReason::OutOfRange, &description).into());
    }
    let passed_on = db::decision::passed_on(&mut *service.context.db.connection().await?, asked.id).await?;
    let gathered = drafting::gather(&service.form_registry, &stored.submission, meanings, &passed_on).await;
    let gathered = gathered
        .ok_or_else(|| Refusal::unavailable("the form registry is away: an answer cannot be drafted without it"))?;
    Ok((stored.submission, gathered))
}
