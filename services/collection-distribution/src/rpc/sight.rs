//! Which content a caller is told of: officials of all; recipients of what is out, and of what is marked for official use where they hold a
//! copy of it.

use std::collections::HashSet;

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{Call, Error, zone};
use sqlx::PgConnection;

use super::door;
use crate::{
    db::{self, revision::Revision},
    domain::{edition::Edition, key::EditionKey, marking::OfficialUse},
};

/// What a caller sees.
pub(super) enum Sight {
    /// An official.
    All,
    /// A recipient, with the revisions that it holds copies of, on a day.
    Held(HashSet<(EditionKey, i32)>, Date),
}

impl Sight {
    /// What the caller sees of these editions.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn of(
        connection: &mut PgConnection,
        call: &Call,
        editions: &[&EditionKey],
        now: Timestamp,
    ) -> Result<Self, Error> {
        if call.caller.is_official() {
            return Ok(Self::All);
        }
        let recipients = door::spoken_for(connection, call, now).await?;
        let held = db::copy::held_revisions(connection, &recipients, editions).await?;
        Ok(Self::Held(held, zone::civil_day(now)))
    }

    /// Whether the caller is told of the content of an edition's current revision.
    pub(super) fn shows(&self, edition: &Edition) -> bool {
        match self {
            Self::All => true,
            Self::Held(..) => {
                edition.is_out() && self.shows_marked(&edition.key, edition.revision, edition.official_use.as_ref())
            }
        }
    }

    /// The revisions of whose content the caller is told; who recalled them, only an official.
    pub(super) fn of_revisions(&self, edition: &EditionKey, mut revisions: Vec<Revision>) -> Vec<Revision> {
        if matches!(self, Self::All) {
            return revisions;
        }
        revisions.retain(|revision| {
            revision.copies_issued > 0 && self.shows_marked(edition, revision.number, revision.official_use.as_ref())
        });
        for recall in revisions.iter_mut().filter_map(|revision| revision.recalled.as_mut()) {
            recall.done.by.clear();
        }
        revisions
    }

    fn shows_marked(&self, edition: &EditionKey, revision: i32, official_use: Option<&OfficialUse>) -> bool {
        match self {
            Self::All => true,
            Self::Held(held, today) => {
                official_use.is_none_or(|marking| !marking.holds_on(*today))
                    || held.contains(&(edition.clone(), revision))
            }
        }
    }
}
