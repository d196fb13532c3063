//! Where a request stands, in words, for whoever holds its coupon.

use legalstat_kit::law::{LegalBasis, LocalizedText};

use super::request::State;

/// A sentence with its law, where some law is behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The sentence.
    pub text: LocalizedText,
    /// The law, as it stood when the Instruction was in force.
    pub legal_basis: Option<LegalBasis>,
}

fn note(kk: &str, ru: &str, en: &str, legal_basis: Option<LegalBasis>) -> Note {
    Note {
        text: LocalizedText::new(kk, ru, en),
        legal_basis,
    }
}

fn code(provision: &str) -> Option<LegalBasis> {
    Some(LegalBasis::parse(&format!("Code 350-VI, {provision}")))
}

fn instruction(provision: &str) -> Option<LegalBasis> {
    Some(LegalBasis::instruction(provision))
}

/// Where a request in this state stands.
pub fn stands(state: State) -> Note {
    match state {
        State::Received => note(
            "Сұрау салу қабылданды.",
            "Запрос принят.",
            "The request is accepted.",
            code("art. 64"),
        ),
        State::AwaitingClarification => note(
            "Сұрау салу нақтылауды күтуде.",
            "Запрос ожидает уточнения.",
            "The request waits for what is missing.",
            instruction("para 8"),
        ),
        State::Registered => note(
            "Сұрау салу тіркелді.",
            "Запрос зарегистрирован.",
            "The request is registered.",
            instruction("para 6"),
        ),
        State::LeftWithoutConsideration => note(
            "Сұрау салу қараусыз қалдырылды.",
            "Запрос оставлен без рассмотрения.",
            "The request is left without consideration.",
            instruction("para 7"),
        ),
    }
}

/// What comes next for a request in this state, and from whom.
pub fn awaited(state: State) -> Option<Note> {
    match state {
        State::Received => Some(note(
            "Құқықтық статистика органы сұрау салуды тексереді.",
            "Орган правовой статистики проверит запрос.",
            "The body of legal statistics will examine the request.",
            instruction("paras 5 to 8"),
        )),
        State::AwaitingClarification => Some(note(
            "Сұрау салушы төменде аталғанды толықтыруы тиіс.",
            "Запрашивающий должен восполнить названное ниже.",
            "The requester must supply what is named below.",
            instruction("para 8"),
        )),
        State::Registered => Some(note(
            "Құқықтық статистика органы көрсетілген мерзімде жауап береді.",
            "Орган правовой статистики ответит в указанный срок.",
            "The body of legal statistics will answer by the due date.",
            instruction("para 6"),
        )),
        State::LeftWithoutConsideration => None,
    }
}

#[cfg(test)]
mod tests {
    use legalstat_kit::door::word::Word as _;

    use super::*;

    #[test]
    fn every_state_is_told_in_three_languages() {
        let mut told: Vec<Note> = State::ALL.iter().map(|state| stands(*state)).collect();
        told.extend(State::ALL.iter().filter_map(|state| awaited(*state)));
        for note in &told {
            let LocalizedText { kk, ru, en } = &note.text;
            assert!([kk, ru, en].iter().all(|text| text.ends_with('.')), "{note:?}");
            assert!(kk != ru && ru != en, "{note:?}");
        }
        let texts: std::collections::HashSet<&str> = told.iter().map(|note| note.text.en.as_str()).collect();
        assert_eq!(texts.len(), told.len(), "each is told apart");
    }
}
