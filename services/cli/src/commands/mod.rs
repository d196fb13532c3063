//! The command groups. Each command names a method, builds its request from flags or a file, and says how the answer is
//! shown.

pub(crate) mod answers;
pub(crate) mod attachments;
pub(crate) mod bodies;
pub(crate) mod calendar;
pub(crate) mod collections;
pub(crate) mod coupons;
pub(crate) mod decisions;
pub(crate) mod editions;
pub(crate) mod field_mask;
pub(crate) mod forms;
pub(crate) mod inbox;
pub(crate) mod journal;
mod next;
mod notice;
pub(crate) mod observations;
pub(crate) mod package;
pub(crate) mod proof;
pub(crate) mod registers;
pub(crate) mod requests;
mod sheet;
mod source;
mod submit;
pub(crate) mod verify;
pub(crate) mod watch;

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use legalstat_local::folder::write_chosen;
use legalstat_proto::forms::v1::{ImportObservationsHeader, ObservationRow};
use prost_reflect::{DynamicMessage, MessageDescriptor};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    call::{self, Connection},
    failure::Failure,
    message,
    options::Options,
    output::{self, View},
    place::ServiceName,
};

/// What a command does.
pub(crate) enum Action {
    /// A unary call with a request made of flags.
    Call(Value, View),
    /// A unary call with a message: what a file holds, or a change with its request_id.
    Send(DynamicMessage, View),
    /// A List call, all pages.
    List(Value, View),
    /// An upload that goes on when it breaks off: header and file, the method that tells what has come, and whether something
    /// may have come before.
    Resume(DynamicMessage, PathBuf, &'static str, bool),
    /// A download to a file, or to standard output as `-`.
    Download(Value, PathBuf),
    /// The approval of an answer, or what is to be signed for it.
    Approve(answers::Approve),
    /// The dispatch of an answer as it stands.
    Dispatch(DynamicMessage),
    /// A request by its name or by any of its numbers.
    Lookup(requests::lookup::Lookup),
    /// Several requests of one file.
    Several(requests::several::Several),
    /// An open data package, described and written.
    Package(package::Package),
    /// A feed, watched with a request, and what a person is told of a message; nothing of a heartbeat.
    Watch(watch::Watching, Value, fn(&Value) -> Option<String>),
    /// An import of figures: header and rows.
    Import(ImportObservationsHeader, Vec<ObservationRow>),
    /// Files of a request, and the request that is submitted with them.
    Attach(attachments::Attach, View),
    /// The confirmation of a copy, signed here.
    Confirm(collections::copies::Confirm),
    /// A download to a file that goes on when it breaks off, and whether what has come is kept for the next one.
    Fetch(Value, PathBuf, bool),
}

/// A command as it will be carried out.
pub(crate) struct Command {
    grpc_service: &'static str,
    method: &'static str,
    action: Action,
    service: Option<ServiceName>,
    rows: Vec<u64>,
}

impl Command {
    /// A command of one method.
    pub(crate) fn new(grpc_service: &'static str, method: &'static str, action: Action) -> Self {
        Self {
            grpc_service,
            method,
            action,
            service: None,
            rows: Vec::new(),
        }
    }

    /// The service, for methods that several have.
    pub(crate) fn on(mut self, service: ServiceName) -> Self {
        self.service = Some(service);
        self
    }

    /// The rows that it sends, by their numbers in the file that they come from: faults are told by these.
    pub(crate) fn of_rows(mut self, rows: Vec<u64>) -> Self {
        self.rows = rows;
        self
    }

    /// Carries it out and prints the answer.
    pub(crate) async fn run(mut self, options: &Options) -> Result<(), Failure> {
        let rows = std::mem::take(&mut self.rows);
        self.carry_out(options).await.map_err(|failure| failure.by_rows(&rows))
    }

    async fn carry_out(self, options: &Options) -> Result<(), Failure> {
        let service = self
            .service
            .or(ServiceName::of_grpc_service(self.grpc_service))
            .expect("the journal names its service");
        let method = format!("{}/{}", self.grpc_service, self.method);
        let connection = connect(options, service)?;
        let (response, view) = match self.action {
            Action::Call(request, view) => (connection.call(&method, &request).await?, view),
            Action::Send(request, view) => (connection.send(&method, &request).await?, view),
            Action::List(request, view) => (connection.list(&method, &request).await?, view),
            Action::Attach(attach, view) => (attach.run(&connection).await?, view),
            Action::Import(header, rows) => (connection.import(&method, &header, &rows).await?, View::Record),
            Action::Resume(header, file, asked, again) => {
                let asked = format!("{}/{asked}", self.grpc_service);
                let answer = connection.upload_resuming(&method, &asked, &header, &file, again);
                (answer.await?, View::Record)
            }
            Action::Fetch(request, to, resume) if to.as_os_str() != "-" => (
                connection.download_to(&method, &request, &to, resume).await?,
                View::Record,
            ),
            Action::Download(request, to) | Action::Fetch(request, to, _) => {
                let (description, content) = connection.download(&method, &request).await?;
                if to.as_os_str() == "-" {
                    return output::write_content(&content);
                }
                write_chosen(&to, &content)?;
                (with_digest(description, &content), View::Record)
            }
            Action::Confirm(confirm) => (confirm.run(&connection).await?, View::Record),
            Action::Dispatch(message) => (answers::dispatch(&connection, message).await?, View::Record),
            Action::Package(package) => return package.run(options).await,
            Action::Approve(approve) => return approve.run(options).await,
            Action::Lookup(lookup) => return lookup.run(&connection, options).await,
            Action::Several(several) => return several.run(&connection, options).await,
            Action::Watch(watch, request, line) => {
                let feed = watch::Feed {
                    connection,
                    method,
                    request,
                    line,
                };
                return watch.run(feed, options).await;
            }
        };
        Ok(output::print(&response, options.output, view)?)
    }
}

/// Connects as the caller that `--as` names, else as the default of the folder; then for what the default may call only.
pub(crate) fn connect(options: &Options, service: ServiceName) -> Result<Connection, Failure> {
    let place = options.place();
    match &options.caller {
        Some(caller) => place.connect(service, Some(caller)),
        None => {
            let connection = place.connect(service, place.default_caller().as_deref())?;
            Ok(connection.unnamed(place))
        }
    }
}

/// The name of who gives a command: that in the certificate of `--as`, or of the folder's default.
pub(crate) fn caller_name(options: &Options) -> Result<String, Failure> {
    let place = options.place();
    let caller = options.caller.clone().or_else(|| place.default_caller());
    place.name_of(&caller.ok_or_else(|| Failure::usage("say who you are with --as NAME"))?)
}

/// Adds what was really received to the description of a download.
fn with_digest(mut description: Value, content: &[u8]) -> Value {
    description["received"] = json!({ "sizeBytes": content.len(), "sha256": hex::encode(Sha256::digest(content)) });
    description
}

/// A day that there is, as it is written on the command line, 2019-07-15, in proto3 JSON.
pub(crate) fn date(text: &str) -> Result<Value, String> {
    let text = text.trim();
    let day: Option<jiff::civil::Date> = text.parse().ok().filter(|_| text.len() == 10);
    let day = day.ok_or("write a day that there is, as 2019-07-15")?;
    Ok(json!({ "year": day.year(), "month": day.month(), "day": day.day() }))
}

/// The place of an item as the sheet names it, `items[0]`.
pub(crate) fn place_of(item: &str) -> Option<usize> {
    let place = item.trim().strip_prefix("items[")?.strip_suffix(']')?;
    place.parse().ok()
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

/// The name of an edition, for which `1/2026-M10` or `crime/2026-Q1` is enough.
pub(crate) fn edition_name(prefix: &str, text: &str) -> String {
    match text.split_once('/') {
        Some((parent, period)) if format!("{parent}/") != prefix && !period.contains('/') => {
            format!("{prefix}{parent}/editions/{period}")
        }
        _ => text.into(),
    }
}

/// A request_id that makes this call one of its own.
pub(crate) fn new_request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Flags of every mutation.
#[derive(clap::Args, Debug)]
pub(crate) struct Mutation {
    /// A UUID; repeat a call with the same one and it has no second effect [default: a new one, which is told]
    #[arg(long, value_name = "UUID")]
    pub(crate) request_id: Option<String>,
    /// Check everything, change nothing
    #[arg(long)]
    pub(crate) validate_only: bool,
}

impl Mutation {
    /// Adds the flags to a request. A request_id that is made here is told at once, so that the call can be repeated with it
    /// whatever becomes of this one.
    pub(crate) fn add_to(&self, request: DynamicMessage) -> DynamicMessage {
        self.add_with(request, "")
    }

    /// The same, where the call is repeated only with these flags besides.
    pub(crate) fn add_with(&self, mut request: DynamicMessage, besides: &str) -> DynamicMessage {
        if self.validate_only {
            request.set_field_by_name("validate_only", prost_reflect::Value::Bool(true));
        }
        if let Some(given) = &self.request_id {
            request.set_field_by_name("request_id", message::string(given));
        } else if message::text(&request, "request_id").is_empty() {
            let made = new_request_id();
            if !message::is_trial(&request) {
                output::tell(&format!(
                    "request id {made}; the same call with --request-id {made}{besides} has no second effect"
                ));
            }
            request.set_field_by_name("request_id", message::string(made));
        }
        request
    }
}

/// The request of a method, made of flags.
pub(crate) fn request(service: &str, method: &str, fields: &Value) -> Result<DynamicMessage, Failure> {
    message::of(&call::method(&format!("{service}/{method}")).input(), fields)
}

/// Reads the request of a method in proto3 JSON from a file, or from standard input as `-`.
pub(crate) fn read_file(path: &Path, service: &str, method: &str) -> Result<DynamicMessage, Failure> {
    read_message(path, &call::method(&format!("{service}/{method}")).input())
}

/// Reads a message in proto3 JSON from a file, or from standard input as `-`.
pub(crate) fn read_message(path: &Path, descriptor: &MessageDescriptor) -> Result<DynamicMessage, Failure> {
    let (text, source) = read_text(path)?;
    message::read(descriptor, &text, &source)
}

/// A message of the contracts that a file holds in proto3 JSON.
pub(crate) fn read_typed<M: prost::Message + Default>(path: &Path, name: &str) -> Result<M, Failure> {
    message::typed(&read_message(path, &message::named(name))?)
}

/// Reads a text from a file, or from standard input as `-`, and how it is called.
pub(crate) fn read_text(path: &Path) -> Result<(String, String), Failure> {
    let mut bytes = Vec::new();
    let (read, source) = if path.as_os_str() == "-" {
        (
            std::io::stdin().lock().read_to_end(&mut bytes),
            "standard input".to_owned(),
        )
    } else {
        let opened = std::fs::File::open(path);
        (
            opened.and_then(|mut file| file.read_to_end(&mut bytes)),
            path.display().to_string(),
        )
    };
    let text = read.map_err(|error| error.to_string()).and_then(|_| decoded(bytes));
    let text = text.map_err(|error| Failure::usage(format!("cannot read {source}: {error}")))?;
    Ok((text, source))
}

/// The text of a file in UTF-8, or in the UTF-16 that a byte order mark announces, as some shells write it; the mark is no
/// part of it.
fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    let units = |of: fn([u8; 2]) -> u16| {
        bytes[2..]
            .chunks(2)
            .map(move |unit| of([unit[0], *unit.get(1).unwrap_or(&0)]))
    };
    let text = match bytes.get(..2) {
        Some([0xff, 0xfe]) => String::from_utf16(&units(u16::from_le_bytes).collect::<Vec<_>>()).ok(),
        Some([0xfe, 0xff]) => String::from_utf16(&units(u16::from_be_bytes).collect::<Vec<_>>()).ok(),
        _ => String::from_utf8(bytes).ok(),
    };
    let text = text.ok_or("it is not a text in UTF-8")?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Sets the fields that have a value.
pub(crate) fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let set = fields
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name.to_owned(), value)));
    Value::Object(set.collect())
}

/// The header of an upload by a method.
fn upload_header(
    method: &str,
    name: &str,
    content: &Path,
    content_type: &str,
    sha256: Option<String>,
) -> Result<DynamicMessage, Failure> {
    let filename = content.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let fields = object([
        ("name", Some(json!(name))),
        ("filename", Some(json!(filename))),
        ("contentType", Some(json!(content_type))),
        ("sha256", sha256.map(Value::from)),
    ]);
    message::of(&call::header(method), &fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edition_has_a_short_name_and_every_other_text_stays() {
        for (prefix, short, name) in [
            ("forms/", "1/2026-M10", "forms/1/editions/2026-M10"),
            ("collections/", "crime/2026-Q1", "collections/crime/editions/2026-Q1"),
            ("forms/", "forms/1/editions/2026-M10", "forms/1/editions/2026-M10"),
            ("forms/", "forms/1", "forms/1"),
            ("forms/", "1", "1"),
            ("forms/", "", ""),
        ] {
            assert_eq!(edition_name(prefix, short), name, "{short}");
        }
    }

    #[test]
    fn a_file_is_read_in_utf_8_or_in_the_utf_16_that_its_mark_announces() {
        let units = |of: fn(u16) -> [u8; 2]| "\u{feff}{й😀}".encode_utf16().flat_map(of).collect::<Vec<u8>>();
        for bytes in [
            "\u{feff}{й😀}".as_bytes().to_vec(),
            units(u16::to_le_bytes),
            units(u16::to_be_bytes),
        ] {
            assert_eq!(decoded(bytes).as_deref(), Ok("{й😀}"));
        }
        assert_eq!(decoded(b"{}".to_vec()).as_deref(), Ok("{}"));
        assert_eq!(decoded(Vec::new()).as_deref(), Ok(""));
        for wrong in [&b"{\xff}"[..], &[0xff, 0xfe, 0x00, 0xd8]] {
            assert!(decoded(wrong.to_vec()).is_err(), "{wrong:?}");
        }
    }
}
