//! Every reason of a refusal is provoked on a running system by the calls of `refusals.txt`, and comes over the wire with the code and, in
//! three languages, the texts that `proto/ERRORS.md` publishes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    process::Command,
    time::{Duration, Instant},
};

use legalstat_proto::common::v1::{ErrorReason, FieldReason};
use nix::sys::signal::Signal;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::task::JoinHandle;
use tonic::{Request, Status, Streaming, metadata::AsciiMetadataKey};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::{
    catalogue::{CATALOGUE, name, short},
    lint::own_methods,
    methods::{Beside, Raw, answers, server},
    reasons::{self, ERRORS, FIELDS},
};

const CALLS: &str = include_str!("refusals.txt");

const LANGUAGES: [&str; 3] = ["kk", "ru", "en"];

/// What a call may take until it is answered as expected; on a busy machine far more than it does.
const PATIENCE: Duration = Duration::from_secs(60);

/// The published catalogue: of each reason its codes, none of those of violations, and its texts.
fn catalogue() -> HashMap<&'static str, (&'static str, [&'static str; 3])> {
    let rows = CATALOGUE.lines().filter_map(|line| line.strip_prefix("| `"));
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.trim_end_matches(" |").split(" | ").collect();
        let reason = cells[0].trim_end_matches('`').trim_start_matches("ERROR_REASON_");
        match *cells.as_slice() {
            [_, codes, kk, ru, en] => (reason, (codes, [kk, ru, en])),
            [_, kk, ru, en] => (reason, ("", [kk, ru, en])),
            _ => panic!("a row of another form: {line}"),
        }
    };
    rows.map(row).collect()
}

/// One call of the file.
struct Step {
    head: &'static str,
    /// The reasons that must come; none of a step that must be answered.
    expected: BTreeSet<&'static str>,
    /// The name under which its answer is kept.
    kept: Option<&'static str>,
    caller: Option<&'static str>,
    method: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    /// JSON, with places for what was kept.
    body: String,
}

impl Step {
    fn read(head: &'static str, body: String) -> Self {
        let (expected, call) = head
            .split_once(": ")
            .expect("a call is expected to be answered somehow");
        let mut call = call.split(' ');
        let (caller, method) = call.next().zip(call.next()).expect("somebody calls a method");
        let kept = expected.strip_prefix("OK ");
        Self {
            head,
            expected: expected.split(' ').filter(|_| kept.is_none()).collect(),
            kept,
            caller: Some(caller).filter(|caller| *caller != "nobody"),
            method,
            headers: call.map(|header| header.split_once('=').expect("a header")).collect(),
            body,
        }
    }

    /// The messages of the call as bytes.
    fn messages(&self, method: Option<&MethodDescriptor>, kept: &BTreeMap<&str, Value>) -> Vec<Raw> {
        let Some(method) = method else {
            return vec![Raw(Vec::new())];
        };
        let body = if self.body.is_empty() { "{}" } else { &self.body };
        let body: Value = serde_json::from_str(&filled(body, kept)).expect("the message is JSON");
        let messages = match body {
            Value::Array(bytes) if bytes[0].is_u64() => {
                let bytes = bytes
                    .iter()
                    .filter_map(Value::as_u64)
                    .map(|byte| u8::try_from(byte).expect("a byte"));
                return vec![Raw(bytes.collect())];
            }
            Value::Array(messages) => messages,
            message => vec![message],
        };
        let encoded = messages
            .into_iter()
            .map(|message| encoded(&method.input(), message, self.head));
        encoded.collect()
    }
}

/// What is there before anything is answered.
fn given() -> BTreeMap<&'static str, Value> {
    let letters = "ә".repeat(500);
    let text = json!({ "kk": letters, "ru": letters, "en": letters });
    let figure = |number: u32| {
        json!({
            "indicator": { "code": "hand", "title": text }, "period": "2025-Q4", "value": "1", "note": text,
            "territory": { "code": number.to_string(), "title": text },
        })
    };
    let figures: Vec<Value> = (0..200).map(figure).collect();
    BTreeMap::from([("long", "x".repeat(300_000).into()), ("figures", figures.into())])
}

/// A text with what was kept in its places.
fn filled(text: &str, kept: &BTreeMap<&str, Value>) -> String {
    let mut parts = text.split("${");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (place, rest) = part.split_once('}').expect("a place ends");
        let mut path = place.split('.');
        let whole = kept.get(path.next().unwrap_or_default());
        let value = whole.and_then(|value| value.pointer(&path.map(|name| format!("/{name}")).collect::<String>()));
        match value.unwrap_or_else(|| panic!("there is no {place}")) {
            Value::String(text) => filled += text,
            value => filled += &value.to_string(),
        }
        filled += rest;
    }
    filled
}

/// A message with a request_id where it, or its header, takes one and has none: always the same one in the same step.
fn encoded(descriptor: &MessageDescriptor, mut message: Value, step: &str) -> Raw {
    let has_id = |descriptor: &MessageDescriptor| descriptor.get_field_by_name("request_id").is_some();
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{step}{message}").as_bytes()).to_string();
    let header = message
        .get("header")
        .is_some()
        .then(|| descriptor.get_field_by_name("header"))
        .flatten();
    let (descriptor_of_body, body) = match header.and_then(|header| header.kind().as_message().cloned()) {
        Some(header) => (header, &mut message["header"]),
        None => (descriptor.clone(), &mut message),
    };
    if has_id(&descriptor_of_body) && body.get("requestId").is_none() {
        body["requestId"] = id.into();
    }
    let read = DynamicMessage::deserialize(descriptor.clone(), &message);
    Raw(read
        .unwrap_or_else(|error| panic!("{error}: {message}"))
        .encode_to_vec())
}

struct Stage {
    beside: Beside,
    /// Feeds that are held open.
    feeds: Vec<Streaming<Raw>>,
    /// Calls whose message never comes, one in each language: the server ends them when their time is over, which takes half a minute.
    silent: Vec<JoinHandle<Status>>,
    methods: Vec<MethodDescriptor>,
    catalogue: HashMap<&'static str, (&'static str, [&'static str; 3])>,
    kept: BTreeMap<&'static str, Value>,
    provoked: BTreeSet<&'static str>,
}

impl Stage {
    /// A system whose clock is told, lest what has ended change from day to day, with a caller more and one whose certificate is revoked.
    fn set() -> Self {
        let beside = Beside::start_with(&["--clock", "2026-11-27T10:00:00+05:00"]);
        let system = &beside.system;
        let certificates = system.home().join("certificates");
        for ending in ["pem", "key"] {
            let [from, to] = ["kadagalau", "revoked"].map(|name| certificates.join(format!("{name}.{ending}")));
            std::fs::copy(from, to).expect("it is there");
        }
        for command in [
            &["certificates", "revoke", "kadagalau"] as &[&str],
            &["certificates", "add", "--name", "second", "--role", "administrator"],
        ] {
            assert!(system.run(command).status.success(), "{command:?}");
        }
        Self {
            beside,
            feeds: Vec::new(),
            silent: Vec::new(),
            methods: own_methods(),
            catalogue: catalogue(),
            kept: given(),
            provoked: BTreeSet::new(),
        }
    }

    /// Makes a call in a language, as often as it takes until it is answered as expected; gives the refusal.
    async fn call(&mut self, step: &Step, language: &str) -> Option<Status> {
        let path = format!("legalstat.{}", step.method.replace('/', "."));
        let method = self.methods.iter().find(|method| method.full_name() == path);
        let began = Instant::now();
        loop {
            let mut request = Request::new(tokio_stream::iter(step.messages(method, &self.kept)));
            for (header, value) in step.headers.iter().chain(&[("accept-language", language)]) {
                let header = AsciiMetadataKey::from_bytes(header.as_bytes()).expect("a header");
                request.metadata_mut().insert(header, value.parse().expect("a value"));
            }
            let channel = self.beside.channel(server(step.method), step.caller);
            let answer = match answers(channel, step.method, request).await {
                Ok(mut answer) => answer.message().await,
                Err(status) => Err(status),
            };
            let found = answer.as_ref().err().map(reasons_of).unwrap_or_default();
            if found.iter().map(String::as_str).eq(step.expected.iter().copied()) {
                if let (Ok(Some(Raw(bytes))), Some(kept), Some(method)) = (&answer, step.kept, method) {
                    let answer = DynamicMessage::decode(method.output(), bytes.as_slice()).expect("an answer");
                    self.kept
                        .insert(kept, serde_json::to_value(&answer).expect("it is a message"));
                }
                return answer.err();
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{} of {} is not answered by {:?}: {answer:?}",
                step.method,
                step.body,
                step.expected
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Compares a refusal with the catalogue.
    fn compare(&mut self, refusal: &Status, language: usize) {
        let details = refusal.get_error_details();
        let reason = &details.error_info().expect("it has a reason").reason;
        let reason = reason.trim_start_matches("ERROR_REASON_");
        let (&reason, (codes, texts)) = self.catalogue.get_key_value(reason).expect("it is published");
        assert!(
            codes.split(", ").any(|code| code == name(refusal.code())),
            "{refusal:?}"
        );
        let message = details.localized_message().expect("a language is asked for");
        assert_eq!(message.locale, LANGUAGES[language]);
        assert_eq!(message.message, texts[language], "{reason}");
        self.provoked.insert(reason);
        let violations = details.bad_request().map(|found| found.field_violations.clone());
        for violation in violations.unwrap_or_default() {
            let (&reason, (_, texts)) = self
                .catalogue
                .get_key_value(&*violation.reason)
                .expect("it is published");
            match violation.localized_message {
                Some(message) => assert_eq!(message.message, texts[language], "{reason}"),
                // Of many only the first have texts.
                None => assert!(
                    reasons_of(refusal).contains("MORE"),
                    "{reason} has no text: {refusal:?}"
                ),
            }
            self.provoked.insert(reason);
        }
    }

    /// Does what is no call.
    async fn act(&mut self, what: &str, with: &str) {
        let system = &mut self.beside.system;
        match what {
            "RESTART" => {
                for (language, silent) in std::mem::take(&mut self.silent).into_iter().enumerate() {
                    self.compare(&silent.await.expect("it ends"), language);
                }
                let options: Vec<&str> = with.split_whitespace().collect();
                tokio::task::block_in_place(|| {
                    self.beside.system.end(Signal::SIGTERM);
                    self.beside.system.up_with(&options);
                });
            }
            "RUN" => {
                let done = Command::new("sh")
                    .args(["-ec", with])
                    .current_dir(system.folder())
                    .status();
                assert!(done.expect("there is a shell").success(), "{with}");
            }
            "SQL" => {
                let done = sqlx::raw_sql(AssertSqlSafe(with))
                    .execute(&mut self.database().await)
                    .await;
                done.unwrap_or_else(|error| panic!("{error}: {with}"));
            }
            "FEEDS" => {
                self.feeds.clear();
                for _ in 0..with.trim().parse().expect("a number") {
                    let feed = self.feed("en").await;
                    self.feeds.extend(feed);
                }
            }
            what => panic!("nobody knows {what}"),
        }
    }

    /// The database of the system, as its superuser.
    async fn database(&self) -> PgConnection {
        let connected = PgConnection::connect(&self.beside.system.database_url("legalstat")).await;
        connected.expect("it runs")
    }

    /// Runs statements in the database until it is aborted.
    async fn meanwhile(&self, statements: String) -> JoinHandle<()> {
        let mut database = self.database().await;
        tokio::spawn(async move {
            let ended = sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut database).await;
            panic!("they go on until the call is answered: {ended:?}");
        })
    }

    /// Begins the calls whose message never comes.
    fn be_silent(&mut self) {
        for language in LANGUAGES {
            let mut request = Request::new(tokio_stream::pending());
            let language = language.parse().expect("a value");
            request.metadata_mut().insert("accept-language", language);
            let channel = self.beside.channel("calendar", Some("edms"));
            self.silent.push(tokio::spawn(async move {
                let answer = answers(channel, "calendar.v1.CalendarService/GetDay", request).await;
                answer.expect_err("it asks nothing")
            }));
        }
    }

    /// A feed in a language; none where no more are taken.
    async fn feed(&self, language: &str) -> Option<Streaming<Raw>> {
        let mut request = Request::new(tokio_stream::once(Raw(Vec::new())));
        let language = language.parse().expect("a value");
        request.metadata_mut().insert("accept-language", language);
        let channel = self.beside.channel("form-registry", Some("edms"));
        answers(channel, "forms.v1.FormRegistryService/WatchForms", request)
            .await
            .ok()
    }

    async fn play(&mut self, step: &Step) {
        for (place, language) in LANGUAGES.into_iter().enumerate() {
            match self.call(step, language).await {
                Some(refusal) => self.compare(&refusal, place),
                None => return,
            }
        }
    }

    /// Stops the system while feeds are open, one in each language.
    async fn stop(&mut self) {
        let mut feeds = Vec::new();
        for language in LANGUAGES {
            feeds.push(self.feed(language).await.expect("it is open to systems"));
        }
        tokio::task::block_in_place(|| self.beside.system.end(Signal::SIGTERM));
        for (language, mut feed) in feeds.into_iter().enumerate() {
            let ended = loop {
                match feed.message().await {
                    Ok(told) => assert!(told.is_some(), "no feed ends with OK"),
                    Err(ended) => break ended,
                }
            };
            self.compare(&ended, language);
        }
    }
}

/// The reasons of a refusal and of its violations.
fn reasons_of(refusal: &Status) -> BTreeSet<String> {
    let details = refusal.get_error_details();
    let reason = details
        .error_info()
        .map(|info| info.reason.trim_start_matches("ERROR_REASON_").to_owned());
    let violations = details.bad_request().map(|found| found.field_violations.clone());
    let violations = violations
        .unwrap_or_default()
        .into_iter()
        .map(|violation| violation.reason);
    reason.into_iter().chain(violations).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reason_comes_over_the_wire_with_the_code_and_the_texts_that_the_catalogue_publishes() {
    let mut stage = tokio::task::block_in_place(Stage::set);
    stage.be_silent();
    let mut meanwhile: Option<JoinHandle<()>> = None;
    for call in CALLS.split("\n\n") {
        let mut lines = call.lines().filter(|line| !line.starts_with('#'));
        let Some(head) = lines.next() else { continue };
        let body = lines.collect::<Vec<_>>().join("\n");
        match head.split_once(':') {
            Some(("MEANWHILE", _)) => meanwhile = Some(stage.meanwhile(body).await),
            Some((what @ ("RESTART" | "FEEDS" | "RUN" | "SQL"), with)) => {
                stage.act(what, &(with.to_owned() + &body)).await
            }
            _ => {
                stage.play(&Step::read(head, body)).await;
                if let Some(statements) = meanwhile.take() {
                    statements.abort();
                }
            }
        }
    }
    stage.stop().await;
    let errors = reasons::values::<ErrorReason>(ERRORS).into_iter();
    let errors = errors.map(|reason| reason.as_str_name().trim_start_matches("ERROR_REASON_"));
    let fields = reasons::values::<FieldReason>(FIELDS).into_iter().map(short);
    assert_eq!(stage.provoked, errors.chain(fields).collect::<BTreeSet<_>>());
    tokio::task::block_in_place(|| drop(stage));
}
