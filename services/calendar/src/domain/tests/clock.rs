//! Deadlines whose registration is settled, and deadlines whose clock was stopped.

use std::{collections::BTreeSet, sync::LazyLock};

use jiff::{
    ToSpan,
    civil::{Date, date},
};
use legalstat_kit::zone::{beginning, civil_day};
use proptest::prelude::*;

use super::{properties::*, *};

/// The calendar in which the clock of every term may be stopped, by law or by assumption.
fn stoppable(grade: Grade) -> Calendar {
    let mut rules = RULES.clone();
    let code = RULES.act("code-350-vi").expect("the Code is embedded");
    for term in &mut rules.terms {
        term.suspension = Some(code.cite("art. 70", grade));
    }
    Calendar::new(&rules, instant("2027-06-01T00:00:00Z")).expect("a calendar")
}

static STOPPABLE: LazyLock<Calendar> = LazyLock::new(|| stoppable(Grade::A));

fn question(term: &str, received_at: &str) -> TermQuestion {
    TermQuestion::new(TermChoice::Named(term.to_owned()), instant(received_at))
}

fn suspended(term: &str, received_at: &str, suspensions: &[(&str, &str)]) -> TermQuestion {
    let suspensions = suspensions.iter().map(|(stopped_at, restarted_at)| Suspension {
        stopped_at: instant(stopped_at),
        restarted_at: instant(restarted_at),
    });
    TermQuestion {
        suspensions: suspensions.collect(),
        ..question(term, received_at)
    }
}

fn answer(calendar: &Calendar, question: &TermQuestion) -> Deadline {
    term_deadline(calendar, question, WorkingHours::default(), true).expect("a request within the calendar")
}

fn effects(deadline: &Deadline) -> Vec<(Date, StepEffect)> {
    deadline.steps.iter().map(|step| (step.date, step.effect)).collect()
}

#[test]
fn a_term_counts_from_the_day_of_registration_that_is_settled() {
    let settled = |received_at, registered_on| {
        let question = TermQuestion {
            registered_on: Some(registered_on),
            ..question("application-2026", received_at)
        };
        answer(&CALENDAR, &question)
    };
    let late = settled("2026-01-30T19:00:00+05:00", date(2026, 2, 3));
    assert_eq!(
        (late.registered_on, late.due_date),
        (Some(date(2026, 2, 3)), date(2026, 2, 24))
    );
    let text = &late.steps[0].text.en;
    assert!(
        text.contains("after working hours; registered on 3 February 2026"),
        "{text}"
    );
    assert_eq!(
        late.steps[4].text.en,
        "the day of registration; the time counts from the next one"
    );
    assert!(late.assumed, "the hours are assumed and decided it");

    let within_hours = settled("2026-01-30T10:00:00+05:00", date(2026, 2, 3));
    assert_eq!(within_hours.due_date, late.due_date);
    let text = &within_hours.steps[0].text.en;
    assert!(
        text.contains("received on this day; registered on 3 February 2026"),
        "no cause is made up: {text}"
    );
    assert!(!within_hours.assumed, "no hours decided it");

    let saturday = settled("2026-01-31T10:00:00+05:00", date(2026, 2, 3));
    assert!(
        saturday.steps[0]
            .text
            .en
            .contains("on a day off; registered on 3 February 2026")
    );
    assert!(!saturday.assumed);
    let at_once = settled("2026-01-31T10:00:00+05:00", date(2026, 1, 31));
    assert_eq!(
        (at_once.registered_on, at_once.due_date),
        (Some(date(2026, 1, 31)), date(2026, 2, 20))
    );
    assert!(at_once.steps[0].text.en.contains("received and registered on this day"));
}

#[test]
fn a_registration_settled_when_requests_were_registered_on_receipt_is_assumed_if_it_is_later() {
    let settled = |registered_on| {
        let question = TermQuestion {
            registered_on: Some(registered_on),
            ..question("state-body", "2019-06-26T10:00:00+06:00")
        };
        let deadline = answer(&CALENDAR, &question);
        (
            deadline.due_date,
            deadline.steps[0].legal_basis.citation(),
            deadline.steps[0].legal_basis.assumed,
        )
    };
    let later = (date(2019, 7, 29), "Law 221, art. 7".to_owned(), true);
    assert_eq!(settled(date(2019, 6, 27)), later);
    assert_eq!(settled(date(2019, 6, 26)).0, date(2019, 7, 26));
}

#[test]
fn a_registration_before_the_receipt_or_beyond_the_calendar_is_refused() {
    let settled = |registered_on| {
        let question = TermQuestion {
            registered_on: Some(registered_on),
            ..question("state-body", "2024-02-29T23:30:00Z")
        };
        term_deadline(&CALENDAR, &question, WorkingHours::default(), false).map(|deadline| deadline.due_date)
    };
    let (registered_on, received_on) = (date(2024, 2, 29), date(2024, 3, 1));
    let before = CalendarError::RegisteredBeforeReceipt {
        registered_on,
        received_on,
    };
    assert_eq!(settled(registered_on), Err(before));
    assert_eq!(settled(received_on), Ok(date(2024, 4, 1)));
    let beyond = CalendarError::YearOutOfRange { year: 2037 };
    assert_eq!(settled(date(2037, 1, 1)), Err(beyond));
}

#[test]
fn a_clock_that_no_law_lets_stop_is_not_stopped() {
    let stop = [("2025-03-17T10:00:00+05:00", "2025-03-18T10:00:00+05:00")];
    let question = suspended("application-2021", "2025-03-14T10:00:00+05:00", &stop);
    let refused = term_deadline(&CALENDAR, &question, WorkingHours::default(), true).map(|_| ());
    let term = "application-2021".to_owned();
    assert_eq!(refused, Err(CalendarError::SuspensionNotAllowed { term }));
}

#[test]
fn the_days_of_a_suspension_from_stop_to_restart_do_not_count_in_working_days() {
    // Stopped on a Friday evening, restarted on a Monday morning; the second stop falls on a day that stands still already.
    let stops = [
        ("2026-02-06T18:00:00+05:00", "2026-02-09T09:00:00+05:00"),
        ("2026-02-09T10:00:00+05:00", "2026-02-09T11:00:00+05:00"),
    ];
    let question = suspended("application-2026", "2026-01-30T10:00:00+05:00", &stops);
    let deadline = answer(&STOPPABLE, &question);
    let running = answer(&STOPPABLE, &question_without_stops(&question));
    assert_eq!(
        (running.due_date, deadline.due_date),
        (date(2026, 2, 20), date(2026, 2, 24))
    );
    use StepEffect::{Counted, Suspended};
    let around = &effects(&deadline)[6..12];
    let expected = [
        (date(2026, 2, 5), Counted),
        (date(2026, 2, 6), Suspended),
        (date(2026, 2, 7), Suspended),
        (date(2026, 2, 8), Suspended),
        (date(2026, 2, 9), Suspended),
        (date(2026, 2, 10), Counted),
    ];
    assert_eq!(around, expected);
    let step = &deadline.steps[7];
    assert_eq!(step.text.en, "the clock stands still, the day does not count");
    assert_eq!(step.legal_basis.citation(), "Code 350-VI, art. 70");
}

fn question_without_stops(question: &TermQuestion) -> TermQuestion {
    TermQuestion::new(question.choice.clone(), question.received_at)
}

#[test]
fn a_month_ends_later_by_as_many_days_as_stand_still_before_its_end() {
    let received_at = "2026-01-30T10:00:00+05:00";
    let three_days = ("2026-02-10T10:00:00+05:00", "2026-02-12T10:00:00+05:00");
    let at_the_end = ("2026-03-02T10:00:00+05:00", "2026-03-03T10:00:00+05:00");
    let first_two = ("2026-02-10T10:00:00+05:00", "2026-02-11T10:00:00+05:00");
    let last_two = ("2026-02-11T12:00:00+05:00", "2026-02-12T10:00:00+05:00");
    let within = ("2026-02-11T09:00:00+05:00", "2026-02-11T10:00:00+05:00");
    // Without a stop the month ends on Saturday 28 February. Three days later the second stop is taken in as well.
    for (stops, due_date) in [
        (vec![], date(2026, 3, 2)),
        (vec![three_days], date(2026, 3, 3)),
        (vec![three_days, at_the_end], date(2026, 3, 5)),
        // Days that stops share stand still once.
        (vec![first_two, last_two], date(2026, 3, 3)),
        (vec![three_days, within], date(2026, 3, 3)),
    ] {
        let question = suspended("state-body", received_at, &stops);
        assert_eq!(answer(&STOPPABLE, &question).due_date, due_date);
    }
}

#[test]
fn a_last_day_that_moves_passes_the_days_that_stand_still() {
    let stop = [("2019-07-15T10:00:00+06:00", "2019-07-16T10:00:00+06:00")];
    let question = suspended("application-2007", "2019-06-29T10:00:00+06:00", &stop);
    use StepEffect::{Due, Rolled, Start, Suspended};
    let expected = [
        (date(2019, 6, 29), Start),
        (date(2019, 7, 14), Rolled),
        (date(2019, 7, 15), Suspended),
        (date(2019, 7, 16), Suspended),
        (date(2019, 7, 17), Due),
    ];
    assert_eq!(effects(&answer(&STOPPABLE, &question)), expected);
}

#[test]
fn a_deadline_is_assumed_if_the_clock_stood_in_it_whatever_the_law_of_suspension() {
    let assumed = stoppable(Grade::D);
    for (stopped_at, restarted_at, expected) in [
        ("2026-01-30T11:00:00+05:00", "2026-01-30T12:00:00+05:00", false),
        ("2026-01-30T11:00:00+05:00", "2026-01-31T12:00:00+05:00", true),
        ("2026-02-10T10:00:00+05:00", "2026-02-10T11:00:00+05:00", true),
        ("2026-02-21T10:00:00+05:00", "2026-02-27T11:00:00+05:00", false),
    ] {
        let stop = [(stopped_at, restarted_at)];
        let question = suspended("application-2026", "2026-01-30T10:00:00+05:00", &stop);
        assert_eq!(answer(&assumed, &question).assumed, expected, "{stopped_at}");
        assert_eq!(answer(&STOPPABLE, &question).assumed, expected, "{stopped_at}");
    }
}

#[test]
fn a_clock_that_stands_beyond_the_calendar_leaves_no_due_date() {
    let stop = [("2026-02-10T10:00:00+05:00", "2040-01-01T00:00:00+05:00")];
    for term in ["application-2026", "state-body"] {
        let question = suspended(term, "2026-01-30T10:00:00+05:00", &stop);
        let refused = term_deadline(&STOPPABLE, &question, WorkingHours::default(), true).map(|_| ());
        assert!(
            matches!(refused, Err(CalendarError::YearOutOfRange { year: 2037.. })),
            "{refused:?}"
        );
    }
}

/// Stops in order and apart: pauses between them and lengths, in hours.
fn any_stops() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((0..400_i64, 1..300_i64), 0..6)
}

fn any_stopped_question() -> impl Strategy<Value = TermQuestion> {
    (any_requester(), any_receipt(), any_stops()).prop_map(|(requester, received_at, stops)| {
        let mut question = TermQuestion::new(TermChoice::ForRequester(requester), received_at);
        let mut clock = received_at;
        for (pause, length) in stops {
            let stopped_at = clock + pause.hours();
            let restarted_at = stopped_at + length.hours();
            question.suspensions.push(Suspension {
                stopped_at,
                restarted_at,
            });
            clock = restarted_at;
        }
        question
    })
}

/// Every day on which the clock stands still, one by one.
fn still(question: &TermQuestion) -> BTreeSet<Date> {
    let days = question.suspensions.iter().flat_map(|suspension| {
        let (first, last) = (civil_day(suspension.stopped_at), civil_day(suspension.restarted_at));
        first.series(1.day()).take_while(move |day| *day <= last)
    });
    days.collect()
}

fn origin(question: &TermQuestion, deadline: &Deadline) -> Date {
    let received_on = civil_day(question.received_at);
    let term = question.choice.term(&STOPPABLE, received_on).expect("a term");
    match term.origin {
        TermOrigin::Receipt => received_on,
        TermOrigin::Registration => deadline.registered_on.expect("a term registers"),
    }
}

/// The last day before it moved on.
fn unrolled(deadline: &Deadline) -> Date {
    let rolled = deadline.steps.iter().find(|step| step.effect == StepEffect::Rolled);
    rolled.map_or(deadline.due_date, |step| step.date)
}

proptest! {
    #[test]
    fn every_receipt_within_what_an_answer_tells_has_that_very_answer(
        requester in any_requester(), at in any_receipt(), other in 0.0..1.0_f64,
    ) {
        let ask = |at| answer(&CALENDAR, &TermQuestion::new(TermChoice::ForRequester(requester), at));
        let given = ask(at);
        let within = given.received_within.clone().expect("no clock was stopped");
        prop_assert!(within.contains(&at));
        let length = (within.end.as_microsecond() - within.start.as_microsecond()) as f64;
        let other = within.start + ((length * other) as i64).microseconds();
        for instant in [within.start, other, within.end - 1.microsecond()] {
            prop_assert_eq!(&ask(instant), &given);
        }
    }

    #[test]
    fn a_deadline_recomputed_with_its_own_registration_is_the_same(requester in any_requester(), at in any_receipt()) {
        let question = TermQuestion::new(TermChoice::ForRequester(requester), at);
        let first = answer(&CALENDAR, &question);
        let again = TermQuestion {
            // The time of day tells the cause of a later registration; of one at once it tells nothing.
            received_at: match first.registered_on {
                Some(day) if day == civil_day(at) => beginning(day),
                _ => at,
            },
            registered_on: first.registered_on,
            ..question
        };
        // Of a settled registration the time of day tells nothing, so that its answer is that of more receipts.
        let again = Deadline { received_within: first.received_within.clone(), ..answer(&CALENDAR, &again) };
        prop_assert_eq!(again, first);
    }

    #[test]
    fn a_clock_that_is_not_stopped_within_its_term_changes_nothing(
        requester in any_requester(), at in any_receipt(), hours in 0..2000_i64,
    ) {
        let question = TermQuestion::new(TermChoice::ForRequester(requester), at);
        let running = answer(&CALENDAR, &question);
        prop_assert_eq!(&answer(&STOPPABLE, &question), &running);
        let stopped_at = running.due_time;
        let suspensions = vec![Suspension { stopped_at, restarted_at: stopped_at + hours.hours() }];
        let stopped = answer(&STOPPABLE, &TermQuestion { suspensions, ..question });
        prop_assert!(stopped.received_within.is_none(), "a later receipt may lie after the stop");
        prop_assert_eq!(Deadline { received_within: running.received_within.clone(), ..stopped }, running);
    }

    #[test]
    fn as_much_time_runs_as_the_term_gives_and_every_day_that_stands_still_is_a_step(
        question in any_stopped_question(),
    ) {
        let deadline = answer(&STOPPABLE, &question);
        assert_ordered(&deadline);
        let (still, origin, last) = (still(&question), origin(&question, &deadline), unrolled(&deadline));
        let due = deadline.due_date;
        prop_assert!(STOPPABLE.day(due).expect("a day").is_working() && !still.contains(&due));

        let suspended: Vec<_> = deadline.steps.iter()
            .filter(|step| step.effect == StepEffect::Suspended).map(|step| step.date).collect();
        let expected: Vec<_> = still.iter().copied().filter(|day| *day > origin && *day < due).collect();
        prop_assert_eq!(suspended, expected);

        let received_on = civil_day(question.received_at);
        let term = question.choice.term(&STOPPABLE, received_on).expect("a term");
        let length = i64::from(term.base.length);
        let days = STOPPABLE.days(origin, last).expect("a range")[1..].iter();
        let running: Vec<_> = days.filter(|day| !still.contains(&day.date)).collect();
        let count = |working_only: bool| running.iter().filter(|day| !working_only || day.is_working()).count();
        match term.base.unit {
            TermUnit::WorkingDay => {
                prop_assert_eq!(i64::try_from(count(true)), Ok(length));
                let through = STOPPABLE.days(received_on, due).expect("a range");
                let dates: Vec<_> = through.iter().map(|day| day.date).collect();
                prop_assert_eq!(deadline.steps.iter().map(|step| step.date).collect::<Vec<_>>(), dates);
            }
            TermUnit::CalendarDay => prop_assert_eq!(i64::try_from(count(false)), Ok(length)),
            TermUnit::Month => {
                let stood = still.range(origin..=last).filter(|day| **day > origin).count();
                let moved = origin.saturating_add(length.months()).saturating_add(i64::try_from(stood).expect("few").days());
                prop_assert_eq!(moved, last);
            }
        }
        prop_assert!(!still.contains(&last));
    }
}
