//! Keeps the due dates of open requests true while the calendar changes.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{
    Context,
    due::{
        calendar::Calendar,
        compare::{Answer, DueDates, OpenDueDate, Recomputed},
        feed::Feed,
        follow,
    },
    zone,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    clients,
    db::{self, due_date::Moved},
    domain::{evidence::Deadline, names, told::Told},
};

/// The due dates of requests that are registered and neither answered nor ended otherwise.
pub struct OpenRequests;

/// Starts following the calendar; it ends at the context's shutdown.
pub fn start(context: &Context, calendar: Calendar) -> Feed {
    follow::start(context, calendar, Arc::new(OpenRequests))
}

#[tonic::async_trait]
impl DueDates for OpenRequests {
    fn noun(&self) -> &'static str {
        "request"
    }

    fn explained(&self) -> bool {
        true
    }

    fn told(&self, due_date: Date) -> Option<String> {
        let told = Told {
            due_date: Some(due_date),
            ..Told::default()
        };
        Some(told.to_string())
    }

    async fn open(
        &self,
        connection: &mut PgConnection,
        after: Option<&str>,
        most: i64,
        now: Timestamp,
    ) -> anyhow::Result<Vec<OpenDueDate>> {
        let today = zone::civil_day(now);
        let open = db::due_date::open(connection, after.and_then(names::parse_request), most).await?;
        let ids: Vec<Uuid> = open.iter().map(|request| request.id).collect();
        let stops = db::clock_stop::of(connection, &ids).await?;
        let open = open.into_iter().map(|request| {
            // A registration that has come is settled; one still to come is the calendar's to say.
            let settled = Some(request.registered_on).filter(|day| *day <= today);
            OpenDueDate {
                name: names::request(request.id),
                due: request.due,
                registered_on: Some(request.registered_on),
                question: clients::calendar::question(
                    request.requester_kind,
                    request.received_at,
                    settled,
                    request.extension,
                    stops.get(&request.id).map_or(&[], Vec::as_slice),
                ),
            }
        });
        Ok(open.collect())
    }

    async fn store(
        &self,
        connection: &mut PgConnection,
        recomputed: &[Recomputed],
        answers: &[Answer],
        now: Timestamp,
    ) -> anyhow::Result<Vec<String>> {
        let explained = explain(connection, recomputed, answers).await?;
        let moved = recomputed.iter().filter_map(|item| {
            let (new, explanation) = &explained[&item.answer];
            Some(Moved {
                id: names::parse_request(&item.name)?,
                old: &item.old,
                new,
                explanation: *explanation,
            })
        });
        let stored = db::due_date::store(connection, &moved.collect::<Vec<_>>(), now).await?;
        Ok(stored.into_iter().map(names::request).collect())
    }
}

/// By the number of the answer.
type Explained = HashMap<usize, (Deadline, [u8; 32])>;

/// Reads and stores each answer of the calendar once, however many requests share it.
async fn explain(
    connection: &mut PgConnection,
    recomputed: &[Recomputed],
    answers: &[Answer],
) -> anyhow::Result<Explained> {
    let mut explained = Explained::new();
    for item in recomputed {
        if let Entry::Vacant(entry) = explained.entry(item.answer) {
            let deadline = clients::calendar::deadline(answers[item.answer].deadline.clone())?;
            let sha256 = db::explanation::digest(&deadline.steps);
            entry.insert((deadline, sha256));
        }
    }
    let mut missing: Vec<_> = explained.values().collect();
    // In the order in which submissions store them: neither waits for the other in a circle.
    missing.sort_unstable_by_key(|(_, sha256)| *sha256);
    for (deadline, sha256) in missing {
        db::explanation::insert(&mut *connection, sha256, &deadline.steps).await?;
    }
    Ok(explained)
}
