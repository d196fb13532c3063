//! A connection between two uses: the next user has it at once, and it keeps nobody waiting.

use std::{pin::pin, time::Duration};

use futures::poll;
use jiff::Timestamp;
use legalstat_kit::Context;
use legalstat_local::testing::harness::Running;
use sqlx::PgConnection;

/// How many connections the context of a test has for reading.
const ALL: usize = 4;
/// Longer than what is waited for takes, on a busy machine too.
const LONG: Duration = Duration::from_secs(20);
/// After how long without use a connection is tried before it is lent, and a little more.
const IDLE: Duration = Duration::from_millis(1100);

async fn calendar() -> (Running, Context) {
    let running = Running::start(&legalstat_calendar::SERVICE, &[], Timestamp::now).await;
    let context = running.context(Timestamp::now);
    (running, context)
}

async fn process(connection: &mut PgConnection) -> i32 {
    let process = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connection);
    process.await.expect("the connection is well")
}

#[tokio::test]
async fn who_uses_connections_one_after_another_has_the_same_one() {
    let (_running, context) = calendar().await;
    let mut first = context.db.connection().await.expect("there is one");
    let used = process(&mut first).await;
    first.done();
    for _ in 0..50 {
        let mut next = context.db.connection().await.expect("there is one");
        assert_eq!(process(&mut next).await, used);
        next.done();
    }
}

#[tokio::test]
async fn who_waits_gets_the_connection_that_another_is_done_with() {
    let (_running, context) = calendar().await;
    for _ in 0..50 {
        let mut all = Vec::new();
        for _ in 0..ALL {
            all.push(context.db.connection().await.expect("there are as many"));
        }
        let mut waiting = pin!(context.db.connection());
        assert!(poll!(waiting.as_mut()).is_pending(), "all are in use");
        let done = all.pop().expect("there are some");
        done.done();
        let mut given = waiting.await.expect("one is free");
        process(&mut given).await;
        given.done();
        for one in all {
            one.done();
        }
    }
}

#[tokio::test]
async fn a_connection_that_waits_for_its_next_user_does_not_keep_the_service_from_ending() {
    let (_running, context) = calendar().await;
    let mut used = context.db.connection().await.expect("there is one");
    process(&mut used).await;
    used.done();
    let closed = tokio::time::timeout(LONG, context.db.close()).await;
    closed.expect("all connections are closed");
}

#[tokio::test]
async fn a_connection_that_broke_while_nobody_used_it_is_given_to_nobody() {
    let (running, context) = calendar().await;
    let mut used = context.db.connection().await.expect("there is one");
    let ended = process(&mut used).await;
    used.done();
    sqlx::query("SELECT pg_terminate_backend($1)")
        .bind(ended)
        .execute(&mut running.superuser().await)
        .await
        .expect("the server is ours");
    tokio::time::sleep(IDLE).await;
    let mut next = context.db.connection().await.expect("another is made");
    assert_ne!(process(&mut next).await, ended);
}
