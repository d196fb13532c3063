//! Citations of law in the languages of the system.
//!
//! Answers to requests have such words of their own, in `answer-document`: a document must come out the same for ever, and these may change.

use super::{Language, Text, text};

/// What the registers write in English, in all languages.
const WORDS: [Text; 14] = [
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
    text("тармақтар ", "пп. ", "paras "),
    text("тармақ ", "п. ", "para "),
    text("баптар ", "ст. ", "arts. "),
    text("бап ", "ст. ", "art. "),
    text("қосымша ", "приложение ", "Appendix "),
    text(" және ", " и ", " and "),
    text("(болжам)", "(предположительно)", "(assumed)"),
];

/// A citation, `Instruction, para 13`, in the words of a language; what is none of these words stays as it is.
pub(crate) fn citation(english: &str, language: Language) -> String {
    WORDS.iter().fold(english.to_owned(), |cited, word| {
        cited.replace(word.en, word.say(language))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_citation_is_told_in_each_language() {
        for (english, kk, ru) in [
            ("Instruction, para 8", "Нұсқаулық, тармақ 8", "Инструкция, п. 8"),
            (
                "Instruction, paras 12 and 13 (assumed)",
                "Нұсқаулық, тармақтар 12 және 13 (болжам)",
                "Инструкция, пп. 12 и 13 (предположительно)",
            ),
            (
                "Constitutional Law 155-VII, art. 45(4); Law 510, art. 6",
                "155-VII Конституциялық заң, бап 45(4); № 510 Заң, бап 6",
                "Конституционный закон 155-VII, ст. 45(4); Закон № 510, ст. 6",
            ),
            (
                "Order No. 7, Appendix 1",
                "Order No. 7, қосымша 1",
                "Order No. 7, приложение 1",
            ),
        ] {
            assert_eq!(citation(english, Language::Kk), kk);
            assert_eq!(citation(english, Language::Ru), ru);
            assert_eq!(citation(english, Language::En), english);
        }
    }
}
