//! What was known when, and what changed it.

use jiff::{ToSpan, civil::date};

use super::*;

/// The registers as a service loaded them first.
fn loaded(at: Timestamp) -> RuleSet {
    let mut rules = RULES.clone();
    rules.acts.iter_mut().for_each(|act| act.recorded_at = Some(at));
    rules
}

fn with_act(rules: &RuleSet, id: &str, at: Timestamp) -> RuleSet {
    let mut act = RULES.acts[0].clone();
    act.id = id.to_owned();
    let amendment = Amendment::new(act, Vec::new(), Vec::new(), Vec::new());
    let mut more = amendment.recorded(rules, at);
    // Something must become known with it.
    let mut transfer = RULES.transfers[0].clone();
    transfer.source.act = id.to_owned();
    transfer.source.known = Knowledge {
        from: Some(at),
        ..Knowledge::default()
    };
    more.transfers.push(transfer);
    rules.with(more)
}

fn causes(rules: &RuleSet) -> Vec<(Timestamp, ChangeCause)> {
    let changes = rules.changes_in_use().into_iter();
    changes.map(|change| (change.at, change.cause)).collect()
}

#[test]
fn each_change_since_the_first_load_is_told_with_what_brought_it() {
    assert_eq!(causes(&RULES), [], "nothing is recorded");
    let first_load = instant("2024-06-06T19:00:00Z");
    let known = |text| (instant(text), ChangeCause::RegistersKnown);
    let of_registers = [
        known("2024-11-20T19:00:00Z"),
        known("2024-11-30T19:00:00Z"),
        known("2025-11-30T19:00:00Z"),
        known("2026-03-17T19:00:00Z"),
    ];
    let rules = loaded(first_load);
    assert_eq!(
        causes(&rules),
        of_registers,
        "what became known with the first load is no change"
    );

    let (recorded, withdrawn) = (instant("2026-11-24T10:00:00Z"), instant("2026-11-25T10:00:00Z"));
    let rules = with_act(&rules, "new", recorded).withdrawn("new", withdrawn);
    let mut rules = rules.expect("days are all it brought");
    let load = instant("2026-11-26T10:00:00Z");
    rules.loads.push(load);
    let in_use = [
        (recorded, ChangeCause::ActRecorded("new".to_owned())),
        (withdrawn, ChangeCause::ActWithdrawn("new".to_owned())),
        (load, ChangeCause::RegistersLoaded),
    ];
    assert_eq!(causes(&rules), [&of_registers[..], &in_use].concat());

    let at_once = with_act(&loaded(first_load), "new", first_load);
    assert_eq!(
        causes(&at_once)[0],
        (first_load, ChangeCause::ActRecorded("new".to_owned()))
    );

    let calendars = Calendars::new(rules.clone());
    assert_eq!(
        (calendars.recorded(), calendars.recorded_until()),
        ((19, 1, 1), Some(load))
    );
    assert_eq!(calendars.rules(), &rules);
    let after = |at| calendars.change_after(at).map(|change| change.at);
    assert_eq!(after(first_load), Some(of_registers[0].0));
    assert_eq!(after(recorded - 1.microsecond()), Some(recorded));
    assert_eq!(after(recorded), Some(withdrawn));
    assert_eq!(after(load), None);
}

#[test]
fn what_was_recorded_last_is_an_act_a_withdrawal_or_a_load_and_not_the_first_load() {
    let first_load = instant("2026-01-01T00:00:00Z");
    let rules = loaded(first_load);
    assert_eq!((rules.recorded_until(), RULES.recorded_until()), (None, None));
    assert_eq!(Calendars::new(rules.clone()).recorded(), (18, 0, 0));
    let (one, other) = (instant("2026-11-24T10:00:00Z"), instant("2026-11-25T10:00:00Z"));
    let rules = with_act(&with_act(&rules, "one", one), "other", other);
    assert_eq!(rules.recorded_until(), Some(other));
    assert_eq!(rules.act("other").map(|act| act.sequence), Ok(20));
}

#[test]
fn a_change_is_recorded_now_but_after_all_that_was_recorded_and_beside_no_other() {
    let known = instant("2026-03-17T19:00:00Z");
    assert_eq!(RULES.next_change(known - 1.second()), known - 1.second());
    assert_eq!(RULES.next_change(known), known + 1.microsecond());
    let recorded = instant("2026-11-24T10:00:00Z");
    let rules = with_act(&RULES, "new", recorded);
    for (now, next) in [
        (recorded - 1.hour(), recorded + 1.microsecond()),
        (recorded, recorded + 1.microsecond()),
        (recorded + 1.microsecond(), recorded + 1.microsecond()),
        (recorded + 1.hour(), recorded + 1.hour()),
    ] {
        assert_eq!(rules.next_change(now), next, "{now}");
    }
}

#[test]
fn a_row_is_known_from_its_first_instant_until_its_last_and_an_act_in_force_on_both_of_its_days() {
    let (from, to) = (instant("2026-01-01T00:00:00Z"), instant("2026-02-01T00:00:00Z"));
    let known = |from, to, at| {
        let assumed = false;
        Knowledge { from, to, assumed }.covers(at)
    };
    for (at, within) in [
        (from - 1.microsecond(), false),
        (from, true),
        (to - 1.microsecond(), true),
        (to, false),
        (to + 1.microsecond(), false),
    ] {
        assert_eq!(known(Some(from), Some(to), at), within, "{at}");
        assert_eq!(known(None, Some(to), at), at < to, "{at}");
        assert_eq!(known(Some(from), None, at), at >= from, "{at}");
    }
    let mut act = RULES.acts[0].clone();
    (act.valid_from, act.valid_to) = (Some(date(2026, 1, 1)), Some(date(2026, 1, 31)));
    for (day, in_force) in [
        (date(2025, 12, 31), false),
        (date(2026, 1, 1), true),
        (date(2026, 1, 31), true),
        (date(2026, 2, 1), false),
    ] {
        assert_eq!(act.in_force_on(day), in_force, "{day}");
    }
}

#[test]
fn an_act_brings_days_of_the_years_of_its_rules_and_of_no_other() {
    let mut rules = RULES.clone();
    let transfer = TransferRule {
        working_day: date(2029, 12, 29),
        day_off: date(2030, 1, 3),
        source: Source {
            act: "across".to_owned(),
            ..RULES.transfers[0].source.clone()
        },
    };
    let day_off = DayOffRule {
        date: date(2031, 5, 1),
        source: Source {
            act: "single".to_owned(),
            ..RULES.days_off[0].source.clone()
        },
        ..RULES.days_off[0].clone()
    };
    rules.transfers.push(transfer);
    rules.days_off.push(day_off);
    for (id, years) in [
        (
            "constitution-day-2026",
            vec![2024, 2025, 2027, 2028, 2029, 2030, 2031, 2032],
        ),
        ("g24g0000436", vec![2025]),
        ("across", vec![2029, 2030]),
        ("single", vec![2031]),
        ("instruction", vec![]),
    ] {
        let mut act = RULES.acts[0].clone();
        act.id = id.to_owned();
        let brought: Vec<_> = (2024..=2032).filter(|year| rules.brings_days_of(&act, *year)).collect();
        assert_eq!(brought, years, "{id}");
    }
}
