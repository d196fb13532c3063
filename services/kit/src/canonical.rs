//! Canonical JSON (RFC 8785) of messages: the bytes that digests and signatures are made of, so that a client in any language can
//! make them again.

use legalstat_proto::descriptors;
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use serde::Serialize;

/// The descriptor of a message of the contracts, for [`of_message`].
///
/// # Panics
/// When the contracts have no such message.
pub fn descriptor(name: &str) -> MessageDescriptor {
    let found = descriptors().get_message_by_name(name);
    found.unwrap_or_else(|| panic!("{name} is not in the contracts"))
}

/// The canonical JSON of what proto3 JSON makes of a message.
///
/// # Errors
/// A message that has no proto3 JSON, for a timestamp outside the years 1 to 9999 say.
pub fn of_message(descriptor: MessageDescriptor, message: &impl Message) -> anyhow::Result<Vec<u8>> {
    of(&DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())?)
}

/// The canonical JSON of a value.
///
/// # Errors
/// A value that JSON cannot hold.
pub fn of(value: &impl Serialize) -> anyhow::Result<Vec<u8>> {
    Ok(serde_json_canonicalizer::to_vec(value)?)
}

#[cfg(test)]
mod tests {
    use legalstat_proto::{
        common::v1::Date,
        requests::v1::{Channel, Item, Request, Requester},
    };
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn a_message_has_one_text_whatever_the_order_of_its_fields() {
        let request = Request {
            requester: Some(Requester::default()),
            channel: Channel::Paper.into(),
            external_date: Some(Date {
                year: 2026,
                month: 3,
                day: 0,
            }),
            essence: "Қылмыс \"I\"\n\u{7f}\u{1}\u{20ac}\u{1f600}".into(),
            items: vec![Item {
                territories: vec!["b".into(), "a".into()],
                ..Default::default()
            }],
            received_at: Some(Timestamp {
                seconds: 1_772_427_600,
                nanos: 120_000_000,
            }),
            ..Default::default()
        };
        let json = of_message(descriptor("legalstat.requests.v1.Request"), &request).expect("it has one");
        let expected = concat!(
            r#"{"channel":"CHANNEL_PAPER","essence":"Қылмыс \"I\"\n"#,
            "\u{7f}",
            r#"\u0001€😀","externalDate":{"month":3,"year":2026},"items":[{"territories":["b","a"]}],"#,
            r#""receivedAt":"2026-03-02T05:00:00.120Z","requester":{}}"#
        );
        assert_eq!(String::from_utf8(json).expect("it is UTF-8"), expected);
    }

    #[test]
    fn a_message_without_proto3_json_is_told() {
        let request = Request {
            received_at: Some(Timestamp {
                seconds: i64::MAX,
                nanos: 0,
            }),
            ..Default::default()
        };
        of_message(descriptor("legalstat.requests.v1.Request"), &request).expect_err("no year has so many digits");
    }
}
