//! The times of a term besides the one for the answer: the longer one, extensions and the telling of them, forwarding.

use jiff::civil::{Date, date};

use super::*;

fn question(term: &str, received_at: &str, part: TermPart) -> TermQuestion {
    TermQuestion {
        part,
        ..TermQuestion::new(TermChoice::Named(term.to_owned()), instant(received_at))
    }
}

fn answer(question: &TermQuestion) -> Result<Deadline, CalendarError> {
    term_deadline(&CALENDAR, question, WorkingHours::default(), true)
}

/// An extension of a person's request of 2026, decided on Thursday 12 March.
fn extended(until: Option<Date>) -> Result<Deadline, CalendarError> {
    answer(&TermQuestion {
        counted_from: Some(date(2026, 3, 12)),
        until,
        ..question("application-2026", "2026-03-02T10:00:00+05:00", TermPart::Extension)
    })
}

#[test]
fn an_extension_counts_from_the_day_that_is_named_and_is_explained_from_there() {
    let deadline = extended(None).expect("the term has it");
    assert_eq!(
        (deadline.due_date, deadline.part),
        (date(2026, 5, 12), TermPart::Extension)
    );
    assert_eq!(deadline.registered_on, Some(date(2026, 3, 2)));
    let effects: Vec<_> = deadline.steps.iter().map(|step| (step.date, step.effect)).collect();
    let expected = [
        (date(2026, 3, 12), StepEffect::Start),
        (date(2026, 5, 12), StepEffect::Due),
    ];
    assert_eq!(effects, expected);
    let cited = deadline.steps[0].legal_basis.citation();
    assert!(cited.contains("art. 76"), "{cited}");
}

#[test]
fn a_day_that_is_chosen_rolls_as_the_term_does_and_lies_within_the_most_that_it_allows() {
    let saturday = extended(Some(date(2026, 4, 25))).expect("it is within");
    assert_eq!(saturday.due_date, date(2026, 4, 27));
    let last = saturday.steps.last().expect("it is explained");
    assert!(last.effect == StepEffect::Due && last.text.en.contains("chosen by an official"));
    assert_eq!(
        extended(Some(date(2026, 5, 12))).expect("it is the most").due_date,
        date(2026, 5, 12)
    );
    let (term, latest) = ("application-2026".into(), date(2026, 5, 12));
    let beyond = extended(Some(date(2026, 5, 13))).expect_err("it is beyond");
    assert_eq!(beyond, CalendarError::ExtensionTooLong { term, latest });
}

#[test]
fn telling_and_forwarding_have_three_working_days() {
    let notice = TermQuestion {
        counted_from: Some(date(2026, 3, 12)),
        ..question(
            "application-2026",
            "2026-03-02T10:00:00+05:00",
            TermPart::ExtensionNotice,
        )
    };
    let notice = answer(&notice).expect("the term has it");
    assert_eq!(notice.due_date, date(2026, 3, 17));
    let skipped = notice.steps.iter().filter(|step| step.effect == StepEffect::Skipped);
    assert_eq!(skipped.count(), 2);
    let forwarding = question("application-2026", "2026-03-02T19:00:00+05:00", TermPart::Forwarding);
    let forwarding = answer(&forwarding).expect("the term has it");
    assert_eq!(
        (forwarding.registered_on, forwarding.due_date),
        (Some(date(2026, 3, 3)), date(2026, 3, 6))
    );
}

#[test]
fn what_was_not_cured_is_given_back_within_three_working_days_of_the_last_day_for_curing_it() {
    let returned = |term: &str, received_at: &str, cure_by: Date| {
        let asked = TermQuestion {
            counted_from: Some(cure_by),
            ..question(term, received_at, TermPart::Return)
        };
        let deadline = answer(&asked).expect("the term has it");
        let cited = deadline.steps[0].legal_basis.citation();
        (deadline.due_date, deadline.assumed, cited)
    };
    // From Thursday 12 March, over a week-end.
    let (day, assumed, cited) = returned("application-2026", "2026-03-02T10:00:00+05:00", date(2026, 3, 12));
    assert_eq!((day, assumed), (date(2026, 3, 17), false));
    assert!(cited.contains("art. 64(6)"), "{cited}");
    let (day, assumed, _) = returned("application-2007", "2021-03-01T10:00:00+06:00", date(2021, 3, 10));
    assert_eq!((day, assumed), (date(2021, 3, 15), true));
}

#[test]
fn the_longer_time_of_law_221_counts_from_receipt_and_is_assumed() {
    let longer = question("application-2007", "2021-03-01T10:00:00+06:00", TermPart::LongBase);
    let longer = answer(&longer).expect("the term has it");
    assert_eq!((longer.due_date, longer.assumed), (date(2021, 3, 31), true));
}

#[test]
fn a_term_without_such_a_time_says_so() {
    for part in [
        TermPart::LongBase,
        TermPart::Extension,
        TermPart::ExtensionNotice,
        TermPart::Forwarding,
        TermPart::Return,
    ] {
        let asked = TermQuestion {
            counted_from: part.is_counted_from_a_day().then_some(date(2026, 3, 12)),
            ..question("state-body", "2026-03-02T10:00:00+05:00", part)
        };
        let term = "state-body".into();
        assert_eq!(
            answer(&asked).map(|deadline| deadline.due_date),
            Err(CalendarError::NoSuchPart { term, part })
        );
    }
}
