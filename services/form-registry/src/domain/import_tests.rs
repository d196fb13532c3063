use std::collections::BTreeMap;

use bigdecimal::BigDecimal;
use proptest::prelude::*;

use super::*;
use crate::domain::observation::exact;

const SEX: [(&str, i32); 3] = [("T", 21), ("F", 22), ("M", 23)];
const AGE: [(&str, i32); 2] = [("ALL", 31), ("Y1", 32)];

fn codes(given: &[(&str, i32)]) -> HashMap<String, i32> {
    given.iter().map(|(code, id)| ((*code).to_owned(), *id)).collect()
}

/// Indicator `crimes` by both dimensions, `cases` by SEX and no territory.
fn register(rules: Vec<Rule>) -> Register {
    let known = |id, by_territory, ages| Known {
        id,
        by_territory,
        dimensions: [true, ages, false, false, false, false, false, false],
    };
    Register {
        period: "2026-M01".parse().expect("a period"),
        indicators: [("crimes", known(2, true, true)), ("cases", known(1, false, false))]
            .map(|(code, known)| (code.to_owned(), known))
            .into(),
        territories: codes(&[("75", 11), ("7501", 12), ("7502", 13)]),
        axes: [("SEX", &SEX[..]), ("AGE", &AGE[..])]
            .map(|(id, given)| Axis {
                id: id.to_owned(),
                codes: codes(given),
            })
            .into(),
        rules,
        learns: false,
    }
}

type Line<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str);

fn check(register: Register, lines: &[Line<'_>]) -> Check {
    let mut check = Check::new(register, 1_000_000);
    for (indicator, territory, sex, age, value) in lines {
        check.add(&Given {
            indicator,
            territory,
            dimensions: &[(*sex).to_owned(), (*age).to_owned()],
            value,
            status: 0,
            period: "",
        });
    }
    check
}

fn rule(axis: Option<usize>, total: i32, parts: &[i32]) -> Rule {
    Rule {
        axis,
        total,
        parts: parts.iter().copied().collect(),
    }
}

/// Rows and columns of the faults.
fn faults(checked: Result<Checked, Faults>) -> (i64, Vec<(i64, String, Kind)>) {
    let faults = checked.err().unwrap_or_default();
    let first = faults
        .first
        .into_iter()
        .map(|fault| (fault.row, fault.column, fault.kind));
    (faults.count, first.collect())
}

#[test]
fn rows_become_numbers_in_their_order_with_the_breakdowns_that_they_have() {
    let lines = [
        ("crimes", "7501", "F", "Y1", "1"),
        ("crimes", "", "", "", "2"),
        ("crimes", "75", "", "Y1", "3"),
        ("cases", "", "M", "", "4.50"),
    ];
    let checked = check(register(Vec::new()), &lines).done().expect("it is sound");
    let mut breakdowns: Vec<_> = checked.breakdowns.clone();
    breakdowns.sort();
    let own = |parts: &[(&str, i32)]| -> Vec<(String, i32)> {
        parts.iter().map(|(id, code)| ((*id).to_owned(), *code)).collect()
    };
    assert_eq!(
        breakdowns,
        [
            own(&[]),
            own(&[("AGE", 32)]),
            own(&[("AGE", 32), ("SEX", 22)]),
            own(&[("SEX", 23)])
        ],
        "by dimension, and without those that a row has no code of"
    );
    let rows = checked.rows.iter().map(|row| {
        let breakdown = checked.breakdowns[row.breakdown as usize].clone();
        (
            row.indicator,
            row.territory,
            breakdown,
            row.value.map(|value| value.to_string()),
        )
    });
    let value = |text: &str| Some(text.to_owned());
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [
            (1, 0, own(&[("SEX", 23)]), value("4.5")),
            (2, 0, own(&[]), value("2")),
            (2, 11, own(&[("AGE", 32)]), value("3")),
            (2, 12, own(&[("AGE", 32), ("SEX", 22)]), value("1")),
        ]
    );
}

#[test]
fn each_fault_has_its_row_and_column() {
    let lines = [
        ("crimes", "7501", "F", "", "1"),
        ("thefts", "", "", "", "1"),
        ("", "", "", "", "1"),
        ("cases", "75", "", "", "1"),
        ("crimes", "76", "", "", "1"),
        ("crimes", "", "X", "", "1"),
        ("cases", "", "", "Y1", "1"),
        ("crimes", "", "", "", "x"),
        ("crimes", "", "", "", ""),
        ("crimes", "7501", "F", "", "2"),
    ];
    let own = |row, column: &str, kind| (row, column.to_owned(), kind);
    let expected = vec![
        own(2, "indicator", Kind::Unknown),
        own(3, "indicator", Kind::Required),
        own(4, "territory", Kind::Conflict),
        own(5, "territory", Kind::Unknown),
        own(6, "SEX", Kind::Unknown),
        own(7, "AGE", Kind::Conflict),
        own(8, "value", Kind::Decimal),
        own(9, "value", Kind::Required),
        own(10, "indicator", Kind::Duplicate),
    ];
    assert_eq!(faults(check(register(Vec::new()), &lines).done()), (9, expected));
    let mut check = Check::new(register(Vec::new()), 10);
    for (dimensions, status, period) in [
        (1, 0, ""),
        (2, 99, ""),
        (2, 11, ""),
        (2, 0, "2026-M02"),
        (2, 1, "2026-M01"),
    ] {
        check.add(&Given {
            indicator: "crimes",
            territory: "",
            dimensions: &vec![String::new(); dimensions],
            value: "1",
            status,
            period,
        });
    }
    assert_eq!(check.count(), 5);
    let expected = vec![
        own(1, "dimensions", Kind::OutOfRange),
        own(2, "status", Kind::Enum),
        own(3, "status", Kind::Status),
        own(4, "period", Kind::Period),
    ];
    assert_eq!(faults(check.done()), (4, expected));
}

#[test]
fn the_same_row_of_an_import_given_twice_is_told_at_the_later_one() {
    let line = ("crimes", "", "", "", "1");
    let other = ("crimes", "75", "", "", "1");
    let (count, told) = faults(check(register(Vec::new()), &[line, other, line, line]).done());
    assert_eq!(count, 2);
    assert_eq!(told.iter().map(|fault| fault.0).collect::<Vec<_>>(), [3, 4]);
}

#[test]
fn totals_are_compared_along_each_dimension_and_to_the_last_digit() {
    let sexes = || rule(Some(0), 21, &[22, 23]);
    let territories = || rule(None, 11, &[12, 13]);
    let large = "9999999999999999999999999999";
    let lines = |total: &'static str| {
        vec![
            ("crimes", "75", "", "", total),
            ("crimes", "7501", "", "", large),
            ("crimes", "7502", "", "", "0.0000000001"),
            ("crimes", "7501", "T", "Y1", "3"),
            ("crimes", "7501", "F", "Y1", "1"),
            ("crimes", "7501", "M", "Y1", "2"),
            ("crimes", "7501", "M", "", "7"),
            ("crimes", "7502", "T", "Y1", "50"),
        ]
    };
    let found = |rules, lines: &[Line<'_>]| {
        let checked = check(register(rules), lines).done();
        let faults = checked.err().unwrap_or_default();
        let told = faults.first.into_iter().map(|fault| (fault.row, fault.value));
        told.collect::<Vec<_>>()
    };
    assert_eq!(found(vec![sexes()], &lines(large)), [], "the sum has a part of each");
    let told = found(vec![territories(), sexes()], &lines(large));
    assert_eq!(
        told.iter().map(|told| told.0).collect::<Vec<_>>(),
        [1],
        "a ten-thousand-millionth is missing"
    );
    let mut both = lines(large);
    both[3].4 = "4";
    assert_eq!(found(vec![sexes()], &both), [(4, "4 is not 3".to_owned())]);
    assert_eq!(found(vec![territories(), sexes()], &both).len(), 2);
    assert_eq!(
        found(vec![rule(Some(0), 21, &[22])], &lines(large)),
        [(4, "3 is not 1".to_owned())]
    );
    assert_eq!(
        found(vec![rule(Some(1), 31, &[32])], &lines(large)),
        [],
        "no row is such a total"
    );
}

#[test]
fn of_many_wrong_totals_the_first_hundred_rows_are_told_and_all_counted() {
    let mut register = register(vec![rule(Some(0), 21, &[22])]);
    register.territories = (1..=300).map(|id| (format!("K{id}"), 1000 + id)).collect();
    let names: Vec<String> = (1..=300).rev().map(|id| format!("K{id}")).collect();
    let totals = names.iter().map(|name| ("crimes", name.as_str(), "T", "", "2"));
    let parts = names.iter().map(|name| ("crimes", name.as_str(), "F", "", "1"));
    let lines: Vec<Line<'_>> = totals.chain(parts).collect();
    let (count, told) = faults(check(register, &lines).done());
    assert_eq!((count, told.len()), (300, 100));
    let rows: Vec<i64> = told.iter().map(|fault| fault.0).collect();
    assert_eq!(rows, (1..=100).collect::<Vec<i64>>());
}

#[test]
fn a_repetition_has_the_digest_of_the_import_whatever_is_registered() {
    let lines = [
        ("crimes", "7501", "F", "Y1", "1.0"),
        ("cases", "", "M", "", "4"),
        ("crimes", "", "", "", "-2"),
    ];
    let dimensions = ["SEX".to_owned(), "AGE".to_owned()];
    let again = || Register::of_repetition("2026-M01".parse().expect("a period"), &dimensions);
    let digest = |register, lines: &[Line<'_>]| check(register, lines).done().expect("it is sound").sha256;
    let first = digest(register(Vec::new()), &lines);
    let turned: Vec<_> = lines.iter().rev().copied().collect();
    assert_eq!((digest(again(), &lines), digest(again(), &turned)), (first, first));
    for at in 0..3 {
        let mut other = lines;
        other[at].4 = "5";
        assert_ne!(digest(again(), &other), first);
    }
    let long = "x".repeat(41);
    let (fits, empty) = (&long[..40], "");
    for (line, expected) in [
        ((fits, fits, fits, fits, "1"), &[][..]),
        ((long.as_str(), "", "", "", "1"), &["indicator"]),
        ((empty, "", "", "", "1"), &["indicator"]),
        (("a", long.as_str(), "", "", "1"), &["territory"]),
        (("a", "", long.as_str(), "", "1"), &["SEX"]),
    ] {
        let (_, told) = faults(check(again(), &[line]).done());
        assert_eq!(
            told.iter().map(|fault| fault.1.as_str()).collect::<Vec<_>>(),
            expected,
            "{line:?}"
        );
    }
}

#[test]
fn a_repetition_learns_a_bounded_number_of_codes() {
    let mut register = Register::of_repetition("2026-M01".parse().expect("a period"), &["SEX".to_owned()]);
    register.territories = (1..200_000).map(|id| (format!("K{id}"), id)).collect();
    assert_eq!(register.learned("a"), Some(200_000));
    register.axes[0].codes.insert("F".into(), 200_000);
    assert_eq!(register.learned("a"), None);
    let sound = self::register(Vec::new());
    assert_eq!(sound.learned("a"), None, "only a repetition learns");
}

#[test]
fn combinations_of_codes_are_counted() {
    let register = Register::of_repetition("2026-M01".parse().expect("a period"), &["SEX".to_owned()]);
    let mut check = Check::new(register, 100_000);
    let add = |check: &mut Check, n: usize| {
        check.add(&Given {
            indicator: "a",
            territory: "",
            dimensions: &[format!("C{n}")],
            value: "1",
            status: 0,
            period: "",
        });
    };
    (0..BREAKDOWNS).for_each(|n| add(&mut check, n));
    assert!(!check.has_too_many_breakdowns());
    add(&mut check, BREAKDOWNS);
    assert!(check.has_too_many_breakdowns());
}

#[test]
fn more_rows_than_few_find_room() {
    let mut check = Check::new(register(Vec::new()), u32::MAX / 1000);
    let few = u32::try_from(FEW).expect("it fits");
    for _ in 0..=few {
        check.add(&Given {
            indicator: "crimes",
            territory: "",
            dimensions: &[String::new(), String::new()],
            value: "1",
            status: 0,
            period: "",
        });
    }
    assert!(check.rows.capacity() >= 4_000_000, "they move once");
    assert_eq!(faults(check.done()).0, i64::from(few), "each is the first one again");
}

/// The places of indicator, territory, sex and age, and tenths.
type Placed = (usize, usize, usize, usize, i64);

/// The rows of wrong totals, found the long way.
fn long_way(lines: &[Placed]) -> Vec<u32> {
    let sum = |of: &dyn Fn(&Placed) -> bool| -> Option<BigDecimal> {
        let parts: Vec<i64> = lines.iter().filter(|line| of(line)).map(|line| line.4).collect();
        (!parts.is_empty()).then(|| parts.iter().map(|part| exact(Decimal::new(*part, 1))).sum())
    };
    let mut wrong = Vec::new();
    for (number, line) in (1..).zip(lines) {
        let (indicator, territory, sex, age, value) = *line;
        let value = exact(Decimal::new(value, 1));
        let over_territory =
            sum(&|part| territory == 1 && part.1 > 1 && (part.0, part.2, part.3) == (indicator, sex, age));
        let over_sex = sum(&|part| sex == 1 && part.2 > 1 && (part.0, part.1, part.3) == (indicator, territory, age));
        wrong.extend(
            [over_territory, over_sex]
                .into_iter()
                .flatten()
                .filter(|sum| *sum != value)
                .map(|_| number),
        );
    }
    wrong.dedup();
    wrong
}

proptest! {
    #[test]
    fn wrong_totals_are_those_found_the_long_way(
        given in prop::collection::btree_map((0..2_usize, 0..4_usize, 0..4_usize, 0..2_usize), 0..3_i64, 1..40)
    ) {
        let given: BTreeMap<_, i64> = given;
        let lines: Vec<_> = given.iter().map(|((i, t, s, a), value)| (*i, *t, *s, *a, *value)).collect();
        let mut register = register(vec![rule(None, 11, &[12, 13]), rule(Some(0), 21, &[22, 23])]);
        for known in register.indicators.values_mut() {
            (known.by_territory, known.dimensions) = (true, [true; DIMENSIONS]);
        }
        let texts: Vec<String> = lines.iter().map(|line| Decimal::new(line.4, 1).to_string()).collect();
        let rows: Vec<Line<'_>> = lines.iter().zip(&texts).map(|((i, t, s, a, _), value)| (
            ["crimes", "cases"][*i], ["", "75", "7501", "7502"][*t], ["", "T", "F", "M"][*s], ["", "Y1"][*a], value.as_str(),
        )).collect();
        let mut found: Vec<u32> = match check(register, &rows).done() {
            Ok(_) => Vec::new(),
            Err(faults) => faults.first.iter().map(|fault| u32::try_from(fault.row).expect("few")).collect(),
        };
        found.dedup();
        prop_assert_eq!(found, long_way(&lines));
    }
}
