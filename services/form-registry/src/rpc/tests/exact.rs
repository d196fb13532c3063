//! Sums and growth to the last digit, and what a comparison with the year before may tell.

use legalstat_proto::forms::v1::{
    AvailabilityItem, CheckAvailabilityRequest, Indicator, Observation, QueryObservationsRequest,
};
use sqlx::Executor as _;

use super::{
    figures::{ask, place_all, query, with_figures},
    imports::{JANUARY, import, row, with_registers},
    registers::{day, enter, indicator},
    *,
};

const BEFORE: &str = "forms/1/editions/2025-M01";

#[tokio::test]
async fn a_sum_of_more_digits_than_a_value_may_have_is_told_to_the_last_one() {
    let settings = [
        ("LEGALSTAT_SUPPRESSION_THRESHOLD", "2"),
        ("LEGALSTAT_SUPPRESSION_DOMINANCE", "99"),
    ];
    let registry = with_registers(&settings).await;
    let mut operator = registry.operator();
    let large = "9999999999999999999999999999";
    let rows = |small: &str| {
        vec![
            row("crimes", "7501", "F", large),
            row("crimes", "7501", "M", large),
            row("crimes", "7502", "F", large),
            row("crimes", "7502", "M", small),
        ]
    };
    for (name, small) in [
        (BEFORE, "-9999999999999999999999999998"),
        (JANUARY, "123456789012345.0000000000001"),
    ] {
        let refused = import(&mut operator, name, rows("99999999999999999999999999999")).await;
        refused.expect_err("a value has at most 28 digits");
        import(&mut operator, name, rows(small))
            .await
            .expect("they are imported");
    }
    let totals = QueryObservationsRequest {
        period: "2026-M01".into(),
        total_over: vec!["SEX".into()],
        growth: true,
        ..query()
    };
    let told: Vec<_> = ask(&mut operator, &totals)
        .await
        .into_iter()
        .map(|told: Observation| {
            (
                told.value,
                told.previous_value,
                told.growth_percent,
                told.note.is_some(),
            )
        })
        .collect();
    let own = |value: &str, previous: &str, growth: &str, noted| (value.into(), previous.into(), growth.into(), noted);
    assert_eq!(
        told,
        [
            own(
                "19999999999999999999999999998",
                "19999999999999999999999999998",
                "0",
                false
            ),
            // One part makes nearly all of it, however many digits it has; that of the year before lies below the threshold.
            own("", "", "", true),
        ]
    );
    place_all(&registry).await;
    let open = ask(&mut registry.client(None), &totals).await;
    assert_eq!(open[1].value, "10000000000000123456789012344.0000000000001");
    assert_eq!(open[1].previous_value, "1");
    assert_eq!(open[1].growth_percent, "1000000000000012345678901234300");
}

#[tokio::test]
async fn growth_tells_nothing_of_an_indicator_that_was_restricted_the_year_before() {
    let registry = with_figures(&[]).await;
    place_all(&registry).await;
    let mut operator = registry.operator();
    let open = Indicator {
        by_territory: false,
        valid_from: day("2026-01-01"),
        ..indicator("cases", &[])
    };
    enter(&mut operator, "forms/1", vec![open])
        .await
        .expect("it is entered");
    let mut anyone = registry.client(None);
    let grown = QueryObservationsRequest {
        period: "2026-M01".into(),
        growth: true,
        ..query()
    };
    let previous = async |client: &mut Client, request: &QueryObservationsRequest| -> Vec<(String, String)> {
        let told = ask(client, request).await.into_iter();
        told.map(|told| (told.indicator, told.previous_value)).collect()
    };
    let cases = |told: &[(String, String)]| -> Vec<String> {
        let cases = told.iter().filter(|told| told.0 == "forms/1/indicators/cases");
        cases.map(|told| told.1.clone()).collect()
    };
    assert_eq!(cases(&previous(&mut anyone, &grown).await), ["0.1"]);
    let item = |period: &str| AvailabilityItem {
        period: period.into(),
        indicator: "forms/1/indicators/cases".into(),
        ..AvailabilityItem::default()
    };
    let holdings = async || {
        let items = vec![item("2025-M01"), item("2026-M01")];
        let request = CheckAvailabilityRequest {
            items,
            ..Default::default()
        };
        let mut intake = registry.client(Some("request-intake"));
        let found = intake
            .check_availability(request)
            .await
            .expect("it answers")
            .into_inner();
        found.items.iter().map(|found| found.holdings.len()).collect::<Vec<_>>()
    };
    assert_eq!(holdings().await, [1, 1]);

    let marked = "UPDATE forms.indicator_version SET restricted = true
        WHERE valid_to = '2025-12-31' AND indicator = (SELECT id FROM forms.indicator WHERE code = 'cases')";
    let marked = registry.database().await.execute(marked).await.expect("it is marked");
    assert_eq!(marked.rows_affected(), 1);
    let single = previous(&mut anyone, &grown).await;
    assert_eq!(cases(&single), [""]);
    assert!(
        single.iter().any(|told| told.1 == "60"),
        "what was open is compared: {single:?}"
    );
    assert_eq!(
        cases(&previous(&mut operator, &grown).await),
        ["0.1"],
        "officials see both"
    );
    let totals = QueryObservationsRequest {
        total_over: vec!["TERRITORY".into()],
        ..grown
    };
    assert!(
        previous(&mut anyone, &totals).await.iter().any(|told| told.1 == "40"),
        "totals are compared"
    );
    assert_eq!(holdings().await, [0, 1]);

    // An embargo on the year before, or its withdrawal, keeps its figures back just so.
    let before = "INSERT INTO forms.embargo (form, period, until, reason, set_at, set_by)
        VALUES (1, '2025-M01', '2026-12-01', 'a day', now(), 'operator')";
    registry.database().await.execute(before).await.expect("it is set");
    assert!(
        previous(&mut anyone, &totals)
            .await
            .iter()
            .all(|told| told.1.is_empty())
    );
    let lifted = "UPDATE forms.embargo SET until = '2026-01-01'";
    registry.database().await.execute(lifted).await.expect("it is lifted");
    assert!(
        previous(&mut anyone, &totals)
            .await
            .iter()
            .any(|told| !told.1.is_empty())
    );
    try_withdraw(&mut operator, BEFORE, "a slip")
        .await
        .expect("it is withdrawn");
    assert!(
        previous(&mut anyone, &totals)
            .await
            .iter()
            .all(|told| told.1.is_empty())
    );
}
