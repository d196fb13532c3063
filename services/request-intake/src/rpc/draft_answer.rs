//! DraftAnswer.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use legalstat_answer_document::{
    MOST_BYTES,
    answer::{self as document, Language},
    canonical,
};
use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    door::{wire, word},
    write, zone,
};
use legalstat_proto::{
    common::v1::ErrorReason,
    requests::v1::{self as proto, DraftAnswerRequest},
};
use sqlx::PgConnection;
use tonic::Code;

use super::{
    RequestIntake,
    answering::{self, language},
    deciding::{self, Asked, Deed, Done},
    seeing,
};
use crate::{
    db::{self, answer::Version, request::Stored},
    domain::{
        amendment,
        answering::{AnswerRules, Draft, Gathered, Looked, Why, asking},
        evidence::Answer,
        life::{self, Verb},
        names,
        request::{self, Submission},
        rules::Rules,
    },
    error,
};

/// The most that is waited for the form registry.
const GATHERING: Duration = Duration::from_secs(15);
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
                    return Err(error::changed(&names::request(stands.receipt.id)).into());
                }
                let now = write.now();
                let drafting = Drafting {
                    rules: &rules,
                    answer_rules: &answer_rules,
                    wanted,
                    by: &by,
                };
                drafting.store(write.connection(), stands, gathered, now).await?;
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
    let stored = seeing::visible(&service.rules, &service.context, call, asked.id, found).await?;
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
    let items = asking(&stored.submission, meanings, &passed_on);
    let asked_for: Vec<request::Item> = items.iter().map(|(_, item)| item.clone()).collect();
    let mut looked = vec![Looked::Without(Why::NotStatistics, String::new()); count];
    let mut sources = Vec::new();
    if !asked_for.is_empty() {
        match service.form_registry.gather(&asked_for, GATHERING).await {
            Answer::Given(gathered) => {
                for ((at, _), found) in items.iter().zip(gathered.items) {
                    looked[*at] = found;
                }
                sources = gathered.sources;
            }
            Answer::Refused(_) => {
                for (at, _) in &items {
                    looked[*at] = Looked::Without(Why::Untold, String::new());
                }
            }
            Answer::Away => {
                return Err(
                    Refusal::unavailable("the form registry is away: an answer cannot be drafted without it").into(),
                );
            }
        }
    }
    Ok((stored.submission, Gathered { items: looked, sources }))
}

struct Drafting<'d> {
    rules: &'d Rules,
    answer_rules: &'d AnswerRules,
    wanted: Option<Language>,
    by: &'d str,
}

impl Drafting<'_> {
    async fn store(
        &self,
        connection: &mut PgConnection,
        stands: &Stored,
        mut gathered: Gathered,
        now: Timestamp,
    ) -> Result<(), Error> {
        let id = stands.receipt.id;
        let passed_on = db::decision::passed_on(connection, id).await?;
        let forwarded: Vec<i32> = passed_on.iter().filter_map(|one| one.item.try_into().ok()).collect();
        for one in passed_on {
            if let Some(looked) = gathered.items.get_mut(one.item) {
                *looked = Looked::Elsewhere(one);
            }
        }
        let last = db::answer::last(connection, id).await?.map_or(0, |last| last.version);
        let writers = db::answer::writers(connection, id).await?;
        let drafted_by = writers.first().map_or(self.by, String::as_str);
        let mut edited_by: Vec<String> = writers.iter().skip(1).cloned().collect();
        if drafted_by != self.by && !edited_by.iter().any(|name| name == self.by) {
            edited_by.push(self.by.to_owned());
        }
        let of_request = match stands.submission.language {
            request::Language::Kk => Language::Kk,
            request::Language::Ru => Language::Ru,
        };
        let draft = Draft {
            receipt: &stands.receipt,
            registration_number: stands.registration_number.as_deref(),
            registered_on: stands.deadline.as_ref().map(|deadline| deadline.registered_on),
            submission: &stands.submission,
            language: self.wanted.unwrap_or(of_request),
            rules: self.rules,
            answer_rules: self.answer_rules,
            version: last.unsigned_abs() + 1,
            drafted_by,
            edited_by,
            today: zone::civil_day(now),
        };
        let mut version = version(&draft.assemble(gathered), self.by, now)?;
        version.submission_sha256 = Some(amendment::digest(&stands.submission, &forwarded).to_vec());
        db::answer::insert(connection, id, &version).await?;
        Ok(())
    }
}

/// A version of an answer as it is stored.
///
/// # Errors
/// RESOURCE_EXHAUSTED when it is larger than an answer may be.
pub(super) fn version(answer: &document::Answer, by: &str, now: Timestamp) -> Result<Version, Error> {
    let canonical = canonical(answer);
    if canonical.len() > MOST_BYTES {
        let problem = format!(
            "it has {} bytes, and an answer has {MOST_BYTES} at most",
            canonical.len()
        );
        let reason = ErrorReason::DocumentNotRendered;
        let refusal = Refusal::new(
            Code::ResourceExhausted,
            reason,
            format!("the answer is too large: {problem}"),
        );
        return Err(refusal.with("problem", &problem).into());
    }
    Ok(Version {
        version: i32::try_from(answer.version).unwrap_or(i32::MAX),
        sha256: wire::sha256(&canonical).to_vec(),
        canonical,
        written_by: by.to_owned(),
        written_at: now,
        submission_sha256: None,
        approval: None,
    })
}
