//! No stranger takes so much that others go without.

use std::{io::Write as _, time::Duration};

use flate2::{Compression, write::GzEncoder};
use legalstat_proto::{
    calendar::v1::{ListDaysRequest, calendar_service_client::CalendarServiceClient},
    common::v1::Date,
};
use prost::Message as _;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinSet, time::Instant};
use tonic::{Code, transport::Endpoint};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use super::{
    authority::{WATCHER, Wanted},
    protocol::{answer, told},
    stage::Stage,
    wire::{self, END_HEADERS, GOAWAY, HEADERS, RESET},
};

/// How long anything may take until it shows, on a busy machine far more than it does: less than until those who hold lines and calls give
/// up, after 45 and 30 seconds.
const SOON: Duration = Duration::from_secs(20);
const LIST_DAYS: &str = "/legalstat.calendar.v1.CalendarService/ListDays";
const GET_DAY: &str = "/legalstat.calendar.v1.CalendarService/GetDay";
/// The status 431 as RFC 7541 writes it.
const TOO_LONG: [u8; 5] = [0x48, 0x83, 0x69, 0x90, 0xff];
/// RFC 9113, 7.
const REFUSED_STREAM: [u8; 4] = 7_u32.to_be_bytes();

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_every_connection_keeps_nobody_out() {
    let limits = [("LEGALSTAT_CONNECTIONS", 20), ("LEGALSTAT_CONNECTIONS_BY_ADDRESS", 20)];
    let stage = Stage::start(&limits).await;
    let known = stage.channel(Some(&stage.authority.sign(WATCHER)));
    stage.day(known).await.expect("a caller is there before");
    let mut held = Vec::new();
    for _ in 0..60 {
        let mut line = stage.line().await;
        line.write_all(&wire::PREFACE[..1]).await.expect("the line is there");
        held.push(line);
    }
    let began = Instant::now();
    stage.day(stage.channel(None)).await.expect("who comes now is served");
    assert!(
        began.elapsed() < SOON,
        "at once, not when the others give up: {:?}",
        began.elapsed()
    );
    let mut listening = JoinSet::new();
    for mut line in held {
        listening.spawn(async move { wire::listen(&mut line, SOON / 2, |_| false).await.ended.is_some() });
    }
    let mut ended = 0;
    while ended < 40 {
        let is_over = listening.join_next().await.expect("no more than the limit stay");
        ended += usize::from(is_over.expect("it does not panic"));
    }
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_the_health_port_keeps_no_probe_out() {
    let stage = Stage::start(&[]).await;
    let mut held = Vec::new();
    for number in 0..100 {
        let mut line = TcpStream::connect(stage.health()).await.expect("it listens");
        let sent = if number % 2 == 0 {
            wire::PREFACE[..1].to_vec()
        } else {
            watching()
        };
        line.write_all(&sent).await.expect("the line is there");
        held.push(line);
    }
    let began = Instant::now();
    while let Err(kept_out) = legalstat_kit::run::server::ask_health(stage.health().port(), "").await {
        assert!(began.elapsed() < SOON, "{kept_out:#}");
    }
    drop(held);
    stage.stop().await;
}

/// Watches the health as often as one connection may.
fn watching() -> Vec<u8> {
    let calls = (0..8).flat_map(|number| {
        let stream = number * 2 + 1;
        let message = wire::frame(wire::DATA, 1, stream, &wire::message(&[]));
        [wire::call(stream, "/grpc.health.v1.Health/Watch"), message].concat()
    });
    [wire::opening(&[]), calls.collect()].concat()
}

/// Opens so many calls on one connection without sending their messages, and hears what is said of them until it is enough, and a moment
/// longer.
async fn opened(
    mut line: impl wire::Bytes,
    calls: u32,
    data: &[u8],
    enough: impl Fn(&wire::Heard) -> bool,
) -> wire::Heard {
    line.write_all(&wire::opening(&[])).await.expect("the line is there");
    // The server's own settings and its window come first: they count for what comes after them.
    let ready = |heard: &wire::Heard| {
        [wire::SETTINGS, wire::WINDOW]
            .iter()
            .all(|kind| heard.streams(*kind).contains(&0))
    };
    let first = wire::listen(&mut line, SOON, ready).await;
    assert!(ready(&first), "{first:?}");
    for stream in (0..calls).map(|number| number * 2 + 1) {
        let mut sent = wire::call(stream, GET_DAY);
        for part in data.chunks(16 * 1024) {
            sent.extend(wire::frame(wire::DATA, 0, stream, part));
        }
        if line.write_all(&sent).await.is_err() {
            break;
        }
    }
    line.flush().await.ok();
    let heard = wire::listen(&mut line, SOON, enough).await;
    heard.and(wire::listen(&mut line, Duration::from_millis(500), |_| false).await)
}

/// Whether two calls are answered.
fn two_answered(heard: &wire::Heard) -> bool {
    heard.streams(HEADERS).len() >= 2
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_has_no_more_calls_under_way_than_its_limit() {
    let stage = Stage::start(&[("LEGALSTAT_CALLS_BY_CONNECTION", 10)]).await;
    let refused = |heard: &wire::Heard| heard.payloads(RESET).filter(|code| **code == REFUSED_STREAM).count();
    let heard = opened(stage.line().await, 25, &[], |heard| refused(heard) >= 15).await;
    assert_eq!(refused(&heard), 15, "{heard:?}");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_of_one_address_have_a_quarter_of_all_calls_under_way_and_known_callers_go_on() {
    let stage = Stage::start(&[("LEGALSTAT_CALLS", 16)]).await;
    let known = stage.channel(Some(&stage.authority.sign(WATCHER)));
    let mut line = stage.line().await;
    let calls: Vec<u8> = (0..6).flat_map(|number| wire::call(number * 2 + 1, GET_DAY)).collect();
    let sent = [wire::opening(&[]), calls].concat();
    line.write_all(&sent).await.expect("the line is there");
    let heard = wire::listen(&mut line, SOON, two_answered).await;
    assert_eq!(
        heard.streams(HEADERS).len(),
        2,
        "two more than a quarter are answered at once: {heard:?}"
    );
    let stranger = stage
        .day(stage.channel(None))
        .await
        .expect_err("no room is left for strangers");
    assert_eq!(
        told(&stranger),
        (Code::ResourceExhausted, "ERROR_REASON_OVERLOADED".into())
    );
    stage.day(known).await.expect("a known caller is served");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_messages_of_strangers_take_no_more_memory_than_there_is_for_them() {
    let stage = Stage::start(&[("LEGALSTAT_MESSAGE_BYTES", 2 * 1024 * 1024)]).await;
    // Each announces a mebibyte and sends an eighth of it: four of them take what strangers of one address get.
    let mut part = vec![0; 5 + 128 * 1024];
    part[..5].copy_from_slice(&[0, 0, 0x10, 0, 0]);
    let heard = opened(stage.line().await, 6, &part, two_answered).await;
    let answered = heard.streams(HEADERS).len();
    assert!((2..=3).contains(&answered), "{answered} of 6 were refused: {heard:?}");
    let known = stage.channel(Some(&stage.authority.sign(WATCHER)));
    stage.day(known).await.expect("a known caller is served");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_a_stranger_does_not_take_fill_no_more_memory_than_there_is_for_them() {
    let stage = Stage::start(&[("LEGALSTAT_ANSWER_BYTES", 2 * 1024 * 1024)]).await;
    let mut line = stage.line().await;
    // One byte of each answer may come.
    let mut sent = wire::opening(&[(4, 1)]);
    for stream in (1..80).step_by(2) {
        sent.extend(wire::call(stream, LIST_DAYS));
        let message = wire::message(&many_days().encode_to_vec());
        sent.extend(wire::frame(wire::DATA, 1, stream, &message));
    }
    line.write_all(&sent).await.expect("the line is there");
    let refused = |heard: &wire::Heard| {
        let streams = heard.streams(HEADERS);
        let data = heard.streams(wire::DATA);
        let of = |stream: &u32| streams.iter().filter(|other| *other == stream).count();
        streams.iter().any(|stream| of(stream) == 2 && !data.contains(stream))
    };
    let heard = wire::listen(&mut line, SOON, refused).await;
    assert!(refused(&heard), "{heard:?}");
    let stranger = CalendarServiceClient::new(stage.channel(None))
        .list_days(many_days())
        .await;
    assert_eq!(
        told(&stranger.expect_err("no memory is left for strangers of this address")),
        (Code::ResourceExhausted, "ERROR_REASON_OVERLOADED".into())
    );
    let known = stage.channel(Some(&stage.authority.sign(WATCHER)));
    let days = CalendarServiceClient::new(known).list_days(many_days()).await;
    days.expect("a known caller is served");
    drop(line);
    let began = Instant::now();
    while CalendarServiceClient::new(stage.channel(None))
        .list_days(many_days())
        .await
        .is_err()
    {
        assert!(began.elapsed() < SOON, "what a lost connection held is free");
    }
    stage.stop().await;
}

fn many_days() -> ListDaysRequest {
    let day = |year| Date { year, month: 1, day: 1 };
    ListDaysRequest {
        from: Some(day(2017)),
        to: Some(day(2036)),
        page_size: 1000,
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_messages_of_one_known_caller_leave_room_for_others() {
    let stage = Stage::start(&[("LEGALSTAT_MESSAGE_BYTES", 2 * 1024 * 1024)]).await;
    let greedy = stage.authority.sign(Wanted {
        uris: &["legalstat://greedy?role=edms"],
        ..WATCHER
    });
    let mut part = vec![0; 5 + 128 * 1024];
    part[..5].copy_from_slice(&[0, 0, 0x10, 0, 0]);
    let heard = opened(stage.line_of(Some(&greedy)).await, 6, &part, two_answered).await;
    let answered = heard.streams(HEADERS).len();
    assert!((2..=3).contains(&answered), "{answered} of 6 were refused: {heard:?}");
    let known = stage.channel(Some(&stage.authority.sign(WATCHER)));
    stage.day(known).await.expect("another caller is served");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_watched_on_the_health_port_alone() {
    let stage = Stage::start(&[]).await;
    let mut here = HealthClient::new(stage.channel(None));
    here.check(HealthCheckRequest::default()).await.expect("it is asked");
    let refused = here.watch(HealthCheckRequest::default()).await;
    let refused = refused.expect_err("a watch would have no limit");
    assert_eq!(
        told(&refused),
        (Code::Unimplemented, "ERROR_REASON_METHOD_UNKNOWN".into())
    );
    let url = format!("http://{}", stage.health());
    let probe = Endpoint::from_shared(url).expect("a URL").connect().await;
    let mut there = HealthClient::new(probe.expect("it listens"));
    there.watch(HealthCheckRequest::default()).await.expect("it is watched");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_over_its_limit_is_refused_and_a_flood_of_calls_taken_back_ends_the_connection() {
    let stage = Stage::start(&[("LEGALSTAT_HEADER_BYTES", 1024)]).await;
    let long = "x".repeat(100);
    let many = vec![("x-long", long.as_str()); 20];
    let mut line = stage.line().await;
    let call = wire::frame(HEADERS, END_HEADERS, 1, &wire::block(GET_DAY, &many));
    let sent = [wire::opening(&[]), call].concat();
    line.write_all(&sent).await.expect("the line is there");
    let heard = wire::listen(&mut line, SOON, |heard| !heard.streams(HEADERS).is_empty()).await;
    let status = heard.payloads(HEADERS).next();
    assert_eq!(status, Some(&TOO_LONG[..]), "{heard:?}");

    let mut line = stage.line().await;
    let taken_back = (0..500_u32).flat_map(|number| {
        let stream = number * 2 + 1;
        let reset = wire::frame(RESET, 0, stream, &8_u32.to_be_bytes());
        [wire::call(stream, GET_DAY), reset].concat()
    });
    let sent = [wire::opening(&[]), taken_back.collect()].concat();
    line.write_all(&sent).await.ok();
    let heard = wire::listen(&mut line, SOON, |heard| !heard.streams(GOAWAY).is_empty()).await;
    assert!(!heard.streams(GOAWAY).is_empty() || heard.ended.is_some(), "{heard:?}");
    stage.day(stage.channel(None)).await.expect("others are served");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_deadline_ends_within_seconds_and_one_of_a_stranger_in_any_case() {
    let stage = Stage::start(&[("LEGALSTAT_CALL_SECONDS", 1)]).await;
    let mut line = stage.line().await;
    let long = wire::block(GET_DAY, &[("grpc-timeout", "600S")]);
    let long = wire::frame(HEADERS, END_HEADERS, 3, &long);
    let sent = [wire::opening(&[]), wire::call(1, GET_DAY), long].concat();
    line.write_all(&sent).await.expect("the line is there");
    let heard = wire::listen(&mut line, SOON, two_answered).await;
    let mut answered = heard.streams(HEADERS);
    answered.sort_unstable();
    assert_eq!(answered, [1, 3], "{heard:?}");
    stage.stop().await;
}

fn compressed(bytes: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..bytes / 65536 {
        encoder.write_all(&[0; 65536]).expect("it is compressed");
    }
    let inflating = encoder.finish().expect("it is compressed");
    let mut message = wire::message(&inflating);
    message[0] = 1;
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_over_its_limit_is_refused_as_that_compressed_or_not() {
    let stage = Stage::start(&[]).await;
    let too_large = (Code::ResourceExhausted, "ERROR_REASON_MESSAGE_TOO_LARGE".to_owned());
    let bomb = compressed(64 * 1024 * 1024);
    assert!(bomb.len() < 100 * 1024, "it is small on the line: {}", bomb.len());
    let signed = stage.authority.sign(WATCHER);
    let known = || stage.channel(Some(&signed));
    let refused = answer(known(), GET_DAY, &[("grpc-encoding", "gzip")], bomb).await;
    assert_eq!(told(&refused.expect_err("it inflates to 64 MiB")), too_large);
    let refused = answer(known(), GET_DAY, &[], wire::message(&vec![0; 4 * 1024 * 1024 + 1])).await;
    assert_eq!(told(&refused.expect_err("it has a byte too many")), too_large);
    let refused = answer(stage.channel(None), GET_DAY, &[], wire::message(&vec![0; 256 * 1024])).await;
    assert_eq!(told(&refused.expect_err("a stranger sends less")), too_large);
    stage.stop().await;
}
