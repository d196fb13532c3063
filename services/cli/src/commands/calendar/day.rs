//! `legalstat calendar day` and `days`.

use serde_json::{Value, json};

use super::{Known, SERVICE, Texts, civil};
use crate::{
    commands::{connect, name, object},
    failure::Failure,
    options::Options,
    output::{self, Language, View, localized, text},
    place::ServiceName,
};

const DAYS: View = View::Rows(
    "days",
    &[
        ("date", "date"),
        ("working", "working"),
        ("kind", "kind"),
        ("reason", "reasons.last.text"),
        ("legal basis", "reasons.last.legalBasis"),
        ("provisional", "provisional"),
    ],
);

/// Prints one day with its reasons.
pub(super) async fn day(day: &str, texts: &Texts, known: Known, options: &Options) -> Result<(), Failure> {
    let request = object([
        ("name", Some(json!(name("days/", day)))),
        ("asKnownAt", known.as_known_at),
    ]);
    let connection = connect(options, ServiceName::Calendar)?;
    let day = connection.call(&format!("{SERVICE}/GetDay"), &request).await?;
    Ok(output::show(&day, options.output, &told(&day, texts.language))?)
}

/// Prints the days of a range, all or only those off.
pub(super) async fn days(
    from: Value,
    to: Value,
    only_off: bool,
    known: Known,
    options: &Options,
) -> Result<(), Failure> {
    let request = object([("from", Some(from)), ("to", Some(to)), ("asKnownAt", known.as_known_at)]);
    let connection = connect(options, ServiceName::Calendar)?;
    let mut response = connection.list(&format!("{SERVICE}/ListDays"), &request).await?;
    if let Some(days) = response["days"].as_array_mut().filter(|_| only_off) {
        days.retain(|day| day["working"] == false);
    }
    Ok(output::print(&response, options.output, DAYS)?)
}

/// A day as a person would tell it: from the first cause to the one that had the last word.
fn told(day: &Value, language: Language) -> String {
    let working = if day["working"] == true {
        language.of("жұмыс күні", "рабочий", "worked")
    } else {
        language.of("демалыс", "нерабочий", "off")
    };
    let mut lines = vec![format!(
        "{}: {working}, {}",
        civil::with_weekday(&day["date"], language),
        text(&day["kind"]).to_lowercase().replace('_', " ")
    )];
    lines.extend(reasons(day, language).iter().map(|reason| format!("  - {reason}")));
    if day["provisional"] == true {
        let provisional = language.of(
            "алдын ала: жылдың барлық актілері әлі жоқ",
            "предварительно: ещё нет всех актов года",
            "provisional: not all acts of the year are in",
        );
        lines.push(provisional.to_owned());
    }
    lines.push(format!(
        "{} {}",
        language.of("күнтізбе нұсқасы", "версия календаря", "calendar version"),
        text(&day["calendarVersion"])
    ));
    lines.join("\n")
}

/// The reasons of a day, each with its citation.
pub(super) fn reasons(day: &Value, language: Language) -> Vec<String> {
    let reasons = day["reasons"].as_array().into_iter().flatten();
    reasons.map(|reason| cited(reason, language)).collect()
}

/// The reason that had the last word, with its citation.
pub(super) fn last_reason(day: &Value, language: Language) -> String {
    reasons(day, language).pop().unwrap_or_default()
}

fn cited(reason: &Value, language: Language) -> String {
    format!(
        "{} [{}]",
        localized(&reason["text"], language),
        text(&reason["legalBasis"])
    )
}

/// The kinds of days that are marked: the sign and what it means. Weekends and working days have none.
pub(super) const MARKS: [(&str, char, &str); 5] = [
    ("DAY_KIND_HOLIDAY", 'H', "holiday"),
    ("DAY_KIND_DAY_OFF", 'D', "day off"),
    (
        "DAY_KIND_ROLLED_DAY_OFF",
        'R',
        "off for a holiday that fell on a day off",
    ),
    ("DAY_KIND_TRANSFERRED_DAY_OFF", 'T', "off by a transfer"),
    ("DAY_KIND_TRANSFERRED_WORKING_DAY", 'W', "worked by a transfer"),
];

/// The sign of a day that is out of the ordinary.
pub(super) fn mark(day: &Value) -> Option<char> {
    let found = MARKS.iter().find(|(kind, _, _)| day["kind"] == *kind);
    found.map(|(_, mark, _)| *mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_told_with_every_reason_and_its_law() {
        let reason = |text: &str, act: &str| {
            json!({
                "text": { "kk": "", "ru": "", "en": text },
                "legalBasis": { "act": act, "provision": "art. 5", "uri": "", "assumed": false },
                "key": "", "revision": 0,
            })
        };
        let day = json!({
            "date": { "year": 2025, "month": 1, "day": 5 }, "working": true, "kind": "DAY_KIND_TRANSFERRED_WORKING_DAY",
            "reasons": [reason("Sunday", "Labour Code"), reason("moved", "Order 1")],
            "provisional": true, "calendarVersion": "3",
        });
        assert_eq!(
            told(&day, Language::En),
            "2025-01-05 (Sun): worked, transferred working day\n  - Sunday [Labour Code, art. 5]\n  - moved [Order 1, \
             art. 5]\nprovisional: not all acts of the year are in\ncalendar version 3"
        );
    }
}
