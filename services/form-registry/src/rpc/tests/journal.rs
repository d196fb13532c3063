//! What the journal holds of refusals, and who sets what in it.

use legalstat_proto::{
    forms::v1::Channel as Place,
    journal::v1::{ListEntriesRequest, Outcome, journal_service_client::JournalServiceClient},
};
use sqlx::Executor as _;

use super::*;

const UNKNOWN: &str = "forms/1/editions/2018-M01";
const JANUARY: &str = "forms/1/editions/2025-M01";

/// Refusals without a certificate by method and reason: how many, in how many entries.
async fn anonymous(database: &mut PgConnection) -> Vec<(String, String, String, i64)> {
    let sql = "SELECT split_part(method, '/', 3), reason, peer_address, sum(count)::bigint
         FROM forms.journal_entry WHERE outcome = 'REFUSED' AND caller = 'anonymous' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
    sqlx::query_as(sql).fetch_all(database).await.expect("it is readable")
}

async fn place_without_certificate(registry: &Registry) -> Status {
    let request = placing(JANUARY, Place::InformationService);
    let refused = place(&mut registry.client(None), &request).await;
    refused.expect_err("no certificate")
}

#[tokio::test]
async fn refusals_without_a_certificate_are_counted_by_method_and_reason_within_a_second() {
    let registry = Registry::at("2025-02-03T05:00:00Z").await;
    let mut database = registry.database().await;
    let expected = |method: &str, count: i64| {
        let reason = "ERROR_REASON_CERTIFICATE_REQUIRED".to_owned();
        (method.to_owned(), reason, "127.0.0.1".to_owned(), count)
    };
    assert_eq!(place_without_certificate(&registry).await.code(), Code::Unauthenticated);
    assert_eq!(
        anonymous(&mut database).await,
        [expected("PlaceEdition", 1)],
        "the first is there once it is told"
    );
    for _ in 0..4 {
        place_without_certificate(&registry).await;
    }
    for _ in 0..3 {
        let refused = upload(&mut registry.client(None), &header(JANUARY), b"a").await;
        assert_eq!(refused.expect_err("no certificate").code(), Code::Unauthenticated);
    }
    let whole = [expected("PlaceEdition", 5), expected("UploadEditionFile", 3)];
    let written = async {
        while anonymous(&mut database).await != whole {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, written)
        .await
        .expect("the others are written while the service runs");
    let Registry { running, .. } = registry;
    running.stop().await;
    assert_eq!(anonymous(&mut database).await, whole, "nothing is written twice");
}

#[tokio::test]
async fn every_refusal_of_a_flood_is_in_the_journal_under_its_method() {
    const EACH: i64 = 400;
    let registry = Registry::at("2025-02-03T05:00:00Z").await;
    let mut flood = tokio::task::JoinSet::new();
    for caller in [None, Some("edms")] {
        let client = registry.client(caller);
        for _ in 0..EACH {
            let mut client = client.clone();
            flood.spawn(async move {
                let mut untold = 0_i64;
                loop {
                    let refused = place(&mut client, &placing(JANUARY, Place::InformationService)).await;
                    match refused.expect_err("neither may place").code() {
                        Code::Unauthenticated | Code::PermissionDenied => return untold,
                        // On a busy machine its entry may take longer than its answer waits, and is written all the same.
                        Code::Unavailable => untold += 1,
                        code => panic!("{code:?}"),
                    }
                }
            });
        }
    }
    let untold: i64 = flood.join_all().await.into_iter().sum();
    let Registry { running, .. } = registry;
    let mut database = running.superuser().await;
    running.stop().await;
    let counted: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT caller, split_part(method, '/', 3), sum(count)::bigint FROM forms.journal_entry
         WHERE outcome = 'REFUSED' GROUP BY 1, 2 ORDER BY 1",
    )
    .fetch_all(&mut database)
    .await
    .expect("it is readable");
    let of = |caller: &str, count| (caller.to_owned(), "PlaceEdition".to_owned(), count);
    let [anonymous, edms] = counted.as_slice() else {
        panic!("{counted:?}")
    };
    for (entries, caller) in [(anonymous, "anonymous"), (edms, "edms")] {
        assert_eq!(*entries, of(caller, entries.2.clamp(EACH, EACH + untold)));
    }
}

#[tokio::test]
async fn a_refusal_that_cannot_be_stored_is_not_told() {
    let registry = Registry::at("2025-02-03T05:00:00Z").await;
    let mut database = registry.database().await;
    database
        .execute("BEGIN; LOCK TABLE forms.journal_entry IN EXCLUSIVE MODE")
        .await
        .expect("it is locked");
    let mut operator = registry.operator();
    let unstored = place(&mut operator, &placing(UNKNOWN, Place::InformationService)).await;
    refused(unstored, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    let mut edms = registry.client(Some("edms"));
    let unstored = place(&mut edms, &placing(JANUARY, Place::InformationService)).await;
    refused(unstored, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    assert_eq!(place_without_certificate(&registry).await.code(), Code::Unavailable);
    let late = place_without_certificate(&registry).await;
    assert_eq!(late.code(), Code::Unavailable, "a second one is not told either");

    database.execute("COMMIT").await.expect("it is free");
    let told = async {
        let unknown = placing(UNKNOWN, Place::InformationService);
        while place(&mut operator, &unknown).await.expect_err("there is none").code() != Code::NotFound {}
        while place_without_certificate(&registry).await.code() != Code::Unauthenticated {}
    };
    tokio::time::timeout(PATIENCE, told).await.expect("it is told again");
    let kept = "SELECT count(*) FROM forms.journal_entry WHERE outcome = 'REFUSED' AND caller = 'edms'";
    let kept: i64 = sqlx::query_scalar(kept)
        .fetch_one(&mut database)
        .await
        .expect("it is readable");
    assert_eq!(kept, 1, "what waited is stored although nobody waits any more");
}

#[tokio::test]
async fn a_refusal_is_told_and_stored_while_every_other_connection_waits() {
    let registry = Registry::at("2025-02-03T05:00:00Z").await;
    let mut edms = registry.client(Some("edms"));
    // Once before, so that the connection that is kept for refusals is made when many others are not.
    let probe = place(&mut edms, &placing(JANUARY, Place::InformationService)).await;
    refused(probe, Code::PermissionDenied, "ROLE_MISSING");
    let mut database = registry.database().await;
    database
        .execute("BEGIN; SELECT FROM forms.scheduled WHERE parent = 'forms/1' AND period = '2025-M01' FOR UPDATE")
        .await
        .expect("it is locked");
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let mut operator = registry.operator();
        waiting.spawn(async move { place(&mut operator, &placing(JANUARY, Place::InformationService)).await });
    }
    let mut watching = registry.database().await;
    let locked =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let busy = async {
        let (mut before, mut now) = (-1_i64, 0_i64);
        while now == 0 || now != before {
            before = now;
            tokio::time::sleep(Duration::from_millis(200)).await;
            now = sqlx::query_scalar(locked)
                .fetch_one(&mut watching)
                .await
                .expect("it counts");
        }
    };
    tokio::time::timeout(PATIENCE, busy).await.expect("the pool is full");
    let probe = place(&mut edms, &placing(JANUARY, Place::InformationService)).await;
    refused(probe, Code::PermissionDenied, "ROLE_MISSING");
    let stored = "SELECT count(*) FROM forms.journal_entry WHERE outcome = 'REFUSED' AND caller = 'edms'";
    let stored: i64 = sqlx::query_scalar(stored)
        .fetch_one(&mut watching)
        .await
        .expect("it counts");
    assert_eq!(stored, 2);
    database.execute("ROLLBACK").await.expect("it is free");
    waiting.join_all().await;
}

#[tokio::test]
async fn number_commit_order_and_the_instant_of_storing_are_the_databases_own() {
    let registry = Registry::at("2025-02-03T05:00:00Z").await;
    let mut runtime = registry.running.runtime().await;
    let given =
        "recorded_at, caller, roles, method, resource, outcome, reason, salt, request_digest, count, peer_address";
    let values = "now(), 'x', '{}', 'm', 'r', 'DONE', '', '', '', 1, ''";
    let entry = |column: &str, value: &str| {
        format!("INSERT INTO forms.journal_entry ({given}{column}) OVERRIDING SYSTEM VALUE VALUES ({values}{value})")
    };
    let event = |column: &str, value: &str| {
        format!(
            "INSERT INTO forms.outbox_event (occurred_at, kind, resource{column}) OVERRIDING SYSTEM VALUE
             VALUES (now(), 'k', 'r'{value})"
        )
    };
    for statement in [
        entry(", number", ", 7"),
        entry(", transaction", ", '7'"),
        entry(", stored_at", ", '2020-01-01'"),
        event(", number", ", 7"),
        event(", transaction", ", '7'"),
        "INSERT INTO forms.edition_file (number) OVERRIDING SYSTEM VALUE VALUES (7)".to_owned(),
        "INSERT INTO forms.due_date_change (number) OVERRIDING SYSTEM VALUE VALUES (7)".to_owned(),
    ] {
        let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.clone()))
            .execute(&mut runtime)
            .await;
        let error = refused.expect_err(&statement);
        let code = error
            .as_database_error()
            .and_then(|error| error.code())
            .map(String::from);
        assert_eq!(code.as_deref(), Some("42501"), "{statement}");
    }
    for statement in [entry("", ""), event("", "")] {
        let left = sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut runtime)
            .await;
        left.expect("what is the service's own it may give");
    }
    let unset = "journal_entry WHERE number IS NULL OR transaction IS NULL OR stored_at IS NULL";
    assert_eq!(registry.count(unset).await, 0);
    let mut auditor = JournalServiceClient::new(registry.running.channel(Some("auditor")));
    let entries = auditor
        .list_entries(ListEntriesRequest::default())
        .await
        .expect("it lists");
    assert!(
        entries
            .into_inner()
            .entries
            .iter()
            .all(|entry| entry.stored_at.is_some())
    );
}

#[tokio::test]
async fn a_runtime_role_that_lifted_its_time_limits_has_them_all_the_same() {
    let registry = Registry::at("2025-02-03T05:00:00Z").await;
    let mut database = registry.database().await;
    let lifted = "DO $$ BEGIN
        EXECUTE format('ALTER ROLE forms_runtime IN DATABASE %I SET statement_timeout = 0', current_database());
        EXECUTE format('ALTER ROLE forms_runtime IN DATABASE %I SET idle_in_transaction_session_timeout = 0',
                       current_database());
    END $$";
    database.execute(lifted).await.expect("it is lifted");
    let context = registry.running.context(|| Timestamp::UNIX_EPOCH);
    let mut connection = context.db.connection().await.expect("it connects");
    for setting in ["SHOW statement_timeout", "SHOW idle_in_transaction_session_timeout"] {
        let limit: String = sqlx::query_scalar(setting)
            .fetch_one(&mut *connection)
            .await
            .expect("it shows");
        assert_eq!(limit, "10s", "{setting}");
    }
}

#[tokio::test]
async fn a_repeat_that_changes_nothing_has_an_outcome_and_events_of_its_own() {
    let registry = Registry::at("2025-02-03T05:00:00Z").await;
    let mut operator = registry.operator();
    let first = upload(&mut operator, &header(JANUARY), b"a")
        .await
        .expect("it is taken");
    registry.set_clock("2025-02-03T06:00:00Z");
    let again = upload(&mut operator, &header(JANUARY), b"a")
        .await
        .expect("it is there");
    assert_eq!(again, first, "the first upload counts");
    assert_eq!(registry.count("edition_file").await, 1);
    seal(&mut operator, JANUARY).await;
    for _ in 0..3 {
        place(&mut operator, &placing(JANUARY, Place::InformationService))
            .await
            .expect("it is placed");
    }
    let mut auditor = JournalServiceClient::new(registry.running.channel(Some("auditor")));
    let repeated = ListEntriesRequest {
        outcome: Outcome::Repeated.into(),
        ..Default::default()
    };
    let entries = auditor
        .list_entries(repeated)
        .await
        .expect("it lists")
        .into_inner()
        .entries;
    let methods: Vec<_> = entries
        .iter()
        .filter_map(|entry| entry.method.rsplit('/').next())
        .collect();
    assert_eq!(methods, ["PlaceEdition", "PlaceEdition", "UploadEditionFile"]);
    assert!(entries.iter().all(|entry| entry.outcome() == Outcome::Repeated));
    let events: Vec<String> =
        sqlx::query_scalar("SELECT kind FROM forms.outbox_event WHERE resource = $1 ORDER BY number")
            .bind(JANUARY)
            .fetch_all(&mut registry.database().await)
            .await
            .expect("it is readable");
    let expected = [
        "edition.prepared",
        "edition.preparation_repeated",
        "edition.sealed",
        "edition.placed",
        "edition.placement_repeated",
        "edition.placement_repeated",
    ];
    assert_eq!(events, expected);
}
