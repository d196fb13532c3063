//! `legalstat tour`: the main job on real input, step by step, naming the paragraph that each step carries out. It ends
//! with an error at the first thing that is not as it should be.

mod calendar;
mod collections;
mod forms;
mod journal;
mod requests;

use std::{collections::BTreeMap, os::unix::fs::PermissionsExt};

use anyhow::Context as _;
use clap::Args;
use legalstat_kit::call::telemetry::{self, LogFormat};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    call::{self, Connection},
    failure::Failure,
    message,
    options::Options,
    output,
    place::{Place, ServiceName},
    sandbox::Sandbox,
    up::System,
};

/// Go through the main job step by step, against a running system or a temporary one
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The system to go through, by its host; the calendar's port is 7601 unless one follows, the others have the three after it. The
    /// callers' certificates are those of `LEGALSTAT_CERTIFICATES`, a folder made for trying out [default: the system that the
    /// environment names, else a running `up`]
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) target: Option<String>,
}

impl Arguments {
    pub(crate) async fn run(self, options: &Options) -> Result<(), Failure> {
        match self.target {
            Some(target) => Tour::new(options.place().on(&target)?).go().await,
            None => run(options).await,
        }
    }
}

/// Goes through the whole job, against a running system or a temporary one.
async fn run(options: &Options) -> Result<(), Failure> {
    if options.place().is_reachable() {
        return Tour::new(options.place()).go().await;
    }
    println("No system is running here; starting a temporary one.")?;
    let _telemetry = telemetry::start("legalstat", "warn", LogFormat::Text, None)?;
    let shutdown = CancellationToken::new();
    tokio::spawn(legalstat_kit::run::stop_on_signal(shutdown.clone()));
    let folder = tempfile::Builder::new()
        .prefix("legalstat-tour-")
        .permissions(passable())
        .tempdir();
    let folder = folder.context("making a temporary folder")?;
    let system = System::start(folder.path(), &Sandbox::default(), shutdown.clone()).await?;
    let place = Place::local(folder.path().to_owned(), options.place().timeout());
    let toured = tokio::select! {
        toured = Tour::new(place).go() => toured,
        () = shutdown.cancelled() => Err(Failure::Other(anyhow::anyhow!("stopped"))),
    };
    system.stop().await?;
    toured
}

/// PostgreSQL runs as another user when this process is root, and must be let through.
fn passable() -> std::fs::Permissions {
    PermissionsExt::from_mode(0o711)
}

fn println(line: &str) -> Result<(), Failure> {
    Ok(output::write(&format!("{line}\n"))?)
}

/// Ends the tour when something is not as it should be.
fn ensure(condition: bool, expectation: &str) -> Result<(), Failure> {
    if condition {
        return Ok(());
    }
    Err(Failure::Other(anyhow::anyhow!(
        "this is not as it should be: {expectation}"
    )))
}

/// A tour under way.
struct Tour {
    place: Place,
    connections: BTreeMap<(ServiceName, Option<String>), Connection>,
    steps: usize,
    /// What the journal must hold at the end: service, method, resource.
    mutations: Vec<(ServiceName, String, String)>,
}

impl Tour {
    fn new(place: Place) -> Self {
        Self {
            place,
            connections: BTreeMap::new(),
            steps: 0,
            mutations: Vec::new(),
        }
    }

    async fn go(mut self) -> Result<(), Failure> {
        self.calendar().await?;
        self.forms().await?;
        self.requests().await?;
        self.collections().await?;
        self.journal().await?;
        println(&format!("\nEverything is as it should be: {} steps.", self.steps))
    }

    fn chapter(&self, title: &str) -> Result<(), Failure> {
        println(&format!("\n{title}"))
    }

    fn connection(&mut self, service: ServiceName, caller: Option<&str>) -> Result<Connection, Failure> {
        let key = (service, caller.map(str::to_owned));
        if let Some(connection) = self.connections.get(&key) {
            return Ok(connection.clone());
        }
        let connection = self.place.connect(service, caller)?;
        self.connections.insert(key, connection.clone());
        Ok(connection)
    }

    /// Begins a step: what is called, by whom, and which paragraph it carries out.
    fn step(&mut self, caller: Option<&str>, method: &str, paragraph: &str) -> Result<Connection, Failure> {
        self.steps += 1;
        let name = method.rsplit('/').next().unwrap_or(method);
        println(&format!(
            "{:>3}. {name} as {} — {paragraph}",
            self.steps,
            caller.unwrap_or("the public")
        ))?;
        let service = ServiceName::of_grpc_service(method);
        self.connection(service.context("the journal is called by its service")?, caller)
    }

    fn came_back(&self, what: &str) -> Result<(), Failure> {
        println(&format!("     {what}"))
    }

    /// Calls a method that must succeed.
    async fn call(
        &mut self,
        caller: Option<&str>,
        method: &str,
        request: &Value,
        paragraph: &str,
    ) -> Result<Value, Failure> {
        let connection = self.step(caller, method, paragraph)?;
        connection.list(method, request).await
    }

    /// Calls a method that must change something, and notes what the journal must tell of it.
    async fn change(&mut self, caller: &str, method: &str, request: &Value, paragraph: &str) -> Result<Value, Failure> {
        let response = self.call(Some(caller), method, request, paragraph).await?;
        self.changed(method, &response)?;
        Ok(response)
    }

    fn changed(&mut self, method: &str, response: &Value) -> Result<(), Failure> {
        let service = ServiceName::of_grpc_service(method).context("the journal changes nothing")?;
        self.mutations
            .push((service, format!("/{method}"), text(&response["name"])));
        Ok(())
    }

    /// Calls a method that must be refused for a reason.
    async fn refused(
        &mut self,
        caller: Option<&str>,
        method: &str,
        request: &Value,
        reason: &str,
        paragraph: &str,
    ) -> Result<(), Failure> {
        let connection = self.step(caller, method, paragraph)?;
        match connection.call(method, request).await {
            Ok(_) => Err(Failure::Other(anyhow::anyhow!(
                "this is not as it should be: {method} was not refused"
            ))),
            Err(failure) if failure.reason().as_deref() == Some(reason) => {
                self.came_back(&indented(&failure.to_string()))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Uploads content from a temporary file.
    async fn upload(&mut self, method: &str, header: &Value, content: &str, paragraph: &str) -> Result<Value, Failure> {
        let file = temporary(content)?;
        let connection = self.step(Some("operator"), method, paragraph)?;
        let header = message::of(&call::header(method), header)?;
        let response = connection.upload(method, &header, file.path()).await?;
        self.changed(method, &response)?;
        Ok(response)
    }
}

fn temporary(content: &str) -> anyhow::Result<tempfile::NamedTempFile> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), content)?;
    Ok(file)
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n     ")
}

fn text(value: &Value) -> String {
    output::text(value)
}

/// A date as the contracts have it.
fn date(year: i32, month: i32, day: i32) -> Value {
    json!({ "year": year, "month": month, "day": day })
}

/// The id of a step on an edition: the same at every tour, so that a second one repeats the call and changes nothing.
fn request_id(edition: &str, step: &str) -> String {
    Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("legalstat:tour:{edition}:{step}").as_bytes(),
    )
    .to_string()
}

/// The first edition that still waits for its content and is due, else the last that does not wait any more.
fn choose(editions: &Value) -> Option<String> {
    let today = jiff::Zoned::now().date().to_string();
    let list = editions["editions"].as_array()?;
    let due = || list.iter().filter(|edition| text(&edition["dueDate"]) < today);
    let waiting = due().find(|edition| edition["state"] == "EDITION_STATE_SCHEDULED");
    waiting
        .or_else(|| due().next_back())
        .map(|edition| text(&edition["name"]))
}
