//! Medians, ratios with their spread, and the table of them.

use std::{io::Write, time::Duration};

use comfy_table::{CellAlignment, Table, presets};

/// Writes to standard output.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).ok();
}

/// What one turn gave.
pub(crate) struct Turn {
    pub(crate) rate: f64,
    /// How long each call took, in order of length.
    pub(crate) latencies: Vec<Duration>,
    /// The processor time that the server took for a call, where the machine tells.
    pub(crate) processor: Option<Duration>,
}

/// The turns of one subject.
#[derive(Default)]
pub(crate) struct Rounds {
    turns: Vec<Turn>,
}

impl Rounds {
    pub(crate) fn add(&mut self, turn: Turn) {
        self.turns.push(turn);
    }

    pub(crate) fn rates(&self) -> Vec<f64> {
        self.turns.iter().map(|turn| turn.rate).collect()
    }

    /// The rates as parts of another subject's.
    pub(crate) fn against(&self, other: &Self) -> Ratios {
        ratios(&self.rates(), &other.rates())
    }

    /// The seconds within which so many of a hundred calls were answered, where calls were timed one by one.
    pub(crate) fn percentile(&self, percent: usize) -> Option<f64> {
        let mut all: Vec<_> = self.turns.iter().flat_map(|turn| &turn.latencies).collect();
        all.sort_unstable();
        Some(all.get(all.len().checked_sub(1)? * percent / 100)?.as_secs_f64())
    }

    fn processor(&self) -> Option<f64> {
        let told: Option<Vec<_>> = self.turns.iter().map(|turn| turn.processor).collect();
        told.map(|told| median(&told.iter().map(Duration::as_secs_f64).collect::<Vec<_>>()))
    }
}

/// A ratio of medians, with the quartiles of the ratios within one round.
pub(crate) struct Ratios {
    ratio: f64,
    lower: f64,
    upper: f64,
}

/// What one subject gave in each round as parts of what the other gave.
pub(crate) fn ratios(these: &[f64], those: &[f64]) -> Ratios {
    let mut each: Vec<_> = these.iter().zip(those).map(|(this, that)| this / that).collect();
    each.sort_by(f64::total_cmp);
    Ratios {
        ratio: median(these) / median(those),
        lower: each[each.len() / 4],
        upper: each[each.len() - 1 - each.len() / 4],
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    }
}

/// Whether a target is met.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There is none.
    None,
    Met,
    Missed,
}

/// A line of the table.
pub(crate) struct Line {
    what: String,
    rate: String,
    median: String,
    percentile: String,
    processor: String,
    ratio: String,
    target: String,
    verdict: Verdict,
}

impl Line {
    /// A line that says only what was found.
    pub(crate) fn plain(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            rate: String::new(),
            median: String::new(),
            percentile: String::new(),
            processor: String::new(),
            ratio: String::new(),
            target: String::new(),
            verdict: Verdict::None,
        }
    }

    /// Calls made in rounds.
    pub(crate) fn of_rounds(what: String, rounds: &Rounds) -> Self {
        Self {
            rate: format!("{:.0}", median(&rounds.rates())),
            median: rounds.percentile(50).map(milliseconds).unwrap_or_default(),
            percentile: rounds.percentile(99).map(milliseconds).unwrap_or_default(),
            processor: rounds
                .processor()
                .map(|time| format!("{:.1}", time * 1e6))
                .unwrap_or_default(),
            ..Self::plain(what)
        }
    }

    /// Times that a number of answers took.
    pub(crate) fn of_times(what: String, times: &[f64], answers: usize) -> Self {
        let middle = median(times);
        Self {
            rate: format!("{:.0}", answers as f64 / middle),
            median: milliseconds(middle),
            percentile: milliseconds(times.iter().copied().fold(0.0, f64::max)),
            ..Self::plain(what)
        }
    }

    /// With a value and whether it is as it should be.
    pub(crate) fn judged(self, value: String, target: String, met: bool) -> Self {
        Self {
            ratio: value,
            target,
            verdict: if met { Verdict::Met } else { Verdict::Missed },
            ..self
        }
    }

    /// With a ratio that has no target.
    pub(crate) fn with_ratio(self, ratios: &Ratios) -> Self {
        Self {
            ratio: ratios.in_words(2),
            ..self
        }
    }

    /// With a ratio that should be at least so great.
    pub(crate) fn at_least(self, target: f64, ratios: &Ratios) -> Self {
        self.judged(ratios.in_words(2), format!("≥ {target}"), ratios.ratio >= target)
    }

    /// With a ratio that should be less.
    pub(crate) fn below(self, target: f64, ratios: &Ratios) -> Self {
        self.judged(ratios.in_words(3), format!("< {target}"), ratios.ratio < target)
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.verdict
    }
}

impl Ratios {
    fn in_words(&self, digits: usize) -> String {
        let Self { ratio, lower, upper } = self;
        format!("{ratio:.digits$} ({lower:.digits$} to {upper:.digits$})")
    }
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.2}", seconds * 1e3)
}

/// All lines as a table.
pub(crate) fn table(lines: &[Line]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "what",
        "answers/s",
        "p50 ms",
        "p99 ms",
        "server µs",
        "ratio",
        "target",
        "met",
    ]);
    for line in lines {
        let met = match line.verdict {
            Verdict::None => "",
            Verdict::Met => "yes",
            Verdict::Missed => "no",
        };
        table.add_row([
            &line.what,
            &line.rate,
            &line.median,
            &line.percentile,
            &line.processor,
            &line.ratio,
            &line.target,
            met,
        ]);
    }
    for column in table.column_iter_mut().skip(1).take(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n")
}
