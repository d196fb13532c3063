//! The check of an import: every row against the registers, no key twice, and totals against their parts. All rows are sound or
//! none is imported.

use std::collections::{HashMap, HashSet};

use legalstat_kit::period::ReportingPeriod;
use rust_decimal::Decimal;

use super::{
    faults::{Fault, Faults, Kind},
    observation::{self, FiguresDigest, Spelled, Status, spelled},
    totals,
};

/// How many dimensions a figure may be broken down by.
pub const DIMENSIONS: usize = 8;
/// How many combinations of codes of dimensions one import may have: each takes some hundred bytes, and every query by dimensions
/// looks through all that there are.
pub const BREAKDOWNS: usize = 20_000;
/// How many rows are held before there is room for all that may come: few imports are large.
const FEW: usize = 65_536;
/// How long the codes may be, and how many of them there may be, that a repetition brings.
const LEARNED: (usize, usize) = (40, 200_000);

/// Numbers of the codes of a breakdown, by the dimensions of the import; 0 where there is none.
pub(super) type Codes = [i32; DIMENSIONS];

/// What the registers say of an indicator on the last day of a period.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub id: i32,
    pub by_territory: bool,
    /// Which of the import's dimensions it may be broken down by.
    pub dimensions: [bool; DIMENSIONS],
}

/// A dimension of the import.
#[derive(Clone, Debug)]
pub struct Axis {
    pub id: String,
    /// The numbers of its codes.
    pub codes: HashMap<String, i32>,
}

/// That a code is the sum of its parts.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The place of the dimension among the import's; `None` for the territory.
    pub axis: Option<usize>,
    pub total: i32,
    pub parts: HashSet<i32>,
}

/// What rows are checked against: what holds on the last day of their period.
#[derive(Clone, Debug)]
pub struct Register {
    pub period: ReportingPeriod,
    pub indicators: HashMap<String, Known>,
    pub territories: HashMap<String, i32>,
    pub axes: Vec<Axis>,
    pub rules: Vec<Rule>,
    /// Whether codes that are not there are entered as they come.
    pub learns: bool,
}

impl Register {
    /// For the repetition of an import that was answered. Whatever is registered since has no say in what the first one was: its
    /// figures are compared by their digest alone.
    pub fn of_repetition(period: ReportingPeriod, dimensions: &[String]) -> Self {
        let axis = |id: &String| Axis {
            id: id.clone(),
            codes: HashMap::new(),
        };
        Self {
            period,
            indicators: HashMap::new(),
            territories: HashMap::new(),
            axes: dimensions.iter().map(axis).collect(),
            rules: Vec::new(),
            learns: true,
        }
    }

    /// The number of a code that a repetition brings; `None` of one that no register can hold.
    fn learned(&self, code: &str) -> Option<i32> {
        if !self.learns {
            return None;
        }
        let axes = self.axes.iter().map(|axis| axis.codes.len());
        let known = self.indicators.len() + self.territories.len() + axes.sum::<usize>();
        let is_code = (1..=LEARNED.0).contains(&code.len());
        let next = i32::try_from(known + 1).ok();
        next.filter(|_| is_code && known < LEARNED.1)
    }
}

/// A row as it came.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    pub indicator: &'a str,
    pub territory: &'a str,
    pub dimensions: &'a [String],
    pub value: &'a str,
    /// The place of the status in the contract's enumeration; 0 for none.
    pub status: i32,
    pub period: &'a str,
}

/// A sound row, by numbers.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub indicator: i32,
    /// 0 is the whole country.
    pub territory: i32,
    /// The place of its breakdown among those of the import.
    pub breakdown: u32,
    number: u32,
    pub status: Status,
    pub value: Option<Decimal>,
}

impl Row {
    fn key(&self) -> (i32, i32, u32) {
        (self.indicator, self.territory, self.breakdown)
    }

    /// Its number among the rows as they came, from 1.
    pub(super) fn number(&self) -> u32 {
        self.number
    }
}

/// An import that is sound.
#[derive(Debug)]
pub struct Checked {
    /// The rows by indicator, territory and breakdown.
    pub rows: Vec<Row>,
    /// The breakdowns: dimension and number of the code, by dimension.
    pub breakdowns: Vec<Vec<(String, i32)>>,
    /// Of the figures in their canonical order and spelling.
    pub sha256: [u8; 32],
}

/// The check under way.
pub struct Check {
    register: Register,
    rows: Vec<Row>,
    most: usize,
    breakdowns: HashMap<Codes, u32>,
    faults: Faults,
    number: u32,
}

impl Check {
    /// A check of at most so many rows.
    pub fn new(register: Register, most: u32) -> Self {
        Self {
            register,
            rows: Vec::new(),
            most: usize::try_from(most).unwrap_or(usize::MAX),
            breakdowns: HashMap::new(),
            faults: Faults::default(),
            number: 0,
        }
    }

    /// How many rows came.
    pub fn count(&self) -> u32 {
        self.number
    }

    /// Whether the rows have more combinations of codes than an import may.
    pub fn has_too_many_breakdowns(&self) -> bool {
        self.breakdowns.len() > BREAKDOWNS
    }

    /// Checks the next row.
    pub fn add(&mut self, given: &Given<'_>) {
        self.number += 1;
        let before = self.faults.count;
        let indicator = self.indicator(given);
        let territory = self.territory(given, indicator.as_ref());
        let codes = self.codes(given, indicator.as_ref());
        let (status, value) = self.value(given);
        if !given.period.is_empty() && given.period.parse() != Ok(self.register.period) {
            self.fault("period", Kind::Period, given.period);
        }
        let Some(indicator) = indicator.filter(|_| self.faults.count == before) else {
            return;
        };
        let next = u32::try_from(self.breakdowns.len()).unwrap_or(u32::MAX);
        let breakdown = *self.breakdowns.entry(codes).or_insert(next);
        if self.rows.len() == FEW {
            // At once, for growing by doubling takes half as much again while the rows move. What is not used costs nothing.
            self.rows.reserve_exact(self.most.saturating_sub(FEW));
        }
        self.rows.push(Row {
            indicator: indicator.id,
            territory,
            breakdown,
            number: self.number,
            status,
            value,
        });
    }

    fn fault(&mut self, column: &str, kind: Kind, value: &str) {
        let row = i64::from(self.number);
        self.faults.add(|| Fault::new(row, column, kind, value));
    }

    fn indicator(&mut self, given: &Given<'_>) -> Option<Known> {
        let mut known = self.register.indicators.get(given.indicator).copied();
        if known.is_none()
            && let Some(id) = self.register.learned(given.indicator)
        {
            let learned = Known {
                id,
                by_territory: true,
                dimensions: [true; DIMENSIONS],
            };
            self.register.indicators.insert(given.indicator.to_owned(), learned);
            known = Some(learned);
        }
        if known.is_none() {
            let kind = if given.indicator.is_empty() {
                Kind::Required
            } else {
                Kind::Unknown
            };
            self.fault("indicator", kind, given.indicator);
        }
        known
    }

    fn territory(&mut self, given: &Given<'_>, indicator: Option<&Known>) -> i32 {
        if given.territory.is_empty() {
            return 0;
        }
        if indicator.is_some_and(|indicator| !indicator.by_territory) {
            self.fault("territory", Kind::Conflict, given.territory);
        }
        if let Some(id) = self.register.territories.get(given.territory) {
            return *id;
        }
        if let Some(id) = self.register.learned(given.territory) {
            self.register.territories.insert(given.territory.to_owned(), id);
            return id;
        }
        self.fault("territory", Kind::Unknown, given.territory);
        0
    }

    fn codes(&mut self, given: &Given<'_>, indicator: Option<&Known>) -> Codes {
        let mut codes = [0; DIMENSIONS];
        let axes = self.register.axes.len();
        if given.dimensions.len() != axes {
            self.fault(
                "dimensions",
                Kind::OutOfRange,
                &format!("{} for {axes}", given.dimensions.len()),
            );
            return codes;
        }
        for (place, code) in given.dimensions.iter().enumerate().filter(|(_, code)| !code.is_empty()) {
            let learned = self.register.learned(code);
            let axis = &mut self.register.axes[place];
            if let (None, Some(id)) = (axis.codes.get(code), learned) {
                axis.codes.insert(code.clone(), id);
            }
            let kind = match axis.codes.get(code) {
                _ if indicator.is_some_and(|indicator| !indicator.dimensions[place]) => Kind::Conflict,
                None => Kind::Unknown,
                Some(id) => {
                    codes[place] = *id;
                    continue;
                }
            };
            let column = axis.id.clone();
            self.fault(&column, kind, code);
        }
        codes
    }

    fn value(&mut self, given: &Given<'_>) -> (Status, Option<Decimal>) {
        let value = observation::decimal(given.value);
        if value.is_none() && !given.value.is_empty() {
            self.fault("value", Kind::Decimal, given.value);
            return (Status::NORMAL, None);
        }
        let status = match given.status {
            0 => Some(Status::NORMAL),
            place => Status::at(place),
        };
        let Some(status) = status else {
            self.fault("status", Kind::Enum, &given.status.to_string());
            return (Status::NORMAL, value);
        };
        if !status.fits(value.is_some()) {
            let column = if given.status == 0 { "value" } else { "status" };
            let kind = if given.status == 0 {
                Kind::Required
            } else {
                Kind::Status
            };
            self.fault(column, kind, &status.letter().to_string());
        }
        (status, value)
    }

    /// Ends the check.
    ///
    /// # Errors
    /// Every fault of the import, the first hundred of them told.
    pub fn done(mut self) -> Result<Checked, Faults> {
        self.rows.sort_unstable_by_key(|row| (row.key(), row.number));
        self.duplicates();
        if self.faults.count == 0 {
            let lists = self.lists();
            totals::compare(&mut self.rows, &self.register.rules, &lists, &mut self.faults);
        }
        if self.faults.count > 0 {
            return Err(self.faults);
        }
        let breakdowns = self.listed();
        let sha256 = self.digest(&breakdowns);
        self.rows.sort_unstable_by_key(Row::key);
        Ok(Checked {
            rows: self.rows,
            breakdowns,
            sha256,
        })
    }

    fn duplicates(&mut self) {
        let pairs = self.rows.windows(2).filter(|pair| pair[0].key() == pair[1].key());
        let mut twice: Vec<u32> = pairs.map(|pair| pair[1].number).collect();
        twice.sort_unstable();
        for number in twice {
            self.faults
                .add(|| Fault::new(number.into(), "indicator", Kind::Duplicate, ""));
        }
    }

    /// The codes of the breakdowns, by their places.
    fn lists(&self) -> Vec<Codes> {
        let mut lists = vec![[0; DIMENSIONS]; self.breakdowns.len()];
        for (codes, place) in &self.breakdowns {
            lists[*place as usize] = *codes;
        }
        lists
    }

    fn listed(&self) -> Vec<Vec<(String, i32)>> {
        let lists = self.lists();
        let breakdown = |codes: &Codes| {
            let mut breakdown: Vec<(String, i32)> = self
                .register
                .axes
                .iter()
                .zip(codes)
                .filter(|(_, code)| **code != 0)
                .map(|(axis, code)| (axis.id.clone(), *code))
                .collect();
            breakdown.sort();
            breakdown
        };
        lists.iter().map(breakdown).collect()
    }

    /// The digest of the rows in their canonical order. They are put into it where they lie, by the ranks of their texts: a million
    /// rows have no room for a second million.
    fn digest(&mut self, breakdowns: &[Vec<(String, i32)>]) -> [u8; 32] {
        let register = &self.register;
        let indicators = register.indicators.iter();
        let indicators = Ranked::of(indicators.map(|(code, known)| (code.as_str(), known.id)));
        let territories = register.territories.iter().map(|(code, id)| (code.as_str(), *id));
        let territories = Ranked::of(territories.chain([("", 0)]));
        let axes = register.axes.iter();
        let codes: HashMap<i32, &str> = axes
            .flat_map(|axis| axis.codes.iter().map(|(code, id)| (*id, code.as_str())))
            .collect();
        let texts = breakdowns.iter().map(|breakdown| {
            let parts = breakdown.iter().map(|(id, code)| format!("{id}={}", codes[code]));
            parts.collect::<Vec<_>>().join(";")
        });
        let texts: Vec<String> = texts.collect();
        let breakdowns = Ranked::of(texts.iter().map(String::as_str).zip(0..));
        for row in &mut self.rows {
            row.indicator = indicators.rank(row.indicator);
            row.territory = territories.rank(row.territory);
            row.breakdown = breakdowns.rank(row.breakdown.cast_signed()).cast_unsigned();
        }
        self.rows.sort_unstable_by_key(Row::key);
        let mut digest = FiguresDigest::default();
        for row in &mut self.rows {
            let (indicator, number) = indicators.at(row.indicator);
            row.indicator = number;
            let (territory, number) = territories.at(row.territory);
            row.territory = number;
            let (breakdown, place) = breakdowns.at(row.breakdown.cast_signed());
            row.breakdown = place.cast_unsigned();
            let key = Spelled {
                indicator,
                territory,
                breakdown,
            };
            digest.add(&key, row.status, &row.value.map(spelled).unwrap_or_default());
        }
        digest.done()
    }
}

/// Texts in the order of their bytes, with the numbers that stand for them.
struct Ranked<'a> {
    texts: Vec<(&'a str, i32)>,
    ranks: HashMap<i32, i32>,
}

impl<'a> Ranked<'a> {
    fn of(texts: impl Iterator<Item = (&'a str, i32)>) -> Self {
        let mut texts: Vec<(&str, i32)> = texts.collect();
        texts.sort_unstable();
        let ranks = texts.iter().zip(0..).map(|((_, number), rank)| (*number, rank));
        Self {
            ranks: ranks.collect(),
            texts,
        }
    }

    /// The rank of a number that is there.
    fn rank(&self, number: i32) -> i32 {
        self.ranks[&number]
    }

    /// The text and the number of a rank that is there.
    fn at(&self, rank: i32) -> (&'a str, i32) {
        self.texts[rank.unsigned_abs() as usize]
    }
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
