//! The languages of the system, and which of them a caller asks for.

use http::{HeaderMap, header::ACCEPT_LANGUAGE};

/// A language of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Kazakh.
    Kk,
    /// Russian.
    Ru,
    /// English.
    En,
}

impl Language {
    /// All of them, in the order in which the contracts name them.
    pub const ALL: [Self; 3] = [Self::Kk, Self::Ru, Self::En];

    /// Its code in ISO 639-1.
    pub fn code(self) -> &'static str {
        match self {
            Self::Kk => "kk",
            Self::Ru => "ru",
            Self::En => "en",
        }
    }

    /// The language of this code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The language that a call asks for by `accept-language`, found by lookup (RFC 4647, section 3.4): `ru-KZ` is served with Russian.
    /// A call that asks for none that is there gets English; `None` is said of a call without that header.
    pub(crate) fn asked(headers: &HeaderMap) -> Option<Self> {
        let given: Vec<&str> = headers
            .get_all(ACCEPT_LANGUAGE)
            .iter()
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(','))
            .collect();
        if given.iter().all(|range| range.trim().is_empty()) {
            return None;
        }
        let mut wanted: Vec<(Self, f32)> = given.into_iter().filter_map(wanted).collect();
        wanted.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        Some(wanted.first().map_or(Self::En, |(language, _)| *language))
    }
}

/// The language that a range such as `ru-KZ;q=0.8` leads to, and how much it is wanted. The codes of all languages here are single
/// subtags, so that lookup, which shortens a range from its end, comes to its first subtag. `*` is passed over, as lookup wants it.
fn wanted(range: &str) -> Option<(Language, f32)> {
    let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
    let weight = match parameters.trim().strip_prefix("q=") {
        Some(weight) => weight.parse().ok()?,
        None => 1.0,
    };
    let first = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
    let language = Language::of_code(&first)?;
    (weight > 0.0 && weight <= 1.0).then_some((language, weight))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn asked(given: &[&'static str]) -> Option<Language> {
        let values = given
            .iter()
            .map(|value| (ACCEPT_LANGUAGE, HeaderValue::from_static(value)));
        Language::asked(&values.collect())
    }

    #[test]
    fn the_language_wanted_most_of_those_that_are_there_is_told() {
        for (given, expected) in [
            ("ru", Language::Ru),
            ("RU-KZ", Language::Ru),
            ("kk-Cyrl-KZ", Language::Kk),
            ("de, ru;q=0.5, kk;q=0.8", Language::Kk),
            ("en;q=0.1, ru;q=0.1", Language::En),
            ("*, ru;q=0.1", Language::Ru),
            ("ru;q=0, kk;q=0.001", Language::Kk),
        ] {
            assert_eq!(asked(&[given]), Some(expected), "{given}");
        }
        assert_eq!(asked(&["de", "kk"]), Some(Language::Kk));
    }

    #[test]
    fn who_asks_for_a_language_that_is_not_there_is_told_in_english_and_who_asks_for_none_in_none() {
        for given in ["de", "*", "ru;q=0", "ru;q=x", "ru;q=7", "russian", "ru;q=NaN"] {
            assert_eq!(asked(&[given]), Some(Language::En), "{given}");
        }
        for given in [&[] as &[_], &[""], &[" , "]] {
            assert_eq!(asked(given), None, "{given:?}");
        }
    }
}
