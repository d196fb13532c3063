//! The command groups. Each command names a method, builds its request from flags or a file, and says how the answer is
//! shown.

pub(crate) mod calendar;
pub(crate) mod collections;
pub(crate) mod forms;
pub(crate) mod journal;
pub(crate) mod requests;

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    call::Connection,
    failure::Failure,
    options::Options,
    output::{self, View},
    place::ServiceName,
};

/// What a command does.
pub(crate) enum Action {
    /// A unary call.
    Call(Value, View),
    /// A List call, all pages.
    List(Value, View),
    /// An upload: header and file.
    Upload(Value, PathBuf),
    /// A download to a file, or to standard output as `-`.
    Download(Value, PathBuf),
}

/// A command as it will be carried out.
pub(crate) struct Command {
    grpc_service: &'static str,
    method: &'static str,
    caller: Option<&'static str>,
    action: Action,
    service: Option<ServiceName>,
}

impl Command {
    /// A command whose caller is an operator where there is an operator's certificate.
    pub(crate) fn new(grpc_service: &'static str, method: &'static str, action: Action) -> Self {
        Self {
            grpc_service,
            method,
            caller: None,
            action,
            service: None,
        }
    }

    /// The caller unless `--as` names another.
    pub(crate) fn called_as(mut self, caller: &'static str) -> Self {
        self.caller = Some(caller);
        self
    }

    /// The service, for methods that several have.
    pub(crate) fn on(mut self, service: ServiceName) -> Self {
        self.service = Some(service);
        self
    }

    /// Carries it out and prints the answer.
    pub(crate) async fn run(self, options: &Options) -> Result<(), Failure> {
        let service = self
            .service
            .or(ServiceName::of_grpc_service(self.grpc_service))
            .expect("the journal names its service");
        let method = format!("{}/{}", self.grpc_service, self.method);
        let connection = connect(options, service, self.caller)?;
        let (response, view) = match self.action {
            Action::Call(request, view) => (connection.call(&method, &request).await?, view),
            Action::List(request, view) => (connection.list(&method, &request).await?, view),
            Action::Upload(header, file) => (connection.upload(&method, &header, &file).await?, View::Record),
            Action::Download(request, to) => {
                let (description, content) = connection.download(&method, &request).await?;
                if to.as_os_str() == "-" {
                    std::io::Write::write_all(&mut std::io::stdout().lock(), &content).context("standard output")?;
                    return Ok(());
                }
                std::fs::write(&to, &content).with_context(|| format!("writing {}", to.display()))?;
                (with_digest(description, &content), View::Record)
            }
        };
        Ok(output::print(&response, options.output, view)?)
    }
}

/// Connects as the caller that `--as` names, else as `usual`, else as an operator where there is an operator's
/// certificate.
pub(crate) fn connect(
    options: &Options,
    service: ServiceName,
    usual: Option<&'static str>,
) -> Result<Connection, Failure> {
    let place = options.place();
    let usual = usual.or_else(|| place.has_certificate("operator").then_some("operator"));
    place.connect(service, options.caller.as_deref().or(usual))
}

/// Adds what was really received to the description of a download.
fn with_digest(mut description: Value, content: &[u8]) -> Value {
    description["received"] = json!({ "sizeBytes": content.len(), "sha256": hex::encode(Sha256::digest(content)) });
    description
}

/// A date as it is written on the command line, 2019-07-15, in proto3 JSON.
pub(crate) fn date(text: &str) -> Result<Value, String> {
    let numbers: Option<Vec<i32>> = text.split('-').map(|part| part.parse().ok()).collect();
    match numbers.as_deref() {
        Some([year, month, day]) if text.len() == 10 => Ok(json!({ "year": year, "month": month, "day": day })),
        _ => Err("write a date as 2019-07-15".into()),
    }
}

/// An instant as it is written on the command line, RFC 3339.
pub(crate) fn instant(text: &str) -> Result<Value, String> {
    let instant: jiff::Timestamp = text
        .parse()
        .map_err(|_| "write an instant as 2025-03-14T10:00:00+05:00".to_owned())?;
    Ok(json!(instant.to_string()))
}

/// A resource name: adds `prefix` to a bare id.
pub(crate) fn name(prefix: &str, id: &str) -> String {
    if id.starts_with(prefix) {
        id.into()
    } else {
        format!("{prefix}{id}")
    }
}

/// A request_id that makes this call one of its own.
pub(crate) fn new_request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Flags of every mutation.
#[derive(clap::Args, Debug)]
pub(crate) struct Mutation {
    /// A UUID; repeat a call with the same one and it has no second effect [default: a new one]
    #[arg(long, value_name = "UUID")]
    pub(crate) request_id: Option<String>,
    /// Check everything, change nothing
    #[arg(long)]
    pub(crate) validate_only: bool,
}

impl Mutation {
    /// Adds the flags to a request.
    pub(crate) fn add_to(&self, mut request: Value) -> Value {
        if request.get("requestId").is_none() || self.request_id.is_some() {
            request["requestId"] = json!(self.request_id.clone().unwrap_or_else(new_request_id));
        }
        if self.validate_only {
            request["validateOnly"] = json!(true);
        }
        request
    }
}

/// Reads a request message in proto3 JSON from a file, or from standard input as `-`.
pub(crate) fn read_file(path: &PathBuf) -> Result<Value, Failure> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().lock().read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
    let message: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("{} is not JSON: {error}", path.display())))?;
    if !message.is_object() {
        return Err(Failure::usage(format!(
            "{} holds no message, which is a JSON object",
            path.display()
        )));
    }
    Ok(message)
}

/// Sets the fields that have a value.
pub(crate) fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let set = fields
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name.to_owned(), value)));
    Value::Object(set.collect())
}

/// The header of an upload.
fn upload_header(name: &str, content: &Path, content_type: &str, sha256: Option<String>) -> Value {
    let filename = content.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    object([
        ("name", Some(json!(name))),
        ("filename", Some(json!(filename))),
        ("contentType", Some(json!(content_type))),
        ("sha256", sha256.map(Value::from)),
    ])
}
