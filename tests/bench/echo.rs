//! The least a tonic service can do for an answer of a given size: one message in, one out, without a layer. It runs as a
//! process of its own, as the system does, behind the kit's own TLS.

use std::{
    convert::Infallible,
    future::Ready,
    path::Path,
    process::ExitCode,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{BufMut, Bytes, BytesMut};
use legalstat_kit::{
    call::{accepting::Acceptor, tls},
    run::{environment::Environment, limits::Limits, server},
};
use prost::Message;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::{BoxFuture, Service},
    server::{Grpc, NamedService, UnaryService},
    service::Routes,
};
use tonic_prost::ProstCodec;

use crate::{
    beside::{self, Beside},
    load::{Asked, Subject},
};

/// The argument that makes the program the echo's server.
pub(crate) const SERVE: &str = "--serve-echo";
/// The longest answer.
const LONGEST: usize = 64 * 1024;

/// The echo's server as its caller sees it.
pub(crate) fn start(home: &Path) -> Beside {
    Beside::start(home, SERVE, &[])
}

/// Serves until standard input ends.
pub(crate) fn serve(certificates: &Path) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let listener = server::bind(([127, 0, 0, 1], 0).into()).await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let files = tls::Files {
            certificate: certificates.join("calendar.pem"),
            key: certificates.join("calendar.key"),
            authority: certificates.join("ca.pem"),
            revoked: None,
            outside: None,
        };
        let server = tls::Server::load(&files).expect("certificates are there");
        let (_served, tls) = watch::channel(Arc::new(server));
        let limits = Limits::read(&mut Environment::default(), 8).expect("the defaults can be used");
        let shutdown = CancellationToken::new();
        let acceptor = Acceptor::for_calls(tls, &limits, shutdown.clone());
        let serving = acceptor.serve(listener, Routes::new(EchoService::new()).prepare());
        beside::serving(port, move || shutdown.cancel());
        serving.await;
    });
    ExitCode::SUCCESS
}

/// The echo to call.
pub(crate) fn subject() -> Subject {
    Subject::answering::<Bytes>("/legalstat.bench.Echo/Echo")
}

/// What to ask of the echo so that its messages have as many bytes as another subject's.
pub(crate) fn alike(asked: &Asked) -> Asked {
    let both = asked.sizes.iter().zip(&asked.encoded);
    Asked {
        encoded: both.map(|(size, message)| request(*size, message.len())).collect(),
        sizes: asked.sizes.clone(),
    }
}

/// A request of `length` bytes for an answer of `size` bytes, both as encoded bytes values.
fn request(size: usize, length: usize) -> Bytes {
    let mut wanted = BytesMut::new();
    wanted.put_u32(u32::try_from(size).expect("answers are short"));
    wanted.resize(length - FRAME, 0);
    wanted.freeze().encode_to_vec().into()
}

/// What a bytes value of less than 128 bytes needs besides its bytes.
const FRAME: usize = 2;

/// A bytes value that has `size` bytes when encoded.
fn answer(zeros: &Bytes, size: usize) -> Bytes {
    let overhead = zeros.slice(..size).encoded_len() - size;
    zeros.slice(..size - overhead)
}

#[derive(Clone)]
struct EchoService {
    zeros: Bytes,
}

impl EchoService {
    fn new() -> Self {
        Self {
            zeros: vec![0; LONGEST].into(),
        }
    }
}

impl NamedService for EchoService {
    const NAME: &'static str = "legalstat.bench.Echo";
}

impl UnaryService<Bytes> for EchoService {
    type Response = Bytes;
    type Future = Ready<Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let size = request
            .get_ref()
            .first_chunk()
            .map_or(0, |size| u32::from_be_bytes(*size));
        let size = usize::try_from(size).unwrap_or(LONGEST).clamp(8, LONGEST);
        std::future::ready(Ok(Response::new(answer(&self.zeros, size))))
    }
}

/// What the generated code does for a unary method.
impl Service<http::Request<Body>> for EchoService {
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
