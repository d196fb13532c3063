//! Figures as they are told: by their names, with what is suppressed of them and how they grew.

use std::collections::{HashMap, HashSet};

use bigdecimal::BigDecimal;
use jiff::Timestamp;
use legalstat_kit::{Error, law::LocalizedText};
use legalstat_proto::forms::v1::{DimensionCode, Observation};
use sqlx::PgConnection;

use super::showing::Showing;
use crate::{
    db::{
        embargo, figure_set,
        observation::{self, Breakdown, Total},
    },
    domain::{
        embargo::Embargo,
        key::EditionKey,
        observation::{Status, growth, of_total, plain, year_before},
        query::Figure,
        serving::{self, Held},
        suppression::{Made, Suppression, Why},
    },
};

/// What of figures is suppressed, and what of them is under an embargo.
pub(super) struct Telling {
    pub(super) suppression: Suppression,
    pub(super) embargoes: HashMap<EditionKey, Embargo>,
    pub(super) now: Timestamp,
}

/// A figure and what is said of it.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) figure: Figure,
    note: Option<LocalizedText>,
    previous: Option<BigDecimal>,
    parts: i64,
    missing: i64,
}

impl Told {
    fn suppressed(mut self, why: Option<Why>) -> Self {
        if let Some(why) = why {
            self.figure.value = None;
            self.figure.status = Status::SUPPRESSED;
            self.note = Some(why.text());
        }
        self
    }
}

impl Telling {
    /// As it stands at an instant.
    pub(super) async fn at(
        connection: &mut PgConnection,
        now: Timestamp,
        suppression: Suppression,
    ) -> Result<Self, Error> {
        let embargoes = embargo::holding(connection, None, now).await?;
        Ok(Self {
            suppression,
            embargoes,
            now,
        })
    }

    /// Of each period of a form the figures that are shown.
    pub(super) async fn served(
        &self,
        connection: &mut PgConnection,
        filter: &figure_set::Filter<'_>,
        named: Option<i32>,
        showing: &mut Showing<'_>,
    ) -> Result<Vec<Held>, Error> {
        let held = figure_set::held(connection, filter, self.now).await?;
        Ok(serving::served(held, named, |key| {
            showing.view(key, self.embargoes.get(&key), true)
        }))
    }

    /// What is placed openly is shown as it is.
    fn is_open(&self, sets: &[Held], figure: &Figure) -> bool {
        let set = sets.iter().find(|set| set.set == figure.set);
        set.is_some_and(|set| set.standing.is_open() && !self.embargoes.contains_key(&set.key))
    }

    pub(super) fn single(&self, sets: &[Held], figure: Figure) -> Told {
        let why = match &figure.value {
            Some(value) if !self.is_open(sets, &figure) => self.suppression.of_figure(value),
            _ => None,
        };
        let told = Told {
            figure,
            note: None,
            previous: None,
            parts: 0,
            missing: 0,
        };
        told.suppressed(why)
    }

    pub(super) fn total(&self, sets: &[Held], total: Total) -> Told {
        let sum = total.figure.value.clone();
        let made = sum.zip(total.largest).map(|(sum, largest)| Made {
            sum,
            parts: total.parts,
            small: total.small,
            largest,
        });
        let open = self.is_open(sets, &total.figure);
        let why = made.filter(|_| !open).and_then(|made| self.suppression.of_total(&made));
        let told = Told {
            figure: Figure {
                status: of_total(&total.statuses),
                ..total.figure
            },
            note: None,
            previous: None,
            parts: total.parts,
            missing: total.missing,
        };
        told.suppressed(why)
    }

    /// The figures of the same periods of the year before that are served.
    pub(super) async fn year_before(
        &self,
        connection: &mut PgConnection,
        form: i32,
        sets: &[Held],
        showing: &mut Showing<'_>,
    ) -> Result<Vec<Held>, Error> {
        let periods = sets
            .iter()
            .filter_map(|set| Some(year_before(set.key.period)?.to_string()));
        let periods: Vec<String> = periods.collect();
        let filter = figure_set::Filter {
            form,
            first: None,
            last: None,
            among: Some(&periods),
        };
        self.served(connection, &filter, None, showing).await
    }
}

/// Puts beside each figure that of the year before.
pub(super) fn compare(told: &mut [Told], sets: &[Held], before: &[Held], earlier: &[Told]) {
    type Key = (i32, i32, i32, i32);
    let key = |set: i32, figure: &Figure| -> Key { (set, figure.indicator, figure.territory, figure.breakdown) };
    let of_year_before: HashMap<i32, i32> = sets
        .iter()
        .filter_map(|set| {
            let period = year_before(set.key.period)?;
            let earlier = before.iter().find(|earlier| earlier.key.period == period)?;
            Some((set.set, earlier.set))
        })
        .collect();
    let values: HashMap<Key, &BigDecimal> = earlier
        .iter()
        .filter_map(|told| Some((key(told.figure.set, &told.figure), told.figure.value.as_ref()?)))
        .collect();
    for told in told {
        let set = of_year_before.get(&told.figure.set);
        told.previous = set.and_then(|set| values.get(&key(*set, &told.figure)).copied().cloned());
    }
}

/// The keys under which figures would stand in the sets of the year before.
pub(super) fn keys_before(told: &[Told], sets: &[Held], before: &[Held]) -> Vec<(i32, i32, i32, i32)> {
    let keys = told.iter().filter_map(|told| {
        let figure = &told.figure;
        let set = sets.iter().find(|set| set.set == figure.set)?;
        let period = year_before(set.key.period)?;
        let earlier = before.iter().find(|earlier| earlier.key.period == period)?;
        Some((earlier.set, figure.indicator, figure.territory, figure.breakdown))
    });
    keys.collect()
}

/// Writes figures by their names.
pub(super) async fn to_messages(
    connection: &mut PgConnection,
    sets: &[Held],
    told: Vec<Told>,
    made: &HashMap<i32, Breakdown>,
) -> Result<Vec<Observation>, Error> {
    let distinct = |of: fn(&Told) -> i32| -> Vec<i32> {
        let numbers: HashSet<i32> = told.iter().map(of).collect();
        numbers.into_iter().collect()
    };
    let indicators = observation::indicators(connection, &distinct(|told| told.figure.indicator)).await?;
    let breakdowns = observation::breakdowns_of(connection, &distinct(|told| told.figure.breakdown)).await?;
    let mut breakdowns: HashMap<i32, Breakdown> = breakdowns
        .into_iter()
        .map(|breakdown| (breakdown.id, breakdown))
        .collect();
    breakdowns.extend(made.iter().map(|(id, breakdown)| (*id, breakdown.clone())));
    let mut codes: HashSet<i32> = told.iter().map(|told| told.figure.territory).collect();
    codes.extend(breakdowns.values().flat_map(|breakdown| &breakdown.codes));
    let codes = observation::codes(connection, &codes.into_iter().collect::<Vec<_>>()).await?;
    // Sets and indicators are few, and figures many: their names are written once.
    let parent = sets.first().map(|set| set.key.parent()).unwrap_or_default();
    let indicators: HashMap<i32, String> = indicators
        .into_iter()
        .map(|(id, code)| (id, format!("{parent}/indicators/{code}")))
        .collect();
    let sets = sets
        .iter()
        .map(|set| (set.set, (set, set.key.to_string(), set.key.period.to_string())));
    let sets: HashMap<i32, (&Held, String, String)> = sets.collect();
    let name = |names: &HashMap<i32, String>, number: i32| names.get(&number).cloned().unwrap_or_default();
    let messages = told.into_iter().filter_map(|told| {
        let (set, edition, period) = sets.get(&told.figure.set)?;
        let figure = told.figure;
        let parts = breakdowns.get(&figure.breakdown);
        let parts = parts
            .into_iter()
            .flat_map(|breakdown| breakdown.dimensions.iter().zip(&breakdown.codes));
        let dimensions = parts.map(|(dimension, code)| DimensionCode {
            dimension: dimension.clone(),
            code: name(&codes, *code),
        });
        let (value, previous) = (figure.value.as_ref(), told.previous.as_ref());
        let grown = value.zip(previous).and_then(|(value, before)| growth(value, before));
        let written = |value: Option<&BigDecimal>| value.map(plain).unwrap_or_default();
        Some(Observation {
            edition: edition.clone(),
            revision: set.revision,
            indicator: name(&indicators, figure.indicator),
            territory: name(&codes, figure.territory),
            period: period.clone(),
            dimensions: dimensions.collect(),
            value: written(value),
            status: figure.status.place(),
            note: told.note.map(Into::into),
            previous_value: written(previous),
            growth_percent: written(grown.as_ref()),
            parts: i32::try_from(told.parts).unwrap_or(i32::MAX),
            missing_parts: i32::try_from(told.missing).unwrap_or(i32::MAX),
        })
    });
    Ok(messages.collect())
}
