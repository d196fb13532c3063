//! Where a request stands, in words, for whoever holds its coupon.

use legalstat_kit::law::{LegalBasis, LocalizedText};

use super::request::State;

/// A sentence with its law, where some law is behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The sentence.
    pub text: LocalizedText,
    /// The law. Where a decision leads to a state, its law is that of the decision.
    pub legal_basis: Option<LegalBasis>,
}

/// A sentence by a provision of the Instruction.
fn instruction(provision: &str, text: (&str, &str, &str)) -> Note {
    Note {
        legal_basis: Some(LegalBasis::instruction(provision)),
        ..decided(text)
    }
}

/// A sentence whose law is that of a decision.
fn decided((kk, ru, en): (&str, &str, &str)) -> Note {
    Note {
        text: LocalizedText::new(kk, ru, en),
        legal_basis: None,
    }
}

/// Where a request in this state stands.
pub fn stands(state: State) -> Note {
    match state {
        State::Received => instruction(
            "paras 5 to 8",
            ("Сұрау салу қабылданды.", "Запрос принят.", "The request is accepted."),
        ),
        State::AwaitingClarification => instruction(
            "para 8",
            (
                "Сұрау салу нақтылауды күтуде.",
                "Запрос ожидает уточнения.",
                "The request waits for what is missing.",
            ),
        ),
        State::Registered => instruction(
            "para 6",
            (
                "Сұрау салу тіркелді.",
                "Запрос зарегистрирован.",
                "The request is registered.",
            ),
        ),
        State::InPreparation => instruction(
            "para 6",
            (
                "Сұрау салуға жауап дайындалуда.",
                "Ответ на запрос готовится.",
                "The answer to the request is being prepared.",
            ),
        ),
        State::LeftWithoutConsideration => instruction(
            "para 7",
            (
                "Сұрау салу қараусыз қалдырылды.",
                "Запрос оставлен без рассмотрения.",
                "The request is left without consideration.",
            ),
        ),
        State::Answered => decided((
            "Сұрау салуға жауап жіберілді.",
            "Ответ на запрос отправлен.",
            "The answer to the request has been dispatched.",
        )),
        State::Forwarded => decided((
            "Сұрау салу құзыретті органға жолданды.",
            "Запрос перенаправлен в компетентный орган.",
            "The request has been forwarded to the competent body.",
        )),
        State::Returned => decided((
            "Сұрау салу қайтарылды.",
            "Запрос возвращён.",
            "The request has been returned.",
        )),
        State::Terminated => decided((
            "Сұрау салуды қарау тоқтатылды.",
            "Рассмотрение запроса прекращено.",
            "The consideration of the request has been terminated.",
        )),
        State::Withdrawn => decided((
            "Сұрау салу кері қайтарып алынды.",
            "Запрос отозван.",
            "The request has been withdrawn.",
        )),
    }
}

/// What comes next for a request in this state, and from whom.
pub fn awaited(state: State) -> Option<Note> {
    let next = match state {
        State::Received => instruction(
            "paras 5 to 8",
            (
                "Құқықтық статистика органы сұрау салуды тексереді.",
                "Орган правовой статистики проверит запрос.",
                "The body of legal statistics will examine the request.",
            ),
        ),
        State::AwaitingClarification => instruction(
            "para 8",
            (
                "Сұрау салушы төменде аталғанды толықтыруы тиіс.",
                "Запрашивающий должен восполнить названное ниже.",
                "The requester must supply what is named below.",
            ),
        ),
        State::Registered | State::InPreparation => instruction(
            "para 6",
            (
                "Құқықтық статистика органы көрсетілген мерзімде жауап береді.",
                "Орган правовой статистики ответит в указанный срок.",
                "The body of legal statistics will answer by the due date.",
            ),
        ),
        State::LeftWithoutConsideration
        | State::Answered
        | State::Forwarded
        | State::Returned
        | State::Terminated
        | State::Withdrawn => return None,
    };
    Some(next)
}

#[cfg(test)]
mod tests {
    use legalstat_kit::door::word::Word as _;

    use super::*;

    #[test]
    fn every_state_is_told_in_three_languages() {
        let mut told: Vec<Note> = State::ALL.iter().map(|state| stands(*state)).collect();
        told.extend(
            [State::Received, State::AwaitingClarification, State::Registered]
                .map(|state| awaited(state).expect("something is awaited while a request is open")),
        );
        for note in &told {
            let LocalizedText { kk, ru, en } = &note.text;
            assert!([kk, ru, en].iter().all(|text| text.ends_with('.')), "{note:?}");
            assert!(kk != ru && ru != en, "{note:?}");
        }
        let texts: std::collections::HashSet<&str> = told.iter().map(|note| note.text.en.as_str()).collect();
        assert_eq!(texts.len(), told.len(), "each is told apart");
    }
}
