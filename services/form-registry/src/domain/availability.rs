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
}

/// What the registers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Placed editions hold every period asked for.
    Placed,
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

/// Looks an item up. `placed` holds the editions placed on the information service.
pub fn find(item: &Item, forms: &[Form], placed: &HashSet<EditionKey>) -> Finding {
    if item.form.is_empty() {
        return undetermined(no_form());
    }
    let number = key::parse_form(&item.form).ok();
    let Some(form) = forms.iter().find(|form| Some(form.list_number) == number) else {
        return Finding {
            availability: Availability::NotRegistered,
            editions: Vec::new(),
            text: not_registered(),
            legal_basis: LegalBasis::instruction("para 5"),
        };
    };
    match periods(item, form) {
        Err(unclear) => undetermined(unclear_text(unclear)),
        Ok(periods) => of_periods(form, &periods, placed),
    }
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
    key::parse_form(&item.form) == Ok(edition.form) && read(&item.period).zip(read(until)).is_some_and(holds)
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

fn of_periods(form: &Form, periods: &[ReportingPeriod], placed: &HashSet<EditionKey>) -> Finding {
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
        };
        let placed = placed.iter().map(|name| name.parse().expect("a name")).collect();
        find(
            &item,
            &register::appendix_2().expect("the register is readable"),
            &placed,
        )
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
