//! What single days are, and what was known when.

use jiff::civil::date;

use super::*;

fn kinds(calendar: &Calendar, day: jiff::civil::Date) -> Vec<DayKind> {
    let day = calendar.day(day).expect("a day of the calendar");
    assert_eq!(day.kind, day.last_reason().kind);
    day.reasons.iter().map(|reason| reason.kind).collect()
}

#[test]
fn each_day_says_from_the_first_cause_to_the_last_word_why_it_is_what_it_is() {
    use DayKind::*;
    let cases = [
        (date(2017, 12, 15), vec![Working]),
        (date(2017, 12, 16), vec![Weekend, Holiday]),
        (date(2017, 12, 17), vec![Weekend, Holiday]),
        (date(2017, 12, 18), vec![RolledDayOff]),
        (date(2017, 12, 19), vec![RolledDayOff]),
        (date(2022, 1, 3), vec![RolledDayOff]),
        (date(2022, 1, 4), vec![RolledDayOff]),
        (date(2020, 5, 8), vec![TransferredDayOff]),
        (date(2020, 5, 11), vec![RolledDayOff, TransferredWorkingDay]),
        (date(2022, 5, 7), vec![Weekend, Holiday]),
        (date(2022, 5, 10), vec![RolledDayOff]),
        (date(2022, 3, 5), vec![Weekend, TransferredWorkingDay]),
        (date(2022, 3, 7), vec![TransferredDayOff]),
        (date(2025, 1, 3), vec![TransferredDayOff]),
        (date(2025, 1, 5), vec![Weekend, TransferredWorkingDay]),
        (date(2019, 7, 14), vec![Weekend]),
        (date(2024, 1, 7), vec![Weekend, DayOff]),
        (date(2024, 1, 8), vec![Working]),
        (date(2019, 8, 11), vec![Weekend, DayOff]),
        (date(2019, 8, 12), vec![Working]),
        (date(2025, 6, 6), vec![DayOff]),
        (date(2026, 3, 15), vec![Weekend]),
        (date(2026, 3, 16), vec![Working]),
        (date(2026, 8, 30), vec![Weekend]),
        (date(2026, 8, 31), vec![Working]),
        (date(2027, 3, 15), vec![Holiday]),
        (date(2027, 5, 16), vec![Weekend, DayOff]),
    ];
    for (day, expected) in cases {
        assert_eq!(kinds(&CALENDAR, day), expected, "{day}");
    }
}

#[test]
fn every_transfer_works_one_day_and_frees_the_other_and_cites_its_act() {
    assert_eq!(RULES.transfers.len(), 19);
    for rule in &RULES.transfers {
        let cases = [
            (rule.working_day, DayKind::TransferredWorkingDay, true),
            (rule.day_off, DayKind::TransferredDayOff, false),
        ];
        for (date, kind, working) in cases {
            let day = CALENDAR.day(date).expect("a day of the calendar");
            assert_eq!((day.kind, day.is_working()), (kind, working), "{date}");
            assert_eq!(day.last_reason().legal_basis, rule.source.legal_basis);
            assert!(
                day.last_reason()
                    .legal_basis
                    .uri
                    .starts_with("https://adilet.zan.kz/rus/docs/")
            );
        }
    }
}

#[test]
fn a_rolled_day_names_the_holiday_its_date_and_the_law() {
    let day = CALENDAR.day(date(2017, 12, 19)).expect("a day of the calendar");
    let reason = day.last_reason();
    assert_eq!(
        reason.text.en,
        "day off: Independence Day (17 December 2017) fell on a day off and moved here"
    );
    assert!(reason.text.kk.contains("2017 жылғы 17 желтоқсан") && reason.text.ru.contains("17 декабря 2017 года"));
    assert_eq!(reason.legal_basis.citation(), "Law No. 267-II \"On holidays\", art. 5");
}

#[test]
fn each_kind_of_day_says_in_three_languages_why_it_is_what_it_is() {
    for (day, kk, ru, en) in [
        (
            date(2024, 1, 8),
            "бес күндік жұмыс аптасының жұмыс күні",
            "рабочий день пятидневной рабочей недели",
            "a working day of the five-day week",
        ),
        (
            date(2025, 1, 11),
            "сенбі, бес күндік жұмыс аптасының демалыс күні",
            "суббота, выходной день пятидневной рабочей недели",
            "Saturday, a day off of the five-day week",
        ),
        (
            date(2025, 1, 12),
            "жексенбі, бес күндік жұмыс аптасының демалыс күні",
            "воскресенье, выходной день пятидневной рабочей недели",
            "Sunday, a day off of the five-day week",
        ),
        (
            date(2025, 12, 16),
            "мереке күні: Тәуелсіздік күні",
            "праздничный день: День Независимости",
            "holiday: Independence Day",
        ),
        (
            date(2025, 1, 3),
            "демалыс күні: оның орнына 2025 жылғы 5 қаңтар жұмыс күні болды",
            "выходной день: вместо него рабочим стало 5 января 2025 года",
            "day off: 5 January 2025 is worked in its place",
        ),
        (
            date(2025, 1, 5),
            "жұмыс күні: оның орнына 2025 жылғы 3 қаңтар демалыс күні болды",
            "рабочий день: вместо него выходным стало 3 января 2025 года",
            "working day: its day off was moved to 3 January 2025",
        ),
    ] {
        let text = &CALENDAR.day(day).expect("a day").last_reason().text;
        assert_eq!(
            (text.kk.as_str(), text.ru.as_str(), text.en.as_str()),
            (kk, ru, en),
            "{day}"
        );
    }
}

#[test]
fn constitution_day_2026_rolled_until_its_abolition_became_known() {
    let before = as_known_on("2026-01-01");
    assert_eq!(kinds(&before, date(2026, 8, 30)), [DayKind::Weekend, DayKind::Holiday]);
    assert_eq!(kinds(&before, date(2026, 8, 31)), [DayKind::RolledDayOff]);
    assert_eq!(kinds(&before, date(2027, 8, 30)), [DayKind::Holiday]);
    assert_eq!(kinds(&before, date(2027, 3, 15)), [DayKind::Working]);
    let eve = Calendar::new(&RULES, instant("2026-03-17T18:59:59Z")).expect("a calendar");
    assert_eq!(kinds(&eve, date(2026, 8, 31)), [DayKind::RolledDayOff]);
    let known = Calendar::new(&RULES, instant("2026-03-17T19:00:00Z")).expect("a calendar");
    assert_eq!(kinds(&known, date(2026, 8, 31)), [DayKind::Working]);
    assert_eq!(kinds(&known, date(2025, 8, 30)), [DayKind::Weekend, DayKind::Holiday]);
    assert_eq!(kinds(&known, date(2027, 3, 15)), [DayKind::Holiday]);
    assert_eq!(&**known.version(), "18@2026-03-17T19:00:00Z");
}

#[test]
fn kurban_ait_2024_moved_from_17_to_16_june_on_7_june() {
    for (known_on, seventeenth_worked) in [
        ("2024-06-01", false),
        ("2024-06-06", false),
        ("2024-06-07", true),
        ("2024-06-08", true),
    ] {
        let calendar = as_known_on(known_on);
        let day = calendar.day(date(2024, 6, 17)).expect("a day of the calendar");
        assert_eq!(day.is_working(), seventeenth_worked, "{known_on}");
        let sunday: &[_] = if seventeenth_worked {
            &[DayKind::Weekend, DayKind::DayOff]
        } else {
            &[DayKind::Weekend]
        };
        assert_eq!(kinds(&calendar, date(2024, 6, 16)), sunday, "{known_on}");
    }
}

#[test]
fn a_transfer_moves_nothing_before_its_act_was_published() {
    for (known_on, worked) in [("2024-11-20", false), ("2024-11-21", true)] {
        let calendar = as_known_on(known_on);
        assert_eq!(calendar.day(date(2025, 1, 5)).expect("a day").is_working(), worked);
        assert_eq!(calendar.day(date(2025, 1, 3)).expect("a day").is_working(), !worked);
    }
}

#[test]
fn a_year_is_provisional_until_kurban_ait_is_announced() {
    let provisional = |calendar: &Calendar, year| calendar.day(date(year, 7, 1)).expect("a day").provisional;
    assert!((2016..=2026).all(|year| !provisional(&CALENDAR, year)));
    assert!((2027..=2036).all(|year| provisional(&CALENDAR, year)));
    assert!(provisional(&as_known_on("2019-11-30"), 2020));
    assert!(!provisional(&as_known_on("2019-12-01"), 2020));
}

#[test]
fn days_outside_2016_to_2036_are_refused() {
    for day in [date(2015, 12, 31), date(2037, 1, 1), date(1, 1, 1), date(9999, 12, 31)] {
        let refused = CALENDAR.day(day).map(|day| day.kind);
        assert_eq!(refused, Err(CalendarError::YearOutOfRange { year: day.year() }));
    }
    assert!(
        CALENDAR
            .days(FIRST_DAY, LAST_DAY)
            .is_ok_and(|days| days.last().is_some_and(|day| day.date == LAST_DAY))
    );
    assert!(matches!(
        CALENDAR.days(LAST_DAY, FIRST_DAY),
        Err(CalendarError::RangeReversed { .. })
    ));
    assert!(matches!(
        CALENDAR.next_working_day(LAST_DAY),
        Err(CalendarError::YearOutOfRange { year: 2037 })
    ));
}

#[test]
fn withdrawing_an_act_restores_what_was_before_it() {
    let mut rules = RULES.clone();
    let act = rules
        .acts
        .iter_mut()
        .find(|act| act.id == "g24g0000436")
        .expect("the act of 2025");
    act.withdrawn_at = Some(instant("2024-12-01T00:00:00Z"));
    let stood = Calendar::new(&rules, instant("2024-11-30T00:00:00Z")).expect("a calendar");
    let withdrawn = Calendar::new(&rules, instant("2024-12-02T00:00:00Z")).expect("a calendar");
    assert!(stood.day(date(2025, 1, 5)).expect("a day").is_working());
    assert!(!withdrawn.day(date(2025, 1, 5)).expect("a day").is_working());
    assert_ne!(stood.version(), withdrawn.version());
}

#[test]
fn there_is_one_calendar_for_each_state_of_knowledge() {
    let calendars = Calendars::new(RULES.clone());
    let at = |text| calendars.as_known_at(instant(text)).expect("a calendar");
    let (eve, day) = (at("2026-03-17T18:59:59.999Z"), at("2026-03-17T19:00:00Z"));
    assert!(std::sync::Arc::ptr_eq(&day, &at("2026-09-01T00:00:00Z")));
    assert!(!std::sync::Arc::ptr_eq(&day, &eve));
    for known_at in [
        "2015-01-01T00:00:00Z",
        "2016-01-01T00:00:00Z",
        "2024-06-06T19:00:00Z",
        "2030-01-01T00:00:00Z",
    ] {
        let computed = Calendar::new(&RULES, instant(known_at)).expect("a calendar");
        assert_eq!(*at(known_at), computed, "{known_at}");
    }
}

#[test]
fn the_embedded_data_is_complete_in_three_languages_with_grades_and_links() {
    assert_eq!(
        (RULES.acts.len(), RULES.holidays.len(), RULES.days_off.len()),
        (18, 18, 13)
    );
    assert_eq!((RULES.provisions.len(), RULES.terms.len()), (14, 5));
    let names = RULES
        .holidays
        .iter()
        .map(|rule| &rule.name)
        .chain(RULES.days_off.iter().map(|rule| &rule.name));
    assert!(
        names
            .into_iter()
            .all(|name| [&name.kk, &name.ru, &name.en].iter().all(|text| !text.is_empty()))
    );
    let unlinked: Vec<_> = RULES
        .acts
        .iter()
        .filter(|act| act.uri.is_empty())
        .map(|act| act.id.as_str())
        .collect();
    assert_eq!(unlinked, ["law-241-viii", "constitution-day-2026"]);
    assert!(RULES.transfers.iter().all(|rule| rule.source.grade != Grade::D));
}

#[test]
fn a_rule_of_an_act_that_is_not_given_is_refused() {
    let mut rules = RULES.clone();
    rules.acts.retain(|act| act.id != "p1600000067");
    let refused = Calendar::new(&rules, instant("2026-01-01T00:00:00Z")).map(|calendar| calendar.version().clone());
    assert_eq!(
        refused,
        Err(CalendarError::ActUnknown {
            act: "p1600000067".to_owned()
        })
    );
}
