//! Which law each step cites, and what makes a deadline assumed.

use std::sync::Arc;

use jiff::civil::{Date, date};
use legalstat_kit::law::LegalBasis;

use super::*;

const ORDER_436: &str = "Order of the Minister of Labour No. 436 of 2024";
const HOLIDAYS_LAW: &str = "Law No. 267-II \"On holidays\", art. 5";
const WEEK: &str = "Labour Code, art. 84";
const WORKING_HOURS: &str = "Code 350-VI, art. 64(3)";

fn law(notation: &str) -> Arc<LegalBasis> {
    Arc::new(LegalBasis::parse(notation))
}

/// Date, effect and law of each step; an assumed law begins with `assumed: `.
fn cited(deadline: &Deadline) -> Vec<(Date, StepEffect, String)> {
    let steps = deadline.steps.iter();
    steps
        .map(|step| (step.date, step.effect, step.legal_basis.notation()))
        .collect()
}

/// The due date and the law that its step cites.
fn due(deadline: &Deadline) -> (Date, String) {
    let step = deadline.steps.last().expect("an explained deadline");
    assert_eq!((step.effect, step.date), (StepEffect::Due, deadline.due_date));
    (step.date, step.legal_basis.notation())
}

fn duty(period: &str, due_day: i32, roll_forward: bool) -> Obligation {
    Obligation {
        legal_basis: Some(law("Duty, art. 1")),
        roll_forward_basis: Some(law("Roll, art. 2")),
        ..obligation(period, due_day, roll_forward)
    }
}

fn of_duty(calendar: &Calendar, duty: &Obligation) -> Deadline {
    obligation_deadline(calendar, duty, true).expect("a literal obligation")
}

/// The calendar in which every part of every term rests on a law of its own that is known, changed.
fn calendar_of(change: impl Fn(&mut Term)) -> Calendar {
    calendar_from(RULES.clone(), change)
}

fn calendar_from(mut rules: RuleSet, change: impl Fn(&mut Term)) -> Calendar {
    for term in &mut rules.terms {
        (term.base.legal_basis, term.base.assumed_before) = (law("Base, art. 1"), None);
        (term.origin_basis, term.roll_forward_basis) = (law("Origin, art. 2"), law("Roll, art. 3"));
        change(term);
    }
    Calendar::new(&rules, instant("2027-06-01T00:00:00Z")).expect("a calendar")
}

/// The rules in which it is assumed that 5 January 2025 is worked instead of 3 January.
fn assumed_transfer() -> RuleSet {
    let mut rules = RULES.clone();
    let january = |rule: &&mut TransferRule| rule.day_off == date(2025, 1, 3);
    let transfer = rules.transfers.iter_mut().find(january).expect("it is embedded");
    let basis = LegalBasis::clone(&transfer.source.legal_basis);
    transfer.source.legal_basis = Arc::new(basis.assumed());
    rules
}

fn of_term(calendar: &Calendar, term: &str, received_at: &str, hours_assumed: bool) -> Deadline {
    let question = TermQuestion::new(TermChoice::Named(term.to_owned()), instant(received_at));
    let hours = WorkingHours {
        assumed: hours_assumed,
        ..WorkingHours::default()
    };
    term_deadline(calendar, &question, hours, true).expect("a literal request")
}

#[test]
fn the_due_day_of_a_duty_cites_the_law_of_the_roll_when_it_rolled_and_that_of_the_duty_when_not() {
    for (period, due_day, roll_forward, due_date, cites) in [
        ("2019-Q2", 14, true, date(2019, 7, 15), "Roll, art. 2"),
        ("2019-Q2", 14, false, date(2019, 7, 14), "Duty, art. 1"),
        ("2019-Q2", 15, true, date(2019, 7, 15), "Duty, art. 1"),
        ("2019-Q2", 15, false, date(2019, 7, 15), "Duty, art. 1"),
        ("2024-M12", 3, true, date(2025, 1, 5), ORDER_436),
        ("2024-M12", 5, true, date(2025, 1, 5), ORDER_436),
    ] {
        let deadline = of_duty(&CALENDAR, &duty(period, due_day, roll_forward));
        let told = (period, due_day, roll_forward);
        assert_eq!(due(&deadline), (due_date, cites.to_owned()), "{told:?}");
        assert_eq!(deadline.steps[0].legal_basis.notation(), "Duty, art. 1", "{told:?}");
        let rolled = &deadline.steps[1..deadline.steps.len() - 1];
        assert!(
            rolled.iter().all(|step| step.text.en.ends_with("(Roll, art. 2)")),
            "{rolled:?}"
        );
    }
}

#[test]
fn the_due_day_says_whether_it_is_off_or_worked_by_an_act_and_nothing_of_any_other_day() {
    for (period, due_day, roll_forward, more) in [
        ("2019-Q2", 14, true, ""),
        ("2019-Q2", 15, false, ""),
        (
            "2019-Q2",
            14,
            false,
            "; Sunday, a day off of the five-day week; though the day is off, the time limit does not move",
        ),
        (
            "2024-M12",
            3,
            true,
            "; working day: its day off was moved to 3 January 2025",
        ),
    ] {
        let deadline = of_duty(&CALENDAR, &duty(period, due_day, roll_forward));
        let last = deadline.steps.last().expect("an explained deadline");
        assert_eq!(last.text.en, format!("the last day of the time limit{more}"));
    }
}

#[test]
fn a_duty_that_names_no_law_cites_the_paragraph_on_periods_of_its_kind() {
    let (known, assumed) = ("Instruction, para 13", "assumed: Instruction, para 13");
    for (period, day_off, cites, when_rolled) in [
        ("2019-M05", 8, "Instruction, para 14, Appendix 2", assumed),
        ("2019-Q2", 14, "Instruction, paras 12 and 14", assumed),
        ("2019-S1", 14, known, known),
        ("2019-S2", 12, "assumed: Instruction, paras 12 to 14", assumed),
        ("2019", 12, known, known),
    ] {
        let of = |due_day, rolls| due(&of_duty(&CALENDAR, &obligation(period, due_day, rolls))).1;
        assert_eq!(of(day_off, true), when_rolled, "{period}");
        assert_eq!(of(day_off, false), cites, "{period}");
        assert_eq!(of(day_off + 2, true), cites, "{period}");
        let start = of_duty(&CALENDAR, &obligation(period, day_off, true));
        assert_eq!(start.steps[0].legal_basis.notation(), cites, "{period}");
    }
}

#[test]
fn an_act_that_has_lapsed_is_known_by_its_name_or_by_where_it_is_read() {
    let uri = law("Instruction, para 13").uri.clone();
    for (act, uri, lapsed) in [
        ("Instruction", uri.as_str(), true),
        ("Instruction", "", true),
        ("Order No. 25", uri.as_str(), true),
        ("Order No. 25", "", false),
    ] {
        let (act, uri, provision) = (act.to_owned(), uri.to_owned(), "para 13".to_owned());
        let basis = Arc::new(LegalBasis::of_row(act, provision, uri, false));
        for (period, assumed) in [("2019-S1", false), ("2025-S1", lapsed)] {
            let duty = Obligation {
                legal_basis: Some(Arc::clone(&basis)),
                ..obligation(period, 15, false)
            };
            let deadline = of_duty(&CALENDAR, &duty);
            assert_eq!(deadline.assumed, assumed, "{basis:?} {period}");
            assert!(
                deadline.steps.iter().all(|step| step.legal_basis.assumed == assumed),
                "{period}"
            );
            let start = &deadline.steps[0];
            assert_eq!(start.text.en, format!("last day of the reporting period {period}"));
            assert!(start.text.kk.contains(period) && start.text.ru.contains(period));
        }
    }
}

#[test]
fn a_duty_is_assumed_if_its_act_lapsed_between_the_day_that_it_names_and_the_due_date() {
    for (due_day, due_date, assumed) in [(6, date(2021, 1, 6), false), (7, date(2021, 1, 8), true)] {
        let deadline = of_duty(&CALENDAR, &obligation("2020", due_day, true));
        assert_eq!((deadline.due_date, deadline.assumed), (due_date, assumed));
        assert_eq!(due(&deadline).1, "Instruction, para 13", "it was in force on 7 January");
    }
}

#[test]
fn a_duty_is_assumed_if_a_day_that_its_roll_looked_at_is() {
    let calendar = calendar_from(assumed_transfer(), |_| {});
    for (due_day, roll_forward, assumed) in [
        (2, true, true),
        (3, true, true),
        (5, true, true),
        (3, false, false),
        (6, true, false),
    ] {
        let deadline = of_duty(&calendar, &duty("2024-M12", due_day, roll_forward));
        assert_eq!(deadline.assumed, assumed, "{due_day} {roll_forward}");
        assert!(!of_duty(&CALENDAR, &duty("2024-M12", due_day, roll_forward)).assumed);
    }
}

#[test]
fn the_due_day_of_a_term_cites_the_law_of_the_roll_when_it_rolled_and_that_of_its_length_when_not() {
    let rolling = calendar_of(|term| term.roll_forward = true);
    let staying = calendar_of(|term| term.roll_forward = false);
    for (calendar, term, received_at, due_date, cites) in [
        (
            &rolling,
            "state-body",
            "2026-01-30T10:00:00+05:00",
            date(2026, 3, 2),
            "Roll, art. 3",
        ),
        (
            &staying,
            "state-body",
            "2026-01-30T10:00:00+05:00",
            date(2026, 2, 28),
            "Base, art. 1",
        ),
        (
            &rolling,
            "state-body",
            "2025-03-14T10:00:00+05:00",
            date(2025, 4, 14),
            "Base, art. 1",
        ),
        (
            &rolling,
            "application-2007",
            "2019-06-29T10:00:00+06:00",
            date(2019, 7, 15),
            "Roll, art. 3",
        ),
        (
            &staying,
            "application-2007",
            "2019-06-29T10:00:00+06:00",
            date(2019, 7, 14),
            "Base, art. 1",
        ),
        (
            &rolling,
            "application-2026",
            "2026-01-30T10:00:00+05:00",
            date(2026, 2, 20),
            "Base, art. 1",
        ),
        (
            &rolling,
            "application-2021",
            "2024-12-10T10:00:00+05:00",
            date(2025, 1, 5),
            ORDER_436,
        ),
        (
            &rolling,
            "state-body",
            "2024-12-03T10:00:00+05:00",
            date(2025, 1, 5),
            ORDER_436,
        ),
    ] {
        let deadline = of_term(calendar, term, received_at, false);
        assert_eq!(due(&deadline), (due_date, cites.to_owned()), "{term} {received_at}");
        let start = &deadline.steps[0];
        assert_eq!(
            (start.effect, start.legal_basis.notation().as_str()),
            (StepEffect::Start, "Base, art. 1")
        );
    }
}

#[test]
fn a_day_that_counts_cites_the_term_or_the_act_that_makes_it_worked_and_one_that_does_not_its_own_law() {
    let deadline = of_term(
        &calendar_of(|_| {}),
        "application-2021",
        "2024-12-25T10:00:00+05:00",
        false,
    );
    let steps = cited(&deadline);
    use StepEffect::{Counted, Skipped};
    for (day, effect, cites) in [
        (date(2024, 12, 26), Counted, "Base, art. 1"),
        (date(2024, 12, 28), Skipped, WEEK),
        (date(2025, 1, 1), Skipped, HOLIDAYS_LAW),
        (date(2025, 1, 3), Skipped, ORDER_436),
        (date(2025, 1, 5), Counted, ORDER_436),
        (date(2025, 1, 6), Counted, "Base, art. 1"),
        (date(2025, 1, 7), Skipped, "Labour Code, art. 84(5)"),
    ] {
        assert!(steps.contains(&(day, effect, cites.to_owned())), "{day}: {steps:?}");
    }
    let text = |day| {
        let step = deadline.steps.iter().find(|step| step.date == day);
        step.map(|step| step.text.en.as_str()).expect("every day is told")
    };
    assert_eq!(text(date(2024, 12, 26)), "a working day that counts");
    let worked = "working day: its day off was moved to 3 January 2025; a working day that counts";
    assert_eq!(text(date(2025, 1, 5)), worked);
    assert_eq!(
        text(date(2024, 12, 28)),
        "Saturday, a day off of the five-day week; the day does not count"
    );
}

#[test]
fn a_late_registration_is_told_for_the_day_of_receipt_each_day_that_waits_and_the_day_of_registration() {
    let deadline = of_term(
        &calendar_of(|_| {}),
        "application-2026",
        "2026-01-30T19:00:00+05:00",
        false,
    );
    use StepEffect::{Counted, Skipped, Start};
    let expected = [
        (date(2026, 1, 30), Start, WORKING_HOURS),
        (date(2026, 1, 31), Skipped, WEEK),
        (date(2026, 2, 1), Skipped, WEEK),
        (date(2026, 2, 2), Skipped, WORKING_HOURS),
        (date(2026, 2, 3), Counted, "Base, art. 1"),
    ];
    let steps = cited(&deadline);
    assert_eq!(
        steps[..5],
        expected.map(|(day, effect, law)| (day, effect, law.to_owned()))
    );
    let texts: Vec<_> = deadline.steps.iter().map(|step| step.text.en.as_str()).collect();
    let expected = [
        "the request was received after working hours; registered on 2 February 2026 (Code 350-VI, art. 64(3))",
        "Saturday, a day off of the five-day week; the request is not registered yet, the day does not count",
        "Sunday, a day off of the five-day week; the request is not registered yet, the day does not count",
        "the day of registration; the time counts from the next one",
        "a working day that counts",
    ];
    assert_eq!(texts[..5], expected);
}

#[test]
fn a_term_that_counts_from_receipt_says_so_when_the_registration_is_later() {
    let calendar = calendar_of(|_| {});
    for (term, received_at, says_so) in [
        ("application-2021", "2025-03-14T19:00:00+05:00", true),
        ("application-2021", "2025-03-15T10:00:00+05:00", true),
        ("application-2021", "2025-03-14T10:00:00+05:00", false),
        ("state-body", "2025-03-14T19:00:00+05:00", false),
    ] {
        let deadline = of_term(&calendar, term, received_at, false);
        let start = &deadline.steps[0].text.en;
        let clause = "(Code 350-VI, art. 64(3)); the time counts from the day after receipt";
        assert_eq!(start.ends_with(clause), says_so, "{received_at}: {start}");
        let waits = deadline
            .steps
            .iter()
            .any(|step| step.text.en.contains("not registered yet"));
        assert_eq!(waits, term == "state-body", "{received_at}");
    }
}

#[test]
fn a_terms_own_law_is_assumed_for_what_was_received_before_the_day_from_which_it_is_known() {
    for (known_from, assumed) in [
        (date(2025, 3, 15), true),
        (date(2025, 3, 14), false),
        (date(2025, 3, 13), false),
    ] {
        let calendar = calendar_of(|term| term.base.assumed_before = Some(known_from));
        let deadline = of_term(&calendar, "state-body", "2025-03-14T10:00:00+05:00", false);
        let notation = if assumed {
            "assumed: Base, art. 1"
        } else {
            "Base, art. 1"
        };
        assert_eq!(deadline.assumed, assumed, "{known_from}");
        let steps = cited(&deadline);
        let expected = [
            (date(2025, 3, 14), StepEffect::Start),
            (date(2025, 4, 14), StepEffect::Due),
        ];
        assert_eq!(steps, expected.map(|(day, effect)| (day, effect, notation.to_owned())));
    }
    // Received on a Friday evening, registered on Monday 17 March: the receipt decides.
    for (known_from, assumed) in [(date(2025, 3, 17), true), (date(2025, 3, 14), false)] {
        let calendar = calendar_of(|term| term.base.assumed_before = Some(known_from));
        let deadline = of_term(&calendar, "state-body", "2025-03-14T19:00:00+05:00", false);
        let last = deadline.steps.last().expect("an explained deadline");
        let told = (deadline.registered_on, deadline.assumed, last.legal_basis.assumed);
        assert_eq!(told, (Some(date(2025, 3, 17)), assumed, assumed), "{known_from}");
    }
}

#[test]
fn a_term_is_assumed_by_any_one_of_the_rules_that_decide_it_and_by_no_other() {
    let none = calendar_of(|_| {});
    let base = calendar_of(|term| term.base.legal_basis = law("assumed: Base, art. 1"));
    let origin = calendar_of(|term| term.origin_basis = law("assumed: Origin, art. 2"));
    let roll = calendar_of(|term| term.roll_forward_basis = law("assumed: Roll, art. 3"));
    let days = calendar_from(assumed_transfer(), |_| {});
    let (rolls, stays) = ("2026-01-30T10:00:00+05:00", "2025-03-14T10:00:00+05:00");
    let late = "2025-03-14T19:00:00+05:00";
    for (calendar, term, received_at, hours_assumed, assumed) in [
        (&none, "state-body", rolls, true, false),
        (&none, "state-body", stays, true, false),
        (&base, "state-body", stays, false, true),
        (&origin, "state-body", stays, false, true),
        (&roll, "state-body", rolls, false, true),
        (&roll, "state-body", stays, false, false),
        // The hours decide only what is registered after them, and only where the registration decides.
        (&none, "state-body", late, true, true),
        (&none, "state-body", late, false, false),
        (&none, "application-2021", late, true, false),
        // A term in working days passes 3 January, a month only if it ends there or is registered on it.
        (&days, "application-2021", "2024-12-25T10:00:00+05:00", false, true),
        (&none, "application-2021", "2024-12-25T10:00:00+05:00", false, false),
        (&days, "state-body", "2024-12-25T10:00:00+05:00", false, false),
        (&days, "state-body", "2024-12-03T10:00:00+05:00", false, true),
        (&days, "state-body", "2025-01-03T10:00:00+05:00", false, true),
        (&none, "state-body", "2025-01-03T10:00:00+05:00", false, false),
        (&days, "state-body", "2025-01-06T10:00:00+05:00", false, false),
    ] {
        let deadline = of_term(calendar, term, received_at, hours_assumed);
        assert_eq!(deadline.assumed, assumed, "{term} {received_at} {hours_assumed}");
    }
}

#[test]
fn a_day_off_says_that_its_date_is_expected_until_it_is_announced() {
    let (expected, announced) = (("(болжамды күн)", "(ожидаемая дата)", "(expected date)"), ("", "", ""));
    for (day, (kk, ru, en)) in [
        (date(2025, 6, 6), announced),
        (date(2026, 5, 27), announced),
        (date(2027, 5, 16), expected),
    ] {
        let reason = CALENDAR.day(day).expect("a day").last_reason();
        let told = |text: &str, mark: &str| format!("{text} {mark}").trim_end().to_owned();
        assert_eq!(reason.text.kk, told("демалыс күні: Құрбан айттың бірінші күні", kk));
        assert_eq!(reason.text.ru, told("выходной день: Первый день Курбан-айта", ru));
        assert_eq!(reason.text.en, told("day off: First day of Kurban Ait", en));
        assert_eq!(
            reason.text_of_skipped.en,
            format!("{}; the day does not count", reason.text.en)
        );
    }
    let christmas = CALENDAR.day(date(2027, 1, 7)).expect("a day").last_reason();
    assert_eq!(
        christmas.text.en, "day off: Orthodox Christmas",
        "its date is the same every year"
    );
}
