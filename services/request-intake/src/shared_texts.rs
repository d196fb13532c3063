//! The texts that many requests share, kept in memory: findings and explanations never change once they are stored.

use std::{collections::HashMap, sync::Arc};

use quick_cache::sync::Cache;
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

/// How many findings are kept: some kilobytes each at most.
const FINDINGS: usize = 10_000;
/// How many explanations are kept: some ten kilobytes each.
const EXPLANATIONS: usize = 1_000;

/// Findings and explanations that are known to be stored.
pub struct SharedTexts {
    findings: Cache<Uuid, Arc<Check>>,
    explanations: Cache<[u8; 32], Arc<Vec<Step>>>,
}

impl Default for SharedTexts {
    fn default() -> Self {
        Self {
            findings: Cache::new(FINDINGS),
            explanations: Cache::new(EXPLANATIONS),
        }
    }
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
    pub async fn checks(&self, connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Check>, sqlx::Error> {
        self.load(connection, ids).await?;
        let mut checks = Vec::with_capacity(ids.len());
        for id in ids {
            match self.findings.get(id) {
                Some(check) => checks.push(Check::clone(&check)),
                // There are more of them in use at once than are kept.
                None => checks.push(one(connection, *id).await?),
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
            requests.push(self.completed(connection, request, explained).await?);
        }
        Ok(requests)
    }

    async fn completed(
        &self,
        connection: &mut PgConnection,
        stored: Stored,
        explained: bool,
    ) -> Result<Request, sqlx::Error> {
        let id = stored.receipt.id;
        let checks = if stored.findings.is_empty() {
            db::finding::of_release_before(connection, id, stored.round).await?
        } else {
            self.checks(connection, &stored.findings).await?
        };
        let mut deadline = stored.deadline;
        if let Some(deadline) = deadline.as_mut().filter(|_| explained) {
            deadline.steps = match &stored.explanation {
                Some(sha256) => self.steps(connection, sha256).await?,
                None => Arc::new(db::explanation::of_release_before(connection, id).await?),
            };
        }
        Ok(Request {
            receipt: Some(stored.receipt),
            submission: stored.submission,
            examination: Examination {
                state: stored.state,
                checks,
                clarifications: stored.clarifications,
                deadline,
            },
            examined_at: stored.examined_at,
            registration_number: stored.registration_number,
        })
    }
}

async fn one(connection: &mut PgConnection, id: Uuid) -> Result<Check, sqlx::Error> {
    let found: HashMap<Uuid, Check> = db::finding::get(connection, &[id]).await?.into_iter().collect();
    found.into_values().next().ok_or(sqlx::Error::RowNotFound)
}
