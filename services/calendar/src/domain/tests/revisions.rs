//! What a day off is named by, and how often its date was moved.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, date},
};

use super::*;

/// The kind, key and revision of the last reason that makes a day off.
fn named(calendar: &Calendar, day: Date) -> (DayKind, String, u32) {
    let reason = calendar.day(day).expect("a day of the calendar").last_reason();
    (reason.kind, reason.key.to_string(), reason.revision)
}

fn at() -> Timestamp {
    instant("2026-11-24T10:00:00Z")
}

/// An act that sets Kurban Ait of 2027.
fn announcement(id: &str, day: Date, at: Timestamp, rules: &RuleSet) -> RuleSet {
    let mut act = RULES.acts[0].clone();
    act.id = id.to_owned();
    let cited = (id.to_owned(), "labour-code".to_owned());
    let source = RULES.source(cited, "", Grade::A, Knowledge::default());
    let days_off = vec![DayOffRule {
        key: "kurban-ait".to_owned(),
        date: day,
        status: DayOffStatus::Announced,
        source: source.expect("the Labour Code is embedded"),
        ..RULES.days_off[0].clone()
    }];
    let amendment = Amendment::new(act, Vec::new(), days_off, Vec::new());
    rules.with(amendment.recorded(rules, at))
}

#[test]
fn a_day_off_is_named_by_its_holiday_or_occasion_and_a_rolled_day_by_its_holiday() {
    use DayKind::*;
    for (day, kind, key) in [
        (date(2017, 12, 16), Holiday, "independence-day-12-16"),
        (date(2017, 12, 18), RolledDayOff, "independence-day-12-16"),
        (date(2017, 12, 19), RolledDayOff, "independence-day-12-17"),
        (date(2025, 6, 6), DayOff, "kurban-ait"),
        (date(2025, 1, 7), DayOff, "orthodox-christmas-01-07"),
        (date(2025, 1, 3), TransferredDayOff, ""),
        (date(2025, 1, 5), TransferredWorkingDay, ""),
        (date(2025, 1, 11), Weekend, ""),
        (date(2025, 1, 13), Working, ""),
    ] {
        assert_eq!(named(&CALENDAR, day), (kind, key.to_owned(), 0), "{day}");
    }
    let reasons = CALENDAR.days(FIRST_DAY, LAST_DAY).expect("all days").iter();
    for reason in reasons.flat_map(|day| day.reasons.iter()) {
        let of_a_holiday = matches!(reason.kind, Holiday | DayOff | RolledDayOff);
        assert_eq!(of_a_holiday, !reason.key.is_empty(), "{reason:?}");
    }
}

#[test]
fn kurban_ait_2024_is_at_its_first_revision_from_7_june_2024_and_no_other_day_ever_moved() {
    let kurban_ait = |revision| (DayKind::DayOff, "kurban-ait".to_owned(), revision);
    assert_eq!(named(&as_known_on("2024-06-01"), date(2024, 6, 17)), kurban_ait(0));
    assert_eq!(named(&as_known_on("2024-06-06"), date(2024, 6, 17)), kurban_ait(0));
    assert_eq!(named(&as_known_on("2024-06-07"), date(2024, 6, 16)), kurban_ait(1));
    assert_eq!(named(&as_known_on("2024-06-08"), date(2024, 6, 16)), kurban_ait(1));
    let days = CALENDAR.days(FIRST_DAY, LAST_DAY).expect("all days").iter();
    let moved = days.filter(|day| day.reasons.iter().any(|reason| reason.revision > 0));
    assert_eq!(
        moved.map(|day| day.date).collect::<Vec<_>>(),
        [date(2024, 6, 16)],
        "the end of Constitution Day in August is no move"
    );
}

#[test]
fn announcing_an_expected_date_moves_nothing_and_another_date_does() {
    let kurban_ait = |rules: &RuleSet, day, at| named(&Calendar::new(rules, at).expect("a calendar"), day);
    let same = announcement("first", date(2027, 5, 16), at(), &RULES);
    assert_eq!(kurban_ait(&same, date(2027, 5, 16), at()).2, 0);

    let at_once = announcement("other", date(2027, 5, 17), at(), &same);
    assert_eq!(
        kurban_ait(&at_once, date(2027, 5, 17), at()).2,
        1,
        "the act recorded last holds"
    );

    let later = at() + 1.hour();
    let moved = announcement("second", date(2027, 5, 17), later, &same);
    assert_eq!(kurban_ait(&moved, date(2027, 5, 17), later).2, 1);
    assert_eq!(kurban_ait(&moved, date(2027, 5, 16), at()).2, 0, "not known yet");

    let latest = later + 1.hour();
    let withdrawn = moved.withdrawn("second", latest).expect("days are all it brought");
    assert_eq!(kurban_ait(&withdrawn, date(2027, 5, 16), latest).2, 2, "it moved back");
    assert_eq!(kurban_ait(&withdrawn, date(2027, 5, 17), later).2, 1);
}

#[test]
fn a_holiday_that_an_act_puts_on_another_date_moved_in_the_years_of_both_rules() {
    let mut act = RULES.acts[0].clone();
    act.id = "new".to_owned();
    let victory_day = RULES.holidays.iter().find(|rule| rule.key == "victory-day-05-09");
    let mut rule = victory_day.expect("it is embedded").clone();
    rule.day = 8;
    rule.source.act = "new".to_owned();
    let amendment = Amendment::new(act, vec![rule], Vec::new(), Vec::new());
    let calendar = Calendar::new(&RULES.with(amendment.recorded(&RULES, at())), at()).expect("a calendar");
    let key = "victory-day-05-09".to_owned();
    assert_eq!(named(&calendar, date(2028, 5, 8)), (DayKind::Holiday, key.clone(), 1));
    // 8 May 2027 is a Saturday: it rolls to the Monday.
    assert_eq!(named(&calendar, date(2027, 5, 10)), (DayKind::RolledDayOff, key, 1));
    assert_eq!(named(&calendar, date(2028, 5, 1)).2, 0);
}
