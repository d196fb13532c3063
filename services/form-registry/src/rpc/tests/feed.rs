//! The feed of what happens to forms and editions.

use std::time::{Duration, Instant};

use legalstat_proto::forms::v1::{
    Channel as Place, RetireIndicatorsRequest, SetEmbargoRequest, WatchFormsRequest, WatchFormsResponse,
};
use sqlx::Executor;
use tonic::Streaming;

use super::{
    forms::{due_day, updating},
    registers::{basis, code, create_list, day, enter, enter_codes, id, indicator, title},
    *,
};

const JANUARY: &str = "forms/1/editions/2025-M01";
const NOW: &str = "2025-02-03T05:00:00Z";

type Feed = Streaming<WatchFormsResponse>;

/// A registry whose feeds say something each second.
async fn registry() -> Registry {
    let registry = Registry::start_with(None, NOW, true, &[("LEGALSTAT_HEARTBEAT_SECONDS", "1")]).await;
    registry.until_whole().await;
    registry
}

pub(super) async fn try_watch(running: &Running, caller: &str, request: WatchFormsRequest) -> Result<Feed, Status> {
    let mut client = Client::new(running.channel(Some(caller)));
    client.watch_forms(request).await.map(tonic::Response::into_inner)
}

pub(super) fn after(token: &str) -> WatchFormsRequest {
    WatchFormsRequest {
        resume_token: token.into(),
        only_new: false,
    }
}

/// Watches what happens from now on; gives the feed and its first token.
async fn watch_new(running: &Running, caller: &str) -> (Feed, String) {
    let request = WatchFormsRequest {
        only_new: true,
        ..WatchFormsRequest::default()
    };
    let mut feed = try_watch(running, caller, request).await.expect("it is watched");
    let first = message(&mut feed).await;
    assert!(
        first.event.is_none() && first.caught_up,
        "nothing is new yet: {first:?}"
    );
    (feed, first.resume_token)
}

async fn next(feed: &mut Feed) -> Result<Option<WatchFormsResponse>, Status> {
    let next = tokio::time::timeout(PATIENCE, feed.message()).await;
    next.expect("a feed says something within its time")
}

async fn message(feed: &mut Feed) -> WatchFormsResponse {
    next(feed).await.expect("no failure").expect("the feed goes on")
}

/// The next event, whatever heartbeats come before.
async fn event(feed: &mut Feed) -> (String, String) {
    loop {
        if let Some(event) = message(feed).await.event {
            return (event.kind, event.resource);
        }
    }
}

async fn heartbeat(feed: &mut Feed) -> WatchFormsResponse {
    let heartbeat = message(feed).await;
    assert!(heartbeat.event.is_none(), "{heartbeat:?}");
    heartbeat
}

/// The next heartbeat that says that not everything is told: those of a busy machine may be from before.
async fn behind(feed: &mut Feed) -> WatchFormsResponse {
    for _ in 0..PATIENCE.as_secs() {
        let heartbeat = heartbeat(feed).await;
        if !heartbeat.caught_up {
            return heartbeat;
        }
    }
    panic!("everything is told")
}

/// Reads until everything is told; gives the events and the last token.
pub(super) async fn all(feed: &mut Feed) -> (Vec<(String, String)>, String) {
    let mut events = Vec::new();
    loop {
        let message = message(feed).await;
        match message.event {
            Some(event) => events.push((event.kind, event.resource)),
            None if message.caught_up => return (events, message.resume_token),
            None => {}
        }
    }
}

fn told(resource: &str) -> (String, String) {
    ("test.happened".into(), resource.into())
}

fn happened(resource: &str) -> String {
    format!(
        "INSERT INTO forms.outbox_event (occurred_at, kind, resource) VALUES (now(), 'test.happened', '{resource}')"
    )
}

async fn run(connection: &mut PgConnection, sql: &str) {
    let done = connection.execute(sqlx::AssertSqlSafe(sql.to_owned())).await;
    done.expect("it is carried out");
}

#[tokio::test]
async fn an_event_that_is_committed_late_is_told_before_those_that_overtook_it() {
    let registry = registry().await;
    let (mut feed, begun) = watch_new(&registry.running, "operator").await;
    let (mut late, mut swift) = (registry.database().await, registry.database().await);
    run(&mut late, &format!("BEGIN; {}", happened("late"))).await;
    run(&mut swift, &happened("swift")).await;
    let waiting = behind(&mut feed).await;
    assert_eq!(waiting.resume_token, begun, "one is committed and cannot be told yet");
    run(&mut late, "COMMIT").await;
    assert_eq!(event(&mut feed).await, told("late"));
    assert_eq!(event(&mut feed).await, told("swift"));
    assert!(heartbeat(&mut feed).await.caught_up);
}

#[tokio::test]
async fn an_event_that_is_rolled_back_is_never_told_and_keeps_the_others_only_until_then() {
    let registry = registry().await;
    let (mut feed, _) = watch_new(&registry.running, "operator").await;
    let (mut undone, mut swift) = (registry.database().await, registry.database().await);
    run(&mut undone, &format!("BEGIN; {}", happened("undone"))).await;
    run(&mut swift, &happened("swift")).await;
    behind(&mut feed).await;
    run(&mut undone, "ROLLBACK").await;
    assert_eq!(event(&mut feed).await, told("swift"));
    assert!(heartbeat(&mut feed).await.caught_up);
}

#[tokio::test]
async fn a_transaction_that_writes_no_event_keeps_nobody_waiting() {
    let registry = registry().await;
    let (mut feed, _) = watch_new(&registry.running, "operator").await;
    let (mut long, mut swift) = (registry.database().await, registry.database().await);
    let locks = "BEGIN; SELECT pg_current_xact_id(); SELECT FROM forms.form WHERE list_number = 1 FOR UPDATE";
    run(&mut long, locks).await;
    run(&mut swift, &happened("swift")).await;
    assert_eq!(event(&mut feed).await, told("swift"));
    assert!(heartbeat(&mut feed).await.caught_up);
    run(&mut long, "ROLLBACK").await;
}

#[tokio::test]
async fn two_replicas_tell_the_same_and_a_watcher_can_leave_one_and_join_the_other() {
    let registry = registry().await;
    let replica = registry.replica().await;
    let (mut here, begun) = watch_new(&registry.running, "operator").await;
    let (mut there, also) = watch_new(&replica, "operator").await;
    assert_eq!(begun, also, "a token is of the feed and not of a replica");
    let mut operator = Client::new(replica.channel(Some("operator")));
    upload(&mut operator, &header(JANUARY), b"a")
        .await
        .expect("it is taken");
    seal(&mut operator, JANUARY).await;
    place(&mut registry.operator(), &placing(JANUARY, Place::InformationService))
        .await
        .expect("it is placed");
    let expected =
        ["edition.prepared", "edition.sealed", "edition.placed"].map(|kind| (kind.to_owned(), JANUARY.to_owned()));
    for feed in [&mut here, &mut there] {
        assert_eq!([event(feed).await, event(feed).await, event(feed).await], expected);
    }
    let first = {
        let mut again = try_watch(&replica, "operator", after(&begun))
            .await
            .expect("it is watched");
        let first = message(&mut again).await;
        assert_eq!(
            first.event.as_ref().map(|event| event.kind.as_str()),
            Some("edition.prepared")
        );
        first.resume_token
    };
    let mut rest = try_watch(&registry.running, "operator", after(&first))
        .await
        .expect("it is watched");
    let (events, token) = all(&mut rest).await;
    assert_eq!(events, expected[1..], "no event is told twice, and none left out");
    let mut nothing = try_watch(&replica, "operator", after(&token))
        .await
        .expect("it is watched");
    assert!(heartbeat(&mut nothing).await.caught_up);
}

#[tokio::test]
async fn what_happened_before_is_told_from_the_beginning_and_a_heartbeat_follows() {
    let registry = registry().await;
    let mut feed = try_watch(&registry.running, "operator", after(""))
        .await
        .expect("it is watched");
    let (events, token) = all(&mut feed).await;
    let stored: Vec<(String, String)> = sqlx::query_as("SELECT kind, resource FROM forms.outbox_event ORDER BY number")
        .fetch_all(&mut registry.database().await)
        .await
        .expect("it is readable");
    assert!(events.len() >= 2 && events == stored, "{events:?}");
    for _ in 0..2 {
        let heartbeat = heartbeat(&mut feed).await;
        assert!(heartbeat.caught_up && heartbeat.resume_token == token, "{heartbeat:?}");
    }
}

#[tokio::test]
async fn a_feed_ends_with_unavailable_and_a_time_to_come_back_when_the_service_stops() {
    let registry = registry().await;
    let (mut feed, _) = watch_new(&registry.running, "operator").await;
    let stopping = tokio::spawn(registry.running.stop());
    let ended = loop {
        match next(&mut feed).await {
            Ok(Some(_)) => {}
            ended => break ended,
        }
    };
    let status = refused(ended, Code::Unavailable, "SERVICE_STOPPING");
    let details = status.get_error_details();
    assert!(
        details.retry_info().is_some_and(|retry| retry.retry_delay.is_some()),
        "{status:?}"
    );
    stopping.await.expect("a watcher keeps nobody from stopping");
}

#[tokio::test]
async fn a_token_that_is_not_of_this_feed_is_refused() {
    let registry = registry().await;
    let (_feed, token) = watch_new(&registry.running, "operator").await;
    let mut other_number = hex::decode(&token).expect("it is hexadecimal");
    other_number[11] += 1;
    let mut other_feed = hex::decode(&token).expect("it is hexadecimal");
    other_feed[0] ^= 1;
    let forged = [
        "yesterday".to_owned(),
        "2026-11-26T10:00:00Z".to_owned(),
        token[..38].to_owned(),
        format!("{token}00"),
        hex::encode(&other_number),
        hex::encode(&other_feed),
    ];
    for forged in &forged {
        let answer = try_watch(&registry.running, "operator", after(forged)).await;
        assert_eq!(violations(answer), pairs(&[("resume_token", "TOKEN")]), "{forged}");
    }
    run(
        &mut registry.database().await,
        "DELETE FROM forms.outbox_event WHERE number = (SELECT max(number) FROM forms.outbox_event)",
    )
    .await;
    let answer = try_watch(&registry.running, "operator", after(&token)).await;
    assert_eq!(
        violations(answer),
        pairs(&[("resume_token", "TOKEN")]),
        "its event is gone"
    );
    let both = WatchFormsRequest {
        resume_token: "x".into(),
        only_new: true,
    };
    let answer = try_watch(&registry.running, "operator", both).await;
    assert_eq!(
        violations(answer),
        pairs(&[("only_new", "CONFLICT"), ("resume_token", "TOKEN")])
    );
    let public = registry.client(None).watch_forms(after("")).await;
    refused(public, Code::Unauthenticated, "CERTIFICATE_REQUIRED");
}

#[tokio::test]
async fn who_is_no_official_is_told_of_an_edition_once_it_is_placed_and_of_its_due_date_always() {
    let registry = registry().await;
    let (mut official, _) = watch_new(&registry.running, "auditor").await;
    let (mut subject, begun) = watch_new(&registry.running, "edms").await;
    upload(&mut registry.operator(), &header(JANUARY), b"a")
        .await
        .expect("it is taken");
    let moved = happened(JANUARY).replace("test.happened", "edition.due_date_moved");
    run(&mut registry.database().await, &moved).await;
    let due = ("edition.due_date_moved".to_owned(), JANUARY.to_owned());
    assert_eq!(event(&mut official).await.0, "edition.prepared");
    assert_eq!(event(&mut official).await, due);
    assert_eq!(event(&mut subject).await, due);
    seal(&mut registry.operator(), JANUARY).await;
    place(&mut registry.operator(), &placing(JANUARY, Place::InformationService))
        .await
        .expect("it is placed");
    let placed = ("edition.placed".to_owned(), JANUARY.to_owned());
    assert_eq!(event(&mut official).await.0, "edition.sealed");
    for feed in [&mut official, &mut subject] {
        assert_eq!(event(feed).await, placed);
    }
    let mut again = try_watch(&registry.running, "edms", after(&begun))
        .await
        .expect("it is watched");
    assert_eq!(all(&mut again).await.0, [due, placed]);
}

async fn set_embargo(registry: &Registry, until: &str) {
    let request = SetEmbargoRequest {
        name: JANUARY.into(),
        until: Some(legalstat_kit::door::wire::to_timestamp(instant(until))),
        reason: "a press conference".into(),
        request_id: Uuid::new_v4().to_string(),
        ..SetEmbargoRequest::default()
    };
    registry.operator().set_embargo(request).await.expect("it is set");
}

#[tokio::test]
async fn an_embargo_withholds_an_edition_from_the_feed_until_its_end_is_told() {
    let registry = registry().await;
    set_embargo(&registry, "2025-02-03T06:00:00Z").await;
    let (mut preparer, begun) = watch_new(&registry.running, "operator").await;
    let (mut subject, _) = watch_new(&registry.running, "edms").await;
    let mut operator = registry.operator();
    upload(&mut operator, &header(JANUARY), b"a")
        .await
        .expect("it is taken");
    seal(&mut operator, JANUARY).await;
    place(&mut operator, &placing(JANUARY, Place::InformationService))
        .await
        .expect("it is placed");
    for kind in ["edition.prepared", "edition.sealed", "edition.placed"] {
        assert_eq!(event(&mut preparer).await.0, kind);
    }
    registry.set_clock("2025-02-03T05:59:59.999999Z");
    for caller in ["edms", "supreme-court", "auditor"] {
        let mut early = try_watch(&registry.running, caller, after(&begun))
            .await
            .expect("it is watched");
        assert_eq!(all(&mut early).await.0, [], "{caller} is told nothing a moment early");
    }
    let attempts = "SELECT count(*) FROM forms.journal_entry
                    WHERE method LIKE '%/WatchForms' AND outcome = 'REFUSED' AND reason LIKE '%EMBARGOED' AND resource = $1";
    let attempts: i64 = sqlx::query_scalar(attempts)
        .bind(JANUARY)
        .fetch_one(&mut registry.database().await)
        .await
        .expect("it counts");
    assert_eq!(
        attempts, 3,
        "each that watched while something was withheld is in the journal"
    );
    registry.set_clock("2025-02-03T06:00:00Z");
    let ended = ("edition.embargo_ended".to_owned(), JANUARY.to_owned());
    for feed in [&mut preparer, &mut subject] {
        assert_eq!(event(feed).await, ended);
    }
    let mut later = try_watch(&registry.running, "edms", after(&begun))
        .await
        .expect("it is watched");
    let placed = ("edition.placed".to_owned(), JANUARY.to_owned());
    assert_eq!(all(&mut later).await.0, [placed, ended]);
}

#[tokio::test]
async fn changes_of_the_registers_are_told_to_everyone() {
    let registry = registry().await;
    let (mut subject, _) = watch_new(&registry.running, "edms").await;
    let mut operator = registry.operator();
    create_list(&mut operator, "SEX").await.expect("it is made");
    let codes = vec![code("T", ""), code("F", "T"), code("M", "T")];
    enter_codes(&mut operator, "SEX", codes)
        .await
        .expect("they are entered");
    enter(&mut operator, "forms/1", vec![indicator("crimes", &["SEX"])])
        .await
        .expect("it is entered");
    // What was so already is told to officials alone.
    enter(&mut operator, "forms/1", vec![indicator("crimes", &["SEX"])])
        .await
        .expect("it is there");
    let retiring = RetireIndicatorsRequest {
        parent: "forms/1".into(),
        codes: vec!["crimes".into()],
        last_day: day("2025-12-31"),
        legal_basis: basis(),
        request_id: id(),
        validate_only: false,
    };
    operator.retire_indicators(retiring).await.expect("it ends");
    let mut titled = due_day(1, 0);
    titled.title = title("On registered crimes");
    registry
        .update(updating(titled, &["title.en"], None))
        .await
        .expect("it is corrected");
    registry
        .update(updating(due_day(1, 6), &["due_day"], day("2030-01-01")))
        .await
        .expect("it is updated");
    for expected in [
        ("code-list.created", "codeLists/SEX"),
        ("codes.entered", "codeLists/SEX"),
        ("indicators.entered", "forms/1"),
        ("indicators.retired", "forms/1"),
        ("form.corrected", "forms/1"),
        ("form.updated", "forms/1"),
    ] {
        let (kind, resource) = event(&mut subject).await;
        assert_eq!((kind.as_str(), resource.as_str()), expected);
    }
}

/// 5,000 events of ten writers at once, twenty to a transaction; each sixth transaction is rolled back.
async fn write_much(registry: &Registry) {
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..10 {
        let mut connection = registry.database().await;
        writers.spawn(async move {
            for transaction in 0..30 {
                run(&mut connection, "BEGIN").await;
                let values: Vec<String> = (0..20)
                    .map(|event| format!("(now(), 'test.happened', '{writer}/{transaction}/{event}')"))
                    .collect();
                let insert = "INSERT INTO forms.outbox_event (occurred_at, kind, resource) VALUES";
                run(&mut connection, &format!("{insert} {}", values.join(", "))).await;
                let pause = Duration::from_millis((writer * 7 + transaction * 3) % 11);
                tokio::time::sleep(pause).await;
                let end = if transaction % 6 == 5 { "ROLLBACK" } else { "COMMIT" };
                run(&mut connection, end).await;
            }
        });
    }
    writers.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_events_of_many_writers_are_told_in_order_and_none_is_left_out() {
    let registry = registry().await;
    let (mut swift, begun) = watch_new(&registry.running, "operator").await;
    // It reads nothing while everything happens.
    let (mut slow, _) = watch_new(&registry.running, "auditor").await;
    let reading = tokio::spawn(async move {
        let mut events = Vec::new();
        while events.len() < 5000 {
            events.push(event(&mut swift).await);
        }
        events
    });
    write_much(&registry).await;
    let stored: Vec<(String, String)> =
        sqlx::query_as("SELECT kind, resource FROM forms.outbox_event WHERE kind = 'test.happened' ORDER BY number")
            .fetch_all(&mut registry.database().await)
            .await
            .expect("it is readable");
    assert_eq!(stored.len(), 5000);
    let swift = reading.await.expect("it does not panic");
    assert!(swift == stored, "who reads as it happens is told all in order");
    let began = Instant::now();
    let mut late = try_watch(&registry.running, "operator", after(&begun))
        .await
        .expect("it is watched");
    let (told, _) = all(&mut late).await;
    let took = began.elapsed();
    assert!(told == stored, "who comes late is told the same");
    eprintln!("5,000 events told in {took:?}");
    assert!(took < PATIENCE, "{took:?}");
    let mut told = Vec::new();
    while told.len() < 5000 {
        told.push(event(&mut slow).await);
    }
    assert!(told == stored, "who reads late is told the same");
}
