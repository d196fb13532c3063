//! What the registers say about items of every sort.

use jiff::{Timestamp, civil::date};
use legalstat_kit::call::Done;
use proptest::prelude::*;

use super::*;
use crate::domain::{
    form::Form,
    history::{Kind, Recording},
    register,
};

fn look_up(form: &str, period: &str, until_period: &str, placed: &[&str]) -> Finding {
    let item = Item {
        form: form.into(),
        period: period.into(),
        until_period: until_period.into(),
        ..Item::default()
    };
    look_up_item(&item, placed, LookedUp::default())
}

fn look_up_item(item: &Item, placed: &[&str], looked_up: LookedUp<'_>) -> Finding {
    let placed: Vec<Open> = placed.iter().map(|name| open(name, false)).collect();
    look_up_in(&histories(), item, &placed, looked_up)
}

fn look_up_in(histories: &[History], item: &Item, open: &[Open], looked_up: LookedUp<'_>) -> Finding {
    let registers = Registers {
        histories,
        open: &open.iter().map(|open| (open.key, open.clone())).collect(),
        territories: &["75".to_owned()].into(),
    };
    find(item, registers, looked_up)
}

fn recording(form: Form, number: i32, kind: Kind) -> Recording {
    Recording {
        number,
        kind,
        form,
        reason: "an order".into(),
        recorded: Done {
            at: Timestamp::UNIX_EPOCH,
            by: "administrator".into(),
        },
    }
}

/// Every form of Appendix 2, as it is loaded.
fn histories() -> Vec<History> {
    let forms = register::appendix_2().expect("the register is readable").into_iter();
    let histories = forms.map(|form| History::new(vec![recording(form, 1, Kind::Loaded)]));
    histories.map(|history| history.expect("it has a recording")).collect()
}

fn open(name: &str, nil: bool) -> Open {
    Open {
        key: name.parse().expect("a name"),
        revision: 1,
        content_sha256: vec![7; 32],
        address: "https://example.kz".into(),
        nil,
    }
}

fn names_of(finding: &Finding) -> Vec<String> {
    finding.open.iter().map(|open| open.key.to_string()).collect()
}

fn found(code: &str, likeness: i32, restricted: bool) -> Match {
    Match {
        number: 1,
        name: Named::Indicator(IndicatorName {
            form: 1,
            code: code.into(),
        }),
        title: LocalizedText::default(),
        unit: "CRIME".into(),
        restricted,
        likeness,
        stood: true,
        days: vec![Validity {
            from: date(2020, 1, 1),
            to: None,
        }],
    }
}

fn indicator(code: &str) -> Option<Named> {
    Some(Named::Indicator(IndicatorName {
        form: 1,
        code: code.into(),
    }))
}

fn entered(matches: &[Match]) -> LookedUp<'_> {
    LookedUp {
        matches,
        entered: true,
        ..LookedUp::default()
    }
}

#[test]
fn where_indicators_are_entered_the_registers_can_tell() {
    let named = |code: &str| Item {
        period: "2025-M01".into(),
        named: indicator(code),
        ..Item::default()
    };
    let (open, restricted) = ([found("crimes", 100, false)], [found("secret", 100, true)]);
    let placed = ["forms/1/editions/2025-M01"];
    let february = |item: Item| Item {
        period: "2025-M02".into(),
        ..item
    };
    for (item, looked_up, availability) in [
        (named("crimes"), entered(&open), Availability::Placed),
        (named("secret"), entered(&restricted), Availability::NotPlaced),
        (named("other"), entered(&[]), Availability::NotRegistered),
        (february(named("crimes")), entered(&open), Availability::NotPlaced),
        (
            february(named("other")),
            LookedUp::default(),
            Availability::Undetermined,
        ),
        (
            Item {
                unit: "PERSON".into(),
                ..named("crimes")
            },
            entered(&open),
            Availability::Undetermined,
        ),
        (
            Item {
                form: "forms/5".into(),
                ..named("crimes")
            },
            entered(&open),
            Availability::Undetermined,
        ),
        (
            Item {
                territories: vec!["75".into(), "99".into()],
                ..named("crimes")
            },
            entered(&open),
            Availability::Undetermined,
        ),
    ] {
        let finding = look_up_item(&item, &placed, looked_up);
        assert_eq!(finding.availability, availability, "{item:?}: {}", finding.text.en);
    }
}

#[test]
fn a_detail_of_an_accounting_document_is_registered_and_stands_in_no_edition() {
    let name = DetailName {
        document: "card-1".into(),
        code: "article".into(),
    };
    let detail = |restricted, stood| Match {
        name: Named::Detail(name.clone()),
        restricted,
        stood,
        ..found("", 100, false)
    };
    let item = Item {
        period: "2025-M01".into(),
        named: Some(Named::Detail(name.clone())),
        ..Item::default()
    };
    let of_words = Item {
        named: None,
        words: "the article".into(),
        ..item.clone()
    };
    let (open, secret, past) = ([detail(false, true)], [detail(true, true)], [detail(false, false)]);
    for (item, looked_up, availability, told) in [
        (
            &item,
            entered(&open),
            Availability::NotPlaced,
            "a detail of an information accounting document",
        ),
        (
            &of_words,
            entered(&open),
            Availability::NotPlaced,
            "a detail of an information accounting document",
        ),
        (&item, entered(&secret), Availability::NotPlaced, "restricted access"),
        (
            &item,
            entered(&[]),
            Availability::NotRegistered,
            "none of those entered",
        ),
        (&item, entered(&past), Availability::NotRegistered, "was not in force"),
        (
            &item,
            LookedUp::default(),
            Availability::Undetermined,
            "not entered for that time",
        ),
    ] {
        let finding = look_up_item(item, &[], looked_up);
        assert_eq!(finding.availability, availability, "{}", finding.text.en);
        assert!(finding.text.en.contains(told), "{}", finding.text.en);
    }
}

#[test]
fn an_edition_declared_nil_answers_with_zero() {
    let item = |until: &str| Item {
        form: "forms/1".into(),
        period: "2025-M01".into(),
        until_period: until.into(),
        ..Item::default()
    };
    let editions = [
        open("forms/1/editions/2025-M01", true),
        open("forms/1/editions/2025-M02", false),
    ];
    let nil = look_up_in(&histories(), &item(""), &editions, LookedUp::default());
    assert_eq!((nil.availability, nil.open.len()), (Availability::Nil, 1));
    assert!(nil.text.en.ends_with("the answer for them is zero."), "{}", nil.text.en);
    let both = look_up_in(&histories(), &item("2025-M02"), &editions, LookedUp::default());
    assert_eq!(both.availability, Availability::Placed);
    assert!(both.text.en.contains("for 1 of the 2"), "{}", both.text.en);
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
    assert_eq!(meant(&item, &[found("weak", SURE - 1, true)]), None, "a weak match");
    for (next, is_meant) in [(99 - NEARER, true), (100 - NEARER, false)] {
        let among = [found("contained", 99, false), found("next", next, false)];
        assert_eq!(meant(&item, &among).is_some(), is_meant, "{next}");
    }
    let past = Match {
        stood: false,
        ..other.clone()
    };
    assert_eq!(meant(&item, &[near.clone(), past]), Some(&near));
    let finding = look_up_item(
        &item,
        &[],
        LookedUp {
            matches: &[near.clone(), other.clone()],
            entered: false,
            ..LookedUp::default()
        },
    );
    assert_eq!(finding.availability, Availability::Undetermined);
    let finding = look_up_item(
        &item,
        &[],
        LookedUp {
            matches: &[exact],
            entered: false,
            ..LookedUp::default()
        },
    );
    assert_eq!(finding.availability, Availability::NotPlaced);
    let of_form = Item {
        form: "forms/1".into(),
        ..item
    };
    let finding = look_up_item(&of_form, &["forms/1/editions/2025-M01"], entered(&[near, other]));
    assert_eq!(
        (finding.availability, finding.open.len()),
        (Availability::Undetermined, 1),
        "what is open is told"
    );
}

#[test]
fn a_weak_match_brings_no_restriction_upon_the_item() {
    let item = Item {
        form: "forms/1".into(),
        period: "2025-M01".into(),
        words: "a sentence about something else".into(),
        ..Item::default()
    };
    let weak = [found("secret", SURE - 1, true)];
    let finding = look_up_item(&item, &["forms/1/editions/2025-M01"], entered(&weak));
    assert_eq!(
        (finding.availability, finding.open.len()),
        (Availability::Undetermined, 1)
    );
}

#[test]
fn an_open_edition_without_the_figures_asked_for_does_not_hold_them() {
    let item = Item {
        period: "2025-M01".into(),
        until_period: "2025-M02".into(),
        named: indicator("crimes"),
        ..Item::default()
    };
    let placed = ["forms/1/editions/2025-M01", "forms/1/editions/2025-M02"];
    let (matches, lacking) = ([found("crimes", 100, false)], [placed[0].parse().expect("a name")]);
    let looked_up = LookedUp {
        lacking: &lacking,
        ..entered(&matches)
    };
    let finding = look_up_item(&item, &placed, looked_up);
    assert_eq!(finding.availability, Availability::NotPlaced);
    assert_eq!(names_of(&finding), placed[1..]);
}

#[test]
fn titles_are_sought_by_parts_of_a_text_that_are_about_as_long() {
    assert_eq!(phrases(" registered  crimes "), ["registered crimes"]);
    assert_eq!(phrases(""), [""; 0]);
    let told = phrases("a b c d e f g");
    let expected = ["a b c d e f g", "a b c d e f", "d e f g", "g", "a b", "c d", "e f", "g"];
    assert_eq!(told, expected);
}

#[test]
fn what_is_wholly_placed_is_openly_available() {
    let placed = ["forms/1/editions/2025-M01", "forms/1/editions/2025-M02"];
    let finding = look_up("forms/1", "2025-M01", "2025-M02", &placed);
    assert_eq!(finding.availability, Availability::Placed);
    assert_eq!(names_of(&finding), placed);
    assert_eq!(finding.legal_basis.provision, "para 7");
}

#[test]
fn an_empty_register_of_indicators_is_not_a_no() {
    let finding = look_up("forms/1", "2025-M01", "2025-M02", &["forms/1/editions/2025-M02"]);
    assert_eq!(finding.availability, Availability::Undetermined);
    assert_eq!(finding.open.len(), 1);
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
            (finding.open.len(), finding.legal_basis.provision.as_str()),
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
    assert_eq!((other.availability, other.open.len()), (Availability::Undetermined, 0));
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
            item(form, period, until).asks_for(march, &[]),
            expected,
            "{form} {period} {until}"
        );
    }
}

#[path = "availability_time_tests.rs"]
mod time;

proptest! {
    #[test]
    fn no_item_panics_and_every_finding_has_its_words(
        form in "(forms/)?[0-9]{0,3}", period in "[0-9]{0,4}-?[MQ]?[0-9]{0,2}", until in "([0-9]{4}-[MQ][0-9]{1,2})?",
    ) {
        let text = look_up(&form, &period, &until, &[]).text;
        prop_assert!(!text.kk.is_empty() && !text.ru.is_empty() && !text.en.is_empty());
    }
}
