//! Citations of law in the languages of the system.
//!
//! Answers to requests have such words of their own, in `answer-document`: a document must come out the same for ever, and these may change.

use super::{Language, Text, text};

/// The acts, as the registers write them in English, and what stands between their parts.
const WORDS: [Text; 9] = [
    text("Нұсқаулық", "Инструкция", "Instruction"),
    text("Еңбек кодексі", "Трудовой кодекс", "Labour Code"),
    text("350-VI Кодекс", "Кодекс 350-VI", "Code 350-VI"),
    text("№ 221 Заң", "Закон № 221", "Law No. 221"),
    text(
        "155-VII Конституциялық заң",
        "Конституционный закон 155-VII",
        "Constitutional Law 155-VII",
    ),
    text("№ 510 Заң", "Закон № 510", "Law No. 510"),
    text("№ 510 Заң", "Закон № 510", "Law 510"),
    text(" және ", " и ", " and "),
    text("(болжам)", "(предположительно)", "(assumed)"),
];

/// What stands before the number of a part of an act; in Kazakh it follows the number.
const PARTS: [Text; 8] = [
    text("тармақтар", "пп.", "paras"),
    text("тармақ", "п.", "para"),
    text("баптар", "ст.", "arts."),
    text("бап", "ст.", "art."),
    text("қосымша", "приложение", "Appendix"),
    text("бағандар", "графы", "columns"),
    text("баған", "графа", "column"),
    text("нөмір", "№", "No."),
];

/// A citation, `Instruction, para 13`, in the words of a language; what is none of these words stays as it is.
pub(crate) fn citation(english: &str, language: Language) -> String {
    let told = WORDS.iter().fold(english.to_owned(), |cited, word| {
        cited.replace(word.en, word.say(language))
    });
    let words: Vec<&str> = told.split(' ').collect();
    match language {
        Language::Kk => numbers_first(&words),
        Language::Ru | Language::En => {
            let said = words
                .iter()
                .map(|word| part(word).map_or(*word, |part| part.say(language)));
            said.collect::<Vec<_>>().join(" ")
        }
    }
}

fn part(word: &str) -> Option<&'static Text> {
    PARTS.iter().find(|part| part.en == word)
}

/// `paras 12 және 13` as Kazakh says it, `12 және 13-тармақтар`.
fn numbers_first(words: &[&str]) -> String {
    let is_number = |place: usize| {
        words
            .get(place)
            .is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()))
    };
    let mut told: Vec<String> = Vec::new();
    let mut held = None;
    for (place, word) in words.iter().enumerate() {
        let goes_on = is_number(place + 1) || words.get(place + 1) == Some(&"және") && is_number(place + 2);
        if is_number(place + 1)
            && let Some(part) = part(word)
        {
            held = Some(part.kk);
        } else if is_number(place)
            && !goes_on
            && let Some(part) = held.take()
        {
            let number = word.trim_end_matches([',', ';']);
            told.push(format!("{number}-{part}{}", &word[number.len()..]));
        } else {
            told.push((*word).to_owned());
        }
    }
    told.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_citation_is_told_in_each_language() {
        for (english, kk, ru) in [
            ("Instruction, para 8", "Нұсқаулық, 8-тармақ", "Инструкция, п. 8"),
            (
                "Instruction, paras 12 and 13 (assumed)",
                "Нұсқаулық, 12 және 13-тармақтар (болжам)",
                "Инструкция, пп. 12 и 13 (предположительно)",
            ),
            (
                "Constitutional Law 155-VII, art. 45(4); Law 510, art. 6",
                "155-VII Конституциялық заң, 45(4)-бап; № 510 Заң, 6-бап",
                "Конституционный закон 155-VII, ст. 45(4); Закон № 510, ст. 6",
            ),
            (
                "Instruction, para 14 and Appendix 2, No. 9",
                "Нұсқаулық, 14-тармақ және 2-қосымша, 9-нөмір",
                "Инструкция, п. 14 и приложение 2, № 9",
            ),
            (
                "Instruction, Appendix 1, columns 3-8",
                "Нұсқаулық, 1-қосымша, 3-8-бағандар",
                "Инструкция, приложение 1, графы 3-8",
            ),
            ("Order No. 7", "Order 7-нөмір", "Order № 7"),
        ] {
            assert_eq!(citation(english, Language::Kk), kk);
            assert_eq!(citation(english, Language::Ru), ru);
            assert_eq!(citation(english, Language::En), english);
        }
    }
}
