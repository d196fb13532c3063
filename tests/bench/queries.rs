//! QueryObservations, and pgbench with the statements that it sends.

use std::{fmt::Write, path::PathBuf};

use bytes::Bytes;
use legalstat_proto::forms::v1::{DimensionCode, QueryObservationsRequest, QueryObservationsResponse};
use legalstat_test_support::system::System;
use prost::Message;
use sqlx::PgConnection;
use tonic::transport::Channel;

use crate::{
    asking,
    database::run,
    load::Subject,
    report,
    statements::{Listening, Sent},
    years::{DIMENSION, FIRST_YEAR, FORM, article, indicator, territory},
};

pub(crate) const METHOD: &str = "/legalstat.forms.v1.FormRegistryService/QueryObservations";
/// How many figures a page has.
const PAGE: i32 = 1000;
/// How many indicators, territories and articles even the smaller editions have.
const INDICATORS: usize = 10;
const TERRITORIES: usize = 21;
const ARTICLES: usize = 4;
/// What tells the statement that reads the figures.
const FIGURES: &str = "forms.observation";

/// The method as a subject.
pub(crate) fn subject() -> Subject {
    Subject::answering::<QueryObservationsResponse>(METHOD)
}

/// Different questions for the figures of a year, four indicators by all of these territories for one article: 1,008 figures, of
/// which the page has 1,000.
pub(crate) fn questions() -> Vec<Bytes> {
    let articles = (0..INDICATORS).flat_map(|first| (1..=ARTICLES).map(move |article| (first, article)));
    articles
        .map(|(first, of)| {
            let question = QueryObservationsRequest {
                parent: FORM.into(),
                period: format!("{FIRST_YEAR}-M01"),
                until_period: format!("{FIRST_YEAR}-M12"),
                indicators: (0..4).map(|next| indicator((first + next) % INDICATORS + 1)).collect(),
                territories: (1..=TERRITORIES).map(territory).collect(),
                dimensions: vec![DimensionCode {
                    dimension: DIMENSION.into(),
                    code: article(of),
                }],
                page_size: PAGE,
                ..QueryObservationsRequest::default()
            };
            question.encode_to_vec().into()
        })
        .collect()
}

/// What the service sends for each of the questions, as a script of pgbench: its statements, and a table of their parameters.
pub(crate) async fn script(system: &System, database: &mut PgConnection, channel: &Channel) -> PathBuf {
    // The second time, for the first one finds nothing prepared.
    let channels = std::slice::from_ref(channel);
    asking::once(METHOD, channels, questions()).await;
    let listening = Listening::start(system, database).await;
    asking::once(METHOD, channels, questions()).await;
    let connections = listening.stop(database).await;
    let queries: Vec<&[Sent]> = connections.iter().flat_map(|sent| transactions(sent)).collect();
    let first = queries.get(queries.len() / 2).expect("questions were asked");
    // One that was under way when the log was opened or read may lack some.
    let alike = |query: &&&[Sent]| statements(query).eq(statements(first));
    let queries: Vec<&[Sent]> = queries.iter().filter(alike).copied().collect();
    let wanted = questions().len() * 3 / 4;
    assert!(queries.len() >= wanted, "questions send the same statements");
    report::say(&format!("one QueryObservations: {} statements\n", first.len()));
    let rows: Vec<Vec<Option<String>>> = queries.iter().map(|query| parameters(query)).collect();
    table(database, &rows).await;
    let file = system.folder().join("queries.sql");
    std::fs::write(&file, text(first, &rows)).expect("the folder is ours");
    file
}

fn statements(query: &[Sent]) -> impl Iterator<Item = &str> {
    query.iter().map(|sent| sent.statement.as_str())
}

/// What a connection sent, in transactions: those that read figures.
fn transactions(sent: &[Sent]) -> impl Iterator<Item = &[Sent]> {
    let query = sent.chunk_by(|_, next| !next.statement.starts_with("BEGIN"));
    query.filter(|query| statements(query).any(|statement| statement.contains(FIGURES)))
}

/// All parameters of the statements, one after the other.
fn parameters(query: &[Sent]) -> Vec<Option<String>> {
    query.iter().flat_map(|sent| values(&sent.parameters)).collect()
}

/// The values in `$1 = 'forms/1', $2 = NULL`: quotes within a value are doubled.
fn values(parameters: &str) -> Vec<Option<String>> {
    let (mut values, mut rest) = (Vec::new(), parameters);
    while let Some((_, after)) = rest.split_once(" = ") {
        let Some(quoted) = after.strip_prefix('\'') else {
            values.push(None);
            rest = after;
            continue;
        };
        let mut value = String::new();
        let mut pieces = quoted.split('\'');
        value += pieces.next().unwrap_or_default();
        let mut length = value.len() + 1;
        while quoted[length..].starts_with('\'') {
            pieces.next();
            let more = pieces.next().unwrap_or_default();
            length += more.len() + 2;
            value = value + "'" + more;
        }
        values.push(Some(value));
        rest = &quoted[length..];
    }
    values
}

/// Whether a parameter is never given: pgbench knows no NULL in a variable.
fn is_never_given(rows: &[Vec<Option<String>>], at: usize) -> bool {
    let given = rows.iter().filter(|row| row[at].is_some()).count();
    assert!(
        given == 0 || given == rows.len(),
        "a parameter is always given or never"
    );
    given == 0
}

async fn table(database: &mut PgConnection, rows: &[Vec<Option<String>>]) {
    run(
        database,
        "DROP TABLE IF EXISTS bench.query; CREATE TABLE bench.query (n integer PRIMARY KEY, given text[] NOT NULL)"
            .into(),
    )
    .await;
    for (row, n) in rows.iter().zip(1..) {
        let filled = sqlx::query("INSERT INTO bench.query VALUES ($1, $2)").bind(n).bind(row);
        filled.execute(&mut *database).await.expect("the table is ours");
    }
    run(database, "ANALYZE bench.query".into()).await;
}

fn text(query: &[Sent], rows: &[Vec<Option<String>>]) -> String {
    let all = rows.first().map_or(0, Vec::len);
    let given: Vec<String> = (0..all)
        .filter(|at| !is_never_given(rows, *at))
        .map(|at| format!("given[{}] AS p{at}", at + 1))
        .collect();
    let mut text = format!(
        "\\set n random(1, {})\nSELECT {} FROM bench.query WHERE n = :n \\gset\n",
        rows.len(),
        given.join(", ")
    );
    let mut first = 0;
    for sent in query {
        let count = values(&sent.parameters).len();
        let mut statement = sent.statement.clone();
        for number in (1..=count).rev() {
            let at = first + number - 1;
            let value = if is_never_given(rows, at) {
                "NULL".to_owned()
            } else {
                format!(":p{at}")
            };
            statement = statement.replace(&format!("${number}"), &value);
        }
        first += count;
        writeln!(text, "{statement};").expect("a text grows");
    }
    text
}
