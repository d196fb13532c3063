//! What the registers say about an item of a request: whether it is within what is registered (Instruction, para 5) and
//! whether placed editions already hold it (para 7). An empty register of indicators is not a "no": where the registers
//! cannot tell, an official decides.

use std::collections::HashSet;

use legalstat_kit::{
    law::{LegalBasis, LocalizedText},
    period::ReportingPeriod,
};

use super::{
    form::{Form, Periodicity},
    indicator::IndicatorName,
    key::{self, EditionKey},
};

/// What one item of a request asks for, as its requester wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The name of a form; empty when none is named.
    pub form: String,
    /// The first reporting period; empty when none is named.
    pub period: String,
    /// The last reporting period; empty for `period` alone.
    pub until_period: String,
    /// The indicator it names.
    pub indicator: Option<IndicatorName>,
    /// The indicator in words; empty for none.
    pub words: String,
    /// What is counted; empty for any.
    pub unit: String,
    /// The territory's code; empty for the whole country.
    pub territory: String,
}

impl Item {
    /// Whether it asks for an indicator.
    pub fn asks_for_indicator(&self) -> bool {
        self.indicator.is_some() || !self.words.is_empty()
    }
}

/// An indicator that an item may mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    pub number: i32,
    pub name: IndicatorName,
    pub title: LocalizedText,
    pub unit: String,
    pub restricted: bool,
    /// 1 to 100.
    pub likeness: i32,
}

/// The one indicator that an item means: what it names, what its words are the very title of, or all that they are near to.
/// Words that are near to several mean none of them for sure.
pub fn meant<'m>(item: &Item, matches: &'m [Match]) -> Option<&'m Match> {
    match matches {
        [only] => Some(only).filter(|only| item.unit.is_empty() || only.unit == item.unit),
        [first, second, ..] => (first.likeness == 100 && second.likeness < 100).then_some(first),
        [] => None,
    }
}

/// What the registers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Placed editions hold every period asked for.
    Placed,
    /// The form's indicators are entered, but not every period asked for is placed.
    NotPlaced,
    /// The registers cannot tell.
    Undetermined,
    /// The form named is not registered.
    NotRegistered,
}

/// The answer for one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What the registers say.
    pub availability: Availability,
    /// The placed editions that hold what is asked for.
    pub editions: Vec<EditionKey>,
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
    WrongWayRound,
}

/// What the registers hold.
#[derive(Clone, Copy, Debug)]
pub struct Registers<'a> {
    pub forms: &'a [Form],
    /// The editions that are placed on the information service.
    pub placed: &'a HashSet<EditionKey>,
    /// The forms whose indicators are entered.
    pub entered: &'a HashSet<i32>,
}

/// Looks an item up. `matches` are the indicators that it may mean.
pub fn find(item: &Item, registers: Registers<'_>, matches: &[Match]) -> Finding {
    let meant = meant(item, matches);
    let form_name = match meant {
        Some(meant) if item.form.is_empty() => key::form(meant.name.form),
        _ => item.form.clone(),
    };
    let named = item.indicator.as_ref().map(|name| key::form(name.form));
    let form_name = if form_name.is_empty() {
        named.unwrap_or_default()
    } else {
        form_name
    };
    if form_name.is_empty() {
        return undetermined(if item.words.is_empty() {
            no_form()
        } else {
            no_one_indicator()
        });
    }
    let number = key::parse_form(&form_name).ok();
    let Some(form) = registers.forms.iter().find(|form| Some(form.list_number) == number) else {
        return not_in_register(not_registered());
    };
    let entered = registers.entered.contains(&form.list_number);
    if item.asks_for_indicator() && entered {
        let Some(meant) = meant.filter(|meant| meant.name.form == form.list_number) else {
            return match &item.indicator {
                Some(_) if matches.is_empty() => not_in_register(no_such_indicator()),
                _ => undetermined(no_one_indicator()),
            };
        };
        if meant.restricted {
            return Finding {
                availability: Availability::NotPlaced,
                editions: Vec::new(),
                text: is_restricted(),
                legal_basis: LegalBasis::instruction("para 2(10)"),
            };
        }
    }
    match periods(item, form) {
        Err(unclear) => undetermined(unclear_text(unclear)),
        Ok(periods) => of_periods(form, &periods, registers.placed, entered),
    }
}

fn not_in_register(text: LocalizedText) -> Finding {
    Finding {
        availability: Availability::NotRegistered,
        editions: Vec::new(),
        text,
        legal_basis: LegalBasis::instruction("para 5"),
    }
}

/// The periods that an item asks for of a form; none where they cannot be told.
pub fn asked_periods(item: &Item, form: &Form) -> Vec<ReportingPeriod> {
    periods(item, form).unwrap_or_default()
}

/// Whether an item asks for an edition, as far as its form and periods can be read.
pub fn names(item: &Item, edition: EditionKey) -> bool {
    let read = |text: &str| text.parse::<ReportingPeriod>().ok();
    let until = if item.until_period.is_empty() {
        &item.period
    } else {
        &item.until_period
    };
    let holds = |(first, last): (ReportingPeriod, ReportingPeriod)| (first..=last).contains(&edition.period);
    let of_indicator = item.indicator.as_ref().map(|name| name.form);
    let form = key::parse_form(&item.form).ok().or(of_indicator);
    form == Some(edition.form) && read(&item.period).zip(read(until)).is_some_and(holds)
}

fn periods(item: &Item, form: &Form) -> Result<Vec<ReportingPeriod>, Unclear> {
    if item.period.is_empty() {
        return Err(Unclear::NoPeriod);
    }
    let read = |text: &str| {
        let period: ReportingPeriod = text.parse().map_err(|_| Unclear::NoSuchPeriod)?;
        form.require_kind_of(period)
            .map_err(|_| Unclear::OtherKind(form.periodicity))?;
        Ok(period)
    };
    let first = read(&item.period)?;
    let last = if item.until_period.is_empty() {
        first
    } else {
        read(&item.until_period)?
    };
    if last < first {
        return Err(Unclear::WrongWayRound);
    }
    Ok(form.duty.periods_between(first, last).collect())
}

fn of_periods(form: &Form, periods: &[ReportingPeriod], placed: &HashSet<EditionKey>, entered: bool) -> Finding {
    let editions: Vec<EditionKey> = periods
        .iter()
        .map(|&period| EditionKey {
            form: form.list_number,
            period,
        })
        .filter(|key| placed.contains(key))
        .collect();
    if editions.len() == periods.len() {
        return Finding {
            availability: Availability::Placed,
            editions,
            text: all_placed(),
            legal_basis: LegalBasis::instruction("para 7"),
        };
    }
    if entered {
        return Finding {
            availability: Availability::NotPlaced,
            text: not_all_placed(editions.len(), periods.len()),
            editions,
            legal_basis: LegalBasis::instruction("para 5"),
        };
    }
    let text = no_indicators(editions.len(), periods.len());
    Finding {
        editions,
        ..undetermined(text)
    }
}

fn undetermined(text: LocalizedText) -> Finding {
    Finding {
        availability: Availability::Undetermined,
        editions: Vec::new(),
        text,
        legal_basis: LegalBasis::instruction("para 5"),
    }
}

fn no_form() -> LocalizedText {
    LocalizedText::new(
        "Тармақта есеп нысаны көрсетілмеген: лауазымды адам шешеді.",
        "В пункте не указана форма отчёта: решает должностное лицо.",
        "The item names no report form: an official decides.",
    )
}

fn not_registered() -> LocalizedText {
    LocalizedText::new(
        "Көрсетілген нысан есеп нысандарының тізілімінде жоқ.",
        "Указанной формы нет в реестре форм отчётов.",
        "The form named is not in the register of report forms.",
    )
}

fn all_placed() -> LocalizedText {
    LocalizedText::new(
        "Сұралған барлық кезеңдер ақпараттық сервисте орналастырылған: ақпарат ашық қолжетімді.",
        "Все запрошенные периоды размещены на информационном сервисе: информация доступна открыто.",
        "Every period asked for is placed on the information service: the information is openly available.",
    )
}

fn no_such_indicator() -> LocalizedText {
    LocalizedText::new(
        "Көрсетілген көрсеткіш нысанның енгізілген көрсеткіштерінің арасында жоқ.",
        "Указанного показателя нет среди внесённых показателей формы.",
        "The indicator named is none of those entered for the form.",
    )
}

fn no_one_indicator() -> LocalizedText {
    LocalizedText::new(
        "Тармақтың сөздері бір ғана көрсеткішті білдірмейді: лауазымды адам шешеді.",
        "Слова пункта не указывают на один показатель: решает должностное лицо.",
        "The words of the item do not mean one indicator for sure: an official decides.",
    )
}

fn is_restricted() -> LocalizedText {
    LocalizedText::new(
        "Көрсеткіштің қолжетімділігі шектеулі: ол ашық орналастырылмайды.",
        "Показатель ограниченного доступа: он не размещается открыто.",
        "The indicator is of restricted access: it is not placed openly.",
    )
}

fn not_all_placed(placed: usize, asked: usize) -> LocalizedText {
    LocalizedText::new(
        format!("Көрсеткіш тізілімде бар; ақпараттық сервисте сұралған {asked} кезеңнің {placed} орналастырылған."),
        format!(
            "Показатель есть в реестре; на информационном сервисе размещено {placed} из {asked} запрошенных периодов."
        ),
        format!(
            "The indicators are registered; {placed} of the {asked} periods asked for are placed on the information service."
        ),
    )
}

fn no_indicators(placed: usize, asked: usize) -> LocalizedText {
    LocalizedText::new(
        format!(
            "Нысан тізілімде бар, бірақ оның көрсеткіштері әлі енгізілмеген; ақпараттық сервисте сұралған {asked} \
             кезеңнің {placed} орналастырылған: лауазымды адам шешеді."
        ),
        format!(
            "Форма есть в реестре, но её показатели ещё не внесены; на информационном сервисе размещено {placed} из \
             {asked} запрошенных периодов: решает должностное лицо."
        ),
        format!(
            "The form is registered, but its indicators are not entered yet; {placed} of the {asked} periods asked for \
             are placed on the information service: an official decides."
        ),
    )
}

fn unclear_text(unclear: Unclear) -> LocalizedText {
    match unclear {
        Unclear::NoPeriod => LocalizedText::new(
            "Тармақта кезең көрсетілмеген: лауазымды адам шешеді.",
            "В пункте не указан период: решает должностное лицо.",
            "The item names no period: an official decides.",
        ),
        Unclear::NoSuchPeriod => LocalizedText::new(
            "Көрсетілген есепті кезең жоқ: лауазымды адам шешеді.",
            "Указанного отчётного периода не существует: решает должностное лицо.",
            "The reporting period named does not exist: an official decides.",
        ),
        Unclear::OtherKind(Periodicity::Monthly) => LocalizedText::new(
            "Нысан ай сайын орналастырылады, ал кезең ай емес: лауазымды адам шешеді.",
            "Форма размещается ежемесячно, а указан не месяц: решает должностное лицо.",
            "The form is placed every month, and the period named is not a month: an official decides.",
        ),
        Unclear::OtherKind(Periodicity::Quarterly) => LocalizedText::new(
            "Нысан тоқсан сайын орналастырылады, ал кезең тоқсан емес: лауазымды адам шешеді.",
            "Форма размещается ежеквартально, а указан не квартал: решает должностное лицо.",
            "The form is placed every quarter, and the period named is not a quarter: an official decides.",
        ),
        Unclear::WrongWayRound => LocalizedText::new(
            "Соңғы кезең біріншісінен бұрын: лауазымды адам шешеді.",
            "Последний период раньше первого: решает должностное лицо.",
            "The last period comes before the first: an official decides.",
        ),
    }
}

#[cfg(test)]
#[path = "availability_tests.rs"]
mod tests;
