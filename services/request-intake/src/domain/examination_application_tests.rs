//! What persons and legal entities send, and what it lacks.

use uuid::Uuid;

use super::*;
use crate::domain::{
    attachment::{Attachment, Kind},
    verdict::Verdict,
};

/// A person's application on paper, received on a day: nothing is missing.
fn application(day: &str) -> Submission {
    let base = submission();
    Submission {
        requester: Requester {
            kind: RequesterKind::Individual,
            full_name: "A person".into(),
            postal_address: "Astana".into(),
            ..base.requester.clone()
        },
        signatory: Some(Signatory {
            full_name: "A person".into(),
            capacity: Capacity::Applicant,
        }),
        channel: Channel::Paper,
        external: Some(ExternalDocument {
            number: String::new(),
            date: Some(date(2019, 4, 15)),
        }),
        sent_at: None,
        received_at: format!("{day}T10:00:00+06:00").parse().expect("an instant"),
        items: vec![Item {
            period: Some("2018".parse().expect("a period")),
            ..item(ItemKind::Statistics)
        }],
        ..base
    }
}

type Fault = (CheckRule, &'static str, fn(&mut Submission));

const FAULTS: [Fault; 6] = [
    (CheckRule::Identity, "requester.full_name", |request| {
        request.requester.full_name.clear();
    }),
    (CheckRule::Identity, "requester.bin", |request| {
        request.requester.kind = RequesterKind::LegalEntity;
    }),
    (CheckRule::Address, "requester.postal_address", |request| {
        request.requester.postal_address.clear();
    }),
    (CheckRule::Signed, "signatory", |request| request.signatory = None),
    (CheckRule::Dated, "external_date", |request| request.external = None),
    (CheckRule::Essence, "essence", |request| request.essence.clear()),
];

fn broken(examination: &Examination) -> Vec<(CheckRule, Outcome, &str, String)> {
    let broken = [Outcome::Failed, Outcome::Proposed];
    let checks = examination
        .checks
        .iter()
        .filter(|check| broken.contains(&check.outcome));
    checks
        .map(|check| {
            (
                check.rule,
                check.outcome,
                check.field.as_str(),
                check.legal_basis.notation(),
            )
        })
        .collect()
}

#[test]
fn what_an_application_lacks_is_asked_for_by_the_code_and_before_it_only_proposed() {
    for (rule, field, fault) in FAULTS {
        for (day, state, outcome, law) in [
            ("2019-05-06", State::Registered, Outcome::Proposed, "Law 221, art. 6"),
            ("2021-06-30", State::Registered, Outcome::Proposed, "Law 221, art. 6"),
            (
                "2021-07-01",
                State::AwaitingClarification,
                Outcome::Failed,
                "Code 350-VI, arts. 63 and 64(6)",
            ),
            (
                "2026-03-02",
                State::AwaitingClarification,
                Outcome::Failed,
                "Code 350-VI, arts. 63 and 64(6)",
            ),
        ] {
            let mut request = application(day);
            assert_eq!(broken(&examine(&request, given(Availability::NotPlaced))), [], "{day}");
            fault(&mut request);
            let examination = examine(&request, given(Availability::NotPlaced));
            assert_eq!(examination.state, state, "{rule:?} {day}");
            let found = broken(&examination);
            assert_eq!(found[0], (rule, outcome, field, law.to_owned()), "{day}");
            let asked = usize::from(state == State::AwaitingClarification);
            assert_eq!(examination.clarifications.len(), asked);
            let more = if rule == CheckRule::Essence {
                vec![CheckRule::Considerable]
            } else {
                Vec::new()
            };
            assert_eq!(found[1..].iter().map(|(rule, ..)| *rule).collect::<Vec<_>>(), more);
        }
    }
}

#[test]
fn what_comes_electronically_is_dated_by_its_sending() {
    let mut request = application("2026-03-02");
    (request.channel, request.external) = (Channel::EGovernment, None);
    let examination = examine(&request, given(Availability::NotPlaced));
    assert_eq!(examination.state, State::Registered);
    assert_eq!(outcome_of(&examination, CheckRule::Dated), Outcome::Passed);
}

#[test]
fn a_valid_electronic_signature_signs_an_application_that_names_no_signatory() {
    let fault = crate::domain::verdict::Fault::Expired;
    for (verdict, is_signed) in [
        (Verdict::Valid(Vec::new()), true),
        (Verdict::NotValid(fault), false),
        (Verdict::NobodyTrusted, false),
    ] {
        let mut request = application("2026-03-02");
        request.channel = Channel::EGovernment;
        request.signatory = None;
        request.attachments = vec![Attachment {
            id: Uuid::nil(),
            kind: Kind::SignedOriginal,
            filename: "request.p7m".into(),
            content_type: "application/pkcs7-mime".into(),
            size_bytes: 1,
            sha256: [0; 32],
            uploaded_by: "edms".into(),
            uploaded_at: request.received_at,
            signs: None,
            request: None,
            signature: Some(verdict.clone()),
        }];
        let signed = outcome_of(&examine(&request, given(Availability::NotPlaced)), CheckRule::Signed);
        assert_eq!(signed == Outcome::Passed, is_signed, "{verdict:?}: {signed:?}");
        // It tells whose it is, too.
        request.requester.full_name.clear();
        request.requester.postal_address.clear();
        assert_eq!(request.is_anonymous(), !is_signed, "{verdict:?}");
    }
}

#[test]
fn an_anonymous_application_is_proposed_for_termination_for_nobody_can_be_asked() {
    for (day, law) in [
        ("2019-05-06", "Law 221, art. 5"),
        ("2026-03-02", "Code 350-VI, art. 88"),
    ] {
        let mut request = application(day);
        request.requester.full_name.clear();
        request.requester.postal_address.clear();
        request.signatory = None;
        request.items[0].unit = None;
        let examination = examine(&request, given(Availability::NotPlaced));
        assert_eq!(examination.state, State::Registered, "{day}");
        assert!(examination.clarifications.is_empty());
        let found = broken(&examination);
        let rules: Vec<CheckRule> = found.iter().map(|(rule, ..)| *rule).collect();
        let expected = [
            CheckRule::Identity,
            CheckRule::Address,
            CheckRule::Signed,
            CheckRule::Considerable,
            CheckRule::Unit,
        ];
        assert_eq!(rules, expected);
        assert!(found.iter().all(|(_, outcome, ..)| *outcome == Outcome::Proposed));
        assert_eq!((found[3].2, found[3].3.as_str()), ("requester", law));
        let unit = check_of(&examination, CheckRule::Unit);
        assert!(
            unit.text
                .en
                .ends_with("so there is nobody to ask: an official decides."),
            "{}",
            unit.text.en
        );
        assert!(unit.text.kk.ends_with("лауазымды адам шешеді.") && unit.text.ru.ends_with("должностное лицо."));
    }
    // Who gives a number of his own is somebody.
    let mut known = application("2026-03-02");
    known.requester.full_name.clear();
    known.requester.postal_address.clear();
    (known.signatory, known.requester.iin) = (None, Some("911003342906".into()));
    let examination = examine(&known, given(Availability::NotPlaced));
    assert_eq!(examination.state, State::AwaitingClarification);
    assert_eq!(outcome_of(&examination, CheckRule::Considerable), Outcome::Passed);
}

#[test]
fn an_application_that_lists_nothing_is_asked_for_unit_and_period() {
    let mut request = application("2026-03-02");
    request.items.clear();
    let examination = examine(&request, given(Availability::NotPlaced));
    assert_eq!(examination.state, State::AwaitingClarification);
    let fields: Vec<_> = broken(&examination)
        .into_iter()
        .map(|(rule, _, field, _)| (rule, field.to_owned()))
        .collect();
    assert_eq!(
        fields,
        [
            (CheckRule::Unit, "items".to_owned()),
            (CheckRule::Period, "items".to_owned())
        ]
    );
    assert_eq!(outcome_of(&examination, CheckRule::Repeated), Outcome::NotApplicable);
}

#[test]
fn nothing_needs_to_be_invented_to_leave_what_was_said_or_came_by_messenger() {
    for (channel, rule) in [
        (Channel::Oral, CheckRule::Written),
        (Channel::Messenger, CheckRule::Channel),
    ] {
        for kind in RequesterKind::ALL {
            let mut request = application("2026-03-02");
            request.requester.kind = *kind;
            request.requester.postal_address.clear();
            (request.channel, request.signatory, request.external) = (channel, None, None);
            request.items.clear();
            let examination = examine(&request, given(Availability::NotPlaced));
            assert_eq!(
                examination.state,
                State::LeftWithoutConsideration,
                "{channel:?} {kind:?}"
            );
            assert_eq!(failed(&examination), [(rule, "para 7")]);
            let of_applications = examination.checks.iter().filter(|check| is_of_applications(check.rule));
            assert!(
                of_applications
                    .clone()
                    .all(|check| check.outcome == Outcome::NotApplicable)
            );
            assert_eq!(of_applications.count(), if kind.is_body() { 0 } else { 6 });
        }
    }
}

fn severity(state: State) -> u8 {
    match state {
        State::Received | State::Registered => 0,
        State::AwaitingClarification => 1,
        _ => 2,
    }
}

proptest! {
    #[test]
    fn another_fault_never_makes_the_state_milder_as_long_as_somebody_can_be_asked(
        first in proptest::collection::vec(0..9_usize, 0..6), more in 0..9_usize,
        day in proptest::sample::select(vec!["2019-05-06", "2020-12-31", "2021-07-01", "2025-02-03", "2026-03-02"]),
        kind in proptest::sample::select(RequesterKind::ALL), channel in proptest::sample::select(Channel::ALL),
    ) {
        let mut request = application(day);
        (request.requester.kind, request.channel) = (kind, channel);
        let fault = |request: &mut Submission, which: usize| match which {
            0..6 => {
                let kind = request.requester.kind;
                FAULTS[which].2(request);
                request.requester.kind = kind;
            }
            6 => request.items[0].unit = None,
            7 => request.items[0].period = None,
            _ => request.items.push(item(ItemKind::AccountingDocumentCopy)),
        };
        first.iter().for_each(|which| fault(&mut request, *which));
        let before = examine(&request, given(Availability::NotPlaced)).state;
        fault(&mut request, more);
        prop_assume!(!request.is_anonymous());
        let after = examine(&request, given(Availability::NotPlaced)).state;
        prop_assert!(severity(before) <= severity(after), "{before:?} {after:?}");
    }

    #[test]
    fn the_order_of_the_items_counts_nothing(
        items in proptest::collection::vec((proptest::sample::select(ItemKind::ALL), any::<bool>(), any::<bool>()), 1..6),
        turn in 0..6_usize,
    ) {
        let mut request = application("2026-03-02");
        request.items = items
            .into_iter()
            .map(|(kind, unit, period)| {
                let whole = item(kind);
                Item { unit: whole.unit.filter(|_| unit), period: whole.period.filter(|_| period), ..whole }
            })
            .collect();
        let of = |request: &Submission| {
            let evidence = Evidence {
                findings: Answer::Given(request.statistics().map(|_| finding(Availability::NotPlaced)).collect()),
                ..given(Availability::NotPlaced)
            };
            let examination = examine(request, evidence);
            let mut checks: Vec<_> = examination.checks.iter().map(|check| (check.rule, check.outcome)).collect();
            checks.sort_unstable();
            (examination.state, checks, examination.clarifications.len(), crate::domain::earlier::asked(request))
        };
        let before = of(&request);
        let places = request.items.len();
        request.items.rotate_left(turn % places);
        prop_assert_eq!(of(&request), before);
    }
}
