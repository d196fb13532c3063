//! Callers may ask for the texts of an answer in some languages: every method that reads texts lets them, and tells none in another.

use legalstat_local::testing::refusals::{pairs, violations};
use legalstat_test_support::system::System;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor, ReflectMessage as _, Value};
use serde_json::{Value as Json, json};
use tonic::Status;

use crate::{
    lint::{flag, own_methods},
    methods::{Beside, admitted, answer, refusal, server, table},
};

const FIELD: &str = "languages";
const TEXT: &str = "legalstat.common.v1.LocalizedText";

/// Whether there are texts in a message or in what it holds.
fn has_texts(message: &MessageDescriptor) -> bool {
    let (mut left, mut seen) = (vec![message.clone()], Vec::new());
    while let Some(message) = left.pop() {
        let held = message.fields().filter_map(|field| field.kind().as_message().cloned());
        left.extend(held.filter(|held| !seen.contains(held)));
        seen.push(message);
    }
    seen.iter().any(|message| message.full_name() == TEXT)
}

fn is_asked_for_languages(method: &MethodDescriptor) -> bool {
    method.input().get_field_by_name(FIELD).is_some()
}

#[test]
fn every_method_that_reads_texts_can_be_asked_for_some_languages_and_no_other_method() {
    for method in own_methods() {
        let name = method.name();
        let reads = !flag(&method, "mutates") && has_texts(&method.output());
        assert_eq!(is_asked_for_languages(&method), reads, "{name}");
    }
}

/// A request of a method that asks for these languages and, in JSON, for something.
fn request(method: &MethodDescriptor, asked: &Json, languages: &[&str]) -> Vec<u8> {
    let mut message = DynamicMessage::deserialize(method.input(), asked).expect("a request");
    let languages = languages.iter().map(|code| Value::String((*code).to_owned())).collect();
    message.set_field_by_name(FIELD, Value::List(languages));
    message.encode_to_vec()
}

/// The name of a method as the table has it, and who is admitted.
fn called(method: &MethodDescriptor) -> (String, Option<&'static str>) {
    let area = method.parent_service().full_name().trim_start_matches("legalstat.");
    let name = format!("{area}/{}", method.name());
    let caller = admitted(table()[&name][1]).or(Some("operator"));
    (name, caller)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_language_that_is_not_there_or_is_given_twice_is_refused_by_every_method_that_is_asked_for_languages() {
    let system = tokio::task::block_in_place(Beside::start);
    for method in own_methods().iter().filter(|method| is_asked_for_languages(method)) {
        let (name, caller) = called(method);
        for (languages, field, reason) in [
            (["kk", "de"], "languages[1]", "LANGUAGE"),
            (["ru", "ru"], "languages[1]", "DUPLICATE"),
        ] {
            let message = request(method, &json!({}), &languages);
            let refused = refusal(&system, server(&name), &name, caller, message).await;
            let refused = violations(Err::<(), Status>(
                refused.unwrap_or_else(|| panic!("{name} takes {languages:?}")),
            ));
            let told = pairs(&[(field, reason)]);
            assert!(refused.contains(&told[0]), "{name} refuses {refused:?}");
        }
    }
    tokio::task::block_in_place(|| drop(system));
}

/// What is asked of the methods that have something to tell in a system with one request.
fn questions(system: &System) -> Vec<(&'static str, Json)> {
    let submitted = json!({ "request": {
        "requester": { "kind": "REQUESTER_KIND_STATE_BODY", "fullName": "Ministry of Justice" },
        "signatory": { "fullName": "The head", "capacity": "SIGNATORY_CAPACITY_HEAD" },
        "channel": "CHANNEL_UNIFIED_EDMS", "externalNumber": "12-3/45",
        "externalDate": { "year": 2026, "month": 2, "day": 2 },
        "essence": "Crimes registered in the fourth quarter of 2025", "language": "LANGUAGE_RU",
        "items": [{ "kind": "ITEM_KIND_STATISTICS", "description": "Registered crimes", "form": "forms/1",
                    "unit": "UNIT_CRIME", "period": "2025-Q4" }] } });
    let file = system.file("request.json", &submitted.to_string());
    let stored = system.examined(&["requests", "submit", "--as", "edms", "--file", &file]);
    let obligation = json!({ "period": "2019-Q2", "dueDay": 14, "rollForward": true });
    let day = json!({ "year": 2025, "month": 1, "day": 5 });
    vec![
        ("GetDay", json!({ "name": "days/2025-01-05" })),
        ("ListDays", json!({ "from": day, "to": day })),
        ("ComputeDeadline", json!({ "obligation": obligation })),
        (
            "BatchComputeDeadlines",
            json!({ "requests": [{ "obligation": obligation }], "includeSteps": true }),
        ),
        ("ListTerms", json!({})),
        ("ListCalendarActs", json!({})),
        ("ListForms", json!({})),
        ("GetForm", json!({ "name": "forms/1" })),
        ("ListFormVersions", json!({ "parent": "forms/1" })),
        (
            "CheckAvailability",
            json!({ "items": [{ "form": "forms/1", "period": "2025-Q4" }] }),
        ),
        ("GetEdition", json!({ "name": "forms/1/editions/2026-M10" })),
        ("ListCollections", json!({})),
        ("GetCollection", json!({ "name": "collections/crime" })),
        ("ListRecipients", json!({})),
        ("GetRecipient", json!({ "name": "recipients/supreme-court" })),
        ("GetRequest", json!({ "name": stored["name"] })),
        (
            "LookupRequest",
            json!({ "number": stored["registrationNumber"], "view": "REQUEST_VIEW_FULL" }),
        ),
        ("ListRequests", json!({ "view": "REQUEST_VIEW_FULL" })),
        (
            "GetRequestStatus",
            json!({ "couponNumber": stored["coupon"]["number"], "secret": stored["coupon"]["secret"] }),
        ),
    ]
}

/// The texts of a message, Kazakh, Russian and English, in the order in which they stand.
fn texts(message: &DynamicMessage) -> Vec<[String; 3]> {
    if message.descriptor().full_name() == TEXT {
        let text = |language| message.get_field_by_name(language).expect("a language");
        return vec![["kk", "ru", "en"].map(|language| text(language).as_str().unwrap_or_default().to_owned())];
    }
    let mut found = Vec::new();
    for (_, value) in message.fields() {
        match value {
            Value::Message(held) => found.extend(texts(held)),
            Value::List(held) => found.extend(held.iter().filter_map(Value::as_message).flat_map(texts)),
            _ => {}
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_has_its_texts_in_the_languages_asked_for_whatever_was_asked_before() {
    let system = tokio::task::block_in_place(Beside::start);
    let methods: Vec<MethodDescriptor> = own_methods().into_iter().filter(is_asked_for_languages).collect();
    for (name, asked) in tokio::task::block_in_place(|| questions(&system.system)) {
        let method = methods.iter().find(|method| method.name() == name);
        let method = method.unwrap_or_else(|| panic!("there is no {name}"));
        let (path, caller) = called(method);
        let told = async |languages: &[&str]| {
            let message = request(method, &asked, languages);
            let answer = answer(&system, server(&path), &path, caller, message).await;
            let answer = answer.unwrap_or_else(|refused| panic!("{name} is refused: {refused:?}"));
            texts(&DynamicMessage::decode(method.output(), answer.as_slice()).expect("an answer"))
        };
        let all = told(&[]).await;
        assert!(all.iter().flatten().any(|text| !text.is_empty()), "{name} tells texts");
        for wanted in [&["kk"] as &[&str], &["ru"], &["en"], &["en", "kk"], &["ru", "kk", "en"]] {
            let kept = all.iter().cloned().map(|text| {
                let mut languages = ["kk", "ru", "en"].into_iter();
                text.map(|text| match languages.next() {
                    Some(language) if wanted.contains(&language) => text,
                    _ => String::new(),
                })
            });
            assert_eq!(told(wanted).await, kept.collect::<Vec<_>>(), "{name} in {wanted:?}");
        }
    }
    tokio::task::block_in_place(|| drop(system));
}
