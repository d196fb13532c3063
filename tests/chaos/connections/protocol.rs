//! What the protocol says about headers and messages that cannot be read.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use tonic::{Code, Status, body::Body, transport::Channel};
use tonic_reflection::pb::v1alpha::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use tonic_types::StatusExt as _;
use tower::ServiceExt as _;

use super::{
    authority::WATCHER,
    stage::{Stage, a_day},
    wire,
};

const GET_DAY: &str = "/legalstat.calendar.v1.CalendarService/GetDay";
const COMPUTE_DEADLINE: &str = "/legalstat.calendar.v1.CalendarService/ComputeDeadline";
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
    let given = answer(stage.channel(None), GET_DAY, &[("grpc-timeout", "10S")], message()).await;
    given.expect("this is a deadline");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_of_a_millisecond_is_answered_as_any_that_has_passed() {
    let stage = Stage::start(&[]).await;
    // tonic's client would end the call by its own clock.
    let line = TokioIo::new(stage.line().await);
    let (mut client, connection) = http2::handshake(TokioExecutor::new(), line)
        .await
        .expect("it is HTTP/2");
    tokio::spawn(connection);
    let request = http::Request::post(format!("https://localhost{GET_DAY}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", "1m")
        // Its message never comes.
        .body(StreamBody::new(tokio_stream::pending::<Result<hyper::body::Frame<&[u8]>, Status>>()).boxed())
        .expect("a request");
    let response = client.send_request(request).await.expect("it is answered");
    let refused = Status::from_header_map(response.headers()).expect("it is refused");
    let expected = (Code::DeadlineExceeded, "ERROR_REASON_DEADLINE_EXCEEDED".to_owned());
    assert_eq!(told(&refused), expected);
    stage.stop().await;
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
