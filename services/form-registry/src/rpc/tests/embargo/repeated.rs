//! Embargoes that stand so already.

use super::*;

#[tokio::test]
async fn an_embargo_that_is_set_or_lifted_again_changes_nothing_and_is_told_as_a_repetition() {
    let registry = Registry::at("2025-02-03T05:00:00Z").await;
    let mut operator = registry.operator();
    let lifting = || SetEmbargoRequest {
        until: None,
        ..embargo(UNTIL, &[])
    };
    let told = async |sets: i64, repetitions: i64| {
        for (what, times) in [
            (
                format!("outbox_event WHERE kind = 'edition.embargo_set' AND resource = '{JANUARY}'"),
                sets,
            ),
            (
                format!("outbox_event WHERE kind = 'edition.embargo_repeated' AND resource = '{JANUARY}'"),
                repetitions,
            ),
            (
                "journal_entry WHERE outcome = 'DONE' AND method LIKE '%/SetEmbargo'".into(),
                sets,
            ),
            (
                "journal_entry WHERE outcome = 'REPEATED' AND method LIKE '%/SetEmbargo'".into(),
                repetitions,
            ),
            ("embargo".into(), sets),
        ] {
            assert_eq!(registry.count(&what).await, times, "{what}");
        }
    };
    set(&mut operator, lifting()).await.expect("there is none");
    told(0, 1).await;
    let readers = ["supreme-court", "edms"];
    set(&mut operator, embargo(UNTIL, &readers)).await.expect("it is set");
    told(1, 1).await;
    for readers in [["edms", "supreme-court"], readers] {
        set(&mut operator, embargo(UNTIL, &readers))
            .await
            .expect("it is so already");
    }
    told(1, 3).await;
    set(&mut operator, embargo(UNTIL, &readers[..1]))
        .await
        .expect("one reader fewer");
    set(&mut operator, lifting()).await.expect("it is lifted");
    told(3, 3).await;
    set(&mut operator, lifting()).await.expect("there is none any more");
    told(3, 4).await;
}
