//! The requests that others come after, kept in memory: what is told of one, its numbers and who brought it, never changes once it is
//! registered. Who sees it may change with the BIN of its requester, which is therefore not kept.

use std::collections::HashMap;

use quick_cache::sync::Cache;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    db::{self, request::Stored},
    domain::{earlier::Before, viewer::Viewer},
};

/// How many are kept.
const KEPT: usize = 1024;

/// Earlier requests as they were last read.
pub struct EarlierRequests {
    registered: Cache<Uuid, Before>,
}

impl Default for EarlierRequests {
    fn default() -> Self {
        Self {
            registered: Cache::new(KEPT),
        }
    }
}

/// The ids of the requests that some come after.
pub fn ids<'a>(requests: impl IntoIterator<Item = &'a Stored>) -> Vec<Uuid> {
    let of = |stored: &Stored| [stored.likely_duplicate_of, stored.repeats];
    let mut ids: Vec<Uuid> = requests.into_iter().flat_map(of).flatten().collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

impl EarlierRequests {
    /// What a viewer is told of these, if all of it is in memory, and it hangs on no BIN whether the viewer sees them.
    pub fn known(&self, ids: &[Uuid], viewer: &Viewer) -> Option<HashMap<Uuid, Before>> {
        let known = ids.iter().map(|id| {
            let before = self.registered.get(id)?;
            (!viewer.asks_for_bin(&before.accepted_by)).then_some((*id, before))
        });
        known.collect()
    }

    /// What a viewer is told of these.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read(
        &self,
        connection: &mut PgConnection,
        ids: &[Uuid],
        viewer: &Viewer,
    ) -> Result<HashMap<Uuid, Before>, sqlx::Error> {
        if let Some(known) = self.known(ids, viewer) {
            return Ok(known);
        }
        let read = db::earlier::told(connection, ids).await?;
        self.keep(read.values());
        Ok(read)
    }

    /// Remembers those that are registered, and stored for sure.
    pub fn keep<'a>(&self, requests: impl IntoIterator<Item = &'a Before>) {
        for before in requests {
            if before.registration_number.is_some() && self.registered.peek(&before.id).is_none() {
                let kept = Before {
                    requester_bin: None,
                    ..before.clone()
                };
                self.registered.insert(before.id, kept);
            }
        }
    }
}
