//! PostgreSQL's own pgbench, in the same server as the services.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::process::Command;

use crate::load::Turn;
use legalstat_test_support::system::System;

/// pgbench on a database.
pub(crate) struct Pgbench {
    program: PathBuf,
    url: String,
    schema: &'static str,
}

impl Pgbench {
    /// Finds it where the server's other programs are.
    pub(crate) fn new(system: &System, database: &str, schema: &'static str) -> Self {
        let given = std::env::var_os("LEGALSTAT_POSTGRES_BIN").map(PathBuf::from);
        let bin = legalstat_local::programs::find(given.as_deref()).expect("PostgreSQL is here: it runs");
        Self {
            program: bin.join("pgbench"),
            url: system.database_url(database),
            schema,
        }
    }

    /// Runs a script by so many clients for as long as a turn lasts; the turn, and how often the script ran.
    pub(crate) async fn run(&self, script: &Path, clients: usize, length: Duration) -> (Turn, usize) {
        let output = Command::new(&self.program)
            .args(["-n", "-M", "prepared", "-j", &clients.min(2).to_string()])
            .args(["-c", &clients.to_string(), "-T", &length.as_secs().to_string()])
            .arg("-f")
            .arg(script)
            .arg(&self.url)
            .env("PGOPTIONS", format!("-c search_path={}", self.schema))
            .output()
            .await
            .expect("pgbench is beside the server's other programs");
        let (said, wrong) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "pgbench: {said}{wrong}");
        let turn = Turn {
            rate: told(&said, "tps = ").expect("it tells a rate"),
            latencies: Vec::new(),
            processor: None,
        };
        let count = told(&said, "number of transactions actually processed: ").expect("it counts");
        (turn, count)
    }
}

/// The number that pgbench tells after these words.
fn told<N: std::str::FromStr>(said: &str, words: &str) -> Option<N> {
    let rest = said.lines().find_map(|line| line.strip_prefix(words))?;
    let number = rest.split([' ', '/']).next()?;
    number.parse().ok()
}
