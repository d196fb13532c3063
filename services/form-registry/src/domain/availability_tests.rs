//! What the registers say about items of every sort.

use super::*;
use crate::domain::register;
use proptest::prelude::*;

fn look_up(form: &str, period: &str, until_period: &str, placed: &[&str]) -> Finding {
    let item = Item {
        form: form.into(),
        period: period.into(),
        until_period: until_period.into(),
        ..Item::default()
    };
    look_up_item(&item, placed, &[], &[])
}

fn look_up_item(item: &Item, placed: &[&str], entered: &[i32], matches: &[Match]) -> Finding {
    let registers = Registers {
        forms: &register::appendix_2().expect("the register is readable"),
        placed: &placed.iter().map(|name| name.parse().expect("a name")).collect(),
        entered: &entered.iter().copied().collect(),
    };
    find(item, registers, matches)
}

fn found(code: &str, likeness: i32, restricted: bool) -> Match {
    Match {
        number: 1,
        name: IndicatorName {
            form: 1,
            code: code.into(),
        },
        title: LocalizedText::default(),
        unit: "CRIME".into(),
        restricted,
        likeness,
    }
}

#[test]
fn where_indicators_are_entered_the_registers_can_tell() {
    let named = |code: &str| Item {
        period: "2025-M01".into(),
        indicator: Some(IndicatorName {
            form: 1,
            code: code.into(),
        }),
        ..Item::default()
    };
    let (open, restricted) = (found("crimes", 100, false), found("secret", 100, true));
    let placed = ["forms/1/editions/2025-M01"];
    let open_only = std::slice::from_ref(&open);
    for (item, entered, matches, availability) in [
        (named("crimes"), &[1][..], open_only, Availability::Placed),
        (
            named("secret"),
            &[1],
            std::slice::from_ref(&restricted),
            Availability::NotPlaced,
        ),
        (named("other"), &[1], &[], Availability::NotRegistered),
        (
            Item {
                period: "2025-M02".into(),
                ..named("crimes")
            },
            &[1],
            open_only,
            Availability::NotPlaced,
        ),
        (
            Item {
                period: "2025-M02".into(),
                ..named("other")
            },
            &[],
            &[],
            Availability::Undetermined,
        ),
        (
            Item {
                unit: "PERSON".into(),
                ..named("crimes")
            },
            &[1],
            open_only,
            Availability::Undetermined,
        ),
        (
            Item {
                form: "forms/5".into(),
                ..named("crimes")
            },
            &[1, 5],
            open_only,
            Availability::Undetermined,
        ),
    ] {
        let finding = look_up_item(&item, &placed, entered, matches);
        assert_eq!(
            finding.availability, availability,
            "{item:?} {entered:?}: {}",
            finding.text.en
        );
    }
}

#[test]
fn words_decide_only_where_they_mean_one_indicator() {
    let item = Item {
        period: "2025-M01".into(),
        words: "registered crimes".into(),
        ..Item::default()
    };
    let (exact, near, other) = (found("a", 100, false), found("b", 70, false), found("c", 70, false));
    assert_eq!(meant(&item, std::slice::from_ref(&near)), Some(&near));
    assert_eq!(meant(&item, &[exact.clone(), near.clone()]), Some(&exact));
    assert_eq!(meant(&item, &[near.clone(), other.clone()]), None);
    assert_eq!(meant(&item, &[exact.clone(), exact.clone()]), None);
    let finding = look_up_item(&item, &[], &[1], &[near, other]);
    assert_eq!(finding.availability, Availability::Undetermined);
    let finding = look_up_item(&item, &[], &[1], &[exact]);
    assert_eq!(finding.availability, Availability::NotPlaced);
}

#[test]
fn what_is_wholly_placed_is_openly_available() {
    let placed = ["forms/1/editions/2025-M01", "forms/1/editions/2025-M02"];
    let finding = look_up("forms/1", "2025-M01", "2025-M02", &placed);
    assert_eq!(finding.availability, Availability::Placed);
    assert_eq!(
        finding.editions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        placed
    );
    assert_eq!(finding.legal_basis.provision, "para 7");
}

#[test]
fn an_empty_register_of_indicators_is_not_a_no() {
    let finding = look_up("forms/1", "2025-M01", "2025-M02", &["forms/1/editions/2025-M02"]);
    assert_eq!(finding.availability, Availability::Undetermined);
    assert_eq!(finding.editions.len(), 1);
    assert!(finding.text.en.contains("1 of the 2 periods"), "{}", finding.text.en);
}

#[test]
fn what_the_registers_cannot_read_is_for_an_official() {
    for (form, period, until) in [
        ("", "2025-M01", ""),
        ("forms/1", "", ""),
        ("forms/1", "2019-Q5", ""),
        ("forms/1", "last spring", ""),
        ("forms/1", "2019-Q1", ""),
        ("forms/2", "2019-M01", ""),
        ("forms/1", "2019-M01", "2019-Q2"),
        ("forms/1", "2019-M05", "2019-M04"),
    ] {
        let finding = look_up(form, period, until, &[]);
        assert_eq!(
            finding.availability,
            Availability::Undetermined,
            "{form:?} {period:?} {until:?}"
        );
    }
}

#[test]
fn a_form_outside_the_register_is_told_so() {
    for form in ["forms/27", "forms/01", "1-M"] {
        assert_eq!(
            look_up(form, "2025-M01", "", &[]).availability,
            Availability::NotRegistered,
            "{form}"
        );
    }
}

#[test]
fn each_thing_that_the_registers_cannot_read_is_told_in_its_own_words() {
    for (form, period, until, told) in [
        ("", "2025-M01", "", "The item names no report form"),
        ("forms/1", "", "", "The item names no period"),
        ("forms/1", "2019-M13", "", "The reporting period named does not exist"),
        (
            "forms/1",
            "2019-Q1",
            "",
            "placed every month, and the period named is not a month",
        ),
        (
            "forms/2",
            "2019-M01",
            "",
            "placed every quarter, and the period named is not a quarter",
        ),
        (
            "forms/1",
            "2019-M01",
            "2019-Q2",
            "placed every month, and the period named is not a month",
        ),
        (
            "forms/1",
            "2019-M05",
            "2019-M04",
            "The last period comes before the first",
        ),
    ] {
        let finding = look_up(form, period, until, &[]);
        assert!(finding.text.en.contains(told), "{}", finding.text.en);
        assert!(
            finding.text.en.ends_with(": an official decides."),
            "{}",
            finding.text.en
        );
        assert!(!finding.text.kk.is_empty() && !finding.text.ru.is_empty());
        assert_eq!(
            (finding.editions.len(), finding.legal_basis.provision.as_str()),
            (0, "para 5")
        );
    }
    let unregistered = look_up("forms/27", "2025-M01", "", &[]);
    assert_eq!(
        unregistered.text.en,
        "The form named is not in the register of report forms."
    );
    assert_eq!(unregistered.legal_basis.provision, "para 5");
}

#[test]
fn one_period_is_asked_for_by_naming_it_once_or_twice() {
    let placed = ["forms/1/editions/2025-M01"];
    for until in ["", "2025-M01"] {
        let finding = look_up("forms/1", "2025-M01", until, &placed);
        assert_eq!(finding.availability, Availability::Placed, "{until:?}");
        let told = &finding.text.en;
        assert!(told.starts_with("Every period asked for is placed"), "{told}");
    }
    let other = look_up("forms/1", "2025-M02", "", &placed);
    assert_eq!(
        (other.availability, other.editions.len()),
        (Availability::Undetermined, 0)
    );
}

#[test]
fn an_item_names_the_editions_of_its_periods() {
    let item = |form: &str, period: &str, until: &str| Item {
        form: form.into(),
        period: period.into(),
        until_period: until.into(),
        ..Item::default()
    };
    let march: EditionKey = "forms/1/editions/2025-M03".parse().expect("a name");
    for (form, period, until, expected) in [
        ("forms/1", "2025-M03", "", true),
        ("forms/1", "2025-M01", "2025-M03", true),
        ("forms/1", "2025-M03", "2025-M12", true),
        ("forms/1", "2025-M01", "2025-M02", false),
        ("forms/2", "2025-M03", "", false),
        ("forms/1", "", "", false),
        ("", "2025-M03", "", false),
    ] {
        assert_eq!(
            names(&item(form, period, until), march),
            expected,
            "{form} {period} {until}"
        );
    }
}

proptest! {
    #[test]
    fn no_item_panics_and_every_finding_has_its_words(
        form in "(forms/)?[0-9]{0,3}", period in "[0-9]{0,4}-?[MQ]?[0-9]{0,2}", until in "([0-9]{4}-[MQ][0-9]{1,2})?",
    ) {
        let text = look_up(&form, &period, &until, &[]).text;
        prop_assert!(!text.kk.is_empty() && !text.ru.is_empty() && !text.en.is_empty());
    }
}
