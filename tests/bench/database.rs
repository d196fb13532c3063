//! The system's database, as its superuser.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::report;

/// Runs statements, which must succeed.
pub(crate) async fn run(database: &mut PgConnection, statements: String) {
    let shown = statements.clone();
    let done = sqlx::raw_sql(AssertSqlSafe(statements)).execute(database).await;
    done.unwrap_or_else(|error| panic!("{error}: {shown}"));
}

/// Says how durable the server is, which it must be.
pub(crate) async fn durable(database: &mut PgConnection) {
    for name in ["fsync", "synchronous_commit", "full_page_writes", "wal_sync_method"] {
        let show = AssertSqlSafe(format!("SHOW {name}"));
        let value: String = sqlx::query_scalar(show)
            .fetch_one(&mut *database)
            .await
            .expect("a setting");
        report::say(&format!("{name} = {value}\n"));
        assert_ne!(value, "off", "{name}: only what is durable is measured");
    }
}
