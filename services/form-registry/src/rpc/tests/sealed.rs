//! What is sealed keeps its figures, whoever tries, and what is in preparation can lose them.

use legalstat_proto::forms::v1::{Channel as Place, DeleteObservationsRequest};
use sqlx::Executor as _;

use super::{
    figures::{place_all, with_figures},
    imports::{JANUARY, import, row},
    *,
};

const BEFORE: &str = "forms/1/editions/2025-M01";

/// Changes of the figures of a set, one for each kind.
fn changes(set: &str) -> [(&'static str, String); 3] {
    [
        (
            "INSERT",
            format!(
                "INSERT INTO forms.observation (figure_set, indicator, territory, breakdown, status, value)
                 SELECT {set}, min(id), 0, 0, 'A', 1 FROM forms.indicator"
            ),
        ),
        (
            "UPDATE",
            format!("UPDATE forms.observation SET value = 77 WHERE figure_set = {set}"),
        ),
        (
            "DELETE",
            format!("DELETE FROM forms.observation WHERE figure_set = {set}"),
        ),
    ]
}

fn constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(|error| error.constraint())
}

#[tokio::test]
async fn the_database_keeps_sealed_figures_from_everyone_and_lets_those_in_preparation_change() {
    let registry = with_figures(&[]).await;
    seal(&mut registry.operator(), JANUARY).await;
    let set = |period: &str| format!("(SELECT id FROM forms.figure_set WHERE period = '{period}')");
    let before = registry.count("observation WHERE value = 77").await;
    for (kind, sql) in changes(&set("2026-M01")) {
        for mut connection in [registry.running.runtime().await, registry.database().await] {
            let error = connection.execute(sqlx::AssertSqlSafe(sql.clone())).await;
            let error = error.expect_err(&sql);
            if error.as_database_error().and_then(|error| error.code()).as_deref() == Some("42501") {
                assert_eq!(kind, "UPDATE", "the runtime role may change no row at all");
                continue;
            }
            assert_eq!(constraint(&error), Some("observation_sealed_stays"), "{sql}");
        }
    }
    assert_eq!(registry.count("observation WHERE value = 77").await, before);
    for (kind, sql) in changes(&set("2025-M01")) {
        let mut connection = match kind {
            "UPDATE" => registry.database().await,
            _ => registry.running.runtime().await,
        };
        let changed = connection.execute(sqlx::AssertSqlSafe(sql.clone())).await;
        assert!(changed.expect(&sql).rows_affected() > 0, "{sql}");
    }
    // Rows cannot wander into what is sealed either.
    import(&mut registry.operator(), BEFORE, vec![row("cases", "", "", "1")])
        .await
        .expect("it is imported");
    let moved = format!(
        "UPDATE forms.observation SET figure_set = {}, territory = 77 WHERE figure_set = {}",
        set("2026-M01"),
        set("2025-M01")
    );
    let moved = registry.database().await.execute(sqlx::AssertSqlSafe(moved)).await;
    assert_eq!(
        constraint(&moved.expect_err("it is sealed")),
        Some("observation_sealed_stays")
    );
}

const SEALING: &str = "UPDATE forms.revision
    SET sealed_at = now(), sealed_by = 'operator', content_sha256 = sha256(''), restricted = false WHERE period = '2026-M01'";

async fn until_one_waits(registry: &Registry) {
    let mut database = registry.database().await;
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waiting = async {
        while sqlx::query_scalar::<_, i64>(waits)
            .fetch_one(&mut database)
            .await
            .expect("it counts")
            == 0
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("one waits");
}

#[tokio::test]
async fn who_seals_waits_for_figures_on_their_way_and_figures_wait_for_who_seals() {
    let registry = with_figures(&[]).await;
    let [(_, adding), _, (_, dropping)] = changes("(SELECT id FROM forms.figure_set WHERE period = '2026-M01')");
    let (mut importing, mut sealing) = (registry.running.runtime().await, registry.running.runtime().await);

    let mut import = importing.begin().await.expect("it begins");
    import
        .execute(sqlx::AssertSqlSafe(adding))
        .await
        .expect("nothing is sealed yet");
    let sealed = tokio::spawn(async move {
        let mut seal = sealing.begin().await.expect("it begins");
        seal.execute(SEALING).await.expect("it is sealed");
        (seal.rollback().await.expect("it ends"), sealing).1
    });
    until_one_waits(&registry).await;
    import.commit().await.expect("it ends");
    let mut sealing = sealed.await.expect("it no longer waits");

    let mut seal = sealing.begin().await.expect("it begins");
    seal.execute(SEALING).await.expect("it is sealed");
    let dropped = tokio::spawn(async move { importing.execute(sqlx::AssertSqlSafe(dropping)).await });
    until_one_waits(&registry).await;
    seal.commit().await.expect("it ends");
    let dropped = dropped.await.expect("it no longer waits");
    assert_eq!(
        constraint(&dropped.expect_err("it is sealed")),
        Some("observation_sealed_stays")
    );
}

#[tokio::test]
async fn the_database_places_only_what_is_sealed_and_adds_no_file_to_a_package_that_is_out() {
    let registry = with_figures(&[]).await;
    let mut operator = registry.operator();
    seal(&mut operator, JANUARY).await;
    place(&mut operator, &placing(JANUARY, Place::InformationService))
        .await
        .expect("it is placed");
    let mut runtime = registry.running.runtime().await;
    let placement = |period: &str, hash: &str| {
        format!(
            "INSERT INTO forms.placement (form, period, channel, revision, placed_at, placed_by, address, content_sha256,
                 effective_at, due_date, calendar_version, punctuality, late_days)
             SELECT form, '{period}', 'OFFICIAL_WEBSITE', 1, placed_at, placed_by, '', {hash}, effective_at, due_date,
                 calendar_version, punctuality, late_days FROM forms.placement"
        )
    };
    for (sql, expected) in [
        (placement("2025-M01", "content_sha256"), Some("placement_of_sealed")),
        (placement("2026-M01", "sha256('')"), Some("placement_of_sealed")),
        (placement("2026-M01", "content_sha256"), None),
    ] {
        let done = runtime.execute(sqlx::AssertSqlSafe(sql.clone())).await;
        assert_eq!(done.as_ref().err().and_then(constraint), expected, "{sql}: {done:?}");
    }
    let file = |path: &str| {
        format!(
            "INSERT INTO forms.open_data_file (form, period, version, path, content_type, size_bytes, sha256)
             VALUES (1, '2026-M01', 1, '{path}', 'text/csv', 1, sha256(''))"
        )
    };
    let package = "INSERT INTO forms.open_data_package (form, period, version, revision, sha256, made_at, made_by)
        VALUES (1, '2026-M01', 1, 1, sha256(convert_to(encode(sha256(''), 'hex') || '  a.csv' || E'\\n', 'UTF8')), now(), 'x')";
    runtime.execute(package).await.expect("it is stored");
    for (path, expected) in [
        ("b.csv", Some("open_data_file_of_digest")),
        ("a.csv", None),
        ("b.csv", Some("open_data_file_of_digest")),
    ] {
        let added = runtime.execute(sqlx::AssertSqlSafe(file(path))).await;
        assert_eq!(added.as_ref().err().and_then(constraint), expected, "{path}: {added:?}");
    }
}

fn taking(name: &str) -> DeleteObservationsRequest {
    DeleteObservationsRequest {
        name: name.into(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    }
}

#[tokio::test]
async fn figures_in_preparation_are_taken_away_once_and_what_is_sealed_keeps_them() {
    let registry = with_figures(&[]).await;
    let mut operator = registry.operator();
    let figures = "observation o JOIN forms.figure_set f ON f.id = o.figure_set WHERE f.period = '2026-M01'";
    let events = "outbox_event WHERE kind = 'observations.deleted'";
    let trial = DeleteObservationsRequest {
        validate_only: true,
        ..taking(JANUARY)
    };
    operator.delete_observations(trial).await.expect("it could be done");
    assert_eq!((registry.count(figures).await, registry.count(events).await), (5, 0));

    let request = taking(JANUARY);
    let first = operator.delete_observations(request.clone()).await;
    let first = first.expect("it is done").into_inner();
    assert_eq!((first.name.as_str(), first.revisions.len()), (JANUARY, 1));
    let again = operator.delete_observations(request).await;
    assert_eq!(again.expect("it is the same call").into_inner(), first);
    assert_eq!((registry.count(figures).await, registry.count(events).await), (0, 1));
    assert_eq!(registry.count("figure_set").await, 1, "the other edition keeps its own");
    let journaled = "journal_entry WHERE method LIKE '%DeleteObservations' AND resource = 'forms/1/editions/2026-M01'";
    assert_eq!(registry.count(journaled).await, 1);

    let more = operator.delete_observations(taking(JANUARY)).await;
    refused(more, Code::NotFound, "RESOURCE_NOT_FOUND");
    refused(
        try_seal(&mut operator, JANUARY).await,
        Code::FailedPrecondition,
        "CONTENT_MISSING",
    );
    import(&mut operator, JANUARY, vec![row("cases", "", "", "1")])
        .await
        .expect("others take their place");
    place_all(&registry).await;
    refused(
        operator.delete_observations(taking(JANUARY)).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
    try_correct(&mut operator, JANUARY, "a slip")
        .await
        .expect("it is begun");
    refused(
        operator.delete_observations(taking(JANUARY)).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    import(&mut operator, JANUARY, vec![row("cases", "", "", "2")])
        .await
        .expect("it is imported");
    operator
        .delete_observations(taking(JANUARY))
        .await
        .expect("the correction is in preparation");
    assert_eq!(registry.count(figures).await, 1, "what was placed keeps its own");
    let wrong = violations(operator.delete_observations(DeleteObservationsRequest::default()).await);
    assert_eq!(wrong, pairs(&[("name", "REQUIRED"), ("request_id", "REQUEST_ID")]));
    refused(
        operator.delete_observations(taking("forms/1/editions/2018-M01")).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
}
