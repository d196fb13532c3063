//! When a request counts as registered, why, and for which receipts that is the answer.

use std::sync::Arc;

use jiff::civil::{Date, date};
use legalstat_kit::zone::{beginning, end};

use super::{
    super::registration::{Registration, RegistrationCause, register},
    *,
};

fn registered(received_at: &str, settled: Option<Date>, hours_assumed: bool) -> Registration {
    let hours = WorkingHours {
        assumed: hours_assumed,
        ..WorkingHours::default()
    };
    register(&CALENDAR, instant(received_at), settled, hours).expect("a receipt within the calendar")
}

#[test]
fn a_registration_has_its_day_its_cause_and_the_receipts_that_share_both() {
    use RegistrationCause::{AfterHours, DayOff, Receipt, Settled};
    let (friday, saturday, monday) = (date(2026, 1, 30), date(2026, 1, 31), date(2026, 2, 2));
    let closing = instant("2026-01-30T18:30:00+05:00");
    let (before, after) = (beginning(friday)..closing, closing..end(friday));
    let whole = |day| beginning(day)..end(day);
    let tuesday = date(2026, 2, 3);
    for (received_at, settled, registered_on, cause, within) in [
        ("2026-01-30T00:00:00+05:00", None, friday, Receipt, before.clone()),
        ("2026-01-30T18:29:59+05:00", None, friday, Receipt, before.clone()),
        ("2026-01-30T18:30:00+05:00", None, monday, AfterHours, after.clone()),
        ("2026-01-30T19:00:00+05:00", None, monday, AfterHours, after.clone()),
        ("2026-01-31T10:00:00+05:00", None, monday, DayOff, whole(saturday)),
        ("2026-01-31T19:00:00+05:00", None, monday, DayOff, whole(saturday)),
        ("2026-01-30T10:00:00+05:00", Some(tuesday), tuesday, Settled, before),
        ("2026-01-30T19:00:00+05:00", Some(tuesday), tuesday, AfterHours, after),
        (
            "2026-01-31T10:00:00+05:00",
            Some(tuesday),
            tuesday,
            DayOff,
            whole(saturday),
        ),
        (
            "2026-01-30T10:00:00+05:00",
            Some(friday),
            friday,
            Receipt,
            whole(friday),
        ),
        (
            "2026-01-30T19:00:00+05:00",
            Some(friday),
            friday,
            Receipt,
            whole(friday),
        ),
        (
            "2026-01-31T10:00:00+05:00",
            Some(saturday),
            saturday,
            Receipt,
            whole(saturday),
        ),
    ] {
        let told = registered(received_at, settled, true);
        assert_eq!(
            (told.registered_on, told.cause),
            (registered_on, cause),
            "{received_at} {settled:?}"
        );
        assert_eq!(told.received_within, within, "{received_at} {settled:?}");
        assert_eq!(told.legal_basis.notation(), "Code 350-VI, art. 64(3)");
    }
}

#[test]
fn until_july_2021_a_request_was_registered_on_its_receipt_at_any_time_of_any_day() {
    for (received_at, settled, cause, law) in [
        (
            "2019-06-26T10:00:00+06:00",
            None,
            RegistrationCause::Receipt,
            "Law 221, art. 7",
        ),
        (
            "2019-06-26T19:00:00+06:00",
            None,
            RegistrationCause::Receipt,
            "Law 221, art. 7",
        ),
        (
            "2019-06-29T10:00:00+06:00",
            None,
            RegistrationCause::Receipt,
            "Law 221, art. 7",
        ),
        (
            "2019-06-26T10:00:00+06:00",
            Some(1),
            RegistrationCause::Settled,
            "assumed: Law 221, art. 7",
        ),
    ] {
        let day = instant(received_at).to_zoned(legalstat_kit::zone::astana()).date();
        let settled = settled.map(|_: i32| day.tomorrow().expect("a next day"));
        let told = registered(received_at, settled, false);
        assert_eq!(
            (told.registered_on, told.cause),
            (settled.unwrap_or(day), cause),
            "{received_at}"
        );
        assert_eq!(told.legal_basis.notation(), law, "{received_at}");
        assert_eq!(told.assumed, settled.is_some(), "{received_at}");
        if settled.is_none() {
            assert_eq!(told.received_within, beginning(day)..end(day), "{received_at}");
        }
    }
}

#[test]
fn a_registration_is_assumed_by_the_hours_only_after_them_and_by_the_day_only_if_it_is_off() {
    let mut rules = RULES.clone();
    for rule in rules
        .transfers
        .iter_mut()
        .filter(|rule| rule.day_off == date(2025, 1, 3))
    {
        rule.source.legal_basis = Arc::new(legalstat_kit::law::LegalBasis::clone(&rule.source.legal_basis).assumed());
    }
    let calendar = Calendar::new(&rules, instant("2027-06-01T00:00:00Z")).expect("a calendar");
    for (received_at, hours_assumed, assumed) in [
        ("2026-01-30T10:00:00+05:00", true, false),
        ("2026-01-30T19:00:00+05:00", true, true),
        ("2026-01-30T19:00:00+05:00", false, false),
        ("2026-01-31T19:00:00+05:00", true, false),
        // Assumed days: 3 January off, 5 January worked.
        ("2025-01-03T10:00:00+05:00", false, true),
        ("2025-01-05T10:00:00+05:00", true, false),
        ("2025-01-05T19:00:00+05:00", false, false),
    ] {
        let hours = WorkingHours {
            assumed: hours_assumed,
            ..WorkingHours::default()
        };
        let told = register(&calendar, instant(received_at), None, hours).expect("a receipt within the calendar");
        assert_eq!(told.assumed, assumed, "{received_at} {hours_assumed}");
    }
}
