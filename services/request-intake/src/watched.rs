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

/// What was read of a request after an event of it, by the event's number. It holds for that event and those before it: who is told of
/// a later one has it read again, for that one may have changed by what the request is told, and to whom.
#[derive(Clone)]
struct Kept {
    event: i64,
    facts: Arc<Facts>,
}

/// The numbers of requests that were told of lately.
pub struct Watched {
    db: Database,
    kept: Cache<Uuid, Kept>,
    /// Who reads: watchers that wait for the same requests find them read.
    reading: Mutex<()>,
}

/// What is asked of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub id: Uuid,
    /// The number of the event that is told.
    pub event: i64,
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
        let missing = self.kept_of(&missing, &mut known);
        if missing.is_empty() {
            return Ok(known);
        }
        let mut events: HashMap<Uuid, i64> = HashMap::with_capacity(missing.len());
        for asked in &missing {
            let last = events.entry(asked.id).or_insert(asked.event);
            *last = asked.event.max(*last);
        }
        let mut ids: Vec<Uuid> = events.keys().copied().collect();
        ids.sort_unstable();
        let mut connection = self.db.planned().await?;
        for (id, now) in db::watching::now(&mut connection, &ids).await? {
            let facts = Arc::new(now.facts);
            let event = events.get(&id).copied().unwrap_or_default();
            let kept = Kept {
                // What was known of a later event is no older for that.
                event: self.kept.peek(&id).map_or(event, |kept| kept.event.max(event)),
                facts: Arc::clone(&facts),
            };
            self.kept.insert(id, kept);
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
            let kept = self.kept.get(&asked.id);
            match kept.filter(|kept| kept.event >= asked.event && !asked.now) {
                Some(kept) => {
                    known.facts.insert(asked.id, kept.facts);
                }
                None => missing.push(*asked),
            }
        }
        missing
    }
}
