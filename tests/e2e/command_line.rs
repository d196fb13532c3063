//! The lines and fields that scripts rely on.

use serde_json::{Value, json};

use legalstat_test_support::system::System;

use crate::calendar_command::recording_act;

/// A state body's request through the Unified EDMS.
pub(crate) fn request() -> Value {
    json!({
        "requestId": "0b6f3a1e-3f0e-4c61-9b55-1f9a6d1c2e01",
        "request": {
            "requester": { "kind": "REQUESTER_KIND_STATE_BODY", "fullName": "Ministry of Justice" },
            "signatory": { "fullName": "The head", "capacity": "SIGNATORY_CAPACITY_HEAD" },
            "channel": "CHANNEL_UNIFIED_EDMS",
            "externalNumber": "12-3/45",
            "externalDate": { "year": 2026, "month": 2, "day": 2 },
            "essence": "Crimes registered in the fourth quarter of 2025",
            "language": "LANGUAGE_RU",
            "items": [{
                "kind": "ITEM_KIND_STATISTICS", "description": "Registered crimes", "unit": "UNIT_CRIME", "period": "2025-Q4",
            }],
        },
    })
}

/// A request as everybody is told it: the secret of its coupon is told once, to who submits it.
pub(crate) fn without_secret(mut request: Value) -> Value {
    request["coupon"]["secret"] = json!("");
    request
}

fn list<'a>(response: &'a Value, field: &str) -> &'a Vec<Value> {
    response[field]
        .as_array()
        .unwrap_or_else(|| panic!("{field} is a list"))
}

#[test]
fn the_calendar_answers_scripts_without_a_certificate() {
    let system = System::start();
    let year = ["calendar", "days", "--from", "2019-01-01", "--to", "2019-12-31"];
    let days = system.json(&year);
    assert_eq!(list(&days, "days").len(), 365);
    let first = &days["days"][0];
    assert_eq!(first["date"], json!({ "year": 2019, "month": 1, "day": 1 }));
    assert_eq!(
        (&first["working"], &first["kind"], &first["provisional"]),
        (&json!(false), &json!("DAY_KIND_HOLIDAY"), &json!(false))
    );

    let due = system.json(&[
        "calendar",
        "deadline",
        "--period",
        "2019-Q2",
        "--due-day",
        "14",
        "--roll-forward",
    ]);
    assert_eq!(due["dueDate"], json!({ "year": 2019, "month": 7, "day": 15 }));
    assert_eq!(due["dueTime"], "2019-07-15T18:00:00Z");
    assert!(
        list(&due, "steps")
            .iter()
            .all(|step| step["date"].is_object() && step["legalBasis"].is_object())
    );
    assert_eq!(
        due["steps"]
            .as_array()
            .and_then(|steps| steps.last())
            .map(|step| &step["effect"]),
        Some(&json!("STEP_EFFECT_DUE"))
    );

    let line = [
        "calendar",
        "deadline",
        "--term",
        "application-2021",
        "--received",
        "2025-03-14T10:00:00+05:00",
    ];
    assert_eq!(
        system.json(&line)["dueDate"],
        json!({ "year": 2025, "month": 4, "day": 9 })
    );
}

#[test]
fn an_act_is_tried_entered_and_withdrawn() {
    let system = System::start();
    let act = json!({
        "calendarAct": {
            "name": "calendarActs/order-1-2027",
            "kind": "CALENDAR_ACT_KIND_ORDER",
            "citation": "Order No. 1 of 2027",
            "title": { "en": "On moving a day off" },
            "grade": "GRADE_ACT_READ",
            "transfers": [{
                "workingDay": { "year": 2027, "month": 1, "day": 9 },
                "dayOff": { "year": 2027, "month": 1, "day": 8 },
            }],
        },
    });
    let file = system.file("act.json", &act.to_string());
    let create = recording_act(&file);
    let kind = || system.json(&["calendar", "day", "2027-01-08"])["kind"].clone();
    let tried = system.json(&[&create[..], &["--validate-only"]].concat());
    assert_eq!(list(&tried, "changedDays").len(), 2);
    assert_eq!(kind(), "DAY_KIND_WORKING", "a try changes nothing");
    system.json(&create);
    assert_eq!(kind(), "DAY_KIND_TRANSFERRED_DAY_OFF");
    let again = system.json(&create);
    assert_eq!(
        list(&again, "changedDays").len(),
        0,
        "the same act again changes nothing"
    );
    let other = act.to_string().replace("Order No. 1 of 2027", "Order No. 2 of 2027");
    let other = system.file("other.json", &other);
    let (code, said) = system.failure(&[
        "calendar",
        "act",
        "create",
        "--file",
        &other,
        "--yes",
        "--as",
        "administrator",
    ]);
    assert!(code == 1 && said.contains("ALREADY_EXISTS"), "{said}");
    system.json(&[
        "calendar",
        "act",
        "withdraw",
        "order-1-2027",
        "--yes",
        "--as",
        "administrator",
    ]);
    assert_eq!(kind(), "DAY_KIND_WORKING", "withdrawing restores");
    let quarters = [
        "calendar",
        "periods",
        "--from-year",
        "2026",
        "--to-year",
        "2026",
        "--kind",
        "quarterly",
    ];
    assert_eq!(list(&system.json(&quarters), "reportingPeriods").len(), 4);
}

#[test]
fn schedules_have_their_full_year_and_its_dates() {
    let system = System::start();
    let forms = system.json(&["forms", "schedule", "--year", "2026"]);
    assert_eq!(list(&forms, "items").len(), 152);
    assert!(
        list(&forms, "items")
            .iter()
            .all(|item| item["form"].as_str().is_some_and(|form| form.starts_with("forms/")))
    );
    let last_year = system.json(&["forms", "schedule", "--year", "2024", "--form", "1"]);
    let december = list(&last_year, "items")
        .iter()
        .find(|item| item["period"] == "2024-M12")
        .expect("it is due");
    assert_eq!(december["dueDate"], json!({ "year": 2025, "month": 1, "day": 5 }));

    let collections = system.json(&["collections", "schedule", "--year", "2026"]);
    assert_eq!(list(&collections, "items").len(), 22);
    let halves = list(&collections, "items")
        .iter()
        .filter(|item| item["collection"] == "collections/prosecution-bodies");
    assert_eq!(
        halves.map(|item| item["period"].clone()).collect::<Vec<_>>(),
        ["2026-S1", "2026"]
    );
}

#[test]
fn a_request_is_submitted_from_a_file_and_read_back() {
    let system = System::start();
    let file = system.file("request.json", &request().to_string());
    let submitted = system.examined(&["requests", "submit", "--as", "edms", "--file", &file]);
    for field in ["name", "coupon", "registrationNumber", "registeredOn", "dueDate"] {
        assert!(
            !submitted[field].is_null() && submitted[field] != "",
            "{field} in {submitted}"
        );
    }
    assert_eq!(submitted["state"], "REQUEST_STATE_REGISTERED");
    let checks = list(&submitted["examination"], "checks");
    assert!(
        !checks.is_empty()
            && checks
                .iter()
                .all(|check| check["outcome"].is_string() && check["legalBasis"].is_object())
    );
    let name = submitted["name"].as_str().expect("a name");
    assert_eq!(
        system.json(&["requests", "get", name, "--as", "edms"]),
        without_secret(submitted.clone())
    );
    let entries = system.json(&[
        "journal",
        "list",
        "--service",
        "request-intake",
        "--resource",
        name,
        "--as",
        "administrator",
    ]);
    // Where its examination comes after the call, the job that makes it has an entry too.
    let methods = list(&entries, "entries").iter().map(|entry| &entry["method"]);
    let by_caller: Vec<&Value> = methods.filter(|method| **method != "jobs/examination").collect();
    assert_eq!(by_caller, ["/legalstat.requests.v1.RequestIntakeService/SubmitRequest"]);
}

#[test]
fn copies_travel_from_upload_to_receipt_on_the_command_line() {
    let system = System::start();
    let content = system.file("crime.txt", "The crime collection");
    let edition = "collections/crime/editions/2025-Q1";
    system.json(&[
        "collections",
        "upload",
        edition,
        "--content",
        &content,
        "--content-type",
        "text/plain",
    ]);
    let sha256 = hex::encode(legalstat_kit::door::wire::sha256(b"The crime collection"));
    system.json(&["collections", "seal", edition, "--sha256", &sha256]);
    assert_eq!(
        system.json(&["collections", "release", edition, "--as", "approver"])["copiesIssued"],
        33
    );
    let copies = system.json(&["collections", "copies", "--as", "supreme-court"]);
    let copy = &list(&copies, "copies")[0];
    assert_eq!(
        (&copy["recipient"], &copy["state"]),
        (&json!("recipients/supreme-court"), &json!("COPY_STATE_ISSUED"))
    );
    assert!(copy["number"].is_number());
    let (name, to) = (copy["name"].as_str().expect("a name"), system.folder().join("copy.txt"));
    let to = to.display().to_string();
    system.json(&["collections", "download", name, "--to", &to, "--as", "supreme-court"]);
    assert_eq!(std::fs::read(&to).expect("it was written"), b"The crime collection");
    let received = system.json(&[
        "collections",
        "confirm",
        name,
        "--sha256",
        &sha256,
        "--as",
        "supreme-court",
    ]);
    assert_eq!(received["state"], "COPY_STATE_RECEIVED");
}

#[test]
fn tables_are_for_people_and_help_has_examples() {
    let system = System::start();
    let said = |arguments: &[&str]| String::from_utf8(system.run(arguments).stdout).expect("text");
    let forms = said(&["forms", "list"]);
    assert!(forms.contains("forms/26") && forms.contains("26 rows"), "{forms}");
    let due = said(&[
        "calendar",
        "deadline",
        "--period",
        "2019-Q2",
        "--due-day",
        "14",
        "--roll-forward",
        "--explain",
    ]);
    assert!(
        due.contains("due 2019-07-15") && due.contains("Sunday") && due.contains("para 13"),
        "{due}"
    );
    for group in [
        "calendar deadline",
        "calendar month",
        "calendar acts",
        "calendar terms",
        "calendar act create",
        "calendar act withdraw",
        "calendar export",
        "forms schedule",
        "requests submit",
        "requests get",
        "requests list",
        "requests watch",
        "requests statistics",
        "bodies add",
        "bodies update",
        "collections copies",
        "journal list",
    ] {
        let arguments: Vec<&str> = group.split(' ').chain(["--help"]).collect();
        assert!(said(&arguments).contains("Example"), "{group}");
    }
}
