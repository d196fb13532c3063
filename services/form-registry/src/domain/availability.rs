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
mod tests {
    use super::*;
    use crate::domain::register;
    use proptest::prelude::*;

    fn look_up(form: &str, period: &str, until_period: &str, placed: &[&str]) -> Finding {
        let item = Item {
            form: form.into(),
            period: period.into(),
            until_period: until_period.into(),
            ..Item::default()
        };
        look_up_item(&item, placed, &[], &[])
    }

    fn look_up_item(item: &Item, placed: &[&str], entered: &[i32], matches: &[Match]) -> Finding {
        let registers = Registers {
            forms: &register::appendix_2().expect("the register is readable"),
            placed: &placed.iter().map(|name| name.parse().expect("a name")).collect(),
            entered: &entered.iter().copied().collect(),
        };
        find(item, registers, matches)
    }

    fn found(code: &str, likeness: i32, restricted: bool) -> Match {
        Match {
            number: 1,
            name: IndicatorName {
                form: 1,
                code: code.into(),
            },
            title: LocalizedText::default(),
            unit: "CRIME".into(),
            restricted,
            likeness,
        }
    }

    #[test]
    fn where_indicators_are_entered_the_registers_can_tell() {
        let named = |code: &str| Item {
            period: "2025-M01".into(),
            indicator: Some(IndicatorName {
                form: 1,
                code: code.into(),
            }),
            ..Item::default()
        };
        let (open, restricted) = (found("crimes", 100, false), found("secret", 100, true));
        let placed = ["forms/1/editions/2025-M01"];
        let open_only = std::slice::from_ref(&open);
        for (item, entered, matches, availability) in [
            (named("crimes"), &[1][..], open_only, Availability::Placed),
            (
                named("secret"),
                &[1],
                std::slice::from_ref(&restricted),
                Availability::NotPlaced,
            ),
            (named("other"), &[1], &[], Availability::NotRegistered),
            (
                Item {
                    period: "2025-M02".into(),
                    ..named("crimes")
                },
                &[1],
                open_only,
                Availability::NotPlaced,
            ),
            (
                Item {
                    period: "2025-M02".into(),
                    ..named("other")
                },
                &[],
                &[],
                Availability::Undetermined,
            ),
            (
                Item {
                    unit: "PERSON".into(),
                    ..named("crimes")
                },
                &[1],
                open_only,
                Availability::Undetermined,
            ),
            (
                Item {
                    form: "forms/5".into(),
                    ..named("crimes")
                },
                &[1, 5],
                open_only,
                Availability::Undetermined,
            ),
        ] {
            let finding = look_up_item(&item, &placed, entered, matches);
            assert_eq!(
                finding.availability, availability,
                "{item:?} {entered:?}: {}",
                finding.text.en
            );
        }
    }

    #[test]
    fn words_decide_only_where_they_mean_one_indicator() {
        let item = Item {
            period: "2025-M01".into(),
            words: "registered crimes".into(),
            ..Item::default()
        };
        let (exact, near, other) = (found("a", 100, false), found("b", 70, false), found("c", 70, false));
        assert_eq!(meant(&item, std::slice::from_ref(&near)), Some(&near));
        assert_eq!(meant(&item, &[exact.clone(), near.clone()]), Some(&exact));
        assert_eq!(meant(&item, &[near.clone(), other.clone()]), None);
        assert_eq!(meant(&item, &[exact.clone(), exact.clone()]), None);
        let finding = look_up_item(&item, &[], &[1], &[near, other]);
        assert_eq!(finding.availability, Availability::Undetermined);
        let finding = look_up_item(&item, &[], &[1], &[exact]);
        assert_eq!(finding.availability, Availability::NotPlaced);
    }

    #[test]
    fn what_is_wholly_placed_is_openly_available() {
        let placed = ["forms/1/editions/2025-M01", "forms/1/editions/2025-M02"];
        let finding = look_up("forms/1", "2025-M01", "2025-M02", &placed);
        assert_eq!(finding.availability, Availability::Placed);
        assert_eq!(
            finding.editions.iter().map(ToString::to_string).collect::<Vec<_>>(),
            placed
        );
        assert_eq!(finding.legal_basis.provision, "para 7");
    }

    #[test]
    fn an_empty_register_of_indicators_is_not_a_no() {
        let finding = look_up("forms/1", "2025-M01", "2025-M02", &["forms/1/editions/2025-M02"]);
        assert_eq!(finding.availability, Availability::Undetermined);
        assert_eq!(finding.editions.len(), 1);
        assert!(finding.text.en.contains("1 of the 2 periods"), "{}", finding.text.en);
    }

    #[test]
    fn what_the_registers_cannot_read_is_for_an_official() {
        for (form, period, until) in [
            ("", "2025-M01", ""),
            ("forms/1", "", ""),
            ("forms/1", "2019-Q5", ""),
            ("forms/1", "last spring", ""),
            ("forms/1", "2019-Q1", ""),
            ("forms/2", "2019-M01", ""),
            ("forms/1", "2019-M01", "2019-Q2"),
            ("forms/1", "2019-M05", "2019-M04"),
        ] {
            let finding = look_up(form, period, until, &[]);
            assert_eq!(
                finding.availability,
                Availability::Undetermined,
                "{form:?} {period:?} {until:?}"
            );
        }
    }

    #[test]
    fn a_form_outside_the_register_is_told_so() {
        for form in ["forms/27", "forms/01", "1-M"] {
            assert_eq!(
                look_up(form, "2025-M01", "", &[]).availability,
                Availability::NotRegistered,
                "{form}"
            );
        }
    }

    #[test]
    fn each_thing_that_the_registers_cannot_read_is_told_in_its_own_words() {
        for (form, period, until, told) in [
            ("", "2025-M01", "", "The item names no report form"),
            ("forms/1", "", "", "The item names no period"),
            ("forms/1", "2019-M13", "", "The reporting period named does not exist"),
            (
                "forms/1",
                "2019-Q1",
                "",
                "placed every month, and the period named is not a month",
            ),
            (
                "forms/2",
                "2019-M01",
                "",
                "placed every quarter, and the period named is not a quarter",
            ),
            (
                "forms/1",
                "2019-M01",
                "2019-Q2",
                "placed every month, and the period named is not a month",
            ),
            (
                "forms/1",
                "2019-M05",
                "2019-M04",
                "The last period comes before the first",
            ),
        ] {
            let finding = look_up(form, period, until, &[]);
            assert!(finding.text.en.contains(told), "{}", finding.text.en);
            assert!(
                finding.text.en.ends_with(": an official decides."),
                "{}",
                finding.text.en
            );
            assert!(!finding.text.kk.is_empty() && !finding.text.ru.is_empty());
            assert_eq!(
                (finding.editions.len(), finding.legal_basis.provision.as_str()),
                (0, "para 5")
            );
        }
        let unregistered = look_up("forms/27", "2025-M01", "", &[]);
        assert_eq!(
            unregistered.text.en,
            "The form named is not in the register of report forms."
        );
        assert_eq!(unregistered.legal_basis.provision, "para 5");
    }

    #[test]
    fn one_period_is_asked_for_by_naming_it_once_or_twice() {
        let placed = ["forms/1/editions/2025-M01"];
        for until in ["", "2025-M01"] {
            let finding = look_up("forms/1", "2025-M01", until, &placed);
            assert_eq!(finding.availability, Availability::Placed, "{until:?}");
            let told = &finding.text.en;
            assert!(told.starts_with("Every period asked for is placed"), "{told}");
        }
        let other = look_up("forms/1", "2025-M02", "", &placed);
        assert_eq!(
            (other.availability, other.editions.len()),
            (Availability::Undetermined, 0)
        );
    }

    #[test]
    fn an_item_names_the_editions_of_its_periods() {
        let item = |form: &str, period: &str, until: &str| Item {
            form: form.into(),
            period: period.into(),
            until_period: until.into(),
            ..Item::default()
        };
        let march: EditionKey = "forms/1/editions/2025-M03".parse().expect("a name");
        for (form, period, until, expected) in [
            ("forms/1", "2025-M03", "", true),
            ("forms/1", "2025-M01", "2025-M03", true),
            ("forms/1", "2025-M03", "2025-M12", true),
            ("forms/1", "2025-M01", "2025-M02", false),
            ("forms/2", "2025-M03", "", false),
            ("forms/1", "", "", false),
            ("", "2025-M03", "", false),
        ] {
            assert_eq!(
                names(&item(form, period, until), march),
                expected,
                "{form} {period} {until}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_item_panics_and_every_finding_has_its_words(
            form in "(forms/)?[0-9]{0,3}", period in "[0-9]{0,4}-?[MQ]?[0-9]{0,2}", until in "([0-9]{4}-[MQ][0-9]{1,2})?",
        ) {
            let text = look_up(&form, &period, &until, &[]).text;
            prop_assert!(!text.kk.is_empty() && !text.ru.is_empty() && !text.en.is_empty());
        }
    }
}
