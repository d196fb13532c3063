//! The methods as callers meet them: a running service on a database of its own, with the calendar
//! behind a gate.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use legalstat_local::testing::{
    gate::Gate,
    harness::Running,
    refusals::{metadata, pairs, refused, violations},
    relay::Relay,
};
use legalstat_proto::forms::v1::{
    CorrectEditionRequest, DeclareNilEditionRequest, DownloadEditionFileRequest, Edition, EditionFile,
    GetEditionRequest, GetPunctualityRequest, PlaceEditionRequest, SealEditionRequest, UploadEditionFileHeader,
    UploadEditionFileRequest, WithdrawEditionRequest, download_edition_file_response,
    form_registry_service_client::FormRegistryServiceClient, upload_edition_file_request::Part,
};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt;
use uuid::Uuid;

mod answering;
mod at_once;
mod availability;
mod availability_figures;
mod editions;
mod embargo;
mod embargo_paths;
mod exact;
mod explained;
mod feed;
mod figures;
mod forms;
mod imports;
mod journal;
mod large;
mod open_data;
mod outage;
mod package;
mod placement;
mod recompute;
mod registers;
mod resume;
mod retirement;
mod schedule;
mod sealed;
mod serving;
mod upgrade;
mod upload;
mod year;

type Client = FormRegistryServiceClient<Channel>;

/// How long a state may take to come about before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running form registry and what a test does to it.
struct Registry {
    running: Running,
    calendar: Gate,
    _calendar: Running,
    files: TempDir,
    clock: Arc<Mutex<Timestamp>>,
    settings: Vec<(&'static str, String)>,
}

impl Registry {
    /// A registry whose schedule is whole, at the given instant.
    async fn at(now: &str) -> Self {
        let registry = Self::start(now, true).await;
        registry.until_whole().await;
        registry
    }

    /// A registry that waits for its calendar.
    async fn without_calendar(now: &str) -> Self {
        Self::start(now, false).await
    }

    /// A registry whose schedule is whole, with a relay between it and its database.
    async fn behind(relay: &Relay, now: &str) -> Self {
        let registry = Self::start_with(Some(relay), now, true, &[]).await;
        registry.until_whole().await;
        registry
    }

    async fn start(now: &str, open: bool) -> Self {
        Self::start_with(None, now, open, &[]).await
    }

    async fn start_with(relay: Option<&Relay>, now: &str, open: bool, more: &[(&'static str, &str)]) -> Self {
        Self::started(now, open, more, async |settings, clock| {
            let tell = move || *clock.lock().expect("no test panics here");
            match relay {
                Some(relay) => Running::start_behind(relay, &crate::SERVICE, settings, tell).await,
                None => Running::start(&crate::SERVICE, settings, tell).await,
            }
        })
        .await
    }

    /// A registry with all that it needs around it, however it starts itself.
    async fn started(
        now: &str,
        open: bool,
        more: &[(&'static str, &str)],
        start: impl AsyncFnOnce(&[(&'static str, String)], Arc<Mutex<Timestamp>>) -> Running,
    ) -> Self {
        let files = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(Mutex::new(instant(now)));
        let told = clock.clone();
        let tell = move || *told.lock().expect("no test panics here");
        let behind = Running::start(&legalstat_calendar::SERVICE, &[], tell).await;
        let calendar = Gate::before(behind.url()).await;
        if open {
            calendar.open();
        }
        let settings = [
            ("LEGALSTAT_CALENDAR_URL", calendar.url()),
            ("LEGALSTAT_FILES", files.path().display().to_string()),
            ("LEGALSTAT_FILE_LIMIT", "2000000".to_owned()),
        ];
        let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let settings: Vec<_> = settings.into_iter().chain(more).collect();
        Self {
            running: start(&settings, clock.clone()).await,
            calendar,
            _calendar: behind,
            files,
            clock,
            settings,
        }
    }

    /// Another replica of it.
    async fn replica(&self) -> Running {
        let told = self.clock.clone();
        let tell = move || *told.lock().expect("no test panics here");
        self.running.replica(&crate::SERVICE, &self.settings, tell).await
    }

    async fn until_whole(&self) {
        let whole = async {
            let mut client = self.client(None);
            while client
                .get_punctuality(GetPunctualityRequest {
                    year: 2019,
                    ..Default::default()
                })
                .await
                .is_err()
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, whole)
            .await
            .expect("the calendar is there");
    }

    fn set_clock(&self, now: &str) {
        *self.clock.lock().expect("no test panics here") = instant(now);
    }

    fn client(&self, caller: Option<&str>) -> Client {
        Client::new(self.running.channel(caller))
    }

    fn operator(&self) -> Client {
        self.client(Some("operator"))
    }

    /// How many rows a table has.
    async fn count(&self, table: &str) -> i64 {
        let mut database = self.database().await;
        let sql = format!("SELECT count(*) FROM forms.{table}");
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut database)
            .await
            .expect("it is a table");
        database.close().await.expect("it closes");
        count
    }

    async fn database(&self) -> PgConnection {
        self.running.superuser().await
    }

    /// Waits until no received content lies about.
    async fn until_nothing_is_staged(&self) {
        self.until_staged(false).await;
    }

    /// Waits until received content lies about, or none does.
    async fn until_staged(&self, expected: bool) {
        let received = self.files.path().join("received");
        let staged = || std::fs::read_dir(&received).is_ok_and(|mut files| files.next().is_some());
        let reached = async {
            while staged() != expected {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached)
            .await
            .expect("content is received, and dropped content goes away");
    }
}

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn header(name: &str) -> UploadEditionFileHeader {
    UploadEditionFileHeader {
        name: name.into(),
        filename: "form.csv".into(),
        content_type: "text/csv".into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    }
}

fn message(part: Part) -> UploadEditionFileRequest {
    UploadEditionFileRequest { part: Some(part) }
}

async fn upload(client: &mut Client, header: &UploadEditionFileHeader, content: &[u8]) -> Result<Edition, Status> {
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

async fn send(client: &mut Client, messages: Vec<UploadEditionFileRequest>) -> Result<Edition, Status> {
    let messages = tokio_stream::iter(messages);
    client
        .upload_edition_file(messages)
        .await
        .map(tonic::Response::into_inner)
}

async fn download(client: &mut Client, name: &str) -> Result<(EditionFile, Vec<u8>), Status> {
    let request = DownloadEditionFileRequest {
        name: name.into(),
        ..Default::default()
    };
    fetch(client, request).await
}

/// The description of a file, and what came of it.
async fn fetch(client: &mut Client, request: DownloadEditionFileRequest) -> Result<(EditionFile, Vec<u8>), Status> {
    let mut stream = client.download_edition_file(request).await?.into_inner();
    let (mut file, mut content) = (None, Vec::new());
    while let Some(message) = stream.message().await? {
        match message.part.expect("every message carries a part") {
            download_edition_file_response::Part::File(description) => file = Some(description),
            download_edition_file_response::Part::Chunk(chunk) => content.extend(chunk),
        }
    }
    Ok((file.expect("the first message describes the file"), content))
}

fn placing(name: &str, channel: legalstat_proto::forms::v1::Channel) -> PlaceEditionRequest {
    PlaceEditionRequest {
        name: name.into(),
        channel: channel.into(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    }
}

async fn try_seal(client: &mut Client, name: &str) -> Result<Edition, Status> {
    let request = SealEditionRequest {
        name: name.into(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    };
    client.seal_edition(request).await.map(tonic::Response::into_inner)
}

async fn seal(client: &mut Client, name: &str) -> Edition {
    try_seal(client, name).await.expect("it is sealed")
}

async fn get(client: &mut Client, name: &str) -> Edition {
    let request = GetEditionRequest {
        name: name.into(),
        ..Default::default()
    };
    client.get_edition(request).await.expect("it is scheduled").into_inner()
}

async fn try_correct(client: &mut Client, name: &str, reason: &str) -> Result<Edition, Status> {
    let request = CorrectEditionRequest {
        name: name.into(),
        reason: reason.into(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    };
    client.correct_edition(request).await.map(tonic::Response::into_inner)
}

async fn try_withdraw(client: &mut Client, name: &str, reason: &str) -> Result<Edition, Status> {
    let request = WithdrawEditionRequest {
        name: name.into(),
        reason: reason.into(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    };
    client.withdraw_edition(request).await.map(tonic::Response::into_inner)
}

async fn try_declare_nil(client: &mut Client, name: &str, reason: &str) -> Result<Edition, Status> {
    let request = DeclareNilEditionRequest {
        name: name.into(),
        reason: reason.into(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    };
    client
        .declare_nil_edition(request)
        .await
        .map(tonic::Response::into_inner)
}

async fn place(client: &mut Client, request: &PlaceEditionRequest) -> Result<Edition, Status> {
    client
        .place_edition(request.clone())
        .await
        .map(tonic::Response::into_inner)
}

/// Checks code, reason and law of a refusal.
fn assert_refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, expected: &str, law: &str) {
    let status = refused(answer, code, expected);
    assert_eq!(metadata(&status, "legal_basis"), law, "{status:?}");
}

/// Runs an ignored test, which must pass: other tests run in this process, so memory is measured in one of its own.
fn in_a_process_of_its_own(test: &str) {
    let own = std::env::current_exe().expect("this test runs");
    let alone = [test, "--exact", "--ignored", "--nocapture"];
    let output = std::process::Command::new(own).args(alone).output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}
