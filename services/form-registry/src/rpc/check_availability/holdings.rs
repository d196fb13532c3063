//! The figures of an item that open editions hold.

use std::collections::HashMap;

use legalstat_kit::Error;
use legalstat_proto::forms::v1::{Holding, Observation};

use super::{Found, territories};
use crate::{
    db::{self, figure_set, observation},
    domain::{
        availability::{self, Item, Match},
        history::History,
        query::Narrowing,
        serving,
        visibility::View,
    },
    rpc::{
        FormRegistry,
        figures::{Telling, to_messages},
        narrowing::hidden,
        showing::Showing,
    },
};

/// How many figures one edition shows of an item.
const FIGURES: i64 = 100;

/// The open editions that hold the indicator of an item, with the very figures. They are told as to the public, whoever asks:
/// what an answer points to must be open to its reader.
pub(super) async fn holdings(
    registry: &FormRegistry,
    found: &Found,
    showing: &mut Showing<'_>,
    item: &Item,
    meant: &Match,
) -> Result<Vec<Holding>, Error> {
    let of_form = |history: &&History| Some(history.last().form.list_number) == meant.name.form();
    let Some(history) = found.histories.iter().find(of_form) else {
        return Ok(Vec::new());
    };
    let periods = availability::asked_periods(item, history);
    let Some(territories) = territories(found, item).filter(|_| !periods.is_empty()) else {
        return Ok(Vec::new());
    };
    let periods: Vec<String> = periods.iter().map(ToString::to_string).collect();
    let filter = figure_set::Filter {
        form: history.last().form.list_number,
        first: None,
        last: None,
        among: Some(&periods),
    };
    let mut snapshot = registry.context.db.snapshot().await?;
    let now = registry.context.now();
    let telling = Telling {
        suppression: registry.figures.suppression,
        // One may have been set since the editions were looked up.
        embargoes: db::embargo::holding(&mut snapshot, None, now).await?,
        now,
    };
    let held = figure_set::held(&mut snapshot, &filter, telling.now).await?;
    let view = |key| {
        let embargo = telling.embargoes.get(&key);
        showing.view(key, embargo, true);
        if embargo.is_some() { View::Dates } else { View::Open }
    };
    let sets = serving::served(held, None, view);
    let narrowing = Narrowing {
        sets: sets.iter().map(|set| set.set).collect(),
        // What is open today may be restricted in the period that is asked about.
        hidden: hidden(&mut snapshot, filter.form, &sets, false).await?,
        indicators: Some(vec![meant.number]),
        territories: Some(territories),
        of_each: Some(FIGURES),
        ..Narrowing::default()
    };
    let figures = observation::list(&mut snapshot, &narrowing, None, i64::MAX).await?;
    let told = figures
        .into_iter()
        .map(|figure| telling.single(&sets, figure))
        .collect();
    let observations = to_messages(&mut snapshot, &sets, told, &HashMap::new()).await?;
    Ok(by_edition(&sets, observations))
}

/// Figures in the order of their sets, by set.
fn by_edition(sets: &[serving::Held], observations: Vec<Observation>) -> Vec<Holding> {
    let mut holdings: Vec<Holding> = sets
        .iter()
        .map(|set| Holding {
            edition: set.key.to_string(),
            revision: set.revision,
            figures_sha256: hex::encode(&set.sha256),
            observations: Vec::new(),
        })
        .collect();
    for observation in observations {
        let of_edition = |holding: &&mut Holding| holding.edition == observation.edition;
        if let Some(holding) = holdings.iter_mut().find(of_edition) {
            holding.observations.push(observation);
        }
    }
    holdings.retain(|holding| !holding.observations.is_empty());
    holdings
}
