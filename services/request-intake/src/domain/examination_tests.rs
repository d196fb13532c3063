use std::sync::Arc;

use super::*;
use crate::domain::{
    evidence::{Availability, Finding, Matched, OpenEdition, Step, StepEffect},
    register,
    request::{Capacity, ExternalDocument, Item, Language, Requester, RequesterKind, Signatory, Unit},
};
use jiff::civil::date;
use proptest::prelude::*;

fn rules() -> Rules {
    register::embedded().expect("the registers are readable")
}

fn item(kind: ItemKind) -> Item {
    Item {
        kind,
        description: "registered crimes".into(),
        unit: Some(Unit::Crime),
        period: Some("2019-Q4".parse().expect("a period")),
        until_period: None,
        form: Some("forms/1".into()),
        indicator: None,
        detail: None,
        territories: Vec::new(),
    }
}

/// What a state body sends through the Unified EDMS, signed by its head.
fn submission() -> Submission {
    Submission {
        requester: Requester {
            kind: RequesterKind::StateBody,
            full_name: "Ministry of Justice".into(),
            bin: None,
            iin: None,
            postal_address: String::new(),
        },
        signatory: Some(Signatory {
            full_name: "The head".into(),
            capacity: Capacity::Head,
        }),
        channel: Channel::UnifiedEdms,
        external: Some(ExternalDocument {
            number: "12-3/45".into(),
            date: Some(date(2020, 3, 2)),
        }),
        addressee: String::new(),
        receiving_body: None,
        essence: "crimes of a quarter".into(),
        language: Language::Ru,
        items: vec![item(ItemKind::Statistics)],
        sent_at: None,
        received_at: "2020-03-02T10:00:00+06:00".parse().expect("an instant"),
        reports_crime_or_threat: false,
        attachments: Vec::new(),
    }
}

fn deadline() -> Deadline {
    let due_date = date(2020, 4, 2);
    Deadline {
        registered_on: date(2020, 3, 2),
        due_date,
        due_time: "2020-04-03T00:00:00+06:00".parse().expect("an instant"),
        provisional: false,
        assumed: true,
        calendar_version: "1".into(),
        term: "terms/state-body".into(),
        steps: Arc::new(vec![Step {
            date: due_date,
            effect: StepEffect::Due,
            text: LocalizedText::new("мерзім", "срок", "due"),
            legal_basis: LegalBasis::default(),
        }]),
    }
}

fn finding(availability: Availability) -> Finding {
    let open = OpenEdition {
        name: "forms/1/editions/2025-M10".into(),
        address: "https://qamqor.gov.kz".into(),
        sha256: "ab".into(),
        figures: 12,
    };
    let is_open = matches!(availability, Availability::Placed | Availability::Nil);
    Finding {
        availability,
        matched: Matched::Nothing,
        open: is_open.then_some(open).into_iter().collect(),
        text: LocalizedText::new("табылды", "найдено", "found"),
    }
}

fn given(availability: Availability) -> Evidence {
    Evidence {
        deadline: Answer::Given(deadline()),
        findings: Answer::Given(vec![finding(availability)]),
    }
}

fn examine(submission: &Submission, evidence: Evidence) -> Examination {
    let rules = rules();
    let formal = formal(submission, &rules);
    if formal.decides() {
        formal.close()
    } else {
        formal.complete(evidence)
    }
}

fn is_of_applications(rule: CheckRule) -> bool {
    (CheckRule::Identity..=CheckRule::Considerable).contains(&rule)
}

fn outcome_of(examination: &Examination, rule: CheckRule) -> Outcome {
    let check = examination.checks.iter().find(|check| check.rule == rule);
    check.expect("every rule has a check").outcome
}

fn failed(examination: &Examination) -> Vec<(CheckRule, &str)> {
    let failed = examination
        .checks
        .iter()
        .filter(|check| check.outcome == Outcome::Failed);
    failed
        .map(|check| (check.rule, check.legal_basis.provision.as_str()))
        .collect()
}

#[test]
fn a_state_bodys_request_through_the_unified_edms_is_registered_with_its_deadline() {
    let examination = examine(&submission(), given(Availability::NotPlaced));
    assert_eq!(examination.state, State::Registered);
    assert_eq!(examination.deadline, Some(deadline()));
    // Without a signed original there is no signature to look at.
    assert_eq!(outcome_of(&examination, CheckRule::Signature), Outcome::NotApplicable);
    let mut others = examination
        .checks
        .iter()
        .filter(|check| check.rule != CheckRule::Signature);
    assert!(
        others.all(|check| check.outcome == Outcome::Passed),
        "{:?}",
        examination.checks
    );
    // What an application of a person must have is demanded of a body at the door.
    let of_bodies = CheckRule::ALL.iter().filter(|rule| !is_of_applications(**rule));
    assert_eq!(
        examination.checks.iter().map(|check| check.rule).collect::<Vec<_>>(),
        of_bodies.copied().collect::<Vec<_>>()
    );
    assert!(
        examination
            .checks
            .iter()
            .all(|check| !check.legal_basis.provision.is_empty())
    );
}

#[test]
fn formal_grounds_leave_without_consideration_at_once_and_each_cites_paragraph_7() {
    let change = |change: fn(&mut Submission)| {
        let mut submission = submission();
        change(&mut submission);
        submission
    };
    let oral = change(|request| (request.channel, request.signatory) = (Channel::Oral, None));
    let messenger = change(|request| (request.channel, request.signatory) = (Channel::Messenger, None));
    let paper = change(|request| request.channel = Channel::Paper);
    let not_its_system = change(|request| request.requester.kind = RequesterKind::ProsecutorBody);
    let copies = change(|request| request.items.push(item(ItemKind::AccountingDocumentCopy)));
    let primary = change(|request| request.items = vec![item(ItemKind::PrimaryAccountingForm)]);
    for (submission, rule, provision) in [
        (oral, CheckRule::Written, "para 7"),
        (messenger, CheckRule::Channel, "para 7"),
        (paper, CheckRule::Channel, "para 7"),
        (not_its_system, CheckRule::Channel, "para 7"),
        (copies, CheckRule::NoDocumentCopies, "para 7"),
        (primary, CheckRule::NoPrimaryAccounting, "para 7; Law 510, art. 9"),
    ] {
        let examination = examine(
            &submission,
            Evidence {
                deadline: Answer::Away,
                findings: Answer::Away,
            },
        );
        assert_eq!(examination.state, State::LeftWithoutConsideration, "{rule:?}");
        assert_eq!(failed(&examination), [(rule, provision)]);
        assert!(!examination.is_pending() && examination.deadline.is_none());
        assert_eq!(outcome_of(&examination, CheckRule::DueDate), Outcome::NotApplicable);
    }
}

#[test]
fn a_missing_unit_or_period_asks_the_requester_and_cites_paragraph_8() {
    let mut submission = submission();
    submission.items.push(Item {
        unit: None,
        period: None,
        ..item(ItemKind::Statistics)
    });
    let examination = examine(
        &submission,
        Evidence {
            deadline: Answer::Away,
            findings: Answer::Away,
        },
    );
    assert_eq!(examination.state, State::AwaitingClarification);
    assert_eq!(
        failed(&examination),
        [(CheckRule::Unit, "para 8"), (CheckRule::Period, "para 8")]
    );
    let fields = examination
        .checks
        .iter()
        .filter(|check| check.outcome == Outcome::Failed);
    assert_eq!(
        fields.map(|check| check.field.as_str()).collect::<Vec<_>>(),
        ["items[1].unit", "items[1].period"]
    );
    assert_eq!(examination.clarifications.len(), 2);
    for text in &examination.clarifications {
        assert!(
            text.en.starts_with("Item 2. ") && text.en.contains("para 8"),
            "{}",
            text.en
        );
        assert!(text.ru.contains("пункт 8") && text.kk.contains("8-тармағы"));
    }
    assert!(examination.deadline.is_none());
}

#[test]
fn a_formal_ground_outweighs_what_is_missing() {
    let mut submission = submission();
    submission.items = vec![
        Item {
            period: None,
            ..item(ItemKind::Statistics)
        },
        item(ItemKind::AccountingDocumentCopy),
    ];
    let examination = examine(&submission, given(Availability::NotPlaced));
    assert_eq!(examination.state, State::LeftWithoutConsideration);
    assert!(examination.clarifications.is_empty());
}

#[path = "examination_register_tests.rs"]
mod registers;

#[path = "examination_application_tests.rs"]
mod applications;

#[path = "examination_decider_tests.rs"]
mod deciders;

#[test]
fn who_may_not_sign_is_for_an_official_to_decide() {
    let mut submission = submission();
    submission.signatory = Some(Signatory {
        full_name: "A clerk".into(),
        capacity: Capacity::Applicant,
    });
    let examination = examine(&submission, given(Availability::NotPlaced));
    assert_eq!(examination.state, State::Registered);
    assert_eq!(outcome_of(&examination, CheckRule::Signatory), Outcome::Proposed);
}

#[test]
fn a_service_that_is_away_leaves_the_request_received_and_pending() {
    let findings = || Answer::Given(vec![finding(Availability::NotPlaced)]);
    for (evidence, pending) in [
        (
            Evidence {
                deadline: Answer::Away,
                findings: findings(),
            },
            vec![CheckRule::DueDate],
        ),
        (
            Evidence {
                deadline: Answer::Given(deadline()),
                findings: Answer::Away,
            },
            vec![
                CheckRule::WithinIndicators,
                CheckRule::NotOpenlyAvailable,
                CheckRule::DueDate,
            ],
        ),
    ] {
        let examination = examine(&submission(), evidence);
        assert_eq!(examination.state, State::Received);
        assert!(examination.is_pending() && examination.deadline.is_none());
        let checks = examination
            .checks
            .iter()
            .filter(|check| check.outcome == Outcome::Pending);
        assert_eq!(checks.map(|check| check.rule).collect::<Vec<_>>(), pending);
    }
}

#[test]
fn a_due_date_that_the_calendar_refuses_is_for_an_official_and_not_asked_again() {
    let findings = Answer::Given(vec![finding(Availability::NotPlaced)]);
    let evidence = Evidence {
        deadline: Answer::Refused("no term applies".into()),
        findings,
    };
    let examination = examine(&submission(), evidence);
    assert_eq!(examination.state, State::Received);
    assert!(!examination.is_pending());
    assert_eq!(outcome_of(&examination, CheckRule::DueDate), Outcome::Undetermined);
    assert!(
        examination
            .checks
            .iter()
            .any(|check| check.text.en.contains("no term applies"))
    );
}

#[test]
fn a_ground_that_an_operator_gives_to_officials_is_only_proposed_from_its_first_day() {
    let mut rules = rules();
    let mut successor = rules
        .ground(CheckRule::Channel, date(2020, 1, 1))
        .expect("it is in force")
        .clone();
    successor.decided_by = Decider::Official;
    successor.validity.from = date(2020, 3, 2);
    rules.grounds.push(successor);
    let mut submission = submission();
    submission.channel = Channel::Email;
    let state = |submission: &Submission| {
        let formal = formal(submission, &rules);
        if formal.decides() {
            formal.close().state
        } else {
            formal.complete(given(Availability::NotPlaced)).state
        }
    };
    assert_eq!(state(&submission), State::Registered);
    submission.received_at = "2020-03-01T10:00:00+06:00".parse().expect("an instant");
    assert_eq!(state(&submission), State::LeftWithoutConsideration);
}

fn check_of(examination: &Examination, rule: CheckRule) -> &Check {
    let check = examination.checks.iter().find(|check| check.rule == rule);
    check.expect("every rule has a check")
}

#[test]
fn the_law_of_the_due_date_is_assumed_if_the_deadline_is_or_the_instruction_lapsed() {
    for (received_at, deadline_assumed, assumed) in [
        ("2020-03-02T10:00:00+06:00", false, false),
        ("2020-03-02T10:00:00+06:00", true, true),
        ("2021-03-02T10:00:00+06:00", false, true),
        ("2021-03-02T10:00:00+06:00", true, true),
    ] {
        let mut submission = submission();
        submission.received_at = received_at.parse().expect("an instant");
        let deadline = Deadline {
            assumed: deadline_assumed,
            ..deadline()
        };
        let evidence = Evidence {
            deadline: Answer::Given(deadline),
            ..given(Availability::NotPlaced)
        };
        let examination = examine(&submission, evidence);
        let check = check_of(&examination, CheckRule::DueDate);
        assert_eq!(check.text.en, "The last day for the answer is 2020-04-02.");
        let expected = if assumed {
            "assumed: Instruction, para 6"
        } else {
            "Instruction, para 6"
        };
        assert_eq!(
            check.legal_basis.notation(),
            expected,
            "{received_at} {deadline_assumed}"
        );
    }
}

#[test]
fn before_the_first_day_of_the_rules_nothing_is_broken_and_no_law_is_cited() {
    let mut submission = submission();
    (submission.channel, submission.received_at) =
        (Channel::Email, "2019-04-14T23:59:59+06:00".parse().expect("an instant"));
    let examination = examine(&submission, given(Availability::NotPlaced));
    let check = check_of(&examination, CheckRule::Channel);
    assert_eq!(
        (check.outcome, &check.legal_basis),
        (Outcome::NotApplicable, &LegalBasis::default())
    );
    assert_eq!(check.text.en, "No such rule was in force on the day of receipt.");
    submission.received_at = "2019-04-15T00:00:00+06:00".parse().expect("an instant");
    let examination = examine(&submission, given(Availability::NotPlaced));
    assert_eq!(failed(&examination), [(CheckRule::Channel, "para 7")]);
}

fn any_submission() -> impl Strategy<Value = Submission> {
    let items = proptest::collection::vec(
        (proptest::sample::select(ItemKind::ALL), any::<bool>(), any::<bool>()),
        1..5,
    );
    let kind = proptest::sample::select(RequesterKind::ALL);
    let channel = proptest::sample::select(Channel::ALL);
    let capacity = proptest::option::of(proptest::sample::select(Capacity::ALL));
    (kind, channel, capacity, items).prop_map(|(kind, channel, capacity, items)| {
        let mut submission = submission();
        (submission.requester.kind, submission.channel) = (kind, channel);
        submission.signatory = capacity.map(|capacity| Signatory {
            full_name: "x".into(),
            capacity,
        });
        submission.items = items
            .into_iter()
            .map(|(kind, unit, period)| {
                let whole = item(kind);
                Item {
                    unit: whole.unit.filter(|_| unit),
                    period: whole.period.filter(|_| period),
                    ..whole
                }
            })
            .collect();
        submission
    })
}

fn any_evidence() -> impl Strategy<Value = (u8, u8, Availability)> {
    let availability = proptest::sample::select(vec![
        Availability::Placed,
        Availability::Nil,
        Availability::NotPlaced,
        Availability::Restricted,
        Availability::Undetermined,
        Availability::NotRegistered,
    ]);
    (0..3_u8, 0..3_u8, availability)
}

fn answer<T>(which: u8, value: T) -> Answer<T> {
    match which {
        0 => Answer::Given(value),
        1 => Answer::Refused("no".into()),
        _ => Answer::Away,
    }
}

proptest! {
    #[test]
    fn the_state_follows_from_the_checks(submission in any_submission(), (first, second, availability) in any_evidence()) {
        let findings = submission.statistics().map(|_| finding(availability)).collect();
        let evidence = Evidence { deadline: answer(first, deadline()), findings: answer(second, findings) };
        let examination = examine(&submission, evidence);
        let any = |outcome| examination.checks.iter().any(|check| check.outcome == outcome);

        let decided = [State::LeftWithoutConsideration, State::AwaitingClarification].contains(&examination.state);
        prop_assert_eq!(any(Outcome::Failed), decided);
        prop_assert_eq!(examination.state == State::Registered, examination.deadline.is_some());
        prop_assert_eq!(examination.state == State::AwaitingClarification, !examination.clarifications.is_empty());
        prop_assert_eq!(examination.is_pending(), any(Outcome::Pending));
        prop_assert!(examination.checks.is_sorted_by_key(|check| check.rule));
        for &rule in CheckRule::ALL {
            let concerns = !submission.requester.kind.is_body() || !is_of_applications(rule);
            prop_assert_eq!(examination.checks.iter().any(|check| check.rule == rule), concerns);
        }
        for check in &examination.checks {
            prop_assert!(!check.text.kk.is_empty() && !check.text.ru.is_empty() && !check.text.en.is_empty());
            prop_assert!(!check.legal_basis.act.is_empty());
        }
    }
}
