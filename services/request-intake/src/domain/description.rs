//! What a requester described, as an answer repeats it.

/// How many lines of a description stay lines.
const LINES: usize = 40;

/// A description as a letter repeats it: without its blank lines, and with its words alone behind the first lines. It was written by a
/// stranger, and a letter of a thousand pages is no answer.
pub(super) fn in_few_lines(description: &str) -> String {
    let is_break = |c: char| matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    if !description.contains(is_break) {
        return description.to_owned();
    }
    let mut told = String::with_capacity(description.len());
    let lines = description.split(is_break).map(str::trim);
    for (place, line) in lines.filter(|line| !line.is_empty()).enumerate() {
        match place {
            0 => {}
            1..LINES => told.push('\n'),
            _ => told.push(' '),
        }
        told.push_str(line);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_of_line_breaks_is_repeated_in_few_lines_with_all_of_its_words() {
        let plain = "  registered crimes,  by region ";
        assert_eq!(in_few_lines(plain), plain, "as it was written");
        assert_eq!(
            in_few_lines(&format!("a{}b\u{2028}c\r\n", "\n".repeat(3_990))),
            "a\nb\nc"
        );
        let many: Vec<String> = (0..900).map(|number| number.to_string()).collect();
        let told = in_few_lines(&many.join("\n\n"));
        assert_eq!(told.lines().count(), LINES);
        assert_eq!(told.split_whitespace().collect::<Vec<_>>(), many);
    }
}
