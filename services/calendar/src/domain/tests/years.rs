//! Every day of 2016 to 2027 against a list that was written down by hand from the acts.

use jiff::civil::{Date, Weekday, date};

use super::CALENDAR;

/// Year, weekdays that are off, weekend days that are worked, number of working days.
const YEARS: [(i16, &str, &str, usize); 12] = [
    (
        2016,
        "1-1 1-4 1-7 3-7 3-8 3-21 3-22 3-23 5-2 5-9 5-10 7-6 8-30 9-12 12-1 12-16 12-19",
        "3-5",
        245,
    ),
    (
        2017,
        "1-2 1-3 3-8 3-20 3-21 3-22 3-23 5-1 5-8 5-9 7-6 7-7 8-30 9-1 12-1 12-18 12-19",
        "3-18 7-1",
        245,
    ),
    (
        2018,
        "1-1 1-2 3-8 3-9 3-21 3-22 3-23 4-30 5-1 5-7 5-8 5-9 7-6 8-21 8-30 8-31 12-3 12-17 12-18 12-31",
        "3-3 4-28 5-5 8-25 12-29",
        246,
    ),
    (
        2019,
        "1-1 1-2 1-7 3-8 3-21 3-22 3-25 5-1 5-7 5-9 5-10 7-8 8-30 12-2 12-16 12-17",
        "5-4",
        246,
    ),
    (
        2020,
        "1-1 1-2 1-3 1-7 3-9 3-23 3-24 3-25 5-1 5-7 5-8 7-6 7-31 8-31 12-1 12-16 12-17 12-18",
        "1-5 12-20",
        246,
    ),
    (
        2021,
        "1-1 1-4 1-7 3-8 3-22 3-23 3-24 5-3 5-7 5-10 7-5 7-6 7-20 8-30 12-1 12-16 12-17",
        "7-3",
        245,
    ),
    (
        2022,
        "1-3 1-4 1-7 3-7 3-8 3-21 3-22 3-23 5-2 5-9 5-10 7-6 8-29 8-30 10-24 10-25 12-16",
        "3-5 8-27 10-22",
        246,
    ),
    (
        2023,
        "1-2 1-3 3-8 3-21 3-22 3-23 5-1 5-8 5-9 6-28 7-6 7-7 8-30 10-25 12-18",
        "7-1",
        246,
    ),
    (
        2024,
        "1-1 1-2 3-8 3-21 3-22 3-25 5-1 5-7 5-8 5-9 7-8 8-30 10-25 12-16",
        "5-4",
        249,
    ),
    (
        2025,
        "1-1 1-2 1-3 1-7 3-10 3-21 3-24 3-25 5-1 5-7 5-9 6-6 7-7 9-1 10-27 12-16",
        "1-5",
        246,
    ),
    (
        2026,
        "1-1 1-2 1-7 3-9 3-23 3-24 3-25 5-1 5-7 5-11 5-27 7-6 10-26 12-16",
        "",
        247,
    ),
    (
        2027,
        "1-1 1-4 1-7 3-8 3-15 3-22 3-23 3-24 5-3 5-7 5-10 7-6 10-25 12-16",
        "",
        247,
    ),
];

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn listed(days: impl Iterator<Item = Date>) -> String {
    let words: Vec<_> = days.map(|day| format!("{}-{}", day.month(), day.day())).collect();
    words.join(" ")
}

#[test]
fn every_day_of_2016_to_2027_agrees_with_the_acts() {
    for (year, off, worked, working_days) in YEARS {
        let days = CALENDAR
            .days(date(year, 1, 1), date(year, 12, 31))
            .expect("a year of the calendar");
        let weekdays_off = days
            .iter()
            .filter(|day| !is_weekend(day.date) && !day.is_working())
            .map(|day| day.date);
        let weekends_worked = days
            .iter()
            .filter(|day| is_weekend(day.date) && day.is_working())
            .map(|day| day.date);
        assert_eq!(listed(weekdays_off), off, "weekdays off in {year}");
        assert_eq!(listed(weekends_worked), worked, "weekend days worked in {year}");
        assert_eq!(
            days.iter().filter(|day| day.is_working()).count(),
            working_days,
            "{year}"
        );
    }
}
