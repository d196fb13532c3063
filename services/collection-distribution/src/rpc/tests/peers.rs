//! The made-up inbox and the real one answer alike: what the distribution relies on is asked of both.

use std::path::Path;

use legalstat_inbox::testing::{RunningInbox, Setup, header, signed_copy};
use legalstat_kit::{
    call::{client, tls},
    signing::Keys,
};
use legalstat_local::{
    authority::{Authority, Usage},
    signing,
};
use legalstat_proto::collections::v1::{
    DeliverCopyRequest, Delivery, GetDeliveryRequest, RecallCopyRequest,
    copy_inbox_service_client::CopyInboxServiceClient, deliver_copy_request::Part, delivery::Answer,
};
use ring::signature::{ED25519, KeyPair as _, UnparsedPublicKey};

use super::{
    fake_inbox::{Clock, Inbox},
    receipts::{pair, statement},
    *,
};
use crate::statements;

const COURT: &str = "supreme-court";
const SENDER: &str = "collection-distribution";
const SEED: u8 = 1;

/// The keys of a name, which sign from the beginning.
fn keys(folder: &Path, name: &str) -> (std::path::PathBuf, Keys) {
    let made = signing::ensure(folder, name, Timestamp::UNIX_EPOCH).expect("a key is made");
    let keys = Keys::read(&made).expect("they are sound");
    (made, keys)
}

/// The distribution at an inbox.
struct Sender(CopyInboxServiceClient<Channel>);

impl Sender {
    fn at(url: &str, authority: &Authority) -> Self {
        let own = authority.ensure(&Usage::service(SENDER)).expect("it is made");
        let tls = tls::client(
            &authority.certificate_path(),
            Some((&own.certificate_path, &own.key_path)),
        );
        let channel = client::channel(url, tls.expect("the files are readable"));
        Self(CopyInboxServiceClient::new(channel.expect("a URL")))
    }

    async fn deliver(&mut self, copy: &Copy, id: Uuid) -> Delivery {
        let parts = [
            Part::Header(header(copy, CONTENT, id, 0)),
            Part::Chunk(CONTENT.to_vec()),
        ];
        let messages = parts.map(|part| DeliverCopyRequest { part: Some(part) });
        let answer = self.0.deliver_copy(tokio_stream::iter(messages)).await;
        answer.expect("it is answered").into_inner()
    }

    async fn known(&mut self, id: Uuid) -> Result<Delivery, Status> {
        let delivery_id = id.to_string();
        let answer = self.0.get_delivery(GetDeliveryRequest { delivery_id }).await;
        answer.map(tonic::Response::into_inner)
    }
}

/// What the distribution relies on, of an inbox that signs with this key.
async fn assert_answers(sender: &mut Sender, copy: &Copy, key: &str, public: &[u8], clock: &Clock) {
    let id = Uuid::from_u128(25);
    let unknown = sender.known(id).await.expect_err("nothing of it has come");
    assert_eq!(unknown.code(), Code::NotFound, "{key}");
    let delivered = sender.deliver(copy, id).await;
    let Some(Answer::Receipt(receipt)) = &delivered.answer else {
        panic!("{key}: {delivered:?}")
    };
    let said = receipt.statement.clone().expect("it says what it received");
    assert_eq!((&said, &*receipt.signing_key), (&statement(copy, NOW), key));
    let signed = statements::of_receipt(&said).expect("it has a form");
    let public = UnparsedPublicKey::new(&ED25519, public);
    public.verify(&signed, &receipt.signature).expect("it is signed");

    let told = RecallCopyRequest {
        copy: copy.name.clone(),
        recipient: copy.recipient.clone(),
        reason: "table 3 is wrong".into(),
        recalled_at: copy.issued_at,
    };
    let recalled = sender.0.recall_copy(told.clone()).await.expect("it is stored");
    assert!(recalled.get_ref().recorded_at.is_some(), "{key}");

    clock.move_to(instant("2025-04-04T05:00:00Z"));
    assert_eq!(sender.deliver(copy, id).await, delivered, "{key}");
    assert_eq!(sender.known(id).await.expect("it came"), delivered, "{key}");
    let again = sender.0.recall_copy(told).await.expect("it is stored already");
    assert_eq!(again.into_inner(), recalled.into_inner(), "{key}");
}

#[tokio::test]
async fn an_inbox_signs_for_a_copy_and_knows_of_a_recall_and_what_it_answered_first_stays_its_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::open_or_create(folder.path()).expect("it opens");
    let (_, issuing) = keys(folder.path(), SENDER);
    let copy = signed_copy(&issuing, 25, COURT, CONTENT, instant(NOW));
    let named = |key: &str| format!("recipients/{COURT}/signingKeys/{key}");

    let clock = Clock::at(instant(NOW));
    let made_up = Inbox::serve(&authority, "court-alike", named("2025-1"), SEED, clock.clone()).await;
    let mut sender = Sender::at(&made_up.endpoint, &authority);
    assert_answers(
        &mut sender,
        &copy,
        &named("2025-1"),
        pair(SEED).public_key().as_ref(),
        &clock,
    )
    .await;

    let (of_court, courts) = keys(folder.path(), COURT);
    let own = courts.in_use(instant(NOW));
    let trusted = issuing.listed(instant(NOW));
    let mut setup = Setup::new(COURT, folder.path(), &folder.path().join("inbox"), trusted);
    setup.signing_keys = Some(of_court);
    let clock = Clock::at(instant(NOW));
    let moving = clock.clone();
    let real = RunningInbox::start(&setup, move || moving.now()).await;
    let mut sender = Sender::at(&real.url, &authority);
    assert_answers(&mut sender, &copy, &named(&own.id), &own.public, &clock).await;
    real.stop().await;
}
