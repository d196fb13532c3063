//! The methods as callers meet them: a running service on a database of its own, with the calendar
//! behind a gate.

use std::time::Duration;

use jiff::Timestamp;
use legalstat_local::testing::{
    gate::Gate,
    harness::{Ground, Running},
    refusals::{metadata, pairs, refused, violations},
};
use legalstat_proto::collections::v1::{
    Copy, CopyView, Edition, EditionView, GetCopyRequest, GetEditionRequest, ListCopiesRequest, ListScheduleRequest,
    ReleaseEditionRequest, SealEditionRequest, UploadEditionContentHeader, UploadEditionContentRequest,
    collection_distribution_service_client::CollectionDistributionServiceClient, upload_edition_content_request::Part,
};
use tempfile::TempDir;
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt;
use uuid::Uuid;

mod copies;
pub(crate) mod delivery;
mod delivery_answers;
mod delivery_heirs;
mod delivery_later;
mod delivery_limits;
mod delivery_overtaken;
mod delivery_replicas;
mod embargo;
mod fake_inbox;
mod files;
mod large;
mod lists;
mod marking;
mod partial_release;
mod parts;
mod peers;
mod proof;
mod punctuality;
mod recall;
mod recall_told;
mod receipts;
mod recipient_keys;
mod recipients;
mod recompute;
mod register;
mod rejecting;
mod release;
mod resume;
mod schedule;
mod statements;
mod successors;
mod titles;
mod unconfirmed;
mod upgrade;
mod upload;
mod watching;
mod year;

type Client = CollectionDistributionServiceClient<Channel>;

/// How long a state may take to come about before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// A day on which the first quarter of 2025 is over.
const NOW: &str = "2025-04-03T05:00:00Z";
const CRIME: &str = "collections/crime/editions/2025-Q1";
const EARLIER: &str = "collections/crime/editions/2024-Q4";
const DRUGS: &str = "collections/drugs/editions/2025-Q1";
const CONTENT: &[u8] = b"the collection on crime";

/// A running service and what a test does to it.
pub(crate) struct Distribution {
    pub(crate) running: Running,
    calendar: Gate,
    _calendar: Running,
    files: TempDir,
    settings: Vec<(&'static str, String)>,
}

impl Distribution {
    /// A service whose schedule is whole, at [`NOW`].
    async fn start() -> Self {
        let distribution = Self::start_with(true).await;
        distribution.until_whole().await;
        distribution
    }

    /// A service that still waits for its calendar.
    async fn without_calendar() -> Self {
        Self::start_with(false).await
    }

    async fn start_with(open: bool) -> Self {
        Self::started(open, async |settings| {
            Running::start(&crate::SERVICE, settings, || instant(NOW)).await
        })
        .await
    }

    /// A service with all that it needs around it, however it starts itself.
    async fn started(open: bool, start: impl AsyncFnOnce(&[(&'static str, String)]) -> Running) -> Self {
        let files = tempfile::tempdir().expect("a folder");
        let behind = Running::start(&legalstat_calendar::SERVICE, &[], || instant(NOW)).await;
        let calendar = Gate::before(behind.url()).await;
        if open {
            calendar.open();
        }
        let settings = vec![
            ("LEGALSTAT_CALENDAR_URL", calendar.url()),
            ("LEGALSTAT_FILES", files.path().display().to_string()),
            ("LEGALSTAT_FILE_LIMIT", "2000000".to_owned()),
            ("LEGALSTAT_SIGNING_KEYS", Ground::shared().await.signing_keys()),
        ];
        Self {
            running: start(&settings).await,
            calendar,
            _calendar: behind,
            files,
            settings,
        }
    }

    /// Starts the service once more beside itself.
    pub(crate) async fn replica(&self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Running {
        self.running.replica(&crate::SERVICE, &self.settings, clock).await
    }

    async fn until_whole(&self) {
        let mut client = self.client(None);
        let request = ListScheduleRequest {
            year: 2019,
            ..Default::default()
        };
        let whole = async {
            while client.list_schedule(request.clone()).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, whole)
            .await
            .expect("the calendar is there");
    }

    fn client(&self, caller: Option<&str>) -> Client {
        Client::new(self.running.channel(caller))
    }

    fn operator(&self) -> Client {
        self.client(Some("operator"))
    }

    fn approver(&self) -> Client {
        self.client(Some("approver"))
    }

    /// Carries out one statement as the superuser.
    pub(crate) async fn execute(&self, sql: &'static str) {
        sqlx::query(sql)
            .execute(&mut self.running.superuser().await)
            .await
            .expect("the statement is right");
    }

    /// What one query counts.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(&mut self.running.superuser().await)
            .await
            .expect("the query is right")
    }

    /// Asserts how often the journal has each of these outcomes of a method, and the outbox the event of it about the crime collection.
    async fn assert_told(&self, method: &str, told: [(&str, &str, i64); 2]) {
        let mut database = self.running.superuser().await;
        for (outcome, kind, times) in told {
            let told = "SELECT count(*) FROM collections.outbox_event WHERE kind = $1 AND resource = $2";
            let told = sqlx::query_scalar::<_, i64>(told).bind(kind).bind(CRIME);
            let noted = "SELECT count(*) FROM collections.journal_entry WHERE outcome = $1 AND method LIKE '%/' || $2";
            let noted = sqlx::query_scalar::<_, i64>(noted).bind(outcome).bind(method);
            assert_eq!(told.fetch_one(&mut database).await.expect("it counts"), times, "{kind}");
            assert_eq!(
                noted.fetch_one(&mut database).await.expect("it counts"),
                times,
                "{outcome}"
            );
        }
    }

    /// Uploads and seals the crime collection.
    async fn seal_crime(&self) -> Edition {
        let mut operator = self.operator();
        upload(&mut operator, &header(CRIME), CONTENT)
            .await
            .expect("it is taken");
        seal(&mut operator, &sealing(CRIME, CONTENT))
            .await
            .expect("it is sealed")
    }

    /// Uploads, seals and releases the crime collection.
    pub(crate) async fn release_crime(&self) -> Edition {
        self.seal_crime().await;
        release(&mut self.approver(), &releasing(CRIME))
            .await
            .expect("it is released")
    }

    /// Uploads, seals and releases the crime collection of a quarter that was due long ago, for which the installation answers.
    async fn release_earlier(&self) {
        self.answer_from(recipients::day(2019, 4, 15), "")
            .await
            .expect("it answers from the beginning");
        let mut operator = self.operator();
        upload(&mut operator, &header(EARLIER), b"earlier")
            .await
            .expect("it is taken");
        seal(&mut operator, &sealing(EARLIER, b"earlier"))
            .await
            .expect("it is sealed");
        release(&mut self.approver(), &releasing(EARLIER))
            .await
            .expect("it is released");
    }

    /// The copies a caller sees.
    async fn copies(&self, caller: &str) -> Vec<Copy> {
        let listed = self
            .client(Some(caller))
            .list_copies(ListCopiesRequest {
                page_size: 1000,
                ..Default::default()
            })
            .await;
        listed.expect("it is listed").into_inner().copies
    }

    /// Waits until no received content lies about.
    async fn until_nothing_is_staged(&self) {
        let received = self.files.path().join("received");
        let gone = async {
            while std::fs::read_dir(&received).is_ok_and(|mut files| files.next().is_some()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, gone)
            .await
            .expect("dropped content goes away");
    }
}

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn digest(content: &[u8]) -> String {
    hex::encode(legalstat_kit::door::wire::sha256(content))
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}

fn header(name: &str) -> UploadEditionContentHeader {
    UploadEditionContentHeader {
        name: name.into(),
        filename: "crime.pdf".into(),
        content_type: "application/pdf".into(),
        sha256: String::new(),
        request_id: new_id(),
        ..Default::default()
    }
}

fn message(part: Part) -> UploadEditionContentRequest {
    UploadEditionContentRequest { part: Some(part) }
}

async fn upload(client: &mut Client, header: &UploadEditionContentHeader, content: &[u8]) -> Result<Edition, Status> {
    let chunks = content
        .chunks(300_000)
        .map(|chunk| message(Part::Chunk(chunk.to_vec())));
    send(
        client,
        std::iter::once(message(Part::Header(header.clone())))
            .chain(chunks)
            .collect(),
    )
    .await
}

async fn send(client: &mut Client, messages: Vec<UploadEditionContentRequest>) -> Result<Edition, Status> {
    let answer = client.upload_edition_content(tokio_stream::iter(messages)).await;
    answer.map(tonic::Response::into_inner)
}

fn sealing(name: &str, content: &[u8]) -> SealEditionRequest {
    SealEditionRequest {
        name: name.into(),
        sha256: digest(content),
        request_id: new_id(),
        validate_only: false,
    }
}

async fn seal(client: &mut Client, request: &SealEditionRequest) -> Result<Edition, Status> {
    client
        .seal_edition(request.clone())
        .await
        .map(tonic::Response::into_inner)
}

fn releasing(name: &str) -> ReleaseEditionRequest {
    ReleaseEditionRequest {
        name: name.into(),
        request_id: new_id(),
        ..Default::default()
    }
}

async fn release(client: &mut Client, request: &ReleaseEditionRequest) -> Result<Edition, Status> {
    client
        .release_edition(request.clone())
        .await
        .map(tonic::Response::into_inner)
}

/// One copy in full.
async fn get_copy(client: &mut Client, name: &str) -> Result<Copy, Status> {
    let request = GetCopyRequest {
        name: name.into(),
        view: CopyView::Full.into(),
    };
    client.get_copy(request).await.map(tonic::Response::into_inner)
}

async fn edition(client: &mut Client, name: &str) -> Result<Edition, Status> {
    client
        .get_edition(GetEditionRequest {
            name: name.into(),
            view: 0,
        })
        .await
        .map(tonic::Response::into_inner)
}

/// One edition with its revisions.
async fn full_edition(client: &mut Client, name: &str) -> Result<Edition, Status> {
    let request = GetEditionRequest {
        name: name.into(),
        view: EditionView::Full.into(),
    };
    client.get_edition(request).await.map(tonic::Response::into_inner)
}
