//! The rules in memory, read again when they have changed.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use legalstat_kit::schema::Database;

use crate::{db, domain::rules::Rules};

/// The rules as they were last read.
#[derive(Default)]
pub struct CurrentRules {
    read: ArcSwapOption<Read>,
}

struct Read {
    revision: i64,
    rules: Arc<Rules>,
}

impl CurrentRules {
    /// The rules as they were last read, if they were.
    pub fn known(&self) -> Option<Arc<Rules>> {
        self.read.load().as_ref().map(|read| Arc::clone(&read.rules))
    }

    /// The rules of a revision that was read beside something else, or of a later one: nothing is asked while it is the one known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_revision(&self, db: &Database, revision: i64) -> Result<Arc<Rules>, sqlx::Error> {
        if let Some(read) = self.read.load().as_ref().filter(|read| read.revision >= revision) {
            return Ok(Arc::clone(&read.rules));
        }
        self.get(db).await
    }

    /// The rules as they are now: one cheap question tells whether they have changed. A rule that an operator adds or closes
    /// counts from the next call on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&self, db: &Database) -> Result<Arc<Rules>, sqlx::Error> {
        let mut connection = db.connection().await?;
        let revision = db::rule::revision(&mut connection).await?;
        connection.done();
        if let Some(read) = self.read.load().as_ref().filter(|read| read.revision == revision) {
            return Ok(Arc::clone(&read.rules));
        }
        let mut snapshot = db.snapshot().await?;
        let revision = db::rule::revision(&mut snapshot).await?;
        let rules = Arc::new(db::rule::all(&mut snapshot).await?);
        self.read.store(Some(Arc::new(Read {
            revision,
            rules: Arc::clone(&rules),
        })));
        Ok(rules)
    }
}
