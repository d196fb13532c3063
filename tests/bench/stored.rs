//! Requests that are stored, read by the service and by pgbench.

use std::{fmt::Write, path::Path};

use bytes::Bytes;
use legalstat_proto::requests::v1::{GetRequestRequest, Request};
use prost::Message;
use sqlx::{AssertSqlSafe, PgConnection};
use tonic::transport::Channel;

use crate::{
    asking,
    call::{self, call},
    load::{Asked, Subject},
    statements::Sent,
};

const METHOD: &str = "/legalstat.requests.v1.RequestIntakeService/GetRequest";
/// How many requests are read in turn.
const PICKED: i64 = 5000;
/// How many commands of pgbench one look-up of requests serves, about: so it costs little.
const COMMANDS: usize = 32;
/// GetRequest as a subject.
pub(crate) fn subject() -> Subject {
    Subject::answering::<Request>(METHOD)
}

/// Asks for one request.
pub(crate) async fn get(channel: &Channel, id: &str) -> usize {
    call(channel, METHOD, call::skip, question(id, &[]))
        .await
        .expect("it is stored")
}

fn question(id: &str, languages: &[&str]) -> Bytes {
    GetRequestRequest {
        name: format!("requests/{id}"),
        languages: languages.iter().map(|code| (*code).to_owned()).collect(),
        ..Default::default()
    }
    .encode_to_vec()
    .into()
}

/// Requests picked at random, of those that the caller may read.
pub(crate) struct Picked {
    ids: Vec<String>,
}

impl Picked {
    pub(crate) async fn pick(database: &mut PgConnection) -> Self {
        let ids = sqlx::query_scalar(
            "SELECT id::text FROM requests.request WHERE accepted_by = 'edms' ORDER BY random() LIMIT $1",
        );
        let ids = ids.bind(PICKED).fetch_all(database).await.expect("requests are stored");
        Self { ids }
    }

    pub(crate) fn first(&self) -> &str {
        &self.ids[0]
    }

    /// What to ask for them, with the sizes of the answers, whose texts are in these languages, or in all where none is named.
    pub(crate) async fn asked(&self, channels: &[Channel], languages: &[&str]) -> Asked {
        let questions = self.ids.iter().map(|id| question(id, languages));
        asking::once(METHOD, channels, questions.collect()).await
    }

    /// Writes a script for pgbench that reads some of them by the statements that one GetRequest sent; how many it reads each time
    /// it runs. pgbench knows numbers only, so it looks the UUIDs up in a table made here.
    pub(crate) async fn script(&self, database: &mut PgConnection, file: &Path, sent: &[String]) -> usize {
        let together = (COMMANDS / sent.len()).clamp(4, 32);
        let rows = self.ids.len() / together;
        for statement in [
            "DROP SCHEMA IF EXISTS bench CASCADE",
            "CREATE SCHEMA bench",
            "CREATE TABLE bench.picked (n integer PRIMARY KEY, id text[] NOT NULL)",
        ] {
            sqlx::query(statement)
                .execute(&mut *database)
                .await
                .expect("the database is ours");
        }
        let filled = "INSERT INTO bench.picked
             SELECT (at - 1) / $2 + 1, array_agg(id) FROM unnest($1::text[]) WITH ORDINALITY AS picked (id, at) GROUP BY 1";
        sqlx::query(filled)
            .bind(&self.ids)
            .bind(i64::try_from(together).expect("a few"))
            .execute(&mut *database)
            .await
            .expect("the table is ours");
        sqlx::query("ANALYZE bench.picked")
            .execute(database)
            .await
            .expect("it is there");
        std::fs::write(file, script(sent, together, rows)).expect("the folder is ours");
        together
    }
}

fn script(sent: &[String], together: usize, rows: usize) -> String {
    let looked_up: Vec<String> = (1..=together)
        .map(|at| format!("'{{' || id[{at}] || '}}' AS ids{at}"))
        .collect();
    let looked_up = looked_up.join(", ");
    let mut script = format!("\\set n random(1, {rows})\nSELECT {looked_up} FROM bench.picked WHERE n = :n \\gset\n");
    for at in 1..=together {
        for statement in sent {
            // The one parameter is the array of the UUIDs that are looked up together.
            assert!(!statement.contains("$2"), "GetRequest has one parameter: {statement}");
            writeln!(script, "{};", statement.replace("$1", &format!(":ids{at}"))).expect("a text grows");
        }
    }
    script
}

/// What was sent by the connections that named a value.
pub(crate) fn naming(sent: &[Vec<Sent>], value: &str) -> Vec<String> {
    let names = |sent: &&Sent| sent.statement.contains(value) || sent.parameters.contains(value);
    let named = sent
        .iter()
        .filter(|connection| connection.iter().any(|sent| names(&sent)));
    named.flatten().map(|sent| sent.statement.clone()).collect()
}

/// How many bytes all tables and indexes of intake have, each by its name.
pub(crate) async fn sizes(database: &mut PgConnection) -> std::collections::BTreeMap<String, i64> {
    let tables = "SELECT relname::text FROM pg_class WHERE relnamespace = 'requests'::regnamespace AND relkind = 'r'";
    let tables: Vec<String> = sqlx::query_scalar(tables)
        .fetch_all(&mut *database)
        .await
        .expect("tables");
    for table in tables {
        let vacuum = AssertSqlSafe(format!("VACUUM (ANALYZE) requests.{table}"));
        sqlx::query(vacuum)
            .execute(&mut *database)
            .await
            .expect("the database is ours");
    }
    sqlx::query("CHECKPOINT")
        .execute(&mut *database)
        .await
        .expect("the database is ours");
    let sizes = "SELECT CASE WHEN t.oid IS NULL THEN c.relname::text ELSE t.relname || ', index ' || c.relname END,
             CASE WHEN t.oid IS NULL THEN pg_table_size(c.oid) ELSE pg_relation_size(c.oid) END
         FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_class t ON t.oid = i.indrelid
         WHERE c.relnamespace = 'requests'::regnamespace AND c.relkind IN ('r', 'i')";
    let sizes: Vec<(String, i64)> = sqlx::query_as(sizes).fetch_all(database).await.expect("sizes");
    sizes.into_iter().collect()
}

/// How many requests are stored.
pub(crate) async fn count(database: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM requests.request")
        .fetch_one(database)
        .await
        .expect("a count")
}
