//! A due date that an official enters, since the calendar computes none.

use std::sync::Arc;

use jiff::civil::Date;
use legalstat_kit::{
    law::{LegalBasis, LocalizedText},
    zone,
};

use super::evidence::{Deadline, Step, StepEffect};

/// The deadline of a request received on a day, as an official enters it with its law.
pub fn deadline(received_on: Date, due_date: Date, legal_basis: &LegalBasis) -> Deadline {
    let step = |date, effect, text| Step {
        date,
        effect,
        text,
        legal_basis: legal_basis.clone(),
    };
    let received = LocalizedText::new("Сұрау салу түсті.", "Запрос поступил.", "The request was received.");
    let due = LocalizedText::new(
        "Мерзімді күнтізбе есептемеді: оны лауазымды адам белгіледі.",
        "Календарь срок не вычислил: его установило должностное лицо.",
        "The calendar computed no due date: an official entered it.",
    );
    Deadline {
        registered_on: received_on,
        due_date,
        due_time: zone::end(due_date),
        provisional: false,
        assumed: legal_basis.assumed,
        calendar_version: String::new(),
        term: String::new(),
        steps: Arc::new(vec![
            step(received_on, StepEffect::Start, received),
            step(due_date, StepEffect::Due, due),
        ]),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn what_an_official_enters_is_explained_by_the_law_that_he_names() {
        let basis = LegalBasis {
            act: "Code 350-VI".into(),
            provision: "art. 76".into(),
            assumed: true,
            ..LegalBasis::default()
        };
        let deadline = deadline(date(2036, 12, 30), date(2037, 1, 20), &basis);
        assert_eq!(
            (deadline.registered_on, deadline.due_date),
            (date(2036, 12, 30), date(2037, 1, 20))
        );
        assert_eq!(
            (deadline.due_time, deadline.assumed),
            (zone::end(date(2037, 1, 20)), true)
        );
        let steps: Vec<_> = deadline.steps.iter().map(|step| (step.date, step.effect)).collect();
        assert_eq!(
            steps,
            [
                (date(2036, 12, 30), StepEffect::Start),
                (date(2037, 1, 20), StepEffect::Due)
            ]
        );
        assert!(
            deadline
                .steps
                .iter()
                .all(|step| step.legal_basis == basis && !step.text.kk.is_empty())
        );
    }
}
