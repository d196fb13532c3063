//! Calls described by the contracts' descriptors, so that every method is called the same way; responses are proto3 JSON.

use std::{io::Read, path::Path, time::Duration};

use anyhow::Context as _;
use bytes::{Buf, BufMut};
use futures::{Stream, StreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use legalstat_kit::call::client;
use legalstat_proto::forms::v1::{
    ImportObservationsHeader, ImportObservationsRequest, ObservationRow, ObservationRows,
    form_registry_service_client::FormRegistryServiceClient, import_observations_request::Part,
};
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{io::AsyncReadExt, time::Instant};
use tonic::{
    Request, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_client::HealthClient};

use crate::{
    failure::Failure,
    message::{self, to_json},
    output,
    place::Place,
    tls::Line,
};

mod transfer;

/// How much of a file goes into one message of an upload.
const CHUNK: usize = 256 * 1024;
/// How many rows of figures go into one message.
const ROWS: usize = 5000;

/// How long a call is repeated before a person is told what is waited for.
const IN_SILENCE: Duration = Duration::from_secs(2);
/// How much longer than its timeout a call is waited for, so that the service's own answer to it comes first.
const GRACE: Duration = Duration::from_secs(1);

/// The descriptor of a method, `legalstat.calendar.v1.CalendarService/GetDay`.
///
/// # Panics
/// When the contracts have no such method: the commands name only methods that exist, as a test proves.
pub(crate) fn method(name: &str) -> MethodDescriptor {
    let (service, method) = name.split_once('/').expect("commands name methods as service/method");
    let service = legalstat_proto::descriptors()
        .get_service_by_name(service)
        .expect("commands name services that exist");
    service
        .methods()
        .find(|candidate| candidate.name() == method)
        .expect("commands name methods that exist")
}

/// The message type of the first message of an upload's stream.
pub(crate) fn header(upload: &str) -> MessageDescriptor {
    message::held_by(&method(upload).input(), "header")
}

/// A connection to one service.
#[derive(Clone)]
pub(crate) struct Connection {
    channel: Channel,
    line: Line,
    timeout: Duration,
    /// Where the certificate is from, when nobody was named whose it should be.
    unnamed: Option<Place>,
}

impl Connection {
    /// A connection over a channel; `line` says what is wrong when no call comes through.
    pub(crate) fn new(channel: Channel, line: Line, timeout: Duration) -> Self {
        Self {
            channel,
            line,
            timeout,
            unnamed: None,
        }
    }

    /// The same with the certificate that a place shows where nobody is named: it is for the methods that its holder may call.
    pub(crate) fn unnamed(self, place: Place) -> Self {
        let unnamed = Some(place);
        Self { unnamed, ..self }
    }

    /// Asks whether the service of this full name serves; the headers of the answer tell its release and its time.
    pub(crate) async fn health(&self, service: &str) -> Result<tonic::Response<HealthCheckResponse>, Failure> {
        let service = service.to_owned();
        let mut client = HealthClient::new(self.channel.clone());
        let asked = client.check(self.request(HealthCheckRequest { service }));
        let answer = match tokio::time::timeout(self.timeout + GRACE, asked).await {
            Ok(answer) => answer.map_err(Failure::from),
            Err(_) => Err(self.no_answer()),
        };
        self.explained(answer).await
    }

    /// The way to the service.
    pub(crate) fn line(&self) -> &Line {
        &self.line
    }

    fn no_answer(&self) -> Failure {
        Failure::Unreachable(format!("no answer within {:?}", self.timeout))
    }

    /// Calls a unary method with a request that the program made.
    pub(crate) async fn call(&self, name: &str, request: &Value) -> Result<Value, Failure> {
        self.send(name, &message::of(&method(name).input(), request)?).await
    }

    /// Calls a unary method.
    pub(crate) async fn send(&self, name: &str, request: &DynamicMessage) -> Result<Value, Failure> {
        self.patiently(async || self.send_once(name, request).await).await
    }

    /// Repeats a call while the service says when to try again, as long as the timeout allows. A mutation keeps its
    /// request_id, so it is carried out once.
    async fn patiently<T>(&self, call: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Failure> {
        let deadline = Instant::now() + self.timeout;
        let mut telling = Some(Instant::now() + IN_SILENCE);
        loop {
            // The call's own deadline starts with its connection; a peer that never finishes the handshake has none.
            let answer = tokio::time::timeout_at(deadline + GRACE, call()).await;
            let result = answer.unwrap_or_else(|_| Err(self.no_answer()));
            let pause = result.as_ref().err().and_then(Failure::retry_after);
            match pause.filter(|pause| Instant::now() + *pause < deadline) {
                Some(pause) => {
                    if telling.take_if(|at| Instant::now() + pause > *at).is_some() {
                        let left = deadline.duration_since(Instant::now()).as_secs();
                        let why = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
                        let why = why.lines().next().unwrap_or_default();
                        output::tell(&format!("waiting for {}, up to {left} s more; {why}", self.line.url));
                    }
                    tokio::time::sleep(pause).await;
                }
                None => return self.explained(result).await,
            }
        }
    }

    /// A call that did not come through for a certificate says so.
    async fn explained<T>(&self, result: Result<T, Failure>) -> Result<T, Failure> {
        match result {
            Err(failure @ Failure::Unreachable(_)) => match self.line.fault(self.timeout).await {
                Some(told) => Err(Failure::Certificate(told)),
                None => Err(failure),
            },
            result => result,
        }
    }

    async fn send_once(&self, name: &str, request: &DynamicMessage) -> Result<Value, Failure> {
        let method = method(name);
        let request = self.request(request.clone());
        let mut client = self.ready(&method).await?;
        let response = client.unary(request, path(&method), Dynamic(method.output())).await?;
        Ok(to_json(response.get_ref())?)
    }

    /// Calls a List method for all its pages, or for one when the request asks for a page.
    pub(crate) async fn list(&self, name: &str, request: &Value) -> Result<Value, Failure> {
        let mut whole = self.call(name, request).await?;
        if request.get("pageSize").or(request.get("pageToken")).is_some() {
            return Ok(whole);
        }
        let mut request = request.clone();
        while let Some(token) = whole["nextPageToken"].as_str().filter(|token| !token.is_empty()) {
            request["pageToken"] = json!(token);
            let mut next = self.call(name, &request).await?;
            whole["nextPageToken"] = next["nextPageToken"].take();
            append(&mut whole, &mut next);
        }
        Ok(whole)
    }

    /// Uploads a file: first `header`, then the content.
    pub(crate) async fn upload(&self, name: &str, header: &DynamicMessage, file: &Path) -> Result<Value, Failure> {
        self.patiently(async || self.upload_once(name, header, file).await)
            .await
    }

    async fn upload_once(&self, name: &str, header: &DynamicMessage, file: &Path) -> Result<Value, Failure> {
        let method = method(name);
        if file.is_dir() {
            return Err(Failure::usage(format!("{} is a folder", file.display())));
        }
        let mut first = DynamicMessage::new(method.input());
        let header = prost_reflect::Value::Message(with_digest(header, file)?);
        first.set_field_by_name("header", header);
        let opened = tokio::fs::File::open(file).await;
        let opened = opened.map_err(|error| unreadable(file, &error))?;
        let chunk_field = method
            .input()
            .get_field_by_name("chunk")
            .context("an upload has chunks")?;
        let chunks = futures::stream::unfold(opened, |mut file| async move {
            let mut bytes = vec![0; CHUNK];
            let read = file.read(&mut bytes).await.ok().filter(|read| *read > 0)?;
            bytes.truncate(read);
            Some((bytes, file))
        });
        let input = method.input();
        let chunks = chunks.map(move |bytes| {
            let mut message = DynamicMessage::new(input.clone());
            message.set_field(&chunk_field, prost_reflect::Value::Bytes(bytes.into()));
            message
        });
        let requests = futures::stream::once(async { first }).chain(chunks);
        let mut client = self.ready(&method).await?;
        let response = client
            .client_streaming(self.request(requests), path(&method), Dynamic(method.output()))
            .await?;
        Ok(to_json(response.get_ref())?)
    }

    /// Imports figures, and shows on a terminal how many of the rows are sent.
    pub(crate) async fn import(
        &self,
        name: &str,
        header: &ImportObservationsHeader,
        rows: &[ObservationRow],
    ) -> Result<Value, Failure> {
        self.patiently(async || self.import_once(name, header, rows).await)
            .await
    }

    async fn import_once(
        &self,
        name: &str,
        header: &ImportObservationsHeader,
        rows: &[ObservationRow],
    ) -> Result<Value, Failure> {
        let part = |part| ImportObservationsRequest { part: Some(part) };
        let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} rows, {elapsed}");
        let sent =
            ProgressBar::new(rows.len() as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let header = futures::stream::iter([part(Part::Header(header.clone()))]);
        let (rows, counted) = (rows.to_vec(), sent.clone());
        let places = (0..rows.len()).step_by(ROWS);
        let batches = futures::stream::iter(places).map(move |place| {
            let rows = rows[place..rows.len().min(place + ROWS)].to_vec();
            counted.inc(rows.len() as u64);
            part(Part::Rows(ObservationRows { rows }))
        });
        self.require_named(&method(name))?;
        let mut client = FormRegistryServiceClient::new(self.channel.clone());
        let answer = client.import_observations(self.request(header.chain(batches))).await;
        sent.finish_and_clear();
        let answer = answer?.into_inner().encode_to_vec();
        let answer =
            DynamicMessage::decode(method(name).output(), answer.as_slice()).context("the answer cannot be read")?;
        Ok(to_json(&answer)?)
    }

    /// Downloads a file: the description as JSON, and the content.
    pub(crate) async fn download(&self, name: &str, request: &Value) -> Result<(Value, Vec<u8>), Failure> {
        self.patiently(async || self.download_once(name, request).await).await
    }

    async fn download_once(&self, name: &str, request: &Value) -> Result<(Value, Vec<u8>), Failure> {
        let method = method(name);
        let request = self.request(message::of(&method.input(), request)?);
        let mut client = self.ready(&method).await?;
        let responses = client
            .server_streaming(request, path(&method), Dynamic(method.output()))
            .await?
            .into_inner();
        collect(responses).await
    }

    /// Watches a feed, for as long as it lasts.
    pub(crate) async fn watch(
        &self,
        name: &str,
        request: &Value,
    ) -> Result<impl Stream<Item = Result<Value, Failure>> + use<>, Failure> {
        self.explained(self.watch_once(name, request).await).await
    }

    async fn watch_once(
        &self,
        name: &str,
        request: &Value,
    ) -> Result<impl Stream<Item = Result<Value, Failure>> + use<>, Failure> {
        let method = method(name);
        let request = Request::new(message::of(&method.input(), request)?);
        let began = async {
            let mut client = self.ready(&method).await?;
            let path = path(&method);
            Ok::<_, Failure>(client.server_streaming(request, path, Dynamic(method.output())).await?)
        };
        let began = tokio::time::timeout(self.timeout, began).await;
        let began = began.map_err(|_| Failure::Unreachable(format!("no answer within {:?}", self.timeout)))??;
        Ok(began.into_inner().map(|message| Ok(to_json(&message?)?)))
    }

    /// Refuses a method that another than the holder of the certificate has to call, when nobody was named.
    fn require_named(&self, method: &MethodDescriptor) -> Result<(), Failure> {
        let unnamed = self.unnamed.as_ref();
        unnamed.map_or(Ok(()), |place| place.require_named(path(method).path()))
    }

    async fn ready(&self, method: &MethodDescriptor) -> Result<tonic::client::Grpc<Channel>, Failure> {
        self.require_named(method)?;
        let mut client = tonic::client::Grpc::new(self.channel.clone()).max_decoding_message_size(64 * 1024 * 1024);
        client.ready().await.map_err(|error| Failure::unreachable(&error))?;
        Ok(client)
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.timeout);
        client::traced(request)
    }
}

/// A header with the content's digest, so that content that could not be read to its end is refused.
fn with_digest(header: &DynamicMessage, file: &Path) -> Result<DynamicMessage, Failure> {
    let mut header = header.clone();
    if message::text(&header, "sha256").is_empty() {
        header.set_field_by_name("sha256", message::string(file_sha256(file)?));
    }
    Ok(header)
}

/// The SHA-256 of a file, in hexadecimal.
pub(crate) fn file_sha256(file: &Path) -> Result<String, Failure> {
    let mut digest = Sha256::new();
    let mut opened = std::fs::File::open(file).map_err(|error| unreadable(file, &error))?;
    let mut bytes = vec![0; CHUNK];
    loop {
        match opened.read(&mut bytes).map_err(|error| unreadable(file, &error))? {
            0 => break,
            read => digest.update(&bytes[..read]),
        }
    }
    Ok(hex::encode(digest.finalize()))
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("cannot read {}: {error}", file.display()))
}

async fn collect(
    mut responses: impl Stream<Item = Result<DynamicMessage, Status>> + Unpin,
) -> Result<(Value, Vec<u8>), Failure> {
    let (mut description, mut content) = (Value::Null, Vec::new());
    while let Some(message) = responses.next().await {
        let message = message?;
        match message.get_field_by_name("chunk").as_deref() {
            Some(prost_reflect::Value::Bytes(bytes)) if !bytes.is_empty() => content.extend_from_slice(bytes),
            _ => description = to_json(&message)?,
        }
    }
    Ok((description, content))
}

fn append(whole: &mut Value, next: &mut Value) {
    let Some(fields) = whole.as_object_mut() else { return };
    for (name, value) in fields {
        if let (Value::Array(items), Value::Array(more)) = (value, &mut next[name]) {
            items.append(more);
        }
    }
}

fn path(method: &MethodDescriptor) -> http::uri::PathAndQuery {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    path.parse().expect("names of the contracts are valid in a path")
}

/// Encodes and decodes messages by descriptor; holds that of the response.
#[derive(Clone)]
struct Dynamic(MessageDescriptor);

impl Codec for Dynamic {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        self.clone()
    }

    fn decoder(&mut self) -> Self {
        self.clone()
    }
}

impl Encoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message.encode_to_vec().as_slice());
        Ok(())
    }
}

impl Decoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        let message = DynamicMessage::decode(self.0.clone(), bytes);
        message
            .map(Some)
            .map_err(|_| Status::internal("the answer cannot be read"))
    }
}
