use super::*;

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
