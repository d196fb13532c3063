//! CheckAvailability where editions hold figures: what is found by name and words, and the very figures.

use legalstat_proto::forms::v1::{
    Availability, AvailabilityItem, AvailabilityView, CheckAvailabilityRequest, Indicator,
};

use super::{
    figures::{lines, place_all, told, with_figures},
    imports::JANUARY,
    registers::{day, enter, indicator, title},
    *,
};

#[tokio::test]
async fn availability_finds_the_indicator_by_name_or_words_with_the_very_figures() {
    let registry = with_figures(&[]).await;
    let mut operator = registry.operator();
    let entered = [
        ("thefts", "Кражи чужого имущества", false),
        ("secrets", "Преступления, составляющие тайну", true),
    ]
    .map(|(code, ru, restricted)| {
        let mut entered = Indicator {
            restricted,
            ..indicator(code, &[])
        };
        entered.title = title("");
        entered.title.as_mut().expect("it has one").ru = ru.into();
        entered.valid_from = day("2026-01-01");
        entered
    });
    enter(&mut operator, "forms/1", entered.to_vec())
        .await
        .expect("they are entered");
    place_all(&registry).await;
    let item = |indicator: &str, words: &str| AvailabilityItem {
        period: "2026-M01".into(),
        indicator: indicator.into(),
        words: words.into(),
        territory: "7501".into(),
        ..AvailabilityItem::default()
    };
    let of_form = AvailabilityItem {
        form: "forms/1".into(),
        period: "2026-M02".into(),
        ..AvailabilityItem::default()
    };
    let items = vec![
        item("forms/1/indicators/crimes", ""),
        item("forms/1/indicators/none", ""),
        item("forms/5/indicators/none", ""),
        item("", "кражи чужого имущества"),
        item("", "кража имущества"),
        item("", "совсем другое"),
        item("forms/1/indicators/secrets", ""),
        of_form,
    ];
    let request = CheckAvailabilityRequest {
        items,
        ..Default::default()
    };
    let found = registry
        .client(Some("request-intake"))
        .check_availability(request)
        .await;
    let found = found.expect("it answers").into_inner().items;
    let availabilities: Vec<_> = found.iter().map(|found| found.availability()).collect();
    let expected = [
        Availability::Placed,
        Availability::NotRegistered,
        Availability::Undetermined,
        // The edition has figures, and none of these.
        Availability::NotPlaced,
        // Near, and not near enough.
        Availability::Undetermined,
        Availability::Undetermined,
        Availability::NotPlaced,
        Availability::NotPlaced,
    ];
    assert_eq!(availabilities, expected, "{found:#?}");
    let holding = &found[0].holdings[0];
    assert_eq!((holding.edition.as_str(), holding.figures_sha256.len()), (JANUARY, 64));
    assert_eq!(
        told(&holding.observations),
        lines(&[("7501", "F", "20"), ("7501", "M", "30")])
    );
    assert_eq!(found[3].indicators[0].indicator, "forms/1/indicators/thefts");
    assert_eq!(found[3].indicators[0].likeness, 100);
    assert!((1..100).contains(&found[4].indicators[0].likeness));
    assert!(found[6].restricted && found[6].holdings.is_empty());
    let basic = CheckAvailabilityRequest {
        items: vec![item("forms/1/indicators/crimes", "")],
        view: AvailabilityView::Basic.into(),
        languages: Vec::new(),
    };
    let basic = operator
        .check_availability(basic)
        .await
        .expect("it answers")
        .into_inner();
    assert_eq!(
        (basic.items[0].holdings.len(), basic.items[0].open_editions.len()),
        (0, 1)
    );
    assert_eq!(basic.items[0].matched, "forms/1/indicators/crimes");
    assert_eq!(basic.items[0].open_editions[0].figures, 2, "of women and of men");
    let in_territory = |indicator: &str, territory: &str| AvailabilityItem {
        territory: territory.into(),
        ..item(&format!("forms/1/indicators/{indicator}"), "")
    };
    let items = vec![
        in_territory("cases", ""),
        in_territory("cases", "7501"),
        AvailabilityItem {
            territories: vec!["75".into()],
            ..in_territory("crimes", "7501")
        },
        AvailabilityItem {
            until_period: "2026-M01".into(),
            period: "2025-M01".into(),
            ..in_territory("crimes", "7502")
        },
    ];
    let request = CheckAvailabilityRequest {
        items,
        ..Default::default()
    };
    let found = operator.check_availability(request).await.expect("it answers");
    let found: Vec<_> = found.into_inner().items;
    let told: Vec<_> = found
        .iter()
        .map(|found| {
            let figures: Vec<_> = found
                .holdings
                .iter()
                .map(|holding| holding.observations.len())
                .collect();
            (found.availability(), figures)
        })
        .collect();
    let expected = [
        (Availability::Placed, vec![1]),
        // The whole country has a figure, and the district none.
        (Availability::NotPlaced, vec![]),
        (Availability::Placed, vec![3]),
        // Two of the thirteen months.
        (Availability::NotPlaced, vec![1, 1]),
    ];
    assert_eq!(told, expected);
    assert_eq!(found[3].holdings[0].edition, "forms/1/editions/2025-M01");
    let wrong = CheckAvailabilityRequest {
        items: vec![item("crimes", "")],
        ..Default::default()
    };
    assert_eq!(
        violations(operator.check_availability(wrong).await),
        pairs(&[("items[0].indicator", "RESOURCE_NAME")])
    );
}
