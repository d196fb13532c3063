//! The page of metrics that Prometheus fetches from the health port. It speaks HTTP/1.1, and who asks for health HTTP/2; so the first
//! byte tells them apart.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::call::telemetry;

/// How long a fetch may take in all. Prometheus itself waits as long.
const WHOLE: Duration = Duration::from_secs(10);
/// How many bytes a request may have.
const REQUEST: usize = 16 * 1024;

/// Whether the peer fetches something: it says GET, which HTTP/2 never begins with. Waits for its first byte and leaves it there.
pub(crate) async fn is_fetch(stream: &TcpStream) -> bool {
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1)) && first == *b"G"
}

/// Answers one request.
pub(crate) async fn answer(stream: TcpStream) {
    let mut connection = http1::Builder::new();
    connection
        .timer(TokioTimer::new())
        .keep_alive(false)
        .max_buf_size(REQUEST);
    let answering = service_fn(async |request| Ok::<_, Infallible>(answered(&request)));
    let served = connection.serve_connection(TokioIo::new(stream), answering);
    match tokio::time::timeout(WHOLE, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a fetch failed"),
        Err(_) => tracing::debug!("a fetch took too long"),
    }
}

fn answered<B>(request: &Request<B>) -> Response<Full<Bytes>> {
    let page = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => telemetry::page(),
        _ => return plain(StatusCode::NOT_FOUND, "there is only /metrics\n".to_owned()),
    };
    page.map_or_else(
        |error| {
            tracing::warn!(%error, "there is no page of metrics");
            plain(StatusCode::SERVICE_UNAVAILABLE, "there are no metrics\n".to_owned())
        },
        |page| plain(StatusCode::OK, page),
    )
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let kind = http::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    /// Both ends of a connection on which the peer has sent this.
    async fn sent(bytes: &[u8]) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut peer = TcpStream::connect(address).await.expect("it listens");
        peer.write_all(bytes).await.expect("the line is there");
        let (own, _) = listener.accept().await.expect("the peer is there");
        (own, peer)
    }

    async fn heard(request: &[u8]) -> String {
        let (own, mut peer) = sent(request).await;
        assert!(is_fetch(&own).await);
        answer(own).await;
        let mut text = String::new();
        peer.read_to_string(&mut text).await.expect("it ends");
        text
    }

    #[tokio::test]
    async fn who_fetches_is_told_from_who_asks_for_health() {
        let (health, _peer) = sent(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        assert!(!is_fetch(&health).await);
        let (nobody, peer) = sent(b"").await;
        drop(peer);
        assert!(!is_fetch(&nobody).await);
    }

    #[tokio::test]
    async fn there_is_no_other_page_and_none_of_a_process_that_measures_nothing() {
        let other = heard(b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(other.starts_with("HTTP/1.1 404 "), "{other}");
        let nothing = heard(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(nothing.starts_with("HTTP/1.1 503 "), "{nothing}");
    }
}
