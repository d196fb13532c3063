//! What the registers say about an item of a request: whether it is within what is registered (Instruction, para 5) and
//! whether open editions already hold it (para 7). Form, indicators and details count as they stood in the periods asked for. An
//! empty register is not a "no": where the registers cannot tell, an official decides.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use jiff::civil::Date;
use legalstat_kit::{
    law::{LegalBasis, LocalizedText},
    period::ReportingPeriod,
};

use super::{
    dated::Validity,
    form::Periodicity,
    history::History,
    indicator::{DetailName, IndicatorName},
    key::{self, EditionKey},
};

mod texts;

/// An indicator of a form, or a detail of an information accounting document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    Indicator(IndicatorName),
    Detail(DetailName),
}

impl Named {
    /// The form whose indicator it is.
    pub fn form(&self) -> Option<i32> {
        match self {
            Self::Indicator(name) => Some(name.form),
            Self::Detail(_) => None,
        }
    }

    /// Its code.
    pub fn code(&self) -> &str {
        match self {
            Self::Indicator(name) => &name.code,
            Self::Detail(name) => &name.code,
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Indicator(name) => name.fmt(f),
            Self::Detail(name) => name.fmt(f),
        }
    }
}

/// What one item of a request asks for, as its requester wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The name of a form; empty when none is named.
    pub form: String,
    /// The first reporting period; empty when none is named.
    pub period: String,
    /// The last reporting period; empty for `period` alone.
    pub until_period: String,
    /// The indicator or detail it names.
    pub named: Option<Named>,
    /// The indicator or detail in words; empty for none.
    pub words: String,
    /// What is counted; empty for any.
    pub unit: String,
    /// The codes of the territories; none for the whole country.
    pub territories: Vec<String>,
}

impl Item {
    /// Whether it asks for an indicator or a detail.
    pub fn asks_for_one(&self) -> bool {
        self.named.is_some() || !self.words.is_empty()
    }

    /// The form that it names, itself or by its indicator.
    pub fn form_number(&self) -> Option<i32> {
        let of_named = || self.named.as_ref().and_then(Named::form);
        key::parse_form(&self.form).ok().or_else(of_named)
    }

    /// From which day to which it asks, as far as its periods can be read.
    pub fn days(&self) -> Option<(Date, Date)> {
        let (first, last) = self.ends().ok()?;
        Some((first.first_day(), last.last_day()))
    }

    /// Whether it asks for an edition, as far as its form and periods can be read. When it names no form, its words ask for that of each
    /// indicator that they may mean.
    pub fn asks_for(&self, edition: EditionKey, matches: &[Match]) -> bool {
        let holds = |(first, last): (ReportingPeriod, ReportingPeriod)| (first..=last).contains(&edition.period);
        let is_of_form = match self.form_number() {
            Some(form) => form == edition.form,
            None => self.form.is_empty() && matches.iter().any(|found| found.name.form() == Some(edition.form)),
        };
        is_of_form && self.ends().is_ok_and(holds)
    }

    /// Its first and last period.
    fn ends(&self) -> Result<(ReportingPeriod, ReportingPeriod), Unclear> {
        if self.period.is_empty() {
            return Err(Unclear::NoPeriod);
        }
        let read = |text: &str| text.parse::<ReportingPeriod>().map_err(|_| Unclear::NoSuchPeriod);
        let first = read(&self.period)?;
        let last = if self.until_period.is_empty() {
            first
        } else {
            read(&self.until_period)?
        };
        if last.last_day() < first.first_day() {
            return Err(Unclear::WrongWayRound);
        }
        Ok((first, last))
    }
}

/// An indicator or detail that an item may mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    pub number: i32,
    pub name: Named,
    pub title: LocalizedText,
    pub unit: String,
    /// Whether it was restricted on any day asked for.
    pub restricted: bool,
    /// 1 to 100.
    pub likeness: i32,
    /// Whether it was in force on any day asked for.
    pub stood: bool,
    /// On which days it is in force.
    pub days: Vec<Validity>,
}

impl Match {
    fn stood_in(&self, period: ReportingPeriod) -> bool {
        let (first, last) = (period.first_day(), period.last_day());
        self.days.iter().any(|days| days.holds_within(first, last))
    }
}

/// How near, from 1 to 100, a title must be to words to be told at all: what `pg_trgm` calls similar by itself.
pub const NEAR: i32 = 30;
/// How near a title must be to words for an item to mean it for sure: from there on `pg_trgm` takes what was asked for to stand in a
/// text, though inflected. Below it a title shares some of the words only.
const SURE: i32 = 60;
/// How much nearer than the next it must be. Titles of one form differ in a word or an ending, so that words which fit two of them
/// stay for an official.
const NEARER: i32 = 20;
/// Of how many words titles are sought in a text, and how far apart: an index finds a title by a text that is about as long. Short titles
/// are found by the short phrases.
const PHRASES: [(usize, usize); 2] = [(6, 3), (2, 2)];

/// How many of the first words of a text are looked at: each phrase is sought among all titles.
const SOUGHT: usize = 40;

/// The phrases of a text by which titles are sought: its first words, and parts of them that are about as long as a title.
pub fn phrases(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().take(SOUGHT).collect();
    let mut phrases = Vec::new();
    if !words.is_empty() {
        phrases.push(words.join(" "));
    }
    for (length, step) in PHRASES {
        if words.len() > length {
            let starts = (0..words.len()).step_by(step);
            phrases.extend(starts.map(|start| words[start..words.len().min(start + length)].join(" ")));
        }
    }
    phrases
}

/// The one that an item means, of those in force in its time: what it names, what its words are the very title of, or what they
/// are near enough to, and clearly nearer than to any other. Otherwise they mean none for sure.
pub fn meant<'m>(item: &Item, matches: &'m [Match]) -> Option<&'m Match> {
    let mut standing = matches.iter().filter(|found| found.stood);
    let first = standing.next().filter(|first| first.likeness >= SURE)?;
    let next = standing.next().map_or(0, |next| next.likeness);
    let is_nearer = first.likeness == 100 && next < 100 || first.likeness - next >= NEARER;
    Some(first).filter(|first| is_nearer && (item.unit.is_empty() || first.unit == item.unit))
}

/// What the registers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Open editions hold every period asked for.
    Placed,
    /// So they do, and all of them were declared nil.
    Nil,
    /// What is asked for is registered, but not every period is open.
    NotPlaced,
    /// The registers cannot tell.
    Undetermined,
    /// The form, indicator or detail named is not registered.
    NotRegistered,
}

/// An edition that is open to everyone now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    pub key: EditionKey,
    pub revision: i32,
    pub content_sha256: Vec<u8>,
    /// Where it can be read, if that was said.
    pub address: String,
    pub nil: bool,
}

/// The answer for one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What the registers say.
    pub availability: Availability,
    /// The open editions that hold what is asked for.
    pub open: Vec<Open>,
    /// The finding in words.
    pub text: LocalizedText,
    /// The law it matters for.
    pub legal_basis: LegalBasis,
}

/// Why the registers cannot tell about the periods of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unclear {
    NoPeriod,
    NoSuchPeriod,
    OtherKind(Periodicity),
    /// The form's periodicity was another in some of the time.
    PartlyOtherKind {
        fitting: usize,
        asked: usize,
    },
    WrongWayRound,
    NoSuchTerritory,
}

/// What the registers hold.
#[derive(Clone, Copy, Debug)]
pub struct Registers<'a> {
    /// What was recorded about the forms that items name or may mean.
    pub histories: &'a [History],
    /// The editions that are open.
    pub open: &'a HashMap<EditionKey, Open>,
    /// The territories that items name and that are registered.
    pub territories: &'a HashSet<String>,
}

/// What was looked up for one item.
#[derive(Clone, Copy, Debug, Default)]
pub struct LookedUp<'a> {
    /// What it may mean.
    pub matches: &'a [Match],
    /// Whether any indicators of the form that it names, or details of its document, are entered for its time.
    pub entered: bool,
    /// The editions whose figures are known, and what it means is not among them for each of its territories.
    pub lacking: &'a [EditionKey],
}

/// Says what the registers say about an item.
pub fn find(item: &Item, registers: Registers<'_>, looked_up: LookedUp<'_>) -> Finding {
    let meant = meant(item, looked_up.matches);
    let is_detail = |name: &Named| matches!(name, Named::Detail(_));
    let names_detail = item.named.as_ref().is_some_and(is_detail);
    if names_detail || item.form.is_empty() && meant.is_some_and(|meant| is_detail(&meant.name)) {
        return of_detail(meant, looked_up);
    }
    let form_name = match item.form.as_str() {
        "" => item
            .form_number()
            .or(meant.and_then(|meant| meant.name.form()))
            .map(key::form),
        name => Some(name.to_owned()),
    };
    let Some(form_name) = form_name else {
        let has_words = !item.words.is_empty();
        return undetermined(if has_words {
            texts::no_one_indicator()
        } else {
            texts::no_form()
        });
    };
    let number = key::parse_form(&form_name).ok();
    let of_form = |history: &&History| Some(history.last().form.list_number) == number;
    let Some(history) = registers.histories.iter().find(of_form) else {
        return not_in_register(texts::not_registered());
    };
    let meant = meant.filter(|meant| meant.name.form() == number);
    let entered = looked_up.entered || meant.is_some();
    let periods = periods(item, history, registers);
    let open = periods
        .as_ref()
        .map(|periods| of_open(history, periods, registers, (meant, looked_up.lacking)));
    let open = open.unwrap_or_default();
    if item.asks_for_one() && entered && meant.is_none() {
        return not_meant(item, looked_up, open);
    }
    if let Some(restricted) = meant.and_then(restricted) {
        return restricted;
    }
    match periods {
        Err(unclear) => undetermined(texts::unclear(unclear)),
        Ok(periods) => of_periods(open, &periods, entered),
    }
}

/// That an item means none of the indicators that are entered, or none for sure.
fn not_meant(item: &Item, looked_up: LookedUp<'_>, open: Vec<Open>) -> Finding {
    match &item.named {
        Some(_) if looked_up.matches.is_empty() => not_in_register(texts::no_such_indicator()),
        Some(_) if looked_up.matches.iter().all(|found| !found.stood) => not_in_register(texts::did_not_stand()),
        _ => Finding {
            open,
            ..undetermined(texts::no_one_indicator())
        },
    }
}

fn of_detail(meant: Option<&Match>, looked_up: LookedUp<'_>) -> Finding {
    if let Some(restricted) = meant.and_then(restricted) {
        return restricted;
    }
    if meant.is_some() {
        return Finding {
            availability: Availability::NotPlaced,
            open: Vec::new(),
            text: texts::is_detail(),
            legal_basis: LegalBasis::instruction("para 5"),
        };
    }
    if !looked_up.entered {
        return undetermined(texts::no_details());
    }
    match looked_up.matches {
        [] => not_in_register(texts::no_such_detail()),
        found if found.iter().all(|found| !found.stood) => not_in_register(texts::did_not_stand()),
        _ => undetermined(texts::no_one_indicator()),
    }
}

fn restricted(meant: &Match) -> Option<Finding> {
    meant.restricted.then(|| Finding {
        availability: Availability::NotPlaced,
        open: Vec::new(),
        text: texts::is_restricted(),
        legal_basis: LegalBasis::instruction("para 2(10)"),
    })
}

fn not_in_register(text: LocalizedText) -> Finding {
    Finding {
        availability: Availability::NotRegistered,
        open: Vec::new(),
        text,
        legal_basis: LegalBasis::instruction("para 5"),
    }
}

/// The periods that an item asks for of a form; none where they cannot be told.
pub fn asked_periods(item: &Item, history: &History) -> Vec<ReportingPeriod> {
    let between = |(first, last)| history.between(first, last);
    let periods = item.ends().ok().and_then(between).unwrap_or_default();
    periods.into_iter().map(|(period, _)| period).collect()
}

/// The periods asked for, each of the form's kind of that time, or with an open edition.
type Asked = Vec<(ReportingPeriod, bool)>;

fn periods(item: &Item, history: &History, registers: Registers<'_>) -> Result<Asked, Unclear> {
    if item
        .territories
        .iter()
        .any(|code| !registers.territories.contains(code))
    {
        return Err(Unclear::NoSuchTerritory);
    }
    let (first, last) = item.ends()?;
    let other_kind = || Unclear::OtherKind(history.shown_on(last.last_day()).form.periodicity);
    if first.kind() != last.kind() {
        return Err(other_kind());
    }
    let mut periods = history.between(first, last).ok_or_else(other_kind)?;
    let form = history.last().form.list_number;
    for (period, fits) in &mut periods {
        *fits |= registers.open.contains_key(&EditionKey { form, period: *period });
    }
    if periods.iter().all(|(_, fits)| !fits) {
        return Err(other_kind());
    }
    Ok(periods)
}

/// The editions of these periods that are open and hold what is meant.
fn of_open(
    history: &History,
    periods: &Asked,
    registers: Registers<'_>,
    (meant, lacking): (Option<&Match>, &[EditionKey]),
) -> Vec<Open> {
    let form = history.last().form.list_number;
    let held = periods
        .iter()
        .filter(|(period, _)| meant.is_none_or(|meant| meant.stood_in(*period)));
    let open = held.filter_map(|(period, _)| registers.open.get(&EditionKey { form, period: *period }));
    let holds = |open: &&Open| meant.is_none() || !lacking.contains(&open.key);
    open.filter(holds).cloned().collect()
}

fn of_periods(open: Vec<Open>, periods: &Asked, entered: bool) -> Finding {
    let nil = open.iter().filter(|open| open.nil).count();
    if open.len() == periods.len() {
        let all_nil = nil == open.len();
        return Finding {
            availability: if all_nil {
                Availability::Nil
            } else {
                Availability::Placed
            },
            text: texts::all_open(nil, periods.len()),
            open,
            legal_basis: LegalBasis::instruction("para 7"),
        };
    }
    let fitting = periods.iter().filter(|(_, fits)| *fits).count();
    let asked = periods.len();
    let text = match entered {
        _ if fitting < asked => texts::unclear(Unclear::PartlyOtherKind { fitting, asked }),
        true => {
            return Finding {
                availability: Availability::NotPlaced,
                text: texts::not_all_open(open.len(), asked),
                open,
                legal_basis: LegalBasis::instruction("para 5"),
            };
        }
        false => texts::no_indicators(open.len(), asked),
    };
    Finding {
        open,
        ..undetermined(text)
    }
}

fn undetermined(text: LocalizedText) -> Finding {
    Finding {
        availability: Availability::Undetermined,
        open: Vec::new(),
        text,
        legal_basis: LegalBasis::instruction("para 5"),
    }
}

#[cfg(test)]
#[path = "availability_tests.rs"]
mod tests;
