//! A request as a sheet for an official: its number, the days that are left and what to do next first, then the checks that are
//! not passed, then what was done with it.

use jiff::{Timestamp, civil::Date};
use serde_json::Value;

use crate::output::{Language, localized, text};

/// The zone in which days are counted.
const ZONE: &str = "Asia/Almaty";

/// The sheet of a request.
pub(crate) fn sheet(request: &Value, language: Language) -> String {
    let mut lines = heading(request);
    lines.push(String::new());
    lines.extend(asked(request));
    lines.extend(checks(request, language));
    lines.extend(clarifications(request, language));
    lines.extend(decisions(request));
    lines.join("\n")
}

/// Number, days left, and what to do next.
fn heading(request: &Value) -> Vec<String> {
    let number = match text(&request["registrationNumber"]) {
        number if number.is_empty() => format!("coupon {}", text(&request["coupon"]["number"])),
        number => number,
    };
    let mut lines = vec![format!("{number}  {}", text(&request["state"]))];
    if let Some(left) = days_left(request) {
        let extended = if request["extended"] == true { ", extended" } else { "" };
        lines.push(format!("due {}: {left}{extended}", text(&request["dueDate"])));
    }
    lines.push(format!("next: {}", next(request)));
    lines
}

/// How many days are left of an answer that is owed.
fn days_left(request: &Value) -> Option<String> {
    let owed = ["AWAITING_CLARIFICATION", "REGISTERED", "IN_PREPARATION"];
    let due: Date = text(&request["dueDate"]).parse().ok()?;
    if !owed.contains(&text(&request["state"]).as_str()) {
        return None;
    }
    let today = Timestamp::now().in_tz(ZONE).ok()?.date();
    Some(left(due.duration_since(today).as_hours() / 24))
}

fn left(days: i64) -> String {
    match days {
        0 => "today".into(),
        1 => "1 day left".into(),
        -1 => "overdue by 1 day".into(),
        days if days < 0 => format!("overdue by {} days", -days),
        days => format!("{days} days left"),
    }
}

/// What an official can do next.
fn next(request: &Value) -> String {
    let open = open_checks(request);
    match text(&request["state"]).as_str() {
        "RECEIVED" if open.iter().any(|check| text(&check["rule"]) == "DUE_DATE") => {
            "look why the due date could not be computed, then `requests review --kept due-date`".into()
        }
        "RECEIVED" => "nothing: it is examined as soon as the services that it needs are back".into(),
        "AWAITING_CLARIFICATION" => match text(&request["cureBy"]) {
            day if day.is_empty() => {
                "wait for the requester: `requests clarify provide`, else `requests return`".into()
            }
            day => format!("wait for the requester until {day}: `requests clarify provide`, then `requests return`"),
        },
        "REGISTERED" | "IN_PREPARATION" if !open.is_empty() => {
            format!("decide {} with `requests review`", plural(open.len(), "check"))
        }
        "REGISTERED" => "give it to an official with `requests assign`".into(),
        "IN_PREPARATION" => format!("{} prepares the answer", text(&request["assignee"])),
        "LEFT_WITHOUT_CONSIDERATION" if reviewable(request) => {
            "confirm or reverse with `requests review` what the system decided".into()
        }
        _ => "nothing: it has ended".into(),
    }
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Whether nobody but the system has left it without consideration, and nobody has looked.
fn reviewable(request: &Value) -> bool {
    list(&request["decisions"]).is_empty()
}

/// The checks that an official has yet to decide.
fn open_checks(request: &Value) -> Vec<&Value> {
    let decided: Vec<&Value> = list(&request["decisions"])
        .iter()
        .flat_map(|decision| list(&decision["checks"]))
        .collect();
    let is_decided = |check: &Value| {
        decided
            .iter()
            .any(|decided| decided["check"]["rule"] == check["rule"] && decided["check"]["field"] == check["field"])
    };
    let checks = list(&request["examination"]["checks"]).iter();
    let open = checks.filter(|check| ["PROPOSED", "UNDETERMINED"].contains(&text(&check["outcome"]).as_str()));
    open.filter(|check| !is_decided(check)).collect()
}

fn asked(request: &Value) -> Vec<String> {
    let mut lines = vec![
        format!("from: {}", text(&request["requester"]["fullName"])),
        format!("essence: {}", text(&request["essence"])),
    ];
    for (position, item) in list(&request["items"]).iter().enumerate() {
        let parts = [
            "description",
            "unit",
            "period",
            "untilPeriod",
            "form",
            "indicator",
            "detail",
        ];
        let parts = parts.map(|part| text(&item[part]));
        let told: Vec<&str> = parts
            .iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        lines.push(format!("items[{position}]: {}", told.join(", ")));
    }
    lines
}

/// Those that are not passed first.
fn checks(request: &Value, language: Language) -> Vec<String> {
    let mut checks: Vec<&Value> = list(&request["examination"]["checks"]).iter().collect();
    let rank = |check: &Value| match text(&check["outcome"]).as_str() {
        "FAILED" => 0,
        "PROPOSED" => 1,
        "UNDETERMINED" => 2,
        "PENDING" => 3,
        "PASSED" => 4,
        _ => 5,
    };
    checks.sort_by_key(|check| rank(check));
    let mut lines = vec![String::new(), "checks:".to_owned()];
    for check in checks {
        let field = text(&check["field"]);
        let of = if field.is_empty() {
            String::new()
        } else {
            format!(" {field}")
        };
        let (rule, outcome) = (text(&check["rule"]), text(&check["outcome"]));
        let law = text(&check["legalBasis"]);
        lines.push(format!(
            "  {outcome} {rule}{of}: {} [{law}]",
            localized(&check["text"], language)
        ));
    }
    lines
}

fn clarifications(request: &Value, language: Language) -> Vec<String> {
    let asked = list(&request["clarifications"]);
    if asked.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), "the requester is asked for:".to_owned()];
    lines.extend(asked.iter().map(|text| format!("  {}", localized(text, language))));
    lines
}

fn decisions(request: &Value) -> Vec<String> {
    let decisions = list(&request["decisions"]);
    if decisions.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), "decisions:".to_owned()];
    for decision in decisions {
        let verb = text(&decision["verb"]);
        let verb = verb.strip_prefix("VERB_").unwrap_or(&verb).to_owned();
        let by = text(&decision["decidedBy"]);
        let capacity = text(&decision["capacity"]);
        let capacity = capacity
            .strip_prefix("OFFICIAL_CAPACITY_")
            .unwrap_or_default()
            .to_owned();
        let capacity = if capacity.is_empty() || capacity == "UNSPECIFIED" {
            String::new()
        } else {
            format!(" ({capacity})")
        };
        let when = text(&decision["decidedAt"]);
        let (reason, law) = (text(&decision["reason"]), text(&decision["legalBasis"]));
        lines.push(format!("  {when} {verb} by {by}{capacity}: {reason} [{law}]"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(state: &str) -> Value {
        json!({
            "registrationNumber": "2026-000007",
            "state": format!("REQUEST_STATE_{state}"),
            "dueDate": { "year": 2020, "month": 1, "day": 6 },
            "requester": { "fullName": "Ministry of Justice" },
            "essence": "Crimes",
            "items": [{ "description": "Registered crimes", "period": "2025-Q4" }],
            "examination": { "checks": [
                { "rule": "CHECK_RULE_WRITTEN", "outcome": "CHECK_OUTCOME_PASSED", "field": "" },
                { "rule": "CHECK_RULE_SIGNATORY", "outcome": "CHECK_OUTCOME_PROPOSED", "field": "signatory.capacity" },
            ] },
        })
    }

    #[test]
    fn the_first_lines_are_number_days_left_and_what_to_do_next() {
        let told = sheet(&request("REGISTERED"), Language::En);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[0], "2026-000007  REGISTERED");
        assert!(lines[1].starts_with("due 2020-01-06: overdue by "), "{}", lines[1]);
        assert_eq!(lines[2], "next: decide 1 check with `requests review`");
        let (proposed, passed) = (told.find("PROPOSED SIGNATORY"), told.find("PASSED WRITTEN"));
        assert!(proposed.is_some() && proposed < passed, "{told}");
    }

    #[test]
    fn what_was_decided_is_not_to_be_decided_again() {
        let mut decided = request("REGISTERED");
        decided["decisions"] = json!([{
            "verb": "VERB_REVIEW_DECISION", "decidedBy": "operator", "reason": "substituting",
            "checks": [{ "check": { "rule": "CHECK_RULE_SIGNATORY", "field": "signatory.capacity" }, "kept": true }],
        }]);
        let told = sheet(&decided, Language::En);
        assert!(told.contains("next: give it to an official"), "{told}");
        assert!(told.contains("REVIEW_DECISION by operator: substituting"), "{told}");
        let ended = sheet(&request("TERMINATED"), Language::En);
        assert!(
            ended.contains("next: nothing: it has ended") && !ended.contains("overdue"),
            "{ended}"
        );
    }

    #[test]
    fn days_are_told_in_words() {
        let told = [-2, -1, 0, 1, 2].map(left);
        let expected = [
            "overdue by 2 days",
            "overdue by 1 day",
            "today",
            "1 day left",
            "2 days left",
        ];
        assert_eq!(told, expected);
    }
}
