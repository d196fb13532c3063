//! A recipient's inbox killed at each step of a delivery, while its sender delivers again until it is answered.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use legalstat_collection_distribution::statements;
use legalstat_inbox::testing::{header, listed, signed_copy};
use legalstat_kit::{call, signing::Keys};
use legalstat_proto::collections::v1::{
    Copy, DeliverCopyRequest, Delivery, GetDeliveryRequest, copy_inbox_service_client::CopyInboxServiceClient,
    deliver_copy_request::Part, delivery::Answer,
};
use legalstat_test_support::{inbox::Inbox, system::program};
use nix::sys::signal::Signal;
use ring::signature::{ED25519, UnparsedPublicKey};
use tonic::transport::Channel;
use uuid::Uuid;

const COURT: &str = "supreme-court";
const SENDER: &str = "collection-distribution";
/// How many copies are delivered.
const COPIES: u32 = 40;
/// How many bytes each has, and each chunk of it.
const BYTES: usize = 1_500_000;
const CHUNK: usize = 20_000;
/// How long one copy may take, on a busy machine far more than it does.
const PATIENCE: Duration = Duration::from_secs(120);

/// When the inbox is killed, by what stands in its folder.
const STEPS: [fn(&Path, &Path) -> bool; 6] = [
    |part, _| part.exists(),
    |part, _| part.join("copy.json").exists(),
    |part, _| length(part) > 0,
    |part, _| length(part) > BYTES as u64 / 2,
    |part, _| length(part) == BYTES as u64,
    |_, copy| copy.exists(),
];

fn length(part: &Path) -> u64 {
    std::fs::metadata(part.join("1")).map_or(0, |file| file.len())
}

/// A folder with certificates and keys of a system that does not run.
struct Ground {
    folder: tempfile::TempDir,
    keys: Keys,
}

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let made = program(folder.path())
            .arg("certificates")
            .output()
            .expect("the program runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let keys = folder.path().join(".legalstat/signing-keys").join(SENDER);
        let keys = Keys::read(&keys).expect("they are sound");
        Self { folder, keys }
    }

    fn inbox(&self) -> Inbox {
        let made = ["inbox", "add-key", "--as", COURT, "--store", "supreme-court-inbox"];
        let made = program(self.folder.path())
            .args(made)
            .output()
            .expect("the program runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Inbox::start(
            self.folder.path(),
            COURT,
            &listed(&self.keys.listed(jiff::Timestamp::now())),
        )
    }

    fn sender(&self, inbox: &Inbox) -> CopyInboxServiceClient<Channel> {
        let file = |name: &str| self.folder.path().join(".legalstat/certificates").join(name);
        let (certificate, key) = (file("collection-distribution.pem"), file("collection-distribution.key"));
        let tls = call::tls::client(&file("ca.pem"), Some((&certificate, &key))).expect("certificates are there");
        CopyInboxServiceClient::new(call::client::channel(&inbox.url(), tls).expect("a URL"))
    }

    fn copy(&self, number: u32) -> (Copy, Vec<u8>, Uuid) {
        let content: Vec<u8> = (0..BYTES).map(|at| (at % 251) as u8 ^ number as u8).collect();
        let copy = signed_copy(&self.keys, number, COURT, &content, jiff::Timestamp::now());
        (copy, content, Uuid::new_v4())
    }
}

type Client = CopyInboxServiceClient<Channel>;

/// Delivers a copy as the contract says: under one id, on from what has come, again and again until it is answered.
async fn deliver(mut client: Client, (copy, content, id): (Copy, Vec<u8>, Uuid)) -> Delivery {
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < PATIENCE, "{} is answered in time", copy.name);
        let asked = GetDeliveryRequest {
            delivery_id: id.to_string(),
        };
        let known = client.get_delivery(asked).await.map(tonic::Response::into_inner);
        let from = match known {
            Ok(delivery) if delivery.answer.is_some() => return delivery,
            Ok(delivery) => usize::try_from(delivery.received_bytes).expect("a length"),
            Err(status) if status.code() == tonic::Code::NotFound => 0,
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        let first = Part::Header(header(&copy, &content, id, from));
        let chunks: Vec<_> = content[from..]
            .chunks(CHUNK)
            .map(|chunk| Part::Chunk(chunk.to_vec()))
            .collect();
        let messages = std::iter::once(first)
            .chain(chunks)
            .map(|part| DeliverCopyRequest { part: Some(part) });
        let answer = client
            .deliver_copy(tokio_stream::iter(messages.collect::<Vec<_>>()))
            .await;
        match answer.map(tonic::Response::into_inner) {
            Ok(delivery) if delivery.answer.is_some() => return delivery,
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Kills the inbox once its folder has come to a step; whether it did before the copy was answered.
fn kill_at(inbox: &mut Inbox, step: fn(&Path, &Path) -> bool, part: &Path, copy: &Path, answered: &AtomicBool) -> bool {
    while !step(part, copy) {
        if answered.load(Ordering::Acquire) {
            return false;
        }
        std::hint::spin_loop();
    }
    inbox.kill();
    inbox.begin();
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_killed_at_each_step_of_a_delivery_stores_each_copy_once_with_the_receipt_that_it_gave() {
    let ground = tokio::task::block_in_place(Ground::new);
    let mut inbox = tokio::task::block_in_place(|| ground.inbox());
    let client = ground.sender(&inbox);
    let (mut answers, mut killed) = (Vec::new(), [0; STEPS.len()]);
    for number in 1..=COPIES {
        let place = usize::try_from(number).expect("it is small") % STEPS.len();
        let delivered = ground.copy(number);
        let part: PathBuf = inbox.store().join("parts").join(delivered.2.to_string());
        let copy = inbox.store().join(format!("copies/crime/2026-Q3/{number}"));
        let answered = Arc::new(AtomicBool::new(false));
        let delivering = {
            let (client, answered, delivered) = (client.clone(), answered.clone(), delivered.clone());
            tokio::spawn(async move {
                let delivery = deliver(client, delivered).await;
                answered.store(true, Ordering::Release);
                delivery
            })
        };
        if tokio::task::block_in_place(|| kill_at(&mut inbox, STEPS[place], &part, &copy, &answered)) {
            killed[place] += 1;
        }
        answers.push((delivered, delivering.await.expect("it does not panic")));
    }
    eprintln!("killed {killed:?} times, by step");
    assert!(killed[..4].iter().all(|times| *times > 0), "{killed:?}");

    let own = Keys::read(&inbox.store().join("signing-keys").join(COURT)).expect("they are sound");
    let mut client = ground.sender(&inbox);
    for ((copy, content, id), answer) in &answers {
        let asked = GetDeliveryRequest {
            delivery_id: id.to_string(),
        };
        let kept = client.get_delivery(asked).await.expect("it is known").into_inner();
        assert_eq!(kept.answer, answer.answer, "what was answered stays its answer");
        let Some(Answer::Receipt(receipt)) = &answer.answer else {
            panic!("{} is not received: {answer:?}", copy.name)
        };
        let signed = statements::of_receipt(receipt.statement.as_ref().expect("it says something"));
        let key = receipt
            .signing_key
            .rsplit('/')
            .next()
            .and_then(|id| own.get(id))
            .expect("its key");
        let public = UnparsedPublicKey::new(&ED25519, key.public);
        public
            .verify(&signed.expect("it has a form"), &receipt.signature)
            .expect("it is signed");
        assert_eq!(
            &inbox.content(&format!("crime/2026-Q3/{}", copy.number)),
            content,
            "{}",
            copy.name
        );
    }
    let stored = tokio::task::block_in_place(|| inbox.stored());
    assert_eq!(
        stored.len(),
        answers.len(),
        "nothing waits for its rest, and nothing is there twice"
    );
    assert!(
        stored
            .iter()
            .all(|copy| copy["state"] == "RECEIVED" && copy["deliveries"].as_array().map(Vec::len) == Some(1))
    );
    assert_eq!(tokio::task::block_in_place(|| inbox.end(Signal::SIGTERM)), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_that_is_told_to_stop_ends_the_delivery_under_way_and_takes_no_other() {
    let ground = tokio::task::block_in_place(Ground::new);
    let mut inbox = tokio::task::block_in_place(|| ground.inbox());
    let (copy, content, id) = ground.copy(1);
    let (messages, receiver) = tokio::sync::mpsc::channel(1);
    let mut client = ground.sender(&inbox);
    let stream = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let delivering = tokio::spawn(async move { client.deliver_copy(stream).await });
    let say = |part| messages.send(DeliverCopyRequest { part: Some(part) });
    say(Part::Header(header(&copy, &content, id, 0)))
        .await
        .expect("the call is open");
    let (first, rest) = content.split_at(CHUNK);
    say(Part::Chunk(first.to_vec())).await.expect("the call is open");
    let part = inbox.store().join("parts").join(id.to_string());
    let began = Instant::now();
    while length(&part) < CHUNK as u64 {
        assert!(began.elapsed() < PATIENCE, "it comes");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    inbox.signal(Signal::SIGTERM);
    let mut other = ground.sender(&inbox);
    while other
        .get_delivery(GetDeliveryRequest {
            delivery_id: id.to_string(),
        })
        .await
        .is_ok()
    {
        assert!(began.elapsed() < PATIENCE, "it takes no other call");
        other = ground.sender(&inbox);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for chunk in rest.chunks(500_000) {
        say(Part::Chunk(chunk.to_vec())).await.expect("the call is open");
    }
    drop(messages);
    let answer = delivering
        .await
        .expect("it does not panic")
        .expect("it is answered")
        .into_inner();
    assert!(matches!(answer.answer, Some(Answer::Receipt(_))), "{answer:?}");
    assert_eq!(tokio::task::block_in_place(|| inbox.end(Signal::SIGTERM)), Some(0));
    assert_eq!(tokio::task::block_in_place(|| inbox.received()), [copy.name]);
}
