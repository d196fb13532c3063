//! A large file up and down, against a bare tonic stream that hashes and writes the same bytes, in the same run. See `README.md`.

#![expect(clippy::disallowed_methods, reason = "a caller chooses ids")]

mod beside;
#[expect(dead_code, reason = "other benches time calls and count processor time")]
mod report;
mod settings;

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream::BoxStream};
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
    transport::{Channel, Identity, Server, ServerTlsConfig, server::TcpIncoming},
};
use tonic_prost::ProstCodec;
use uuid::Uuid;

use crate::{
    beside::Beside,
    report::{Line, Rounds, Turn, Verdict},
    settings::setting,
};

/// The argument that makes this program the bare server.
const SERVE: &str = "--serve-bare";
/// How much one message carries up, as the command line sends it, and down, as the service sends it.
const UP: usize = 256 * 1024;
const DOWN: usize = 64 * 1024;
/// How many bytes may come ahead to the bare server: with tonic's 64 KiB it would wait for the line and not for its work.
const WINDOW: u32 = 1024 * 1024;
/// How many times each is measured, after one time that does not count.
const ROUNDS: usize = 3;
/// By how much the memory of the system may grow while a file is under way.
const GROWTH: f64 = 32.0;
const SUBJECTS: [&str; 4] = [
    "bare stream, up",
    "UploadEditionFile",
    "bare stream, down",
    "DownloadEditionFile",
];
const MIB: f64 = 1024.0 * 1024.0;

fn chunk(at: usize) -> Vec<u8> {
    vec![b'a' + (at % 23) as u8; UP]
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if let [name, certificates, folder] = &arguments[..]
        && name == SERVE
    {
        return runtime.block_on(serve(certificates.as_ref(), folder.as_ref()));
    }
    // Whoever builds all targets as tests must not wait for measurements.
    if !has("--bench") {
        report::say("measurements run with: cargo bench -p legalstat --bench transfer\n");
        return ExitCode::SUCCESS;
    }
    let system = System::start();
    let lines = runtime.block_on(measure(&system));
    report::say(&report::table(&lines));
    let missed = lines.iter().any(|line| line.verdict() == Verdict::Missed);
    ExitCode::from(u8::from(missed && has("--require")))
}

async fn measure(system: &System) -> Vec<Line> {
    let mib = setting("LEGALSTAT_BENCH_MIB").unwrap_or(1024).max(1);
    let bytes = usize::try_from(mib).expect("a size") * 1024 * 1024;
    let transfer = Transfer::between(system, bytes);
    report::say(&format!("a file of {mib} MiB; a rate is that of MiB in a second\n"));
    let mut rounds: [Rounds; 4] = Default::default();
    let mut grown = [0.0_f64; 4];
    for round in 0..=ROUNDS {
        // A file has to be there before it goes down. Who goes first alternates.
        let order = if round % 2 == 0 { [0, 1, 2, 3] } else { [1, 0, 3, 2] };
        for subject in order {
            let memory = Memory::marked(if subject % 2 == 0 {
                transfer.bare.process()
            } else {
                system.process()
            });
            let began = Instant::now();
            transfer.run(subject, round).await;
            let took = began.elapsed().as_secs_f64();
            if round > 0 {
                grown[subject] = grown[subject].max(memory.growth());
                rounds[subject].add(Turn {
                    rate: bytes as f64 / MIB / took,
                    latencies: Vec::new(),
                    processor: None,
                });
            }
        }
    }
    [0, 2]
        .into_iter()
        .flat_map(|bare| lines(bare, &rounds, &grown))
        .collect()
}

fn lines(bare: usize, rounds: &[Rounds; 4], grown: &[f64; 4]) -> [Line; 3] {
    let [bare_name, name] = [SUBJECTS[bare], SUBJECTS[bare + 1]];
    let (bare_rounds, ours) = (&rounds[bare], &rounds[bare + 1]);
    let (memory, of_bare) = (grown[bare + 1], grown[bare]);
    report::say(&format!("the memory of the {bare_name}, grew by {of_bare:.1} MiB\n"));
    [
        Line::of_rounds(bare_name.into(), bare_rounds),
        Line::of_rounds(name.into(), ours).at_least(0.6, &ours.against(bare_rounds)),
        Line::plain(format!("{name}, memory grew by")).judged(
            format!("{memory:.1} MiB"),
            format!("< {GROWTH} MiB"),
            memory < GROWTH,
        ),
    ]
}

/// A file under way to a system and a bare server beside it.
struct Transfer {
    bare: Beside,
    bare_channel: Channel,
    registry: FormRegistryServiceClient<Channel>,
    chunks: usize,
    sha256: String,
}

impl Transfer {
    fn between(system: &System, bytes: usize) -> Self {
        let chunks = bytes / UP;
        let mut hash = Sha256::new();
        (0..chunks).for_each(|at| hash.update(chunk(at)));
        let bare = Beside::start(&system.home(), SERVE, &[system.folder().as_os_str()]);
        Self {
            bare_channel: bare.channel(),
            bare,
            registry: FormRegistryServiceClient::new(system.channel("form-registry", Some("operator"))),
            chunks,
            sha256: hex::encode(hash.finalize()),
        }
    }

    /// Brings the file one way, as one of the subjects.
    async fn run(&self, subject: usize, round: usize) {
        let edition = format!("forms/1/editions/2024-M{:02}", round + 1);
        let came = match subject {
            0 => return self.bare_up().await,
            1 => return self.up(edition).await,
            2 => self.bare_down().await,
            _ => self.down(edition).await,
        };
        assert_eq!(came, self.chunks * UP, "the file is whole");
    }

    async fn up(&self, edition: String) {
        let header = UploadEditionFileHeader {
            name: edition,
            filename: "form.csv".into(),
            sha256: self.sha256.clone(),
            resumable: true,
            size_bytes: i64::try_from(self.chunks * UP).expect("a size"),
            request_id: Uuid::new_v4().to_string(),
            ..Default::default()
        };
        let parts = std::iter::once(Part::Header(header)).chain((0..self.chunks).map(|at| Part::Chunk(chunk(at))));
        let messages = parts.map(|part| UploadEditionFileRequest { part: Some(part) });
        let mut registry = self.registry.clone();
        let uploaded = registry.upload_edition_file(futures::stream::iter(messages)).await;
        uploaded.expect("it is taken");
    }

    async fn down(&self, edition: String) -> usize {
        let request = DownloadEditionFileRequest {
            name: edition,
            ..Default::default()
        };
        let begun = self.registry.clone().download_edition_file(request).await;
        let sizes = begun
            .expect("it begins")
            .into_inner()
            .map(|message| match message.expect("it goes on").part {
                Some(download_edition_file_response::Part::Chunk(chunk)) => chunk.len(),
                _ => 0,
            });
        sizes.fold(0, async |whole, size| whole + size).await
    }

    async fn grpc(&self) -> tonic::client::Grpc<Channel> {
        let mut client = tonic::client::Grpc::new(self.bare_channel.clone());
        client.ready().await.expect("it runs");
        client
    }

    async fn bare_up(&self) {
        let messages = futures::stream::iter((0..self.chunks).map(|at| Bytes::from(chunk(at))));
        let (path, codec) = (path("Up"), ProstCodec::<Bytes, Bytes>::default());
        let request = Request::new(messages);
        let taken = self.grpc().await.client_streaming(request, path, codec).await;
        taken.expect("it is taken");
    }

    async fn bare_down(&self) -> usize {
        let (path, codec) = (path("Down"), ProstCodec::<Bytes, Bytes>::default());
        let request = Request::new(Bytes::new());
        let begun = self.grpc().await.server_streaming(request, path, codec).await;
        let stream = begun.expect("it begins").into_inner();
        stream
            .fold(0, async |whole, bytes| whole + bytes.expect("it goes on").len())
            .await
    }
}

/// The most memory that a process had since its mark was reset.
struct Memory {
    process: u32,
    before: f64,
}

impl Memory {
    fn marked(process: u32) -> Self {
        std::fs::write(format!("/proc/{process}/clear_refs"), "5").expect("the mark is reset");
        let before = Self::peak(process);
        Self { process, before }
    }

    fn growth(&self) -> f64 {
        Self::peak(self.process) - self.before
    }

    /// In MiB.
    fn peak(process: u32) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("Linux tells");
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
        kib.expect("it is told") / 1024.0
    }
}

fn path(method: &str) -> http::uri::PathAndQuery {
    format!("/legalstat.bench.Bare/{method}").parse().expect("a path")
}

/// Serves until standard input ends, by tonic's own server.
async fn serve(certificates: &Path, folder: &Path) -> ExitCode {
    let read = |name: &str| std::fs::read(certificates.join(name)).expect("it is there");
    let identity = Identity::from_pem(read("calendar.pem"), read("calendar.key"));
    let address = ([127, 0, 0, 1], 0).into();
    let incoming = TcpIncoming::bind(address)
        .expect("a free port")
        .with_nodelay(Some(true));
    let port = incoming.local_addr().expect("it is bound").port();
    let (end, ended) = tokio::sync::oneshot::channel();
    let mut server = Server::builder()
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .tls_config(ServerTlsConfig::new().identity(identity))
        .expect("the certificate can be used");
    let service = BareService {
        folder: folder.to_owned(),
        written: Arc::default(),
    };
    let serving = server
        .add_service(service)
        .serve_with_incoming_shutdown(incoming, async {
            ended.await.ok();
        });
    beside::serving(port, move || {
        end.send(()).ok();
    });
    serving.await.expect("it serves");
    ExitCode::SUCCESS
}

/// Hashes and writes what comes, and reads it again; nothing else.
#[derive(Clone)]
struct BareService {
    folder: PathBuf,
    /// How many files were written: each has a place of its own, as in the system.
    written: Arc<AtomicUsize>,
}

impl BareService {
    fn file(&self, number: usize) -> PathBuf {
        self.folder.join(format!("bare-{number}"))
    }
}

impl NamedService for BareService {
    const NAME: &'static str = "legalstat.bench.Bare";
}

impl ClientStreamingService<Bytes> for BareService {
    type Response = Bytes;
    type Future = BoxFuture<Response<Bytes>, Status>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let path = self.file(self.written.fetch_add(1, Ordering::Relaxed) + 1);
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
        let path = self.file(self.written.load(Ordering::Relaxed));
        Box::pin(async move {
            let file = tokio::fs::File::open(path).await?;
            Ok(Response::new(pieces(file).boxed()))
        })
    }
}

fn pieces(file: tokio::fs::File) -> impl Stream<Item = Result<Bytes, Status>> {
    futures::stream::unfold(file, async |mut file| {
        let mut bytes = vec![0; DOWN];
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
