//! Deadlines of obligations and terms, case by case.

use jiff::civil::{Date, date};
use legalstat_kit::law::LegalBasis;

use super::*;

fn effects(deadline: &Deadline) -> Vec<(Date, StepEffect)> {
    deadline.steps.iter().map(|step| (step.date, step.effect)).collect()
}

fn due(period: &str, due_day: i32, roll_forward: bool) -> Deadline {
    obligation_deadline(&CALENDAR, &obligation(period, due_day, roll_forward), true).expect("a literal obligation")
}

#[test]
fn the_collections_of_the_second_quarter_of_2019_were_due_on_a_monday_after_the_sunday() {
    let deadline = due("2019-Q2", 14, true);
    assert_eq!(deadline.due_date, date(2019, 7, 15));
    assert_eq!(deadline.due_time, instant("2019-07-15T18:00:00Z"));
    assert!(!deadline.provisional && deadline.assumed);
    use StepEffect::{Due, Rolled, Start};
    let expected = [
        (date(2019, 6, 30), Start),
        (date(2019, 7, 14), Rolled),
        (date(2019, 7, 15), Due),
    ];
    assert_eq!(effects(&deadline), expected);
    let sunday = &deadline.steps[1];
    assert_eq!(
        sunday.text.en,
        "Sunday, a day off of the five-day week; the time limit moves on to the next working day (Instruction, para 13)"
    );
    assert_eq!(sunday.legal_basis.citation(), "Labour Code, art. 84");
    assert!(
        deadline
            .steps
            .iter()
            .all(|step| !step.text.kk.is_empty() && !step.text.ru.is_empty())
    );
}

#[test]
fn form_1_for_december_2024_is_due_on_the_working_sunday_without_a_shift() {
    let deadline = due("2024-M12", 5, true);
    assert_eq!(deadline.due_date, date(2025, 1, 5));
    assert_eq!(
        effects(&deadline),
        [
            (date(2024, 12, 31), StepEffect::Start),
            (date(2025, 1, 5), StepEffect::Due)
        ]
    );
    let last = &deadline.steps[1];
    assert!(
        last.text
            .en
            .contains("working day: its day off was moved to 3 January 2025"),
        "{}",
        last.text.en
    );
    assert!(last.legal_basis.uri.ends_with("G24G0000436"));
}

#[test]
fn the_half_year_collection_rests_on_paragraph_13_and_is_not_assumed_while_the_instruction_was_in_force() {
    let deadline = due("2019-S1", 14, true);
    assert!(!deadline.assumed);
    assert_eq!(deadline.steps[1].effect, StepEffect::Rolled);
    assert!(
        due("2020", 14, true).assumed,
        "due in January 2021, after the Instruction lapsed"
    );
    assert!(due("2025-S1", 14, true).assumed);
    assert!(due("2018", 14, true).assumed, "due before the Instruction");
}

#[test]
fn a_law_the_caller_names_decides_whether_the_date_is_assumed() {
    let basis = |assumed| {
        let (act, provision) = ("Law X".to_owned(), "art. 1".to_owned());
        Some(std::sync::Arc::new(LegalBasis {
            act,
            provision,
            uri: String::new(),
            assumed,
        }))
    };
    for (due_assumed, roll_assumed, roll_forward, expected) in [
        (false, false, true, false),
        (true, false, true, true),
        (false, true, true, true),
        (false, true, false, false),
    ] {
        let mut duty = obligation("2025-M03", 8, roll_forward);
        (duty.legal_basis, duty.roll_forward_basis) = (basis(due_assumed), basis(roll_assumed));
        let deadline = obligation_deadline(&CALENDAR, &duty, false).expect("a literal obligation");
        assert_eq!(deadline.assumed, expected);
    }
}

#[test]
fn a_due_day_that_does_not_roll_stands_though_it_is_off_and_says_so() {
    let deadline = due("2019-Q2", 14, false);
    assert_eq!(deadline.due_date, date(2019, 7, 14));
    assert!(
        deadline.steps[1]
            .text
            .en
            .ends_with("though the day is off, the time limit does not move")
    );
}

#[test]
fn obligations_beyond_the_calendar_or_with_an_impossible_due_day_are_refused() {
    let of = |period, due_day| obligation_deadline(&CALENDAR, &obligation(period, due_day, true), true).map(|_| ());
    assert_eq!(of("2036-M12", 5), Err(CalendarError::YearOutOfRange { year: 2037 }));
    assert_eq!(of("2019-M03", 29), Err(CalendarError::DueDayOutOfRange { due_day: 29 }));
    assert_eq!(of("2019-M03", 0), Err(CalendarError::DueDayOutOfRange { due_day: 0 }));
    assert_eq!(of("2036-M11", 28), Ok(()));
    assert!(due("2027-M01", 5, true).provisional);
}

#[test]
fn duties_that_fall_on_days_the_law_moved_are_due_when_work_is_done() {
    for (period, due_day, expected) in [
        // 16 and 17 December 2017 are a weekend: 18 and 19 are off instead.
        ("2017-M11", 16, date(2017, 12, 20)),
        // The Saturday of Victory Day 2020 rolled to the Monday, which was worked instead of the Friday.
        ("2020-M04", 8, date(2020, 5, 11)),
        ("2020-M04", 9, date(2020, 5, 11)),
        // A worked Saturday, and a Saturday that is a holiday, with another one on the Monday.
        ("2022-M02", 5, date(2022, 3, 5)),
        ("2022-M04", 7, date(2022, 5, 11)),
        // The Friday is off and the Sunday after it is worked.
        ("2024-M12", 3, date(2025, 1, 5)),
    ] {
        assert_eq!(due(period, due_day, true).due_date, expected, "{period}");
    }
}

#[test]
fn a_duty_on_17_june_2024_moved_a_day_until_kurban_ait_was_moved_away() {
    for (known_on, expected) in [("2024-06-01", date(2024, 6, 18)), ("2024-06-08", date(2024, 6, 17))] {
        let calendar = as_known_on(known_on);
        let deadline = obligation_deadline(&calendar, &obligation("2024-M05", 17, true), false);
        assert_eq!(deadline.expect("a literal obligation").due_date, expected, "{known_on}");
    }
}

#[test]
fn a_state_body_that_asks_on_31_january_is_answered_by_the_last_of_february() {
    for (received, expected) in [
        ("2025-01-31T10:00:00+05:00", date(2025, 2, 28)),
        ("2024-01-31T10:00:00+06:00", date(2024, 2, 29)),
        ("2026-01-30T10:00:00+05:00", date(2026, 3, 2)),
    ] {
        let deadline = deadline_of("state-body", received);
        assert_eq!(deadline.due_date, expected, "{received}");
        assert!(deadline.assumed);
        assert_eq!(deadline.steps.first().map(|step| step.effect), Some(StepEffect::Start));
    }
}

#[test]
fn fifteen_working_days_across_new_year_skip_every_holiday() {
    let deadline = deadline_of("application-2021", "2024-12-25T10:00:00+05:00");
    // 26 27 30 31 December; 5 (working Sunday) 6 8 9 10 13 14 15 16 17 20 January.
    assert_eq!(deadline.due_date, date(2025, 1, 20));
    let counted = deadline
        .steps
        .iter()
        .filter(|step| step.effect == StepEffect::Counted)
        .count();
    assert_eq!(counted, 14);
    let off: Vec<_> = deadline
        .steps
        .iter()
        .filter(|step| step.effect == StepEffect::Skipped)
        .collect();
    let days: Vec<_> = off.iter().map(|step| (step.date.month(), step.date.day())).collect();
    let expected = [
        (12, 28),
        (12, 29),
        (1, 1),
        (1, 2),
        (1, 3),
        (1, 4),
        (1, 7),
        (1, 11),
        (1, 12),
        (1, 18),
        (1, 19),
    ];
    assert_eq!(days, expected);
    assert_eq!(deadline.steps.len(), 27);
    assert_eq!(deadline.registered_on, Some(date(2024, 12, 25)));
}

// The clocks went back from UTC+6 to UTC+5 at the midnight that ended 29 February 2024, at 18:00 UTC: 23:30 UTC is 04:30 of
// the next day on both evenings.
#[test]
fn half_past_eleven_utc_is_received_on_the_next_day_in_astana() {
    let leap = deadline_of("state-body", "2024-02-29T23:30:00Z");
    assert_eq!(leap.steps[0].date, date(2024, 3, 1));
    let last_second = deadline_of("state-body", "2024-02-29T18:59:59Z");
    assert_eq!(last_second.steps[0].date, date(2024, 2, 29));
    assert_eq!(
        (leap.registered_on, leap.due_date),
        (Some(date(2024, 3, 1)), date(2024, 4, 1))
    );
    let after = deadline_of("state-body", "2024-03-01T23:30:00Z");
    assert_eq!(after.steps[0].date, date(2024, 3, 2));
    assert_eq!(
        (after.registered_on, after.due_date),
        (Some(date(2024, 3, 4)), date(2024, 4, 4))
    );
}

#[test]
fn what_arrives_after_hours_is_registered_on_the_next_working_day_from_july_2021() {
    for (received, registered) in [
        ("2026-01-30T08:00:00+05:00", date(2026, 1, 30)),
        ("2026-01-30T18:29:59+05:00", date(2026, 1, 30)),
        ("2026-01-30T18:30:00+05:00", date(2026, 2, 2)),
        ("2026-01-31T12:00:00+05:00", date(2026, 2, 2)),
        ("2021-07-01T19:00:00+06:00", date(2021, 7, 2)),
        ("2021-07-02T19:00:00+06:00", date(2021, 7, 3)),
        ("2021-06-30T19:00:00+06:00", date(2021, 6, 30)),
        ("2021-06-27T12:00:00+06:00", date(2021, 6, 27)),
    ] {
        assert_eq!(
            deadline_of("state-body", received).registered_on,
            Some(registered),
            "{received}"
        );
    }
}

#[test]
fn a_late_arrival_shows_the_days_that_wait_for_registration() {
    let deadline = deadline_of("application-2026", "2026-01-30T19:00:00+05:00");
    use StepEffect::{Counted, Skipped, Start};
    let expected = [
        (date(2026, 1, 30), Start),
        (date(2026, 1, 31), Skipped),
        (date(2026, 2, 1), Skipped),
        (date(2026, 2, 2), Skipped),
        (date(2026, 2, 3), Counted),
    ];
    assert_eq!(effects(&deadline)[..5], expected);
    assert_eq!(deadline.due_date, date(2026, 2, 23));
    assert!(
        deadline.steps[0]
            .text
            .en
            .contains("after working hours; registered on 2 February 2026")
    );
    assert!(deadline.assumed, "the hours are assumed and decided it");
    assert!(!deadline_of("application-2026", "2026-01-30T10:00:00+05:00").assumed);
    assert!(
        deadline_of("application-2021", "2025-03-14T10:00:00+05:00").assumed,
        "the origin is assumed"
    );
}

#[test]
fn an_application_before_july_2021_has_fifteen_calendar_days_and_rolls() {
    let deadline = deadline_of("application-2007", "2019-06-29T10:00:00+06:00");
    use StepEffect::{Due, Rolled, Start};
    let expected = [
        (date(2019, 6, 29), Start),
        (date(2019, 7, 14), Rolled),
        (date(2019, 7, 15), Due),
    ];
    assert_eq!(effects(&deadline), expected);
}

#[test]
fn the_term_is_chosen_by_requester_and_day_of_receipt() {
    let chosen = |kind, received| {
        let question = TermQuestion::new(TermChoice::ForRequester(kind), instant(received));
        term_deadline(&CALENDAR, &question, WorkingHours::default(), false).map(|deadline| deadline.term)
    };
    use RequesterKind::{Individual, LegalEntity, ProsecutorBody, StateBody};
    for (kind, received, name) in [
        (Individual, "2016-01-01T00:00:00+06:00", "application-2007"),
        (LegalEntity, "2021-06-30T23:59:59+06:00", "application-2007"),
        (Individual, "2021-07-01T00:00:00+06:00", "application-2021"),
        (LegalEntity, "2025-12-31T23:59:59+05:00", "application-2021"),
        (Individual, "2026-01-01T00:00:00+05:00", "application-2026"),
        (StateBody, "2019-05-01T10:00:00+06:00", "state-body"),
        (ProsecutorBody, "2023-05-02T10:00:00+06:00", "state-body"),
    ] {
        assert_eq!(chosen(kind, received), Ok(Some(name.to_owned())), "{kind:?} {received}");
    }
    let early = chosen(Individual, "2015-12-31T23:59:59+06:00");
    assert!(matches!(early, Err(CalendarError::InstantBefore2016 { .. })));
    assert_eq!(
        chosen(StateBody, "2036-12-20T10:00:00+05:00"),
        Err(CalendarError::YearOutOfRange { year: 2037 })
    );
}

#[test]
fn a_named_term_is_refused_when_unknown_or_not_in_force() {
    let named = |name: &str, received| {
        let question = TermQuestion::new(TermChoice::Named(name.to_owned()), instant(received));
        term_deadline(&CALENDAR, &question, WorkingHours::default(), false).map(|_| ())
    };
    assert_eq!(named("prosecutor-2022", "2023-05-02T10:00:00+06:00"), Ok(()));
    let unknown = CalendarError::TermUnknown {
        name: "application".to_owned(),
    };
    assert_eq!(named("application", "2023-05-02T10:00:00+06:00"), Err(unknown));
    let lapsed = named("application-2021", "2026-05-04T10:00:00+05:00");
    assert!(matches!(lapsed, Err(CalendarError::TermNotInForce { .. })));
}

#[test]
fn lengths_of_time_end_where_their_unit_says() {
    let end = |from, length, unit| super::super::term::add_span(&CALENDAR, from, length, unit);
    assert_eq!(end(date(2019, 7, 12), 3, TermUnit::WorkingDay), Ok(date(2019, 7, 17)));
    assert_eq!(end(date(2019, 7, 12), 3, TermUnit::CalendarDay), Ok(date(2019, 7, 15)));
    assert_eq!(end(date(2025, 12, 31), 2, TermUnit::Month), Ok(date(2026, 2, 28)));
    assert_eq!(
        end(date(2025, 1, 1), 0, TermUnit::Month),
        Err(CalendarError::LengthOutOfRange { length: 0 })
    );
    let huge = CalendarError::LengthOutOfRange { length: u32::MAX };
    assert_eq!(end(date(2025, 1, 1), u32::MAX, TermUnit::WorkingDay), Err(huge));
    assert_eq!(
        end(LAST_DAY, 3660, TermUnit::Month),
        Err(CalendarError::YearOutOfRange { year: 2341 })
    );
}
