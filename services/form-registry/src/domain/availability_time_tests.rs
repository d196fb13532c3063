//! What the registers say of earlier times.

use super::*;

#[test]
fn an_indicator_counts_in_the_periods_in_which_it_was_in_force() {
    let item = |period: &str, until: &str| Item {
        period: period.into(),
        until_period: until.into(),
        named: indicator("crimes"),
        ..Item::default()
    };
    let placed = ["forms/1/editions/2025-M01", "forms/1/editions/2025-M02"];
    let mut young = found("crimes", 100, false);
    young.days[0].from = date(2025, 2, 10);
    let young = [young];
    let finding = look_up_item(&item("2025-M01", "2025-M02"), &placed, entered(&young));
    assert_eq!(
        finding.availability,
        Availability::NotPlaced,
        "January does not hold it"
    );
    assert_eq!(names_of(&finding), placed[1..]);
    let finding = look_up_item(&item("2025-M02", ""), &placed, entered(&young));
    assert_eq!(finding.availability, Availability::Placed);

    let [mut old] = young;
    old.stood = false;
    let old = [old];
    let finding = look_up_item(&item("2025-M01", ""), &placed, entered(&old));
    assert_eq!(
        finding.availability,
        Availability::NotRegistered,
        "others were in force"
    );
    assert!(
        finding.text.en.contains("was not in force in the periods"),
        "{}",
        finding.text.en
    );
    let none = LookedUp {
        matches: &old,
        entered: false,
        ..LookedUp::default()
    };
    let finding = look_up_item(&item("2025-M03", ""), &placed, none);
    assert_eq!(
        finding.availability,
        Availability::Undetermined,
        "nothing was entered for that time"
    );
}

/// Form 1, placed every quarter from 2025 on.
fn changed() -> History {
    let [monthly, quarterly] = register::appendix_2().expect("it is readable")[..2]
        .to_vec()
        .try_into()
        .expect("two");
    let mut later = monthly.clone().within(date(2025, 1, 1), None);
    later.periodicity = quarterly.periodicity;
    later.duty.periods = quarterly.duty.periods;
    let recordings = vec![recording(monthly, 1, Kind::Loaded), recording(later, 2, Kind::Updated)];
    History::new(recordings).expect("it has recordings")
}

#[test]
fn after_a_change_of_periodicity_earlier_periods_are_answered_by_the_periodicity_of_their_time() {
    let histories = [changed()];
    let item = |period: &str, until: &str| Item {
        form: "forms/1".into(),
        period: period.into(),
        until_period: until.into(),
        ..Item::default()
    };
    let editions = [
        open("forms/1/editions/2024-M12", false),
        open("forms/1/editions/2025-Q1", false),
    ];
    for (period, until, availability, told) in [
        ("2024-M12", "", Availability::Placed, "Every period"),
        ("2025-Q1", "", Availability::Placed, "Every period"),
        ("2024-M11", "2024-M12", Availability::NotPlaced, "1 of the 2 periods"),
        ("2025-M01", "", Availability::Undetermined, "placed every quarter"),
        ("2024-Q4", "", Availability::Undetermined, "placed every month"),
        (
            "2024-M12",
            "2025-M02",
            Availability::Undetermined,
            "for 1 of the 3 periods",
        ),
    ] {
        let finding = look_up_in(&histories, &item(period, until), &editions, entered(&[]));
        assert_eq!(
            finding.availability, availability,
            "{period} {until}: {}",
            finding.text.en
        );
        assert!(finding.text.en.contains(told), "{period} {until}: {}", finding.text.en);
    }
}
