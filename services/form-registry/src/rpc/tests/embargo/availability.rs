//! What CheckAvailability tells of an edition under an embargo.

use super::*;

#[tokio::test]
async fn what_is_under_an_embargo_is_not_openly_available_whoever_asks() {
    let registry = under_embargo().await;
    for caller in ["operator", "approver", "request-intake"] {
        assert!(!is_available(&registry, caller).await, "{caller}");
    }
    registry.set_clock(UNTIL);
    assert!(is_available(&registry, "operator").await);
}

#[tokio::test]
async fn a_declaration_of_nothing_to_report_is_not_told_under_an_embargo() {
    let registry = Registry::at("2025-02-03T05:00:00Z").await;
    let mut operator = registry.operator();
    set(&mut operator, embargo(UNTIL, &[])).await.expect("it is set");
    let nil = try_declare_nil(&mut operator, JANUARY, "no cases").await;
    nil.expect("it is declared");
    for caller in ["operator", "request-intake"] {
        assert!(!is_available(&registry, caller).await, "{caller}");
    }
    registry.set_clock(UNTIL);
    assert!(is_available(&registry, "request-intake").await);
}

#[tokio::test]
async fn words_alone_that_mean_what_is_under_an_embargo_are_an_attempt_in_the_journal() {
    let registry = under_embargo().await;
    let mut operator = registry.operator();
    let crimes = super::registers::indicator("crimes", &[]);
    super::registers::enter(&mut operator, "forms/1", vec![crimes])
        .await
        .expect("it is entered");
    let item = AvailabilityItem {
        words: "crimes".into(),
        period: "2025-M01".into(),
        ..AvailabilityItem::default()
    };
    let request = CheckAvailabilityRequest {
        items: vec![item],
        view: legalstat_proto::forms::v1::AvailabilityView::Basic.into(),
        languages: Vec::new(),
    };
    let mut intake = registry.client(Some("request-intake"));
    let found = intake
        .check_availability(request)
        .await
        .expect("it answers")
        .into_inner();
    assert_eq!(
        (found.items[0].matched.as_str(), found.items[0].editions.len()),
        ("forms/1/indicators/crimes", 0)
    );
    until_attempts(&registry, 1).await;
    assert_eq!(attempts(&registry, Some("request-intake")).await, 1);
}

#[tokio::test]
async fn a_placement_that_is_not_out_yet_is_not_openly_available() {
    let registry = under_embargo().await;
    // As if the embargo had been set and the edition placed while the embargoes were looked up: nothing but the placement tells.
    let lifted = "INSERT INTO forms.embargo (form, period, until, reason, set_at, set_by)
        SELECT form, period, NULL, 'lifted', now(), 'administrator' FROM forms.embargo";
    let mut database = registry.database().await;
    sqlx::query(lifted).execute(&mut database).await.expect("it is lifted");
    assert!(!is_available(&registry, "request-intake").await);
    registry.set_clock(UNTIL);
    assert!(is_available(&registry, "request-intake").await);
}
