//! How long the recompute of open due dates takes, against the plain UPDATE of the same rows.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use jiff::civil::Date;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::report::{self, Line};
use legalstat_test_support::{open_requests, system::System};

/// How many requests are open.
const OPEN: i32 = 100_000;
/// How often an act is recorded and withdrawn, and the same rows are updated plainly there and back.
const ROUNDS: usize = 4;
/// How long a recompute may take before something is wrong.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) async fn measure(system: &System) -> [Line; 2] {
    let mut database = open_requests::database(system).await;
    open_requests::store(system, &mut database, OPEN).await;
    let before = open_requests::due_dates(&mut database).await;
    let day_off = open_requests::day_off(&before);
    let (mut recomputes, mut updates) = (Vec::new(), Vec::new());
    let mut moved = 0;
    for round in 0..ROUNDS {
        let act = format!("{}-{round}", open_requests::ACT);
        let token = open_requests::followed(&mut database).await;
        open_requests::record(system, &act, day_off).await;
        recomputes.push(until_followed(&mut database, &token).await);
        let after = open_requests::expected(system, &before, day_off).await;
        assert!(
            open_requests::due_dates(&mut database).await == after,
            "just what must move has moved"
        );
        moved = after.iter().filter(|(id, date)| before[*id] != **date).count();
        let token = open_requests::followed(&mut database).await;
        open_requests::withdraw(system, &act).await;
        recomputes.push(until_followed(&mut database, &token).await);
        for dates in [&after, &before] {
            updates.push(update(&mut database, &before, &after, dates).await);
        }
        assert!(
            open_requests::due_dates(&mut database).await == before,
            "all is as it was"
        );
    }
    let ratios = report::ratios(&recomputes, &updates);
    [
        Line::of_times(format!("(e) plain UPDATE of {moved} rows"), &updates, moved),
        Line::of_times(format!("(e) recompute of {OPEN} open requests"), &recomputes, moved).below(5.0, &ratios),
    ]
}

/// The seconds until another change of the calendar is followed to its end.
async fn until_followed(database: &mut PgConnection, token: &str) -> f64 {
    let began = Instant::now();
    let followed = async {
        while open_requests::followed(database).await == token {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, followed)
        .await
        .expect("the calendar is followed");
    let seconds = began.elapsed().as_secs_f64();
    tidy(database).await;
    seconds
}

/// The seconds that one UPDATE takes to give the rows that move their dates, prepared beforehand in a table of its own.
async fn update(
    database: &mut PgConnection,
    before: &BTreeMap<Uuid, Date>,
    after: &BTreeMap<Uuid, Date>,
    dates: &BTreeMap<Uuid, Date>,
) -> f64 {
    let moved: Vec<Uuid> = after.keys().copied().filter(|id| before[id] != after[id]).collect();
    let days: Vec<jiff_sqlx::Date> = moved.iter().map(|id| dates[id].into()).collect();
    for statement in [
        "DROP TABLE IF EXISTS moved",
        "CREATE TEMPORARY TABLE moved (id uuid PRIMARY KEY, due_date date)",
    ] {
        run(database, statement).await;
    }
    sqlx::query("INSERT INTO moved SELECT * FROM unnest($1::uuid[], $2::date[])")
        .bind(&moved)
        .bind(&days)
        .execute(&mut *database)
        .await
        .expect("the rows are prepared");
    run(database, "ANALYZE moved").await;
    let began = Instant::now();
    let updated = run(
        database,
        "UPDATE requests.request r SET due_date = m.due_date, due_time = (m.due_date + 1)::timestamp AT TIME ZONE '-05'
         FROM moved m WHERE r.id = m.id",
    );
    let updated = updated.await;
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(usize::try_from(updated).ok(), Some(moved.len()));
    tidy(database).await;
    seconds
}

/// Leaves both subjects the same table: without the dead rows of what went before.
async fn tidy(database: &mut PgConnection) {
    for statement in ["VACUUM requests.request", "CHECKPOINT"] {
        run(database, statement).await;
    }
}

async fn run(database: &mut PgConnection, statement: &'static str) -> u64 {
    let done = sqlx::query(statement).execute(database).await;
    done.expect("the database is ours").rows_affected()
}
