//! The fonts, and the characters that they show.

use std::sync::LazyLock;

use serde_json::Value;
use typst::{
    foundations::Bytes,
    layout::Abs,
    text::{Font, FontBook, FontInstance, FontVariant, FontVariations},
    utils::LazyHash,
};

/// Libertinus Serif for the text, with the Kazakh letters; DejaVu Sans for what it lacks, Arabic and Hebrew among it.
static FILES: [&[u8]; 3] = [
    include_bytes!("../fonts/LibertinusSerif-Regular.otf"),
    include_bytes!("../fonts/LibertinusSerif-Bold.otf"),
    include_bytes!("../fonts/DejaVuSans.ttf"),
];

/// The fonts that a document is set in.
pub static FONTS: LazyLock<Vec<Font>> = LazyLock::new(|| {
    let font = |file: &'static [u8]| Font::new(Bytes::new(file), 0).expect("the fonts are part of the program");
    FILES.into_iter().map(font).collect()
});

/// What the fonts say of themselves.
pub static BOOK: LazyLock<LazyHash<FontBook>> = LazyLock::new(|| LazyHash::new(FontBook::from_fonts(&*FONTS)));

/// The font that has all that any text is set in. It is asked for glyphs: what a font says it covers may have none of its own.
static LAST: LazyLock<FontInstance> = LazyLock::new(|| {
    let last = FONTS.last().expect("there are three").clone();
    last.instantiate(FontVariant::default(), Abs::zero(), &FontVariations::default())
});

/// Whether a character can be shown as what it is. One that turns the direction of what follows cannot: a reader would see
/// another text, or another number, than was signed.
fn shows(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let glyph = || LAST.ttf().glyph_index(c);
    c == '\n' || (!c.is_control() && !turns && glyph().is_some_and(|glyph| glyph.0 != 0))
}

/// The text with every character that cannot be shown as its number, `<U+1F600>`: a document for archives may not hold a glyph
/// that stands for none, and leaving the character out would tell nobody.
pub fn legible(text: &str) -> String {
    let mut legible = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\t' => legible.push(' '),
            c if shows(c) => legible.push(c),
            c => legible.push_str(&format!("<U+{:04X}>", u32::from(c))),
        }
    }
    legible
}

/// The same of all texts of a value.
pub fn make_legible(value: &mut Value) {
    match value {
        Value::String(text) => *text = legible(text),
        Value::Array(values) => values.iter_mut().for_each(make_legible),
        Value::Object(fields) => fields.values_mut().for_each(make_legible),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_the_font_claims_without_a_glyph_is_told_by_its_number() {
        for (c, told) in [('\u{608}', "<U+0608>"), ('\u{60b}', "<U+060B>")] {
            assert!(LAST.font().info().coverage.contains(c.into()), "the font claims {told}");
            assert_eq!(legible(&c.to_string()), told);
        }
    }

    #[test]
    fn kazakh_russian_arabic_and_combining_letters_are_shown_as_they_are() {
        let text = "әғқңөұүһі ӘҒҚҢӨҰҮҺІ Ёё №1 «да» – e\u{301} שלום سلام\nновая строка";
        assert_eq!(legible(text), text);
        let main = &FONTS[0].info().coverage;
        let bold = &FONTS[1].info().coverage;
        let kazakh = "әғқңөұүһіӘҒҚҢӨҰҮҺІ";
        assert!(
            kazakh
                .chars()
                .all(|c| main.contains(c.into()) && bold.contains(c.into()))
        );
    }

    #[test]
    fn what_cannot_be_shown_or_turns_the_direction_is_told_by_its_number() {
        for (text, shown) in [
            ("12\u{202e}34", "12<U+202E>34"),
            ("漢\u{1fae8}", "<U+6F22><U+1FAE8>"),
            ("a\u{0}b\u{7}", "a<U+0000>b<U+0007>"),
            ("a\tb", "a b"),
            ("\u{200f}", "<U+200F>"),
            ("\u{e000}", "<U+E000>"),
        ] {
            assert_eq!(legible(text), shown);
        }
    }
}
