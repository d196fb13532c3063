//! Servers of recipients, and those that are none.

use std::{
    io,
    net::Ipv4Addr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use legalstat_local::authority::Identity;
use legalstat_proto::collections::v1::{
    DeliverCopyHeader, DeliverCopyRequest, Delivery, GetDeliveryRequest, RecallCopyRequest, RecallCopyResponse,
    Receipt,
    copy_inbox_service_server::{CopyInboxService, CopyInboxServiceServer},
    deliver_copy_request::Part,
    delivery,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tonic::{Request, Response, Status, Streaming};
use tower::Service as _;

use super::{ID, read};

pub(super) type Secured = TlsStream<TcpStream>;

/// What a server shows, unless it asks for a certificate itself.
pub(super) fn shows(identity: &Identity) -> ServerConfig {
    shows_pem(&read(&identity.certificate_path), &read(&identity.key_path))
}

pub(super) fn shows_pem(certificate: &[u8], key: &[u8]) -> ServerConfig {
    let chain = CertificateDer::pem_slice_iter(certificate).map(|part| part.expect("a certificate"));
    let key = PrivateKeyDer::from_pem_slice(key).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("they are ours");
    let config = config.with_no_client_auth().with_single_cert(chain.collect(), key);
    let mut config = config.expect("they belong together");
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

/// A server. Dropped, it is gone with all its connections.
pub(super) struct Server {
    pub(super) port: u16,
    accepted: Arc<AtomicUsize>,
    open: Arc<Mutex<JoinSet<()>>>,
    _listening: JoinSet<()>,
}

impl Server {
    /// Serves each connection before TLS.
    pub(super) async fn plain<F>(each: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let (accepted, open) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<JoinSet<()>>>::default());
        let (count, connections, mut listening) = (accepted.clone(), open.clone(), JoinSet::new());
        listening.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, SeqCst);
                stream.set_nodelay(true).expect("it is open");
                connections.lock().expect("no code panics").spawn(each(stream));
            }
        });
        Self {
            port,
            accepted,
            open,
            _listening: listening,
        }
    }

    /// Serves each connection that TLS has secured.
    pub(super) async fn secured<F>(
        config: ServerConfig,
        each: impl Fn(Secured) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::plain(move |stream| {
            let (acceptor, each) = (acceptor.clone(), each.clone());
            async move {
                if let Ok(secured) = acceptor.accept(stream).await {
                    each(secured).await;
                }
            }
        })
        .await
    }

    /// An implementation of the contract.
    pub(super) async fn inbox(config: ServerConfig, inbox: Inbox) -> Self {
        Self::secured(config, move |stream| {
            let inbox = CopyInboxServiceServer::new(inbox.clone()).max_decoding_message_size(2 * 1024 * 1024);
            let service = hyper::service::service_fn(move |request| inbox.clone().call(request));
            served(stream, service)
        })
        .await
    }

    /// Something that answers in HTTP/2, the same to everything.
    pub(super) async fn http(config: ServerConfig, answer: fn() -> http::Response<Answered>) -> Self {
        Self::secured(config, move |stream| async move {
            let service = hyper::service::service_fn(move |_| async move { Ok::<_, io::Error>(answer()) });
            served(stream, service).await;
        })
        .await
    }

    /// How many connections came.
    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(SeqCst)
    }

    /// Cuts all connections.
    pub(super) async fn cut(&self) {
        let mut open = std::mem::take(&mut *self.open.lock().expect("no code panics"));
        open.shutdown().await;
    }
}

async fn served<S, B>(stream: Secured, service: S)
where
    S: hyper::service::HttpService<
            Incoming,
            ResBody = B,
            Error: Into<tonic::codegen::StdError>,
            Future: Send + 'static,
        >,
    B: http_body::Body<Data: Send, Error: Into<tonic::codegen::StdError>> + Send + 'static,
{
    let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    builder.serve_connection(TokioIo::new(stream), service).await.ok();
}

pub(super) type Answered = BoxBody<Bytes, io::Error>;

/// The body of an answer, and what it ends with.
pub(super) fn body(bytes: impl Into<Bytes>, trailers: Option<HeaderMap>) -> Answered {
    let body = Full::new(bytes.into()).map_err(|never| match never {});
    body.with_trailers(async move { trailers.map(Ok) }).boxed()
}

/// The head of a gRPC answer.
pub(super) fn grpc() -> http::response::Builder {
    http::Response::builder().header("content-type", "application/grpc")
}

/// What a gRPC answer ends with.
pub(super) fn status(code: &'static str) -> Option<HeaderMap> {
    Some(HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        http::HeaderValue::from_static(code),
    )]))
}

/// A message as gRPC sends it.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a short message").to_be_bytes();
    [&[0], &length[..], message].concat()
}

pub(super) type Answer = Result<Delivery, Status>;
pub(super) type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What a server has seen.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) headers: Mutex<Vec<DeliverCopyHeader>>,
    pub(super) stored: Mutex<Vec<u8>>,
    pub(super) asked: AtomicUsize,
}

impl Seen {
    /// Where the deliveries went on from.
    pub(super) fn offsets(&self) -> Vec<i64> {
        let headers = self.headers.lock().expect("no code panics");
        headers.iter().map(|header| header.offset).collect()
    }

    pub(super) fn stored(&self) -> Vec<u8> {
        self.stored.lock().expect("no code panics").clone()
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }

    /// Reads the header of a delivery.
    pub(super) async fn header(&self, stream: &mut Streaming<DeliverCopyRequest>) {
        let first = stream.message().await.expect("it comes").expect("a header").part;
        let Some(Part::Header(header)) = first else {
            panic!("{first:?}")
        };
        self.headers.lock().expect("no code panics").push(header);
    }

    /// Stores what follows, until so much is stored.
    pub(super) async fn store(&self, stream: &mut Streaming<DeliverCopyRequest>, most: usize) -> Result<(), Status> {
        while self.stored.lock().expect("no code panics").len() < most {
            match stream.message().await?.map(|message| message.part.expect("a part")) {
                Some(Part::Chunk(chunk)) => self.stored.lock().expect("no code panics").extend(chunk),
                Some(header) => panic!("{header:?}"),
                None => break,
            }
        }
        Ok(())
    }
}

/// A server that implements the contract, as a test says.
#[derive(Clone)]
pub(super) struct Inbox {
    pub(super) seen: Arc<Seen>,
    pub(super) deliver: fn(Arc<Seen>, Streaming<DeliverCopyRequest>) -> Answering,
    pub(super) known: fn(&Seen) -> Answer,
}

impl Inbox {
    /// One that does all as it should.
    pub(super) fn honest() -> Self {
        Self::delivering(|seen, mut stream| {
            Box::pin(async move {
                seen.header(&mut stream).await;
                seen.store(&mut stream, usize::MAX).await?;
                Ok(receipt())
            })
        })
    }

    /// One that knows of nothing before.
    pub(super) fn delivering(deliver: fn(Arc<Seen>, Streaming<DeliverCopyRequest>) -> Answering) -> Self {
        Self {
            seen: Arc::default(),
            deliver,
            known: |_| Err(Status::not_found("nothing of it has come")),
        }
    }

    pub(super) fn knowing(self, known: fn(&Seen) -> Answer) -> Self {
        Self { known, ..self }
    }
}

#[tonic::async_trait]
impl CopyInboxService for Inbox {
    async fn deliver_copy(
        &self,
        request: Request<Streaming<DeliverCopyRequest>>,
    ) -> Result<Response<Delivery>, Status> {
        assert!(request.metadata().contains_key("grpc-timeout"));
        (self.deliver)(self.seen.clone(), request.into_inner())
            .await
            .map(Response::new)
    }

    async fn get_delivery(&self, request: Request<GetDeliveryRequest>) -> Result<Response<Delivery>, Status> {
        assert_eq!(request.into_inner().delivery_id, ID.to_string());
        self.seen.asked.fetch_add(1, SeqCst);
        (self.known)(&self.seen).map(Response::new)
    }

    async fn recall_copy(&self, request: Request<RecallCopyRequest>) -> Result<Response<RecallCopyResponse>, Status> {
        assert!(request.metadata().contains_key("grpc-timeout"));
        self.seen.asked.fetch_add(1, SeqCst);
        Ok(Response::new(RecallCopyResponse::default()))
    }
}

/// Where a delivery stands.
pub(super) fn stands(received_bytes: i64) -> Delivery {
    Delivery {
        delivery_id: ID.to_string(),
        received_bytes,
        answer: None,
    }
}

/// The answer of a server that has received all.
pub(super) fn receipt() -> Delivery {
    Delivery {
        answer: Some(delivery::Answer::Receipt(Receipt {
            confirmed_by: "the clerk".into(),
            ..Default::default()
        })),
        ..stands(0)
    }
}
