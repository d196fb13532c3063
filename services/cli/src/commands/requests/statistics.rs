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
const GROUNDS: [(&str, &str); 3] = [
    ("ended by", "by"),
    ("left without consideration", "leftWithoutConsideration"),
    ("terminated", "terminated"),
];

/// One line for all, and one for each kind, channel, state and form; then the grounds.
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
    let forms = statistics["forms"].as_array().into_iter().flatten();
    rows.extend(forms.map(|line| match line["form"].as_str().unwrap_or_default() {
        "" => row("no form", &line["counts"]),
        form => row(form, &line["counts"]),
    }));
    let table = output::rows(&Value::Array(rows), &COLUMNS);
    let grounds = statistics["grounds"].as_array().into_iter().flatten().map(ground);
    let grounds = output::rows(&grounds.collect(), &GROUNDS);
    format!("{table}\n{grounds}")
}

/// A ground with its name: that of the official, else the rule that was broken.
fn ground(line: &Value) -> Value {
    let mut row: Map<String, Value> = line.as_object().cloned().unwrap_or_default();
    let rule = line["rule"].as_str().unwrap_or_default();
    let by = match line["ground"].as_str().unwrap_or_default() {
        "" => rule.trim_start_matches("CHECK_RULE_").trim_start_matches("UNSPECIFIED"),
        ground => ground,
    };
    row.insert("by".into(), by.into());
    Value::Object(row)
}

fn row(of: &str, counts: &Value) -> Value {
    let mut row: Map<String, Value> = counts.as_object().cloned().unwrap_or_default();
    row.insert("of".into(), of.into());
    Value::Object(row)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_officials_ended_is_shown_by_its_ground_and_what_was_asked_for_by_its_form() {
        let counts = json!({ "received": "3" });
        let statistics = json!({
            "total": counts,
            "forms": [{ "form": "forms/2", "counts": counts }, { "form": "", "counts": counts }],
            "grounds": [
                { "rule": "CHECK_RULE_WRITTEN", "leftWithoutConsideration": "1" },
                { "rule": "CHECK_RULE_UNSPECIFIED", "ground": "REPEATED", "terminated": "2" },
            ],
        });
        let shown = shown(&statistics, Language::En);
        for part in ["forms/2", "no form", "WRITTEN", "REPEATED"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(!shown.contains("UNSPECIFIED"), "{shown}");
        let row = shown
            .lines()
            .find(|line| line.contains("REPEATED"))
            .expect("it has a row");
        let cells = row.split_whitespace().filter(|cell| !["│", "┆"].contains(cell));
        assert_eq!(Vec::from_iter(cells), ["REPEATED", "2"], "{shown}");
    }
}
