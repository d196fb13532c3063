//! A file of 1 GiB up and down, against a bare tonic stream that hashes and writes the same bytes.
//!
//! `cargo bench -p legalstat --bench transfer`: each in turn, three times; the bare server and the system are processes of their
//! own behind TLS, and the client is the same. The target: 0.6 or better of the bare stream both ways, and less than 32 MiB more
//! memory of the system while a file is under way. `LEGALSTAT_BENCH_MIB` gives another size.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]
#![expect(clippy::disallowed_methods, reason = "a caller chooses ids")]

use std::{
    convert::Infallible,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream::BoxStream};
use legalstat_kit::call::{client, tls};
use legalstat_proto::forms::v1::{
    DownloadEditionFileRequest, UploadEditionFileHeader, UploadEditionFileRequest, download_edition_file_response,
    form_registry_service_client::FormRegistryServiceClient, upload_edition_file_request::Part,
};
use legalstat_test_support::system::System;
use sha2::{Digest as _, Sha256};
use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    codegen::{BoxFuture, Service},
    server::{ClientStreamingService, Grpc, NamedService, ServerStreamingService},
    transport::{Channel, Identity, Server, ServerTlsConfig},
};
use tonic_prost::ProstCodec;
use uuid::Uuid;

/// The argument that makes this program the bare server.
const SERVE: &str = "--serve-bare";
/// How much one message carries, as the command line sends it.
const CHUNK: usize = 256 * 1024;
/// How many times each is measured.
const ROUNDS: usize = 3;

fn chunk(at: usize) -> Vec<u8> {
    vec![b'a' + (at % 23) as u8; CHUNK]
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    if let Some(at) = arguments.iter().position(|argument| argument == SERVE) {
        let (certificates, folder) = (PathBuf::from(&arguments[at + 1]), PathBuf::from(&arguments[at + 2]));
        return runtime.block_on(serve(&certificates, &folder));
    }
    let system = System::start();
    runtime.block_on(measure(&system))
}

async fn measure(system: &System) -> ExitCode {
    let mib: usize = std::env::var("LEGALSTAT_BENCH_MIB")
        .ok()
        .and_then(|mib| mib.parse().ok())
        .unwrap_or(1024);
    let chunks = mib * 1024 * 1024 / CHUNK;
    let mut hash = Sha256::new();
    (0..chunks).for_each(|at| hash.update(chunk(at)));
    let sha256 = hex::encode(hash.finalize());
    let bare = Bare::start(system);
    let mut rates: [Vec<f64>; 4] = Default::default();
    let mut growth = [0, 0];
    let rate = |began: Instant| mib as f64 / began.elapsed().as_secs_f64();
    for round in 0..ROUNDS {
        let began = Instant::now();
        bare.up(chunks).await;
        rates[0].push(rate(began));
        let began = Instant::now();
        assert_eq!(bare.down().await, chunks * CHUNK);
        rates[1].push(rate(began));
        let edition = format!("forms/1/editions/2024-M{:02}", round + 1);
        let before = Memory::marked(system.process());
        let began = Instant::now();
        up(system, &edition, &sha256, chunks).await;
        rates[2].push(rate(began));
        growth[0] = growth[0].max(before.growth());
        let before = Memory::marked(system.process());
        let began = Instant::now();
        assert_eq!(down(system, &edition).await, chunks * CHUNK);
        rates[3].push(rate(began));
        growth[1] = growth[1].max(before.growth());
    }
    let [bare_up, bare_down, up, down] = rates.map(median);
    let mut good = true;
    for (way, bare, ours, growth) in [("up", bare_up, up, growth[0]), ("down", bare_down, down, growth[1])] {
        let (ratio, grown) = (ours / bare, growth as f64 / (1024.0 * 1024.0));
        good &= ratio >= 0.6 && grown < 32.0;
        println!("{way}: {ours:.0} MiB/s, bare {bare:.0} MiB/s, ratio {ratio:.2}; memory grew by {grown:.1} MiB");
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn registry(system: &System) -> FormRegistryServiceClient<Channel> {
    FormRegistryServiceClient::new(system.channel("form-registry", Some("operator")))
}

async fn up(system: &System, edition: &str, sha256: &str, chunks: usize) {
    let header = UploadEditionFileHeader {
        name: edition.into(),
        filename: "form.csv".into(),
        sha256: sha256.into(),
        resumable: true,
        size_bytes: i64::try_from(chunks * CHUNK).expect("a size"),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let parts = std::iter::once(Part::Header(header)).chain((0..chunks).map(|at| Part::Chunk(chunk(at))));
    let messages = parts.map(|part| UploadEditionFileRequest { part: Some(part) });
    let uploaded = registry(system)
        .upload_edition_file(futures::stream::iter(messages))
        .await;
    uploaded.expect("it is taken");
}

async fn down(system: &System, edition: &str) -> usize {
    let request = DownloadEditionFileRequest {
        name: edition.into(),
        ..Default::default()
    };
    let stream = registry(system)
        .download_edition_file(request)
        .await
        .expect("it begins")
        .into_inner();
    let sizes = stream.map(|message| match message.expect("it goes on").part {
        Some(download_edition_file_response::Part::Chunk(chunk)) => chunk.len(),
        _ => 0,
    });
    sizes.fold(0, async |whole, size| whole + size).await
}

/// The most memory that a process had since its mark was reset.
struct Memory {
    process: u32,
    before: u64,
}

impl Memory {
    fn marked(process: u32) -> Self {
        std::fs::write(format!("/proc/{process}/clear_refs"), "5").expect("the mark is reset");
        let before = Self::peak(process);
        Self { process, before }
    }

    fn growth(&self) -> u64 {
        Self::peak(self.process).saturating_sub(self.before)
    }

    fn peak(process: u32) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("Linux tells");
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kib.expect("it is told") * 1024
    }
}

/// The bare server as its caller sees it; dropping it ends it.
struct Bare {
    process: Child,
    channel: Channel,
}

impl Bare {
    fn start(system: &System) -> Self {
        let (certificates, folder) = (system.home().join("certificates"), system.folder());
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args([SERVE.as_ref(), certificates.as_os_str(), folder.as_os_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut url = String::new();
        let said = process.stdout.take().expect("it is piped");
        BufReader::new(said).read_line(&mut url).expect("it says its address");
        let tls = tls::client(&certificates.join("ca.pem"), None).expect("certificates are there");
        let channel = client::channel(url.trim(), tls).expect("a URL");
        Self { process, channel }
    }

    async fn grpc(&self) -> tonic::client::Grpc<Channel> {
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.expect("it runs");
        client
    }

    async fn up(&self, chunks: usize) {
        let messages = futures::stream::iter((0..chunks).map(|at| Bytes::from(chunk(at))));
        let (path, codec) = (path("Up"), ProstCodec::<Bytes, Bytes>::default());
        let taken = self
            .grpc()
            .await
            .client_streaming(Request::new(messages), path, codec)
            .await;
        taken.expect("it is taken");
    }

    async fn down(&self) -> usize {
        let (path, codec) = (path("Down"), ProstCodec::<Bytes, Bytes>::default());
        let begun = self
            .grpc()
            .await
            .server_streaming(Request::new(Bytes::new()), path, codec)
            .await;
        let stream = begun.expect("it begins").into_inner();
        stream
            .fold(0, async |whole, bytes| whole + bytes.expect("it goes on").len())
            .await
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().ok();
    }
}

fn path(method: &str) -> http::uri::PathAndQuery {
    format!("/legalstat.bench.Bare/{method}").parse().expect("a path")
}

/// Serves until standard input ends.
async fn serve(certificates: &Path, folder: &Path) -> ExitCode {
    let read = |name: &str| std::fs::read(certificates.join(name)).expect("it is there");
    let identity = Identity::from_pem(read("calendar.pem"), read("calendar.key"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    println!("https://localhost:{port}");
    std::io::stdout().flush().ok();
    let (end, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
        end.send(()).ok();
    });
    let mut server = Server::builder()
        .tls_config(ServerTlsConfig::new().identity(identity))
        .expect("the certificate can be used");
    let service = BareService {
        file: folder.join("bare"),
    };
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    let serving = server
        .add_service(service)
        .serve_with_incoming_shutdown(incoming, async {
            ended.await.ok();
        });
    serving.await.expect("it serves");
    ExitCode::SUCCESS
}

/// Hashes and writes what comes, and reads it again; nothing else.
#[derive(Clone)]
struct BareService {
    file: PathBuf,
}

impl NamedService for BareService {
    const NAME: &'static str = "legalstat.bench.Bare";
}

impl ClientStreamingService<Bytes> for BareService {
    type Response = Bytes;
    type Future = BoxFuture<Response<Bytes>, Status>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let path = self.file.clone();
        Box::pin(async move {
            let (mut messages, mut hash) = (request.into_inner(), Sha256::new());
            let mut file = tokio::fs::File::create(path).await?;
            while let Some(bytes) = messages.message().await? {
                hash.update(&bytes);
                tokio::io::AsyncWriteExt::write_all(&mut file, &bytes).await?;
            }
            tokio::io::AsyncWriteExt::flush(&mut file).await?;
            file.sync_all().await?;
            Ok(Response::new(hash.finalize().to_vec().into()))
        })
    }
}

impl ServerStreamingService<Bytes> for BareService {
    type Response = Bytes;
    type ResponseStream = BoxStream<'static, Result<Bytes, Status>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, _: Request<Bytes>) -> Self::Future {
        let path = self.file.clone();
        Box::pin(async move {
            let file = tokio::fs::File::open(path).await?;
            Ok(Response::new(pieces(file).boxed()))
        })
    }
}

fn pieces(file: tokio::fs::File) -> impl Stream<Item = Result<Bytes, Status>> {
    futures::stream::unfold(file, async |mut file| {
        let mut bytes = vec![0; 64 * 1024];
        match tokio::io::AsyncReadExt::read(&mut file, &mut bytes).await {
            Ok(0) => None,
            Ok(read) => {
                bytes.truncate(read);
                Some((Ok(bytes.into()), file))
            }
            Err(error) => Some((Err(error.into()), file)),
        }
    })
}

/// What the generated code does for streams.
impl Service<http::Request<Body>> for BareService {
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
            Ok(if request.uri().path().ends_with("/Up") {
                grpc.client_streaming(service, request).await
            } else {
                grpc.server_streaming(service, request).await
            })
        })
    }
}
