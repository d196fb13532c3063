//! Totals against their parts: whatever a rule says is a total is compared with the sum of the parts that are there. One with a part
//! without a value cannot be compared, nor can one without parts.

use std::collections::{BTreeSet, HashMap};

use bigdecimal::BigDecimal;

use super::{
    faults::{Fault, Faults, Kind, TOLD},
    import::{Codes, Row, Rule},
    observation::{exact, plain, spelled},
};

/// Compares the totals of rows, and leaves the rows in another order. `lists` are the codes of the breakdowns, by their places. Rows
/// that add up to a total are brought side by side, dimension by dimension: sums of all of them at once would take as much memory as
/// the rows themselves.
pub fn compare(rows: &mut [Row], rules: &[Rule], lists: &[Codes], faults: &mut Faults) {
    let mut wrong = Wrong::default();
    let axes: BTreeSet<Option<usize>> = rules.iter().map(|rule| rule.axis).collect();
    for axis in axes {
        let along = Along::of(axis, rules, lists);
        rows.sort_unstable_by_key(|row| along.group(row));
        for group in rows.chunk_by(|one, other| along.group(one) == along.group(other)) {
            along.compare(group, &mut wrong);
        }
    }
    for (number, said) in wrong.first {
        faults.add(|| Fault::new(number.into(), "value", Kind::Total, &said));
        wrong.count -= 1;
    }
    faults.count += wrong.count;
}

/// The wrong totals: how many there are, and the first of them by their rows.
#[derive(Default)]
struct Wrong {
    count: i64,
    first: BTreeSet<(u32, String)>,
}

impl Wrong {
    fn add(&mut self, row: &Row, said: impl FnOnce() -> String) {
        self.count += 1;
        let is_late = self.first.last().is_some_and(|last| last.0 < row.number());
        if self.first.len() < TOLD || !is_late {
            self.first.insert((row.number(), said()));
        }
        if self.first.len() > TOLD {
            self.first.pop_last();
        }
    }
}

/// The totals along one dimension, or the territory.
struct Along<'a> {
    axis: Option<usize>,
    lists: &'a [Codes],
    /// The totals that a code is a part of.
    totals: HashMap<i32, Vec<i32>>,
    /// For each breakdown the number of what is left of it without the dimension.
    others: Vec<u32>,
}

impl<'a> Along<'a> {
    fn of(axis: Option<usize>, rules: &[Rule], lists: &'a [Codes]) -> Self {
        let mut totals: HashMap<i32, Vec<i32>> = HashMap::new();
        for rule in rules.iter().filter(|rule| rule.axis == axis) {
            for part in &rule.parts {
                totals.entry(*part).or_default().push(rule.total);
            }
        }
        let mut numbers: HashMap<Codes, u32> = HashMap::new();
        let others = lists.iter().map(|codes| {
            let mut others = *codes;
            if let Some(axis) = axis {
                others[axis] = 0;
            }
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            *numbers.entry(others).or_insert(next)
        });
        Self {
            axis,
            lists,
            totals,
            others: others.collect(),
        }
    }

    /// The code of a row along the dimension.
    fn code(&self, row: &Row) -> i32 {
        match self.axis {
            Some(axis) => self.lists[row.breakdown as usize][axis],
            None => row.territory,
        }
    }

    /// What rows have in common that differ along the dimension only.
    fn group(&self, row: &Row) -> (i32, i32, u32) {
        let territory = self.axis.map_or(0, |_| row.territory);
        (row.indicator, territory, self.others[row.breakdown as usize])
    }

    fn compare(&self, group: &[Row], wrong: &mut Wrong) {
        let mut sums: HashMap<i32, Option<BigDecimal>> = HashMap::new();
        for row in group {
            for total in self.totals.get(&self.code(row)).into_iter().flatten() {
                let sum = sums.entry(*total).or_insert_with(|| Some(BigDecimal::default()));
                *sum = sum.take().zip(row.value).map(|(sum, value)| sum + exact(value));
            }
        }
        for row in group {
            if let (Some(Some(sum)), Some(value)) = (sums.get(&self.code(row)), row.value)
                && *sum != exact(value)
            {
                wrong.add(row, || format!("{} is not {}", spelled(value), plain(sum)));
            }
        }
    }
}
