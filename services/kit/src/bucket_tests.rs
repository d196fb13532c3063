use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::job::tests::process;

const ALL: [(&str, &str); 4] = [
    ("LEGALSTAT_S3_ENDPOINT", "https://s3.example:9000/"),
    ("LEGALSTAT_S3_BUCKET", "legalstat"),
    ("LEGALSTAT_S3_ACCESS_KEY_ID", "the id"),
    ("LEGALSTAT_S3_SECRET_ACCESS_KEY", "the secret"),
];

fn read(
    given: impl IntoIterator<Item = (&'static str, &'static str)>,
) -> std::result::Result<Option<Settings>, String> {
    let mut environment = Environment::given(given);
    let settings = Settings::read(&mut environment);
    environment.refuse_unknown().expect("all names are known");
    settings.map_err(|error| error.to_string())
}

/// The bucket of an address, which may take so long for a request, and for an answer.
pub(crate) fn at(endpoint: &str, request: Duration, answer: Duration) -> Settings {
    let settings = read(ALL).expect("all are set").expect("a bucket is set");
    Settings {
        endpoint: endpoint.to_owned(),
        times: Times {
            request,
            retrying: request,
            answer,
            ..TIMES
        },
        ..settings
    }
}

#[test]
fn content_is_kept_in_the_folder_unless_a_bucket_is_set_and_then_nothing_of_it_may_miss() {
    assert!(read([]).expect("nothing is wrong").is_none());
    // What hands out keys may do so to whoever uses them and to whoever does not.
    assert!(read(ALL.into_iter().skip(2)).expect("nothing is wrong").is_none());
    for missing in ALL {
        let given = ALL.into_iter().filter(|given| *given != missing);
        let refusal = read(given).expect_err(missing.0);
        assert_eq!(refusal, format!("{} is not set", missing.0));
    }
    let settings = read(ALL).expect("all are set").expect("a bucket is set");
    assert_eq!(
        (&*settings.endpoint, &*settings.region),
        ("https://s3.example:9000", "us-east-1")
    );
    assert!(!format!("{settings:?}").contains("secret"));
}

#[test]
fn an_endpoint_without_a_scheme_and_an_authority_that_is_none_are_refused_by_their_names() {
    let bare = ALL.map(|(name, value)| (name, value.trim_start_matches("https://")));
    let refusal = read(bare).expect_err("it says not whether it is encrypted");
    assert!(refusal.starts_with("LEGALSTAT_S3_ENDPOINT"), "{refusal}");
    for authority in ["no-such-file.pem", "Cargo.toml"] {
        let given = ALL.into_iter().chain([("LEGALSTAT_S3_AUTHORITY", authority)]);
        let settings = read(given).expect("all are set").expect("a bucket is set");
        let refusal = format!("{:#}", settings.check().expect_err("it is no certificate"));
        assert!(
            refusal.contains("LEGALSTAT_S3_AUTHORITY") && refusal.contains(authority),
            "{refusal}"
        );
    }
}

#[test]
fn what_a_store_says_of_a_key_that_it_refuses_is_not_told_and_what_a_folder_says_is() {
    let of_store = |said: &str| Error::PermissionDenied {
        path: "ab".into(),
        source: said.into(),
    };
    let told = format!("{:?}", guarded(of_store("<AWSAccessKeyId>the id</AWSAccessKeyId>")));
    assert!(!told.contains("the id"), "{told}");
    let of_folder = Error::PermissionDenied {
        path: "ab".into(),
        source: io::Error::from(io::ErrorKind::PermissionDenied).into(),
    };
    let told = format!("{:?}", guarded(of_folder));
    assert!(told.contains("Kind(PermissionDenied)"), "{told}");
}

#[test]
fn a_store_in_plaintext_is_called_by_a_system_that_trusts_nobody() {
    const CHILD: &str = "LEGALSTAT_TEST_OF_TRUST";
    let mut settings = read(ALL).expect("all are set").expect("a bucket is set");
    if let Ok(endpoint) = std::env::var(CHILD) {
        settings.endpoint = endpoint;
        settings.check().expect("it can be called");
        return;
    }
    for (endpoint, can_be_called) in [("http://s3:8333", true), ("https://s3:8333", false)] {
        let name = std::thread::current().name().expect("a test has a name").to_owned();
        let child = std::process::Command::new(std::env::current_exe().expect("this program"))
            .args([&name, "--exact"])
            .envs([
                (CHILD, endpoint),
                ("SSL_CERT_FILE", "/nowhere"),
                ("SSL_CERT_DIR", "/nowhere"),
            ])
            .output()
            .expect("it runs");
        assert_eq!(child.status.success(), can_be_called, "{endpoint}");
    }
}

#[tokio::test]
async fn a_store_that_nobody_reaches_stops_no_start_and_fails_calls_at_once() {
    // Nobody listens at an address that is held and not listened at.
    let held = tokio::net::TcpSocket::new_v4().expect("a socket");
    held.bind(([127, 0, 0, 1], 0).into()).expect("a port is free");
    let gone = held.local_addr().expect("it has an address");
    let mut settings = read(ALL).expect("all are set").expect("a bucket is set");
    settings.endpoint = format!("http://{gone}");
    let bucket = Bucket::open(&settings, "service").await.expect("it opens");
    let failed = bucket
        .has(&Path::from("sha256/ab"), 1)
        .await
        .expect_err("nobody is there");
    let failed = crate::Error::from(anyhow::Error::new(failed).context("file store"));
    let crate::Error::Refusal(refusal) = failed else {
        panic!("a store that is away is no fault of ours")
    };
    assert_eq!(refusal.reason, legalstat_proto::common::v1::ErrorReason::StorageFailing);
}

/// A store under a certificate of its own, which takes this key alone. Gives its address and the certificate.
async fn store_of(key: &'static str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("it has versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![made.cert.der().clone()],
            PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key"),
        );
    let acceptor = TlsAcceptor::from(Arc::new(config.expect("they belong together")));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        while let Ok((line, _)) = listener.accept().await {
            let Ok(line) = acceptor.accept(line).await else {
                continue;
            };
            let answer = service_fn(move |request: http::Request<Incoming>| async move {
                let shown = request.headers().get("authorization").map(|shown| format!("{shown:?}"));
                request.into_body().collect().await.ok();
                let takes = shown.is_some_and(|shown| shown.contains(key));
                let answer = http::Response::builder().status(if takes { 204 } else { 403 });
                Ok::<_, Infallible>(answer.body(Full::new(Bytes::new())).expect("it is an answer"))
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(line), answer));
        }
    });
    (format!("https://localhost:{port}"), made.cert.pem())
}

#[tokio::test]
async fn another_authority_and_another_key_are_taken_up_while_the_service_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let write = |name: &str, content: &str| fs::write(file(name), content).expect("it is written");
    let (_, other) = store_of("nobody's").await;
    let (endpoint, certificate) = store_of("the-second").await;
    write("ca.pem", &other);
    write("id", "the-first");
    write("secret", "of the first");
    let mut environment = Environment::given([
        ("LEGALSTAT_S3_ENDPOINT", endpoint),
        ("LEGALSTAT_S3_BUCKET", "legalstat".to_owned()),
        ("LEGALSTAT_S3_ACCESS_KEY_ID_FILE", file("id")),
        ("LEGALSTAT_S3_SECRET_ACCESS_KEY_FILE", file("secret")),
        ("LEGALSTAT_S3_AUTHORITY", file("ca.pem")),
    ]);
    let mut settings = Settings::read(&mut environment)
        .expect("all are set")
        .expect("a bucket is set");
    settings.times.retrying = Duration::ZERO;
    let bucket = Bucket::open(&settings, "service").await.expect("it opens");
    bucket.follow(&process(), &settings, "service").expect("it is followed");
    let place = Path::from("sha256/ab");
    let until = async |what: &str, is_it: fn(&Result<()>) -> bool| {
        let reached = async {
            while !is_it(&bucket.delete(&place).await) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(60), reached).await;
        waited.unwrap_or_else(|_| panic!("{what}"));
    };
    until("it is not trusted", |told| matches!(told, Err(Error::Generic { .. }))).await;
    write("ca.pem", &certificate);
    until("it is trusted and refuses the key", |told| {
        matches!(told, Err(Error::PermissionDenied { .. }))
    })
    .await;
    write("secret", "of the second");
    write("id", "the-second");
    until("it takes the key", Result::is_ok).await;
}
