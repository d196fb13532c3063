use super::*;
use crate::domain::register;
use legalstat_kit::error::Violation;
use legalstat_proto::{calendar::v1::RequesterKind as Kind, common::v1 as common};
use proptest::prelude::*;

const NOW: &str = "2026-03-02T10:00:00+05:00";

fn whole() -> proto::Request {
    proto::Request {
        requester: Some(proto::Requester {
            kind: Kind::StateBody.into(),
            full_name: "Ministry of Justice".into(),
            ..Default::default()
        }),
        signatory: Some(proto::Signatory {
            full_name: "The head".into(),
            capacity: proto::SignatoryCapacity::Head.into(),
        }),
        channel: proto::Channel::UnifiedEdms.into(),
        external_number: "12-3/45".into(),
        external_date: Some(common::Date {
            year: 2026,
            month: 2,
            day: 2,
        }),
        essence: "crimes of a quarter".into(),
        language: proto::Language::Ru.into(),
        items: vec![statistics()],
        ..Default::default()
    }
}

fn statistics() -> proto::Item {
    proto::Item {
        kind: proto::ItemKind::Statistics.into(),
        description: "registered crimes".into(),
        unit: proto::Unit::Crime.into(),
        period: "2025-Q4".into(),
        ..Default::default()
    }
}

fn individual() -> proto::Request {
    proto::Request {
        requester: Some(proto::Requester {
            kind: Kind::Individual.into(),
            full_name: "A person".into(),
            iin: "911003342906".into(),
            postal_address: "Astana".into(),
            ..Default::default()
        }),
        signatory: Some(proto::Signatory {
            full_name: "A person".into(),
            capacity: proto::SignatoryCapacity::Applicant.into(),
        }),
        channel: proto::Channel::Paper.into(),
        external_number: String::new(),
        external_date: None,
        ..whole()
    }
}

fn read(request: &proto::Request, records: bool) -> Result<Submission, Vec<Violation>> {
    let rules = register::embedded().expect("the registers are readable");
    let door = Door {
        rules: &rules,
        now: NOW.parse().expect("an instant"),
        records,
    };
    let mut violations = Violations::new();
    let read = submission(&mut violations, request, &door);
    match violations.refuse() {
        Ok(()) => Ok(read.expect("without violations it is whole")),
        Err(refusal) => Err(refusal.violations),
    }
}

/// The fields at fault and why.
fn faults(request: &proto::Request, records: bool) -> Vec<(String, FieldReason)> {
    let violations = read(request, records).expect_err("it has violations");
    violations
        .into_iter()
        .map(|violation| (violation.field, violation.reason))
        .collect()
}

fn fault(request: &proto::Request) -> (String, FieldReason) {
    let mut faults = faults(request, true);
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
}

fn at(field: &str, reason: FieldReason) -> (String, FieldReason) {
    (field.to_owned(), reason)
}

#[test]
fn a_whole_request_is_read() {
    let submission = read(&whole(), false).expect("it is whole");
    assert_eq!(submission.received_at, NOW.parse().expect("an instant"));
    assert_eq!(
        submission.items[0].period.map(|period| period.to_string()).as_deref(),
        Some("2025-Q4")
    );
    assert!(read(&individual(), true).is_ok());
}

#[test]
fn an_empty_request_names_every_required_field_at_once() {
    let fields: Vec<String> = faults(&proto::Request::default(), false)
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    let expected = [
        "request.channel",
        "request.requester",
        "request.essence",
        "request.language",
        "request.items",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn what_the_service_sets_must_be_left_empty() {
    let request = proto::Request {
        name: "requests/1".into(),
        state: proto::RequestState::Registered.into(),
        coupon: Some(Default::default()),
        registration_number: "2026-000001".into(),
        registered_on: Some(Default::default()),
        due_date: Some(Default::default()),
        deadline: Some(Default::default()),
        examination: Some(Default::default()),
        clarifications: vec![Default::default()],
        due_date_changes: vec![Default::default()],
        likely_duplicate_of: Some(Default::default()),
        repeats: Some(Default::default()),
        ..whole()
    };
    let message = proto::SubmitRequestRequest {
        request: Some(request),
        ..Default::default()
    };
    let mut violations = Violations::new();
    violations.set_by_service("/legalstat.requests.v1.RequestIntakeService/SubmitRequest", &message);
    let refusal = violations.refuse().expect_err("twelve fields are the service's");
    assert_eq!(refusal.violations.len(), 12);
    let reasons = refusal.violations.iter().map(|violation| violation.reason);
    assert!(
        reasons.clone().all(|reason| reason == FieldReason::SetByService),
        "{refusal:?}"
    );
}

#[test]
fn a_required_text_that_shows_nothing_is_missing() {
    let mut request = whole();
    request.essence = "\u{200b}".into();
    request.external_number = "\u{200b}".into();
    request.requester.as_mut().expect("it has one").full_name = "\u{3164}".into();
    request.signatory.as_mut().expect("it has one").full_name = "\u{2800}".into();
    request.items[0].description = "\u{feff}".into();
    let fields: Vec<_> = faults(&request, false);
    assert!(
        fields.iter().all(|(_, reason)| *reason == FieldReason::Required),
        "{fields:?}"
    );
    let fields: Vec<_> = fields.into_iter().map(|(field, _)| field).collect();
    let expected = [
        "request.requester.full_name",
        "request.signatory.full_name",
        "request.external_number",
        "request.essence",
        "request.items[0].description",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn names_are_one_line_and_no_text_turns_its_direction() {
    let mut request = whole();
    request.essence = "two\nlines".into();
    request.items[0].description = "two\nlines".into();
    assert!(read(&request, false).is_ok());
    request.essence = "\u{202e}".to_owned() + "essence";
    request.requester.as_mut().expect("it has one").full_name = "two\nlines".into();
    request.signatory.as_mut().expect("it has one").full_name = "\u{2067}name".into();
    let expected = [
        at("request.requester.full_name", FieldReason::InvalidCharacter),
        at("request.signatory.full_name", FieldReason::Direction),
        at("request.essence", FieldReason::Direction),
    ];
    assert_eq!(faults(&request, false), expected);
}

#[test]
fn a_period_is_kept_in_one_notation() {
    let mut request = whole();
    request.items[0].period = "2025-A1".into();
    let read = read(&request, false).expect("it is sound");
    assert_eq!(
        read.items[0].period.map(|period| period.to_string()).as_deref(),
        Some("2025")
    );
}

#[path = "parse_item_tests.rs"]
mod items;

proptest! {
    #[test]
    fn no_request_panics_and_none_is_refused_without_a_violation(
        words in proptest::collection::vec(any::<i32>(), 6),
        texts in proptest::collection::vec(".{0,20}", 8),
        (seconds, nanos) in (any::<i64>(), any::<i32>()),
        date in proptest::option::of((any::<i32>(), any::<i32>(), any::<i32>())),
        records in any::<bool>(),
    ) {
        let request = proto::Request {
            requester: Some(proto::Requester {
                kind: words[0] % 6,
                full_name: texts[0].clone(),
                bin: texts[1].clone(),
                iin: texts[2].clone(),
                postal_address: texts[3].clone(),
            }),
            signatory: Some(proto::Signatory { full_name: texts[4].clone(), capacity: words[1] % 6 }),
            channel: words[2] % 9,
            external_number: texts[5].clone(),
            external_date: date.map(|(year, month, day)| common::Date { year, month, day }),
            essence: texts[6].clone(),
            language: words[3] % 4,
            items: vec![proto::Item {
                kind: words[4] % 5,
                unit: words[5] % 6,
                period: texts[7].clone(),
                until_period: texts[1].clone(),
                form: texts[2].clone(),
                description: texts[3].clone(),
                indicator: texts[4].clone(),
                detail: texts[5].clone(),
                territories: vec![texts[6].clone()],
            }],
            received_at: Some(prost_types::Timestamp { seconds, nanos }),
            ..Default::default()
        };
        if let Err(violations) = read(&request, records) {
            prop_assert!(!violations.is_empty());
        }
    }
}
