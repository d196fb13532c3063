//! Deliveries through TLS to an inbox with a folder of its own, as the distribution makes them.

#![expect(clippy::disallowed_methods, reason = "a sender chooses the ids of its deliveries")]

mod bounds;
mod delivering;
mod recalling;
mod refusing;
mod storing;

use std::{path::PathBuf, time::Duration};

use jiff::Timestamp;
use legalstat_collection_distribution::statements;
use legalstat_kit::{
    call::{client, tls},
    signing::Keys,
};
use legalstat_local::{
    authority::{Authority, Usage},
    signing,
};
use legalstat_proto::{
    collections::v1::{
        Copy, DeliverCopyHeader, DeliverCopyRequest, Delivery, GetDeliveryRequest,
        copy_inbox_service_client::CopyInboxServiceClient, deliver_copy_request::Part,
    },
    common::v1::SigningKey,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::testing::{self, RunningInbox, Setup, header};

const COURT: &str = "supreme-court";
const SENDER: &str = "collection-distribution";
/// How long a state may take to come about, on a busy machine far more than it does.
const PATIENCE: Duration = Duration::from_secs(30);

fn now() -> Timestamp {
    "2026-10-14T06:00:00.123456789Z".parse().expect("an instant")
}

/// A distribution with its key and certificate, and the folder of an inbox.
struct World {
    folder: tempfile::TempDir,
    keys: Keys,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let from = "2026-01-01T00:00:00Z".parse().expect("an instant");
        let keys = signing::ensure(folder.path(), SENDER, from).expect("a key is made");
        let keys = Keys::read(&keys).expect("it is sound");
        Self { folder, keys }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("inbox")
    }

    /// The keys of the distribution, as it lists them.
    fn listed(&self) -> Vec<SigningKey> {
        self.keys.listed(now())
    }

    fn setup(&self) -> Setup {
        Setup::new(COURT, self.folder.path(), &self.store(), self.listed())
    }

    async fn start(&self) -> RunningInbox {
        RunningInbox::start(&self.setup(), now).await
    }

    /// A copy as the distribution issues it, of one file.
    fn copy(&self, number: i32, recipient: &str, content: &[u8]) -> Copy {
        let number = u32::try_from(number).expect("it is positive");
        testing::signed_copy(&self.keys, number, recipient, content, now())
    }

    /// A client that shows a certificate of this authority.
    fn client(&self, inbox: &RunningInbox, usage: Option<Usage>) -> CopyInboxServiceClient<Channel> {
        let authority = Authority::open_or_create(self.folder.path()).expect("it opens");
        let identity = usage.map(|usage| authority.ensure(&usage).expect("certificates can be made"));
        let files = identity.as_ref().map(|of| (&of.certificate_path, &of.key_path));
        let tls = tls::client(&authority.certificate_path(), files).expect("the files are readable");
        CopyInboxServiceClient::new(client::channel(&inbox.url, tls).expect("a URL"))
    }

    fn sender(&self, inbox: &RunningInbox) -> Sender {
        Sender(self.client(inbox, Some(Usage::service(SENDER))))
    }
}

/// Some content of this length, other than that of any other seed.
fn content(seed: u8, length: usize) -> Vec<u8> {
    let byte = |at: usize| u8::try_from((at * 31 + usize::from(seed) * 7) % 251).expect("it is small");
    (0..length).map(byte).collect()
}

fn message(part: Part) -> DeliverCopyRequest {
    DeliverCopyRequest { part: Some(part) }
}

#[derive(Clone)]
struct Sender(CopyInboxServiceClient<Channel>);

impl Sender {
    /// Delivers what follows the offset, in chunks of 64 KiB.
    async fn send(&self, header: DeliverCopyHeader, content: &[u8]) -> Result<Delivery, Status> {
        let from = usize::try_from(header.offset).unwrap_or_default().min(content.len());
        let mut messages = vec![message(Part::Header(header))];
        messages.extend(
            content[from..]
                .chunks(64 * 1024)
                .map(|chunk| message(Part::Chunk(chunk.to_vec()))),
        );
        let answer = self.0.clone().deliver_copy(tokio_stream::iter(messages)).await;
        answer.map(tonic::Response::into_inner)
    }

    async fn deliver(&self, copy: &Copy, content: &[u8], id: Uuid) -> Result<Delivery, Status> {
        self.send(header(copy, content, id, 0), content).await
    }

    /// Begins a delivery whose messages come one by one.
    fn begin(&self) -> UnderWay {
        let (messages, receiver) = mpsc::channel(1);
        let mut client = self.0.clone();
        let answer = tokio::spawn(async move {
            let answer = client.deliver_copy(ReceiverStream::new(receiver)).await;
            answer.map(tonic::Response::into_inner)
        });
        UnderWay { messages, answer }
    }

    async fn get(&self, id: Uuid) -> Result<Delivery, Status> {
        let request = GetDeliveryRequest {
            delivery_id: id.to_string(),
        };
        self.0
            .clone()
            .get_delivery(request)
            .await
            .map(tonic::Response::into_inner)
    }

    /// Waits until so many bytes have come.
    async fn until_received(&self, id: Uuid, bytes: i64) {
        let received = async {
            while !self
                .get(id)
                .await
                .is_ok_and(|delivery| delivery.received_bytes == bytes)
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, received).await.expect("they come");
    }

    /// Delivers again until no other call of the delivery is under way.
    async fn send_after_others(&self, header: DeliverCopyHeader, content: &[u8]) -> Result<Delivery, Status> {
        let sent = async {
            loop {
                match self.send(header.clone(), content).await {
                    Err(status) if status.code() == Code::Unavailable => {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    sent => return sent,
                }
            }
        };
        tokio::time::timeout(PATIENCE, sent).await.expect("the others end")
    }
}

/// A delivery that is under way.
struct UnderWay {
    messages: mpsc::Sender<DeliverCopyRequest>,
    answer: tokio::task::JoinHandle<Result<Delivery, Status>>,
}

impl UnderWay {
    async fn say(&self, part: Part) {
        self.messages.send(message(part)).await.expect("the call is open");
    }

    async fn end(self) -> Result<Delivery, Status> {
        drop(self.messages);
        self.answer.await.expect("it does not panic")
    }

    /// Breaks off without an end.
    fn break_off(self) {
        self.answer.abort();
    }
}

fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().expect("a refusal has a reason");
    info.reason.trim_start_matches("ERROR_REASON_").to_owned()
}

fn violations(status: &Status) -> Vec<(String, String)> {
    let details = status.get_error_details();
    let found = details
        .bad_request()
        .map(|bad| bad.field_violations.clone())
        .unwrap_or_default();
    found
        .into_iter()
        .map(|violation| (violation.field, violation.reason))
        .collect()
}
