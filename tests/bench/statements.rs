//! Which statements a call sends to the database, as the server itself tells in its log.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use sqlx::PgConnection;

use legalstat_test_support::system::System;

/// What each line of the log begins with; lines without it belong to the one before.
const MARK: &str = "bench ";
/// How long settings may take to hold in every connection, and lines to be written.
const SETTLING: Duration = Duration::from_millis(300);

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

    /// Ends it; what was sent by the connections that named a value, in order.
    pub(crate) async fn stop(self, database: &mut PgConnection, value: &str) -> Vec<String> {
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
        sent(&told, value)
    }
}

async fn apply(database: &mut PgConnection, statement: &'static str) {
    let done = sqlx::query(statement).execute(database).await;
    done.expect("the server is ours");
}

fn sent(told: &str, value: &str) -> Vec<String> {
    // A new line within a statement is followed by a tab.
    let told = told.replace("\n\t", " ");
    let mut connections: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in told.lines().filter_map(|line| line.strip_prefix(MARK)) {
        if let Some((process, said)) = line.split_once(' ') {
            connections.entry(process).or_default().push(said);
        }
    }
    let named = connections
        .into_values()
        .filter(|said| said.iter().any(|line| line.contains(value)));
    named.flatten().filter_map(statement).map(plain).collect()
}

fn statement(said: &str) -> Option<&str> {
    let said = said.strip_prefix("LOG:  ")?;
    match said.strip_prefix("statement: ") {
        Some(statement) => Some(statement),
        None => said.strip_prefix("execute ")?.split_once(": ").map(|(_, text)| text),
    }
}

/// The statements of a script for pgbench, as [`Listening`] would tell them.
pub(crate) fn of_script(script: &str) -> Vec<String> {
    let lines = script.lines().filter(|line| !line.starts_with("--"));
    let text = lines.collect::<Vec<_>>().join(" ");
    let statements = text.split(';').map(plain);
    statements.filter(|statement| !statement.is_empty()).collect()
}

/// A statement on one line, with a question mark for each parameter.
fn plain(statement: &str) -> String {
    let text = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut plain = String::new();
    let mut characters = text.chars().peekable();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        let next = characters.peek().copied().unwrap_or(' ');
        let numbered = character == '$' && next.is_ascii_digit();
        let named = character == ':' && before != ':' && next.is_ascii_lowercase();
        if numbered || named {
            while characters
                .next_if(|next| next.is_ascii_alphanumeric() || *next == '_')
                .is_some()
            {}
            plain.push('?');
        } else {
            plain.push(character);
        }
        before = character;
    }
    plain
}
