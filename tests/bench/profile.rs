//! Where the time goes: the processor time that the services, PostgreSQL and the bench itself use in a turn, as Linux tells it.

use std::{process, time::Instant};

use comfy_table::{CellAlignment, Table, presets};

use crate::{load::process_fields, report::Turn};

/// What was used in the turns of each kind.
pub(crate) struct Profile {
    postmaster: u32,
    kinds: Vec<(String, Vec<Used>)>,
}

/// Hundredths of a second of processor time, for so many answers.
#[derive(Clone, Copy, Default)]
struct Used {
    server: u64,
    database: u64,
    client: u64,
    machine: u64,
    /// How long it took, in seconds.
    seconds: f64,
    answers: usize,
}

impl Profile {
    pub(crate) fn new(postmaster: u32) -> Self {
        Self {
            postmaster,
            kinds: Vec::new(),
        }
    }

    /// Lets a turn run, and counts what it uses under its kind; `server` is the process that answers.
    pub(crate) async fn around(
        &mut self,
        kind: &str,
        server: Option<u32>,
        turn: impl Future<Output = (Turn, usize)>,
    ) -> Turn {
        let (before, began) = (self.read(server), Instant::now());
        let (turn, answers) = turn.await;
        let seconds = began.elapsed().as_secs_f64();
        let after = self.read(server);
        let used = Used {
            server: after.server.saturating_sub(before.server),
            database: after.database.saturating_sub(before.database),
            client: after.client.saturating_sub(before.client),
            machine: after.machine.saturating_sub(before.machine),
            seconds,
            answers,
        };
        match self.kinds.iter_mut().find(|(known, _)| known == kind) {
            Some((_, turns)) => turns.push(used),
            None => self.kinds.push((kind.to_owned(), vec![used])),
        }
        turn
    }

    fn read(&self, server: Option<u32>) -> Used {
        Used {
            server: server.map(itself).unwrap_or_default(),
            database: with_children(self.postmaster),
            // pgbench has ended by then, and stands with the children.
            client: itself(process::id()) + ended_children(process::id()),
            machine: machine(),
            ..Used::default()
        }
    }

    /// The processor time that an answer took of all who took part, in microseconds, in each turn of a kind.
    pub(crate) fn spent(&self, kind: &str) -> Vec<f64> {
        let turns = self
            .kinds
            .iter()
            .filter(|(known, _)| known == kind)
            .flat_map(|(_, turns)| turns);
        turns.map(|used| used.each(used.of_all())).collect()
    }

    /// All kinds as a table.
    pub(crate) fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header([
            "processor time of an answer",
            "answers",
            "server µs",
            "PostgreSQL µs",
            "client µs",
            "cores used",
            "by others",
        ]);
        for (kind, turns) in &self.kinds {
            let mut sum = Used::default();
            turns.iter().for_each(|turn| sum.add(turn));
            table.add_row(sum.row(kind));
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        format!("{table}\n")
    }
}

impl Used {
    fn add(&mut self, more: &Self) {
        self.server += more.server;
        self.database += more.database;
        self.client += more.client;
        self.machine += more.machine;
        self.seconds += more.seconds;
        self.answers += more.answers;
    }

    fn of_all(&self) -> u64 {
        self.server + self.database + self.client
    }

    /// So many hundredths of a second as microseconds of each answer.
    fn each(&self, ticks: u64) -> f64 {
        ticks as f64 * 1e4 / self.answers.max(1) as f64
    }

    fn row(&self, kind: &str) -> [String; 7] {
        let each = |ticks: u64| format!("{:.0}", self.each(ticks));
        let cores = |ticks: u64| format!("{:.2}", ticks as f64 / 100.0 / self.seconds);
        let ours = self.of_all();
        [
            kind.to_owned(),
            self.answers.to_string(),
            each(self.server),
            each(self.database),
            each(self.client),
            cores(ours),
            cores(self.machine.saturating_sub(ours)),
        ]
    }
}

fn sum(process: u32, fields: std::ops::Range<usize>) -> u64 {
    let told = process_fields(process);
    told.and_then(|told| Some(told.get(fields)?.iter().sum()))
        .unwrap_or_default()
}

fn itself(process: u32) -> u64 {
    sum(process, 11..13)
}

fn ended_children(process: u32) -> u64 {
    sum(process, 13..15)
}

/// A process with the children that run and those that have ended: PostgreSQL has one for each connection.
fn with_children(parent: u32) -> u64 {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let children = processes.filter(|process| {
        let told = process_fields(*process);
        told.and_then(|told| told.get(1).copied()) == Some(parent.into())
    });
    itself(parent) + ended_children(parent) + children.map(itself).sum::<u64>()
}

/// What all processes of the machine have used: user, nice, system, and interrupts, without idling and waiting.
fn machine() -> u64 {
    let told = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields = told.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let fields: Vec<u64> = fields.map(|field| field.parse().unwrap_or_default()).collect();
    [0, 1, 2, 5, 6].into_iter().filter_map(|at| fields.get(at)).sum()
}
