//! Every reason of a refusal is provoked on a running system by the calls of `refusals.txt`, and comes over the wire with the code and, in
//! three languages, the texts that `proto/ERRORS.md` publishes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

use legalstat_proto::common::v1::{ErrorReason, FieldReason};
use legalstat_test_support::system::System;
use nix::sys::signal::Signal;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor};
use serde_json::Value;
use tonic::{Request, Status, metadata::AsciiMetadataKey};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::{
    catalogue::{CATALOGUE, name, short},
    lint::own_methods,
    methods::{Raw, answers, server},
    reasons::{self, ERRORS, FIELDS},
};

const CALLS: &str = include_str!("refusals.txt");

/// Reasons that no caller of a sound system meets, with what it takes; each is expected by name in a test of a service.
const ELSEWHERE: [(ErrorReason, &str); 11] = [
    (
        ErrorReason::DeadlineExceeded,
        "a call that outlasts its deadline at the server, not at the client",
    ),
    (ErrorReason::DependencyBusy, "a database without a free connection"),
    (
        ErrorReason::DistributionChanged,
        "a list that disagrees with issued copies, which no call can make",
    ),
    (ErrorReason::DocumentNotRendered, "an answer of more than a MiB"),
    (ErrorReason::Internal, "a fault of the code"),
    (ErrorReason::Overloaded, "more calls at once than a server takes"),
    (ErrorReason::RateExceeded, "the share of a whole day"),
    (ErrorReason::RecipientNotServed, "a recipient's inbox"),
    (ErrorReason::SigningKeyUnknown, "a recipient's inbox"),
    (ErrorReason::StorageFailing, "a disk that fails"),
    (ErrorReason::StorageFull, "a full disk"),
];

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

/// A text with what was kept in its places.
fn filled(text: &str, kept: &BTreeMap<&str, Value>) -> String {
    let mut parts = text.split("${");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (place, rest) = part.split_once('}').expect("a place ends");
        let (name, path) = place.split_once('.').unwrap_or((place, ""));
        match name {
            "long" => filled += &"x".repeat(300_000),
            name => {
                let value = kept[name].pointer(&format!("/{}", path.replace('.', "/")));
                filled += value
                    .and_then(Value::as_str)
                    .unwrap_or_else(|| panic!("there is no {place}"));
            }
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
    system: System,
    methods: Vec<MethodDescriptor>,
    catalogue: HashMap<&'static str, (&'static str, [&'static str; 3])>,
    kept: BTreeMap<&'static str, Value>,
    provoked: BTreeSet<&'static str>,
}

impl Stage {
    /// A system whose clock is told, lest what has ended change from day to day, with a caller more and one whose certificate is revoked.
    fn set() -> Self {
        let system = System::start_with(&["--clock", "2026-11-27T10:00:00+05:00"]);
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
        let catalogue = catalogue();
        Self {
            system,
            methods: own_methods(),
            catalogue,
            kept: BTreeMap::new(),
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
            let channel = self.system.channel(server(step.method), step.caller);
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
            let mut request = Request::new(tokio_stream::once(Raw(Vec::new())));
            request
                .metadata_mut()
                .insert("accept-language", language.parse().expect("a value"));
            let channel = self.system.channel("form-registry", Some("edms"));
            let feed = answers(channel, "forms.v1.FormRegistryService/WatchForms", request).await;
            feeds.push(feed.expect("it is open to systems"));
        }
        tokio::task::block_in_place(|| self.system.end(Signal::SIGTERM));
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
    for call in CALLS.split("\n\n") {
        let mut lines = call.lines().filter(|line| !line.starts_with('#'));
        let Some(head) = lines.next() else { continue };
        if let Some(options) = head.strip_prefix("RESTART: ") {
            let options: Vec<&str> = options.split(' ').collect();
            tokio::task::block_in_place(|| {
                stage.system.end(Signal::SIGTERM);
                stage.system.up_with(&options)
            });
            continue;
        }
        stage.play(&Step::read(head, lines.collect())).await;
    }
    stage.stop().await;
    let elsewhere = ELSEWHERE.map(|(reason, _)| reason);
    let errors = reasons::values::<ErrorReason>(ERRORS).into_iter();
    let errors = errors.filter(|reason| !elsewhere.contains(reason));
    let errors = errors.map(|reason| reason.as_str_name().trim_start_matches("ERROR_REASON_"));
    let fields = reasons::values::<FieldReason>(FIELDS).into_iter().map(short);
    assert_eq!(stage.provoked, errors.chain(fields).collect::<BTreeSet<_>>());
}
