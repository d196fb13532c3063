//! The texts that many requests share, kept in memory: findings and explanations never change once they are stored.

use std::sync::Arc;

use legalstat_kit::law::{LegalBasis, LocalizedText};
use quick_cache::{Weighter, sync::Cache};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    db::{self, request::Stored},
    domain::{
        evidence::Step,
        examination::{Check, Examination},
        request::Request,
    },
};

/// How many bytes of findings and of explanations are kept at most, so that whoever asks for many different things cannot fill
/// the memory.
const FINDINGS: u64 = 8 * 1024 * 1024;
const EXPLANATIONS: u64 = 8 * 1024 * 1024;
/// What either takes on average.
const FINDING: u64 = 1024;
const EXPLANATION: u64 = 8 * 1024;

/// Findings and explanations that are known to be stored.
pub struct SharedTexts {
    findings: Cache<Uuid, Arc<Check>, Bytes>,
    explanations: Cache<[u8; 32], Arc<Vec<Step>>, Bytes>,
}

impl Default for SharedTexts {
    fn default() -> Self {
        let entries = |bytes: u64, each: u64| usize::try_from(bytes / each).unwrap_or(usize::MAX);
        Self {
            findings: Cache::with_weighter(entries(FINDINGS, FINDING), FINDINGS, Bytes),
            explanations: Cache::with_weighter(entries(EXPLANATIONS, EXPLANATION), EXPLANATIONS, Bytes),
        }
    }
}

/// Weighs what is kept by the bytes that it takes.
#[derive(Clone)]
struct Bytes;

impl Weighter<Uuid, Arc<Check>> for Bytes {
    fn weight(&self, _: &Uuid, check: &Arc<Check>) -> u64 {
        (size_of::<Check>() + check.field.len() + text_bytes(&check.text, &check.legal_basis)) as u64
    }
}

impl Weighter<[u8; 32], Arc<Vec<Step>>> for Bytes {
    fn weight(&self, _: &[u8; 32], steps: &Arc<Vec<Step>>) -> u64 {
        let step = |step: &Step| size_of::<Step>() + text_bytes(&step.text, &step.legal_basis);
        steps.iter().map(step).sum::<usize>() as u64
    }
}

fn text_bytes(text: &LocalizedText, basis: &LegalBasis) -> usize {
    let texts = [&text.kk, &text.ru, &text.en, &basis.act, &basis.provision, &basis.uri];
    texts.into_iter().map(String::len).sum()
}

impl SharedTexts {
    /// Whether a finding is stored for sure; false may mean that it is not in memory.
    pub fn has_finding(&self, id: Uuid) -> bool {
        self.findings.get(&id).is_some()
    }

    /// Whether an explanation is stored for sure; false may mean that it is not in memory.
    pub fn has_explanation(&self, sha256: &[u8; 32]) -> bool {
        self.explanations.get(sha256).is_some()
    }

    /// Remembers findings that are stored.
    pub fn keep_findings(&self, findings: impl IntoIterator<Item = (Uuid, Arc<Check>)>) {
        for (id, check) in findings {
            self.findings.insert(id, check);
        }
    }

    /// Remembers an explanation that is stored.
    pub fn keep_explanation(&self, sha256: [u8; 32], steps: Arc<Vec<Step>>) {
        self.explanations.insert(sha256, steps);
    }

    /// The findings of these ids, in their order.
    ///
    /// # Errors
    /// When the database fails or lacks one.
    pub async fn checks(&self, connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Arc<Check>>, sqlx::Error> {
        self.load(connection, ids).await?;
        let mut checks = Vec::with_capacity(ids.len());
        for id in ids {
            match self.findings.get(id) {
                Some(check) => checks.push(check),
                // There are more of them in use at once than are kept.
                None => checks.push(Arc::new(one(connection, *id).await?)),
            }
        }
        Ok(checks)
    }

    /// Reads those of the findings that are not in memory.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(&self, connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
        let missing: Vec<Uuid> = ids.iter().copied().filter(|id| !self.has_finding(*id)).collect();
        if !missing.is_empty() {
            let found = db::finding::get(connection, &missing).await?;
            self.keep_findings(found.into_iter().map(|(id, check)| (id, Arc::new(check))));
        }
        Ok(())
    }

    /// The steps of an explanation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn steps(&self, connection: &mut PgConnection, sha256: &[u8; 32]) -> Result<Arc<Vec<Step>>, sqlx::Error> {
        if let Some(steps) = self.explanations.get(sha256) {
            return Ok(steps);
        }
        let steps = Arc::new(db::explanation::get(connection, sha256).await?);
        self.explanations.insert(*sha256, Arc::clone(&steps));
        Ok(steps)
    }

    /// What a request shares, if all of it is in memory; the steps only when `explained`.
    pub fn known(&self, stored: &Stored, explained: bool) -> Option<Texts> {
        if stored.findings.is_empty() {
            return None;
        }
        let checks = stored.findings.iter().map(|id| self.findings.get(id));
        let steps = match (&stored.deadline, &stored.explanation) {
            (Some(_), explanation) if explained => self.explanations.get(explanation.as_ref()?)?,
            _ => Arc::default(),
        };
        Some(Texts {
            checks: checks.collect::<Option<_>>()?,
            steps,
        })
    }

    /// Requests with what they share; the steps only when `explained`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn complete(
        &self,
        connection: &mut PgConnection,
        stored: Vec<Stored>,
        explained: bool,
    ) -> Result<Vec<Request>, sqlx::Error> {
        let findings: Vec<Uuid> = stored
            .iter()
            .flat_map(|request| request.findings.iter().copied())
            .collect();
        self.load(connection, &findings).await?;
        let mut requests = Vec::with_capacity(stored.len());
        for request in stored {
            let texts = match self.known(&request, explained) {
                Some(texts) => texts,
                None => self.read(connection, &request, explained).await?,
            };
            requests.push(texts.complete(request));
        }
        Ok(requests)
    }

    async fn read(
        &self,
        connection: &mut PgConnection,
        stored: &Stored,
        explained: bool,
    ) -> Result<Texts, sqlx::Error> {
        let id = stored.receipt.id;
        let checks = if stored.findings.is_empty() {
            let checks = db::finding::of_release_before(connection, id, stored.round).await?;
            checks.into_iter().map(Arc::new).collect()
        } else {
            self.checks(connection, &stored.findings).await?
        };
        let steps = match (&stored.deadline, &stored.explanation) {
            (Some(_), Some(sha256)) if explained => self.steps(connection, sha256).await?,
            (Some(_), None) if explained => Arc::new(db::explanation::of_release_before(connection, id).await?),
            _ => Arc::default(),
        };
        Ok(Texts { checks, steps })
    }
}

/// What a request shares with others.
pub struct Texts {
    checks: Vec<Arc<Check>>,
    steps: Arc<Vec<Step>>,
}

impl Texts {
    /// The request that shares it.
    pub fn complete(self, stored: Stored) -> Request {
        let mut deadline = stored.deadline;
        if let Some(deadline) = &mut deadline {
            deadline.steps = self.steps;
        }
        Request {
            receipt: Some(stored.receipt),
            submission: stored.submission,
            examination: Examination {
                state: stored.standing.state,
                checks: self.checks.iter().map(|check| Check::clone(check)).collect(),
                clarifications: stored.clarifications,
                deadline,
            },
            examined_at: stored.examined_at,
            registration_number: stored.registration_number,
            standing: stored.standing,
        }
    }
}

async fn one(connection: &mut PgConnection, id: Uuid) -> Result<Check, sqlx::Error> {
    let found = db::finding::get(connection, &[id]).await?.pop();
    found.map(|(_, check)| check).ok_or(sqlx::Error::RowNotFound)
}
