//! What holds for every day, duty and request.

use jiff::{Timestamp, ToSpan, civil::Date};
use legalstat_kit::{
    period::{PeriodKind, ReportingPeriod},
    zone::{beginning, civil_day},
};
use proptest::prelude::*;

use super::*;

fn any_day() -> impl Strategy<Value = Date> {
    (0..7671_i64).prop_map(|days| FIRST_DAY.saturating_add(days.days()))
}

fn any_day_to_2034() -> impl Strategy<Value = Date> {
    (0..6900_i64).prop_map(|days| FIRST_DAY.saturating_add(days.days()))
}

pub(super) fn any_receipt() -> impl Strategy<Value = Timestamp> {
    (any_day_to_2034(), 0..86_400_i64).prop_map(|(day, second)| beginning(day) + second.seconds())
}

pub(super) fn any_requester() -> impl Strategy<Value = RequesterKind> {
    prop::sample::select(vec![
        RequesterKind::StateBody,
        RequesterKind::ProsecutorBody,
        RequesterKind::Individual,
        RequesterKind::LegalEntity,
    ])
}

fn any_period() -> impl Strategy<Value = ReportingPeriod> {
    let kinds = vec![
        PeriodKind::Month,
        PeriodKind::Quarter,
        PeriodKind::HalfYear,
        PeriodKind::Year,
    ];
    (2016..=2035_i16, prop::sample::select(kinds), 0..12_i8).prop_map(|(year, kind, number)| {
        ReportingPeriod::new(year, kind, number % kind.per_year() + 1).expect("a period of the calendar")
    })
}

pub(super) fn assert_ordered(deadline: &Deadline) {
    let effects: Vec<_> = deadline.steps.iter().map(|step| step.effect).collect();
    assert_eq!(effects.first(), Some(&StepEffect::Start));
    assert_eq!(effects.iter().filter(|effect| **effect == StepEffect::Start).count(), 1);
    assert_eq!(effects.iter().filter(|effect| **effect == StepEffect::Due).count(), 1);
    let last = deadline.steps.last().expect("a deadline has steps");
    assert_eq!((last.effect, last.date), (StepEffect::Due, deadline.due_date));
    assert!(deadline.steps.windows(2).all(|pair| pair[0].date < pair[1].date));
    assert!(deadline.steps.iter().all(|step| !step.legal_basis.act.is_empty()));
    let texts = deadline
        .steps
        .iter()
        .flat_map(|step| [&step.text.kk, &step.text.ru, &step.text.en]);
    assert!(texts.into_iter().all(|text| !text.is_empty()));
    assert_eq!(
        civil_day(deadline.due_time),
        deadline.due_date.tomorrow().expect("a next day")
    );
}

fn day(date: Date) -> &'static Day {
    CALENDAR.day(date).expect("a day of the calendar")
}

proptest! {
    #[test]
    fn the_kind_of_a_day_and_the_working_flag_agree(date in any_day()) {
        let day = day(date);
        let working = matches!(day.kind, DayKind::Working | DayKind::TransferredWorkingDay);
        prop_assert_eq!(day.is_working(), working);
        prop_assert_eq!(day.date, date);
        prop_assert_eq!(day.last_reason().kind, day.kind);
    }

    #[test]
    fn adding_working_days_and_counting_them_back_gives_their_number(date in any_day_to_2034(), count in 1..400_u32) {
        let end = CALENDAR.add_working_days(date, count).expect("an end within the calendar");
        prop_assert!(day(end).is_working());
        let between = CALENDAR.days(date, end).expect("a range")[1..].iter().filter(|day| day.is_working()).count();
        prop_assert_eq!(between, usize::try_from(count).expect("a small number"));
    }

    #[test]
    fn a_due_date_that_rolls_is_never_off_and_every_day_it_passed_is_explained(
        period in any_period(), due_day in 1..=28_i32,
    ) {
        let duty = Obligation { period, due_day, roll_forward: true, legal_basis: None, roll_forward_basis: None };
        let deadline = obligation_deadline(&CALENDAR, &duty, true).expect("a duty within the calendar");
        assert_ordered(&deadline);
        prop_assert!(day(deadline.due_date).is_working());
        let nominal = period.following_month().saturating_add((due_day - 1).days());
        let passed: Vec<_> = nominal.series(1.day()).take_while(|date| *date < deadline.due_date).collect();
        let rolled: Vec<_> =
            deadline.steps.iter().filter(|step| step.effect == StepEffect::Rolled).map(|step| step.date).collect();
        prop_assert!(passed.iter().all(|date| !day(*date).is_working()));
        prop_assert_eq!(rolled, passed);
    }

    #[test]
    fn every_day_of_a_term_in_working_days_is_counted_or_skipped(
        requester in any_requester(), received_at in any_receipt(),
    ) {
        let choice = TermChoice::ForRequester(requester);
        let question = TermQuestion::new(choice.clone(), received_at);
        let deadline = term_deadline(&CALENDAR, &question, WorkingHours::default(), true)
            .expect("a request within the calendar");
        assert_ordered(&deadline);
        prop_assert!(day(deadline.due_date).is_working());
        let registered_on = deadline.registered_on.expect("a term registers");
        let received_on = civil_day(received_at);
        prop_assert!(registered_on >= received_on);
        let term = choice.term(&CALENDAR, received_on).expect("a term");
        if term.base.unit == TermUnit::WorkingDay {
            let days = CALENDAR.days(received_on, deadline.due_date).expect("a range");
            prop_assert_eq!(deadline.steps.len(), days.len());
            for (step, day) in deadline.steps[1..].iter().zip(&days[1..]) {
                prop_assert_eq!(step.date, day.date);
                let waits = term.origin == TermOrigin::Registration && day.date <= registered_on;
                prop_assert_eq!(step.effect == StepEffect::Skipped, !day.is_working() || waits);
            }
            let counted = deadline.steps.iter().filter(|step| step.effect == StepEffect::Counted).count();
            prop_assert_eq!(counted, 14);
        }
    }

    #[test]
    fn the_answer_without_steps_is_the_answer_with_them(requester in any_requester(), received_at in any_receipt()) {
        let question = TermQuestion::new(TermChoice::ForRequester(requester), received_at);
        let of = |explain| term_deadline(&CALENDAR, &question, WorkingHours::default(), explain);
        let explained = of(true).expect("a request within the calendar");
        let bare = of(false).expect("a request within the calendar");
        prop_assert!(bare.steps.is_empty());
        prop_assert_eq!(bare, Deadline { steps: Vec::new(), ..explained });
    }
}

#[test]
fn the_answer_as_known_before_an_act_equals_the_answer_without_its_rows() {
    for act in RULES.acts.iter().filter(|act| act.known_from.is_some()) {
        let known_from = act.known_from.expect("filtered above");
        let mut without = RULES.clone();
        without.holidays.retain(|rule| rule.source.act != act.id);
        without.days_off.retain(|rule| rule.source.act != act.id);
        without.transfers.retain(|rule| rule.source.act != act.id);
        let before = known_from - 1.nanosecond();
        let as_known = Calendar::new(&RULES, before).expect("a calendar");
        assert_eq!(
            as_known,
            Calendar::new(&without, before).expect("a calendar"),
            "{}",
            act.id
        );
        assert_ne!(
            as_known,
            Calendar::new(&RULES, known_from).expect("a calendar"),
            "{}",
            act.id
        );
    }
}
