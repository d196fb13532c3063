//! Which statements a call sends to the database, as the server itself tells in its log.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use sqlx::PgConnection;

use legalstat_test_support::system::System;

/// What each line of the log begins with; lines without it belong to the one before.
const MARK: &str = "bench ";
/// How long settings may take to hold in every connection, and lines to be written.
const SETTLING: Duration = Duration::from_millis(300);

/// What a line with a statement's parameters begins with.
const PARAMETERS: &str = "DETAIL:  parameters: ";

/// A statement that the server saw.
pub(crate) struct Sent {
    pub(crate) statement: String,
    /// Its parameters as the log has them: `$1 = 'forms/1', $2 = NULL`.
    pub(crate) parameters: String,
}

/// The server's log while it tells every statement.
pub(crate) struct Listening {
    log: PathBuf,
    from: usize,
}

impl Listening {
    /// Lets the server tell every statement.
    pub(crate) async fn start(system: &System, database: &mut PgConnection) -> Self {
        for setting in [
            "ALTER SYSTEM SET log_statement = 'all'",
            "ALTER SYSTEM SET log_line_prefix = 'bench %p '",
        ] {
            apply(database, setting).await;
        }
        apply(database, "SELECT pg_reload_conf()").await;
        tokio::time::sleep(SETTLING).await;
        let log = system.home().join("postgres/log");
        let from = std::fs::read(&log).expect("the server keeps a log").len();
        Self { log, from }
    }

    /// Ends it; what each connection sent, in order.
    pub(crate) async fn stop(self, database: &mut PgConnection) -> Vec<Vec<Sent>> {
        tokio::time::sleep(SETTLING).await;
        let log = std::fs::read(&self.log).expect("the server keeps a log");
        let told = String::from_utf8_lossy(&log[self.from..]).into_owned();
        for setting in [
            "ALTER SYSTEM RESET log_statement",
            "ALTER SYSTEM RESET log_line_prefix",
            "SELECT pg_reload_conf()",
        ] {
            apply(database, setting).await;
        }
        sent(&told)
    }
}

async fn apply(database: &mut PgConnection, statement: &'static str) {
    let done = sqlx::query(statement).execute(database).await;
    done.expect("the server is ours");
}

fn sent(told: &str) -> Vec<Vec<Sent>> {
    // A new line within a statement is followed by a tab.
    let told = told.replace("\n\t", " ");
    let mut connections: BTreeMap<&str, Vec<Sent>> = BTreeMap::new();
    for line in told.lines().filter_map(|line| line.strip_prefix(MARK)) {
        let Some((process, said)) = line.split_once(' ') else {
            continue;
        };
        let sent = connections.entry(process).or_default();
        if let Some(statement) = statement(said) {
            sent.push(Sent {
                statement: statement.to_owned(),
                parameters: String::new(),
            });
        } else if let (Some(parameters), Some(last)) = (said.strip_prefix(PARAMETERS), sent.last_mut()) {
            parameters.clone_into(&mut last.parameters);
        }
    }
    connections.into_values().collect()
}

fn statement(said: &str) -> Option<&str> {
    let said = said.strip_prefix("LOG:  ")?;
    match said.strip_prefix("statement: ") {
        Some(statement) => Some(statement),
        None => said.strip_prefix("execute ")?.split_once(": ").map(|(_, text)| text),
    }
}
