//! What a text shows, by the general categories and properties of Unicode.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizer;
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{BidiControl, DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup},
};

/// What shows something: a letter, a digit, punctuation or a symbol.
const SHOWN: GeneralCategoryGroup = GeneralCategoryGroup::Letter
    .union(GeneralCategoryGroup::Number)
    .union(GeneralCategoryGroup::Punctuation)
    .union(GeneralCategoryGroup::Symbol);
/// A symbol by its category, and empty.
const BRAILLE_BLANK: char = '\u{2800}';

/// The text in NFC: one letter is one letter, however it was typed.
pub fn composed(text: &str) -> Cow<'_, str> {
    ComposingNormalizer::new_nfc().normalize(text)
}

/// Whether a reader sees anything of it.
pub fn shows(text: &str) -> bool {
    let (categories, ignorable) = (
        CodePointMapData::<GeneralCategory>::new(),
        CodePointSetData::new::<DefaultIgnorableCodePoint>(),
    );
    text.chars()
        .any(|c| SHOWN.contains(categories.get(c)) && !ignorable.contains(c) && c != BRAILLE_BLANK)
}

/// Whether the character turns the direction of what follows it, so that a reader sees another text than is stored.
pub fn turns_direction(c: char) -> bool {
    CodePointSetData::new::<BidiControl>().contains(c)
}

/// Whether the character ends a line or controls a device.
pub fn controls(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// A text of somebody else's of at most `most` characters, with what cannot be shown made visible.
pub fn carried(text: &str, most: usize) -> String {
    let shown = |c: char| {
        if controls(c) || turns_direction(c) {
            '\u{fffd}'
        } else {
            c
        }
    };
    match text.char_indices().nth(most) {
        None => text.chars().map(shown).collect(),
        Some((end, _)) => text[..end].chars().map(shown).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_shows_something_only_by_letters_digits_punctuation_or_symbols() {
        for shown in ["a", "ж", "7", "?", "№", "\u{200b}a", "漢", "é", "😀"] {
            assert!(shows(shown), "{shown:?}");
        }
        for blank in [
            "",
            " ",
            "\n\t",
            "\u{200b}",
            "\u{200d}\u{2060}",
            "\u{feff}",
            "\u{ad}",
            "\u{a0}",
            "\u{3000}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{2800}",
            "\u{301}",
            "\u{202e}",
            "\u{e000}",
            "\u{e0041}",
        ] {
            assert!(!shows(blank), "{blank:?}");
        }
    }

    #[test]
    fn every_control_of_direction_is_known() {
        for c in
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}".chars()
        {
            assert!(turns_direction(c), "{c:?}");
        }
        assert!(!"aא\u{200d}".chars().any(turns_direction));
    }

    #[test]
    fn one_letter_in_two_parts_is_one_letter() {
        assert_eq!(composed("и\u{306}"), "й");
    }
}
