//! CheckAvailability.

use std::collections::HashMap;

use legalstat_kit::{Call, Error, FieldReason, Violations, zone};
use legalstat_proto::forms::v1::{
    self as proto, AvailabilityItem, CheckAvailabilityRequest, CheckAvailabilityResponse, Holding, IndicatorMatch,
    ItemAvailability,
};
use sqlx::PgConnection;
use tonic::Response;

use super::{
    FormRegistry,
    figures::{Telling, to_messages},
    narrowing::hidden,
    showing::Showing,
};
use crate::{
    db::{
        self,
        availability::{Wanted, matches, of_forms},
        code_list, figure_set, observation,
    },
    domain::{
        availability::{self, Availability, Finding, Item, Match, Registers},
        indicator::KATO,
        key,
        query::Narrowing,
        serving,
        visibility::View,
    },
};

/// How many items one call may ask about.
const MAX_ITEMS: usize = 100;
/// How many characters the words of an item may have.
const WORDS: usize = 500;
/// How many figures one edition shows of an item.
const FIGURES: i64 = 100;

pub(super) async fn check_availability(
    registry: &FormRegistry,
    call: Call,
    request: CheckAvailabilityRequest,
) -> Result<Response<CheckAvailabilityResponse>, Error> {
    let mut violations = Violations::new();
    if !(1..=MAX_ITEMS).contains(&request.items.len()) {
        violations.add("items", FieldReason::OutOfRange, format!("1 to {MAX_ITEMS} items"));
    }
    let items = request.items.into_iter().enumerate();
    let items: Vec<Item> = items
        .map(|(place, given)| item(&mut violations, place, given))
        .collect();
    violations.refuse()?;
    registry.schedule.require_whole()?;
    let db = &registry.context.db;
    let found = looked_up(registry, &items).await?;
    let matched = found.values().flatten().map(|found| found.name.form);
    let named = items.iter().filter_map(|item| {
        let of_indicator = item.indicator.as_ref().map(|name| name.form);
        key::parse_form(&item.form).ok().or(of_indicator)
    });
    let mut named: Vec<i32> = named.chain(matched).collect();
    named.sort_unstable();
    named.dedup();
    let today = zone::civil_day(registry.context.now());
    // Side by side, for a submission waits for both. Each hands its connection back without waiting for the other.
    let forms = async { db::form::list(&mut *db.planned().await?, Some(&named), today).await };
    let of_forms = async { of_forms(&mut *db.planned().await?, &named, registry.context.now()).await };
    let (forms, mut of_forms) = tokio::try_join!(forms, of_forms)?;
    let now = registry.context.now();
    let embargoes = match of_forms.embargoed {
        true => db::embargo::holding(&mut *db.planned().await?, None, now).await?,
        false => HashMap::new(),
    };
    let mut showing = Showing::to(&call, now);
    of_forms.placed.retain(|key| {
        let is_named = items.iter().any(|item| availability::names(item, *key));
        showing.view(*key, embargoes.get(key), is_named) != View::Dates
    });
    let telling = Telling {
        suppression: registry.figures.suppression,
        embargoes,
        now,
    };
    let registers = Registers {
        forms: &forms,
        placed: &of_forms.placed,
        entered: &of_forms.entered,
    };
    let mut answers = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        let matches = found.get(&place).map(Vec::as_slice).unwrap_or_default();
        let finding = availability::find(item, registers, matches);
        let holdings = match availability::meant(item, matches) {
            Some(meant) if !meant.restricted => {
                holdings(registry, &telling, &mut showing, (item, meant), registers).await?
            }
            _ => Vec::new(),
        };
        answers.push(answer(item, finding, matches, holdings));
    }
    showing.record(&registry.context, &call).await?;
    Ok(showing.answer(CheckAvailabilityResponse { items: answers }))
}

fn item(violations: &mut Violations, place: usize, given: AvailabilityItem) -> Item {
    let field = |name: &str| format!("items[{place}].{name}");
    let indicator = match given.indicator.as_str() {
        "" => None,
        name => violations.check(&field("indicator"), FieldReason::ResourceName, name.parse()),
    };
    let words = violations.optional_text(&field("words"), &given.words, WORDS);
    Item {
        form: given.form,
        period: given.period,
        until_period: given.until_period,
        indicator,
        words,
        unit: violations.optional_name(&field("unit"), &given.unit, 40),
        territory: violations.optional_name(&field("territory"), &given.territory, 40),
    }
}

/// The indicators that items may mean, by their places. Items that ask for none cost nothing.
async fn looked_up(registry: &FormRegistry, items: &[Item]) -> Result<HashMap<usize, Vec<Match>>, Error> {
    let wanted = (0..)
        .zip(items)
        .filter(|(_, item)| item.asks_for_indicator())
        .map(|(place, item)| Wanted {
            item: place,
            named: item.indicator.clone(),
            words: if item.indicator.is_some() {
                String::new()
            } else {
                item.words.clone()
            },
            form: key::parse_form(&item.form).ok(),
            unit: item.unit.clone(),
        });
    let wanted: Vec<Wanted> = wanted.collect();
    let mut found: HashMap<usize, Vec<Match>> = HashMap::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    let today = zone::civil_day(registry.context.now());
    let mut connection = registry.context.db.connection().await?;
    for (place, matched) in matches(&mut connection, &wanted, today).await? {
        found
            .entry(usize::try_from(place).unwrap_or_default())
            .or_default()
            .push(matched);
    }
    Ok(found)
}

/// The open editions that hold the indicator of an item, with the very figures. They are told as to the public, whoever asks:
/// what an answer points to must be open to its reader.
async fn holdings(
    registry: &FormRegistry,
    telling: &Telling,
    showing: &mut Showing<'_>,
    (item, meant): (&Item, &Match),
    registers: Registers<'_>,
) -> Result<Vec<Holding>, Error> {
    let form = registers.forms.iter().find(|form| form.list_number == meant.name.form);
    let periods = form
        .map(|form| availability::asked_periods(item, form))
        .unwrap_or_default();
    if periods.is_empty() {
        return Ok(Vec::new());
    }
    let periods: Vec<String> = periods.iter().map(ToString::to_string).collect();
    let filter = figure_set::Filter {
        form: meant.name.form,
        first: None,
        last: None,
        among: Some(&periods),
    };
    let mut snapshot = registry.context.db.snapshot().await?;
    let Some(territory) = territory(&mut snapshot, &item.territory).await? else {
        return Ok(Vec::new());
    };
    let mut holdings = Vec::new();
    let held = figure_set::held(&mut snapshot, &filter, telling.now).await?;
    let view = |key| {
        let embargo = telling.embargoes.get(&key);
        showing.view(key, embargo, true);
        if embargo.is_some() { View::Dates } else { View::Open }
    };
    for set in serving::served(held, None, view) {
        let sets = [set];
        let narrowing = Narrowing {
            sets: vec![sets[0].set],
            // What is open today may be restricted in the period that is asked about.
            hidden: hidden(&mut snapshot, meant.name.form, &sets, false).await?,
            indicators: Some(vec![meant.number]),
            territories: Some(vec![territory]),
            ..Narrowing::default()
        };
        let figures = observation::list(&mut snapshot, &narrowing, None, FIGURES).await?;
        if figures.is_empty() {
            continue;
        }
        let told = figures
            .into_iter()
            .map(|figure| telling.single(&sets, figure))
            .collect();
        let observations = to_messages(&mut snapshot, &sets, told, &HashMap::new()).await?;
        holdings.push(Holding {
            edition: sets[0].key.to_string(),
            revision: sets[0].revision,
            figures_sha256: hex::encode(&sets[0].sha256),
            observations,
        });
    }
    Ok(holdings)
}

/// The number of a territory, 0 for the whole country; `None` for one that is not registered.
async fn territory(connection: &mut PgConnection, code: &str) -> Result<Option<i32>, Error> {
    match code {
        "" => Ok(Some(0)),
        code => Ok(code_list::number(connection, KATO, code).await?),
    }
}

fn answer(item: &Item, finding: Finding, matches: &[Match], holdings: Vec<Holding>) -> ItemAvailability {
    let availability = match finding.availability {
        Availability::Placed => proto::Availability::Placed,
        Availability::NotPlaced => proto::Availability::NotPlaced,
        Availability::Undetermined => proto::Availability::Undetermined,
        Availability::NotRegistered => proto::Availability::NotRegistered,
    };
    let indicators = matches.iter().map(|found| IndicatorMatch {
        indicator: found.name.to_string(),
        title: Some(found.title.clone().into()),
        unit: found.unit.clone(),
        restricted: found.restricted,
        likeness: found.likeness,
    });
    ItemAvailability {
        availability: availability.into(),
        editions: finding.editions.iter().map(ToString::to_string).collect(),
        text: Some(finding.text.into()),
        legal_basis: Some(finding.legal_basis.into()),
        indicators: indicators.collect(),
        holdings,
        restricted: availability::meant(item, matches).is_some_and(|meant| meant.restricted),
    }
}
