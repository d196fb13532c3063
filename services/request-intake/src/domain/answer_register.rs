//! The embedded registers of answers: why something is not provided, and how to appeal.

use legalstat_kit::{
    door::{
        register::{self, lines, word},
        word::Word as _,
    },
    law::{LegalBasis, LocalizedText},
};
use serde::Deserialize;

use super::{
    answering::{AnswerRules, Sentence, Why},
    request::RequesterKind,
    rules::Validity,
};

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    requester_kind: String,
    word: String,
    text_kk: String,
    text_ru: String,
    text_en: String,
    legal_basis: String,
    grade: String,
    valid_from: String,
    valid_to: String,
}

/// The rules of the embedded registers.
///
/// # Errors
/// A line that cannot be read.
pub fn embedded() -> anyhow::Result<AnswerRules> {
    Ok(AnswerRules {
        reasons: lines(
            "answer_reasons.csv",
            include_str!("../../data/answer_reasons.csv"),
            |line: Line| {
                word::<Why>(&line.word)?;
                sentence(line)
            },
        )?,
        appeals: lines(
            "appeal_rules.csv",
            include_str!("../../data/appeal_rules.csv"),
            |line: Line| {
                let kind: RequesterKind = word(&line.requester_kind)?;
                let mut sentence = sentence(line)?;
                sentence.of = kind.word().to_owned();
                Ok(sentence)
            },
        )?,
    })
}

fn sentence(line: Line) -> anyhow::Result<Sentence> {
    let (from, to) = register::validity(&line.valid_from, &line.valid_to)?;
    Ok(Sentence {
        of: String::new(),
        word: line.word,
        text: LocalizedText::new(line.text_kk, line.text_ru, line.text_en),
        legal_basis: LegalBasis::parse(&line.legal_basis),
        validity: Validity {
            grade: line.grade,
            from,
            to,
        },
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn every_reason_and_every_kind_of_requester_has_a_sentence_in_three_languages_from_the_first_day_on() {
        let rules = embedded().expect("the registers are sound");
        for day in [date(2019, 4, 15), date(2021, 6, 30), date(2021, 7, 1), date(2026, 3, 2)] {
            let covers = |sentence: &&Sentence| sentence.validity.covers(day);
            for why in Why::ALL {
                let of = rules.reasons.iter().filter(covers).filter(|one| one.word == why.word());
                assert_eq!(of.count(), 1, "{why:?} on {day}");
            }
            for kind in RequesterKind::ALL {
                let mut of = rules.appeals.iter().filter(covers).filter(|one| one.of == kind.word());
                assert!(of.next().is_some(), "{kind:?} on {day}");
            }
        }
        for sentence in rules.reasons.iter().chain(&rules.appeals) {
            let LocalizedText { kk, ru, en } = &sentence.text;
            assert!(!kk.is_empty() && !ru.is_empty() && !en.is_empty() && !sentence.legal_basis.act.is_empty());
            assert_eq!(
                sentence.validity.grade == "D",
                sentence.legal_basis.assumed,
                "{sentence:?}"
            );
        }
    }
}
