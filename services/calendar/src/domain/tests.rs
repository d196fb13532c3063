use std::sync::LazyLock;

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday, date},
};
use legalstat_kit::{
    law::{LegalBasis, LocalizedText},
    zone::{astana, beginning},
};
use proptest::prelude::*;

use super::{
    deadline::{self, TermChoice},
    rules::{FIRST_DAY, Known, LAST_DAY},
    *,
};

type Row = std::collections::HashMap<String, String>;

fn rows(register: &str) -> Vec<Row> {
    csv::Reader::from_reader(register.as_bytes())
        .into_deserialize()
        .collect::<Result<_, _>>()
        .expect("a register")
}

fn day(text: &str) -> Option<Date> {
    text.parse().ok()
}

fn known(row: &Row) -> Known {
    Known {
        from: day(&row["known_from"]),
        to: day(&row["known_to"]),
    }
}

fn basis(row: &Row) -> LegalBasis {
    LegalBasis {
        act: row["act"].clone(),
        ..LegalBasis::default()
    }
}

/// The registers as the database gives them.
static RULES: LazyLock<Rules> = LazyLock::new(|| Rules {
    holidays: rows(include_str!("../../data/holidays.csv"))
        .iter()
        .map(|row| Holiday {
            name: LocalizedText::new(&row["name_kk"], &row["name_ru"], &row["name_en"]),
            basis: basis(row),
            month: row["month"].parse().expect("a month"),
            day: row["day"].parse().expect("a day"),
            first_year: row["first_year"].parse().expect("a year"),
            last_year: row["last_year"].parse().ok(),
            is_holiday: row["class"] == "HOLIDAY",
            rolls: row["rolls_forward"] == "yes",
            known: known(row),
        })
        .collect(),
    days_off: rows(include_str!("../../data/kurban_ait.csv"))
        .iter()
        .map(|row| {
            let (date, announced) = (day(&row["first_day"]).expect("a date"), row["status"] != "PROVISIONAL");
            let known = if announced {
                known(row).or_before(date.year())
            } else {
                known(row)
            };
            let name = LocalizedText::new("", "", "The first day of Kurban Ait");
            DayOff {
                name,
                basis: basis(row),
                date,
                announced,
                known,
            }
        })
        .collect(),
    transfers: rows(include_str!("../../data/transfers.csv"))
        .iter()
        .map(|row| {
            let working = day(&row["becomes_working_day"]).expect("a date");
            let off = day(&row["becomes_day_off"]).expect("a date");
            Transfer {
                basis: basis(row),
                working,
                off,
                known: known(row).or_before(working.year()),
            }
        })
        .collect(),
});

static CALENDARS: LazyLock<Calendars> = LazyLock::new(|| Calendars::new(RULES.clone()));
static CALENDAR: LazyLock<std::sync::Arc<Calendar>> =
    LazyLock::new(|| CALENDARS.as_known_at(known_on(date(2026, 11, 24))));

fn known_on(day: Date) -> Timestamp {
    beginning(day)
}

fn kind(day: Date) -> DayKind {
    CALENDAR.day(day).expect("within the calendar").kind
}

/// Every weekday that is off and every weekend day that is worked, by year, written down from the acts and agreeing with
/// the Python library `holidays` for all of these years.
const EXPECTED: [(i16, &str, &str); 12] = [
    (
        2016,
        "01-01 01-04 01-07 03-07 03-08 03-21 03-22 03-23 05-02 05-09 05-10 07-06 08-30 09-12 12-01 12-16 12-19",
        "03-05",
    ),
    (
        2017,
        "01-02 01-03 03-08 03-20 03-21 03-22 03-23 05-01 05-08 05-09 07-06 07-07 08-30 09-01 12-01 12-18 12-19",
        "03-18 07-01",
    ),
    (
        2018,
        "01-01 01-02 03-08 03-09 03-21 03-22 03-23 04-30 05-01 05-07 05-08 05-09 07-06 08-21 08-30 08-31 12-03 12-17 12-18 12-31",
        "03-03 04-28 05-05 08-25 12-29",
    ),
    (
        2019,
        "01-01 01-02 01-07 03-08 03-21 03-22 03-25 05-01 05-07 05-09 05-10 07-08 08-30 12-02 12-16 12-17",
        "05-04",
    ),
    (
        2020,
        "01-01 01-02 01-03 01-07 03-09 03-23 03-24 03-25 05-01 05-07 05-08 07-06 07-31 08-31 12-01 12-16 12-17 12-18",
        "01-05 12-20",
    ),
    (
        2021,
        "01-01 01-04 01-07 03-08 03-22 03-23 03-24 05-03 05-07 05-10 07-05 07-06 07-20 08-30 12-01 12-16 12-17",
        "07-03",
    ),
    (
        2022,
        "01-03 01-04 01-07 03-07 03-08 03-21 03-22 03-23 05-02 05-09 05-10 07-06 08-29 08-30 10-24 10-25 12-16",
        "03-05 08-27 10-22",
    ),
    (
        2023,
        "01-02 01-03 03-08 03-21 03-22 03-23 05-01 05-08 05-09 06-28 07-06 07-07 08-30 10-25 12-18",
        "07-01",
    ),
    (
        2024,
        "01-01 01-02 03-08 03-21 03-22 03-25 05-01 05-07 05-08 05-09 07-08 08-30 10-25 12-16",
        "05-04",
    ),
    (
        2025,
        "01-01 01-02 01-03 01-07 03-10 03-21 03-24 03-25 05-01 05-07 05-09 06-06 07-07 09-01 10-27 12-16",
        "01-05",
    ),
    (
        2026,
        "01-01 01-02 01-07 03-09 03-23 03-24 03-25 05-01 05-07 05-11 05-27 07-06 10-26 12-16",
        "",
    ),
    (
        2027,
        "01-01 01-04 01-07 03-08 03-15 03-22 03-23 03-24 05-03 05-07 05-10 07-06 10-25 12-16",
        "",
    ),
];

#[test]
fn all_days_of_2016_to_2027_agree_with_the_acts() {
    for (year, off, worked) in EXPECTED {
        let days = CALENDAR.days(date(year, 1, 1), date(year, 12, 31));
        let is_weekend = |day: &&Day| matches!(day.date.weekday(), Weekday::Saturday | Weekday::Sunday);
        let list = |days: Vec<&Day>| {
            days.iter()
                .map(|day| day.date.strftime("%m-%d").to_string())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let found_off = days
            .iter()
            .filter(|day| !is_weekend(day) && !day.kind.is_working())
            .collect();
        let found_worked = days
            .iter()
            .filter(|day| is_weekend(day) && day.kind.is_working())
            .collect();
        assert_eq!(
            (list(found_off).as_str(), list(found_worked).as_str()),
            (off, worked),
            "{year}"
        );
    }
}

#[test]
fn the_days_that_are_easily_wrong_are_right() {
    for (day, expected) in [
        (date(2017, 12, 16), DayKind::Holiday),
        (date(2017, 12, 17), DayKind::Holiday),
        (date(2017, 12, 18), DayKind::RolledDayOff),
        (date(2017, 12, 19), DayKind::RolledDayOff),
        (date(2017, 12, 20), DayKind::Working),
        (date(2020, 5, 8), DayKind::TransferredDayOff),
        (date(2020, 5, 11), DayKind::TransferredWorkingDay),
        (date(2022, 1, 3), DayKind::RolledDayOff),
        (date(2022, 1, 4), DayKind::RolledDayOff),
        (date(2022, 3, 5), DayKind::TransferredWorkingDay),
        (date(2022, 3, 7), DayKind::TransferredDayOff),
        (date(2022, 5, 7), DayKind::Holiday),
        (date(2022, 5, 10), DayKind::RolledDayOff),
        (date(2025, 1, 3), DayKind::TransferredDayOff),
        (date(2025, 1, 5), DayKind::TransferredWorkingDay),
        (date(2025, 1, 7), DayKind::DayOff),
        (date(2026, 3, 16), DayKind::Working),
        (date(2026, 8, 31), DayKind::Working),
        (date(2027, 3, 15), DayKind::Holiday),
    ] {
        assert_eq!(kind(day), expected, "{day}");
    }
}

#[test]
fn a_day_tells_the_whole_chain_of_its_reasons() {
    let kinds = |day| {
        CALENDAR
            .day(day)
            .expect("a day")
            .reasons
            .iter()
            .map(|reason| reason.kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        kinds(date(2020, 5, 11)),
        [DayKind::RolledDayOff, DayKind::TransferredWorkingDay]
    );
    assert_eq!(kinds(date(2017, 12, 16)), [DayKind::Weekend, DayKind::Holiday]);
    assert_eq!(kinds(date(2019, 7, 15)), [DayKind::Working]);
    assert_eq!(
        CALENDAR.day(date(2020, 5, 11)).expect("a day").last_word().basis.act,
        "P1900000820"
    );
}

#[test]
fn a_late_act_changes_only_what_is_known_after_it() {
    let on = |day, known| CALENDARS.as_known_at(known_on(known)).day(day).expect("a day").kind;
    assert_eq!(on(date(2024, 6, 17), date(2024, 6, 1)), DayKind::DayOff);
    assert_eq!(on(date(2024, 6, 17), date(2024, 6, 8)), DayKind::Working);
    assert_eq!(on(date(2024, 6, 16), date(2024, 6, 8)), DayKind::DayOff);
    assert_eq!(on(date(2026, 8, 31), date(2026, 1, 1)), DayKind::RolledDayOff);
    assert_eq!(on(date(2026, 8, 31), date(2026, 3, 18)), DayKind::Working);
    assert_eq!(on(date(2025, 1, 5), date(2024, 11, 20)), DayKind::Weekend);
    assert_eq!(on(date(2025, 1, 5), date(2024, 11, 21)), DayKind::TransferredWorkingDay);
}

#[test]
fn a_year_is_provisional_until_its_kurban_ait_is_announced() {
    let provisional = |year| CALENDAR.day(date(year, 6, 1)).expect("a day").provisional;
    assert!(!provisional(2016) && !provisional(2026));
    assert!(provisional(2027) && provisional(2036));
    assert_eq!(kind(date(2027, 5, 16)), DayKind::DayOff);
}

#[test]
fn the_calendar_answers_for_2016_to_2036_only() {
    assert!(CALENDAR.day(FIRST_DAY).is_some() && CALENDAR.day(LAST_DAY).is_some());
    assert!(CALENDAR.day(date(2015, 12, 31)).is_none() && CALENDAR.day(date(2037, 1, 1)).is_none());
}

fn obligation(period: &str, due_day: i8) -> Obligation {
    let period = period.parse().expect("a period");
    Obligation {
        period,
        due_day,
        roll_forward: true,
        basis: None,
        roll_forward_basis: None,
    }
}

fn effects(deadline: &Deadline) -> Vec<(String, StepEffect)> {
    deadline
        .steps
        .iter()
        .map(|step| (step.date.to_string(), step.effect))
        .collect()
}

#[test]
fn the_collections_of_the_second_quarter_of_2019_are_due_on_monday_with_the_sunday_explained() {
    let due = deadline::of_obligation(&obligation("2019-Q2", 14), &CALENDAR).expect("a deadline");
    assert_eq!(due.due_date, date(2019, 7, 15));
    assert_eq!(due.due_time.to_string(), "2019-07-15T18:00:00Z");
    let expected = [
        ("2019-06-30", StepEffect::Start),
        ("2019-07-14", StepEffect::Rolled),
        ("2019-07-15", StepEffect::Due),
    ];
    assert_eq!(effects(&due), expected.map(|(date, effect)| (date.to_owned(), effect)));
    assert!(!due.assumed && !due.provisional);
}

#[test]
fn form_1_of_december_2024_is_due_on_a_working_sunday() {
    let due = deadline::of_obligation(&obligation("2024-M12", 5), &CALENDAR).expect("a deadline");
    assert_eq!(due.due_date, date(2025, 1, 5));
    assert!(due.assumed, "the Instruction had lapsed");
    let expected = [
        ("2024-12-31", StepEffect::Start),
        ("2025-01-05", StepEffect::Counted),
        ("2025-01-05", StepEffect::Due),
    ];
    assert_eq!(effects(&due), expected.map(|(date, effect)| (date.to_owned(), effect)));
    assert_eq!(due.steps[1].basis.act, "G24G0000436", "the act that moved the Sunday");
}

#[test]
fn an_obligation_that_does_not_roll_stays_on_its_day_off() {
    let fixed = Obligation {
        roll_forward: false,
        ..obligation("2019-Q2", 14)
    };
    assert_eq!(
        deadline::of_obligation(&fixed, &CALENDAR).expect("a deadline").due_date,
        date(2019, 7, 14)
    );
}

#[test]
fn a_deadline_after_2036_is_refused() {
    assert_eq!(
        deadline::of_obligation(&obligation("2036-M12", 5), &CALENDAR),
        Err(DeadlineError::OutsideCalendar)
    );
}

fn term(id: &str, length: i32, unit: TermUnit, origin: TermOrigin) -> Term {
    let basis = LegalBasis::parse("Code 350-VI, art. 76");
    Term {
        id: id.into(),
        requester_kinds: vec![RequesterKind::Individual],
        received_from: None,
        received_to: None,
        selected: true,
        base: Span {
            length,
            unit,
            note: String::new(),
            basis: basis.clone(),
        },
        base_assumed_before: None,
        origin,
        origin_basis: basis.clone(),
        roll_forward: true,
        roll_forward_basis: basis,
        long_base: None,
        extension: None,
        extension_notice: None,
        forwarding: None,
    }
}

fn answer(term: &Term, received: &str) -> Deadline {
    let received = received.parse().expect("an instant");
    let choice = TermChoice::Named(term.id.clone());
    deadline::of_term(
        &choice,
        received,
        std::slice::from_ref(term),
        WorkingHours::default(),
        &CALENDAR,
    )
    .expect("a deadline")
}

#[test]
fn fifteen_working_days_across_new_year_skip_every_day_off() {
    let due = answer(
        &term("t", 15, TermUnit::WorkingDay, TermOrigin::Receipt),
        "2024-12-25T10:00:00+05:00",
    );
    // 26, 27, 30, 31 December; 5 (worked Sunday), 6, 8, 9, 10, 13, 14, 15, 16, 17, 20 January.
    assert_eq!(due.due_date, date(2025, 1, 20));
    assert_eq!(
        due.steps
            .iter()
            .filter(|step| step.effect == StepEffect::Counted)
            .count(),
        14
    );
}

#[test]
fn a_month_from_31_january_ends_on_the_last_day_of_february() {
    let month = term("t", 1, TermUnit::Month, TermOrigin::Receipt);
    assert_eq!(answer(&month, "2023-01-31T10:00:00+06:00").due_date, date(2023, 2, 28));
    // 29 February 2020 was a Saturday.
    assert_eq!(answer(&month, "2020-01-31T10:00:00+06:00").due_date, date(2020, 3, 2));
}

#[test]
fn the_day_of_receipt_follows_the_change_of_the_offset_in_2024() {
    let one = term("t", 1, TermUnit::CalendarDay, TermOrigin::Receipt);
    let start = |received| answer(&one, received).steps[0].date;
    // UTC+6 to the end of February, UTC+5 from 1 March: 23:30 UTC is the next day under both.
    assert_eq!(start("2024-02-29T23:30:00Z"), date(2024, 3, 1));
    assert_eq!(start("2024-03-01T23:30:00Z"), date(2024, 3, 2));
    assert_eq!(start("2024-02-28T18:30:00Z"), date(2024, 2, 29));
    assert_eq!(start("2024-03-01T18:30:00Z"), date(2024, 3, 1));
}

#[test]
fn what_arrives_after_hours_is_registered_on_the_next_working_day_since_july_2021() {
    let term = term("t", 15, TermUnit::WorkingDay, TermOrigin::Registration);
    let registered = |received| answer(&term, received).registered_on;
    assert_eq!(registered("2025-03-14T18:29:59+05:00"), Some(date(2025, 3, 14)));
    assert_eq!(registered("2025-03-14T18:30:00+05:00"), Some(date(2025, 3, 17)));
    assert_eq!(registered("2025-03-14T07:00:00+05:00"), Some(date(2025, 3, 14)));
    assert_eq!(registered("2025-01-05T10:00:00+05:00"), Some(date(2025, 1, 5)));
    assert_eq!(registered("2021-06-26T10:00:00+06:00"), Some(date(2021, 6, 26)));
    let steps = answer(&term, "2025-03-14T19:00:00+05:00").steps;
    let expected = [
        ("2025-03-14", StepEffect::Start),
        ("2025-03-15", StepEffect::Skipped),
        ("2025-03-16", StepEffect::Skipped),
        ("2025-03-17", StepEffect::Skipped),
        ("2025-03-18", StepEffect::Counted),
    ];
    let found: Vec<_> = steps[..5]
        .iter()
        .map(|step| (step.date.to_string(), step.effect))
        .collect();
    assert_eq!(found, expected.map(|(date, effect)| (date.to_owned(), effect)));
    assert!(
        answer(&term, "2025-03-14T19:00:00+05:00").assumed,
        "the working hours have no source"
    );
}

#[test]
fn a_term_is_chosen_by_requester_and_day_of_receipt_in_astana() {
    let (mut old, mut new) = (
        term("old", 15, TermUnit::CalendarDay, TermOrigin::Receipt),
        term("new", 15, TermUnit::WorkingDay, TermOrigin::Receipt),
    );
    (old.received_to, new.received_from) = (Some(date(2021, 6, 30)), Some(date(2021, 7, 1)));
    let terms = [old, new];
    let choose = |received: &str| {
        let choice = TermChoice::ByRequester(RequesterKind::Individual);
        let received = received.parse().expect("an instant");
        deadline::of_term(&choice, received, &terms, WorkingHours::default(), &CALENDAR)
            .expect("a deadline")
            .term
    };
    assert_eq!(choose("2021-06-30T17:59:59Z").as_deref(), Some("old"));
    assert_eq!(choose("2021-06-30T18:00:00Z").as_deref(), Some("new"));
    let named = TermChoice::Named("new".into());
    let early = "2020-01-10T10:00:00Z".parse().expect("an instant");
    let refused = deadline::of_term(&named, early, &terms, WorkingHours::default(), &CALENDAR);
    assert!(matches!(refused, Err(DeadlineError::NoTermApplies { .. })));
}

fn any_day() -> impl Strategy<Value = Date> {
    (0..7300_i32).prop_map(|days| FIRST_DAY.checked_add(days.days()).expect("within the calendar"))
}

proptest! {
    #[test]
    fn a_due_date_that_rolls_is_never_a_day_off(year in 2016_i16..2036, month in 1_i8..=12, due_day in 1_i8..=28) {
        let due = deadline::of_obligation(&obligation(&format!("{year}-M{month:02}"), due_day), &CALENDAR).expect("a deadline");
        prop_assert!(kind(due.due_date).is_working());
    }

    #[test]
    fn steps_are_ordered_and_end_with_the_only_due_date(start in any_day(), length in 1_i32..40, hour in 0_i8..24, in_days in any::<bool>()) {
        let unit = if in_days { TermUnit::WorkingDay } else { TermUnit::CalendarDay };
        let received = start.at(hour, 0, 0, 0).to_zoned(astana()).expect("an instant").timestamp().to_string();
        let due = answer(&term("t", length, unit, TermOrigin::Registration), &received);
        prop_assert!(due.steps.is_sorted_by(|a, b| a.date <= b.date));
        prop_assert_eq!(due.steps.last().map(|step| (step.date, step.effect)), Some((due.due_date, StepEffect::Due)));
        prop_assert_eq!(due.steps.iter().filter(|step| step.effect == StepEffect::Due).count(), 1);
        prop_assert_eq!(due.steps.first().map(|step| step.effect), Some(StepEffect::Start));
        prop_assert_eq!(due.steps.iter().filter(|step| step.effect == StepEffect::Start).count(), 1);
        prop_assert_eq!(due.due_time, beginning(due.due_date.tomorrow().expect("within the calendar")));
    }

    #[test]
    fn working_days_added_are_the_working_days_counted_back(start in any_day(), length in 1_i32..60) {
        let span = Span { length, unit: TermUnit::WorkingDay, note: String::new(), basis: LegalBasis::default() };
        let last = span.last_day(start, &CALENDAR).expect("within the calendar");
        let between = CALENDAR.days(start.tomorrow().expect("a day"), last);
        prop_assert_eq!(between.iter().filter(|day| day.kind.is_working()).count(), usize::try_from(length).expect("positive"));
        prop_assert!(kind(last).is_working());
    }

    #[test]
    fn the_answer_as_known_before_an_act_is_the_answer_without_it(index in 0_usize..19, day in any_day()) {
        let act = RULES.transfers[index % RULES.transfers.len()].clone();
        let before = known_on(act.known.from.expect("every transfer is known from a day").yesterday().expect("a day"));
        let mut without = RULES.clone();
        without.transfers.retain(|rule| rule.basis.act != act.basis.act);
        let with = CALENDARS.as_known_at(before);
        let without = Calendars::new(without).as_known_at(before);
        prop_assert_eq!(with.day(day), without.day(day));
    }
}
