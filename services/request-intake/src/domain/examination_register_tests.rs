//! What the registers say makes of a request.

use super::*;

#[test]
fn what_needs_judgement_is_proposed_and_the_request_is_registered_all_the_same() {
    for (availability, within, openly) in [
        (Availability::Placed, Outcome::Passed, Outcome::Proposed),
        (Availability::Nil, Outcome::Passed, Outcome::Proposed),
        (Availability::NotPlaced, Outcome::Passed, Outcome::Passed),
        (Availability::Restricted, Outcome::Proposed, Outcome::Passed),
        (Availability::Undetermined, Outcome::Undetermined, Outcome::Undetermined),
        (Availability::NotRegistered, Outcome::Proposed, Outcome::Undetermined),
    ] {
        let examination = examine(&submission(), given(availability));
        assert_eq!(examination.state, State::Registered, "{availability:?}");
        assert_eq!(
            outcome_of(&examination, CheckRule::WithinIndicators),
            within,
            "{availability:?}"
        );
        assert_eq!(
            outcome_of(&examination, CheckRule::NotOpenlyAvailable),
            openly,
            "{availability:?}"
        );
    }
}

#[test]
fn a_proposal_names_the_editions_that_show_it() {
    let examination = examine(&submission(), given(Availability::Placed));
    let check = examination
        .checks
        .iter()
        .find(|check| check.outcome == Outcome::Proposed)
        .expect("one is proposed");
    assert_eq!(
        (check.field.as_str(), check.legal_basis.provision.as_str()),
        ("items[0]", "para 7")
    );
    assert!(check.text.en.contains("forms/1/editions/2025-M10"), "{}", check.text.en);
    let [open] = check.open.as_slice() else {
        panic!("{:?}", check.open)
    };
    assert_eq!((open.name.as_str(), open.figures), ("forms/1/editions/2025-M10", 12));
    let without = examine(&submission(), given(Availability::NotPlaced));
    assert!(without.checks.iter().all(|check| check.open.is_empty()));
}

#[test]
fn no_more_editions_are_shown_than_the_months_of_ten_years() {
    let mut evidence = given(Availability::Placed);
    let Answer::Given(findings) = &mut evidence.findings else {
        panic!("it is given")
    };
    findings[0].open = vec![findings[0].open[0].clone(); 200];
    let examination = examine(&submission(), evidence);
    let shown = examination.checks.iter().map(|check| check.open.len()).max();
    assert_eq!(shown, Some(120));
}

#[test]
fn what_is_restricted_is_proposed_with_its_law_and_what_it_was_matched_with() {
    let mut evidence = given(Availability::Restricted);
    let Answer::Given(findings) = &mut evidence.findings else {
        panic!("it is given")
    };
    findings[0].matched = Matched::One("forms/1/indicators/secrets".into());
    let examination = examine(&submission(), evidence);
    let mut checks = examination.checks.iter();
    let check = checks
        .find(|check| check.outcome == Outcome::Proposed)
        .expect("one is proposed");
    assert_eq!(
        (check.rule, check.legal_basis.provision.as_str()),
        (CheckRule::WithinIndicators, "para 2(10)")
    );
    assert!(
        check.text.en.ends_with("Matched: forms/1/indicators/secrets."),
        "{}",
        check.text.en
    );
}

#[test]
fn a_detail_is_within_what_is_registered_though_no_form_holds_it() {
    for (name, told) in [
        (
            "accountingDocuments/card-1/details/article",
            "The information is a registered detail of an information accounting document.",
        ),
        ("forms/1/indicators/crimes", "A registered form holds the information."),
    ] {
        let mut evidence = given(Availability::NotPlaced);
        let Answer::Given(findings) = &mut evidence.findings else {
            panic!("it is given")
        };
        findings[0].matched = Matched::One(name.into());
        let examination = examine(&submission(), evidence);
        let mut checks = examination.checks.iter();
        let check = checks.find(|check| check.rule == CheckRule::WithinIndicators);
        let check = check.expect("it is made");
        assert_eq!(check.outcome, Outcome::Passed);
        assert_eq!(check.text.en, format!("{told} Matched: {name}."));
    }
}
