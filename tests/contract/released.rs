//! Bytes that an earlier release may have stored or sent: they decode to the meaning that they had. The messages in
//! `proto/released/messages` were written from their JSON by the descriptors of that release, and stay as they are.

use std::fs;

use legalstat_proto::descriptors;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::Value;

/// The descriptors of the last release, whichever it is.
fn released() -> DescriptorPool {
    let folder = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto/released")).expect("it is there");
    let mut files = folder.map(|file| file.expect("it is readable").path());
    let file = files.find(|file| file.extension().is_some_and(|extension| extension == "binpb"));
    let bytes = fs::read(file.expect("there was a release")).expect("it is readable");
    DescriptorPool::decode(bytes.as_slice()).expect("the descriptors of the release")
}

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
    let released = released();
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
