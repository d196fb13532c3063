//! Figures in files of at most so many bytes: a file ends between two territories where it can.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Figure, TOTAL};

/// How figures are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, in UTF-8, with a line of heads.
    Csv,
    /// An array of objects.
    Json,
}

impl Format {
    /// The ending of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Json => "application/json",
        }
    }
}

/// A finished part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub bytes: Vec<u8>,
    /// The territories of its figures, in order; [`TOTAL`] is the whole country.
    pub territories: Vec<String>,
}

/// Gathers figures, which come by territory, into parts.
pub struct Parts {
    format: Format,
    most: usize,
    period: String,
    dimensions: Vec<String>,
    rows: Vec<Row>,
    bytes: usize,
}

struct Row {
    territory: String,
    text: String,
}

impl Parts {
    /// Of one period, broken down by these dimensions, in files of at most so many bytes.
    pub fn new(format: Format, most: usize, period: &str, dimensions: &[String]) -> Self {
        let mut parts = Self {
            format,
            most,
            period: period.to_owned(),
            dimensions: dimensions.to_vec(),
            rows: Vec::new(),
            bytes: 0,
        };
        parts.bytes = parts.frame();
        parts
    }

    /// The heads of the columns.
    pub fn heads(dimensions: &[String]) -> Vec<String> {
        let before = ["indicator", "territory", "period"].map(str::to_owned).into_iter();
        let after = ["value", "status"].map(str::to_owned);
        before
            .chain(dimensions.iter().map(|id| id.to_lowercase()))
            .chain(after)
            .collect()
    }

    /// Adds a figure; gives the part before it when that is full.
    pub fn push(&mut self, figure: &Figure) -> Option<Part> {
        let territory = figure.territory.clone().unwrap_or_else(|| TOTAL.to_owned());
        let text = self.text(figure, &territory);
        let full = !self.rows.is_empty() && self.bytes + self.length(&text) > self.most;
        let finished = full.then(|| self.cut(&territory, text.len()));
        self.bytes += self.length(&text);
        self.rows.push(Row { territory, text });
        finished
    }

    /// The last part; `None` when there is no figure.
    pub fn finish(mut self) -> Option<Part> {
        let rows = std::mem::take(&mut self.rows);
        (!rows.is_empty()).then(|| self.part(&rows))
    }

    /// Takes what comes before the last territory, so that it begins the next part; everything when there is nothing before it, or
    /// when the next part could not take it and one row more.
    fn cut(&mut self, next: &str, next_length: usize) -> Part {
        let last = self.rows.last().map_or("", |row| row.territory.as_str());
        let boundary = if last == next {
            self.rows
                .iter()
                .rposition(|row| row.territory != last)
                .map_or(0, |before| before + 1)
        } else {
            self.rows.len()
        };
        let rest: usize = self.rows[boundary..].iter().map(|row| self.length(&row.text)).sum();
        let fits = self.frame() + rest + next_length + 2 <= self.most;
        let kept = if boundary == 0 || !fits {
            Vec::new()
        } else {
            self.rows.split_off(boundary)
        };
        let finished = std::mem::replace(&mut self.rows, kept);
        self.bytes = self.frame() + self.rows.iter().map(|row| self.length(&row.text)).sum::<usize>();
        self.part(&finished)
    }

    /// How many bytes a part has beside its rows, at most.
    fn frame(&self) -> usize {
        match self.format {
            Format::Csv => self.head().len(),
            Format::Json => 4,
        }
    }

    /// How many bytes a row takes, at most: with what parts it from the one before.
    fn length(&self, text: &str) -> usize {
        text.len() + 2
    }

    fn head(&self) -> String {
        Self::heads(&self.dimensions).join(",") + "\n"
    }

    fn part(&self, rows: &[Row]) -> Part {
        let mut territories: Vec<String> = rows.iter().map(|row| row.territory.clone()).collect();
        territories.dedup();
        let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
        let bytes = match self.format {
            Format::Csv => self.head() + &texts.join("\n") + "\n",
            Format::Json => format!("[\n{}\n]\n", texts.join(",\n")),
        };
        Part {
            bytes: bytes.into_bytes(),
            territories,
        }
    }

    fn text(&self, figure: &Figure, territory: &str) -> String {
        let codes = figure.codes.iter().map(|code| code.as_deref().unwrap_or(TOTAL));
        let status = figure.status.to_string();
        match self.format {
            // Codes and decimals need no quotes: the database takes letters, digits, `_`, `-` and `.` only.
            Format::Csv => {
                let cells = [figure.indicator.as_str(), territory, &self.period]
                    .into_iter()
                    .chain(codes);
                let value = figure.value.as_deref().unwrap_or_default();
                cells.chain([value, &status]).collect::<Vec<_>>().join(",")
            }
            Format::Json => {
                let mut text = String::from("{");
                let heads = Self::heads(&self.dimensions);
                let cells = [figure.indicator.as_str(), territory, &self.period]
                    .into_iter()
                    .chain(codes);
                for (head, cell) in heads.iter().zip(cells) {
                    write!(text, "{}: {}, ", Value::from(head.as_str()), Value::from(cell)).expect("a string takes it");
                }
                // A decimal is written as it is: no reader's number of ours stands in between.
                let value = figure.value.as_deref().unwrap_or("null");
                write!(text, "\"value\": {value}, \"status\": \"{status}\"}}").expect("a string takes it");
                text
            }
        }
    }
}
