//! What is next of a request: told by one function, for the sheet and for the queue, as a command that can be given as it stands but
//! for its `…`.

use legalstat_proto::common::v1::Role;
use serde_json::Value;

use super::{
    notice::untold,
    sheet::{list, number},
};
use crate::{
    invocation::{self, hint, hint_for, quoted},
    output::text,
};

/// What an official can do next.
pub(crate) fn next(request: &Value) -> String {
    let (number, open) = (number(request), open_checks(request));
    if request["erased"].is_null() && request["erasureOrder"].is_object() {
        return erase(request, &number);
    }
    let state = text(&request["state"]);
    let is_open = ["RECEIVED", "AWAITING_CLARIFICATION", "REGISTERED", "IN_PREPARATION"].contains(&state.as_str());
    if is_open && let Some(forward) = at_once(request, &number) {
        return forward;
    }
    match state.as_str() {
        "RECEIVED" if open.iter().any(|check| text(&check["rule"]) == "DUE_DATE") => format!(
            "look why the due date could not be computed, then {}",
            hint(&format!("requests review {number} --kept due-date --reason …"))
        ),
        "RECEIVED" => "nothing: it is examined as soon as the services that it needs are back".into(),
        "AWAITING_CLARIFICATION" => wait(request, &number),
        "REGISTERED" if !open.is_empty() => decide(&number, &open),
        "REGISTERED" => format!(
            "give it to an official with {}",
            hint(&format!("requests assign {number} --to NAME"))
        ),
        "IN_PREPARATION" => prepare(request, &number, &open),
        "LEFT_WITHOUT_CONSIDERATION" if is_to_confirm(request) => {
            let failed = failed_checks(request);
            let review = |flag: &str| {
                let verdicts = verdicts(flag, &failed);
                hint(&format!("requests review {number} {verdicts} --reason …"))
            };
            format!(
                "confirm what the system decided with {}, or reverse it with {}",
                review("--broken"),
                review("--kept")
            )
        }
        _ if is_to_be_told(request) => {
            let notice = hint(&format!("requests notice {number} --on … --means …"));
            format!("when its requester was told where it went, {notice}")
        }
        _ => "nothing: it has ended".into(),
    }
}

/// Whether somebody is still to be told of what ended a request.
fn is_to_be_told(request: &Value) -> bool {
    let has_requester = !text(&request["requester"]["fullName"]).is_empty();
    text(&request["state"]) == "FORWARDED" && has_requester && !untold(request).is_empty()
}

/// What is next of a request whose erasure one administrator has ordered: another gives the same order.
fn erase(request: &Value, number: &str) -> String {
    let order = &request["erasureOrder"];
    let (law, by) = (&order["legalBasis"], text(&order["orderedBy"]));
    let uri = match text(&law["uri"]) {
        uri if uri.is_empty() => uri,
        uri => format!(" --uri {}", quoted(&uri)),
    };
    let command = format!(
        "requests erase {number} --etag {} --act {} --provision {}{uri} --reason {}",
        quoted(&text(&request["etag"])),
        quoted(&text(&law["act"])),
        quoted(&text(&law["provision"])),
        quoted(&text(&order["reason"])),
    );
    let given = match invocation::caller() {
        Some(caller) if caller != by && invocation::has_role(Role::Administrator) => hint(&command),
        _ => hint_for("NAME", &command),
    };
    format!("another administrator than {by} reads it and erases its personal data: {given}")
}

/// What is next of an anonymous report of a crime or a threat, before anything else. Its day is computed a moment after it came, or once the
/// calendar is back, and a list has none: so what the request says tells, and the day only where it is there.
fn at_once(request: &Value, number: &str) -> Option<String> {
    let day = text(&request["forwardBy"]);
    if request["reportsCrimeOrThreat"] != true || day.is_empty() && !is_anonymous(request) {
        return None;
    }
    let forward = hint(&format!("requests forward {number} --to … --reason …"));
    let latest = match day.is_empty() {
        true => String::new(),
        false => format!(" by {day} at the latest,"),
    };
    Some(format!(
        "it reports a crime or a threat: forward it at once,{latest} with {forward}"
    ))
}

/// Whether nobody says that the request is his: it is of no body, and has neither name, number and postal address nor a signature.
fn is_anonymous(request: &Value) -> bool {
    let requester = &request["requester"];
    let is_body = ["STATE_BODY", "PROSECUTOR_BODY"].contains(&text(&requester["kind"]).as_str());
    let known = ["fullName", "bin", "iin", "postalAddress"].map(|field| text(&requester[field]));
    let signatures = list(&request["attachments"]);
    let is_signed = request["signatory"].is_object()
        || signatures
            .iter()
            .any(|one| one["signature"]["outcome"] == "SIGNATURE_OUTCOME_VALID");
    !is_body && !is_signed && known.iter().all(String::is_empty)
}

/// What is next while its requester is asked for something.
fn wait(request: &Value, number: &str) -> String {
    let until = match text(&request["cureBy"]) {
        day if day.is_empty() => String::new(),
        day => format!(" until {day}"),
    };
    let failed = failed_checks(request);
    let lacks_items = failed.iter().any(|check| text(&check["field"]) == "items");
    let supplied = if lacks_items {
        "--item 'unit=…;period=…;words=…'"
    } else {
        "--set FIELD=VALUE"
    };
    let provide = hint(&format!("requests clarify provide {number} --answer … {supplied}"));
    let back = hint(&format!("requests return {number} --reason …"));
    format!("wait for the requester{until}: {provide}, else {back}")
}

/// What is next of a request whose answer somebody prepares: by what was done with the answer last, and with the request since.
fn prepare(request: &Value, number: &str, open: &[&Value]) -> String {
    let decisions = list(&request["decisions"]);
    let answered = decisions
        .iter()
        .rposition(|decision| ["DRAFT_ANSWER", "UPDATE_ANSWER", "APPROVE_ANSWER"].contains(&verb(decision).as_str()));
    let draft = hint(&format!("requests answer draft {number}"));
    match answered {
        Some(place) if decisions[place + 1..].iter().any(changes_what_is_asked) => {
            format!("the request has changed since its answer was written: draft it again with {draft}")
        }
        Some(place) if verb(&decisions[place]) == "APPROVE_ANSWER" => format!(
            "send the answer, then {}",
            hint(&format!("requests answer dispatch {number} --means … --proof …"))
        ),
        Some(_) => format!(
            "another person than who drafted or edited the answer approves it: {}",
            approve(decisions, number)
        ),
        None if !open.is_empty() => decide(number, open),
        None => match text(&request["assignee"]) {
            assignee if assignee.is_empty() => format!("draft the answer with {draft}"),
            assignee => format!("{assignee} drafts the answer with {draft}"),
        },
    }
}

/// The command that approves, by whoever sees the sheet if that can be.
fn approve(decisions: &[Value], number: &str) -> String {
    let command = format!("requests answer approve {number} --capacity …");
    let wrote = |caller: &str| {
        let written = decisions.iter().filter(|decision| {
            let verb = verb(decision);
            verb == "DRAFT_ANSWER" || verb == "UPDATE_ANSWER"
        });
        written
            .map(|decision| text(&decision["decidedBy"]))
            .any(|by| by == caller)
    };
    if invocation::has_role(Role::Approver) && !invocation::caller().is_some_and(wrote) {
        hint(&command)
    } else {
        hint_for("NAME", &command)
    }
}

/// Whether an answer that was written before does not answer the request any more.
fn changes_what_is_asked(decision: &Value) -> bool {
    let verb = verb(decision);
    verb.starts_with("FORWARD")
        || ["CORRECT", "PROVIDE_CLARIFICATION"].contains(&verb.as_str()) && !list(&decision["changedFields"]).is_empty()
}

fn verb(decision: &Value) -> String {
    text(&decision["verb"]).trim_start_matches("VERB_").to_owned()
}

/// How checks are decided, with the command for all of them.
fn decide(number: &str, open: &[&Value]) -> String {
    let verdicts = verdicts("--kept", open);
    format!(
        "decide {}: {}, or --broken where a rule is",
        plural(open.len(), "check"),
        hint(&format!("requests review {number} {verdicts} --reason …"))
    )
}

/// The checks as `requests review` takes them behind a flag.
fn verdicts(flag: &str, checks: &[&Value]) -> String {
    let named = checks.iter().map(|check| {
        let rule = text(&check["rule"]).to_lowercase().replace('_', "-");
        match text(&check["field"]) {
            field if field.is_empty() => format!("{flag} {rule}"),
            field => format!("{flag} '{rule}:{field}'"),
        }
    });
    named.collect::<Vec<_>>().join(" ")
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// Whether the system left it without consideration, and no official has looked.
pub(crate) fn is_to_confirm(request: &Value) -> bool {
    text(&request["state"]) == "LEFT_WITHOUT_CONSIDERATION"
        && list(&request["decisions"]).is_empty()
        && !request["erased"].is_object()
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

/// The checks for which the system left a request without consideration.
fn failed_checks(request: &Value) -> Vec<&Value> {
    let checks = list(&request["examination"]["checks"]).iter();
    checks.filter(|check| text(&check["outcome"]) == "FAILED").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_to_erase_leads_to_the_very_command_of_another_administrator() {
        let mut ordered = request("WITHDRAWN");
        ordered["etag"] = json!("7");
        ordered["erasureOrder"] = json!({
            "legalBasis": { "act": "Decision 2-15", "provision": "para 1", "uri": "" },
            "reason": "by a court's decision", "orderedBy": "administrator",
        });
        let told = next(&ordered);
        let command = r"`requests erase 2026-000007 --etag 7 --act 'Decision 2-15' --provision 'para 1' --reason 'by a court'\''s decision' --as NAME`";
        assert!(told.contains(command), "{told}");
        ordered["erased"] = json!({ "reason": "by a court's decision" });
        assert_eq!(next(&ordered), "nothing: it has ended");
    }

    #[test]
    fn of_a_forwarded_request_it_is_recorded_that_its_requester_was_told() {
        let mut forwarded = request("FORWARDED");
        forwarded["decisions"] = json!([{ "verb": "VERB_FORWARD", "decidedAt": "2026-03-02T05:00:00Z" }]);
        let told = next(&forwarded);
        assert!(
            told.contains("`requests notice 2026-000007 --on … --means …`"),
            "{told}"
        );
        forwarded["decisions"][0]["notice"] = json!({ "means": "NOTICE_MEANS_POST" });
        assert_eq!(next(&forwarded), "nothing: it has ended");
    }
    use crate::commands::sheet::tests::request;
    use serde_json::json;

    #[test]
    fn what_is_next_of_an_answer_follows_from_what_was_done_with_it_last() {
        let after = |verbs: &[&str]| {
            let mut request = request("IN_PREPARATION");
            request["examination"] = json!({});
            request["assignee"] = json!("aliya");
            let changed = json!([{ "field": "essence" }]);
            let verbs = verbs
                .iter()
                .map(|verb| json!({ "verb": format!("VERB_{verb}"), "changedFields": changed }));
            request["decisions"] = verbs.collect();
            next(&request)
        };
        for (verbs, part) in [
            (
                &["ASSIGN"][..],
                "aliya drafts the answer with `requests answer draft 2026-000007`",
            ),
            (&["ASSIGN", "DRAFT_ANSWER"], "another person"),
            (
                &["DRAFT_ANSWER", "APPROVE_ANSWER", "CORRECT"],
                "draft it again with `requests answer draft 2026-000007`",
            ),
            (
                &["DRAFT_ANSWER", "FORWARD"],
                "draft it again with `requests answer draft 2026-000007`",
            ),
            (
                &[
                    "DRAFT_ANSWER",
                    "APPROVE_ANSWER",
                    "ASK_CLARIFICATION",
                    "CORRECT",
                    "DRAFT_ANSWER",
                ],
                "another person",
            ),
            (
                &["DRAFT_ANSWER", "APPROVE_ANSWER", "ASSIGN"],
                "`requests answer dispatch 2026-000007",
            ),
            (&["DRAFT_ANSWER", "APPROVE_ANSWER", "UPDATE_ANSWER"], "another person"),
        ] {
            assert!(after(verbs).contains(part), "{verbs:?}: {}", after(verbs));
        }
        let mut unchanged = request("IN_PREPARATION");
        unchanged["decisions"] =
            json!([{ "verb": "VERB_APPROVE_ANSWER" }, { "verb": "VERB_PROVIDE_CLARIFICATION", "changedFields": [] }]);
        let told = next(&unchanged);
        assert!(
            told.contains("`requests answer dispatch"),
            "words alone change nothing: {told}"
        );
    }

    #[test]
    fn what_the_system_decided_is_confirmed_by_one_command_and_reversed_by_another() {
        let mut left = request("LEFT_WITHOUT_CONSIDERATION");
        left["examination"]["checks"][0]["outcome"] = json!("CHECK_OUTCOME_FAILED");
        let told = next(&left);
        let (confirm, reverse) = told.split_once("reverse").expect("both are told");
        assert!(
            confirm.contains("`requests review 2026-000007 --broken written --reason …`"),
            "{told}"
        );
        assert!(
            reverse.contains("`requests review 2026-000007 --kept written --reason …`"),
            "{told}"
        );
        left["decisions"] = json!([{ "verb": "VERB_LEAVE" }]);
        assert!(!is_to_confirm(&left), "an official left it");
    }

    #[test]
    fn an_anonymous_report_of_a_crime_is_forwarded_before_anything_else() {
        let mut report = request("AWAITING_CLARIFICATION");
        let author = report["requester"].clone();
        report["requester"] = json!({ "kind": "REQUESTER_KIND_INDIVIDUAL" });
        assert!(next(&report).starts_with("wait"), "it reports nothing of the kind");
        report["reportsCrimeOrThreat"] = json!(true);
        let told = next(&report);
        assert!(told.contains("forward it at once, with"), "{told}");
        for (field, given) in [
            ("requester", author),
            (
                "requester",
                json!({ "kind": "REQUESTER_KIND_INDIVIDUAL", "iin": "911003342906" }),
            ),
            ("requester", json!({ "kind": "REQUESTER_KIND_STATE_BODY" })),
            ("signatory", json!({ "fullName": "Akhmetov Daniyar" })),
            (
                "attachments",
                json!([{ "signature": { "outcome": "SIGNATURE_OUTCOME_VALID" } }]),
            ),
        ] {
            let mut known = report.clone();
            known[field] = given;
            assert!(
                next(&known).starts_with("wait"),
                "one with an author is like any other: {field}"
            );
        }
        report["forwardBy"] = json!({ "year": 2026, "month": 3, "day": 5 });
        let told = next(&report);
        assert!(
            told.contains("forward it at once, by 2026-03-05") && told.contains("`requests forward 2026-000007 --to …"),
            "{told}"
        );
        report["state"] = json!("REQUEST_STATE_FORWARDED");
        assert_eq!(next(&report), "nothing: it has ended");
    }

    #[test]
    fn whoever_lacks_items_is_told_to_give_them_and_else_to_set_fields() {
        let mut waits = request("AWAITING_CLARIFICATION");
        for (field, part) in [("items", "--item 'unit=…"), ("items[0].period", "--set FIELD=VALUE")] {
            waits["examination"]["checks"][0] =
                json!({ "rule": "CHECK_RULE_PERIOD", "outcome": "CHECK_OUTCOME_FAILED", "field": field });
            assert!(next(&waits).contains(part), "{field}: {}", next(&waits));
        }
    }
}
