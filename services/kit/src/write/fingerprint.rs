//! What tells two bodies under one `request_id` apart: what was asked, not how it was spelled. Each text has one spelling here,
//! that of the value it is read as; one that is no such value stays as it is.

use std::borrow::Cow;

use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use uuid::Uuid;

use crate::{
    door::{fields, set_by_service::input, text},
    period::ReportingPeriod,
};

/// The body of a call of a method in one spelling; `None` when it has it as it was sent.
pub(super) fn of(method: &str, sent: &[u8]) -> Option<Vec<u8>> {
    respelled(&input(method)?, sent)
}

/// The header of an upload in one spelling; `None` as in [`of`].
pub(crate) fn of_header(method: &str, sent: &[u8]) -> Option<Vec<u8>> {
    match input(method)?.get_field_by_name("header")?.kind() {
        Kind::Message(header) => respelled(&header, sent),
        _ => None,
    }
}

fn respelled(descriptor: &MessageDescriptor, sent: &[u8]) -> Option<Vec<u8>> {
    if !is_spelled_otherwise(descriptor, sent) {
        return None;
    }
    let mut message = DynamicMessage::decode(descriptor.clone(), sent).ok()?;
    respell(&mut message);
    Some(message.encode_to_vec())
}

/// Whether some text of a message has another spelling than the one it is read as. Nearly none has.
fn is_spelled_otherwise(descriptor: &MessageDescriptor, sent: &[u8]) -> bool {
    let otherwise = |field: &FieldDescriptor, value: &[u8]| {
        let text = std::str::from_utf8(value);
        field.kind() == Kind::String && text.is_ok_and(|text| spelled(field.name(), text) != text)
    };
    fields::any(descriptor, sent, &otherwise).unwrap_or(false)
}

fn respell(message: &mut DynamicMessage) {
    let given: Vec<_> = message.fields().map(|(field, _)| field).collect();
    for field in given {
        respell_value(field.name(), message.get_field_mut(&field));
    }
}

fn respell_value(field: &str, value: &mut Value) {
    match value {
        Value::String(text) => *text = spelled(field, text).into_owned(),
        Value::Message(message) => respell(message),
        Value::List(values) => values.iter_mut().for_each(|value| respell_value(field, value)),
        _ => {}
    }
}

fn spelled<'t>(field: &str, given: &'t str) -> Cow<'t, str> {
    let value = match field {
        "request_id" => Uuid::try_parse(given).ok().map(|id| id.to_string()),
        "sha256" => Some(given.to_ascii_lowercase()),
        "period" | "until_period" => given.parse().ok().map(|period: ReportingPeriod| period.to_string()),
        _ => None,
    };
    value.map_or_else(|| text::composed(given.trim()), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use legalstat_proto::requests::v1::{Item, Request, SubmitRequestRequest};
    use proptest::prelude::*;

    use super::*;

    const SUBMIT: &str = "/legalstat.requests.v1.RequestIntakeService/SubmitRequest";

    fn request(request_id: &str, period: &str, essence: &str) -> SubmitRequestRequest {
        let item = Item {
            period: period.into(),
            ..Item::default()
        };
        let request = Request {
            essence: essence.into(),
            items: vec![item],
            ..Request::default()
        };
        SubmitRequestRequest {
            request: Some(request),
            request_id: request_id.into(),
            ..SubmitRequestRequest::default()
        }
    }

    fn fingerprint(request: &SubmitRequestRequest) -> Vec<u8> {
        let sent = request.encode_to_vec();
        of(SUBMIT, &sent).unwrap_or(sent)
    }

    #[test]
    fn two_spellings_of_one_value_are_one_body_and_two_values_are_two() {
        let id = "0b0f7d1e-6c1f-4b8a-9d5e-2f7c3a1b4c5d";
        let one = fingerprint(&request(id, "2019-M03", "й"));
        let capitals = id.to_uppercase();
        for (id, period, essence) in [
            (capitals.as_str(), "2019-M03", "й"),
            (&format!("{{{id}}}"), "2019-03", "и\u{306}"),
            (id, "2019-M03", " й\n"),
        ] {
            assert_eq!(
                fingerprint(&request(id, period, essence)),
                one,
                "{id} {period} {essence:?}"
            );
        }
        for (period, essence) in [("2019-M04", "й"), ("2019-M03", "и")] {
            assert_ne!(fingerprint(&request(id, period, essence)), one, "{period} {essence:?}");
        }
    }

    #[test]
    fn the_digest_of_an_upload_is_the_same_in_capitals() {
        let method = "/legalstat.forms.v1.FormRegistryService/UploadEditionFile";
        let header = |sha256: &str| legalstat_proto::forms::v1::UploadEditionFileHeader {
            sha256: sha256.into(),
            ..Default::default()
        };
        let fingerprint = |sha256: &str| {
            let sent = header(sha256).encode_to_vec();
            of_header(method, &sent).unwrap_or(sent)
        };
        assert_eq!(fingerprint(&"ab".repeat(32)), fingerprint(&"AB".repeat(32)));
        assert_ne!(fingerprint(&"ab".repeat(32)), fingerprint(&"ac".repeat(32)));
    }

    proptest! {
        /// So a call in flight during an update is recognized by the releases on both sides of it.
        #[test]
        fn a_body_in_the_spelling_of_its_values_is_its_own_fingerprint(number in 1..1000_u32, essence in "[a-zа-я]{1,20}") {
            let request = request("0b0f7d1e-6c1f-4b8a-9d5e-2f7c3a1b4c5d", "2019-Q1", &format!("{essence} {number}"));
            let sent = request.encode_to_vec();
            prop_assert_eq!(of(SUBMIT, &sent), None);
            let mut read = DynamicMessage::decode(input(SUBMIT).expect("it is a method"), &sent[..]).expect("it is its input");
            respell(&mut read);
            prop_assert_eq!(read.encode_to_vec(), sent);
        }
    }
}
