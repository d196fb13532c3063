//! What the service sets is refused in every request that can hold it, whichever method takes it.

use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use tonic_types::StatusExt;

use crate::methods::{Beside, admitted, refusal, server, table};

/// How deep a request is looked through.
const DEPTH: usize = 4;

fn is_set_by_service(field: &FieldDescriptor) -> bool {
    let option = legalstat_proto::descriptors().get_extension_by_name("legalstat.common.v1.set_by_service");
    let option = option.expect("it is in the contracts");
    field.options().get_extension(&option).as_bool() == Some(true)
}

/// The fields of the service within a message, each with those that lead to it.
fn fields_of_the_service(message: &MessageDescriptor, depth: usize) -> Vec<Vec<FieldDescriptor>> {
    let mut found = Vec::new();
    for field in message.fields() {
        if is_set_by_service(&field) {
            found.push(vec![field]);
            continue;
        }
        if let (Kind::Message(inner), true) = (field.kind(), depth > 0) {
            for rest in fields_of_the_service(&inner, depth - 1) {
                found.push([vec![field.clone()], rest].concat());
            }
        }
    }
    found
}

/// A message in which the last of these fields is given and nothing else.
fn giving(message: &MessageDescriptor, fields: &[FieldDescriptor]) -> DynamicMessage {
    let mut given = DynamicMessage::new(message.clone());
    let (field, rest) = fields.split_first().expect("a path has a field");
    let value = match field.kind() {
        Kind::Message(inner) if rest.is_empty() => Value::Message(DynamicMessage::new(inner)),
        Kind::Message(inner) => Value::Message(giving(&inner, rest)),
        Kind::String => Value::String("given".into()),
        Kind::Int64 => Value::I64(7),
        Kind::Bool => Value::Bool(true),
        Kind::Enum(_) => Value::EnumNumber(1),
        other => panic!("{}: give a value of {other:?}", field.full_name()),
    };
    let value = if field.is_list() {
        Value::List(vec![value])
    } else {
        value
    };
    given.set_field(field, value);
    given
}

fn path(fields: &[FieldDescriptor]) -> String {
    let (last, before) = fields.split_last().expect("a path has a field");
    let place = |field: &FieldDescriptor| if field.is_list() { "[0]." } else { "." };
    let before: String = before
        .iter()
        .map(|field| format!("{}{}", field.name(), place(field)))
        .collect();
    before + last.name()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_the_service_is_refused_wherever_a_request_can_hold_it() {
    let system = tokio::task::block_in_place(Beside::start);
    let (table, mut tried) = (table(), 0);
    for service in legalstat_proto::descriptors().services() {
        for method in service.methods() {
            let area = service.full_name().trim_start_matches("legalstat.");
            let name = format!("{area}/{}", method.name());
            // Each of its requests is refused as SubmitRequest refuses it, and the batch is not.
            if method.name() == "BatchSubmitRequests" {
                continue;
            }
            let caller = admitted(table[&name][1]).or(Some("operator"));
            for fields in fields_of_the_service(&method.input(), DEPTH) {
                let message = giving(&method.input(), &fields).encode_to_vec();
                let refused = refusal(&system, server(&name), &name, caller, message).await;
                let details = refused
                    .unwrap_or_else(|| panic!("{name} takes {}", path(&fields)))
                    .get_error_details();
                let violations = details.bad_request().map(|bad| bad.field_violations.clone());
                let told = violations.unwrap_or_default();
                assert!(
                    told.iter()
                        .any(|one| one.field == path(&fields) && one.reason == "SET_BY_SERVICE"),
                    "{name} does not refuse {}: {told:?}",
                    path(&fields)
                );
                tried += 1;
            }
        }
    }
    // A request, and an act in each of its places: recorded, supposed, in a batch, and previewed by three services.
    assert!(tried >= 10 + 7 * 4, "{tried}");
    tokio::task::block_in_place(|| drop(system));
}
