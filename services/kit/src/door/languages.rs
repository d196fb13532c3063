//! The languages in which a caller wants the texts of an answer.
//!
//! Answers are made in all languages, and the others emptied last ([`Languages::keep`]), by code that `proto/build.rs` generates from the
//! contracts: what is stored, cached or signed knows nothing of who asks. Reflection would write and read each answer twice for it, and
//! to hand the languages down to wherever a text is made would touch every conversion.

use legalstat_proto::Texts;

use crate::{FieldReason, Violations, told::Language};

/// The field of a request that names them.
const FIELD: &str = "languages";

/// Some of the languages of the system, or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Languages {
    kk: bool,
    ru: bool,
    en: bool,
}

impl Languages {
    /// All languages.
    pub const ALL: Self = Self {
        kk: true,
        ru: true,
        en: true,
    };

    /// Reads the field `languages`: codes, none of which is given twice; all languages when there are none.
    pub fn read(violations: &mut Violations, given: &[String]) -> Self {
        if given.is_empty() {
            return Self::ALL;
        }
        if given.len() > Language::ALL.len() {
            violations.add(FIELD, FieldReason::TooMany, "kk, ru and en, each once at most");
            return Self::ALL;
        }
        let mut read = Self {
            kk: false,
            ru: false,
            en: false,
        };
        for (place, code) in given.iter().enumerate() {
            let field = format!("{FIELD}[{place}]");
            let wanted = match Language::of_code(code) {
                Some(Language::Kk) => &mut read.kk,
                Some(Language::Ru) => &mut read.ru,
                Some(Language::En) => &mut read.en,
                None => {
                    violations.add(field, FieldReason::Language, "kk, ru or en");
                    continue;
                }
            };
            if std::mem::replace(wanted, true) {
                violations.add(field, FieldReason::Duplicate, "it is given already");
            }
        }
        read
    }

    /// A text in these languages, Kazakh, Russian and English; empty in the others.
    pub fn of(self, [kk, ru, en]: [&str; 3]) -> [&str; 3] {
        [(self.kk, kk), (self.ru, ru), (self.en, en)].map(|(wanted, text)| if wanted { text } else { "" })
    }

    /// The answer with its texts in these languages alone.
    pub fn keep<T: Texts>(self, mut answer: T) -> T {
        if self != Self::ALL {
            answer.each_text(&mut |text| {
                for (wanted, text) in [
                    (self.kk, &mut text.kk),
                    (self.ru, &mut text.ru),
                    (self.en, &mut text.en),
                ] {
                    if !wanted {
                        text.clear();
                    }
                }
            });
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use legalstat_proto::{
        calendar::v1::{Deadline, Step},
        common::v1::LocalizedText,
    };

    use super::*;

    fn read(given: &[&str]) -> (Languages, Vec<(String, FieldReason)>) {
        let mut violations = Violations::new();
        let given: Vec<String> = given.iter().map(|code| (*code).to_owned()).collect();
        let read = Languages::read(&mut violations, &given);
        let refused = violations.refuse().err().map(|refusal| refusal.violations);
        let found = refused.into_iter().flatten();
        (
            read,
            found.map(|violation| (violation.field, violation.reason)).collect(),
        )
    }

    #[test]
    fn each_language_is_given_by_its_code_once_and_none_stands_for_all() {
        assert_eq!(read(&[]), (Languages::ALL, vec![]));
        assert_eq!(read(&["en", "kk", "ru"]), (Languages::ALL, vec![]));
        assert_eq!(read(&["kk"]).0.of(["a", "b", "c"]), ["a", "", ""]);
        for wrong in ["KK", "kaz", "de", "", "ru-KZ"] {
            let found = vec![("languages[1]".to_owned(), FieldReason::Language)];
            assert_eq!(read(&["ru", wrong]).1, found, "{wrong:?}");
        }
        let twice = vec![("languages[1]".to_owned(), FieldReason::Duplicate)];
        assert_eq!(read(&["ru", "ru"]).1, twice);
        let many = vec![("languages".to_owned(), FieldReason::TooMany)];
        assert_eq!(read(&["kk"; 4]).1, many);
    }

    #[test]
    fn texts_at_any_depth_are_kept_in_the_languages_asked_for() {
        let text = LocalizedText {
            kk: "a".into(),
            ru: "b".into(),
            en: "c".into(),
        };
        let step = Step {
            text: Some(text),
            ..Default::default()
        };
        let deadline = Deadline {
            steps: vec![step.clone(), step],
            ..Default::default()
        };
        let kept = read(&["ru"]).0.keep(deadline.clone());
        for step in kept.steps {
            let text = step.text.expect("it stays");
            assert_eq!([text.kk, text.ru, text.en], ["", "b", ""]);
        }
        assert_eq!(Languages::ALL.keep(deadline.clone()), deadline);
    }
}
