//! Acts recorded on top of the embedded ones.

use jiff::{
    ToSpan,
    civil::{Date, date},
};
use proptest::prelude::*;

use super::{super::amendment::Contradiction, *};

const AT: &str = "2026-11-24T10:00:00Z";

fn source(act: &str) -> Source {
    let cited = (act.to_owned(), "labour-code".to_owned());
    RULES
        .source(cited, "art. 85", Grade::A, Knowledge::default())
        .expect("the Labour Code is embedded")
}

fn amendment(holidays: &[(i8, i8)], days_off: &[Date], transfers: &[(Date, Date)]) -> Amendment {
    let mut act = RULES.acts[0].clone();
    act.id = "new".to_owned();
    let holidays = holidays.iter().map(|(month, day)| HolidayRule {
        key: format!("new-{month}-{day}"),
        month: *month,
        day: *day,
        first_year: 2027,
        source: source("new"),
        ..RULES.holidays[0].clone()
    });
    let days_off = days_off.iter().map(|date| DayOffRule {
        key: "new".to_owned(),
        date: *date,
        source: source("new"),
        ..RULES.days_off[0].clone()
    });
    let transfers = transfers.iter().map(|(working_day, day_off)| TransferRule {
        working_day: *working_day,
        day_off: *day_off,
        source: source("new"),
    });
    Amendment::new(act, holidays.collect(), days_off.collect(), transfers.collect())
}

fn contradictions(amendment: &Amendment) -> Vec<(RulePlace, Contradiction)> {
    amendment.contradictions(&RULES, instant(AT)).expect("a calendar")
}

#[test]
fn every_contradiction_is_found_at_its_place() {
    use Contradiction::*;
    use RulePlace::{DayOff, Holiday, TransferredDayOff, WorkingDay};
    let (saturday, friday, monday) = (date(2027, 4, 24), date(2027, 4, 30), date(2027, 4, 26));
    assert_eq!(
        contradictions(&amendment(&[(4, 19)], &[monday], &[(saturday, friday)])),
        []
    );
    for (holidays, days_off, transfers, expected) in [
        (
            vec![(4, 24), (4, 24)],
            vec![],
            vec![],
            vec![(Holiday(1), NamedTwice("new-4-24".to_owned()))],
        ),
        (
            vec![],
            vec![monday, friday],
            vec![],
            vec![(DayOff(1), NamedTwice("new of 2027".to_owned()))],
        ),
        (
            vec![(4, 24)],
            vec![],
            vec![(saturday, friday)],
            vec![(WorkingDay(0), BothWorkingAndOff(saturday))],
        ),
        (
            vec![],
            vec![saturday],
            vec![(saturday, friday)],
            vec![(WorkingDay(0), BothWorkingAndOff(saturday))],
        ),
        (
            vec![],
            vec![friday],
            vec![(saturday, friday)],
            vec![(TransferredDayOff(0), AlreadyOff(friday))],
        ),
        (
            vec![],
            vec![],
            vec![(saturday, saturday)],
            vec![(WorkingDay(0), BothWorkingAndOff(saturday))],
        ),
        (
            vec![],
            vec![],
            vec![(saturday, friday), (friday, monday)],
            vec![(WorkingDay(1), BothWorkingAndOff(friday))],
        ),
        (
            vec![],
            vec![],
            vec![(saturday, friday), (date(2027, 4, 25), saturday)],
            vec![(TransferredDayOff(1), BothWorkingAndOff(saturday))],
        ),
        (
            vec![],
            vec![],
            vec![(saturday, friday), (saturday, friday)],
            vec![
                (WorkingDay(1), MovedTwice(saturday)),
                (TransferredDayOff(1), MovedTwice(friday)),
            ],
        ),
        (
            vec![],
            vec![],
            vec![(monday, friday)],
            vec![(WorkingDay(0), AlreadyWorking(monday))],
        ),
        (
            vec![],
            vec![],
            vec![(saturday, date(2027, 5, 1))],
            vec![(TransferredDayOff(0), AlreadyOff(date(2027, 5, 1)))],
        ),
    ] {
        assert_eq!(contradictions(&amendment(&holidays, &days_off, &transfers)), expected);
    }
}

#[test]
fn a_day_that_another_act_moved_cannot_be_moved_again_unless_that_act_is_withdrawn() {
    let again = amendment(&[], &[], &[(date(2025, 1, 5), date(2025, 1, 3))]);
    let found = contradictions(&again);
    let faults: Vec<_> = found.iter().map(|(_, fault)| fault.to_string()).collect();
    assert_eq!(
        faults,
        [
            "2025-01-05 is already moved by Order of the Minister of Labour No. 436 of 2024",
            "2025-01-03 is already moved by Order of the Minister of Labour No. 436 of 2024",
        ]
    );
    let withdrawn = RULES
        .withdrawn("g24g0000436", instant(AT))
        .expect("days are all it brought");
    assert_eq!(again.contradictions(&withdrawn, instant(AT)), Ok(Vec::new()));
}

#[test]
fn an_act_on_which_general_rules_rest_stays_and_none_is_withdrawn_twice() {
    let at = instant(AT);
    let refused = |id: &str| RULES.withdrawn(id, at).map(|_| ()).expect_err("refused");
    assert!(matches!(refused("labour-code"), CalendarError::Indispensable { .. }));
    assert!(matches!(refused("code-350-vi"), CalendarError::Indispensable { .. }));
    assert!(matches!(refused("none"), CalendarError::ActUnknown { .. }));
    let once = RULES.withdrawn("p2300000326", at).expect("days are all it brought");
    let twice = once.withdrawn("p2300000326", at).map(|_| ()).expect_err("refused");
    assert!(matches!(twice, CalendarError::AlreadyWithdrawn { .. }));
}

fn any_day() -> impl Strategy<Value = Date> {
    (0..7671_i64).prop_map(|days| FIRST_DAY.saturating_add(days.days()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_sound_transfer_changes_exactly_its_two_days_and_its_withdrawal_restores_them(
        working_day in any_day(), day_off in any_day(),
    ) {
        let at = instant(AT);
        let known = Calendar::new(&RULES, at).expect("a calendar");
        let amendment = amendment(&[], &[], &[(working_day, day_off)]);
        prop_assume!(contradictions(&amendment).is_empty());
        let rules = RULES.with(amendment.clone().recorded(&RULES, at));
        let recorded = Calendar::new(&rules, at).expect("a calendar");
        let mut expected = [
            ChangedDay {
                date: working_day,
                old: known.day(working_day).expect("a day").kind,
                new: DayKind::TransferredWorkingDay,
            },
            ChangedDay { date: day_off, old: DayKind::Working, new: DayKind::TransferredDayOff },
        ];
        expected.sort_by_key(|change| change.date);
        prop_assert_eq!(changed_days(&known, &recorded).expect("days"), expected);
        let before = at - 1.microsecond();
        prop_assert_eq!(Calendar::new(&rules, before), Calendar::new(&RULES, before));

        let later = at + 1.hour();
        let withdrawn = Calendar::new(&rules.withdrawn("new", later).expect("days are all it brought"), later);
        let withdrawn = withdrawn.expect("a calendar");
        prop_assert_eq!(withdrawn.days(FIRST_DAY, LAST_DAY), known.days(FIRST_DAY, LAST_DAY));

        let supposed = hypothetical(&RULES, &known, amendment, at).expect("a calendar");
        prop_assert_eq!(supposed.days(FIRST_DAY, LAST_DAY), recorded.days(FIRST_DAY, LAST_DAY));
        prop_assert_eq!(&**supposed.version(), format!("{}+new", known.version()));
    }
}
