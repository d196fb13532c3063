//! `proto/service-config.json`, which clients copy: every method has a time, and is retried only where that is safe.

use std::collections::HashMap;

use prost_reflect::MethodDescriptor;
use serde_json::Value;

use crate::lint::{flag, own_methods};

const CONFIG: &str = include_str!("../../proto/service-config.json");

/// The entries by what they are for: a service, which stands for its methods without one of their own, or a method.
fn entries() -> HashMap<(String, Option<String>), Value> {
    let config: Value = serde_json::from_str(CONFIG).expect("it is JSON");
    let mut found = HashMap::new();
    for entry in config["methodConfig"].as_array().expect("it has entries") {
        for name in entry["name"].as_array().expect("an entry says what it is for") {
            let service = name["service"].as_str().expect("a service").to_owned();
            let method = name["method"].as_str().map(str::to_owned);
            let before = found.insert((service, method), entry.clone());
            assert!(before.is_none(), "{name} is named twice");
        }
    }
    found
}

/// The methods that others call. Those that only services of the system call are called with settings of their own.
fn called() -> Vec<MethodDescriptor> {
    let services = |method: &MethodDescriptor| crate::methods::access(method).0.starts_with("SERVICE");
    own_methods().into_iter().filter(|method| !services(method)).collect()
}

fn key(method: &MethodDescriptor) -> (String, Option<String>) {
    let service = method.parent_service().full_name().to_owned();
    (service, Some(method.name().to_owned()))
}

/// Whether the file says how long a method may take: a stream has an entry of its own, any other method at least that of its service.
pub(crate) fn has_time(method: &MethodDescriptor) -> bool {
    let (entries, own) = (entries(), key(method));
    let is_stream = method.is_client_streaming() || method.is_server_streaming();
    entries.contains_key(&own) || !is_stream && entries.contains_key(&(own.0, None))
}

#[test]
fn every_method_with_one_message_falls_under_its_service_and_every_stream_has_an_entry_of_its_own() {
    let mut entries = entries();
    let services: Vec<_> = called().iter().map(|method| (key(method).0, None)).collect();
    for method in called() {
        let is_stream = method.is_client_streaming() || method.is_server_streaming();
        let own = entries.remove(&key(&method));
        assert_eq!(own.is_some(), is_stream, "{}", method.full_name());
        let of_service = entries.get(&(key(&method).0, None));
        let entry = own.as_ref().or(of_service);
        let entry = entry.unwrap_or_else(|| panic!("{} has no entry", method.full_name()));
        let lasts = method.name().starts_with("Watch");
        assert_eq!(entry["timeout"].is_null(), lasts, "{}: {entry}", method.full_name());
    }
    let unknown: Vec<_> = entries.into_keys().filter(|name| !services.contains(name)).collect();
    assert!(unknown.is_empty(), "there are no such methods: {unknown:?}");
}

#[test]
fn only_what_reads_or_has_a_request_id_is_retried_and_only_what_fails_for_the_moment() {
    let entries = entries();
    for method in called() {
        let entry = entries.get(&key(&method)).or(entries.get(&(key(&method).0, None)));
        let retry = &entry.expect("it has an entry")["retryPolicy"];
        // What was sent of a stream would have to be kept to be sent again; an upload goes on from what has come instead.
        assert_eq!(retry.is_null(), method.is_client_streaming(), "{}", method.full_name());
        if retry.is_null() {
            continue;
        }
        let repeatable = !flag(&method, "mutates") || has_request_id(&method);
        assert!(repeatable, "{} would be carried out twice", method.full_name());
        let codes = retry["retryableStatusCodes"].as_array().expect("codes");
        assert_eq!(codes, &["UNAVAILABLE", "RESOURCE_EXHAUSTED"], "{}", method.full_name());
        let attempts = retry["maxAttempts"].as_u64().expect("a number");
        assert!((2..=5).contains(&attempts), "libraries make no more than five");
    }
}

fn has_request_id(method: &MethodDescriptor) -> bool {
    let body = crate::lint::each(method.input());
    body.get_field_by_name("request_id").is_some()
}
