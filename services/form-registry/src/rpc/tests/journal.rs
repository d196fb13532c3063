//! What the journal holds of refusals.

use legalstat_proto::forms::v1::Channel as Place;

use super::*;

#[tokio::test]
async fn refusals_to_callers_without_a_certificate_are_counted_into_one_entry() {
    let registry = Registry::at("2025-02-03T05:00:00Z").await;
    for _ in 0..3 {
        let request = placing("forms/1/editions/2025-M01", Place::InformationService);
        let refused = place(&mut registry.client(None), &request)
            .await
            .expect_err("no certificate");
        assert_eq!(refused.code(), Code::Unauthenticated);
    }
    let mut database = registry.database().await;
    let Registry { running, .. } = registry;
    running.stop().await;
    let entries: Vec<(String, String, String, i32)> =
        sqlx::query_as("SELECT caller, reason, peer_address, count FROM forms.journal_entry WHERE outcome = 'REFUSED'")
            .fetch_all(&mut database)
            .await
            .expect("it is readable");
    let expected = ("anonymous", "ERROR_REASON_CERTIFICATE_REQUIRED", "127.0.0.1", 3);
    let expected = (
        expected.0.to_owned(),
        expected.1.to_owned(),
        expected.2.to_owned(),
        expected.3,
    );
    assert_eq!(entries, [expected]);
}
