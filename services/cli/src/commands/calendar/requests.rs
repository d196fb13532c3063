//! Open requests as what falls due. Of each only what a calendar needs is kept: who asks, and for what, stays with the
//! service.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Value, json};
use tonic::Code;

use super::{
    civil,
    due_line::remarks,
    ics::{Entry, Status, When},
    schedules::due_date,
};
use crate::{
    commands::connect,
    failure::Failure,
    options::Options,
    output::{Language, text},
    place::ServiceName,
};

const LIST: &str = "legalstat.requests.v1.RequestIntakeService/ListRequests";

/// How many numbers are told of a day; the rest is counted.
const TOLD: usize = 10;

/// How much of each request is asked for.
#[derive(Clone, Copy)]
pub(super) enum View {
    Basic,
    /// With the steps to its due date.
    Full,
}

impl View {
    fn word(self) -> &'static str {
        match self {
            Self::Basic => "REQUEST_VIEW_BASIC",
            Self::Full => "REQUEST_VIEW_FULL",
        }
    }
}

/// What is kept of each open request that is due from `first` to `last`. A request can be large, so no more than a page of
/// them is held.
pub(super) async fn due<T>(
    first: Date,
    last: Date,
    view: View,
    options: &Options,
    kept: impl Fn(&Value) -> Option<T>,
) -> Result<Vec<T>, Failure> {
    let connection = connect(options, ServiceName::RequestIntake)?;
    let mut request = json!({
        "state": "REQUEST_STATE_REGISTERED", "dueFrom": civil::to_json(first), "dueTo": civil::to_json(last),
        "pageSize": 1000, "view": view.word(),
    });
    let mut due = Vec::new();
    loop {
        let mut page = connection.call(LIST, &request).await?;
        due.extend(page["requests"].as_array().into_iter().flatten().filter_map(&kept));
        request["pageToken"] = page["nextPageToken"].take();
        if request["pageToken"].as_str().unwrap_or_default().is_empty() {
            return Ok(due);
        }
    }
}

/// What a month shows of the open requests due in it, by due date and number; `None` when the caller may not see them.
pub(super) async fn of_month(first: Date, last: Date, options: &Options) -> Result<Option<Vec<Value>>, Failure> {
    if options.caller.is_none() && options.place().default_caller().is_none() {
        return Ok(None);
    }
    match due(first, last, View::Basic, options, |request| Some(brief(request))).await {
        Ok(mut requests) => {
            requests.sort_by_key(|request| (due_date(request), text(&request["registrationNumber"])));
            Ok(Some(requests))
        }
        Err(failure) if is_denied(&failure) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// A request without what it is about.
fn brief(request: &Value) -> Value {
    let field = |name: &str| request[name].clone();
    json!({ "name": field("name"), "registrationNumber": field("registrationNumber"), "dueDate": field("dueDate") })
}

fn is_denied(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(status) if matches!(status.code(), Code::PermissionDenied | Code::Unauthenticated))
}

/// How many requests fall due on each day, and their numbers: `2 requests (2026-000123, 2026-000124)`.
pub(super) fn by_day(requests: &[Value]) -> BTreeMap<Date, String> {
    let mut days: BTreeMap<Date, Vec<String>> = BTreeMap::new();
    for request in requests {
        if let Some(date) = due_date(request) {
            days.entry(date).or_default().push(text(&request["registrationNumber"]));
        }
    }
    days.into_iter()
        .map(|(date, numbers)| (date, counted(&numbers)))
        .collect()
}

fn counted(numbers: &[String]) -> String {
    let plural = if numbers.len() == 1 { "" } else { "s" };
    let told = &numbers[..numbers.len().min(TOLD)];
    let more = match numbers.len() - told.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{} request{plural} ({}{more})", numbers.len(), told.join(", "))
}

/// The entry of an open request: its number and the law of its due date, and nothing of what it is about, because a
/// calendar is easily passed on.
pub(super) fn entry(request: &Value, language: Language) -> Option<Entry> {
    let number = text(&request["registrationNumber"]);
    let deadline = &request["deadline"];
    let term = text(&deadline["term"]);
    let moves = request["dueDateChanges"].as_array().map_or(0, Vec::len);
    let word = language.of("мерзім", "правило", "term");
    let mut lines = vec![format!(
        "{word} {}: {}",
        term.trim_start_matches("terms/"),
        law(deadline)
    )];
    lines.extend(remarks(deadline, language));
    Some(Entry {
        uid: format!("{}@legalstat", text(&request["name"]).replace('/', "-")),
        sequence: i64::try_from(moves).unwrap_or(i64::MAX),
        when: When::DayInAstana(due_date(request)?),
        summary: language.of(
            format!("№ {number} сұрау салуға жауап"),
            format!("Ответ на запрос {number}"),
            format!("Answer to request {number}"),
        ),
        description: lines.join("\n"),
        status: Status::of(deadline["provisional"] == true),
    })
}

/// The law behind the step of a deadline that is the due date.
fn law(deadline: &Value) -> String {
    let mut steps = deadline["steps"].as_array().into_iter().flatten();
    let due = steps.find(|step| step["effect"] == "STEP_EFFECT_DUE");
    due.map(|step| text(&step["legalBasis"])).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(number: usize, day: usize) -> Value {
        let basis = json!({ "act": "Code 350-VI", "provision": "art. 76", "uri": "", "assumed": true });
        let step = |effect: &str, basis: &Value| json!({ "effect": effect, "text": null, "legalBasis": basis });
        json!({
            "name": "requests/0b6f3a1e-3f0e-4c61-9b55-1f9a6d1c2e01", "registrationNumber": format!("2026-{number:06}"),
            "requester": { "fullName": "Ministry of Justice" }, "essence": "Crimes registered",
            "dueDate": { "year": 2026, "month": 3, "day": day },
            "deadline": {
                "term": "terms/application-2021", "provisional": true, "assumed": true,
                "steps": [step("STEP_EFFECT_START", &json!({})), step("STEP_EFFECT_DUE", &basis)],
            },
            "dueDateChanges": [{}, {}],
        })
    }

    #[test]
    fn a_day_tells_its_first_ten_numbers_and_counts_the_rest() {
        let mut requests: Vec<Value> = (1..=12).map(|number| request(number, 3)).collect();
        requests.extend([request(13, 4), request(14, 5), request(15, 5)]);
        let days = by_day(&requests);
        let told: Vec<&str> = days.values().map(String::as_str).collect();
        assert!(
            told[0].starts_with("12 requests (2026-000001, ") && told[0].ends_with(", 2026-000010 and 2 more)"),
            "{told:?}"
        );
        assert_eq!(
            told[1..],
            ["1 request (2026-000013)", "2 requests (2026-000014, 2026-000015)"]
        );
    }

    #[test]
    fn an_entry_has_number_and_law_and_nothing_of_what_is_asked() {
        let entry = entry(&request(123, 4), Language::En).expect("it has a due date");
        assert_eq!(entry.uid, "requests-0b6f3a1e-3f0e-4c61-9b55-1f9a6d1c2e01@legalstat");
        assert_eq!(entry.summary, "Answer to request 2026-000123");
        assert_eq!((entry.sequence, entry.status), (2, Status::Tentative));
        assert_eq!(entry.when, When::DayInAstana(jiff::civil::date(2026, 3, 4)));
        let lines: Vec<&str> = entry.description.lines().collect();
        assert_eq!(lines[0], "term application-2021: Code 350-VI, art. 76 (assumed)");
        assert!(lines[1].starts_with("provisional: ") && lines[2].starts_with("assumed: ") && lines.len() == 3);
    }

    #[test]
    fn a_month_keeps_of_a_request_its_name_number_and_due_date_only() {
        let expected = json!({
            "name": "requests/0b6f3a1e-3f0e-4c61-9b55-1f9a6d1c2e01", "registrationNumber": "2026-000001",
            "dueDate": { "year": 2026, "month": 3, "day": 3 },
        });
        assert_eq!(brief(&request(1, 3)), expected);
    }
}
