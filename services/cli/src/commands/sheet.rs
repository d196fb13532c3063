//! A request as a sheet for an official: its number, the days that are left and what to do next first, then the checks that are
//! not passed, then what was done with it.

use jiff::{Timestamp, civil::Date};
use legalstat_kit::zone::civil_day;
use serde_json::Value;

use super::next::next;
use crate::{
    invocation::hint,
    output::{Language, View, localized, text},
};

/// How the answer of a verb is shown: where the request stands after it.
pub(crate) const DECIDED: View = View::Text(decided, Language::En);
/// How a request is shown whose erasure was ordered or carried out.
pub(crate) const ORDERED: View = View::Text(ordered, Language::En);
/// How a request is shown that has just been submitted.
pub(crate) const SUBMITTED: View = View::Text(submitted, Language::En);

/// The sheet of a request.
pub(crate) fn sheet(request: &Value, language: Language) -> String {
    let mut lines = heading(request);
    lines.push(String::new());
    lines.extend(asked(request));
    lines.extend(checks(request, language));
    lines.extend(clarifications(request, language));
    lines.extend(decisions(request));
    // Whoever decides by this sheet can say so: with it, what has changed since is not decided on.
    lines.extend([String::new(), format!("etag: {}", text(&request["etag"]))]);
    lines.join("\n")
}

/// Number, days left, and what to do next.
fn heading(request: &Value) -> Vec<String> {
    let mut lines = stands(request);
    lines.push(format!("next: {}", next(request)));
    lines
}

/// Number, state and days left.
fn stands(request: &Value) -> Vec<String> {
    let mut lines = vec![format!("{}  {}", number(request), text(&request["state"]))];
    if let Some(left) = days_left(request) {
        let extended = if request["extended"] == true { ", extended" } else { "" };
        lines.push(format!("due {}: {left}{extended}", text(&request["dueDate"])));
    }
    lines
}

/// By what a request is called: its registration number, or else its coupon's.
pub(crate) fn number(request: &Value) -> String {
    let numbers = [
        &request["registrationNumber"],
        &request["coupon"]["number"],
        &request["name"],
    ];
    let mut numbers = numbers.into_iter().map(text);
    numbers.find(|number| !number.is_empty()).unwrap_or_default()
}

/// The answer of a verb has no decisions, on which hangs what to do next.
fn decided(request: &Value, _: Language) -> String {
    let mut lines = stands(request);
    let show = hint(&format!("requests show {}", number(request)));
    lines.push(format!("next: {show} tells"));
    lines.join("\n")
}

/// The answer tells all on which it hangs who is next.
fn ordered(request: &Value, _: Language) -> String {
    heading(request).join("\n")
}

/// What was submitted: where it stands, what its requester holds, and the checks that are not passed.
fn submitted(request: &Value, language: Language) -> String {
    if text(&request["name"]).is_empty() {
        // A trial: nothing was stored, so there is no number and nothing to do.
        let state = text(&request["state"]);
        let lines = [
            vec![format!("nothing was sent; it would be {state}")],
            not_passed(request, language),
        ];
        return lines.concat().join("\n");
    }
    let mut lines = heading(request);
    lines.push(format!("coupon: {}", text(&request["coupon"]["number"])));
    let secret = text(&request["coupon"]["secret"]);
    if !secret.is_empty() {
        lines.push(format!("secret: {secret} (told once; give both to the requester)"));
    }
    lines.extend(not_passed(request, language));
    lines.join("\n")
}

/// How many days are left of an answer that is owed.
pub(crate) fn days_left(request: &Value) -> Option<String> {
    let owed = ["AWAITING_CLARIFICATION", "REGISTERED", "IN_PREPARATION"];
    let due: Date = text(&request["dueDate"]).parse().ok()?;
    if !owed.contains(&text(&request["state"]).as_str()) {
        return None;
    }
    let today = civil_day(Timestamp::now());
    let days = due.duration_since(today).as_hours() / 24;
    // On its last day a due date ends with the working hours.
    if days == 0 && request["overdue"] == true {
        return Some("overdue since today".into());
    }
    Some(left(days))
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

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Who asks for what, and how it came: what an official decides by.
fn asked(request: &Value) -> Vec<String> {
    let (requester, signatory) = (&request["requester"], &request["signatory"]);
    let joined = |parts: Vec<String>| {
        let told: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        told.join(", ")
    };
    let called = |name: &str, value: &Value| match text(value) {
        told if told.is_empty() => told,
        told => format!("{name} {told}"),
    };
    let mut lines = vec![
        format!(
            "from: {}",
            joined(vec![
                text(&requester["fullName"]),
                text(&requester["kind"]),
                called("BIN", &requester["bin"]),
                called("IIN", &requester["iin"]),
                text(&requester["postalAddress"]),
            ])
        ),
        format!(
            "came: {}",
            joined(vec![
                text(&request["channel"]),
                called("sent", &request["sentAt"]),
                called("received", &request["receivedAt"]),
                called("its number", &request["externalNumber"]),
                called("dated", &request["externalDate"]),
                called("in", &request["language"]),
            ])
        ),
    ];
    let signed = joined(vec![text(&signatory["fullName"]), text(&signatory["capacity"])]);
    let to = joined(vec![text(&request["addressee"]), text(&request["receivingBody"])]);
    let earlier = |earlier: &Value| match &text(&earlier["registrationNumber"])[..] {
        "" => text(&earlier["couponNumber"]),
        number => number.to_owned(),
    };
    let files = list(&request["attachments"]).iter().map(|file| {
        let (name, kind) = (text(&file["filename"]), text(&file["kind"]));
        format!("{name} ({kind}, {})", text(&file["name"]))
    });
    for (what, told) in [
        ("signed by", signed),
        ("to", to),
        ("files", joined(files.collect())),
        ("likely a duplicate of", earlier(&request["likelyDuplicateOf"])),
        ("asks the same as", earlier(&request["repeats"])),
        ("its clock stands still", stood(request)),
        ("its personal data were erased", text(&request["erased"])),
    ] {
        if !told.is_empty() {
            lines.push(format!("{what}: {told}"));
        }
    }
    if request["reportsCrimeOrThreat"] == true {
        lines.push("it reports a crime or a threat".to_owned());
    }
    lines.push(format!("essence: {}", text(&request["essence"])));
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
        let parts = parts.iter().map(|part| text(&item[part]));
        let territories = called("territories", &item["territories"]);
        let kind = Some(text(&item["kind"])).filter(|kind| kind != "STATISTICS");
        lines.push(format!(
            "items[{position}]: {}",
            joined(parts.chain([territories]).chain(kind).collect())
        ));
    }
    lines
}

/// On how many days its clock stands still, and by which law; empty for none. Each of them is told among the steps to the due date.
fn stood(request: &Value) -> String {
    let steps = list(&request["deadline"]["steps"]).iter();
    let days: Vec<&Value> = steps.filter(|step| text(&step["effect"]) == "SUSPENDED").collect();
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return String::new();
    };
    let (count, law) = (days.len(), text(&first["legalBasis"]));
    let (first, last) = (text(&first["date"]), text(&last["date"]));
    format!("from {first} to {last}, days in all: {count} [{law}]")
}

/// All of them, those that are not passed first.
fn checks(request: &Value, language: Language) -> Vec<String> {
    let mut checks: Vec<&Value> = list(&request["examination"]["checks"]).iter().collect();
    checks.sort_by_key(|check| rank(check));
    let checks = checks.into_iter().map(|check| checked(check, language));
    [String::new(), "checks:".to_owned()]
        .into_iter()
        .chain(checks)
        .collect()
}

/// Those that are not passed.
fn not_passed(request: &Value, language: Language) -> Vec<String> {
    let mut checks: Vec<&Value> = list(&request["examination"]["checks"]).iter().collect();
    checks.retain(|check| rank(check) < 4);
    checks.sort_by_key(|check| rank(check));
    checks.into_iter().map(|check| checked(check, language)).collect()
}

fn rank(check: &Value) -> u8 {
    match text(&check["outcome"]).as_str() {
        "FAILED" => 0,
        "PROPOSED" => 1,
        "UNDETERMINED" => 2,
        "PENDING" => 3,
        "PASSED" => 4,
        _ => 5,
    }
}

fn checked(check: &Value, language: Language) -> String {
    let of = match text(&check["field"]) {
        field if field.is_empty() => field,
        field => format!(" {field}"),
    };
    let (rule, outcome) = (text(&check["rule"]), text(&check["outcome"]));
    let law = text(&check["legalBasis"]);
    format!(
        "  {outcome} {rule}{of}: {} [{law}]",
        localized(&check["text"], language)
    )
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
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    /// A request of 2020 that is overdue, with one check to decide.
    pub(in crate::commands) fn request(state: &str) -> Value {
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
        assert_eq!(
            lines[2],
            "next: decide 1 check: `requests review 2026-000007 --kept 'signatory:signatory.capacity' --reason …`, or --broken where a rule is"
        );
        let (proposed, passed) = (told.find("PROPOSED SIGNATORY"), told.find("PASSED WRITTEN"));
        assert!(proposed.is_some() && proposed < passed, "{told}");
    }

    #[test]
    fn the_days_on_which_the_clock_stands_still_are_told_with_their_law() {
        let mut asked = request("AWAITING_CLARIFICATION");
        assert!(!sheet(&asked, Language::En).contains("its clock"));
        let step = |day: i32, effect: &str| {
            json!({
                "date": { "year": 2020, "month": 1, "day": day }, "effect": format!("STEP_EFFECT_{effect}"),
                "legalBasis": { "act": "Code 350-VI", "provision": "art. 64(6)", "assumed": true },
            })
        };
        asked["deadline"]["steps"] = json!([
            step(1, "COUNTED"),
            step(2, "SUSPENDED"),
            step(3, "SUSPENDED"),
            step(6, "DUE")
        ]);
        let told = sheet(&asked, Language::En);
        let line = told.lines().find(|line| line.starts_with("its clock")).expect("a line");
        assert!(
            line.starts_with("its clock stands still: from 2020-01-02 to 2020-01-03, days in all: 2 [Code 350-VI"),
            "{line}"
        );
    }

    #[test]
    fn what_was_decided_is_not_to_be_decided_again() {
        let mut decided = request("REGISTERED");
        decided["decisions"] = json!([{
            "verb": "VERB_REVIEW_DECISION", "decidedBy": "operator", "reason": "substituting",
            "checks": [{ "check": { "rule": "CHECK_RULE_SIGNATORY", "field": "signatory.capacity" }, "kept": true }],
        }]);
        let told = sheet(&decided, Language::En);
        assert!(
            told.contains("next: give it to an official with `requests assign 2026-000007 --to NAME`"),
            "{told}"
        );
        assert!(told.contains("REVIEW_DECISION by operator: substituting"), "{told}");
        let ended = sheet(&request("TERMINATED"), Language::En);
        assert!(
            ended.contains("next: nothing: it has ended") && !ended.contains("overdue"),
            "{ended}"
        );
    }

    #[test]
    fn what_was_submitted_is_told_with_its_coupon_and_without_what_is_passed() {
        let mut request = request("REGISTERED");
        request["name"] = json!("requests/1");
        request["coupon"] = json!({ "number": "20260302-7K3M9QZ0", "secret": "AAAAA-BBBBB" });
        let told = submitted(&request, Language::En);
        for part in ["coupon: 20260302-7K3M9QZ0", "secret: AAAAA-BBBBB", "PROPOSED SIGNATORY"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert!(!told.contains("WRITTEN"), "{told}");
        request["name"] = json!("");
        let trial = submitted(&request, Language::En);
        assert!(
            trial.starts_with("nothing was sent; it would be REGISTERED") && !trial.contains("coupon"),
            "{trial}"
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
