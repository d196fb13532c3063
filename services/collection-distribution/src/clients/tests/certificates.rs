//! Who the server is, and who this system is.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use legalstat_local::authority::Usage;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, SanType, date_time_ymd};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use rustls::{RootCertStore, server::WebPkiClientVerifier};
use tokio::io::AsyncReadExt as _;

use super::{
    servers::{Inbox, Server, shows, shows_pem},
    *,
};

#[tokio::test]
async fn a_copy_goes_to_the_server_whose_certificate_names_the_recipient() {
    let (ground, inbox) = (Ground::new(), Inbox::honest());
    let server = Server::inbox(shows(&ground.identity(COURT)), inbox.clone()).await;
    let (one, two) = (bytes(300_000), bytes(77));
    let parcel = parcel(vec![ground.store(&one), ground.store(&two)]);
    let (copy, files) = (parcel.copy.clone(), parcel.files.clone());
    let answer = ground.deliver(&court(server.port), parcel).await;
    assert!(matches!(answer, Ok(Answer::Receipt(receipt)) if receipt.confirmed_by == "the clerk"));
    assert!(inbox.seen.stored() == [one, two].concat());
    let header = inbox.seen.headers.lock().expect("no code panics")[0].clone();
    assert_eq!((header.copy, header.files), (Some(copy), files));
    assert_eq!(
        (header.delivery_id, header.offset, header.attempt),
        (ID.to_string(), 0, 1)
    );
    assert_eq!(inbox.seen.asked(), 0);
}

/// Delivers to a server that shows this, which must not get a byte.
async fn refused(ground: &Ground, config: rustls::ServerConfig, words: &str) {
    let got = shared(AtomicUsize::new(0));
    let (counted, (ended, mut all)) = (got.clone(), tokio::sync::mpsc::unbounded_channel());
    let server = Server::secured(config, move |mut stream| {
        let (counted, ended) = (counted.clone(), ended.clone());
        async move {
            let mut space = [0; 1024];
            while let Ok(1..) = stream.read(&mut space).await {
                counted.fetch_add(1, SeqCst);
            }
            ended.send(()).ok();
        }
    })
    .await;
    let failure = ground.failure(&court(server.port)).await;
    assert_outcome(&failure, Outcome::CertificateRefused, words);
    // Where the handshake fails already, nobody is served.
    if !words.contains("cannot be used") {
        all.recv().await.expect("the connection ends");
    }
    assert_eq!(got.load(SeqCst), 0);
}

#[tokio::test]
async fn a_server_with_anothers_certificate_gets_not_one_byte() {
    let ground = Ground::new();
    let other = shows(&ground.identity("ministry-of-finance"));
    refused(&ground, other, "not supreme-court's: ministry-of-finance").await;
}

#[tokio::test]
async fn a_certificate_that_an_unknown_authority_made_is_refused() {
    let (ground, foreign) = (Ground::new(), Ground::new());
    refused(
        &ground,
        shows(&foreign.identity(COURT)),
        "cannot be used: no trusted authority",
    )
    .await;
}

#[tokio::test]
async fn a_revoked_certificate_is_refused() {
    let ground = Ground::new();
    let config = shows(&ground.identity(COURT));
    ground.authority.revoke(COURT).expect("it has one");
    refused(&ground, config, "cannot be used: its authority has revoked it").await;
}

/// A certificate that the ground's authority signs, however strange.
fn made(ground: &Ground, host: &str, uri: Option<&str>, last_year: i32) -> rustls::ServerConfig {
    let key = std::fs::read_to_string(ground.folder.path().join("authority/ca.key")).expect("it is there");
    let mut authority = CertificateParams::default();
    let name = &mut authority.distinguished_name;
    name.push(DnType::CommonName, "legalstat private authority");
    let issuer = Issuer::new(authority, KeyPair::from_pem(&key).expect("a key"));
    let mut parameters = CertificateParams::new(vec![host.to_owned()]).expect("a host");
    let uri = uri.map(|uri| SanType::URI(uri.try_into().expect("ASCII")));
    parameters.subject_alt_names.extend(uri);
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(last_year, 1, 1);
    let key = KeyPair::generate().expect("it is made");
    let made = parameters.signed_by(&key, &issuer).expect("it is signed");
    shows_pem(made.pem().as_bytes(), key.serialize_pem().as_bytes())
}

const URI: &str = "legalstat://supreme-court?role=recipient";

#[tokio::test]
async fn a_certificate_that_another_party_could_make_up_is_taken_only_where_all_is_right() {
    let (ground, inbox) = (Ground::new(), Inbox::honest());
    let server = Server::inbox(made(&ground, "localhost", Some(URI), 2200), inbox).await;
    let answer = ground
        .deliver(&court(server.port), parcel(vec![ground.store(b"x")]))
        .await;
    answer.expect("nothing is wrong with it");
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let ground = Ground::new();
    refused(
        &ground,
        made(&ground, "localhost", Some(URI), 2021),
        "cannot be used: it has expired",
    )
    .await;
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let ground = Ground::new();
    let config = made(&ground, "court.example", Some(URI), 2200);
    refused(&ground, config, "cannot be used: it is not for the endpoint's host").await;
}

#[tokio::test]
async fn a_certificate_without_a_name_is_refused() {
    let ground = Ground::new();
    refused(&ground, made(&ground, "localhost", None, 2200), "it has no SAN URI").await;
}

/// What a server shows that takes certificates of another authority alone.
fn takes_others(ground: &Ground, foreign: &Ground) -> rustls::ServerConfig {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(&read(&foreign.authority.certificate_path()));
    roots.add(authority.expect("a certificate")).expect("it is one");
    let provider = shared(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(shared(roots), provider.clone());
    let identity = ground.identity(COURT);
    let chain = CertificateDer::pem_file_iter(&identity.certificate_path).expect("it is there");
    let key = rustls::pki_types::PrivateKeyDer::from_pem_file(&identity.key_path).expect("a key");
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config
        .expect("they are ours")
        .with_client_cert_verifier(verifier.build().expect("it has roots"));
    let chain = chain.map(|part| part.expect("a certificate")).collect();
    let mut config = config.with_single_cert(chain, key).expect("they belong together");
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

#[tokio::test]
async fn a_server_that_does_not_take_this_systems_certificate_is_told_from_one_that_breaks_off() {
    let (ground, foreign) = (Ground::new(), Ground::new());
    let server = Server::inbox(takes_others(&ground, &foreign), Inbox::honest()).await;
    // It refuses while this side writes already: each time it may come first.
    for _ in 0..20 {
        let failure = ground.failure(&court(server.port)).await;
        assert_outcome(
            &failure,
            Outcome::CertificateRefused,
            "does not take this system's certificate",
        );
    }
}

#[tokio::test]
async fn a_server_that_refuses_the_certificate_in_its_answer_does_so_too() {
    let ground = Ground::new();
    let inbox =
        Inbox::delivering(|_, _| Box::pin(async { Err(tonic::Status::unauthenticated("it has been revoked")) }));
    let server = Server::inbox(shows(&ground.identity(COURT)), inbox).await;
    let failure = ground.failure(&court(server.port)).await;
    assert_outcome(&failure, Outcome::CertificateRefused, "it has been revoked");
}

#[tokio::test]
async fn a_recipient_who_is_known_by_another_name_from_now_on_is_looked_at_anew() {
    let ground = Ground::new();
    let server = Server::inbox(shows(&ground.identity(COURT)), Inbox::honest()).await;
    let small = || parcel(vec![ground.store(b"small")]);
    ground
        .deliver(&court(server.port), small())
        .await
        .expect("it is the court's");
    let renamed = Destination {
        certificate_name: "constitutional-court".into(),
        ..court(server.port)
    };
    let failure = ground.failure(&renamed).await;
    assert_outcome(&failure, Outcome::CertificateRefused, "not constitutional-court's");
    assert_eq!(server.accepted(), 2);
}

#[tokio::test]
async fn a_new_certificate_of_this_system_is_shown_at_the_next_connection() {
    let ground = Ground::within(Limits {
        age: Duration::ZERO,
        ..LIMITS
    });
    let (shown, seen) = tokio::sync::mpsc::unbounded_channel();
    let mut config = takes_others(&ground, &ground);
    config.send_tls13_tickets = 0;
    let server = Server::secured(config, move |stream| {
        let own = stream.get_ref().1.peer_certificates().expect("it shows one")[0].to_vec();
        shown.send(own).expect("the test waits");
        async {}
    });
    let (server, mut seen) = (server.await, seen);
    ground.failure(&court(server.port)).await;
    let before = seen.recv().await;
    ground.authority.revoke("collection-distribution").expect("it has one");
    let renewed = ground.authority.ensure(&Usage::service("collection-distribution"));
    renewed.expect("it is made");
    ground.failure(&court(server.port)).await;
    assert_ne!(seen.recv().await, before);
}
