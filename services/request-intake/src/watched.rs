//! What the watchers of requests are told besides events: read once for all who watch, a page at a time, and kept.

use std::{collections::HashMap, sync::Arc};

use legalstat_kit::{Error, schema::Database};
use quick_cache::sync::Cache;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{
    db::{self, watching::Facts},
    domain::told::Told,
};

/// Of how many requests the numbers are kept: what changes within minutes, in some four megabytes.
const KEPT: usize = 20_000;

/// The numbers of requests that were told of lately.
pub struct Watched {
    db: Database,
    kept: Cache<Uuid, Arc<Facts>>,
    /// Who reads: watchers that wait for the same requests find them read.
    reading: Mutex<()>,
}

/// What is asked of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub id: Uuid,
    /// Whether it is registered by now, so that numbers of before do not do.
    pub is_registered: bool,
    /// Whether it must be read as it is now.
    pub now: bool,
}

/// What is known of the requests of a page.
#[derive(Debug, Default)]
pub struct Known {
    pub facts: HashMap<Uuid, Arc<Facts>>,
    /// Of those that were read as they are now.
    pub now: HashMap<Uuid, Told>,
}

impl Watched {
    pub fn new(db: Database) -> Self {
        Self {
            db,
            kept: Cache::new(KEPT),
            reading: Mutex::default(),
        }
    }

    /// What is known of requests, read by one statement at most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&self, asked: &[Asked]) -> Result<Known, Error> {
        let mut known = Known::default();
        let missing = self.kept_of(asked, &mut known);
        if missing.is_empty() {
            return Ok(known);
        }
        let _reading = self.reading.lock().await;
        let mut missing = self.kept_of(&missing, &mut known);
        if missing.is_empty() {
            return Ok(known);
        }
        missing.sort_unstable_by_key(|asked| asked.id);
        let mut ids: Vec<Uuid> = missing.iter().map(|asked| asked.id).collect();
        ids.dedup();
        let mut connection = self.db.planned().await?;
        for (id, now) in db::watching::now(&mut connection, &ids).await? {
            let facts = Arc::new(now.facts);
            self.kept.insert(id, Arc::clone(&facts));
            known.facts.insert(id, facts);
            known.now.insert(id, now.told);
        }
        Ok(known)
    }

    /// Forgets the numbers of a request whose data were erased.
    pub fn forget(&self, request: Uuid) {
        self.kept.remove(&request);
    }

    /// Takes what is kept, and gives what is not.
    fn kept_of(&self, asked: &[Asked], known: &mut Known) -> Vec<Asked> {
        let mut missing = Vec::new();
        for asked in asked {
            let kept = self.kept.get(&asked.id).filter(|facts| {
                let has_numbers = !asked.is_registered || facts.registration_number.is_some();
                has_numbers && !asked.now
            });
            match kept {
                Some(facts) => {
                    known.facts.insert(asked.id, facts);
                }
                None => missing.push(*asked),
            }
        }
        missing
    }
}
