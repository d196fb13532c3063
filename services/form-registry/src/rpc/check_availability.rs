//! CheckAvailability.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    door::{languages::Languages, word},
    zone,
};
use legalstat_proto::forms::v1::{
    self as proto, AvailabilityItem, CheckAvailabilityRequest, CheckAvailabilityResponse, Holding, IndicatorMatch,
    ItemAvailability, OpenEdition,
};
use sqlx::PgConnection;
use tonic::Response;

use super::{FormRegistry, showing::Showing};
use crate::{
    db::{
        self,
        availability::{Effective, Sought, Wanted},
        code_list,
    },
    domain::{
        availability::{self, Availability, Finding, Item, LookedUp, Match, Named, Open, Registers},
        edition::Channel,
        embargo::Embargo,
        history::History,
        indicator::KATO,
        key::EditionKey,
        visibility::View,
    },
};

mod holdings;

use holdings::holdings;

/// How many items one call may ask about.
const MAX_ITEMS: usize = 100;
/// How many characters the words of an item may have.
const WORDS: usize = 500;
/// How many territories an item may name.
const TERRITORIES: usize = 100;
/// How many items one call may look up by words that are near a title: each may take a second among thousands of titles.
const BY_LIKENESS: usize = 5;

/// How much is told of each item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Basic,
    Full,
}

pub(super) async fn check_availability(
    registry: &FormRegistry,
    call: Call,
    request: CheckAvailabilityRequest,
) -> Result<Response<CheckAvailabilityResponse>, Error> {
    let mut violations = Violations::new();
    violations.count("items", request.items.len(), MAX_ITEMS);
    let languages = Languages::read(&mut violations, &request.languages);
    let items = request.items.into_iter().enumerate();
    let items: Vec<Item> = items
        .map(|(place, given)| item(&mut violations, place, given))
        .collect();
    let told = word::optional(&mut violations, "view", request.view, &[Told::Basic, Told::Full], view);
    // A request is examined by what it declares: its words count where they are a title, and no likeness is looked for.
    let nearest = told != Some(Told::Basic);
    let by_words = items
        .iter()
        .filter(|item| item.named.is_none() && !item.words.is_empty());
    if nearest && by_words.count() > BY_LIKENESS {
        let description = format!("at most {BY_LIKENESS} by words alone, unless `view` is BASIC");
        violations.add("items", FieldReason::TooMany, description);
    }
    violations.refuse()?;
    registry.schedule.require_whole()?;
    let mut showing = Showing::to(&call, registry.context.now());
    let found = looked_up(registry, &items, nearest).await?;
    let open = found.open(&items, &mut showing);
    let territories: HashSet<String> = found.territories.keys().cloned().collect();
    let registers = Registers {
        histories: &found.histories,
        open: &open,
        territories: &territories,
    };
    let mut answers = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        let looked_up = found.of_item(place);
        let finding = availability::find(item, registers, looked_up);
        let holdings = match availability::meant(item, looked_up.matches) {
            Some(meant) if !meant.restricted && told != Some(Told::Basic) => {
                holdings(registry, &found, &mut showing, item, meant).await?
            }
            _ => Vec::new(),
        };
        let figures = i32::try_from(place).ok().and_then(|place| found.figures.get(&place));
        answers.push(answer(item, finding, looked_up.matches, holdings, figures));
    }
    showing.record(&registry.context, &call).await?;
    Ok(showing.answer(languages.keep(CheckAvailabilityResponse { items: answers })))
}

fn view(told: Told) -> i32 {
    match told {
        Told::Basic => proto::AvailabilityView::Basic,
        Told::Full => proto::AvailabilityView::Full,
    }
    .into()
}

fn item(violations: &mut Violations, place: usize, given: AvailabilityItem) -> Item {
    let field = |name: &str| format!("items[{place}].{name}");
    let indicator = match given.indicator.as_str() {
        "" => None,
        name => violations.check(&field("indicator"), FieldReason::ResourceName, name.parse()),
    };
    let detail = match given.detail.as_str() {
        "" => None,
        name => violations.check(&field("detail"), FieldReason::ResourceName, name.parse()),
    };
    if !given.indicator.is_empty() && !given.detail.is_empty() {
        let description = "not together with `indicator`: an item asks for one thing";
        violations.add(field("detail"), FieldReason::Conflict, description);
    }
    let words = violations.optional_text(&field("words"), &given.words, WORDS);
    let unit = violations.optional_name(&field("unit"), &given.unit, 40);
    let mut territories = vec![violations.optional_name(&field("territory"), &given.territory, 40)];
    if given.territories.len() > TERRITORIES {
        violations.add(
            field("territories"),
            FieldReason::TooMany,
            format!("at most {TERRITORIES}"),
        );
    }
    for (number, code) in given.territories.iter().enumerate().take(TERRITORIES) {
        let field = field(&format!("territories[{number}]"));
        territories.push(violations.optional_name(&field, code, 40));
    }
    territories.retain(|code| !code.is_empty());
    Item {
        form: given.form,
        period: given.period,
        until_period: given.until_period,
        named: indicator.map(Named::Indicator).or(detail.map(Named::Detail)),
        words,
        unit,
        territories,
    }
}

/// What was looked up for all items of a call.
#[derive(Default)]
struct Found {
    /// What each may mean, by place.
    matches: HashMap<i32, Vec<Match>>,
    /// The places of those for whose time anything is entered.
    entered: HashSet<i32>,
    histories: Vec<History>,
    effective: Vec<Effective>,
    /// The numbers of the territories named.
    territories: HashMap<String, i32>,
    embargoes: HashMap<EditionKey, Embargo>,
    /// How many figures editions hold of what an item asks for, by its place.
    figures: HashMap<i32, HashMap<EditionKey, i64>>,
    /// The editions whose figures are not those that an item asks for, so too.
    lacking: HashMap<i32, Vec<EditionKey>>,
}

impl Found {
    fn of_item(&self, place: usize) -> LookedUp<'_> {
        let place = i32::try_from(place).unwrap_or(i32::MAX);
        LookedUp {
            matches: self.matches.get(&place).map(Vec::as_slice).unwrap_or_default(),
            entered: self.entered.contains(&place),
            lacking: self.lacking.get(&place).map(Vec::as_slice).unwrap_or_default(),
        }
    }

    fn asks_for(&self, (place, item): (usize, &Item), key: EditionKey) -> bool {
        item.asks_for(key, self.of_item(place).matches)
    }

    /// The editions that are open to everyone, whoever asks: their effective revision was declared nil or stands on any channel
    /// (Instruction, para 7), and no embargo holds.
    fn open(&self, items: &[Item], showing: &mut Showing<'_>) -> HashMap<EditionKey, Open> {
        let mut open = HashMap::new();
        for effective in &self.effective {
            let key = effective.open.key;
            let is_asked_for = items.iter().enumerate().any(|item| self.asks_for(item, key));
            showing.view(key, self.embargoes.get(&key), is_asked_for);
            let view = if effective.embargoed { View::Dates } else { View::Open };
            let of_form = |history: &&History| history.last().form.list_number == key.form;
            let governing = self
                .histories
                .iter()
                .find(of_form)
                .and_then(|history| history.governing(key.period));
            let named = governing.map(|version| version.form.channels).unwrap_or_default();
            if effective.standing.is_served(view) {
                let address = address(&effective.channels, &named);
                let effective = effective.open.clone();
                open.insert(key, Open { address, ..effective });
            }
        }
        open
    }
}

/// Where an edition can be read: on a channel that its form names, else on the information service, else on any other.
fn address(channels: &[(Channel, String)], named: &[Channel]) -> String {
    let given = channels.iter().filter(|(_, address)| !address.is_empty());
    let order = |(channel, _): &&(Channel, String)| (!named.contains(channel), *channel != Channel::InformationService);
    given
        .min_by_key(order)
        .map(|(_, address)| address.clone())
        .unwrap_or_default()
}

/// From which day to which each form is asked about.
type Spans = HashMap<i32, (Date, Date)>;

fn spans(asked: impl Iterator<Item = (i32, (Date, Date))>) -> Spans {
    let mut spans = Spans::new();
    for (form, (first, last)) in asked {
        let span = spans.entry(form).or_insert((first, last));
        *span = (span.0.min(first), span.1.max(last));
    }
    spans
}

/// Looks up what the items of a call may mean and what stands in the registers about it, side by side, for a submission waits for
/// all of it: each hands its connection back without waiting for the others. What nothing is asked about costs nothing.
async fn looked_up(registry: &FormRegistry, items: &[Item], nearest: bool) -> Result<Found, Error> {
    let (db, now) = (&registry.context.db, registry.context.now());
    let today = zone::civil_day(now);
    let wanted: Vec<Wanted> = (0..)
        .zip(items)
        .map(|(place, item)| wanted(place, item, today))
        .collect();
    let of_items = spans(wanted.iter().filter_map(|wanted| Some((wanted.form?, wanted.days))));
    let matches = async {
        let asking = wanted.iter().filter(|wanted| wanted.asks_for_one());
        let asking: Vec<Wanted> = asking.cloned().collect();
        match (asking.is_empty(), nearest) {
            (true, _) => Ok(Vec::new()),
            (false, false) => {
                let mut connection = db.planned().await?;
                let matches = db::availability::matches(&mut connection, &asking, nearest).await?;
                connection.done();
                Ok(matches)
            }
            (false, true) => db::availability::matches(&mut *db.connection().await?, &asking, nearest).await,
        }
    };
    // No more than two at once look up by keys: there are two connections for that.
    let registers = async {
        let mut connection = db.planned().await?;
        let histories = histories(&mut connection, &of_items).await?;
        let entered = db::availability::entered(&mut connection, &wanted).await?;
        let codes: Vec<String> = items.iter().flat_map(|item| item.territories.clone()).collect();
        let territories = match codes.is_empty() {
            true => HashMap::new(),
            false => code_list::numbers_of(&mut connection, KATO, &codes).await?,
        };
        connection.done();
        Ok((histories, entered, territories))
    };
    let effective = async {
        match of_items.is_empty() {
            true => Ok(Vec::new()),
            false => {
                let mut connection = db.planned().await?;
                let effective = db::availability::effective(&mut connection, &of_items, now).await?;
                connection.done();
                Ok(effective)
            }
        }
    };
    let (matches, registers, mut effective) = tokio::try_join!(matches, registers, effective)?;
    let (mut histories, entered, territories) = registers;
    // The forms of what words mean are known only now.
    let of_words = matches.iter().filter_map(|(place, found)| {
        let (first, last) = wanted.iter().find(|wanted| wanted.item == *place)?.days;
        let is_looked_up = |span: &(Date, Date)| span.0 <= first && last <= span.1;
        let form = found.name.form()?;
        let more = !of_items.get(&form).is_some_and(is_looked_up);
        more.then_some((form, (first, last)))
    });
    let of_words = spans(of_words);
    if !of_words.is_empty() {
        let mut connection = db.planned().await?;
        histories.extend(self::histories(&mut connection, &of_words).await?);
        effective.extend(db::availability::effective(&mut connection, &of_words, now).await?);
        connection.done();
    }
    let embargoes = match effective.iter().any(|effective| effective.embargoed) {
        true => db::embargo::holding(&mut *db.planned().await?, None, now).await?,
        false => HashMap::new(),
    };
    let mut by_place: HashMap<i32, Vec<Match>> = HashMap::new();
    for (place, found) in matches {
        by_place.entry(place).or_default().push(found);
    }
    let mut found = Found {
        matches: by_place,
        entered,
        histories,
        effective,
        territories,
        embargoes,
        ..Found::default()
    };
    count_figures(registry, &mut found, items).await?;
    Ok(found)
}

/// Counts the figures that editions hold of what items ask for, where their figures are known.
async fn count_figures(registry: &FormRegistry, found: &mut Found, items: &[Item]) -> Result<(), Error> {
    let mut sought = Vec::new();
    for (place, item) in (0..).zip(items) {
        let matches = found.matches.get(&place).map(Vec::as_slice).unwrap_or_default();
        let Some((meant, territories)) = availability::meant(item, matches).zip(territories(&*found, item)) else {
            continue;
        };
        let held = found.effective.iter().filter(|effective| {
            let key = effective.open.key;
            meant.name.form() == Some(key.form) && item.asks_for(key, matches)
        });
        sought.extend(held.filter_map(|effective| effective.figures).map(|set| Sought {
            item: place,
            set,
            indicator: meant.number,
            territories: territories.clone(),
        }));
    }
    if sought.is_empty() {
        return Ok(());
    }
    let with_figures = found.effective.iter();
    let with_figures = with_figures.filter_map(|effective| Some((effective.figures?, effective.open.key)));
    let keys: HashMap<i32, EditionKey> = with_figures.collect();
    let mut connection = registry.context.db.planned().await?;
    for held in db::availability::held(&mut connection, &sought).await? {
        let Some(key) = keys.get(&held.set).copied() else {
            continue;
        };
        found.figures.entry(held.item).or_default().insert(key, held.figures);
        if held.lacking {
            found.lacking.entry(held.item).or_default().push(key);
        }
    }
    Ok(())
}

fn wanted(place: i32, item: &Item, today: Date) -> Wanted {
    Wanted {
        item: place,
        named: item.named.clone(),
        words: match item.named {
            Some(_) => String::new(),
            None => item.words.clone(),
        },
        form: item.form_number(),
        unit: item.unit.clone(),
        days: item.days().unwrap_or((today, today)),
    }
}

/// What was recorded about forms.
async fn histories(connection: &mut PgConnection, spans: &Spans) -> Result<Vec<History>, sqlx::Error> {
    if spans.is_empty() {
        return Ok(Vec::new());
    }
    let forms: Vec<i32> = spans.keys().copied().collect();
    db::form::histories(connection, Some(&forms)).await
}

/// The numbers of an item's territories, 0 for the whole country; `None` when one is not registered.
fn territories(found: &Found, item: &Item) -> Option<Vec<i32>> {
    if item.territories.is_empty() {
        return Some(vec![0]);
    }
    item.territories
        .iter()
        .map(|code| found.territories.get(code).copied())
        .collect()
}

fn answer(
    item: &Item,
    finding: Finding,
    matches: &[Match],
    holdings: Vec<Holding>,
    figures: Option<&HashMap<EditionKey, i64>>,
) -> ItemAvailability {
    let availability = match finding.availability {
        Availability::Placed => proto::Availability::Placed,
        Availability::Nil => proto::Availability::Nil,
        Availability::NotPlaced => proto::Availability::NotPlaced,
        Availability::Undetermined => proto::Availability::Undetermined,
        Availability::NotRegistered => proto::Availability::NotRegistered,
    };
    let meant = availability::meant(item, matches);
    ItemAvailability {
        availability: availability.into(),
        editions: finding.open.iter().map(|open| open.key.to_string()).collect(),
        text: Some(finding.text.into()),
        legal_basis: Some(finding.legal_basis.into()),
        indicators: matches.iter().map(to_match).collect(),
        holdings,
        restricted: meant.is_some_and(|meant| meant.restricted),
        open_editions: finding.open.into_iter().map(|open| to_open(open, figures)).collect(),
        matched: meant.map(|meant| meant.name.to_string()).unwrap_or_default(),
    }
}

fn to_match(found: &Match) -> IndicatorMatch {
    let (indicator, detail) = match &found.name {
        Named::Indicator(name) => (name.to_string(), String::new()),
        Named::Detail(name) => (String::new(), name.to_string()),
    };
    IndicatorMatch {
        indicator,
        title: Some(found.title.clone().into()),
        unit: found.unit.clone(),
        restricted: found.restricted,
        likeness: found.likeness,
        detail,
    }
}

fn to_open(open: Open, figures: Option<&HashMap<EditionKey, i64>>) -> OpenEdition {
    let held = figures.and_then(|figures| figures.get(&open.key));
    OpenEdition {
        edition: open.key.to_string(),
        revision: open.revision,
        content_sha256: hex::encode(open.content_sha256),
        address: open.address,
        nil: open.nil,
        figures: held.copied().unwrap_or_default(),
    }
}
