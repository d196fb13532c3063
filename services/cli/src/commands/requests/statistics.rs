//! How `legalstat requests statistics` is shown.

use serde_json::{Map, Value};

use crate::output::{self, Language};

const COLUMNS: [(&str, &str); 10] = [
    ("of", "of"),
    ("received", "received"),
    ("registered", "registered"),
    ("in time", "answeredInTime"),
    ("late", "answeredLate"),
    ("extended", "extended"),
    ("open", "open"),
    ("overdue", "overdue"),
    ("median days", "medianDays"),
    ("90 % within days", "ninetiethPercentileDays"),
];
const GROUNDS: [(&str, &str); 2] = [
    ("left without consideration by", "rule"),
    ("requests", "leftWithoutConsideration"),
];

/// One line for all, and one for each kind, channel and state; then the grounds.
pub(super) fn shown(statistics: &Value, _: Language) -> String {
    let mut rows = vec![row("all", &statistics["total"])];
    for (field, of, prefix) in [
        ("requesterKinds", "requesterKind", "REQUESTER_KIND_"),
        ("channels", "channel", "CHANNEL_"),
        ("states", "state", "REQUEST_STATE_"),
    ] {
        let lines = statistics[field].as_array().into_iter().flatten();
        rows.extend(lines.map(|line| {
            let word = line[of].as_str().unwrap_or_default().trim_start_matches(prefix);
            row(word, &line["counts"])
        }));
    }
    let table = output::rows(&Value::Array(rows), &COLUMNS);
    let grounds = output::rows(&statistics["grounds"], &GROUNDS);
    format!("{table}\n{grounds}")
}

fn row(of: &str, counts: &Value) -> Value {
    let mut row: Map<String, Value> = counts.as_object().cloned().unwrap_or_default();
    row.insert("of".into(), of.into());
    Value::Object(row)
}
