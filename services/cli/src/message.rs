//! Messages of the contracts, and their proto3 JSON. What a person wrote is read by the contract before anything is asked of
//! it, with every fault told by the path of its field.

use std::collections::HashMap;

use anyhow::Context as _;
use prost_reflect::{
    DeserializeOptions, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, SerializeOptions, Value,
};
use serde_json::json;

use crate::{failure::Failure, json::Json, output::escaped};

/// How many faults are told; the rest is counted.
const TOLD: usize = 50;

/// Reads a message from the proto3 JSON that a person wrote in `source`.
///
/// Refuses with every fault: a field that is unknown or given twice in whichever spelling, a word that an enumeration does
/// not have, a value of another type.
pub(crate) fn read(descriptor: &MessageDescriptor, text: &str, source: &str) -> Result<DynamicMessage, Failure> {
    read_with_paths(descriptor, text, source).map(|(message, _)| message)
}

/// Reads one as [`read`] does, and the paths of the fields that are written there, as the contract spells them and whatever their
/// values: a message alone does not tell an empty field from one that is not given.
pub(crate) fn read_with_paths(
    descriptor: &MessageDescriptor,
    text: &str,
    source: &str,
) -> Result<(DynamicMessage, Vec<String>), Failure> {
    let json: Json =
        serde_json::from_str(text).map_err(|error| Failure::usage(format!("{source} is not JSON: {error}")))?;
    if !matches!(json, Json::Object(_)) {
        return Err(Failure::usage(format!(
            "{source} holds no message, which is a JSON object"
        )));
    }
    let mut read = Reading::default();
    read.message(descriptor, &json, "");
    let paths = std::mem::take(&mut read.paths);
    read.refuse(descriptor, source)?;
    Ok((of(descriptor, &json.into_value())?, paths))
}

/// A message from proto3 JSON that the program made; unknown fields are refused.
pub(crate) fn of(descriptor: &MessageDescriptor, json: &serde_json::Value) -> Result<DynamicMessage, Failure> {
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    DynamicMessage::deserialize_with_options(descriptor.clone(), json, &options)
        .map_err(|error| Failure::usage(format!("not a {}: {error}", descriptor.name())))
}

/// Writes a message as proto3 JSON with every field, so that scripts find what they look for.
pub(crate) fn to_json(message: &DynamicMessage) -> anyhow::Result<serde_json::Value> {
    let options = SerializeOptions::new().skip_default_fields(false);
    Ok(message.serialize_with_options(serde_json::value::Serializer, &options)?)
}

/// A message as the type that the contracts' crate has for it.
pub(crate) fn typed<M: prost::Message + Default>(message: &DynamicMessage) -> Result<M, Failure> {
    Ok(message.transcode_to().context("a message of the contracts")?)
}

/// A text field of a message; empty where it is not set.
pub(crate) fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field);
    value
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Whether a message is a trial, which changes nothing.
pub(crate) fn is_trial(message: &DynamicMessage) -> bool {
    let field = message.get_field_by_name("validate_only");
    field.and_then(|value| value.as_bool()).unwrap_or(false)
}

/// The message type that a field of another one holds.
///
/// # Panics
/// When the contracts have no such field: the commands name only fields that exist, as their tests prove.
pub(crate) fn held_by(descriptor: &MessageDescriptor, field: &str) -> MessageDescriptor {
    let field = descriptor
        .get_field_by_name(field)
        .expect("commands name fields that exist");
    match field.kind() {
        Kind::Message(held) => held,
        _ => panic!("{} holds no message", field.full_name()),
    }
}

/// The message type of a name.
///
/// # Panics
/// When the contracts have no such message.
pub(crate) fn named(name: &str) -> MessageDescriptor {
    legalstat_proto::descriptors()
        .get_message_by_name(name)
        .expect("commands name messages that exist")
}

/// A message on its way from JSON, with the paths of its fields as the services write them.
#[derive(Default)]
struct Reading {
    /// What is wrong with it, each with the path of its field.
    faults: Vec<String>,
    /// The fields that are written there.
    paths: Vec<String>,
}

impl Reading {
    fn add(&mut self, path: &str, fault: impl std::fmt::Display) {
        self.faults.push(format!("\n  {path}: {fault}"));
    }

    fn refuse(self, descriptor: &MessageDescriptor, source: &str) -> Result<(), Failure> {
        if self.faults.is_empty() {
            return Ok(());
        }
        let mut told: String = self.faults.iter().take(TOLD).map(String::as_str).collect();
        let more = self.faults.len().saturating_sub(TOLD);
        if more > 0 {
            told += &format!("\n  … and {more} more");
        }
        Err(Failure::usage(format!(
            "{source} is not a {}:{told}",
            descriptor.name()
        )))
    }

    fn message(&mut self, descriptor: &MessageDescriptor, json: &Json, path: &str) {
        let Json::Object(members) = json else {
            return self.add(path, "not a message, which is a JSON object");
        };
        let (mut given, mut chosen) = (HashMap::new(), HashMap::new());
        for (name, value) in members {
            let field = descriptor.get_field_by_json_name(name);
            let Some(field) = field.or_else(|| descriptor.get_field_by_name(name)) else {
                let written = escaped(name);
                self.add(
                    &join(path, &written),
                    format!("{} has no such field", descriptor.name()),
                );
                continue;
            };
            let at = join(path, field.name());
            self.paths.push(at.clone());
            if let Some(before) = given.insert(field.number(), name.as_str()) {
                self.add(&at, twice(before, name));
            } else if *value != Json::null() {
                if let Some(choice) = field.containing_oneof()
                    && let Some(other) = chosen.insert(choice.name().to_owned(), at.clone())
                {
                    self.add(&at, format!("excludes {other}: only one of the two can be given"));
                }
                self.field(&field, value, &at);
            }
        }
    }

    fn field(&mut self, field: &FieldDescriptor, json: &Json, at: &str) {
        match json {
            Json::Array(items) if field.is_list() => {
                for (index, item) in items.iter().enumerate() {
                    self.value(field, item, &format!("{at}[{index}]"));
                }
            }
            _ if field.is_list() => self.add(at, "not a list"),
            _ => self.value(field, json, at),
        }
    }

    fn value(&mut self, field: &FieldDescriptor, json: &Json, at: &str) {
        match (field.kind(), json) {
            (Kind::Message(held), _) if !held.full_name().starts_with("google.protobuf.") => {
                self.message(&held, json, at);
            }
            (Kind::Enum(words), Json::Other(serde_json::Value::String(word))) => {
                if words.get_value_by_name(word).is_none() {
                    // The first word of an enumeration says that nothing is set.
                    let known: Vec<String> = words.values().skip(1).map(|word| word.name().to_owned()).collect();
                    self.add(at, format!("{word:?} is none of {}", known.join(", ")));
                }
            }
            _ => self.leaf(field, json, at),
        }
    }

    /// A value without fields of its own: whether its field can hold it, the library knows.
    fn leaf(&mut self, field: &FieldDescriptor, json: &Json, at: &str) {
        let value = json.clone().into_value();
        let value = if field.is_list() { json!([value]) } else { value };
        let alone = json!({ field.json_name(): value });
        if let Err(error) = DynamicMessage::deserialize(field.parent_message().clone(), &alone) {
            let written = match json {
                Json::Other(value) => format!("{} cannot be read: ", escaped(&value.to_string())),
                _ => String::new(),
            };
            self.add(at, format!("{written}{error}"));
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn twice(one: &str, other: &str) -> String {
    if one == other {
        "given twice".into()
    } else {
        format!("given twice, as {one} and as {other}")
    }
}

/// A text as the value of a field.
pub(crate) fn string(text: impl Into<String>) -> Value {
    Value::String(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission() -> MessageDescriptor {
        named("legalstat.requests.v1.SubmitRequestRequest")
    }

    fn faults(text: &str) -> Vec<String> {
        let refused = read(&submission(), text, "request.json")
            .expect_err("it is refused")
            .to_string();
        refused.lines().skip(1).map(|line| line.trim().to_owned()).collect()
    }

    #[test]
    fn a_field_has_two_spellings() {
        for text in [
            r#"{ "requestId": "a", "validateOnly": true }"#,
            r#"{ "request_id": "a", "validate_only": true }"#,
            r#"{ "request_id": "a", "validateOnly": true }"#,
        ] {
            let message = read(&submission(), text, "request.json").expect("it is read");
            assert_eq!(super::text(&message, "request_id"), "a");
            assert!(is_trial(&message), "{text}");
        }
    }

    #[test]
    fn the_paths_tell_every_field_that_is_written_in_one_spelling_and_whatever_its_value() {
        let text = r#"{ "request_id": "", "validateOnly": null,
            "request": { "externalNumber": "1", "items": [{ "until_period": "2020" }] } }"#;
        let (_, paths) = read_with_paths(&submission(), text, "request.json").expect("it is read");
        assert_eq!(
            paths,
            [
                "request_id",
                "validate_only",
                "request",
                "request.external_number",
                "request.items",
                "request.items[0].until_period",
            ]
        );
    }

    #[test]
    fn a_field_given_twice_is_refused_by_its_path_in_whichever_spelling() {
        let text = r#"{ "requestId": "a", "request_id": "a", "request": {
            "essence": "x", "essence": null,
            "items": [{}, { "untilPeriod": "2019", "until_period": "2020" }] } }"#;
        assert_eq!(
            faults(text),
            [
                "request_id: given twice, as requestId and as request_id",
                "request.essence: given twice",
                "request.items[1].until_period: given twice, as untilPeriod and as until_period",
            ]
        );
    }

    #[test]
    fn every_fault_is_told_at_once_with_path_value_and_allowed_words() {
        let text = r#"{ "validateOnly": "perhaps", "request": {
            "language": "ru", "colour\u202e": 1, "externalDate": { "year": "soon" }, "receivedAt": "yesterday",
            "items": [{ "kind": "ITEM_KIND_STATISTICS" }, { "unit": "UNIT_CRIMES" }, 7], "addressee": ["a"] } }"#;
        let faults = faults(text);
        for (begin, part) in [
            ("validate_only: ", "perhaps"),
            ("request.language: \"ru\" is none of LANGUAGE_KK, LANGUAGE_RU", ""),
            ("request.colour\\u{202e}: Request has no such field", ""),
            ("request.external_date.year: ", "soon"),
            ("request.received_at: ", "yesterday"),
            ("request.items[1].unit: \"UNIT_CRIMES\" is none of UNIT_CRIME, ", ""),
            ("request.items[2]: not a message", "JSON object"),
            ("request.addressee: ", "string"),
        ] {
            let told = |fault: &&String| fault.starts_with(begin) && fault.contains(part);
            assert_eq!(faults.iter().filter(told).count(), 1, "{begin}: {faults:#?}");
        }
        assert_eq!(faults.len(), 8, "{faults:#?}");
    }

    #[test]
    fn of_what_excludes_each_other_only_one_can_be_given() {
        let deadline = named("legalstat.calendar.v1.ComputeDeadlineRequest");
        let both = r#"{ "obligation": {}, "term_start": {} }"#;
        let refused = read(&deadline, both, "-").expect_err("it is refused").to_string();
        assert!(refused.contains("term_start: excludes obligation"), "{refused}");
        read(&deadline, r#"{ "obligation": {}, "term_start": null }"#, "-").expect("null is not given");
    }

    #[test]
    fn what_is_no_json_object_is_no_message() {
        for (text, word) in [("{", "is not JSON"), ("[]", "JSON object"), ("{} {}", "is not JSON")] {
            let refused = read(&submission(), text, "request.json")
                .expect_err("it is refused")
                .to_string();
            assert!(refused.contains(word), "{text}: {refused}");
        }
    }
}
