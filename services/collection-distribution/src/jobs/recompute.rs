//! Keeps the due dates of editions true while the calendar changes.

use std::{collections::HashMap, sync::Arc};

use anyhow::Context as _;
use jiff::Timestamp;
use legalstat_kit::{
    Context,
    due::{
        calendar::{Calendar, question},
        compare::{DueDates, OpenDueDate, Recomputed},
        follow,
    },
};
use sqlx::PgConnection;

use crate::{
    clients, db,
    domain::{collection::Collection, edition::EditionKey, names},
};

/// The due dates of editions that are not released.
pub struct Editions;

/// Starts following the calendar; it ends at the context's shutdown.
pub fn start(context: &Context, calendar: Calendar) {
    follow::start(context, calendar, Arc::new(Editions));
}

#[tonic::async_trait]
impl DueDates for Editions {
    fn noun(&self) -> &'static str {
        "edition"
    }

    fn explained(&self) -> bool {
        false
    }

    async fn open(
        &self,
        connection: &mut PgConnection,
        after: Option<&str>,
        most: i64,
        _now: Timestamp,
    ) -> anyhow::Result<Vec<OpenDueDate>> {
        let after = after.map(names::parse_edition).transpose()?;
        let collections = db::collection::list(&mut *connection, &db::collection::Filter::default(), None).await?;
        let collections = collections
            .into_iter()
            .map(|collection| (collection.id.clone(), collection));
        let collections: HashMap<String, Collection> = collections.collect();
        let open = db::due_date::open(connection, after.as_ref(), most).await?.into_iter();
        let open = open.map(|(key, due)| {
            let collection = collections
                .get(&key.collection)
                .context("the table lets no edition be without its collection")?;
            Ok(OpenDueDate {
                name: key.to_string(),
                due,
                registered_on: None,
                question: question(clients::calendar::obligation(collection, &key)),
            })
        });
        open.collect()
    }

    async fn store(&self, connection: &mut PgConnection, recomputed: &[Recomputed]) -> anyhow::Result<Vec<String>> {
        let keyed = recomputed
            .iter()
            .map(|item| Ok((names::parse_edition(&item.name)?, item)));
        let keyed: Vec<(EditionKey, &Recomputed)> = keyed.collect::<anyhow::Result<_>>()?;
        let stored = db::due_date::store(connection, &keyed).await?;
        Ok(stored.iter().map(ToString::to_string).collect())
    }
}
