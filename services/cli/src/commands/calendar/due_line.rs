//! How a due date is shown: in one line, and with what is not certain of it.

use serde_json::Value;

use super::civil;
use crate::output::{Language, text};

/// The due date in one line, with the instant at which it ends and what is known of it.
pub(super) fn due_line(deadline: &Value, language: Language) -> String {
    let (due, until, astana) = language.of(
        ("соңғы күні", "аяқталуы", "Астана"),
        ("срок", "до", "Астана"),
        ("due", "until", "Astana"),
    );
    let mut line = format!(
        "{due} {}, {until} {} ({astana})",
        civil::with_weekday(&deadline["dueDate"], language),
        civil::in_astana(&deadline["dueTime"])
    );
    let notes = notes(deadline, language);
    if !notes.is_empty() {
        line += &format!(", {}", notes.join(", "));
    }
    let (term, registered) = (text(&deadline["term"]), text(&deadline["registeredOn"]));
    let words = language.of(
        ("мерзім", "тіркелген күні"),
        ("правило", "зарегистрирован"),
        ("term", "registered on"),
    );
    if !term.is_empty() {
        line += &format!("; {} {}", words.0, term.trim_start_matches("terms/"));
    }
    if !registered.is_empty() {
        line += &format!("; {} {registered}", words.1);
    }
    line
}

/// What a due date is beyond its day, in a word each: of a deadline, an edition or a line of a schedule.
pub(super) fn notes(dated: &Value, language: Language) -> Vec<&'static str> {
    let words = [
        ("provisional", language.of("алдын ала", "предварительно", "provisional")),
        ("assumed", language.of("болжам бойынша", "по предположению", "assumed")),
    ];
    let set = words.into_iter().filter(|(field, _)| dated[field] == true);
    set.map(|(_, word)| word).collect()
}

/// What must be said of a date that is not certain.
pub(super) fn remarks(dated: &Value, language: Language) -> Vec<String> {
    let provisional = language.of(
        "алдын ала: жылдың барлық актілері әлі жоқ, күн өзгеруі мүмкін",
        "предварительно: ещё нет всех актов года, дата может измениться",
        "provisional: not all acts of the year are in, the date can still change",
    );
    let assumed = language.of(
        "болжам бойынша: ереженің қолданыстағы дереккөзі табылмады",
        "по предположению: действующий источник правила не найден",
        "assumed: no source in force was found for the rule",
    );
    let said = [("provisional", provisional), ("assumed", assumed)].into_iter();
    let said = said.filter(|(field, _)| dated[field] == true);
    said.map(|(_, remark)| remark.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_due_line_says_day_end_remarks_term_and_registration() {
        let deadline = json!({
            "dueDate": { "year": 2025, "month": 4, "day": 9 }, "dueTime": "2025-04-09T19:00:00Z",
            "provisional": false, "assumed": true, "term": "terms/application-2021",
            "registeredOn": { "year": 2025, "month": 3, "day": 14 },
        });
        assert_eq!(
            due_line(&deadline, Language::En),
            "due 2025-04-09 (Wed), until 2025-04-10 00:00 UTC+05:00 (Astana), assumed; term application-2021; \
             registered on 2025-03-14"
        );
        assert!(due_line(&deadline, Language::Ru).starts_with("срок 2025-04-09 (ср), до 2025-04-10 00:00"));
    }
}
