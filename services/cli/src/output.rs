//! Answers for people: tables, records and texts; and for scripts: proto3 JSON.

use std::io::{IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use serde_json::Value;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::failure::Failure;

/// How an answer is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table for a person.
    Table,
    /// The response message in proto3 JSON.
    Json,
}

/// How a response is shown to a person.
#[derive(Clone, Copy, Debug)]
pub(crate) enum View {
    /// The rows of a repeated field, by columns: heading and path within the row.
    Rows(&'static str, &'static [(&'static str, &'static str)]),
    /// Every field that is set, one a line.
    Record,
    /// A text of its own.
    Text(fn(&Value, Language) -> String, Language),
}

/// The languages of the system's texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    /// Kazakh.
    Kk,
    /// Russian.
    Ru,
    /// English.
    En,
}

impl Language {
    /// Of three wordings the one in this language.
    pub(crate) fn of<T>(self, kk: T, ru: T, en: T) -> T {
        match self {
            Self::Kk => kk,
            Self::Ru => ru,
            Self::En => en,
        }
    }
}

/// Prints a response.
pub(crate) fn print(response: &Value, format: Format, view: View) -> anyhow::Result<()> {
    let text = match view {
        View::Rows(field, columns) => rows(&response[field], columns),
        View::Record => record(response),
        View::Text(text, language) => text(response, language),
    };
    show(response, format, &text)
}

/// Prints a response: for a person as `text`, for scripts as it is.
pub(crate) fn show(response: &Value, format: Format, text: &str) -> anyhow::Result<()> {
    match format {
        Format::Json => write_bytes(format!("{}\n", in_json(response)?).as_bytes()),
        Format::Table => write(&format!("{}\n", text.trim_end())),
    }
}

/// Prints one message of a feed: for a person a line if there is one, for scripts the message on a line of its own.
pub(crate) fn stream(message: &Value, format: Format, line: Option<&str>) -> anyhow::Result<()> {
    match (format, line) {
        (Format::Json, _) => write_bytes(format!("{}\n", safe(&message.to_string())).as_bytes()),
        (Format::Table, Some(line)) => write(&format!("{}\n", escaped(line))),
        (Format::Table, None) => Ok(()),
    }
}

/// A response in JSON, with what could steer a terminal as JSON writes it in escapes: nothing else can stand within its
/// strings, and no reader notices.
fn in_json(response: &Value) -> anyhow::Result<String> {
    Ok(safe(&serde_json::to_string_pretty(response)?))
}

fn safe(json: &str) -> String {
    let mut safe = String::new();
    for c in json.chars() {
        if c == '\n' || is_plain(c) {
            safe.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                safe += &format!("\\u{unit:04x}");
            }
        }
    }
    safe
}

/// Writes lines to standard output, with what could steer a terminal made visible.
pub(crate) fn write(text: &str) -> anyhow::Result<()> {
    write_bytes(lines(text).as_bytes())
}

/// Writes the content of a file to standard output as it is, but nothing unsafe to a terminal.
///
/// Refuses what is no text, or holds controls, when standard output is a terminal.
pub(crate) fn write_content(content: &[u8]) -> Result<(), Failure> {
    let safe = |text: &str| text.chars().all(|c| matches!(c, '\n' | '\r' | '\t') || is_plain(c));
    if std::io::stdout().is_terminal() && !std::str::from_utf8(content).is_ok_and(safe) {
        return Err(Failure::usage(
            "the content holds what could steer a terminal: write it to a file with --to, or into a pipe",
        ));
    }
    Ok(write_bytes(content)?)
}

/// Says something to a person beside the answer: lines on standard error, with what could steer a terminal made visible.
pub(crate) fn tell(text: &str) {
    // Where nobody can be told, nothing can be done about it.
    writeln!(std::io::stderr(), "{}", lines(text)).ok();
}

fn write_bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        // Whoever reads us, `head` for one, has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// A table of the rows of a list, by columns: heading and path within the row.
pub(crate) fn rows(rows: &Value, columns: &[(&str, &str)]) -> String {
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns.iter().map(|(heading, _)| *heading));
    for row in rows {
        table.add_row(columns.iter().map(|(_, path)| text(&at(row, path))));
    }
    let noun = if rows.len() == 1 { "row" } else { "rows" };
    format!("{table}\n{} {noun}", rows.len())
}

/// The value at a path; of a list, `last` in a path is its last item, `each` all of them, and `count` how many they are.
fn at(value: &Value, path: &str) -> Value {
    let (name, rest) = path
        .split_once('.')
        .map_or((path, None), |(name, rest)| (name, Some(rest)));
    let within = |value: &Value| rest.map_or_else(|| value.clone(), |rest| at(value, rest));
    match value {
        Value::Array(items) if name == "last" => items.last().map_or(Value::Null, within),
        Value::Array(items) if name == "each" => items.iter().map(within).collect(),
        Value::Array(items) if name == "count" => items.len().into(),
        _ => within(&value[name]),
    }
}

/// A value as a person would write it: dates as 2019-07-15, enum values without prefix, texts in English or what there is.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => plain(text),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => object(fields),
    }
}

const PREFIXES: [&str; 24] = [
    "AVAILABILITY_",
    "OBSERVATION_STATUS_",
    "BODY_KIND_",
    "FORM_VERSION_KIND_",
    "CALENDAR_ACT_KIND_",
    "GRADE_",
    "LANGUAGE_",
    "ERROR_REASON_",
    "ROLE_",
    "DAY_KIND_",
    "STEP_EFFECT_",
    "REQUESTER_KIND_",
    "TERM_UNIT_",
    "TERM_ORIGIN_",
    "PERIODICITY_",
    "EDITION_STATE_",
    "COPY_STATE_",
    "CHANNEL_",
    "PUNCTUALITY_",
    "REQUEST_STATE_",
    "CHECK_RULE_",
    "CHECK_OUTCOME_",
    "OUTCOME_",
    "UNIT_",
];

/// Whether a character shows itself and nothing else: it is no control, changes no direction and ends no line.
fn is_plain(c: char) -> bool {
    !matches!(
        c.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::Unassigned
    )
}

/// A text within a line: what could steer a terminal, or pass for another line, is written out, as `\n` or `\u{202e}`.
pub(crate) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_default());
        }
    }
    shown
}

/// Lines that the program made, each made safe.
fn lines(text: &str) -> String {
    text.split('\n').map(escaped).collect::<Vec<_>>().join("\n")
}

fn plain(text: &str) -> String {
    let is_enum = !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit());
    let prefix = PREFIXES.iter().find(|prefix| is_enum && text.starts_with(*prefix));
    match prefix.map(|prefix| &text[prefix.len()..]) {
        Some("UNSPECIFIED") => String::new(),
        Some(rest) => rest.into(),
        None => escaped(text),
    }
}

fn object(fields: &serde_json::Map<String, Value>) -> String {
    let field = |name: &str| fields.get(name).unwrap_or(&Value::Null);
    if let (Some(year), Some(month), Some(day)) =
        (field("year").as_i64(), field("month").as_i64(), field("day").as_i64())
    {
        return format!("{year:04}-{month:02}-{day:02}");
    }
    if let (Some(kk), Some(ru), Some(en)) = (field("kk").as_str(), field("ru").as_str(), field("en").as_str()) {
        return in_language([kk, ru, en], Language::En);
    }
    if fields.contains_key("act") && fields.contains_key("provision") {
        let (act, provision) = (text(field("act")), text(field("provision")));
        let assumed = if field("assumed").as_bool() == Some(true) {
            " (assumed)"
        } else {
            ""
        };
        return if provision.is_empty() {
            format!("{act}{assumed}")
        } else {
            format!("{act}, {provision}{assumed}")
        };
    }
    let set = fields
        .iter()
        .map(|(name, value)| (name, text(value)))
        .filter(|(_, text)| !text.is_empty());
    set.map(|(name, text)| format!("{name}: {text}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A text of the contracts in a language, or in what there is.
pub(crate) fn localized(value: &Value, language: Language) -> String {
    let texts = ["kk", "ru", "en"].map(|language| value[language].as_str().unwrap_or_default());
    in_language(texts, language)
}

fn in_language([kk, ru, en]: [&str; 3], language: Language) -> String {
    let order = language.of([kk, ru, en], [ru, kk, en], [en, ru, kk]);
    let there = order.into_iter().find(|text| !text.is_empty());
    there.map_or_else(|| "(missing)".into(), escaped)
}

/// How long a value may be to stand on its field's line.
const LINE: usize = 100;

pub(crate) fn record(response: &Value) -> String {
    let mut lines = Vec::new();
    describe(response, "", &mut lines);
    lines.join("\n")
}

/// One line for each field that is set; what is long or many goes below its name.
fn describe(message: &Value, indent: &str, lines: &mut Vec<String>) {
    for (name, value) in message.as_object().into_iter().flatten() {
        let line = text(value);
        let deeper = format!("{indent}  ");
        match value {
            Value::Array(items) if items.iter().any(Value::is_object) => {
                lines.push(format!("{indent}{name}:"));
                lines.extend(items.iter().map(|item| format!("{deeper}- {}", text(item))));
            }
            Value::Object(_) if line.chars().count() > LINE => {
                lines.push(format!("{indent}{name}:"));
                describe(value, &deeper, lines);
            }
            _ if line.is_empty() => {}
            _ => lines.push(format!("{indent}{name}: {line}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_written_as_a_person_would() {
        assert_eq!(text(&json!({ "year": 2019, "month": 7, "day": 5 })), "2019-07-05");
        assert_eq!(text(&json!("DAY_KIND_WORKING")), "WORKING");
        assert_eq!(text(&json!({ "kk": "", "ru": "", "en": "" })), "(missing)");
        assert_eq!(
            text(&json!({ "act": "Instruction", "provision": "para 7", "uri": "", "assumed": true })),
            "Instruction, para 7 (assumed)"
        );
    }

    #[test]
    fn what_could_steer_a_terminal_or_pass_for_another_line_is_written_out() {
        let name = "a\u{1b}[2J\u{202e}b\n\u{9b}c\u{200b}\u{2028}\u{7f}й № 5";
        let shown = "a\\u{1b}[2J\\u{202e}b\\n\\u{9b}c\\u{200b}\\u{2028}\\u{7f}й № 5";
        assert_eq!(text(&json!(name)), shown);
        assert_eq!(localized(&json!({ "ru": name }), Language::En), shown);
        let table = rows(&json!([{ "name": name }]), &[("name\u{1b}", "name")]);
        assert!(table.contains(shown), "{table}");
        assert_eq!(
            lines("one\u{202e}\ntwo\r\n"),
            "one\\u{202e}\ntwo\\r\n",
            "our own lines stay"
        );
        let message = json!({ "name": name, "flag\u{feff}": "😀" });
        let written = in_json(&message).expect("it is written");
        assert!(written.chars().all(|c| c == '\n' || is_plain(c)), "{written}");
        assert_eq!(
            serde_json::from_str::<Value>(&written).ok(),
            Some(message),
            "no reader notices"
        );
    }

    #[test]
    fn a_text_is_in_the_language_asked_for_or_in_what_there_is() {
        let title = json!({ "kk": "", "ru": "Праздник", "en": "Holiday" });
        assert_eq!(localized(&title, Language::Ru), "Праздник");
        assert_eq!(localized(&title, Language::En), "Holiday");
        assert_eq!(localized(&title, Language::Kk), "Праздник");
        assert_eq!(localized(&json!({}), Language::Kk), "(missing)");
    }

    #[test]
    fn a_column_can_show_the_last_item_of_a_list() {
        let day = json!({ "reasons": [{ "text": "Saturday" }, { "text": "worked" }] });
        assert_eq!(at(&day, "reasons.last.text"), "worked");
        assert_eq!(at(&json!({ "reasons": [] }), "reasons.last.text"), Value::Null);
    }
}
