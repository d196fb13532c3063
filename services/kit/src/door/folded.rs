//! How a number or a code is looked up: as `folded` does it in every schema, where an index holds it.

use icu_normalizer::ComposingNormalizer;

/// The Cyrillic letters that look like Latin ones, and those.
const ALIKE: (&str, &str) = (
    "АаВвЕеЁёКкМмНнҺһОоРрСсТтУуҮүХхІіЈјЅѕ",
    "aabbeeeekkmmhhhhooppccttyyyyxxiijjss",
);
/// The other capital letters of Kazakh and Russian, and their small ones.
const CAPITALS: (&str, &str) = ("БГҒДЖЗИЙЛПФЦЧШЩЪЫЬЭЮЯӘҚҢӨҰ", "бгғджзийлпфцчшщъыьэюяәқңөұ");
/// Spaces, dashes, and what has no width.
const LEFT_OUT: &str = " \t-\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2043}\u{2212}\u{ad}\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}";

/// A number or a code without case, spaces, dashes and what shows nothing, and with one letter for those that look alike in Latin
/// and Cyrillic.
pub fn folded(code: &str) -> String {
    let normalized = ComposingNormalizer::new_nfkc().normalize(code);
    normalized.chars().filter_map(of).collect()
}

fn of(c: char) -> Option<char> {
    if c.is_ascii_alphanumeric() {
        return Some(c.to_ascii_lowercase());
    }
    if LEFT_OUT.contains(c) {
        return None;
    }
    let in_pairs = |(from, to): (&str, &str)| {
        let mut pairs = from.chars().zip(to.chars());
        pairs.find(|(before, _)| *before == c).map(|(_, after)| after)
    };
    Some(in_pairs(ALIKE).or_else(|| in_pairs(CAPITALS)).unwrap_or(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_however_it_is_spelled() {
        for spelled in ["15–й/М", "15-Й/M", "15 и\u{306}/m", "１５-й/М", "15\u{200b}й/м"] {
            assert_eq!(folded(spelled), "15й/m", "{spelled:?}");
        }
        assert_eq!(folded("Қ-7"), "қ7");
        assert_ne!(folded("15/1"), folded("15/2"));
    }

    #[test]
    fn each_letter_has_its_counterpart() {
        for (from, to) in [ALIKE, CAPITALS] {
            assert_eq!(from.chars().count(), to.chars().count());
        }
    }
}
