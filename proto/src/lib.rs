//! The contracts of legalstat: messages, clients and servers generated from `legalstat/*/v1/*.proto`, and the descriptor
//! set behind reflection, the access layer and the command line.

// The contracts carry their own comments; prost cannot put one on every item it generates.
#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated code")]
mod contracts {
    include!(concat!(env!("OUT_DIR"), "/contracts.rs"));
}

pub use contracts::legalstat::{calendar, collections, common, forms, journal, requests};

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

use common::v1::LocalizedText;

/// What has texts in the languages of the system, itself or in messages that it holds: the answers of all methods whose callers may
/// ask for some languages.
pub trait Texts {
    /// Goes through all of them.
    fn each_text(&mut self, each: &mut dyn FnMut(&mut LocalizedText));
}

impl Texts for LocalizedText {
    fn each_text(&mut self, each: &mut dyn FnMut(&mut LocalizedText)) {
        each(self);
    }
}

include!(concat!(env!("OUT_DIR"), "/texts.rs"));

/// The encoded `google.protobuf.FileDescriptorSet` of all contracts with their imports and custom options.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// All contracts as descriptors that keep custom options.
pub fn descriptors() -> &'static DescriptorPool {
    static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
        DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("build.rs wrote a set that protox had just checked")
    });
    &POOL
}
