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
    assert!(
        read(&with(Kind::LegalEntity, "", ""), true).is_ok(),
        "its examination asks"
    );
    for (request, field, reason) in [
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
    let unsigned = proto::Request {
        signatory: None,
        ..whole()
    };
    let violations = read(&unsigned, true).expect_err("it has a violation");
    assert_eq!(violations[0].field, "request.signatory");
    assert!(violations[0].description.contains("Instruction, para 6"));
    let mut request = individual();
    request.requester.as_mut().expect("it has one").iin = "911003342907".into();
    let violations = read(&request, true).expect_err("it has a violation");
    assert!(!violations[0].description.contains("911003342907"));
}

#[test]
fn only_what_is_oral_or_by_messenger_needs_neither_signature_nor_items() {
    for (channel, needs) in [
        (proto::Channel::Oral, false),
        (proto::Channel::Messenger, false),
        (proto::Channel::Paper, true),
        (proto::Channel::Email, true),
    ] {
        let request = proto::Request {
            channel: channel.into(),
            signatory: None,
            items: Vec::new(),
            external_number: String::new(),
            external_date: None,
            ..whole()
        };
        let expected = [
            at("request.signatory", FieldReason::Required),
            at("request.items", FieldReason::Required),
        ];
        if needs {
            assert_eq!(faults(&request, true), expected, "{channel:?}");
        } else {
            let read = read(&request, true).expect("it is enough");
            assert!(read.items.is_empty() && read.signatory.is_none());
        }
    }
    let nobodys = proto::Request {
        channel: proto::Channel::Oral.into(),
        essence: String::new(),
        requester: Some(proto::Requester {
            kind: Kind::StateBody.into(),
            ..Default::default()
        }),
        language: proto::Language::Kk.into(),
        ..Default::default()
    };
    let expected = [
        at("request.requester.full_name", FieldReason::Required),
        at("request.essence", FieldReason::Required),
    ];
    assert_eq!(faults(&nobodys, true), expected);
}

#[test]
fn of_persons_and_legal_entities_only_channel_kind_and_language_must_be_there() {
    for kind in [Kind::Individual, Kind::LegalEntity] {
        for channel in [
            proto::Channel::Paper,
            proto::Channel::Email,
            proto::Channel::UnifiedEdms,
            proto::Channel::Oral,
        ] {
            let mut request = proto::Request {
                channel: channel.into(),
                requester: Some(proto::Requester {
                    kind: kind.into(),
                    full_name: "\u{200b}".into(),
                    ..Default::default()
                }),
                language: proto::Language::Kk.into(),
                signatory: Some(proto::Signatory::default()),
                ..Default::default()
            };
            let submission = read(&request, true).expect("it may not be refused");
            assert!(submission.signatory.is_none() && submission.external.is_none());
            assert_eq!(submission.requester.full_name, "");
            request.language = 0;
            assert_eq!(fault(&request), at("request.language", FieldReason::Required));
        }
    }
}

#[test]
fn what_is_malformed_is_refused_of_persons_too() {
    let with = |change: fn(&mut proto::Request)| {
        let mut request = individual();
        change(&mut request);
        request
    };
    let long = with(|request| request.requester.as_mut().expect("it has one").full_name = "я".repeat(501));
    assert_eq!(fault(&long), at("request.requester.full_name", FieldReason::TooLong));
    let half = with(|request| request.signatory.as_mut().expect("it has one").full_name.clear());
    assert_eq!(fault(&half), at("request.signatory.full_name", FieldReason::Required));
    let future = with(|request| {
        request.external_date = Some(common::Date {
            year: 2026,
            month: 3,
            day: 3,
        });
    });
    assert_eq!(fault(&future), at("request.external_date", FieldReason::OutOfRange));
    let sent = |seconds| {
        let mut request = individual();
        let mut sent_at = wire::to_timestamp(NOW.parse().expect("an instant"));
        sent_at.seconds += seconds;
        request.sent_at = Some(sent_at);
        request
    };
    assert_eq!(fault(&sent(301)), at("request.sent_at", FieldReason::OutOfRange));
    let ahead = read(&sent(299), true).expect("clocks differ");
    assert!(ahead.sent_at.is_some_and(|sent_at| sent_at > ahead.received_at));
    let no_instant = with(|request| {
        request.sent_at = Some(prost_types::Timestamp {
            seconds: i64::MAX,
            nanos: 0,
        });
    });
    assert_eq!(fault(&no_instant), at("request.sent_at", FieldReason::Timestamp));
    let dated = with(|request| {
        request.external_date = Some(common::Date {
            year: 2026,
            month: 3,
            day: 2,
        });
    });
    let dated = read(&dated, true).expect("an application may have no number");
    assert_eq!(dated.external.expect("it has a date").number, "");
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
    for half in [
        proto::Request {
            external_date: None,
            ..whole()
        },
        proto::Request {
            channel: proto::Channel::Paper.into(),
            external_date: None,
            ..whole()
        },
    ] {
        assert_eq!(fault(&half), at("request.external_date", FieldReason::Required));
    }
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
