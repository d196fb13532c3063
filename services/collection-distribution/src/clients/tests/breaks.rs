//! Connections that break in the middle.

use tokio::io::AsyncReadExt as _;

use super::{
    servers::{Secured, Server, shows},
    *,
};

const LARGE: usize = 4_000_000;

async fn broken<F: Future<Output = ()> + Send + 'static>(serve: fn(Secured) -> F) -> Failure {
    let ground = Ground::new();
    let server = Server::secured(shows(&ground.identity(COURT)), serve).await;
    let large = ground.store(&bytes(LARGE));
    ground.failure_of(&court(server.port), parcel(vec![large])).await
}

#[tokio::test]
async fn a_server_that_closes_in_the_middle_breaks_off() {
    let failure = broken(|mut stream| async move {
        stream.read_exact(&mut [0; 50_000]).await.expect("it comes");
    })
    .await;
    assert_outcome(&failure, Outcome::BrokenOff, "the connection broke");
}

#[tokio::test]
async fn a_server_that_ends_its_side_in_the_middle_breaks_off() {
    let failure = broken(|mut stream| async move {
        stream.read_exact(&mut [0; 50_000]).await.expect("it comes");
        tokio::io::AsyncWriteExt::shutdown(&mut stream)
            .await
            .expect("it is open");
        stream.read_to_end(&mut Vec::new()).await.ok();
    })
    .await;
    assert_outcome(&failure, Outcome::BrokenOff, "the server closed the connection");
}

#[tokio::test]
async fn a_connection_that_is_reset_breaks_off() {
    let failure = broken(|mut stream| async move {
        stream.read_exact(&mut [0; 50_000]).await.expect("it comes");
        stream.get_ref().0.set_zero_linger().expect("it is open");
    })
    .await;
    assert_outcome(&failure, Outcome::BrokenOff, "the connection broke");
}

#[tokio::test]
async fn a_stream_that_is_reset_breaks_off() {
    let failure = broken(|stream| async move {
        let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
        let (_, mut respond) = connection.accept().await.expect("a call").expect("it is sound");
        respond.send_reset(h2::Reason::REFUSED_STREAM);
        while connection.accept().await.is_some() {}
    })
    .await;
    assert_outcome(&failure, Outcome::BrokenOff, "REFUSED_STREAM");
}

#[tokio::test]
async fn a_connection_that_goes_away_breaks_off() {
    let failure = broken(|stream| async move {
        let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
        connection.accept().await.expect("a call").expect("it is sound");
        connection.abrupt_shutdown(h2::Reason::ENHANCE_YOUR_CALM);
        while connection.accept().await.is_some() {}
    })
    .await;
    assert_eq!(failure.outcome, Outcome::BrokenOff, "{failure:?}");
}
