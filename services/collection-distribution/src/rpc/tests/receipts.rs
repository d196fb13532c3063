//! Receipts with a signature.

use legalstat_kit::door::wire;
use legalstat_proto::collections::v1::{ConfirmReceiptRequest, CopyState, ReceiptStatement, ReceiptWay};
use ring::signature::{Ed25519KeyPair, KeyPair};
use sqlx::Executor;

use super::{
    copies::{COURTS_COPY, confirm, confirming},
    *,
};
use crate::statements;

pub(super) fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed of 32 bytes")
}

impl Distribution {
    /// Gives a recipient a key that counts from one instant to before another.
    pub(super) async fn key(&self, recipient: &str, id: &str, seed: u8, from: &str, to: Option<&str>) {
        let entered = sqlx::query(
            "INSERT INTO collections.recipient_signing_key
                 (recipient, key, public_key, valid_from, valid_to, reason, entered_at, entered_by)
             VALUES ($1, $2, $3, $4::text::timestamptz, $5::text::timestamptz, 'by letter', now(), 'administrator')",
        )
        .bind(recipient)
        .bind(id)
        .bind(pair(seed).public_key().as_ref())
        .bind(from)
        .bind(to);
        let mut superuser = self.running.superuser().await;
        superuser.execute(entered).await.expect("it is entered");
    }

    /// A copy with its digest, as its recipient sees it.
    async fn copy(&self, caller: &str) -> Copy {
        self.copies(caller).await.remove(0)
    }
}

/// What the recipient of a copy signs.
pub(super) fn statement(copy: &Copy, received_at: &str) -> ReceiptStatement {
    ReceiptStatement {
        format: "legalstat-receipt/1".into(),
        copy: copy.name.clone(),
        copy_sha256: copy.copy_sha256.clone(),
        content_sha256: copy.sha256.clone(),
        recipient: copy.recipient.clone(),
        received_at: Some(wire::to_timestamp(instant(received_at))),
    }
}

/// The confirmation of a copy, signed over a statement with a key.
pub(super) fn signed(copy: &Copy, statement: &ReceiptStatement, key: &str, seed: u8) -> ConfirmReceiptRequest {
    let bytes = statements::of_receipt(statement).expect("it has some");
    ConfirmReceiptRequest {
        received_at: statement.received_at,
        signing_key: key.into(),
        signature: pair(seed).sign(&bytes).as_ref().to_vec(),
        ..confirming(&copy.name, CONTENT)
    }
}

pub(super) async fn released_with_key() -> (Distribution, Copy) {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    distribution
        .key("supreme-court", "2025-1", 1, "2025-01-01T00:00:00Z", None)
        .await;
    let copy = distribution.copy("supreme-court").await;
    (distribution, copy)
}

#[tokio::test]
async fn a_signed_receipt_is_kept_as_it_was_signed() {
    let (distribution, copy) = released_with_key().await;
    let mut court = distribution.client(Some("supreme-court"));
    let said = statement(&copy, NOW);
    let request = signed(&copy, &said, "recipients/supreme-court/signingKeys/2025-1", 1);
    let received = confirm(&mut court, &request).await.expect("it is received");
    assert_eq!(received.state(), CopyState::Received);
    assert_eq!(received.status_reason, "the receipt is signed with the key 2025-1");
    let receipt = received.receipt.clone().expect("it has one");
    assert_eq!(receipt.statement, Some(said.clone()));
    assert_eq!(receipt.signing_key, "recipients/supreme-court/signingKeys/2025-1");
    assert_eq!(receipt.signature, request.signature);
    assert_eq!(
        (receipt.confirmed_by.as_str(), receipt.way(), receipt.late),
        ("supreme-court", ReceiptWay::Pull, false)
    );
    assert_eq!(
        distribution.copy("supreme-court").await,
        received,
        "it is read as it was answered"
    );
    let stored: Vec<u8> = sqlx::query_scalar("SELECT statement FROM collections.receipt")
        .fetch_one(&mut distribution.running.superuser().await)
        .await
        .expect("there is one");
    assert_eq!(stored, statements::of_receipt(&said).expect("it has some"));

    let again = ConfirmReceiptRequest {
        request_id: new_id(),
        ..request
    };
    assert_eq!(
        confirm(&mut court, &again).await.expect("the first one counts"),
        received
    );
}

#[tokio::test]
async fn who_has_a_key_signs_and_who_has_none_confirms_by_its_certificate_and_the_copy_says_so() {
    let (distribution, copy) = released_with_key().await;
    let mut court = distribution.client(Some("supreme-court"));
    let unsigned = confirm(&mut court, &confirming(&copy.name, CONTENT)).await;
    refused(unsigned, Code::FailedPrecondition, "SIGNATURE_REQUIRED");
    let senates = distribution.copy("senate").await;
    let received = confirm(
        &mut distribution.client(Some("senate")),
        &confirming(&senates.name, CONTENT),
    )
    .await;
    let received = received.expect("it has no key");
    assert!(
        received.status_reason.contains("certificate alone"),
        "{}",
        received.status_reason
    );
    let receipt = received.receipt.expect("it has one");
    assert_eq!((receipt.signing_key.as_str(), receipt.signature.len()), ("", 0));
}

#[tokio::test]
async fn a_receipt_over_another_digest_by_another_key_or_for_anothers_copy_is_refused_and_in_the_journal() {
    let (distribution, copy) = released_with_key().await;
    distribution
        .key(
            "supreme-court",
            "2024-1",
            2,
            "2024-01-01T00:00:00Z",
            Some("2025-01-01T00:00:00Z"),
        )
        .await;
    distribution
        .key("senate", "senate-1", 3, "2025-01-01T00:00:00Z", None)
        .await;
    let senates = distribution.copy("senate").await;
    let mut court = distribution.client(Some("supreme-court"));
    let said = statement(&copy, NOW);
    let other = |change: fn(&mut ReceiptStatement)| {
        let mut other = said.clone();
        change(&mut other);
        signed(&copy, &other, "2025-1", 1)
    };
    let mut moved = signed(&copy, &said, "2025-1", 1);
    moved.received_at = Some(wire::to_timestamp(instant("2025-04-03T05:00:01Z")));
    for (request, problem) in [
        (other(|said| said.content_sha256 = digest(b"other")), "SIGNATURE"),
        (other(|said| said.copy.push('0')), "SIGNATURE"),
        (other(|said| said.recipient = "recipients/senate".into()), "SIGNATURE"),
        (moved, "SIGNATURE"),
        (signed(&copy, &statement(&senates, NOW), "2025-1", 1), "SIGNATURE"),
        (signed(&copy, &said, "2025-1", 9), "SIGNATURE"),
        (signed(&copy, &said, "2024-1", 2), "KEY_NOT_VALID"),
        (signed(&copy, &said, "senate-1", 3), "KEY_UNKNOWN"),
        (
            signed(&copy, &said, "recipients/senate/signingKeys/2025-1", 1),
            "KEY_UNKNOWN",
        ),
    ] {
        let refusal = refused(
            confirm(&mut court, &request).await,
            Code::InvalidArgument,
            "RECEIPT_NOT_TRUE",
        );
        assert_eq!(metadata(&refusal, "problem"), problem, "{request:?}");
    }
    let anothers = signed(&senates, &statement(&senates, NOW), "2025-1", 1);
    refused(
        confirm(&mut court, &anothers).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let damaged = ConfirmReceiptRequest {
        sha256: digest(b"damaged"),
        ..signed(&copy, &said, "2025-1", 1)
    };
    refused(
        confirm(&mut court, &damaged).await,
        Code::InvalidArgument,
        "DIGEST_MISMATCH",
    );
    let refusals =
        "SELECT count(*) FROM collections.journal_entry WHERE caller = 'supreme-court' AND outcome = 'REFUSED'";
    assert_eq!(distribution.count(refusals).await, 11);
    assert_eq!(distribution.count("SELECT count(*) FROM collections.receipt").await, 0);
    assert_eq!(distribution.copy("supreme-court").await.state(), CopyState::Issued);
}

#[tokio::test]
async fn keys_overlap_on_rotation_and_the_instant_of_the_receipt_says_which_counts() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let mut leadership = distribution.client(Some("gpo-leadership"));
    distribution
        .key(
            "gpo-leadership",
            "old",
            1,
            "2025-01-01T00:00:00Z",
            Some("2025-04-03T05:02:00Z"),
        )
        .await;
    distribution
        .key("gpo-leadership", "new", 2, "2025-04-03T05:01:00Z", None)
        .await;
    let copies = distribution.copies("gpo-leadership").await;
    for (copy, (key, seed, at, counts)) in copies.iter().zip([
        ("old", 1, NOW, true),
        ("new", 2, NOW, false),
        ("old", 1, "2025-04-03T05:01:30Z", true),
        ("new", 2, "2025-04-03T05:01:30Z", true),
        ("old", 1, "2025-04-03T05:02:00Z", false),
    ]) {
        let request = signed(copy, &statement(copy, at), key, seed);
        let confirmed = confirm(&mut leadership, &request).await;
        assert_eq!(confirmed.is_ok(), counts, "{key} at {at}: {confirmed:?}");
    }
}

#[tokio::test]
async fn a_receipt_names_its_time_its_key_and_its_signature_together() {
    let (distribution, copy) = released_with_key().await;
    let mut court = distribution.client(Some("supreme-court"));
    let whole = signed(&copy, &statement(&copy, NOW), "2025-1", 1);
    let changed = |change: fn(&mut ConfirmReceiptRequest)| {
        let mut request = whole.clone();
        change(&mut request);
        request
    };
    for (request, expected) in [
        (
            changed(|request| request.received_at = None),
            ("received_at", "REQUIRED"),
        ),
        (
            changed(|request| request.signing_key.clear()),
            ("signing_key", "REQUIRED"),
        ),
        (
            changed(|request| request.signing_key = "Key 1".into()),
            ("signing_key", "RESOURCE_NAME"),
        ),
        (
            changed(|request| request.signing_key = "recipients/supreme-court/keys/1".into()),
            ("signing_key", "RESOURCE_NAME"),
        ),
        (changed(|request| request.signature.clear()), ("signature", "REQUIRED")),
        (
            changed(|request| request.signature.truncate(63)),
            ("signature", "SIGNATURE"),
        ),
        (
            changed(|request| {
                request.signature.clear();
                request.signing_key.clear();
            }),
            ("received_at", "CONFLICT"),
        ),
        (
            changed(|request| request.received_at = Some(wire::to_timestamp(instant("2025-04-03T05:05:01Z")))),
            ("received_at", "IN_FUTURE"),
        ),
        (
            changed(|request| request.received_at = Some(wire::to_timestamp(instant("2025-04-03T04:54:59Z")))),
            ("received_at", "OUT_OF_RANGE"),
        ),
    ] {
        let refused = confirm(&mut court, &request).await;
        assert_eq!(violations(refused), pairs(&[expected]), "{request:?}");
    }
}

#[tokio::test]
async fn a_recipient_whose_clock_is_five_minutes_behind_confirms_and_its_instant_is_kept() {
    let (distribution, copy) = released_with_key().await;
    let mut court = distribution.client(Some("supreme-court"));
    let said = statement(&copy, "2025-04-03T04:55:00Z");
    let received = confirm(&mut court, &signed(&copy, &said, "2025-1", 1)).await;
    let received = received.expect("its clock is a little off");
    assert_eq!(received.received_at, Some(wire::to_timestamp(instant(NOW))));
    assert_eq!(received.receipt.expect("it has one").statement, Some(said));
}

#[tokio::test]
async fn a_true_receipt_that_comes_late_leaves_a_failed_delivery_and_is_told_as_such() {
    let (distribution, copy) = released_with_key().await;
    distribution
        .execute("UPDATE collections.copy SET state = 'FAILED', status_reason = 'the server is away', status_at = now() WHERE number = 25")
        .await;
    let failed = distribution.copy("supreme-court").await;
    assert_eq!(
        (failed.state(), failed.status_reason.as_str()),
        (CopyState::Failed, "the server is away")
    );
    let mut court = distribution.client(Some("supreme-court"));
    let request = signed(&copy, &statement(&copy, NOW), "2025-1", 1);
    let received = confirm(&mut court, &request).await.expect("it is true");
    assert_eq!(received.state(), CopyState::Received);
    assert!(received.receipt.expect("it has one").late);
    let told = "SELECT count(*) FROM collections.outbox_event WHERE kind = 'copy.receipt_came_late'";
    assert_eq!(distribution.count(told).await, 1);
}

#[tokio::test]
async fn of_many_receipts_at_once_one_is_kept_and_all_are_answered_alike() {
    let (distribution, copy) = released_with_key().await;
    let request = signed(&copy, &statement(&copy, NOW), "2025-1", 1);
    let answers = futures::future::join_all((0..8).map(|_| {
        let request = ConfirmReceiptRequest {
            request_id: new_id(),
            ..request.clone()
        };
        let mut court = distribution.client(Some("supreme-court"));
        async move { confirm(&mut court, &request).await.expect("it is received") }
    }))
    .await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(distribution.count("SELECT count(*) FROM collections.receipt").await, 1);
    let told = "SELECT count(*) FROM collections.outbox_event WHERE kind = 'copy.receipt_confirmed'";
    assert_eq!(distribution.count(told).await, 1);
}

#[tokio::test]
async fn a_certificate_speaks_for_the_recipient_that_it_names_on_the_day() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    distribution
        .execute(
            "INSERT INTO collections.recipient_detail
                 (recipient, name_kk, name_ru, name_en, certificate_name, legal_basis_act, legal_basis_provision,
                  legal_basis_uri, legal_basis_assumed, valid_from, reason, recorded_at, recorded_by)
             VALUES ('supreme-court', '', '', 'Supreme Court', 'edms', 'Instruction', 'Appendix 1', '', false, '2019-04-15',
                 'another system', now(), 'administrator')",
        )
        .await;
    let mut before = distribution.client(Some("supreme-court"));
    let refusal = confirm(&mut before, &confirming(COURTS_COPY, CONTENT)).await;
    refused(refusal, Code::NotFound, "RESOURCE_NOT_FOUND");
    assert_eq!(distribution.copies("supreme-court").await, []);
}
