//! What callers were told, against what the services hold: each answered change has its journal entry, each entry its change,
//! and each refusal of a known caller's mutation its own.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use uuid::Uuid;

/// Who called what at which service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    pub schema: &'static str,
    pub caller: &'static str,
    pub path: String,
}

/// What callers were told.
#[derive(Default)]
pub struct Ledger {
    /// Mutations that were carried out.
    done: BTreeSet<(Who, Uuid)>,
    /// Mutations of which nobody knows.
    lost: BTreeSet<(Who, Uuid)>,
    /// Refusals that must be in the journal, by reason.
    refused: BTreeMap<(Who, String), i64>,
    /// Calls that may have left a refusal, or a reading, or not.
    perhaps: BTreeMap<Who, i64>,
    /// Readings that the journal must hold.
    read: BTreeMap<Who, i64>,
}

impl Ledger {
    pub fn done(&mut self, who: Who, id: Uuid) {
        self.done.insert((who, id));
    }

    pub fn lost(&mut self, who: Who, ids: impl IntoIterator<Item = Uuid>) {
        *self.perhaps.entry(who.clone()).or_default() += 1;
        self.lost.extend(ids.into_iter().map(|id| (who.clone(), id)));
    }

    pub fn refused(&mut self, who: Who, reason: &str) {
        *self.refused.entry((who, reason.to_owned())).or_default() += 1;
    }

    pub fn read(&mut self, who: Who) {
        *self.read.entry(who).or_default() += 1;
    }

    /// How much it holds: changes, refusals, and what nobody knows of.
    pub fn sums(&self) -> (usize, i64, i64) {
        (
            self.done.len(),
            self.refused.values().sum(),
            self.perhaps.values().sum(),
        )
    }

    /// What of a service's schema does not follow from what was told.
    pub async fn compare(&self, schema: &'static str, database: &mut PgConnection) -> Vec<String> {
        let mut problems = self.keys(schema, database).await;
        problems.extend(self.refusals(schema, database).await);
        problems.extend(self.readings(schema, database).await);
        problems.extend(entries(schema, database).await);
        problems
    }

    /// Every change that was answered is kept under its id, and nothing else is.
    async fn keys(&self, schema: &'static str, database: &mut PgConnection) -> Vec<String> {
        let sql = format!("SELECT caller, method, request_id FROM {schema}.idempotency");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(database)
            .await
            .expect("the database runs");
        let kept: BTreeSet<(String, String, Uuid)> =
            rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
        let key = |(who, id): &(Who, Uuid)| (who.caller.to_owned(), who.path.clone(), *id);
        let of_schema = |known: &BTreeSet<(Who, Uuid)>| -> BTreeSet<(String, String, Uuid)> {
            known.iter().filter(|(who, _)| who.schema == schema).map(key).collect()
        };
        let (done, lost) = (of_schema(&self.done), of_schema(&self.lost));
        let missing = done
            .difference(&kept)
            .map(|key| format!("answered and not kept: {key:?}"));
        let known: BTreeSet<_> = done.union(&lost).cloned().collect();
        let unknown = kept
            .difference(&known)
            .map(|key| format!("kept and never answered: {key:?}"));
        missing.chain(unknown).collect()
    }

    async fn refusals(&self, schema: &'static str, database: &mut PgConnection) -> Vec<String> {
        let sql = format!(
            "SELECT caller, method, reason, sum(count)::bigint FROM {schema}.journal_entry WHERE outcome = 'REFUSED'
             GROUP BY caller, method, reason"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(database)
            .await
            .expect("the database runs");
        let mut held: BTreeMap<(String, String), BTreeMap<String, i64>> = BTreeMap::new();
        for row in rows {
            held.entry((row.get(0), row.get(1)))
                .or_default()
                .insert(row.get(2), row.get(3));
        }
        let mut told: BTreeMap<(String, String), BTreeMap<String, i64>> = BTreeMap::new();
        for ((who, reason), count) in self.refused.iter().filter(|((who, _), _)| who.schema == schema) {
            told.entry((who.caller.into(), who.path.clone()))
                .or_default()
                .insert(reason.clone(), *count);
        }
        let mut perhaps: BTreeMap<(String, String), i64> = BTreeMap::new();
        for (who, count) in self.perhaps.iter().filter(|(who, _)| who.schema == schema) {
            perhaps.insert((who.caller.into(), who.path.clone()), *count);
        }
        let mut problems = Vec::new();
        for key in told.keys().chain(held.keys()).collect::<BTreeSet<_>>() {
            let nothing = BTreeMap::new();
            let (told, held) = (told.get(key).unwrap_or(&nothing), held.get(key).unwrap_or(&nothing));
            let missing = told
                .iter()
                .find(|(reason, count)| held.get(*reason).copied().unwrap_or_default() < **count);
            let most = told.values().sum::<i64>() + perhaps.get(key).copied().unwrap_or_default();
            if missing.is_some() || held.values().sum::<i64>() > most {
                problems.push(format!(
                    "{key:?} was refused {told:?} times, the journal holds {held:?}, at most {most}"
                ));
            }
        }
        problems
    }

    async fn readings(&self, schema: &'static str, database: &mut PgConnection) -> Vec<String> {
        let mut problems = Vec::new();
        for (who, count) in self.read.iter().filter(|(who, _)| who.schema == schema) {
            let sql = format!(
                "SELECT count(*) FROM {schema}.journal_entry WHERE outcome = 'DONE' AND caller = $1 AND method = $2"
            );
            let held: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(who.caller)
                .bind(&who.path)
                .fetch_one(&mut *database)
                .await
                .expect("the database runs");
            if !(*count..=count + self.perhaps.get(who).copied().unwrap_or_default()).contains(&held) {
                problems.push(format!("{who:?} was given {count} times, the journal holds {held}"));
            }
        }
        problems
    }
}

/// Whether entries, kept answers and events of each transaction belong together. Rows of one transaction have the same xmin.
async fn entries(schema: &str, database: &mut PgConnection) -> Vec<String> {
    let sql = format!(
        "WITH entry AS (
             SELECT xmin::text, caller, method, count(*) AS count FROM {schema}.journal_entry
             WHERE outcome IN ('DONE', 'REPEATED') AND method NOT LIKE '%/DownloadCopy' GROUP BY 1, 2, 3
         ), kept AS (
             SELECT xmin::text, caller, method, count(*) AS count FROM {schema}.idempotency GROUP BY 1, 2, 3
         ), event AS (
             SELECT xmin::text, count(*) AS count FROM {schema}.outbox_event GROUP BY 1
         ), of_transaction AS (
             SELECT xmin, sum(count) AS count FROM entry GROUP BY 1
         )
         SELECT 'a kept answer without its entry: ' || kept::text FROM kept LEFT JOIN entry USING (xmin, caller, method)
         WHERE entry.count IS NULL OR entry.count < kept.count
         UNION ALL
         SELECT 'an entry without its change: ' || entry::text FROM entry LEFT JOIN kept USING (xmin, caller, method)
         WHERE method LIKE '/%' AND kept.count IS NULL
         UNION ALL
         SELECT 'entries and events differ: ' || coalesce(of_transaction.xmin, event.xmin)
         FROM of_transaction FULL JOIN event USING (xmin)
         WHERE of_transaction.count IS DISTINCT FROM event.count
         LIMIT 20"
    );
    let problems = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(database).await;
    problems.expect("the database runs")
}
