//! A recompute that is killed in the middle.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use nix::sys::signal::Signal;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use legalstat_test_support::{open_requests, system::System};

/// How many requests are open: enough for many transactions of the recompute.
const OPEN: i32 = 30_000;
/// How long what must come is waited for.
const PATIENCE: Duration = Duration::from_secs(300);

async fn until_followed(database: &mut PgConnection) {
    let followed = async {
        while open_requests::followed(database).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, followed)
        .await
        .expect("the calendar is followed");
}

/// Which requests a query names, each once.
async fn named_once(database: &mut PgConnection, sql: &'static str) -> BTreeSet<String> {
    let names: Vec<String> = sqlx::query_scalar(sql).fetch_all(database).await.expect("names");
    let once: BTreeSet<String> = names.iter().cloned().collect();
    assert_eq!(names.len(), once.len(), "each once: {sql}");
    once
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recompute_killed_in_the_middle_ends_after_the_restart_as_if_nothing_had_happened() {
    let mut system = tokio::task::block_in_place(System::start);
    let mut database = open_requests::database(&system).await;
    open_requests::store(&system, &mut database, OPEN).await;
    let before = open_requests::due_dates(&mut database).await;
    let day_off = open_requests::day_off(&before);

    // Someone holds a late request: the recompute gets to it, and no further.
    let mut holder = open_requests::database(&system).await;
    let held = before
        .iter()
        .rev()
        .find(|(_, due)| **due >= day_off)
        .expect("something moves")
        .0;
    let mut holding = holder.begin().await.expect("a transaction");
    sqlx::query("SELECT FROM requests.request WHERE id = $1 FOR UPDATE")
        .bind(held)
        .execute(&mut *holding)
        .await
        .expect("it is held");
    open_requests::record(&system, open_requests::ACT, day_off).await;
    let after = open_requests::expected(&system, &before, day_off).await;
    let moved: BTreeMap<&Uuid, _> = after.iter().filter(|(id, date)| before[*id] != **date).collect();
    assert!(
        moved.contains_key(held) && moved.len() < before.len(),
        "the act moves some"
    );
    let begun = async {
        while open_requests::moves(&mut database).await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, begun)
        .await
        .expect("the recompute begins");
    tokio::task::block_in_place(|| system.end(Signal::SIGKILL));
    drop(holding);

    tokio::task::block_in_place(|| system.up());
    let mut database = open_requests::database(&system).await;
    until_followed(&mut database).await;
    assert!(
        open_requests::due_dates(&mut database).await == after,
        "every due date is as it must be"
    );
    let names: BTreeSet<String> = moved.keys().map(|id| format!("requests/{id}")).collect();
    for kept in [
        "SELECT resource FROM requests.due_date_change",
        "SELECT resource FROM requests.journal_entry WHERE method = 'jobs/recompute'",
        "SELECT resource FROM requests.outbox_event WHERE kind = 'request.due_date_moved'",
    ] {
        assert!(
            named_once(&mut database, kept).await == names,
            "just what moved: {kept}"
        );
    }
    tokio::task::block_in_place(|| drop(system));
}
