//! A deadline as a person would tell it: day by day, each with its reason and law, and what to make of the end.

use serde_json::Value;

use super::{civil, due_line::due_line};
use crate::output::{Language, localized, text};

/// The steps of a deadline, and the end with what it means. `length` is the number of working days of the term, where it
/// is known.
pub(crate) fn explained(deadline: &Value, length: Option<i64>, language: Language) -> String {
    let steps = deadline["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let effects = effects(steps, length, language);
    let width = effects.iter().map(|effect| effect.chars().count()).max().unwrap_or(0);
    let mut lines: Vec<String> = steps
        .iter()
        .zip(&effects)
        .map(|(step, effect)| {
            format!(
                "  {}  {effect:<width$}  {} [{}]",
                civil::with_weekday(&step["date"], language),
                localized(&step["text"], language),
                text(&step["legalBasis"])
            )
        })
        .collect();
    lines.push(due_line(deadline, language));
    lines.extend(meaning(deadline, language));
    lines.join("\n")
}

/// What each step did, counted days numbered. The due day is the last one counted unless the end moved on to it.
fn effects(steps: &[Value], length: Option<i64>, language: Language) -> Vec<String> {
    let mut counted = 0;
    let mut effects = Vec::new();
    for step in steps {
        let effect = step["effect"].as_str().unwrap_or_default();
        effects.push(match effect {
            "STEP_EFFECT_COUNTED" => {
                counted += 1;
                numbered(counted, length, language)
            }
            "STEP_EFFECT_DUE" if length == Some(counted + 1) => {
                format!(
                    "{}, {}",
                    word(effect, language),
                    numbered(counted + 1, length, language)
                )
            }
            _ => word(effect, language),
        });
    }
    effects
}

fn numbered(day: i64, length: Option<i64>, language: Language) -> String {
    match length {
        Some(length) => language.of(
            format!("{length} күннің {day}-күні"),
            format!("день {day} из {length}"),
            format!("day {day} of {length}"),
        ),
        None => language.of(format!("{day}-күн"), format!("день {day}"), format!("day {day}")),
    }
}

fn word(effect: &str, language: Language) -> String {
    let word = match effect {
        "STEP_EFFECT_START" => language.of("басталады", "начало", "start"),
        "STEP_EFFECT_SKIPPED" => language.of("есептелмейді", "не считается", "not counted"),
        "STEP_EFFECT_SUSPENDED" => language.of("тоқтатылған", "приостановлен", "suspended"),
        "STEP_EFFECT_ROLLED" => language.of("ауысады", "переносится", "moves on"),
        "STEP_EFFECT_DUE" => language.of("соңғы күні", "срок", "due"),
        // An effect of a newer service is better shown as it is than not at all.
        newer => newer,
    };
    word.to_owned()
}

/// What the remarks on a deadline mean, and which calendar it is from.
fn meaning(deadline: &Value, language: Language) -> Vec<String> {
    let mut lines = Vec::new();
    if deadline["provisional"] == true {
        lines.push(
            language
                .of(
                    "алдын ала: ол сүйенетін жылдардың барлық актілері әлі жоқ, сондықтан ол жылжуы мүмкін",
                    "предварительно: ещё нет всех актов лет, на которых он основан, поэтому он может сдвинуться",
                    "provisional: not all acts of the years it rests on are in, so it can still move",
                )
                .to_owned(),
        );
    }
    if deadline["assumed"] == true {
        lines.push(
            language
                .of(
                    "болжам бойынша: ол сүйенетін ереженің қолданыстағы дереккөзі табылмады",
                    "по предположению: для правила, на котором он основан, не найдено действующего источника",
                    "assumed: for a rule that it rests on no source in force was found",
                )
                .to_owned(),
        );
    }
    let version = text(&deadline["calendarVersion"]);
    let calendar = language.of("күнтізбе нұсқасы", "версия календаря", "calendar version");
    lines.push(format!("{calendar} {version}"));
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step(day: i32, effect: &str, text: &str) -> Value {
        json!({
            "date": { "year": 2025, "month": 3, "day": day }, "effect": format!("STEP_EFFECT_{effect}"),
            "text": { "kk": "", "ru": "", "en": text },
            "legalBasis": { "act": "Code 350-VI", "provision": "art. 76", "uri": "", "assumed": true },
        })
    }

    fn deadline() -> Value {
        json!({
            "dueDate": { "year": 2025, "month": 3, "day": 18 }, "dueTime": "2025-03-18T19:00:00Z",
            "provisional": true, "assumed": true, "calendarVersion": "12",
            "steps": [
                step(14, "START", "received"), step(15, "SKIPPED", "Saturday"), step(17, "COUNTED", "counts"),
                step(18, "DUE", "last day"),
            ],
        })
    }

    #[test]
    fn days_are_numbered_within_the_length_of_the_term() {
        let said = explained(&deadline(), Some(2), Language::En);
        for line in [
            "  2025-03-14 (Fri)  start            received [Code 350-VI, art. 76 (assumed)]",
            "  2025-03-15 (Sat)  not counted      Saturday [",
            "  2025-03-17 (Mon)  day 1 of 2       counts [",
            "  2025-03-18 (Tue)  due, day 2 of 2  last day [",
            "due 2025-03-18 (Tue), until 2025-03-19 00:00 UTC+05:00 (Astana), provisional, assumed",
            "calendar version 12",
        ] {
            assert!(said.lines().any(|found| found.starts_with(line)), "{line}\n{said}");
        }
        assert!(
            said.contains("can still move") && said.contains("no source in force"),
            "{said}"
        );
    }

    #[test]
    fn days_are_numbered_from_one_where_the_length_is_not_known() {
        let said = explained(&deadline(), None, Language::Ru);
        assert!(said.contains("день 1  ") && !said.contains("из"), "{said}");
        assert!(said.contains("  received ["), "a missing language falls back: {said}");
    }

    #[test]
    fn a_day_that_the_end_moved_to_is_not_numbered() {
        let mut deadline = deadline();
        deadline["steps"][2]["effect"] = json!("STEP_EFFECT_ROLLED");
        let said = explained(&deadline, None, Language::En);
        assert!(said.contains("moves on") && !said.contains("day 1"), "{said}");
    }
}
