use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn facts(bin: &str, valid_to: Option<Date>) -> Facts {
    Facts {
        title: LocalizedText::new("", "", "Ministry of Justice"),
        certificate_name: Some("justice".into()),
        bin: Some(bin.into()),
        kind: BodyKind::StateBody,
        territory: None,
        legal_basis: LegalBasis::parse("Order 1, para 2"),
        valid_to,
    }
}

fn row(number: i64, from: Date, to: Option<Date>) -> Body {
    Body {
        number,
        id: "justice".into(),
        valid_from: from,
        facts: facts("160340014245", to),
        recorded_at: Timestamp::UNIX_EPOCH,
    }
}

/// 2024, and from 2026 on; nothing in 2025.
fn rows() -> Vec<Body> {
    vec![
        row(1, date(2024, 1, 1), Some(date(2024, 12, 31))),
        row(2, date(2026, 1, 1), None),
    ]
}

#[test]
fn what_holds_on_a_day_is_shown_else_what_begins_next_else_what_held_last() {
    let rows = rows();
    let shown = |day| as_of(&rows, day).expect("something is known").number;
    for (day, number) in [
        (date(2023, 6, 1), 1),
        (date(2024, 1, 1), 1),
        (date(2024, 12, 31), 1),
        (date(2025, 6, 1), 2),
        (date(2026, 1, 1), 2),
    ] {
        assert_eq!(shown(day), number, "{day}");
    }
    assert_eq!(as_of(&rows[..1], date(2025, 6, 1)).map(|row| row.number), Some(1));
    assert_eq!(as_of(&[], date(2025, 6, 1)), None);
}

#[test]
fn what_is_otherwise_from_a_day_on_leaves_the_time_before_as_it_was() {
    let changed = change(&rows(), Some(date(2026, 7, 1)), date(2026, 3, 1), |facts| {
        facts.bin = Some("050140004567".into());
    });
    let changed = changed.expect("it is in force").expect("it differs");
    assert_eq!(changed.superseded, 2);
    let spans: Vec<_> = changed
        .written
        .iter()
        .map(|row| (row.valid_from, row.facts.valid_to, row.facts.bin.as_deref()))
        .collect();
    assert_eq!(
        spans,
        [
            (date(2026, 1, 1), Some(date(2026, 6, 30)), Some("160340014245")),
            (date(2026, 7, 1), None, Some("050140004567")),
        ]
    );
}

#[test]
fn a_correction_and_a_change_from_the_first_day_on_leave_nothing_of_the_row() {
    for from in [None, Some(date(2026, 1, 1))] {
        let changed = change(&rows(), from, date(2026, 3, 1), |facts| facts.bin = None);
        let changed = changed.expect("it is in force").expect("it differs");
        assert_eq!(changed.written.len(), 1);
        assert_eq!(changed.written[0].valid_from, date(2026, 1, 1));
    }
}

#[test]
fn what_is_so_already_writes_nothing_and_what_cannot_be_is_told() {
    let (rows, today) = (rows(), date(2026, 3, 1));
    assert_eq!(change(&rows, None, today, |_| {}), Ok(None));
    assert_eq!(
        change(&rows, Some(date(2025, 1, 1)), today, |facts| facts.bin = None),
        Err(Unfit::NotInForce)
    );
    let early = Some(date(2025, 12, 31));
    assert_eq!(
        change(&rows, None, today, |facts| facts.valid_to = early),
        Err(Unfit::EndsBefore)
    );
}

#[test]
fn a_certificate_and_a_receiving_body_count_while_their_rows_are_in_force() {
    let mut committee = row(3, date(2024, 1, 1), Some(date(2026, 6, 30)));
    committee.id = "committee".into();
    committee.facts.kind = BodyKind::Committee;
    committee.facts.certificate_name = None;
    let bodies = Bodies([rows(), vec![committee]].concat());
    let named = |day| bodies.of_certificate("justice", day).map(|row| row.number);
    assert_eq!(named(date(2024, 5, 1)), Some(1));
    assert_eq!(named(date(2025, 5, 1)), None);
    assert!(bodies.of_certificate("other", date(2026, 5, 1)).is_none());
    assert!(bodies.provides("committee", date(2026, 6, 30)));
    assert!(!bodies.provides("committee", date(2026, 7, 1)));
    assert!(!bodies.provides("justice", date(2026, 6, 30)), "it asks");
}

fn days() -> impl Strategy<Value = Date> {
    (0_i16..1500).prop_map(|day| date(2023, 6, 1) + jiff::Span::new().days(day))
}

proptest! {
    #[test]
    fn after_a_change_the_rows_cover_the_same_days_once_and_only_those_from_its_day_on_are_otherwise(
        from in days(), probe in days(),
    ) {
        let rows = rows();
        let changed = change(&rows, Some(from), from, |facts| facts.bin = None);
        let Ok(Some(changed)) = changed else {
            prop_assert!(rows.iter().all(|row| !row.covers(from)));
            return Ok(());
        };
        let kept = rows.iter().filter(|row| row.number != changed.superseded).cloned();
        let written = changed.written.iter().map(|row| Body { facts: row.facts.clone(), ..self::row(9, row.valid_from, None) });
        let after: Vec<Body> = kept.chain(written).collect();
        let covering: Vec<&Body> = after.iter().filter(|row| row.covers(probe)).collect();
        let before: Vec<&Body> = rows.iter().filter(|row| row.covers(probe)).collect();
        prop_assert_eq!(covering.len(), before.len());
        if let (Some(after), Some(before)) = (covering.first(), before.first()) {
            let changes = probe >= from && before.number == changed.superseded;
            prop_assert_eq!(after.facts.bin.is_none(), changes);
        }
    }
}
