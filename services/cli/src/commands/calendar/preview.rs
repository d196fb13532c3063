//! What a change of the calendar would do: to its days, and to the due dates that other services hold.

use futures::future::join_all;
use prost_reflect::DynamicMessage;
use serde_json::Value;

use crate::{
    commands::connect,
    failure::Failure,
    message,
    options::Options,
    output::{self, text},
    place::ServiceName,
};

/// The services that hold due dates, and their method that foretells.
const HOLDERS: [(ServiceName, &str); 3] = [
    (
        ServiceName::FormRegistry,
        "legalstat.forms.v1.FormRegistryService/PreviewRecompute",
    ),
    (
        ServiceName::RequestIntake,
        "legalstat.requests.v1.RequestIntakeService/PreviewRecompute",
    ),
    (
        ServiceName::CollectionDistribution,
        "legalstat.collections.v1.CollectionDistributionService/PreviewRecompute",
    ),
];

/// What happens after a change, without anybody's doing.
pub(super) const WHAT_FOLLOWS: &str = "Open due dates are recomputed by the services that hold them.";

/// The days of a CalendarActEffect: those that changed, or would.
pub(super) fn days(effect: &Value, recorded: bool) -> String {
    let changed = &effect["changedDays"];
    let [day, old, new] = if recorded {
        ["day that changes", "was", "becomes"]
    } else {
        ["day that would change", "is", "would become"]
    };
    match (changed.as_array().map_or(0, Vec::len), recorded) {
        (0, true) => "No day changed.".into(),
        (0, false) => "No day would change.".into(),
        _ => output::rows(changed, &[(day, "date"), (old, "oldKind"), (new, "newKind")]),
    }
}

/// What to ask those who hold due dates, before the change is set in it.
pub(super) fn request() -> DynamicMessage {
    DynamicMessage::new(message::named("legalstat.calendar.v1.PreviewRecomputeRequest"))
}

/// What those who hold due dates say would move, asked at the same time. One that does not answer is shown as such: it
/// stops nothing, because due dates are recomputed after the change, not by it.
pub(super) async fn due_dates(options: &Options, request: &DynamicMessage) -> String {
    let asked = HOLDERS.map(async |(service, method)| {
        let answer = match connect(options, service) {
            Ok(connection) => connection.send(method, request).await,
            Err(failure) => Err(failure),
        };
        told(service.as_str(), &answer)
    });
    format!("Due dates:\n{}", join_all(asked).await.concat().trim_end())
}

/// A service's answer in lines: every move that it told, which are its first hundred, and how many more there are.
fn told(service: &str, answer: &Result<Value, Failure>) -> String {
    let preview = match answer {
        Ok(preview) => preview,
        Err(failure) => return format!("  {service}: {}\n", unknown(failure)),
    };
    let count = |field: &str| text(&preview[field]);
    let mut said = format!(
        "  {service}: {} open, {} would move",
        count("openCount"),
        count("movedCount")
    );
    if count("restatedCount") != "0" {
        said += &format!(
            ", {} would stay but change in being provisional or assumed",
            count("restatedCount")
        );
    }
    said.push('\n');
    let moves = preview["moves"].as_array().map(Vec::as_slice).unwrap_or_default();
    for moved in moves {
        let (old, new) = (text(&moved["oldDueDate"]), text(&moved["newDueDate"]));
        said += &format!("    {old} -> {new}  {}\n", text(&moved["name"]));
    }
    let moved: usize = count("movedCount").parse().unwrap_or(moves.len());
    let more = moved.saturating_sub(moves.len());
    if more > 0 {
        said += &format!("    … and {more} more\n");
    }
    said
}

/// Why a service cannot tell, and what becomes of its dates all the same.
fn unknown(failure: &Failure) -> String {
    let said = failure.to_string();
    let first = said.lines().next().unwrap_or_default();
    match failure {
        Failure::Unreachable(_) | Failure::Away(_) => format!("{first}; its dates are recomputed when it is back"),
        _ => {
            let reason = failure
                .reason()
                .map_or_else(String::new, |reason| format!(" ({reason})"));
            format!("{first}{reason}; its dates are recomputed all the same")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_move_that_was_told_is_shown_and_the_rest_counted() {
        let date = |day: usize| json!({ "year": 2027, "month": 1, "day": day });
        let moves: Vec<Value> = (1..=12)
            .map(|n| json!({ "name": format!("forms/{n}/editions/2026-M12"), "oldDueDate": date(5), "newDueDate": date(8) }))
            .collect();
        let answer = json!({ "openCount": "152", "movedCount": "47", "restatedCount": "0", "moves": moves });
        let said = told("form-registry", &Ok(answer));
        assert!(said.starts_with("  form-registry: 152 open, 47 would move\n"), "{said}");
        assert!(
            said.ends_with("    2027-01-05 -> 2027-01-08  forms/12/editions/2026-M12\n    … and 35 more\n"),
            "{said}"
        );
    }

    #[test]
    fn a_service_that_is_away_says_so_and_what_becomes_of_its_dates() {
        let said = told(
            "request-intake",
            &Err(Failure::Unreachable("connection refused".into())),
        );
        assert_eq!(
            said,
            "  request-intake: unreachable: connection refused; its dates are recomputed when it is back\n"
        );
        let said = told("request-intake", &Err(tonic::Status::unimplemented("not here").into()));
        assert!(
            said.contains("refused: not here") && said.contains("all the same"),
            "{said}"
        );
    }

    #[test]
    fn no_changed_day_is_said_plainly() {
        assert_eq!(days(&json!({ "changedDays": [] }), false), "No day would change.");
        assert_eq!(days(&Value::Null, true), "No day changed.");
        let changed = json!({ "changedDays": [{ "date": { "year": 2027, "month": 1, "day": 8 }, "oldKind": "DAY_KIND_WORKING" }] });
        let said = days(&changed, false);
        assert!(
            said.contains("day that would change") && said.contains("2027-01-08"),
            "{said}"
        );
    }
}
