//! Drafts the answers to requests that need no judgement as soon as they are registered. An approver, who is a person, decides about
//! each like about any other; what cannot be drafted whole is left to an official.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use legalstat_kit::{
    Call, Context, job,
    write::{self, Change, Write},
};
use uuid::Uuid;

use crate::{
    clients::form_registry::FormRegistry,
    current_rules::CurrentRules,
    db::{self, request::Stored},
    domain::{
        answering::{self, AnswerRules, Gathered},
        decision::{Decision, Terms},
        life::{self, Verb},
        names,
        registration::registration_number,
        rules::Rules,
        told::Told,
    },
    drafting::{self, Drafting},
};

/// How long between two rounds.
const PAUSE: Duration = Duration::from_secs(1);
/// How many registrations are looked at in a round: what came in a rush is drafted over the next rounds.
const LOOKED_AT: i32 = 1000;
/// How many requests are read at a time.
const BATCH: i64 = 20;
/// What the journal names as the method.
const METHOD: &str = "jobs/drafting";

/// Starts the loop; it ends at the context's shutdown.
pub fn start(context: &Context, form_registry: FormRegistry, rules: Arc<CurrentRules>) {
    let job = Arc::new(Job {
        context: context.clone(),
        form_registry,
        rules,
        after: AtomicI64::new(0),
    });
    job::repeat(context, "drafting of answers", PAUSE, move || {
        let job = Arc::clone(&job);
        async move { job.round().await }
    });
}

struct Job {
    context: Context,
    form_registry: FormRegistry,
    rules: Arc<CurrentRules>,
    /// Where the last round ended: a request that cannot be drafted does not keep those behind it back.
    after: AtomicI64,
}

/// By what answers are drafted in a round.
#[derive(Clone)]
struct By {
    rules: Arc<Rules>,
    answer_rules: Arc<AnswerRules>,
}

impl Job {
    async fn round(&self) -> anyhow::Result<()> {
        self.look().await?;
        let (mut by, mut failed) = (None, Ok(()));
        loop {
            let mut connection = self.context.db.connection().await?;
            let after = self.after.load(Ordering::Relaxed);
            let waiting = db::draft::waiting(&mut connection, after, BATCH).await?;
            let last = waiting.last().map_or(0, |last| last.number);
            self.after.store(last, Ordering::Relaxed);
            if waiting.is_empty() {
                return failed;
            }
            let ids: Vec<Uuid> = waiting.iter().map(|waiting| waiting.request).collect();
            let mut found = db::request::get(&mut connection, &ids).await?;
            drop(connection);
            let by = match &by {
                Some(by) => by,
                None => by.insert(self.by().await?),
            };
            for id in ids {
                let drafted = match found.remove(&id) {
                    None => continue,
                    Some(Err(error)) => Err(error.into()),
                    Some(Ok(stored)) => self.draft(stored, by.clone()).await,
                };
                match drafted {
                    Ok(true) => {}
                    // The form registry is away: the others would wait for it in vain too.
                    Ok(false) => return failed,
                    Err(error) => failed = failed.and(Err(error.context(names::request(id)))),
                }
            }
        }
    }

    async fn by(&self) -> anyhow::Result<By> {
        let rules = self.rules.get(&self.context.db).await?;
        let answer_rules = db::answer_rule::all(&mut *self.context.db.connection().await?).await?;
        Ok(By {
            rules,
            answer_rules: Arc::new(answer_rules),
        })
    }

    /// Looks at what was registered since the last time.
    async fn look(&self) -> anyhow::Result<()> {
        let unseen = db::draft::unseen(&mut *self.context.db.connection().await?, LOOKED_AT).await?;
        let Some(unseen) = unseen else {
            return Ok(());
        };
        let year = i16::try_from(unseen.year)?;
        let numbers = (unseen.after + 1..=unseen.last).map(move |number| registration_number(year, number));
        let numbers: Vec<String> = numbers.collect();
        write::by_job(&self.context, METHOD, move |write| {
            Box::pin(async move {
                db::draft::insert_waiting(write.connection(), &numbers).await?;
                db::draft::saw(write.connection(), &unseen).await?;
                Ok(Vec::new())
            })
        })
        .await?;
        Ok(())
    }

    /// Drafts the answer to a request as it was read, or leaves it to an official. False while the form registry is away.
    async fn draft(&self, stored: Stored, by: By) -> anyhow::Result<bool> {
        let gathered = drafting::gather(&self.form_registry, &stored.submission, &HashMap::new(), &[]).await;
        let Some(gathered) = gathered else {
            return Ok(false);
        };
        write::by_job(&self.context, METHOD, move |write| {
            Box::pin(async move { store(write, &stored, gathered, &by).await })
        })
        .await?;
        Ok(true)
    }
}

async fn store(write: &mut Write, stored: &Stored, gathered: Gathered, by: &By) -> anyhow::Result<Vec<Change>> {
    let id = stored.receipt.id;
    let Some(stands) = db::draft::lock(write.connection(), id).await? else {
        return Ok(Vec::new());
    };
    if stands.is_free && stands.version != stored.standing.version {
        // It is read again in the next round.
        return Ok(Vec::new());
    }
    db::draft::settle(write.connection(), id).await?;
    if !stands.is_free {
        return Ok(Vec::new());
    }
    let (kind, day) = (stored.submission.requester.kind, stored.submission.received_on());
    // What no rule orders is no business of a job either.
    let Some(ordered) = by.rules.verb(Verb::DraftAnswer, "", kind, day) else {
        return Ok(Vec::new());
    };
    write.not_before(stored.standing.changed_at.unwrap_or(stored.receipt.accepted_at));
    let (now, system) = (write.now(), Call::system(METHOD).caller.name.clone());
    let drafting = Drafting {
        rules: &by.rules,
        answer_rules: &by.answer_rules,
        wanted: None,
        by: &system,
    };
    let (answer, submission_sha256) = drafting.assemble(write.connection(), stored, gathered, now).await?;
    if !answering::is_whole(&answer) {
        return Ok(Vec::new());
    }
    // One that is larger than an answer may be is an official's to make smaller.
    let Ok(version) = drafting::version(&answer, Some(submission_sha256), &system, now) else {
        return Ok(Vec::new());
    };
    db::answer::insert(write.connection(), id, &version).await?;
    let before = stored.standing.state;
    let decision = Decision {
        verb: Verb::DraftAnswer,
        decided_by: system,
        capacity: None,
        decided_at: now,
        before,
        after: life::step(before, Verb::DraftAnswer)?,
        reason: String::new(),
        legal_basis: Some(by.rules.basis_on(&ordered.legal_basis, day)),
        terms: Terms::default(),
    };
    db::decision::insert(write.connection(), id, &decision).await?;
    let due_date = stored.deadline.as_ref().map(|deadline| deadline.due_date);
    let told = Told::of(decision.after, due_date);
    Ok(vec![
        Change::of(&names::request(id), "request.answer_drafted").telling(&told),
    ])
}
