//! PostgreSQL's own pgbench, in the same server as the services.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::process::Command;

use crate::report::Turn;
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
        // The folder may hold links to some of the programs; pgbench stands where they lead.
        let server = bin.join("postgres").canonicalize().expect("the server's program");
        Self {
            program: server.with_file_name("pgbench"),
            url: system.database_url(database),
            schema,
        }
    }

    /// Runs a script by so many clients for as long as a turn lasts, and for a second before in which they connect, prepare the
    /// statements and get their plans; the turn, and how often the script ran with that second.
    pub(crate) async fn run(&self, script: &Path, clients: usize, length: Duration) -> (Turn, usize) {
        let output = Command::new(&self.program)
            .args(["-n", "-M", "prepared", "-j", &clients.min(2).to_string()])
            .args(["-c", &clients.to_string(), "-T", &(length.as_secs() + 1).to_string()])
            .args(["-P", "1"])
            .arg("-f")
            .arg(script)
            .arg(&self.url)
            .env(
                "PGOPTIONS",
                format!("-c search_path={} -c plan_cache_mode=force_generic_plan", self.schema),
            )
            .output()
            .await
            .expect("pgbench is beside the server's other programs");
        let said = String::from_utf8_lossy(&output.stdout);
        let progress = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "pgbench: {said}{progress}");
        let seconds: Vec<f64> = progress.lines().filter_map(rate).skip(1).collect();
        let turn = Turn {
            rate: seconds.iter().sum::<f64>() / seconds.len() as f64,
            latencies: Vec::new(),
            processor: None,
        };
        let count = told(&said, "number of transactions actually processed: ").expect("it counts");
        (turn, count)
    }
}

/// The rate in a line that pgbench writes each second.
fn rate(line: &str) -> Option<f64> {
    let (_, told) = line.strip_prefix("progress: ")?.split_once(" s, ")?;
    told.split_once(" tps")?.0.parse().ok()
}

/// The number that pgbench tells after these words.
fn told(said: &str, words: &str) -> Option<usize> {
    let rest = said.lines().find_map(|line| line.strip_prefix(words))?;
    rest.split(['/', ' ']).next()?.parse().ok()
}
