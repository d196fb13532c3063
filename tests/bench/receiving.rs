//! Who takes what is delivered, with as little in it as can be: servers of recipients, which sign a receipt for what comes and store
//! nothing, and a bare server, which inserts what comes.

use std::{
    convert::Infallible,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use jiff::Timestamp;
use legalstat_collection_distribution::statements;
use legalstat_kit::door::wire;
use legalstat_proto::collections::v1::{
    Copy, DeliverCopyRequest, Delivery, GetDeliveryRequest, RecallCopyRequest, RecallCopyResponse, Receipt,
    ReceiptStatement,
    copy_inbox_service_server::{CopyInboxService, CopyInboxServiceServer},
    deliver_copy_request::Part,
    delivery::Answer,
};
use prost::Message as _;
use ring::signature::Ed25519KeyPair;
use sqlx::PgPool;
use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    codegen::{BoxFuture, Service},
    server::{Grpc, NamedService, UnaryService},
    transport::{Identity, Server, ServerTlsConfig, server::TcpIncoming},
};
use tonic_prost::ProstCodec;

/// The method of the bare server.
pub(crate) const BARE: &str = "/legalstat.bench.Bare/Take";

/// What has come to the servers of all recipients.
#[derive(Default)]
pub(crate) struct Came {
    copies: AtomicUsize,
    /// How many bytes a delivery has, as messages, and its answer.
    question: AtomicUsize,
    answer: AtomicUsize,
}

impl Came {
    /// How many copies were answered.
    pub(crate) fn copies(&self) -> usize {
        self.copies.load(Ordering::Acquire)
    }

    /// How many bytes the last delivery and its answer had.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let size = |of: &AtomicUsize| of.load(Ordering::Acquire);
        (size(&self.question), size(&self.answer))
    }
}

/// The server of a recipient.
pub(crate) struct Inbox {
    /// The key with which it signs, `recipients/senate/signingKeys/bench`.
    pub(crate) key: String,
    pub(crate) pair: Arc<Ed25519KeyPair>,
    pub(crate) came: Arc<Came>,
}

impl Inbox {
    /// Serves with a certificate of the system's, and gives the address.
    pub(crate) fn serve(self, home: &Path, certificate: &str) -> String {
        let service = CopyInboxServiceServer::new(self).max_decoding_message_size(2 << 20);
        let (mut server, incoming, url) = listening(home, certificate);
        tokio::spawn(server.add_service(service).serve_with_incoming(incoming));
        url
    }

    fn receipt(&self, copy: &Copy) -> Receipt {
        let said = ReceiptStatement {
            format: statements::RECEIPT_FORMAT.into(),
            copy: copy.name.clone(),
            copy_sha256: copy.copy_sha256.clone(),
            content_sha256: copy.sha256.clone(),
            recipient: copy.recipient.clone(),
            received_at: Some(wire::to_timestamp(wire::whole_microseconds(Timestamp::now()))),
        };
        let signed = statements::of_receipt(&said).expect("it has a text");
        Receipt {
            signing_key: self.key.clone(),
            signature: self.pair.sign(&signed).as_ref().to_vec(),
            statement: Some(said),
            ..Receipt::default()
        }
    }
}

#[tonic::async_trait]
impl CopyInboxService for Inbox {
    async fn deliver_copy(
        &self,
        request: Request<Streaming<DeliverCopyRequest>>,
    ) -> Result<Response<Delivery>, Status> {
        let (mut stream, mut header, mut received, mut size) = (request.into_inner(), None, 0, 0);
        while let Some(message) = stream.message().await? {
            size += message.encoded_len();
            match message.part {
                Some(Part::Header(first)) => header = Some(first),
                Some(Part::Chunk(chunk)) => received += chunk.len(),
                None => {}
            }
        }
        let header = header.ok_or_else(|| Status::invalid_argument("no header"))?;
        let receipt = self.receipt(&header.copy.unwrap_or_default());
        let delivery = Delivery {
            delivery_id: header.delivery_id,
            received_bytes: i64::try_from(received).expect("a size"),
            answer: Some(Answer::Receipt(receipt)),
        };
        self.came.question.store(size, Ordering::Release);
        self.came.answer.store(delivery.encoded_len(), Ordering::Release);
        self.came.copies.fetch_add(1, Ordering::AcqRel);
        Ok(Response::new(delivery))
    }

    async fn get_delivery(&self, _: Request<GetDeliveryRequest>) -> Result<Response<Delivery>, Status> {
        Err(Status::not_found("it keeps no parts"))
    }

    async fn recall_copy(&self, _: Request<RecallCopyRequest>) -> Result<Response<RecallCopyResponse>, Status> {
        Err(Status::unimplemented("nothing is recalled here"))
    }
}

/// Inserts what comes, and answers with so many bytes.
#[derive(Clone)]
pub(crate) struct Bare {
    pub(crate) database: PgPool,
    pub(crate) answer: Bytes,
}

impl Bare {
    /// Serves with a certificate of the system's, and gives the address.
    pub(crate) fn serve(self, home: &Path, certificate: &str) -> String {
        let (mut server, incoming, url) = listening(home, certificate);
        tokio::spawn(server.add_service(self).serve_with_incoming(incoming));
        url
    }
}

impl NamedService for Bare {
    const NAME: &'static str = "legalstat.bench.Bare";
}

impl UnaryService<Bytes> for Bare {
    type Response = Bytes;
    type Future = BoxFuture<Response<Bytes>, Status>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let (own, body) = (self.clone(), request.into_inner());
        Box::pin(async move {
            let insert = sqlx::query("INSERT INTO bench.taken (body) VALUES ($1)").bind(&body[..]);
            let inserted = insert.execute(&own.database).await;
            inserted.map_err(|error| Status::internal(error.to_string()))?;
            Ok(Response::new(own.answer))
        })
    }
}

/// What the generated code does for a unary method.
impl Service<http::Request<Body>> for Bare {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Bytes, Bytes>::default());
            Ok(grpc.unary(service, request).await)
        })
    }
}

/// tonic's own server on a port of its own.
fn listening(home: &Path, certificate: &str) -> (Server, TcpIncoming, String) {
    let read = |ending: &str| std::fs::read(home.join(format!("certificates/{certificate}.{ending}")));
    let read = |ending: &str| read(ending).expect("it is there");
    let tls = ServerTlsConfig::new().identity(Identity::from_pem(read("pem"), read("key")));
    let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let incoming = incoming.with_nodelay(Some(true));
    let port = incoming.local_addr().expect("it is bound").port();
    let server = Server::builder().tls_config(tls).expect("the certificate can be used");
    (server, incoming, format!("https://localhost:{port}"))
}
