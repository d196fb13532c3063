//! Who decides, and what is only proposed.

use super::*;

fn on(channel: Channel, kind: RequesterKind, day: &str) -> Submission {
    let mut request = submission();
    (request.channel, request.requester.kind) = (channel, kind);
    request.requester.postal_address = "Astana".into();
    request.requester.bin = Some("160340014245".into());
    request.signatory = Some(Signatory {
        full_name: "x".into(),
        capacity: if kind.is_body() {
            Capacity::Head
        } else {
            Capacity::Applicant
        },
    });
    request.received_at = format!("{day}T10:00:00+06:00").parse().expect("an instant");
    request
}

#[test]
fn the_system_decides_alone_only_by_a_text_that_was_read() {
    for kind in [RequesterKind::Individual, RequesterKind::LegalEntity] {
        for (channel, state, outcome) in [
            (Channel::Paper, State::Registered, Outcome::Passed),
            (Channel::EGovernment, State::Registered, Outcome::Passed),
            (Channel::Email, State::Registered, Outcome::Proposed),
            (Channel::UnifiedEdms, State::Registered, Outcome::Proposed),
            (Channel::Kadagalau, State::Registered, Outcome::Proposed),
            (Channel::Messenger, State::LeftWithoutConsideration, Outcome::Failed),
        ] {
            let examination = examine(&on(channel, kind, "2020-03-02"), given(Availability::NotPlaced));
            assert_eq!(examination.state, state, "{kind:?} {channel:?}");
            let check = check_of(&examination, CheckRule::Channel);
            assert_eq!(check.outcome, outcome, "{kind:?} {channel:?}");
            if outcome == Outcome::Proposed {
                assert!(check.legal_basis.assumed && examination.deadline.is_some());
                assert!(
                    check.text.en.ends_with("was not read: an official decides."),
                    "{}",
                    check.text.en
                );
            }
        }
    }
}

#[test]
fn that_the_instruction_has_lapsed_changes_nothing_in_who_decides() {
    for (day, assumed) in [("2021-01-07", false), ("2021-01-08", true), ("2026-03-02", true)] {
        let examination = examine(
            &on(Channel::Email, RequesterKind::StateBody, day),
            given(Availability::NotPlaced),
        );
        assert_eq!(examination.state, State::LeftWithoutConsideration, "{day}");
        let check = check_of(&examination, CheckRule::Channel);
        assert_eq!(
            (check.outcome, check.legal_basis.assumed),
            (Outcome::Failed, assumed),
            "{day}"
        );
    }
}

#[test]
fn a_ground_of_a_third_party_is_proposed_whoever_it_names() {
    for (grade, state) in [
        ("A", State::LeftWithoutConsideration),
        ("B", State::LeftWithoutConsideration),
        ("C", State::Registered),
        ("D", State::Registered),
    ] {
        let mut rules = rules();
        let grounds = rules
            .grounds
            .iter_mut()
            .filter(|ground| ground.rule == CheckRule::NoDocumentCopies);
        grounds.for_each(|ground| ground.validity.grade = grade.into());
        let mut request = submission();
        request.items.push(item(ItemKind::AccountingDocumentCopy));
        let formal = formal(&request, &rules);
        let examination = match formal.decides() {
            true => formal.close(),
            false => formal.complete(given(Availability::NotPlaced)),
        };
        assert_eq!(examination.state, state, "{grade}");
    }
}

#[test]
fn a_channel_of_which_no_rule_tells_is_for_an_official() {
    let mut rules = rules();
    rules.channels.clear();
    let request = submission();
    let formal = formal(&request, &rules);
    assert!(!formal.decides());
    let examination = formal.complete(given(Availability::NotPlaced));
    assert_eq!(outcome_of(&examination, CheckRule::Channel), Outcome::Proposed);
}

#[test]
fn a_period_that_was_not_over_on_the_day_of_receipt_is_proposed_with_its_days() {
    for (first, last, outcome, field, told) in [
        ("2020-M02", None, Outcome::Passed, "", "was over on the day of receipt."),
        (
            "2020-M03",
            None,
            Outcome::Proposed,
            "items[0].period",
            "The last day of 2020-M03 is 2020-03-31.",
        ),
        (
            "2019-Q1",
            Some("2020-Q1"),
            Outcome::Proposed,
            "items[0].until_period",
            "The last day of 2020-Q1 is 2020-03-31.",
        ),
        (
            "2020-Q2",
            None,
            Outcome::Proposed,
            "items[0].period",
            "2020-Q2 has not begun; its first day is 2020-04-01.",
        ),
        (
            "2031",
            None,
            Outcome::Proposed,
            "items[0].period",
            "2031 has not begun; its first day is 2031-01-01.",
        ),
    ] {
        let mut request = submission();
        request.items[0].period = Some(first.parse().expect("a period"));
        request.items[0].until_period = last.map(|last| last.parse().expect("a period"));
        let examination = examine(&request, given(Availability::NotPlaced));
        let check = check_of(&examination, CheckRule::PeriodOver);
        assert_eq!((check.outcome, check.field.as_str()), (outcome, field), "{first}");
        assert!(check.text.en.ends_with(told), "{}", check.text.en);
        assert_eq!(examination.state, State::Registered);
    }
    let mut on_its_last_day = submission();
    on_its_last_day.received_at = "2019-12-31T23:00:00+06:00".parse().expect("an instant");
    let examination = examine(&on_its_last_day, given(Availability::NotPlaced));
    assert_eq!(outcome_of(&examination, CheckRule::PeriodOver), Outcome::Proposed);
}

#[test]
fn a_body_that_asks_again_is_not_told_the_law_of_applications() {
    let rules = rules();
    let mut request = submission();
    for (kind, received, expected) in [
        (
            RequesterKind::StateBody,
            "2020-03-02T10:00:00+06:00",
            "assumed: Instruction, para 7",
        ),
        (
            RequesterKind::StateBody,
            "2026-03-02T10:00:00+05:00",
            "assumed: Code 350-VI, art. 88",
        ),
        (
            RequesterKind::LegalEntity,
            "2026-03-02T10:00:00+05:00",
            "Code 350-VI, art. 88",
        ),
    ] {
        request.requester.kind = kind;
        request.received_at = received.parse().expect("an instant");
        let mut examination = examine(&submission(), given(Availability::NotPlaced));
        examination.checks.retain(|check| check.rule == CheckRule::Repeated);
        let found = examination.found(false, true, &request, &rules);
        let [(_, check)] = &found[..] else {
            panic!("one check, not {found:?}")
        };
        assert_eq!(check.legal_basis.notation(), expected);
        assert!(!check.text.en.contains("art."), "{}", check.text.en);
    }
}

#[test]
fn what_comes_after_another_is_proposed_and_nothing_else_of_it_changes() {
    let (request, rules) = (submission(), rules());
    let examination = examine(&request, given(Availability::NotPlaced));
    for (duplicate, repeats) in [(false, false), (true, false), (false, true), (true, true)] {
        let found = examination.found(duplicate, repeats, &request, &rules);
        let changed = examination.clone().with(&found);
        assert_eq!(
            (changed.state, &changed.deadline),
            (examination.state, &examination.deadline)
        );
        let outcome = |found| if found { Outcome::Proposed } else { Outcome::Passed };
        assert_eq!(outcome_of(&changed, CheckRule::LikelyDuplicate), outcome(duplicate));
        assert_eq!(outcome_of(&changed, CheckRule::Repeated), outcome(repeats));
        let others = |examination: &Examination| {
            let of = |check: &&Check| ![CheckRule::LikelyDuplicate, CheckRule::Repeated].contains(&check.rule);
            examination.checks.iter().filter(of).cloned().collect::<Vec<_>>()
        };
        assert_eq!(others(&changed), others(&examination));
    }
    // What is decided already is not compared with what was asked before.
    let mut oral = submission();
    (oral.channel, oral.signatory) = (Channel::Oral, None);
    let left = examine(&oral, given(Availability::NotPlaced));
    let rules_changed: Vec<_> = left
        .found(true, true, &oral, &rules)
        .into_iter()
        .map(|(_, check)| check.rule)
        .collect();
    assert_eq!(rules_changed, [CheckRule::LikelyDuplicate]);
}
