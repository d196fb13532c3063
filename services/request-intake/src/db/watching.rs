//! What a feed tells of requests besides their events.

use jiff::civil::Date;
use legalstat_kit::door::word::Word;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::{request::State, told::Told};

/// What decides who is told of a request, and by which numbers. Registration, a correction and a clarification change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub accepted_by: String,
    pub requester_bin: Option<String>,
    pub external_number: Option<String>,
    pub registration_number: Option<String>,
}

/// A request as it is now.
#[derive(Clone, Debug)]
pub struct Now {
    pub facts: Facts,
    /// Where it stands now.
    pub told: Told,
}

/// The requests with these ids as they are now.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn now(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(Uuid, Now)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT id, accepted_by, requester_bin, external_number, registration_number, state, due_date, assignee
         FROM requests.request WHERE id = ANY ($1)",
        ids,
    );
    let found = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let due_date: Option<Date> = row.due_date.map(jiff_sqlx::Date::to_jiff);
        let told = Told {
            executor: row.assignee,
            ..Told::of(State::read_stored(&row.state, "state")?, due_date)
        };
        let facts = Facts {
            accepted_by: row.accepted_by,
            requester_bin: row.requester_bin,
            external_number: row.external_number,
            registration_number: row.registration_number,
        };
        Ok((row.id, Now { facts, told }))
    });
    found.collect()
}
