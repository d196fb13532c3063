//! What the protocol says about headers and messages that cannot be read.

use std::io::Write as _;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::BoxBody};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use legalstat_proto::calendar::v1::WithdrawCalendarActRequest;
use prost::Message;
use tonic::{Code, Status, body::Body, transport::Channel};
use tonic_reflection::pb::v1alpha::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use tonic_types::StatusExt as _;
use tower::ServiceExt as _;

use super::{
    authority::{Signed, WATCHER, Wanted},
    stage::{Stage, a_day},
    wire,
};

const GET_DAY: &str = "/legalstat.calendar.v1.CalendarService/GetDay";
const COMPUTE_DEADLINE: &str = "/legalstat.calendar.v1.CalendarService/ComputeDeadline";
const WITHDRAW: &str = "/legalstat.calendar.v1.CalendarService/WithdrawCalendarAct";
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/// The code and the reason of a refusal.
pub fn told(status: &Status) -> (Code, String) {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone());
    (status.code(), reason.unwrap_or_default())
}

/// Makes a call with these headers and these bytes as its body; the headers of the answer, or its refusal.
pub async fn answer(
    channel: Channel,
    path: &str,
    headers: &[(&'static str, &str)],
    body: Vec<u8>,
) -> Result<http::HeaderMap, Status> {
    let mut request = http::Request::post(format!("https://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::new(Full::from(body))).expect("a request");
    let response = channel.oneshot(request).await.expect("the line is there");
    match Status::from_header_map(response.headers()) {
        Some(status) => Err(status),
        None => Ok(response.headers().clone()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_cannot_be_read_is_refused() {
    let stage = Stage::start(&[]).await;
    let message = || wire::message(&a_day().encode_to_vec());
    let refusal = (Code::InvalidArgument, "ERROR_REASON_TIMEOUT_UNREADABLE".to_owned());
    for timeout in ["x", "", "1", "S", "1.5S", "-1S", "123456789m", "1s", " 1S S"] {
        let refused = answer(stage.channel(None), GET_DAY, &[("grpc-timeout", timeout)], message()).await;
        assert_eq!(told(&refused.expect_err(timeout)), refusal, "{timeout:?}");
    }
    let twice = [("grpc-timeout", "1S"), ("grpc-timeout", "1H")];
    let refused = answer(stage.channel(None), GET_DAY, &twice, message()).await;
    assert_eq!(told(&refused.expect_err("which one counts?")), refusal);
    let given = answer(stage.channel(None), GET_DAY, &[("grpc-timeout", "60S")], message()).await;
    given.expect("this is a deadline");
    stage.stop().await;
}

/// A body of a call by hand.
type Part = BoxBody<Bytes, Status>;

/// A message that never comes.
fn never() -> Part {
    StreamBody::new(tokio_stream::pending()).boxed()
}

fn whole(message: &impl Message) -> Part {
    let whole = Full::from(wire::message(&message.encode_to_vec()));
    whole.map_err(|never| match never {}).boxed()
}

fn post(path: &str, timeout: &str, body: Part) -> http::Request<Part> {
    http::Request::post(format!("https://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", timeout)
        .body(body)
        .expect("a request")
}

/// A client that neither ends a call by its own clock nor waits until it has all of the message, on a line of its own.
async fn client(stage: &Stage, signed: Option<&Signed>) -> http2::SendRequest<Part> {
    let line = TokioIo::new(stage.line_of(signed).await);
    let (client, connection) = http2::handshake(TokioExecutor::new(), line)
        .await
        .expect("it is HTTP/2");
    tokio::spawn(connection);
    client
}

/// What is answered without a message.
async fn refused(client: &mut http2::SendRequest<Part>, request: http::Request<Part>) -> (Code, String) {
    let response = client.send_request(request).await.expect("it is answered");
    told(&Status::from_header_map(response.headers()).expect("it is refused"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_of_a_millisecond_is_answered_as_any_that_has_passed() {
    let stage = Stage::start(&[]).await;
    let mut client = client(&stage, None).await;
    let refused = refused(&mut client, post(GET_DAY, "1m", never())).await;
    assert_eq!(
        refused,
        (Code::DeadlineExceeded, "ERROR_REASON_DEADLINE_EXCEEDED".to_owned())
    );
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_before_his_message_is_refused_nothing() {
    const HERS: &[&str] = &["legalstat://somebody?role=administrator"];
    let stage = Stage::start(&[]).await;
    let hers = stage.authority.sign(Wanted { uris: HERS, ..WATCHER });
    let mut client = client(&stage, Some(&hers)).await;
    for _ in 0..20 {
        let call = client.send_request(post(WITHDRAW, "60S", never()));
        let call = tokio::spawn(call);
        // The service reads in order: it has the call, and then that the call has ended.
        heard(&mut client).await;
        call.abort();
        heard(&mut client).await;
    }
    let nothing = WithdrawCalendarActRequest::default();
    let refused = refused(&mut client, post(WITHDRAW, "60S", whole(&nothing))).await;
    assert_eq!(refused.1, "ERROR_REASON_INVALID_FIELDS");
    // Entries are written in order, and this one is.
    assert_eq!(stage.refusals().await, 1);
    stage.stop().await;
}

async fn heard(client: &mut http2::SendRequest<Part>) {
    for _ in 0..2 {
        let answer = client.send_request(post(GET_DAY, "60S", whole(&a_day())));
        let answer = answer.await.expect("it is answered");
        let answer = answer.into_body().collect().await;
        answer.expect("it is a day");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gzip_is_read_and_another_compression_is_answered_with_those_that_are_known() {
    let stage = Stage::start(&[]).await;
    let signed = stage.authority.sign(WATCHER);
    let known = || stage.channel(Some(&signed));
    let message = wire_gzip(&a_day().encode_to_vec());
    let read = answer(known(), GET_DAY, &[("grpc-encoding", "gzip")], message.clone()).await;
    read.expect("gzip is read");
    // This method has a codec of its own.
    let empty = wire_gzip(&[]);
    let refused = answer(known(), COMPUTE_DEADLINE, &[("grpc-encoding", "gzip")], empty).await;
    let (_, reason) = told(&refused.expect_err("it asks nothing"));
    assert_eq!(reason, "ERROR_REASON_INVALID_FIELDS", "it was read");

    let refused = answer(known(), GET_DAY, &[("grpc-encoding", "br")], message.clone()).await;
    let refused = refused.expect_err("it is not known here");
    let expected = (Code::Unimplemented, "ERROR_REASON_COMPRESSION_UNKNOWN".to_owned());
    assert_eq!(told(&refused), expected);
    let encodings = refused
        .metadata()
        .get("grpc-accept-encoding")
        .and_then(|known| known.to_str().ok());
    assert!(encodings.is_some_and(|known| known.contains("gzip")), "{encodings:?}");

    let unreadable = (Code::InvalidArgument, "ERROR_REASON_MESSAGE_UNREADABLE".to_owned());
    let refused = answer(
        known(),
        GET_DAY,
        &[("grpc-encoding", "gzip")],
        wire_flagged(b"not gzip"),
    )
    .await;
    assert_eq!(told(&refused.expect_err("it is no gzip")), unreadable);
    let refused = answer(known(), GET_DAY, &[], message).await;
    assert_eq!(told(&refused.expect_err("no compression was named")), unreadable);
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_compresses_nothing() {
    let stage = Stage::start(&[]).await;
    let day = a_day().encode_to_vec();
    for (path, encoding) in [(GET_DAY, "gzip"), (GET_DAY, "br"), (REFLECTION, "gzip")] {
        let headers = [("grpc-encoding", encoding)];
        let refused = answer(stage.channel(None), path, &headers, wire_gzip(&day)).await;
        let refused = refused.expect_err("it is not inflated");
        let expected = (Code::Unimplemented, "ERROR_REASON_COMPRESSION_UNKNOWN".to_owned());
        assert_eq!(told(&refused), expected, "{path} {encoding}");
        let read = refused.metadata().get("grpc-accept-encoding");
        assert_eq!(read.and_then(|read| read.to_str().ok()), Some("identity"));
    }
    let headers = [("grpc-encoding", "identity")];
    let read = answer(stage.channel(None), GET_DAY, &headers, wire::message(&day)).await;
    read.expect("it is not compressed");
    stage.stop().await;
}

fn wire_gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("it is compressed");
    wire_flagged(&encoder.finish().expect("it is compressed"))
}

fn wire_flagged(bytes: &[u8]) -> Vec<u8> {
    let mut message = wire::message(bytes);
    message[0] = 1;
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn older_tools_read_the_contracts_too() {
    let stage = Stage::start(&[]).await;
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(stage.channel(None));
    let answers = client.server_reflection_info(tokio_stream::once(ask)).await;
    let answer = answers.expect("it is served").into_inner().message().await;
    let answer = answer
        .expect("it is answered")
        .and_then(|answer| answer.message_response);
    let Some(MessageResponse::ListServicesResponse(list)) = answer else {
        panic!("the services are listed: {answer:?}")
    };
    let names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    assert!(
        names.contains(&"legalstat.calendar.v1.CalendarService".to_owned()),
        "{names:?}"
    );
    stage.stop().await;
}
