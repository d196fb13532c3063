use std::time::Duration;

use legalstat_kit::{due, schema::Tables, write};
use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

use super::*;

async fn prepare(ground: &Ground, database: &str) {
    // Roles belong to the whole server: nobody else prepares a database meanwhile.
    let _alone = ground.templates.lock().await;
    let server = ground.cluster.admin_url("postgres");
    let prepared = roles::prepare_database(&server, database, &ground.passwords).await;
    prepared.expect("the database is made");
}

#[tokio::test]
async fn a_release_that_brings_only_tables_of_the_kit_is_waited_for() {
    let ground = Ground::shared().await;
    let (server, database, never) = (
        ground.cluster.admin_url("postgres"),
        "waiting",
        CancellationToken::new(),
    );
    prepare(&ground, database).await;
    let url = |url: anyhow::Result<String>| schema::options(&url.expect("a URL")).expect("a URL");
    let owner = url(ground.passwords.owner_url(&server, database, "forms"));
    let runtime = url(ground.passwords.runtime_url(&server, database, "forms"));
    let (before, now) = ([&write::TABLES], [&write::TABLES, &due::TABLES]);

    schema::migrate(&owner, &before, &never).await.expect("it migrates");
    schema::wait_until_migrated(&runtime, &before, &never)
        .await
        .expect("nothing is missing");
    let mut waiting = Box::pin(schema::wait_until_migrated(&runtime, &now, &never));
    let waited = tokio::time::timeout(Duration::from_millis(600), &mut waiting).await;
    assert!(waited.is_err(), "{waited:?}");

    schema::migrate(&owner, &now, &never).await.expect("it migrates");
    let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    waited.expect("nothing is missing any more").expect("nobody stopped it");
    // A release before, whose owner starts again, leaves what it does not know.
    schema::migrate(&owner, &before, &never).await.expect("it migrates");
}

/// Migrations that each are a statement without a transaction.
fn alone(statements: &[&'static str]) -> Tables {
    let migrations = statements.iter().zip(1..).map(|(statement, version)| {
        Migration::new(
            version,
            "".into(),
            MigrationType::Simple,
            statement.into_sql_str(),
            true,
        )
    });
    Tables::of_service(Migrator::with_migrations(migrations.collect()))
}

#[tokio::test]
async fn several_who_migrate_at_once_do_not_keep_an_index_from_being_built_concurrently() {
    let ground = Ground::shared().await;
    let (server, database, never) = (
        ground.cluster.admin_url("postgres"),
        "concurrently",
        CancellationToken::new(),
    );
    prepare(&ground, database).await;
    let owner = ground.passwords.owner_url(&server, database, "forms").expect("a URL");
    let owner = schema::options(&owner).expect("a URL");
    let tables = alone(&[
        "CREATE TABLE built (number integer)",
        // The others wait when the index is begun.
        "DO 'BEGIN
            WHILE (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) < 4 LOOP
                PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
            END LOOP;
        END'",
        "CREATE INDEX CONCURRENTLY built_number ON built (number)",
    ]);
    let tables = [&tables];
    let migrate = || schema::migrate(&owner, &tables, &never);
    let migrated = tokio::try_join!(migrate(), migrate(), migrate(), migrate());
    migrated.expect("each migrates or finds it done");
}
