//! The register of forms as the Instruction orders it, embedded in the service.

use legalstat_kit::{
    door::register,
    due::Duty,
    law::{LegalBasis, LocalizedText},
};
use serde::Deserialize;

use super::{
    edition::Channel,
    form::{Form, Periodicity, Responsible},
    key,
};

const APPENDIX_2: &str = include_str!("../../data/forms.csv");

#[derive(Deserialize)]
struct Line {
    list_number: i32,
    code: Option<String>,
    title_en: String,
    periodicity: String,
    due_day: i32,
    roll_forward: String,
    roll_forward_basis: String,
    legal_basis: String,
    valid_from: String,
    valid_to: String,
    channels: String,
    body: String,
}

/// The forms of Appendix 2, by list number.
///
/// # Errors
/// A line that cannot be read: the service must not start with half a register.
pub fn appendix_2() -> anyhow::Result<Vec<Form>> {
    register::lines("forms.csv", APPENDIX_2, read)
}

fn read(line: Line) -> anyhow::Result<Form> {
    let periodicity: Periodicity = register::word(&line.periodicity)?;
    let (valid_from, valid_to) = register::validity(&line.valid_from, &line.valid_to)?;
    let channels = line.channels.split(' ').map(register::word);
    let channels: anyhow::Result<Vec<Channel>> = channels.collect();
    let responsible = Responsible {
        body: register::word(&line.body)?,
        territory: String::new(),
        unit: String::new(),
    };
    Ok(Form {
        list_number: line.list_number,
        code: line.code,
        title: LocalizedText::new("", "", line.title_en),
        periodicity,
        duty: Duty {
            parent: key::form(line.list_number),
            position: line.list_number,
            periods: periodicity.periods(),
            due_day: line.due_day,
            roll_forward: register::yes_or_no(&line.roll_forward)?,
            roll_forward_basis: LegalBasis::parse(&line.roll_forward_basis),
            legal_basis: LegalBasis::parse(&line.legal_basis),
            valid_from,
            valid_to,
        },
        channels: channels?,
        responsible,
    })
}

#[cfg(test)]
mod tests {
    use legalstat_kit::due::schedule::YEARS;

    use super::*;

    fn forms() -> Vec<Form> {
        appendix_2().expect("the register is readable")
    }

    #[test]
    fn the_list_has_26_forms_6_of_them_monthly() {
        let forms = forms();
        assert_eq!(
            forms.iter().map(|form| form.list_number).collect::<Vec<_>>(),
            (1..=26).collect::<Vec<_>>()
        );
        assert_eq!(
            forms
                .iter()
                .filter(|form| form.periodicity == Periodicity::Monthly)
                .count(),
            6
        );
    }

    #[test]
    fn every_year_of_the_schedule_has_152_periods() {
        let forms = forms();
        for year in YEARS {
            let periods = forms.iter().flat_map(|form| form.duty.periods_of(year..=year));
            assert_eq!(periods.count(), 152, "{year}");
        }
    }

    #[test]
    fn a_code_is_no_key() {
        let forms = forms();
        let coded = |code: Option<&str>| {
            let found = forms.iter().filter(|form| form.code.as_deref() == code);
            found.map(|form| form.list_number).collect::<Vec<_>>()
        };
        assert_eq!(coded(Some("1-P")), [3, 25]);
        assert_eq!(coded(None), [8]);
    }

    #[test]
    fn every_form_cites_its_line_of_appendix_2_and_rolls_on_an_assumption() {
        for form in forms() {
            assert_eq!(
                form.duty.legal_basis.to_string(),
                format!("Instruction, Appendix 2, No. {}", form.list_number)
            );
            let duty = form.duty;
            assert!(duty.roll_forward && duty.roll_forward_basis.assumed && !duty.legal_basis.assumed);
        }
    }
}
