//! A recipient's server as a test says it to be. `peers` holds it to what the real one does.

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use jiff::Timestamp;
use legalstat_kit::door::wire;
use legalstat_local::authority::{Authority, Usage};
use legalstat_proto::collections::v1::{
    DeliverCopyHeader, DeliverCopyRequest, Delivery, DeliveryRejection, GetDeliveryRequest, RecallCopyRequest,
    RecallCopyResponse, Receipt,
    copy_inbox_service_server::{CopyInboxService, CopyInboxServiceServer},
    deliver_copy_request, delivery,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming, transport};

use super::receipts::{pair, statement};
use crate::statements;

/// How a server answers a delivery.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    /// By a receipt, signed with its key.
    Receives,
    Rejects,
    /// That it is away.
    Away,
    /// By a receipt that somebody has changed.
    Forges(fn(&mut Receipt)),
    /// As it does once it turns to something else: until then it keeps the sender waiting.
    Waits,
}

/// What an inbox has, by the ids of the deliveries.
type Stored = Arc<Mutex<HashMap<String, (DeliverCopyHeader, Vec<u8>)>>>;

/// A recipient's server.
#[derive(Clone)]
pub(crate) struct Inbox {
    pub(super) name: &'static str,
    manner: Arc<Mutex<Manner>>,
    /// That a sender waits.
    pub(super) asked: Arc<tokio::sync::Notify>,
    /// What it stored, by delivery.
    pub(super) stored: Stored,
    /// The receipts that it gave, which stay its answers, by delivery.
    given: Arc<Mutex<HashMap<String, Delivery>>>,
    /// Which recalls it was told of.
    pub(super) recalled: Arc<Mutex<Vec<RecallCopyRequest>>>,
    /// What it answered to them, by copy.
    known: Arc<Mutex<HashMap<String, RecallCopyResponse>>>,
    pub(crate) endpoint: String,
    /// Its clock is the system's.
    clock: Clock,
    /// The name of its key.
    signing_key: String,
    /// What its key is made of.
    seed: u8,
}

impl Inbox {
    /// A server that receives, under a certificate of this name.
    pub(super) async fn serve(
        authority: &Authority,
        name: &'static str,
        signing_key: String,
        seed: u8,
        clock: Clock,
    ) -> Self {
        let identity = authority.ensure(&Usage::recipient(name).reached_as("localhost"));
        let identity = identity.expect("it is made");
        let read = |path| std::fs::read(path).expect("it is there");
        let own = transport::Identity::from_pem(read(identity.certificate_path), read(identity.key_path));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let inbox = Self {
            name,
            manner: Arc::new(Mutex::new(Manner::Receives)),
            asked: Arc::default(),
            stored: Arc::default(),
            given: Arc::default(),
            recalled: Arc::default(),
            known: Arc::default(),
            endpoint: format!("https://localhost:{port}"),
            clock,
            signing_key,
            seed,
        };
        let mut server = transport::Server::builder()
            .tls_config(transport::ServerTlsConfig::new().identity(own))
            .expect("the certificate is ours");
        let server = server.add_service(CopyInboxServiceServer::new(inbox.clone()).max_decoding_message_size(2 << 20));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        inbox
    }

    pub(super) fn turns(&self, manner: Manner) {
        *self.manner.lock().expect("no code panics") = manner;
    }

    fn manner(&self) -> Manner {
        *self.manner.lock().expect("no code panics")
    }

    async fn wait(&self) {
        while matches!(self.manner(), Manner::Waits) {
            self.asked.notify_one();
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    fn answer(&self, header: &DeliverCopyHeader, received_bytes: usize) -> Result<Delivery, Status> {
        let copy = header.copy.clone().expect("it has one");
        let now = self.clock.now().to_string();
        let said = statement(&copy, &now);
        let bytes = statements::of_receipt(&said).expect("it has some");
        let mut receipt = Receipt {
            statement: Some(said),
            signing_key: self.signing_key.clone(),
            signature: pair(self.seed).sign(&bytes).as_ref().to_vec(),
            ..Default::default()
        };
        let by = |answer| Delivery {
            delivery_id: header.delivery_id.clone(),
            received_bytes: i64::try_from(received_bytes).expect("a size"),
            answer: Some(answer),
        };
        match self.manner() {
            Manner::Away => Err(Status::unavailable("away")),
            Manner::Rejects => {
                let reason = "the file does not open".into();
                Ok(by(delivery::Answer::Rejection(DeliveryRejection { reason })))
            }
            Manner::Forges(change) => {
                change(&mut receipt);
                Ok(by(delivery::Answer::Receipt(receipt)))
            }
            Manner::Receives | Manner::Waits => {
                let mut given = self.given.lock().expect("no code panics");
                let first = given.entry(header.delivery_id.clone());
                Ok(first.or_insert_with(|| by(delivery::Answer::Receipt(receipt))).clone())
            }
        }
    }
}

#[tonic::async_trait]
impl CopyInboxService for Inbox {
    async fn deliver_copy(
        &self,
        request: Request<Streaming<DeliverCopyRequest>>,
    ) -> Result<Response<Delivery>, Status> {
        let (mut stream, mut header, mut content) = (request.into_inner(), None, Vec::new());
        while let Some(message) = stream.message().await? {
            match message.part.expect("a part") {
                deliver_copy_request::Part::Header(first) => header = Some(first),
                deliver_copy_request::Part::Chunk(chunk) => content.extend(chunk),
            }
        }
        let header = header.expect("it comes first");
        self.wait().await;
        let answer = self.answer(&header, content.len())?;
        let mut stored = self.stored.lock().expect("no code panics");
        stored.insert(header.delivery_id.clone(), (header, content));
        Ok(Response::new(answer))
    }

    async fn get_delivery(&self, request: Request<GetDeliveryRequest>) -> Result<Response<Delivery>, Status> {
        let given = self.given.lock().expect("no code panics");
        let given = given.get(&request.get_ref().delivery_id).cloned();
        given
            .map(Response::new)
            .ok_or_else(|| Status::not_found("it keeps no parts"))
    }

    async fn recall_copy(&self, request: Request<RecallCopyRequest>) -> Result<Response<RecallCopyResponse>, Status> {
        self.wait().await;
        if matches!(self.manner(), Manner::Away) {
            return Err(Status::unavailable("away"));
        }
        let told = request.into_inner();
        let mut known = self.known.lock().expect("no code panics");
        let first = known.entry(told.copy.clone()).or_insert_with(|| RecallCopyResponse {
            recorded_at: Some(wire::to_timestamp(self.clock.now())),
        });
        self.recalled.lock().expect("no code panics").push(told);
        Ok(Response::new(*first))
    }
}

/// The clock of a test.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(super) fn at(instant: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(instant.as_second())))
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).expect("an instant")
    }

    pub(super) fn move_to(&self, at: Timestamp) {
        // No instant of the second before is still to come.
        self.0.store(at.as_second() + 1, Ordering::SeqCst);
    }
}
