//! Totals over dimensions: which breakdown counts to which total.

use std::collections::HashMap;

use legalstat_kit::Error;
use sqlx::PgConnection;

use super::narrowing::Asked;
use crate::{
    db::{
        code_list,
        observation::{Breakdown, Summing},
    },
    domain::{indicator::TERRITORY, suppression::Suppression},
};

/// How totals are made.
pub(super) struct Sums {
    parts: Vec<i32>,
    wholes: Vec<i32>,
    over_territory: bool,
    with_parts: Vec<i32>,
    threshold: i64,
    /// The breakdowns of the totals, by numbers below nought, which no stored one has.
    pub(super) made: HashMap<i32, Breakdown>,
}

impl Sums {
    /// How the totals that are asked for are made; `None` when none are.
    pub(super) async fn over(
        connection: &mut PgConnection,
        asked: &Asked,
        suppression: Suppression,
    ) -> Result<Option<Self>, Error> {
        if asked.total_over.is_empty() {
            return Ok(None);
        }
        let breakdowns = asked.breakdowns(connection).await?.unwrap_or_default();
        let mut sums = Self {
            parts: Vec::new(),
            wholes: Vec::new(),
            over_territory: asked.total_over.iter().any(|id| id == TERRITORY),
            with_parts: code_list::with_parts(connection).await?,
            threshold: suppression.threshold.into(),
            made: HashMap::new(),
        };
        let over: Vec<&String> = asked.total_over.iter().filter(|id| *id != TERRITORY).collect();
        for breakdown in breakdowns {
            sums.take(breakdown, &over);
        }
        Ok(Some(sums))
    }

    /// Counts a breakdown to its total: the same without the dimensions summed over. One that lacks one of them is no part of it,
    /// nor is one whose code has parts.
    fn take(&mut self, breakdown: Breakdown, over: &[&String]) {
        let is_part = over.iter().all(|id| {
            let place = breakdown.dimensions.iter().position(|dimension| dimension == *id);
            place.is_some_and(|place| !self.with_parts.contains(&breakdown.codes[place]))
        });
        if !is_part {
            return;
        }
        let kept = breakdown
            .dimensions
            .iter()
            .zip(&breakdown.codes)
            .filter(|(id, _)| !over.contains(id));
        let (dimensions, codes): (Vec<String>, Vec<i32>) = kept.map(|(id, code)| (id.clone(), *code)).unzip();
        let known = self
            .made
            .values()
            .find(|made| made.dimensions == dimensions && made.codes == codes);
        let whole = known.map(|made| made.id).unwrap_or_else(|| {
            let id = i32::MIN + i32::try_from(self.made.len()).unwrap_or(i32::MAX);
            self.made.insert(id, Breakdown { id, dimensions, codes });
            id
        });
        self.parts.push(breakdown.id);
        self.wholes.push(whole);
    }

    pub(super) fn summing(&self) -> Summing<'_> {
        Summing {
            breakdowns: &self.parts,
            into: &self.wholes,
            over_territory: self.over_territory,
            territories_with_parts: &self.with_parts,
            threshold: self.threshold,
        }
    }
}
