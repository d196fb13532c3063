//! Bytes that an earlier release may have stored or sent: they decode to the meaning that they had. The messages in
//! `proto/released/messages` were written from their JSON by the descriptors of that release, and stay as they are.

use legalstat_proto::descriptors;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::Value;

const RELEASED: &[u8] = include_bytes!("../../proto/released/0.1.0.binpb");

macro_rules! stored {
    ($name:literal) => {
        (
            include_bytes!(concat!("../../proto/released/messages/", $name, ".binpb")).as_slice(),
            include_str!(concat!("../../proto/released/messages/", $name, ".json")),
        )
    };
}

/// Type, bytes and meaning: a submission, an event of a feed, a copy, and the statement of a receipt, whose digest is signed.
fn stored() -> [(&'static str, (&'static [u8], &'static str)); 4] {
    [
        ("legalstat.requests.v1.SubmitRequestRequest", stored!("submit-request")),
        ("legalstat.requests.v1.WatchRequestsResponse", stored!("request-event")),
        ("legalstat.collections.v1.Copy", stored!("copy")),
        (
            "legalstat.collections.v1.ReceiptStatement",
            stored!("receipt-statement"),
        ),
    ]
}

fn decoded(pool: &DescriptorPool, name: &str, bytes: &[u8]) -> DynamicMessage {
    let message = pool.get_message_by_name(name).expect("it was released");
    DynamicMessage::decode(message, bytes).expect("it is readable")
}

#[test]
fn what_an_earlier_release_stored_means_the_same_and_is_written_with_the_same_bytes() {
    let released = DescriptorPool::decode(RELEASED).expect("the descriptors of the release");
    for (name, (bytes, json)) in stored() {
        let meant: Value = serde_json::from_str(json).expect("it is JSON");
        for pool in [&released, descriptors()] {
            let message = decoded(pool, name, bytes);
            assert_eq!(
                serde_json::to_value(&message).expect("it is a message"),
                meant,
                "{name}"
            );
            assert_eq!(message.unknown_fields().count(), 0, "{name}");
            assert_eq!(message.encode_to_vec(), bytes, "{name}");
        }
    }
}
