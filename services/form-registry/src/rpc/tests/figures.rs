//! Querying figures: who is served what, in which order, with totals and growth.

use legalstat_proto::forms::v1::{
    Channel as Place, DimensionCode, Indicator, Observation, ObservationStatus, QueryObservationsRequest,
};
use sqlx::Executor as _;

use super::{
    imports::{JANUARY, import, row, with_registers},
    registers::{enter, indicator},
    *,
};

pub(super) async fn place_all(registry: &Registry) {
    let mut operator = registry.operator();
    for name in ["forms/1/editions/2025-M01", JANUARY] {
        seal(&mut operator, name).await;
        let placed = place(&mut operator, &placing(name, Place::InformationService)).await;
        placed.expect("it is placed");
    }
}

pub(super) fn query() -> QueryObservationsRequest {
    QueryObservationsRequest {
        parent: "forms/1".into(),
        ..QueryObservationsRequest::default()
    }
}

pub(super) async fn ask(client: &mut Client, request: &QueryObservationsRequest) -> Vec<Observation> {
    let answer = client.query_observations(request.clone()).await;
    answer.expect("it answers").into_inner().observations
}

/// Territory, sex and value of each.
pub(super) fn told(observations: &[Observation]) -> Vec<(String, String, String)> {
    let told = observations.iter().map(|observation| {
        let sex = observation
            .dimensions
            .iter()
            .map(|dimension| dimension.code.clone())
            .collect();
        (observation.territory.clone(), sex, observation.value.clone())
    });
    told.collect()
}

pub(super) fn lines(expected: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    let own = |text: &str| text.to_owned();
    expected
        .iter()
        .map(|(territory, sex, value)| (own(territory), own(sex), own(value)))
        .collect()
}

pub(super) async fn with_figures(settings: &[(&'static str, &str)]) -> Registry {
    let registry = with_registers(settings).await;
    let mut operator = registry.operator();
    for (name, add) in [("forms/1/editions/2025-M01", 0), (JANUARY, 10)] {
        let rows = vec![
            row("crimes", "75", "T", &(60 + 3 * add).to_string()),
            row("crimes", "7501", "F", &(10 + add).to_string()),
            row("crimes", "7501", "M", &(20 + add).to_string()),
            row("crimes", "7502", "F", &(30 + add).to_string()),
            row("cases", "", "", "0.1"),
        ];
        import(&mut operator, name, rows).await.expect("they are imported");
    }
    registry
}

#[tokio::test]
async fn the_public_is_served_what_is_placed_and_officials_everything() {
    let registry = with_figures(&[]).await;
    let (mut anyone, mut operator) = (registry.client(None), registry.operator());
    assert!(ask(&mut anyone, &query()).await.is_empty());
    assert_eq!(ask(&mut operator, &query()).await.len(), 10);
    place_all(&registry).await;
    let shown = ask(&mut anyone, &query()).await;
    assert_eq!(shown.len(), 10);
    assert_eq!(shown, ask(&mut operator, &query()).await);
    assert_eq!(
        (shown[0].edition.as_str(), shown[0].revision),
        ("forms/1/editions/2025-M01", 1)
    );
    assert!(
        shown
            .iter()
            .any(|shown| shown.indicator == "forms/1/indicators/cases" && shown.value == "0.1")
    );

    // A correction under way changes nothing for the public, and an embargo closes everything.
    let mut database = registry.database().await;
    try_correct(&mut operator, JANUARY, "a slip")
        .await
        .expect("it is begun");
    import(&mut operator, JANUARY, vec![row("cases", "", "", "5")])
        .await
        .expect("it is imported");
    let january = QueryObservationsRequest {
        period: "2026-M01".into(),
        ..query()
    };
    assert_eq!(ask(&mut anyone, &january).await.len(), 5);
    assert_eq!(ask(&mut operator, &january).await.len(), 1);
    let named = QueryObservationsRequest {
        revision: 2,
        ..january.clone()
    };
    assert!(ask(&mut anyone, &named).await.is_empty());
    let embargo = "INSERT INTO forms.embargo (form, period, until, reason, set_at, set_by)
         VALUES (1, '2026-M01', '2026-12-01', 'a day', now(), 'operator')";
    database.execute(embargo).await.expect("it is set");
    assert!(ask(&mut anyone, &january).await.is_empty());
    assert!(ask(&mut registry.client(Some("auditor")), &january).await.is_empty());
    let refused = "journal_entry WHERE method LIKE '%QueryObservations' AND caller = 'auditor'";
    assert_eq!(registry.count(refused).await, 1, "the attempt is in the journal");
    registry.set_clock("2026-12-01T00:00:00Z");
    assert_eq!(ask(&mut anyone, &january).await.len(), 5);
}

#[tokio::test]
async fn what_is_restricted_is_not_there_for_the_public() {
    let registry = with_figures(&[]).await;
    place_all(&registry).await;
    let mut database = registry.database().await;
    let marked = "UPDATE forms.indicator_version SET restricted = true
         WHERE indicator = (SELECT id FROM forms.indicator WHERE code = 'cases')";
    database.execute(marked).await.expect("it is marked");
    let mut anyone = registry.client(None);
    let shown = ask(&mut anyone, &query()).await;
    assert_eq!(shown.len(), 8);
    assert!(shown.iter().all(|shown| shown.indicator == "forms/1/indicators/crimes"));
    let named = QueryObservationsRequest {
        indicators: vec!["cases".into()],
        ..query()
    };
    let found = violations(anyone.query_observations(named.clone()).await);
    assert_eq!(found, pairs(&[("indicators[0]", "UNKNOWN")]));
    assert_eq!(ask(&mut registry.operator(), &named).await.len(), 2);
    let totals = QueryObservationsRequest {
        total_over: vec!["TERRITORY".into()],
        ..query()
    };
    assert!(
        ask(&mut anyone, &totals)
            .await
            .iter()
            .all(|shown| shown.indicator == "forms/1/indicators/crimes")
    );
}

#[tokio::test]
async fn sealing_takes_in_the_digest_of_the_figures_and_a_restricted_indicator_is_never_placed_openly() {
    let registry = with_registers(&[]).await;
    let mut operator = registry.operator();
    let secret = Indicator {
        restricted: true,
        ..indicator("secret", &[])
    };
    enter(&mut operator, "forms/1", vec![secret])
        .await
        .expect("it is entered");
    let imported = import(&mut operator, JANUARY, vec![row("cases", "", "", "1")])
        .await
        .expect("it is imported");
    let sealed = seal(&mut operator, JANUARY).await;
    let revision = sealed.revisions.last().expect("it has one");
    assert_eq!(revision.figures_sha256, imported.sha256);
    let lines = format!(
        "legalstat-content/1\nedition:{JANUARY}\nrevision:1\nfigures:{}\n",
        imported.sha256
    );
    let hash = hex::encode(legalstat_kit::door::wire::sha256(lines.as_bytes()));
    assert_eq!(revision.content_sha256, hash, "anyone can write it again");
    place(&mut operator, &placing(JANUARY, Place::InformationService))
        .await
        .expect("it is placed");

    let february = "forms/1/editions/2026-M02";
    import(&mut operator, february, vec![row("secret", "", "", "1")])
        .await
        .expect("it is imported");
    seal(&mut operator, february).await;
    let answer = place(&mut operator, &placing(february, Place::InformationService)).await;
    let refused = answer.expect_err("it is restricted");
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    assert!(
        ask(&mut registry.client(None), &query())
            .await
            .iter()
            .all(|shown| shown.period == "2026-M01")
    );
}

#[tokio::test]
async fn filters_narrow_orders_turn_and_pages_follow_one_another() {
    let registry = with_figures(&[]).await;
    let mut operator = registry.operator();
    let sex = |code: &str| DimensionCode {
        dimension: "SEX".into(),
        code: code.into(),
    };
    for (request, expected) in [
        (
            QueryObservationsRequest {
                territories: vec!["7501".into()],
                period: "2026-M01".into(),
                ..query()
            },
            &[("7501", "F", "20"), ("7501", "M", "30")][..],
        ),
        (
            QueryObservationsRequest {
                dimensions: vec![sex("F")],
                until_period: "2025-M06".into(),
                ..query()
            },
            &[("7501", "F", "10"), ("7502", "F", "30")],
        ),
        (
            QueryObservationsRequest {
                dimensions: vec![sex("M"), sex("T")],
                period: "2025-M01".into(),
                ..query()
            },
            &[("75", "T", "60"), ("7501", "M", "20")],
        ),
        (
            QueryObservationsRequest {
                dimensions: vec![sex("")],
                period: "2025-M01".into(),
                until_period: "2026-M12".into(),
                order_by: "period desc".into(),
                ..query()
            },
            &[("", "", "0.1"), ("", "", "0.1")],
        ),
        (
            QueryObservationsRequest {
                territories: vec!["-".into()],
                indicators: vec!["crimes".into()],
                ..query()
            },
            &[],
        ),
        (
            QueryObservationsRequest {
                statuses: vec![ObservationStatus::M.into()],
                ..query()
            },
            &[],
        ),
    ] {
        assert_eq!(
            told(&ask(&mut operator, &request).await),
            lines(expected),
            "{request:?}"
        );
    }
    for order in ["period", "period desc"] {
        let whole = ask(
            &mut operator,
            &QueryObservationsRequest {
                order_by: order.into(),
                ..query()
            },
        )
        .await;
        assert!(order == "period" || whole[0].period == "2026-M01");
        let (mut paged, mut token) = (Vec::new(), String::new());
        loop {
            let request = QueryObservationsRequest {
                order_by: order.into(),
                page_size: 3,
                page_token: token,
                ..query()
            };
            let page = operator
                .query_observations(request)
                .await
                .expect("it answers")
                .into_inner();
            paged.extend(page.observations);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(paged, whole, "{order}");
    }
    let wrong = QueryObservationsRequest {
        parent: "forms/x".into(),
        period: "2026-M02".into(),
        until_period: "2026-M01".into(),
        order_by: "value".into(),
        total_over: vec!["sex".into()],
        statuses: vec![77],
        revision: 1,
        ..query()
    };
    let found = violations(operator.query_observations(wrong).await);
    for field in [
        "parent",
        "until_period",
        "order_by",
        "total_over[0]",
        "statuses[0]",
        "revision",
    ] {
        assert!(found.iter().any(|(at, _)| at == field), "{field}: {found:?}");
    }
}

#[tokio::test]
async fn dimensions_and_codes_that_are_not_registered_are_refused_and_those_without_figures_are_not() {
    let registry = with_figures(&[]).await;
    place_all(&registry).await;
    let code = |dimension: &str, code: &str| DimensionCode {
        dimension: dimension.into(),
        code: code.into(),
    };
    let wrong = QueryObservationsRequest {
        // The second is a Cyrillic letter.
        dimensions: vec![
            code("SEX", "M"),
            code("SEX", "М"),
            code("AGE", "M"),
            code("SEX", ""),
            code("AGE", ""),
        ],
        total_over: vec!["AGE".into(), "SEX".into(), "TERRITORY".into()],
        ..query()
    };
    let expected = [
        ("dimensions[1].code", "UNKNOWN"),
        ("dimensions[2].dimension", "UNKNOWN"),
        ("dimensions[4].dimension", "UNKNOWN"),
        ("total_over[0]", "UNKNOWN"),
    ];
    let mut anyone = registry.client(None);
    assert_eq!(violations(anyone.query_observations(wrong).await), pairs(&expected));
    let without = QueryObservationsRequest {
        period: "2025-M02".into(),
        dimensions: vec![code("SEX", "M")],
        ..query()
    };
    assert_eq!(ask(&mut anyone, &without).await, []);

    // What only restricted indicators have is registered for nobody who may not see them.
    let marked = "UPDATE forms.indicator_version SET restricted = true WHERE 'SEX' = ANY (dimensions)";
    registry.database().await.execute(marked).await.expect("it is marked");
    let by_sex = QueryObservationsRequest {
        dimensions: vec![code("SEX", "M")],
        ..query()
    };
    let found = violations(anyone.query_observations(by_sex.clone()).await);
    assert_eq!(found, pairs(&[("dimensions[0].dimension", "UNKNOWN")]));
    assert!(!ask(&mut registry.operator(), &by_sex).await.is_empty());
}

#[tokio::test]
async fn totals_leave_out_what_has_parts_and_growth_compares_with_the_year_before() {
    let registry = with_figures(&[]).await;
    let mut operator = registry.operator();
    let over = |total_over: &[&str]| QueryObservationsRequest {
        total_over: total_over.iter().map(|id| (*id).to_owned()).collect(),
        period: "2026-M01".into(),
        indicators: vec!["crimes".into()],
        growth: true,
        ..query()
    };
    let by_sex = ask(&mut operator, &over(&["TERRITORY"])).await;
    assert_eq!(told(&by_sex), lines(&[("", "F", "60"), ("", "M", "30")]));
    assert_eq!(
        (
            by_sex[0].parts,
            by_sex[0].previous_value.as_str(),
            by_sex[0].growth_percent.as_str()
        ),
        (2, "40", "50")
    );
    let by_territory = ask(&mut operator, &over(&["SEX"])).await;
    assert_eq!(told(&by_territory), lines(&[("7501", "", "50"), ("7502", "", "40")]));
    assert_eq!(
        told(&ask(&mut operator, &over(&["SEX", "TERRITORY"])).await),
        lines(&[("", "", "90")])
    );
    let single = ask(&mut operator, &over(&[])).await;
    let grown: Vec<_> = single
        .iter()
        .map(|single| (single.previous_value.as_str(), single.growth_percent.as_str()))
        .collect();
    assert_eq!(grown, [("60", "50"), ("10", "100"), ("20", "50"), ("30", "33.33")]);
    let first = QueryObservationsRequest {
        period: "2025-M01".into(),
        ..over(&[])
    };
    assert!(
        ask(&mut operator, &first)
            .await
            .iter()
            .all(|first| first.previous_value.is_empty())
    );
}

#[tokio::test]
async fn small_counts_are_suppressed_with_a_note_where_it_is_set_and_never_where_they_are_placed_openly() {
    let registry = with_figures(&[("LEGALSTAT_SUPPRESSION_THRESHOLD", "25")]).await;
    let mut operator = registry.operator();
    let january = QueryObservationsRequest {
        period: "2026-M01".into(),
        indicators: vec!["crimes".into()],
        ..query()
    };
    let hidden = ask(&mut operator, &january).await;
    assert_eq!(
        told(&hidden),
        lines(&[
            ("75", "T", "90"),
            ("7501", "F", ""),
            ("7501", "M", "30"),
            ("7502", "F", "40")
        ])
    );
    assert_eq!(hidden[1].status(), ObservationStatus::Q);
    assert!(
        hidden[1]
            .note
            .as_ref()
            .is_some_and(|note| note.en.contains("threshold"))
    );
    let total = QueryObservationsRequest {
        total_over: vec!["SEX".into()],
        ..january.clone()
    };
    let hidden = ask(&mut operator, &total).await;
    assert_eq!(
        told(&hidden),
        lines(&[("7501", "", ""), ("7502", "", "40")]),
        "the total would tell the part"
    );
    place_all(&registry).await;
    let open = ask(&mut operator, &january).await;
    assert_eq!(open[1].value, "20");
    assert!(open.iter().all(|open| open.note.is_none()));
}
