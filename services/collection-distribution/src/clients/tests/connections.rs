//! Connections that do not come about, and those that are kept.

use std::net::Ipv4Addr;

use legalstat_local::port::KeptPort;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

use super::{
    servers::{Inbox, Server, shows},
    *,
};

const HASTY: Limits = Limits {
    connect: Duration::from_millis(300),
    ..LIMITS
};

#[tokio::test]
async fn a_port_where_nobody_listens_is_unreachable() {
    let port = KeptPort::take().expect("a port");
    let failure = Ground::new().failure(&court(port.number())).await;
    assert_outcome(&failure, Outcome::Unreachable, "no connection came about");
}

#[tokio::test]
async fn a_host_without_an_address_is_unreachable() {
    let nowhere = Destination {
        endpoint: "https://court.invalid".into(),
        certificate_name: COURT.into(),
    };
    let failure = Ground::new().failure(&nowhere).await;
    assert_eq!(failure.outcome, Outcome::Unreachable, "{failure:?}");
}

#[tokio::test]
async fn a_server_whose_port_takes_no_connection_is_unreachable() {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
    let listener = socket.listen(1).expect("it listens");
    let address = listener.local_addr().expect("it is bound");
    // Nobody takes these; with them the queue is full.
    let mut queue = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await {
        queue.push(stream);
    }
    let failure = Ground::within(HASTY).failure(&court(address.port())).await;
    assert_outcome(&failure, Outcome::Unreachable, "does not answer to a connection");
}

#[tokio::test]
async fn a_server_that_does_not_go_on_with_the_handshake_is_unreachable() {
    let server = Server::plain(|stream| async move {
        let _held = stream;
        std::future::pending().await
    })
    .await;
    let failure = Ground::within(HASTY).failure(&court(server.port)).await;
    assert_outcome(&failure, Outcome::Unreachable, "does not go on with the TLS handshake");
}

#[tokio::test]
async fn a_server_that_closes_in_the_handshake_is_unreachable() {
    let server = Server::plain(|mut stream| async move {
        stream.read_u8().await.ok();
    })
    .await;
    let failure = Ground::new().failure(&court(server.port)).await;
    assert_outcome(&failure, Outcome::Unreachable, "TLS handshake");
}

#[tokio::test]
async fn a_server_without_tls_answers_unreadably() {
    let server = Server::plain(|mut stream| async move {
        let answer = b"HTTP/1.1 400 Bad Request\r\n\r\nplain HTTP only";
        stream.read_u8().await.ok();
        stream.write_all(answer).await.ok();
        stream.read_to_end(&mut Vec::new()).await.ok();
    })
    .await;
    let failure = Ground::new().failure(&court(server.port)).await;
    assert_outcome(&failure, Outcome::UnreadableAnswer, "does not speak TLS");
}

#[tokio::test]
async fn a_server_without_http2_answers_unreadably() {
    let ground = Ground::new();
    for protocols in [vec![], vec![b"http/1.1".to_vec()]] {
        let mut config = shows(&ground.identity(COURT));
        config.alpn_protocols = protocols;
        let server = Server::inbox(config, Inbox::honest()).await;
        let failure = ground.failure(&court(server.port)).await;
        assert_outcome(&failure, Outcome::UnreadableAnswer, "does not speak HTTP/2");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_none_is_told_so() {
    let ground = Ground::new();
    for endpoint in ["", "http://localhost:1", "localhost", "https://", "https://127.1:1"] {
        let nowhere = Destination {
            endpoint: endpoint.into(),
            certificate_name: COURT.into(),
        };
        let failure = ground.failure(&nowhere).await;
        assert_eq!(failure.outcome, Outcome::NoEndpoint, "{endpoint}: {failure:?}");
    }
}

async fn deliver_all(ground: &Ground, server: &Server, number: usize) {
    for _ in 0..number {
        let small = parcel(vec![ground.store(b"small")]);
        ground
            .deliver(&court(server.port), small)
            .await
            .expect("it is delivered");
    }
}

#[tokio::test]
async fn copies_one_after_the_other_go_over_one_connection() {
    let ground = Ground::new();
    let server = Server::inbox(shows(&ground.identity(COURT)), Inbox::honest()).await;
    deliver_all(&ground, &server, 5).await;
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn a_connection_is_not_used_for_longer_than_certificates_may_stay_unlooked_at() {
    let ground = Ground::within(Limits {
        age: Duration::ZERO,
        ..LIMITS
    });
    let server = Server::inbox(shows(&ground.identity(COURT)), Inbox::honest()).await;
    deliver_all(&ground, &server, 3).await;
    assert_eq!(server.accepted(), 3);
}

#[tokio::test]
async fn a_connection_that_ended_while_it_waited_is_replaced_within_the_attempt() {
    let ground = Ground::new();
    let server = Server::inbox(shows(&ground.identity(COURT)), Inbox::honest()).await;
    for accepted in 1..5 {
        deliver_all(&ground, &server, 1).await;
        assert_eq!(server.accepted(), accepted);
        server.cut().await;
    }
}

#[tokio::test]
async fn no_more_connections_wait_than_may() {
    let ground = Ground::new();
    let server = Server::inbox(shows(&ground.identity(COURT)), Inbox::honest()).await;
    let all = (0..lines::MOST + 6).map(|_| deliver_all(&ground, &server, 1));
    futures::future::join_all(all).await;
    assert!(ground.inboxes.waiting() <= lines::MOST, "{}", ground.inboxes.waiting());
    assert!(ground.inboxes.waiting() > 0);
}
