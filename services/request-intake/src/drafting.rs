//! Drafts the answer to a request from what the form registry holds: for the official who asks for it, and for the job that needs
//! nobody to ask.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use legalstat_answer_document::{
    MOST_BYTES,
    answer::{self as document, Language},
    canonical,
};
use legalstat_kit::{Error, Refusal, door::wire, zone};
use legalstat_proto::common::v1::ErrorReason;
use sqlx::PgConnection;
use tonic::Code;

use crate::{
    clients::form_registry::FormRegistry,
    db::{self, answer::Version, request::Stored},
    domain::{
        amendment,
        answering::{AnswerRules, Draft, Gathered, Looked, PassedOn, Why, asking},
        evidence::Answer,
        request::{self, Submission},
        rules::Rules,
    },
};

/// The most that is waited for the form registry.
const GATHERING: Duration = Duration::from_secs(15);

/// Gathers what a request asks for here and not of the body that items were passed on to, with what items mean where an official says so; nothing while the form registry is away.
pub async fn gather(
    form_registry: &FormRegistry,
    submission: &Submission,
    meanings: &HashMap<usize, String>,
    passed_on: &[PassedOn],
) -> Option<Gathered> {
    let items = asking(submission, meanings, passed_on);
    let asked_for: Vec<request::Item> = items.iter().map(|(_, item)| item.clone()).collect();
    let mut looked = vec![Looked::Without(Why::NotStatistics, String::new()); submission.items.len()];
    let mut sources = Vec::new();
    if !asked_for.is_empty() {
        match form_registry.gather(&asked_for, GATHERING).await {
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
            Answer::Away => return None,
        }
    }
    Some(Gathered { items: looked, sources })
}

/// What a draft is made with besides its request.
pub struct Drafting<'d> {
    pub rules: &'d Rules,
    pub answer_rules: &'d AnswerRules,
    /// The language that was asked for; that of the request without one.
    pub wanted: Option<Language>,
    /// Who drafts.
    pub by: &'d str,
}

impl Drafting<'_> {
    /// The next version of the answer to a locked request, with the digest of what it answers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn assemble(
        &self,
        connection: &mut PgConnection,
        stands: &Stored,
        mut gathered: Gathered,
        now: Timestamp,
    ) -> Result<(document::Answer, Vec<u8>), sqlx::Error> {
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
        let submission_sha256 = amendment::digest(&stands.submission, &forwarded).to_vec();
        Ok((draft.assemble(gathered), submission_sha256))
    }
}

/// A version of an answer as it is stored, with the digest of the request that it answers.
///
/// # Errors
/// RESOURCE_EXHAUSTED when it is larger than an answer may be.
pub fn version(
    answer: &document::Answer,
    submission_sha256: Option<Vec<u8>>,
    by: &str,
    now: Timestamp,
) -> Result<Version, Error> {
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
        submission_sha256,
        approval: None,
    })
}
