//! ImportObservations, and COPY of the same rows into the same table.

use std::time::Instant;

use bytes::Bytes;
use futures::TryStreamExt;
use legalstat_proto::forms::v1::{
    ImportObservationsHeader, ImportObservationsRequest, ObservationRow, ObservationRows,
    import_observations_request::Part,
};
use prost::Message;
use sqlx::PgConnection;
use tonic::{Request, client::Grpc, transport::Channel};
use uuid::Uuid;

use crate::{
    call::{self, Plain},
    database::run,
    load::processor_time,
    profile::Profile,
    report::{Rounds, Turn},
    years::{DIMENSION, FORM, Figures, REGISTERED, article, indicator, territory},
};

const METHOD: &str = "/legalstat.forms.v1.FormRegistryService/ImportObservations";
/// How many rows a message carries, as the command line sends them.
const ROWS: usize = 5000;
/// How often each takes its turn, and the first of the months of a year of which nothing else is stored: one for each turn.
const ROUNDS: usize = 6;
const FIRST_MONTH: usize = 4;
/// How the table is filled, by the service and here.
const COLUMNS: &str = "(figure_set, indicator, territory, breakdown, status, value)";
pub(crate) const COPY: &str = "(d) COPY of the same rows into the same table";
pub(crate) const IMPORT: &str = "(d) ImportObservations";

/// The messages of an import, encoded.
pub(crate) fn messages(edition: &str, figures: Figures) -> Vec<Bytes> {
    let header = ImportObservationsHeader {
        name: edition.into(),
        dimensions: vec![DIMENSION.into()],
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    };
    let rows: Vec<ObservationRow> = rows(figures).collect();
    let batches = rows
        .chunks(ROWS)
        .map(|rows| Part::Rows(ObservationRows { rows: rows.to_vec() }));
    let parts = std::iter::once(Part::Header(header)).chain(batches);
    parts
        .map(|part| ImportObservationsRequest { part: Some(part) }.encode_to_vec().into())
        .collect()
}

/// Figures by indicator, territory and article, of one to five digits and some with a fraction.
fn rows(figures: Figures) -> impl Iterator<Item = ObservationRow> {
    (0..figures.count()).map(move |at| {
        let (rest, article_of) = (at / figures.articles, at % figures.articles);
        let (indicator_of, territory_of) = (rest / figures.territories, rest % figures.territories);
        let value = at * 7919 % 100_003;
        ObservationRow {
            indicator: indicator(indicator_of + 1),
            territory: territory(territory_of + 1),
            dimensions: vec![article(article_of + 1)],
            value: if at % 7 == 0 {
                format!("{value}.5")
            } else {
                value.to_string()
            },
            ..ObservationRow::default()
        }
    })
}

/// Imports, and gives how long it took.
pub(crate) async fn import(channel: &Channel, messages: Vec<Bytes>) -> f64 {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.expect("it runs");
    let path = http::uri::PathAndQuery::from_static(METHOD);
    let (began, request) = (Instant::now(), Request::new(futures::stream::iter(messages)));
    let answer = grpc.client_streaming(request, path, Plain(call::skip)).await;
    answer.expect("it is imported");
    began.elapsed().as_secs_f64()
}

/// The two ways by turns.
pub(crate) struct Imports<'a> {
    channel: Channel,
    process: u32,
    database: &'a mut PgConnection,
    month: usize,
}

impl<'a> Imports<'a> {
    pub(crate) fn new(channel: Channel, process: u32, database: &'a mut PgConnection) -> Self {
        Self {
            channel,
            process,
            database,
            month: FIRST_MONTH,
        }
    }

    /// How many rows each turn brings.
    pub(crate) fn rows() -> usize {
        REGISTERED.count()
    }

    /// Imports the figures of another edition.
    async fn by_service(&mut self) -> (Turn, usize) {
        let messages = messages(&format!("{FORM}/editions/2019-M{:02}", self.month), REGISTERED);
        self.month += 1;
        run(self.database, "CHECKPOINT".into()).await;
        let before = processor_time(self.process);
        let took = import(&self.channel, messages).await;
        let used = processor_time(self.process).zip(before);
        turn(took, used.map(|(after, before)| after.saturating_sub(before)))
    }

    /// Copies the rows that were imported first, in the order in which the service stores them, as those of another set.
    async fn by_copy(&mut self, round: usize) -> (Turn, usize) {
        let first = "SELECT min(f.id) FROM forms.figure_set f WHERE f.rows = ";
        let rows = Self::rows();
        let out = format!(
            "COPY (SELECT -1 - {round}, indicator, territory, breakdown, status, value FROM forms.observation
                   WHERE figure_set = ({first}{rows}) ORDER BY indicator, territory, breakdown) TO STDOUT"
        );
        let out = self.database.copy_out_raw(&out).await.expect("the database is ours");
        let text: Vec<Bytes> = out.try_collect().await.expect("rows");
        let text = Bytes::from(text.concat());
        run(self.database, "CHECKPOINT".into()).await;
        let began = Instant::now();
        let into = format!("COPY forms.observation {COLUMNS} FROM STDIN");
        let mut copy = self.database.copy_in_raw(&into).await.expect("the database is ours");
        for piece in text.chunks(128 * 1024) {
            copy.send(piece).await.expect("it is taken");
        }
        assert_eq!(copy.finish().await.expect("it is stored"), rows as u64);
        turn(began.elapsed().as_secs_f64(), None)
    }

    /// Both by turns, after one of each that does not count: rounds of COPY, and of the service.
    pub(crate) async fn by_turns(&mut self, profile: &mut Profile) -> [Rounds; 2] {
        self.by_service().await;
        self.by_copy(0).await;
        let (mut copy, mut ours) = (Rounds::default(), Rounds::default());
        for round in 1..=ROUNDS {
            for copys_turn in [round % 2 == 0, round % 2 == 1] {
                if copys_turn {
                    copy.add(profile.around(COPY, None, self.by_copy(round)).await);
                } else {
                    let server = Some(self.process);
                    ours.add(profile.around(IMPORT, server, self.by_service()).await);
                }
            }
        }
        [copy, ours]
    }
}

fn turn(took: f64, processor: Option<std::time::Duration>) -> (Turn, usize) {
    let rows = Imports::rows();
    let turn = Turn {
        rate: rows as f64 / took,
        latencies: Vec::new(),
        processor: processor.map(|processor| processor.div_f64(rows as f64)),
    };
    (turn, rows)
}
