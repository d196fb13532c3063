//! What becomes of figures and editions once something about them changes.

use legalstat_proto::forms::v1::{Channel as Place, GetPunctualityRequest, QueryObservationsRequest};
use sqlx::Executor as _;

use super::{
    figures::{ask, place_all, query, with_figures},
    imports::JANUARY,
    *,
};

#[tokio::test]
async fn an_indicator_that_was_marked_after_its_figures_were_sealed_keeps_them_from_every_channel() {
    let registry = with_figures(&[]).await;
    let mut operator = registry.operator();
    seal(&mut operator, JANUARY).await;
    let marked = "UPDATE forms.indicator_version SET restricted = true
         WHERE indicator = (SELECT id FROM forms.indicator WHERE code = 'cases')";
    registry.database().await.execute(marked).await.expect("it is marked");
    let answer = place(&mut operator, &placing(JANUARY, Place::InformationService)).await;
    assert_refused(
        answer,
        Code::FailedPrecondition,
        "RESTRICTED_INFORMATION",
        "Instruction, para 2(10)",
    );
}

#[tokio::test]
async fn figures_that_a_later_revision_without_any_replaced_are_told_under_their_number_alone() {
    let registry = with_figures(&[]).await;
    place_all(&registry).await;
    let mut operator = registry.operator();
    try_correct(&mut operator, JANUARY, "they were wrong")
        .await
        .expect("it is begun");
    upload(&mut operator, &super::header(JANUARY), b"a")
        .await
        .expect("it is taken");
    seal(&mut operator, JANUARY).await;
    place(&mut operator, &placing(JANUARY, Place::InformationService))
        .await
        .expect("it is placed");
    let january = QueryObservationsRequest {
        period: "2026-M01".into(),
        ..query()
    };
    let first = QueryObservationsRequest {
        revision: 1,
        ..january.clone()
    };
    for mut client in [registry.client(None), operator] {
        assert!(ask(&mut client, &january).await.is_empty());
        assert_eq!(ask(&mut client, &first).await.len(), 5);
    }
}

#[tokio::test]
async fn what_was_declared_nil_counts_so_also_when_it_is_taken_back() {
    let registry = Registry::at("2025-02-05T05:00:00Z").await;
    let (mut operator, nil) = (registry.operator(), "forms/19/editions/2024-Q4");
    registry
        .answer_from(super::recompute::date(2025, 1, 1), "")
        .await
        .expect("what was due in January is kept");
    try_declare_nil(&mut operator, nil, "no such cases")
        .await
        .expect("it is declared");
    let asked = GetPunctualityRequest {
        year: 2024,
        form: "forms/19".into(),
        ..Default::default()
    };
    let mut anyone = registry.client(None);
    let before = anyone
        .get_punctuality(asked.clone())
        .await
        .expect("it counts")
        .into_inner();
    try_withdraw(&mut operator, nil, "there was one after all")
        .await
        .expect("it is withdrawn");
    let after = anyone.get_punctuality(asked).await.expect("it counts").into_inner();
    assert_eq!(after.counts, before.counts);
    let counts = before.counts.expect("it has counts");
    assert_eq!((counts.nil, counts.placed), (1, 0));
}
