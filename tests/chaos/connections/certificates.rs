//! Certificates that cannot be used, end, are revoked, or are replaced while services run.

use std::time::Duration;

use legalstat_kit::call::{client, tls};
use legalstat_proto::calendar::v1::{
    BatchComputeDeadlinesRequest, CalendarChange, WatchCalendarRequest, calendar_service_client::CalendarServiceClient,
};
use tokio::{io::AsyncWriteExt as _, time::Instant};
use tonic::{Code, Status, Streaming, body::Body, client::GrpcService, transport::Channel};
use tonic_types::StatusExt as _;

use super::{
    authority::{Authority, Purpose, Signed, WATCHER, Wanted},
    protocol::told,
    stage::Stage,
    wire::{self, GOAWAY, HEADERS},
};

const WATCH_CALENDAR: &str = "/legalstat.calendar.v1.CalendarService/WatchCalendar";

/// How long anything may take until it shows, on a busy machine far more than it does: new files count after three seconds, and calls under
/// way have five.
pub(super) const SOON: Duration = Duration::from_secs(60);
/// How many seconds a certificate is valid at first that ends while it is used, and how many at most where a busy machine came too late.
const SHORT: i64 = 4;
const LONGEST: i64 = 64;
/// Within which time the connection of such a certificate has ended.
const ENDED: Duration = Duration::from_secs(LONGEST.unsigned_abs() + SOON.as_secs());

/// Watches the calendar.
pub(super) async fn watch<C>(channel: C) -> Result<Streaming<CalendarChange>, Status>
where
    C: GrpcService<Body, ResponseBody = Body>,
{
    let watching = CalendarServiceClient::new(channel)
        .watch_calendar(WatchCalendarRequest::default())
        .await;
    watching.map(tonic::Response::into_inner)
}

/// Whether the stream ends within this time, in whichever way.
pub(super) async fn ends(changes: &mut Streaming<CalendarChange>, within: Duration) -> bool {
    let ending = async { while let Ok(Some(_)) = changes.message().await {} };
    tokio::time::timeout(within, ending).await.is_ok()
}

/// Watches with a certificate that ends after so many seconds: with one that ends later where a busy machine came too late.
async fn watch_until_the_end(stage: &Stage, sign: impl Fn(i64) -> Signed) -> (Signed, Streaming<CalendarChange>) {
    let mut seconds = SHORT;
    loop {
        let signed = sign(seconds);
        match watch(stage.channel(Some(&signed))).await {
            Ok(changes) => return (signed, changes),
            Err(status) => assert!(seconds < LONGEST, "it is watched: {status:?}"),
        }
        seconds *= 2;
    }
}

/// Why a certificate cannot be used.
pub(super) fn problem(status: &Status) -> String {
    let details = status.get_error_details();
    let problem = details
        .error_info()
        .and_then(|info| info.metadata.get("problem").cloned());
    problem.unwrap_or_default()
}

/// What the holder of a certificate that cannot be used is told, who is served as anyone beside it.
pub(super) async fn refused(stage: &Stage, channel: Channel) -> Status {
    let day = stage.day(channel.clone()).await;
    day.expect("public methods serve him as anyone");
    let answer = CalendarServiceClient::new(channel)
        .batch_compute_deadlines(BatchComputeDeadlinesRequest::default())
        .await;
    answer.expect_err("his certificate cannot be used")
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_certificate_cannot_be_used_is_told_why_and_served_as_anyone() {
    let stage = Stage::start(&[]).await;
    let named = |uris: &'static [&'static str]| Wanted { uris, ..WATCHER };
    let cases = [
        ("NO_NAME", named(&[])),
        ("NO_NAME", named(&["https://example.org/edms"])),
        (
            "SEVERAL_NAMES",
            named(&["legalstat://a?role=edms", "legalstat://b?role=operator"]),
        ),
        ("NO_ROLE", named(&["legalstat://edms"])),
        ("UNKNOWN_ROLE", named(&["legalstat://edms?role=king"])),
        ("UNKNOWN_ROLE", named(&["legalstat://edms?role=edms&role=public"])),
        ("NAME_NOT_ALLOWED", named(&["legalstat://e%20dms?role=edms"])),
        ("NAME_RESERVED", named(&["legalstat://System?role=edms"])),
        ("NAME_RESERVED", named(&["legalstat://ANONYMOUS?role=edms"])),
        (
            "EXPIRED",
            Wanted {
                begins: -120,
                ends: -60,
                ..WATCHER
            },
        ),
        ("NOT_VALID_YET", Wanted { begins: 600, ..WATCHER }),
        (
            "NOT_FOR_CLIENTS",
            Wanted {
                usage: Purpose::Server,
                ..WATCHER
            },
        ),
        ("REVOKED", Wanted { serial: 999, ..WATCHER }),
    ];
    for (expected, wanted) in cases {
        let signed = stage.authority.sign(wanted);
        let status = refused(&stage, stage.channel(Some(&signed))).await;
        let reason = (Code::Unauthenticated, "ERROR_REASON_CERTIFICATE_UNUSABLE".to_owned());
        assert_eq!((told(&status), problem(&status)), (reason, expected.to_owned()));
    }
    for other in [
        Authority::new("another authority"),
        Authority::new("the test's own authority"),
    ] {
        let signed = other.sign(WATCHER);
        let status = refused(&stage, stage.channel(Some(&signed))).await;
        assert_eq!(problem(&status), "UNKNOWN_AUTHORITY");
    }
    watch(stage.channel(Some(&stage.authority.sign(WATCHER))))
        .await
        .expect("this one can be used");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_served_and_no_call_is_dropped_for_it() {
    let stage = Stage::start(&[]).await;
    let mut changes = watch(stage.channel(Some(&stage.authority.sign(WATCHER))))
        .await
        .expect("it is watched");
    let before = served(&stage).await;
    stage.replace_server(&stage.authority.server(101));
    let began = Instant::now();
    while served(&stage).await == before {
        assert!(began.elapsed() < SOON, "the new certificate is served");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(
        !ends(&mut changes, Duration::from_millis(500)).await,
        "who watches goes on"
    );
    stage.stop().await;
}

async fn served(stage: &Stage) -> Vec<u8> {
    let line = stage.line().await;
    let chain = line
        .get_ref()
        .1
        .peer_certificates()
        .map(<[_]>::to_vec)
        .unwrap_or_default();
    chain.first().map(|own| own.to_vec()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_certificate_ends_its_connections_and_no_others() {
    let stage = Stage::start(&[]).await;
    let (lost, kept) = (Wanted { serial: 7, ..WATCHER }, Wanted { serial: 8, ..WATCHER });
    let lost = stage.authority.sign(lost);
    let mut of_lost = watch(stage.channel(Some(&lost))).await.expect("it is watched");
    let kept = stage.channel(Some(&stage.authority.sign(kept)));
    let mut of_kept = watch(kept).await.expect("it is watched");
    stage.replace("revoked.pem", &stage.authority.revoked(&[7]));
    assert!(ends(&mut of_lost, SOON).await, "the revoked one ends");
    assert!(
        !ends(&mut of_kept, Duration::from_millis(500)).await,
        "the other goes on"
    );
    let status = refused(&stage, stage.channel(Some(&lost))).await;
    assert_eq!(problem(&status), "REVOKED");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_taken_out_of_the_file_counts_no_more_and_a_new_one_does() {
    let stage = Stage::start(&[]).await;
    let old = stage.authority.sign(WATCHER);
    let mut of_old = watch(stage.channel(Some(&old))).await.expect("it is watched");
    let next = Authority::new("the next authority");
    let new = next.sign(WATCHER);
    assert_eq!(
        problem(&refused(&stage, stage.channel(Some(&new))).await),
        "UNKNOWN_AUTHORITY"
    );
    stage.replace("ca.pem", &format!("{}{}", stage.authority.pem, next.pem));
    let began = Instant::now();
    while watch(stage.channel(Some(&new))).await.is_err() {
        assert!(began.elapsed() < SOON, "the new authority counts");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!ends(&mut of_old, Duration::from_millis(500)).await, "both count");
    stage.replace("ca.pem", &next.pem);
    assert!(ends(&mut of_old, SOON).await, "the old one counts no more");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_list_that_cannot_be_used_changes_nothing() {
    let stage = Stage::start(&[]).await;
    let known = stage.channel(Some(&stage.authority.sign(WATCHER)));
    let mut changes = watch(known).await.expect("it is watched");
    let impostor = Authority::new("the test's own authority");
    stage.replace("revoked.pem", &impostor.revoked(&[999]));
    // Longer than between two looks at the files.
    assert!(!ends(&mut changes, Duration::from_secs(5)).await, "who watches goes on");
    let another = stage.channel(Some(&stage.authority.sign(WATCHER)));
    watch(another).await.expect("who comes now is known, too");
    let refused = tls::Server::load(&stage.server_files())
        .err()
        .map(|error| format!("{error:#}"));
    let refused = refused.expect("no service starts with it");
    assert!(refused.contains("the test's own authority has revoked"), "{refused}");
    tls::Client::load(&stage.server_files())
        .err()
        .expect("nobody calls with it");

    // A list of an authority that stands between: what the service itself shows is verified with it.
    let between = stage.authority.under("between", WATCHER);
    stage.replace_server(&between.sign_with_chain(Wanted {
        uris: &[],
        usage: Purpose::Server,
        ..WATCHER
    }));
    stage.replace("revoked.pem", &Authority::new("between").revoked(&[999]));
    tls::Server::load(&stage.server_files())
        .err()
        .expect("no service starts with it");
    stage.replace("revoked.pem", &between.revoked(&[999]));
    tls::Server::load(&stage.server_files()).expect("the list is its own");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_authority_vouches_for_nobody() {
    let stage = Stage::start(&[]).await;
    let between = stage.authority.under("between", Wanted { serial: 70, ..WATCHER });
    let signed = between.sign_with_chain(WATCHER);
    let mut changes = watch(stage.channel(Some(&signed))).await.expect("it is watched");
    stage.replace("revoked.pem", &stage.authority.revoked(&[70]));
    assert!(ends(&mut changes, SOON).await, "it ends with what vouches for it");
    assert_eq!(problem(&refused(&stage, stage.channel(Some(&signed))).await), "REVOKED");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_ends_with_the_authority_that_vouches_for_it() {
    let stage = Stage::start(&[]).await;
    let sign = |ends| {
        let between = stage.authority.under("between", Wanted { ends, ..WATCHER });
        between.sign_with_chain(WATCHER)
    };
    let (_, mut changes) = watch_until_the_end(&stage, sign).await;
    assert!(ends(&mut changes, ENDED).await, "it ends with it");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_does_not_call_another_whose_certificate_is_revoked() {
    let stage = Stage::start(&[]).await;
    let mut files = stage.client_files(&stage.authority.sign(WATCHER));
    let channel = client::to_service(stage.url(), &files).expect("the files can be used");
    watch(channel).await.expect("it is called");
    files.revoked = stage.server_files().revoked;
    // 100 is the service's own.
    stage.replace("revoked.pem", &stage.authority.revoked(&[100]));
    let channel = client::to_service(stage.url(), &files).expect("the files can be used");
    let refused = watch(channel).await.expect_err("its certificate is revoked");
    assert_eq!(refused.code(), Code::Unavailable);
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_begins_after_the_end_of_a_certificate() {
    let stage = Stage::start(&[]).await;
    let mut seconds = SHORT;
    while !is_refused_after_the_end(&stage, seconds).await {
        assert!(seconds < LONGEST, "calls come in time");
        seconds *= 2;
    }
    stage.stop().await;
}

/// Watches with a certificate that ends after so many seconds, and calls again then, which is refused. Whether both calls came in time: the
/// first before the certificate ended, the second before the connection did.
async fn is_refused_after_the_end(stage: &Stage, seconds: i64) -> bool {
    let ending = stage.authority.sign(Wanted {
        ends: seconds,
        ..WATCHER
    });
    let mut line = stage.line_of(Some(&ending)).await;
    let watching = |stream| {
        let message = wire::frame(wire::DATA, 1, stream, &wire::message(&[]));
        [wire::call(stream, WATCH_CALENDAR), message].concat()
    };
    if line
        .write_all(&[wire::opening(&[]), watching(1)].concat())
        .await
        .is_err()
    {
        return false;
    }
    // A peer that does not answer the ping of the goodbye can still begin calls.
    let told = |heard: &wire::Heard| !heard.streams(GOAWAY).is_empty();
    let heard = wire::listen_mute(&mut line, ENDED, told).await;
    assert!(told(&heard) || heard.ended.is_some(), "{heard:?}");
    let in_time = heard.streams(HEADERS) == [1] && !heard.payloads(HEADERS).any(is_refusal);
    if !in_time || line.write_all(&watching(3)).await.is_err() {
        return false;
    }
    let answered = |heard: &wire::Heard| heard.streams(HEADERS).contains(&3);
    let heard = wire::listen_mute(&mut line, SOON, answered).await;
    assert!(answered(&heard) || heard.ended.is_some(), "{heard:?}");
    assert!(
        !answered(&heard) || heard.payloads(HEADERS).any(is_refusal),
        "{heard:?}"
    );
    answered(&heard)
}

/// Whether a block of headers is a whole answer: it names a status of gRPC. The name is written with Huffman's code (RFC 7541, B).
fn is_refusal(block: &[u8]) -> bool {
    let grpc_status = [0x9a, 0xca, 0xc8, 0xb2, 0x12, 0x34, 0xda, 0x8f];
    block.windows(grpc_status.len()).any(|part| part == grpc_status)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_ends_with_its_certificate() {
    let stage = Stage::start(&[]).await;
    let sign = |ends| stage.authority.sign(Wanted { ends, ..WATCHER });
    let (ending, mut changes) = watch_until_the_end(&stage, sign).await;
    assert!(ends(&mut changes, ENDED).await, "it ends with the certificate");
    let status = refused(&stage, stage.channel(Some(&ending))).await;
    assert_eq!(problem(&status), "EXPIRED");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_calls_others_with_its_new_certificate() {
    let stage = Stage::start(&[("LEGALSTAT_IDLE_SECONDS", 1)]).await;
    let stranger = Wanted {
        uris: &["legalstat://somebody?role=service"],
        ..WATCHER
    };
    let files = stage.client_files(&stage.authority.sign(stranger));
    let channel = client::to_service(stage.url(), &files).expect("the files can be used");
    let refused = watch(channel.clone()).await.expect_err("he may not watch");
    assert_eq!(refused.code(), Code::PermissionDenied);
    stage.client_files(&stage.authority.sign(WATCHER));
    let began = Instant::now();
    while watch(channel.clone()).await.is_err() {
        assert!(began.elapsed() < SOON, "the next connection shows the new certificate");
        // The old connection ends while no call is under way on it.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    stage.stop().await;
}
