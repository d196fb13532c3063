//! Every state of a connection has an end within a minute, one byte short of whole and then silent.

use std::{pin::Pin, time::Duration};

use legalstat_proto::{
    calendar::v1::{ListDaysRequest, WatchCalendarRequest, calendar_service_client::CalendarServiceClient},
    common::v1::Date,
};
use prost::Message as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::Instant,
};

use super::{
    authority::WATCHER,
    stage::{Stage, a_day},
    wire::{self, Bytes, END_HEADERS, GOAWAY, HEADERS, PING, RESET, SETTINGS, WINDOW},
};

/// Within which time every state ends.
const MINUTE: Duration = Duration::from_secs(60);
/// How much later a busy machine may notice it.
const NOTICED: Duration = Duration::from_secs(30);
const GET_DAY: &str = "/legalstat.calendar.v1.CalendarService/GetDay";
const LIST_DAYS: &str = "/legalstat.calendar.v1.CalendarService/ListDays";

type Line = Pin<Box<dyn Bytes>>;

/// Sends this and then nothing, and reads until the line ends.
async fn silent_after(mut line: Line, sent: Vec<u8>) {
    line.write_all(&sent).await.expect("the line is there");
    line.flush().await.expect("the line is there");
    let mut bytes = [0; 4096];
    while line.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
}

fn called() -> Vec<u8> {
    [wire::opening(&[]), wire::call(1, GET_DAY)].concat()
}

fn amid_message() -> Vec<u8> {
    let whole = wire::message(&a_day().encode_to_vec());
    [called(), wire::frame(wire::DATA, 0, 1, &whole[..whole.len() - 1])].concat()
}

/// What is sent, by the name of the state that it leaves the connection in.
fn states() -> Vec<(&'static str, Vec<u8>)> {
    let opening = wire::opening(&[]);
    let settings = wire::frame(SETTINGS, 0, 0, &[]);
    let block = wire::block(GET_DAY, &[]);
    vec![
        ("nothing", Vec::new()),
        ("one byte of the preface", wire::PREFACE[..1].to_vec()),
        (
            "the preface but its last byte",
            wire::PREFACE[..wire::PREFACE.len() - 1].to_vec(),
        ),
        ("no settings", wire::PREFACE.to_vec()),
        (
            "a frame's header but its last byte",
            [wire::PREFACE, &settings[..8]].concat(),
        ),
        ("no call", opening.clone()),
        (
            "no call and a frame's header but its last byte",
            [&opening[..], &settings[..8]].concat(),
        ),
        (
            "a header without its end",
            [&opening[..], &wire::frame(HEADERS, 0, 1, &block)].concat(),
        ),
        (
            "a header but its last byte",
            [
                &opening[..],
                &wire::frame(HEADERS, END_HEADERS, 1, &block)[..9 + block.len() - 1],
            ]
            .concat(),
        ),
        ("a call without a message", called()),
        ("a call with half a message", amid_message()),
        (
            "a call with half a message and a frame's header but its last byte",
            [&amid_message()[..], &settings[..8]].concat(),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_state_of_a_connection_ends_within_a_minute() {
    // Room for all that nobody takes here: nothing ends because it is too much.
    let stage = Stage::start(&[("LEGALSTAT_ANSWER_BYTES", 1 << 30), ("LEGALSTAT_PUBLIC_CALLS", 1024)]).await;
    let (began, mut lines) = (Instant::now(), JoinSet::new());
    for (state, sent) in states() {
        let line: Line = Box::pin(stage.line().await);
        lines.spawn(async move {
            silent_after(line, sent).await;
            (format!("calls: {state}"), began.elapsed())
        });
    }
    let hello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc];
    for (state, sent) in [("no hello", Vec::new()), ("a part of the hello", hello.to_vec())] {
        let line: Line = Box::pin(TcpStream::connect(stage.address()).await.expect("it listens"));
        lines.spawn(async move {
            silent_after(line, sent).await;
            (format!("TLS: {state}"), began.elapsed())
        });
    }
    for (state, sent) in states() {
        let line: Line = Box::pin(TcpStream::connect(stage.health()).await.expect("it listens"));
        lines.spawn(async move {
            silent_after(line, sent).await;
            (format!("health: {state}"), began.elapsed())
        });
    }
    lines.spawn(pinging(Box::pin(stage.line().await), began));
    lines.spawn(never_reading(Box::pin(stage.line().await), began));
    for window in [0, 1] {
        lines.spawn(without_window(Box::pin(stage.line().await), window, began));
        lines.spawn(without_window_for_a_short_answer(
            Box::pin(stage.line().await),
            window,
            began,
        ));
    }

    let ended = tokio::time::timeout(MINUTE + NOTICED, lines.join_all()).await;
    for (state, after) in ended.expect("every state ends within a minute") {
        eprintln!("{state}: {after:?}");
    }
    stage.day(stage.channel(None)).await.expect("it serves");
    stage.stop().await;
}

/// A connection without a call, whose peer answers pings and sends some of its own.
async fn pinging(mut line: Line, began: Instant) -> (String, Duration) {
    line.write_all(&wire::opening(&[])).await.expect("the line is there");
    loop {
        let heard = wire::listen(&mut line, Duration::from_secs(2), |_| false).await;
        let ping = wire::frame(PING, 0, 0, &[1; 8]);
        if heard.ended.is_some() || line.write_all(&ping).await.is_err() {
            return ("calls: no call, but pings".into(), began.elapsed());
        }
    }
}

fn many_days() -> Vec<u8> {
    let day = |year| Date { year, month: 1, day: 1 };
    let request = ListDaysRequest {
        from: Some(day(2017)),
        to: Some(day(2036)),
        page_size: 1000,
        ..Default::default()
    };
    wire::message(&request.encode_to_vec())
}

/// A peer that asks for much and takes no byte of it from the line.
async fn never_reading(mut line: Line, began: Instant) -> (String, Duration) {
    let much = wire::frame(WINDOW, 0, 0, &0x3fff_0000_u32.to_be_bytes());
    let mut sent = [wire::opening(&[(4, 0x7fff_ffff)]), much].concat();
    for stream in (1..200).step_by(2) {
        sent.extend(wire::call(stream, LIST_DAYS));
        sent.extend(wire::frame(wire::DATA, 1, stream, &many_days()));
    }
    line.write_all(&sent).await.expect("the line is there");
    line.flush().await.expect("the line is there");
    // What arrives stays in the system's buffers; a write fails once the other side has closed.
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let ping = wire::frame(PING, 0, 0, &[2; 8]);
        if line.write_all(&ping).await.is_err() || line.flush().await.is_err() {
            return ("calls: an answer that nobody reads".into(), began.elapsed());
        }
    }
}

/// A peer that reads, answers pings, and lets so few bytes of the answer come.
async fn without_window(mut line: Line, window: u32, began: Instant) -> (String, Duration) {
    let mut sent = wire::opening(&[(4, window)]);
    sent.extend(wire::call(1, LIST_DAYS));
    sent.extend(wire::frame(wire::DATA, 1, 1, &many_days()));
    line.write_all(&sent).await.expect("the line is there");
    let heard = wire::listen(&mut line, MINUTE + NOTICED, |heard| heard.streams(RESET).contains(&1)).await;
    assert!(heard.streams(HEADERS).contains(&1), "the call was answered");
    assert!(heard.streams(RESET).contains(&1), "window {window}: {:?}", heard.ended);
    assert!(heard.ended.is_none(), "the call ended, not the connection");
    (
        format!("calls: an answer and a window of {window} bytes"),
        began.elapsed(),
    )
}

/// The same for an answer of one piece: its end has left the service, so that the call cannot be ended by itself.
async fn without_window_for_a_short_answer(mut line: Line, window: u32, began: Instant) -> (String, Duration) {
    let mut sent = wire::opening(&[(4, window)]);
    sent.extend(wire::call(1, GET_DAY));
    sent.extend(wire::frame(wire::DATA, 1, 1, &wire::message(&a_day().encode_to_vec())));
    line.write_all(&sent).await.expect("the line is there");
    let heard = wire::listen(&mut line, MINUTE + NOTICED, |heard| heard.streams(RESET).contains(&1)).await;
    assert!(heard.streams(HEADERS).contains(&1), "the call was answered");
    let is_over = heard.streams(RESET).contains(&1) || heard.ended.is_some();
    assert!(is_over, "window {window}: neither the call nor the connection ended");
    (
        format!("calls: a short answer and a window of {window} bytes"),
        began.elapsed(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_an_answer_slowly_gets_all_of_it() {
    const LIMIT: u64 = 9;
    let stage = Stage::start(&[("LEGALSTAT_STALL_SECONDS", LIMIT)]).await;
    let mut line = stage.line().await;
    let mut sent = wire::opening(&[(4, 0)]);
    sent.extend(wire::call(1, LIST_DAYS));
    sent.extend(wire::frame(wire::DATA, 1, 1, &many_days()));
    line.write_all(&sent).await.expect("the line is there");
    let (mut bytes, mut blocks, began) = (0, 0, Instant::now());
    // The header, and the trailers.
    while blocks < 2 {
        // Longer than the limit in all, and each so much shorter that a busy machine comes in time with the next.
        let more = 16 * 1024_u32;
        let window = wire::frame(WINDOW, 0, 1, &more.to_be_bytes());
        let whole = wire::frame(WINDOW, 0, 0, &more.to_be_bytes());
        line.write_all(&[window, whole].concat())
            .await
            .expect("the line is there");
        let heard = wire::listen(&mut line, Duration::from_millis(2500), |_| false).await;
        assert!(heard.streams(RESET).is_empty() && heard.ended.is_none(), "{heard:?}");
        bytes += heard.payloads(wire::DATA).map(<[u8]>::len).sum::<usize>();
        blocks += heard.streams(HEADERS).len();
        assert!(began.elapsed() < 3 * MINUTE, "{bytes} bytes have come");
    }
    assert!(
        began.elapsed() > Duration::from_secs(LIMIT),
        "{bytes} bytes were a quick answer"
    );
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_quiet_keeps_its_connection_and_an_idle_one_is_told_to_go() {
    let stage = Stage::start(&[("LEGALSTAT_IDLE_SECONDS", 1), ("LEGALSTAT_STALL_SECONDS", 1)]).await;
    let watcher = stage.channel(Some(&stage.authority.sign(WATCHER)));
    let watching = CalendarServiceClient::new(watcher)
        .watch_calendar(WatchCalendarRequest::default())
        .await;
    let mut changes = watching.expect("it is watched").into_inner();
    let mut line = stage.line().await;
    line.write_all(&wire::opening(&[])).await.expect("the line is there");
    let idle = wire::listen(&mut line, MINUTE, |_| false).await;
    assert!(!idle.streams(GOAWAY).is_empty(), "the idle peer is told to go");
    let next = tokio::time::timeout(Duration::from_secs(3), changes.message()).await;
    assert!(!matches!(next, Ok(Err(_) | Ok(None))), "who watches goes on: {next:?}");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_begins_while_its_connection_is_told_to_go_is_answered() {
    let stage = Stage::start(&[("LEGALSTAT_IDLE_SECONDS", 1)]).await;
    let mut line = stage.line().await;
    line.write_all(&wire::opening(&[])).await.expect("the line is there");
    // It answers no ping: so the server cannot know that it has heard, and must take what it sends.
    let told = |heard: &wire::Heard| !heard.streams(GOAWAY).is_empty();
    let heard = wire::listen_mute(&mut line, MINUTE, told).await;
    assert!(told(&heard), "{heard:?}");
    line.write_all(&wire::call(1, GET_DAY))
        .await
        .expect("the line is there");
    // Longer than an idle connection has to go.
    let heard = wire::listen_mute(&mut line, Duration::from_secs(7), |_| false).await;
    assert!(heard.ended.is_none(), "the connection waits for its call: {heard:?}");
    let message = wire::message(&a_day().encode_to_vec());
    let message = wire::frame(wire::DATA, 1, 1, &message);
    line.write_all(&message).await.expect("the line is there");
    let answered = |heard: &wire::Heard| heard.streams(HEADERS).len() == 2;
    let heard = wire::listen_mute(&mut line, MINUTE, answered).await;
    assert!(answered(&heard), "{heard:?}");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_old_is_told_to_go_though_a_call_is_under_way() {
    let stage = Stage::start(&[("LEGALSTAT_CONNECTION_SECONDS", 1)]).await;
    let mut line = stage.line().await;
    line.write_all(&called()).await.expect("the line is there");
    let heard = wire::listen(&mut line, MINUTE, |heard| !heard.streams(GOAWAY).is_empty()).await;
    assert!(!heard.streams(GOAWAY).is_empty(), "{heard:?}");
    stage.stop().await;
}
