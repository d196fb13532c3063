//! Why an edition is due on its day.

use serde_json::{Value, json};

use crate::{
    commands::calendar::explain,
    output::{Language, text},
};

/// The steps of an edition's due date, or why there are none, and how the date moved.
pub(super) fn explained(edition: &Value, language: Language) -> String {
    let deadline = json!({
        "steps": edition["dueDateSteps"],
        "dueDate": edition["dueDate"],
        "dueTime": edition["dueTime"],
        "provisional": edition["provisional"],
        "assumed": edition["assumed"],
        "calendarVersion": edition["calendarVersion"],
    });
    let mut lines = vec![text(&edition["name"]), explain::explained(&deadline, None, language)];
    let missing = text(&edition["dueDateStepsMissing"]);
    if !missing.is_empty() {
        let without = language.of("түсіндірме жоқ", "объяснения нет", "there is no explanation");
        lines.push(format!("{without}: {missing}"));
    }
    for moved in edition["dueDateChanges"].as_array().into_iter().flatten() {
        let word = language.of("ауысты", "перенесён", "moved");
        let (old, new) = (text(&moved["oldDueDate"]), text(&moved["newDueDate"]));
        let causes = ["calendarAct", "terms", "reason"].map(|field| text(&moved[field]));
        let causes: Vec<&str> = causes
            .iter()
            .map(String::as_str)
            .filter(|cause| !cause.is_empty())
            .collect();
        lines.push(format!("{word} {old} → {new} [{}]", causes.join(", ")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edition_without_steps_says_why_and_how_its_date_moved() {
        let edition = json!({
            "name": "forms/7/editions/2026-M10",
            "dueDate": { "year": 2026, "month": 11, "day": 9 }, "dueTime": "2026-11-09T19:00:00Z",
            "provisional": false, "assumed": true, "calendarVersion": "18", "dueDateSteps": [],
            "dueDateStepsMissing": "the calendar is away; ask again",
            "dueDateChanges": [{
                "oldDueDate": { "year": 2026, "month": 11, "day": 7 }, "newDueDate": { "year": 2026, "month": 11, "day": 9 },
                "calendarAct": "", "terms": "forms/7/versions/2", "reason": "Order No. 7",
            }],
        });
        let said = explained(&edition, Language::En);
        for line in [
            "forms/7/editions/2026-M10",
            "due 2026-11-09 (Mon)",
            "there is no explanation: the calendar is away; ask again",
            "moved 2026-11-07 → 2026-11-09 [forms/7/versions/2, Order No. 7]",
        ] {
            assert!(said.lines().any(|found| found.starts_with(line)), "{line}\n{said}");
        }
    }
}
