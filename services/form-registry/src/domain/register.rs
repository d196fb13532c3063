//! The register of forms as the Instruction orders it, embedded in the service.

use anyhow::Context as _;
use legalstat_kit::law::{LegalBasis, LocalizedText};
use serde::Deserialize;

use super::form::{Form, Periodicity};

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
    valid_to: Option<String>,
}

/// The forms of Appendix 2, by list number.
///
/// # Errors
/// A line that cannot be read: the service must not start with half a register.
pub fn appendix_2() -> anyhow::Result<Vec<Form>> {
    csv::Reader::from_reader(APPENDIX_2.as_bytes())
        .deserialize::<Line>()
        .enumerate()
        .map(|(index, line)| read(line?).with_context(|| format!("forms.csv, form {}", index + 1)))
        .collect()
}

fn read(line: Line) -> anyhow::Result<Form> {
    let roll_forward = match line.roll_forward.as_str() {
        "yes" => true,
        "no" => false,
        other => anyhow::bail!("roll_forward is yes or no, not {other:?}"),
    };
    let periodicity = Periodicity::from_stored(&line.periodicity.to_uppercase())
        .with_context(|| format!("unknown periodicity {:?}", line.periodicity))?;
    Ok(Form {
        list_number: line.list_number,
        code: line.code,
        title: LocalizedText::new("", "", line.title_en),
        periodicity,
        due_day: line.due_day,
        roll_forward,
        roll_forward_basis: LegalBasis::parse(&line.roll_forward_basis),
        legal_basis: LegalBasis::parse(&line.legal_basis),
        valid_from: line.valid_from.parse().context("valid_from")?,
        valid_to: line.valid_to.map(|day| day.parse()).transpose().context("valid_to")?,
    })
}

#[cfg(test)]
mod tests {
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
                form.legal_basis.to_string(),
                format!("Instruction, Appendix 2, No. {}", form.list_number)
            );
            assert!(form.roll_forward && form.roll_forward_basis.assumed && !form.legal_basis.assumed);
        }
    }
}
