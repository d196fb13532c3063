//! The fields that the service sets, by the option `set_by_service` of the contract.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use legalstat_proto::descriptors;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, Value};

use super::fields;

/// The input of every method of the contracts by the method's full name.
static INPUTS: LazyLock<HashMap<String, MessageDescriptor>> = LazyLock::new(|| {
    let methods = descriptors()
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>());
    let inputs = methods.map(|method| {
        let name = format!("/{}/{}", method.parent_service().full_name(), method.name());
        (name, method.input())
    });
    inputs.collect()
});

/// The full names of all fields with the option.
static MARKED: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let option = descriptors().get_extension_by_name("legalstat.common.v1.set_by_service");
    let option = option.expect("the contracts have it");
    let fields = descriptors()
        .all_messages()
        .flat_map(|message| message.fields().collect::<Vec<_>>());
    let marked = fields.filter(|field| field.options().get_extension(&option).as_bool().unwrap_or(false));
    marked.map(|field| field.full_name().to_owned()).collect()
});

/// The input of a method of the contracts.
pub(crate) fn input(method: &str) -> Option<MessageDescriptor> {
    INPUTS.get(method).cloned()
}

/// The paths of all fields given in a method's message that only the service sets, in the order of their numbers.
pub(super) fn given(method: &str, message: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let is_marked = |field: &FieldDescriptor, _: &[u8]| MARKED.contains(field.full_name());
    if let Some(input) = input(method)
        && fields::any(&input, message, &is_marked).unwrap_or(false)
        && let Ok(message) = DynamicMessage::decode(input, message)
    {
        find(&message, "", &mut found);
    }
    found
}

fn find(message: &DynamicMessage, before: &str, found: &mut Vec<String>) {
    for (field, value) in message.fields() {
        let path = format!("{before}{}", field.name());
        if MARKED.contains(field.full_name()) {
            found.push(path);
            continue;
        }
        match value {
            Value::Message(inner) => find(inner, &format!("{path}."), found),
            Value::List(values) => {
                for (place, inner) in values.iter().enumerate() {
                    if let Value::Message(inner) = inner {
                        find(inner, &format!("{path}[{place}]."), found);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use legalstat_proto::calendar::v1::{BatchComputeDeadlinesRequest, CalendarAct, ComputeDeadlineRequest};
    use prost::Message;

    use super::*;

    #[test]
    fn every_field_of_the_service_is_found_wherever_it_stands() {
        let act = || CalendarAct {
            citation: "an order".into(),
            sequence: 7,
            known_from: Some(Default::default()),
            ..CalendarAct::default()
        };
        let one = ComputeDeadlineRequest {
            hypothetical_act: Some(act()),
            ..ComputeDeadlineRequest::default()
        };
        let message = BatchComputeDeadlinesRequest {
            requests: vec![ComputeDeadlineRequest::default(), one],
            hypothetical_act: Some(act()),
            ..BatchComputeDeadlinesRequest::default()
        };
        let method = "/legalstat.calendar.v1.CalendarService/BatchComputeDeadlines";
        assert_eq!(
            given(method, &message.encode_to_vec()),
            [
                "requests[1].hypothetical_act.known_from",
                "requests[1].hypothetical_act.sequence",
                "hypothetical_act.known_from",
                "hypothetical_act.sequence",
            ]
        );
        assert!(given(method, &BatchComputeDeadlinesRequest::default().encode_to_vec()).is_empty());
    }
}
