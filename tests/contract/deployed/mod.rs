//! What runs legalstat, against the code: files of `deploy/` that name a setting, a program, a role or a metric name one that exists.

mod alerts;
mod collector;
mod compose;
mod guide;
mod kubernetes;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use legalstat_kit::{
    Service,
    run::{
        environment::{Environment, SettingError},
        limits::LONGEST_DELAY,
        read_all,
    },
};
use serde_yaml::Value;

use crate::sources;

/// A setting of this ending is a path of a file with the secret.
const FILE: &str = "_FILE";

/// One of the four services, as its code says it is.
struct Deployed {
    name: &'static str,
    schema: &'static str,
    grpc: &'static str,
    /// Every setting that it knows.
    known: BTreeSet<String>,
    /// Those without which it does not start.
    required: BTreeSet<String>,
}

impl Deployed {
    fn program(&self) -> String {
        format!("legalstat-{}", self.name)
    }

    /// What is wrong with settings that it is given.
    fn faults(&self, given: &BTreeSet<String>) -> Vec<String> {
        let unknown = given.difference(&self.known).map(|name| format!("unknown: {name}"));
        let is_given = |name: &&String| given.contains(*name) || given.contains(&format!("{name}{FILE}"));
        let missing = self.required.iter().filter(|name| !is_given(name));
        unknown.chain(missing.map(|name| format!("missing: {name}"))).collect()
    }
}

fn services() -> [Deployed; 4] {
    [
        deployed(&legalstat_calendar::SERVICE),
        deployed(&legalstat_form_registry::SERVICE),
        deployed(&legalstat_request_intake::SERVICE),
        deployed(&legalstat_collection_distribution::SERVICE),
    ]
}

fn deployed<C>(service: &Service<C>) -> Deployed {
    let mut given = vec![("LEGALSTAT_IN_NO_SERVICE", "1")];
    let Err(SettingError::Unknown { known, .. }) = read_all(service, &mut Environment::given(given.clone())) else {
        panic!("{} takes a setting that it cannot know", service.name)
    };
    given.clear();
    while let Err(error) = read_all(service, &mut Environment::given(given.clone())) {
        let SettingError::Missing(name) = error else {
            panic!("{}: {error}", service.name)
        };
        given.push((name, "given"));
    }
    Deployed {
        name: service.name,
        schema: service.schema,
        grpc: service.services[0],
        known: known.split(", ").map(str::to_owned).collect(),
        required: given.iter().map(|(name, _)| (*name).to_owned()).collect(),
    }
}

/// The settings of the command line: those that its code names.
fn of_command_line() -> BTreeSet<String> {
    let all = sources::all();
    let code = all
        .iter()
        .filter(|source| source.path.starts_with("cli/src/") && !source.is_test());
    code.flat_map(|source| quoted(source.code(), "LEGALSTAT_")).collect()
}

/// The texts in quotes that begin so.
fn quoted<'a>(code: &'a str, beginning: &str) -> impl Iterator<Item = String> + use<'a> {
    let beginning = beginning.to_owned();
    code.split('"')
        .filter(move |text| text.starts_with(&beginning))
        .map(str::to_owned)
}

/// How many seconds a constant of the server's source says.
fn seconds(constant: &str) -> u64 {
    let all = sources::all();
    let server = all
        .iter()
        .find(|source| source.path == "kit/src/run/server.rs")
        .expect("it is there");
    let declared = format!("const {constant}: Duration = Duration::from_secs(");
    let (_, rest) = server.text.split_once(&declared).expect("the constant is there");
    let (seconds, _) = rest.split_once(')').expect("a number stands there");
    seconds.parse().expect("it is a number")
}

/// How long a service may take to end once it is told to, whatever is set: the longest delay, its calls, its tasks, and its pool.
fn ending() -> u64 {
    LONGEST_DELAY + seconds("DRAINING") + 2 * seconds("ENDING")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

fn text(path: &str) -> String {
    fs::read_to_string(folder().join(path)).unwrap_or_else(|error| panic!("deploy/{path}: {error}"))
}

/// The documents of a file, with what is merged into them.
fn documents(path: &str) -> Vec<Value> {
    let text = text(path);
    let documents = serde_yaml::Deserializer::from_str(&text);
    let documents = documents.map(serde::Deserialize::deserialize);
    let mut documents: Vec<Value> = documents
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("{path}: {error}"));
    for document in &mut documents {
        // What is merged may be merged itself.
        for _ in 0..4 {
            document.apply_merge().unwrap_or_else(|error| panic!("{path}: {error}"));
        }
    }
    documents
}

/// The value that a path of keys and places leads to; null where it leads nowhere.
fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(value, |value, step| match step.parse::<usize>() {
        Ok(place) => &value[place],
        Err(_) => &value[step],
    })
}

fn entries<'a>(value: &'a Value, path: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let entries = at(value, path).as_mapping().into_iter().flatten();
    entries.map(|(key, value)| (key.as_str().expect("keys are texts"), value))
}

fn items<'a>(value: &'a Value, path: &str) -> impl Iterator<Item = &'a Value> {
    at(value, path).as_sequence().into_iter().flatten()
}

fn texts(value: &Value, path: &str) -> Vec<String> {
    items(value, path)
        .map(|item| item.as_str().expect("it is a text").to_owned())
        .collect()
}
