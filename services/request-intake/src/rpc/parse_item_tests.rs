//! Items at the door.

use super::*;

#[test]
fn a_missing_unit_or_period_is_let_through_and_a_wrong_one_is_not() {
    let with = |item: proto::Item| proto::Request {
        items: vec![statistics(), item],
        ..whole()
    };
    assert!(
        read(
            &with(proto::Item {
                unit: 0,
                period: String::new(),
                ..statistics()
            }),
            false
        )
        .is_ok()
    );
    for (item, field, reason) in [
        (
            proto::Item {
                period: "2019-Q5".into(),
                ..statistics()
            },
            "period",
            FieldReason::Period,
        ),
        (
            proto::Item {
                unit: 99,
                ..statistics()
            },
            "unit",
            FieldReason::Enum,
        ),
        (
            proto::Item {
                kind: 0,
                ..statistics()
            },
            "kind",
            FieldReason::Required,
        ),
        (
            proto::Item {
                form: "1-P".into(),
                ..statistics()
            },
            "form",
            FieldReason::ResourceName,
        ),
        (
            proto::Item {
                description: " ".into(),
                ..statistics()
            },
            "description",
            FieldReason::Required,
        ),
        (
            proto::Item {
                description: "я".repeat(4001),
                ..statistics()
            },
            "description",
            FieldReason::TooLong,
        ),
        (
            proto::Item {
                until_period: "2026-M01".into(),
                ..statistics()
            },
            "until_period",
            FieldReason::OtherKind,
        ),
        (
            proto::Item {
                until_period: "2025-Q3".into(),
                ..statistics()
            },
            "until_period",
            FieldReason::BeforePeriod,
        ),
        (
            proto::Item {
                period: String::new(),
                until_period: "2025-Q3".into(),
                ..statistics()
            },
            "until_period",
            FieldReason::WithoutPeriod,
        ),
        (
            proto::Item {
                indicator: "crimes".into(),
                ..statistics()
            },
            "indicator",
            FieldReason::ResourceName,
        ),
        (
            proto::Item {
                form: "forms/1".into(),
                indicator: "forms/5/indicators/crimes".into(),
                ..statistics()
            },
            "indicator",
            FieldReason::Conflict,
        ),
        (
            proto::Item {
                detail: "card-1".into(),
                ..statistics()
            },
            "detail",
            FieldReason::ResourceName,
        ),
        (
            proto::Item {
                indicator: "forms/1/indicators/crimes".into(),
                detail: "accountingDocuments/card-1/details/article".into(),
                ..statistics()
            },
            "detail",
            FieldReason::Conflict,
        ),
        (
            proto::Item {
                territories: vec!["7".into(); 101],
                ..statistics()
            },
            "territories",
            FieldReason::TooMany,
        ),
        (
            proto::Item {
                territories: vec!["75".into(), "Almaty city".into()],
                ..statistics()
            },
            "territories[1]",
            FieldReason::Key,
        ),
    ] {
        assert_eq!(fault(&with(item)), at(&format!("request.items[1].{field}"), reason));
    }
    let many = proto::Request {
        items: vec![statistics(); 101],
        ..whole()
    };
    assert_eq!(fault(&many), at("request.items", FieldReason::TooMany));
}

#[test]
fn identifiers_belong_to_their_kind_and_have_their_control_digit() {
    let with = |kind: Kind, bin: &str, iin: &str| {
        let requester = proto::Requester {
            kind: kind.into(),
            bin: bin.into(),
            iin: iin.into(),
            ..individual().requester.expect("it has one")
        };
        proto::Request {
            requester: Some(requester),
            ..individual()
        }
    };
    assert!(read(&with(Kind::LegalEntity, "160340014245", ""), true).is_ok());
    for (request, field, reason) in [
        (with(Kind::LegalEntity, "", ""), "bin", FieldReason::Required),
        (with(Kind::LegalEntity, "160940004325", ""), "bin", FieldReason::Bin),
        (with(Kind::LegalEntity, "911003342906", ""), "bin", FieldReason::Bin),
        (
            with(Kind::LegalEntity, "160340014245", "911003342906"),
            "iin",
            FieldReason::NotOfKind,
        ),
        (
            with(Kind::Individual, "160340014245", ""),
            "bin",
            FieldReason::NotOfKind,
        ),
        (with(Kind::Individual, "", "911003342907"), "iin", FieldReason::Iin),
        (with(Kind::StateBody, "12", ""), "bin", FieldReason::Bin),
    ] {
        assert_eq!(fault(&request), at(&format!("request.requester.{field}"), reason));
    }
}

#[test]
fn a_violation_that_law_decides_cites_the_law_and_none_repeats_an_identifier() {
    let mut request = individual();
    let requester = request.requester.as_mut().expect("it has one");
    (requester.postal_address, requester.iin) = (String::new(), "911003342907".into());
    request.signatory = None;
    let violations = read(&request, true).expect_err("it has violations");
    let described = |field: &str| {
        let violation = violations.iter().find(|violation| violation.field == field);
        violation.expect("it is a violation").description.clone()
    };
    assert!(described("request.requester.postal_address").contains("Code 350-VI, art. 63"));
    assert!(described("request.signatory").contains("Instruction, para 6"));
    assert!(
        violations
            .iter()
            .all(|violation| !violation.description.contains("911003342907"))
    );
}

#[test]
fn only_what_is_oral_or_by_messenger_needs_no_signature() {
    for (channel, needs) in [
        (proto::Channel::Oral, false),
        (proto::Channel::Messenger, false),
        (proto::Channel::Paper, true),
        (proto::Channel::Email, true),
    ] {
        let request = proto::Request {
            channel: channel.into(),
            signatory: None,
            ..individual()
        };
        assert_eq!(read(&request, true).is_err(), needs, "{channel:?}");
    }
}

#[test]
fn a_document_system_gives_its_number_and_date() {
    let without = proto::Request {
        external_number: String::new(),
        external_date: None,
        ..whole()
    };
    let expected = [
        at("request.external_number", FieldReason::Required),
        at("request.external_date", FieldReason::Required),
    ];
    assert_eq!(faults(&without, false), expected);
    let impossible = common::Date {
        year: 2026,
        month: 2,
        day: 30,
    };
    let request = proto::Request {
        external_date: Some(impossible),
        ..whole()
    };
    assert_eq!(fault(&request), at("request.external_date", FieldReason::Date));
    let half = proto::Request {
        external_number: "7".into(),
        ..individual()
    };
    assert_eq!(fault(&half), at("request.external_date", FieldReason::Required));
}

#[test]
fn the_time_of_receipt_is_given_by_officials_within_the_time_of_the_rules() {
    let at_time = |instant: &str| {
        let instant: Timestamp = instant.parse().expect("an instant");
        proto::Request {
            received_at: Some(wire::to_timestamp(instant)),
            ..individual()
        }
    };
    assert!(read(&at_time("2019-04-15T00:00:00+06:00"), true).is_ok());
    assert_eq!(
        fault(&at_time("2019-04-14T23:59:59+06:00")),
        at("request.received_at", FieldReason::BeforeRules)
    );
    assert_eq!(
        fault(&at_time("2026-03-02T10:00:01+05:00")),
        at("request.received_at", FieldReason::InFuture)
    );
    let by_system = faults(&at_time("2026-03-01T10:00:00+05:00"), false);
    assert_eq!(by_system, [at("request.received_at", FieldReason::SetByService)]);
}
