//! The check of an import: every row against the registers, no key twice, and totals against their parts. All rows are sound or
//! none is imported.

use std::collections::{HashMap, HashSet};

use legalstat_kit::period::ReportingPeriod;
use rust_decimal::Decimal;

use super::{
    faults::{Fault, Faults, Kind},
    observation::{self, FiguresDigest, Spelled, Status},
};

/// How many dimensions a figure may be broken down by.
pub const DIMENSIONS: usize = 8;

/// Numbers of the codes of a breakdown, by the dimensions of the import; 0 where there is none.
type Codes = [i32; DIMENSIONS];

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
}

/// An import that is sound.
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
    breakdowns: HashMap<Codes, u32>,
    faults: Faults,
    number: u32,
}

impl Check {
    pub fn new(register: Register) -> Self {
        Self {
            register,
            rows: Vec::new(),
            breakdowns: HashMap::new(),
            faults: Faults::default(),
            number: 0,
        }
    }

    /// How many rows came.
    pub fn count(&self) -> u32 {
        self.number
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
        let known = self.register.indicators.get(given.indicator).copied();
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
        match self.register.territories.get(given.territory) {
            Some(id) => *id,
            None => {
                self.fault("territory", Kind::Unknown, given.territory);
                0
            }
        }
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
            let axis = &self.register.axes[place];
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
            self.totals();
        }
        if self.faults.count > 0 {
            return Err(self.faults);
        }
        let breakdowns = self.listed();
        let sha256 = self.digest();
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

    /// Whatever a rule says is a total is compared with the sum of the parts that are there. One with a part without a value
    /// cannot be compared, nor can one without parts.
    fn totals(&mut self) {
        let mut wrong = Vec::new();
        let lists = self.lists();
        for rule in &self.register.rules {
            let mut sums: HashMap<(i32, i32, u32), Option<Decimal>> = HashMap::new();
            for row in &self.rows {
                let Some(total) = self.total_of(rule, row, &lists) else {
                    continue;
                };
                let sum = sums.entry(total).or_insert(Some(Decimal::ZERO));
                *sum = sum.zip(row.value).and_then(|(sum, value)| sum.checked_add(value));
            }
            for row in &self.rows {
                if let (Some(Some(sum)), Some(value)) = (sums.get(&row.key()), row.value)
                    && *sum != value
                {
                    wrong.push((row.number, value, *sum));
                }
            }
        }
        wrong.sort_unstable();
        for (number, value, sum) in wrong {
            let said = format!("{value} is not {}", sum.normalize());
            self.faults
                .add(|| Fault::new(number.into(), "value", Kind::Total, &said));
        }
    }

    /// The key of the total that a row is a part of.
    fn total_of(&self, rule: &Rule, row: &Row, lists: &[Codes]) -> Option<(i32, i32, u32)> {
        let Some(axis) = rule.axis else {
            let total = (row.indicator, rule.total, row.breakdown);
            return rule.parts.contains(&row.territory).then_some(total);
        };
        let mut codes = lists[row.breakdown as usize];
        if !rule.parts.contains(&codes[axis]) {
            return None;
        }
        codes[axis] = rule.total;
        let breakdown = self.breakdowns.get(&codes)?;
        Some((row.indicator, row.territory, *breakdown))
    }

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

    fn digest(&self) -> [u8; 32] {
        let indicators = self
            .register
            .indicators
            .iter()
            .map(|(code, known)| (known.id, code.as_str()));
        let territories = self.register.territories.iter().map(|(code, id)| (*id, code.as_str()));
        let codes: HashMap<i32, &str> = self
            .register
            .axes
            .iter()
            .flat_map(|axis| axis.codes.iter().map(|(code, id)| (*id, code.as_str())))
            .collect();
        let spelled = self.listed().into_iter().map(|breakdown| {
            let parts = breakdown
                .iter()
                .map(|(dimension, code)| format!("{dimension}={}", codes[code]));
            parts.collect::<Vec<_>>().join(";")
        });
        let (spelled, figures) = (spelled.collect::<Vec<_>>(), &self.rows);
        let names = Names {
            indicators: indicators.collect(),
            territories: territories.chain([(0, "")]).collect(),
            breakdowns: spelled
                .iter()
                .zip(0..)
                .map(|(text, place)| (place, text.as_str()))
                .collect(),
        };
        let keys = figures
            .iter()
            .map(|row| (row.indicator, row.territory, row.breakdown.cast_signed()));
        digest(&names, keys.zip(figures.iter().map(|row| (row.status, row.value))))
    }
}

/// The texts behind the numbers of figures.
pub struct Names<'a> {
    pub indicators: HashMap<i32, &'a str>,
    /// With 0 for the whole country.
    pub territories: HashMap<i32, &'a str>,
    pub breakdowns: HashMap<i32, &'a str>,
}

/// The digest of figures that come by numbers, in whatever order. A number without a text counts as an empty one.
pub fn digest(
    names: &Names<'_>,
    figures: impl Iterator<Item = ((i32, i32, i32), (Status, Option<Decimal>))>,
) -> [u8; 32] {
    let (indicators, territories, breakdowns) = (
        Ranked::of(&names.indicators),
        Ranked::of(&names.territories),
        Ranked::of(&names.breakdowns),
    );
    let mut order: Vec<_> = figures
        .map(|((indicator, territory, breakdown), figure)| {
            let ranks = (
                indicators.rank(indicator),
                territories.rank(territory),
                breakdowns.rank(breakdown),
            );
            (ranks, figure)
        })
        .collect();
    order.sort_unstable_by_key(|(ranks, _)| *ranks);
    let mut digest = FiguresDigest::default();
    for ((indicator, territory, breakdown), (status, value)) in order {
        let key = Spelled {
            indicator: indicators.text(indicator),
            territory: territories.text(territory),
            breakdown: breakdowns.text(breakdown),
        };
        digest.add(&key, status, value);
    }
    digest.done()
}

/// Texts in the order of their bytes, by the numbers that stand for them.
struct Ranked<'a> {
    texts: Vec<&'a str>,
    ranks: HashMap<i32, usize>,
}

impl<'a> Ranked<'a> {
    fn of(texts: &HashMap<i32, &'a str>) -> Self {
        let mut order: Vec<(&str, i32)> = texts.iter().map(|(id, text)| (*text, *id)).collect();
        order.sort_unstable();
        Self {
            texts: order.iter().map(|(text, _)| *text).collect(),
            ranks: order.iter().enumerate().map(|(rank, (_, id))| (*id, rank)).collect(),
        }
    }

    fn rank(&self, id: i32) -> usize {
        self.ranks.get(&id).copied().unwrap_or(usize::MAX)
    }

    fn text(&self, rank: usize) -> &'a str {
        self.texts.get(rank).copied().unwrap_or_default()
    }
}
