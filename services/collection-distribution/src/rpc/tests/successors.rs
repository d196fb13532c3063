//! What follows a recipient that ended: its copies, and what the feed, receipts and proofs say of that.

use legalstat_proto::collections::v1::{
    ConfirmRecallRequest, ConfirmReceiptRequest, CopyState, ProveDeliveryRequest, Recipient, RejectCopyRequest,
    WatchCopiesRequest,
};

use super::{
    copies::{confirm, confirming, download},
    recall::{recall, recalling},
    receipts::{signed, statement},
    recipients::{council, day, updating},
    statements::keys,
    *,
};
use crate::proof::{Outcome, verify};

const COUNCIL: &str = "recipients/constitutional-council";
const COURT: &str = "recipients/supreme-court";

/// The crime collection is released, and afterwards it is recorded that the Constitutional Council ended the day before, and that the
/// Supreme Court follows it. Also gives the Council's copy.
async fn succeeded() -> (Distribution, Copy) {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let copy = distribution.copies("constitutional-council").await.remove(0);
    let ended = Recipient {
        valid_to: day(2025, 4, 2),
        successor: COURT.into(),
        ..council()
    };
    let ended = updating(ended, &["valid_to", "successor"], None);
    distribution.update(ended).await.expect("the court follows it");
    (distribution, copy)
}

fn signing_for_the_council(copy: &Copy) -> ConfirmReceiptRequest {
    signed(copy, &statement(copy, NOW), "2025-1", 1)
}

#[tokio::test]
async fn what_follows_a_recipient_sees_downloads_and_confirms_its_copies_by_its_own_key_and_the_proof_shows_why() {
    let (distribution, copy) = succeeded().await;
    distribution
        .key("supreme-court", "2025-1", 1, "2025-01-01T00:00:00Z", None)
        .await;
    distribution
        .key("constitutional-council", "old", 2, "2025-01-01T00:00:00Z", None)
        .await;
    assert!(distribution.copies("constitutional-council").await.is_empty());
    let names: Vec<_> = distribution
        .copies("supreme-court")
        .await
        .into_iter()
        .map(|copy| copy.recipient)
        .collect();
    assert_eq!(names, [COUNCIL, COURT]);
    let mut court = distribution.client(Some("supreme-court"));
    let asked = ListCopiesRequest {
        recipient: COUNCIL.into(),
        ..Default::default()
    };
    let of_council = court.list_copies(asked).await.expect("it follows").into_inner().copies;
    assert_eq!(of_council.len(), 1);
    let (_, content) = download(&mut court, &copy.name).await.expect("it follows");
    assert_eq!(content, CONTENT);

    let unsigned = confirm(&mut court, &confirming(&copy.name, CONTENT)).await;
    refused(unsigned, Code::FailedPrecondition, "SIGNATURE_REQUIRED");
    let mut as_its_own = statement(&copy, NOW);
    as_its_own.recipient = COURT.into();
    for (request, problem) in [
        (signed(&copy, &as_its_own, "2025-1", 1), "SIGNATURE"),
        (signed(&copy, &statement(&copy, NOW), "old", 2), "KEY_UNKNOWN"),
        (
            signed(&copy, &statement(&copy, NOW), &format!("{COUNCIL}/signingKeys/old"), 2),
            "KEY_UNKNOWN",
        ),
    ] {
        let refusal = confirm(&mut court, &request).await;
        let refusal = refused(refusal, Code::InvalidArgument, "RECEIPT_NOT_TRUE");
        assert_eq!(metadata(&refusal, "problem"), problem);
    }
    let received = confirm(&mut court, &signing_for_the_council(&copy)).await;
    let received = received.expect("it speaks for the council");
    let receipt = received.receipt.expect("it has one");
    assert_eq!(receipt.successor, COURT);
    assert_eq!(receipt.signing_key, format!("{COURT}/signingKeys/2025-1"));
    assert_eq!(receipt.statement.expect("it says something").recipient, COUNCIL);

    let request = ProveDeliveryRequest { name: copy.name };
    let proof = court.prove_delivery(request).await.expect("it follows").into_inner();
    let told: Vec<_> = proof
        .successions
        .iter()
        .map(|one| (one.recipient.as_str(), one.successor.as_str()))
        .collect();
    assert_eq!(told, [(COUNCIL, COURT)]);
    let outcomes = |proof: &_, keys: &_| {
        let findings = verify(proof, Some(keys), Some(&digest(CONTENT))).expect("it has a text");
        findings.into_iter().map(|finding| finding.outcome).collect::<Vec<_>>()
    };
    let keys = keys(&distribution).await;
    assert_eq!(outcomes(&proof, &keys), [Outcome::Proved; 5]);
    let list = proof.distribution_list.clone().expect("it was issued by one");
    assert_eq!((list.version, list.cells.len(), list.decided_by.as_str()), (1, 23, ""));
}

#[tokio::test]
async fn what_follows_a_recipient_and_has_a_key_signs_also_when_the_keys_of_that_recipient_are_over() {
    let (distribution, copy) = succeeded().await;
    distribution
        .key("supreme-court", "2025-1", 1, "2025-01-01T00:00:00Z", None)
        .await;
    let (from, to) = ("2025-01-01T00:00:00Z", "2025-04-03T00:00:00Z");
    distribution
        .key("constitutional-council", "old", 2, from, Some(to))
        .await;
    let mut court = distribution.client(Some("supreme-court"));
    let unsigned = confirm(&mut court, &confirming(&copy.name, CONTENT)).await;
    refused(unsigned, Code::FailedPrecondition, "SIGNATURE_REQUIRED");
    let received = confirm(&mut court, &signing_for_the_council(&copy)).await;
    received.expect("it signs with its own key");
}

#[tokio::test]
async fn what_follows_a_recipient_rejects_its_copy_and_a_recall_leaves_the_rejection_readable() {
    let (distribution, copy) = succeeded().await;
    let mut court = distribution.client(Some("supreme-court"));
    let rejecting = RejectCopyRequest {
        name: copy.name.clone(),
        reason: "the file does not open".into(),
        request_id: new_id(),
        validate_only: false,
    };
    let rejected = court.reject_copy(rejecting).await.expect("it follows").into_inner();
    let rejection = rejected.rejection.clone().expect("it was rejected");
    assert_eq!(
        (
            rejection.reason.as_str(),
            rejection.successor.as_str(),
            rejection.rejected_by.as_str()
        ),
        ("the file does not open", COURT, "supreme-court")
    );
    recall(&mut distribution.approver(), &recalling(CRIME))
        .await
        .expect("it is released");
    let recalled = get_copy(&mut court, &copy.name).await.expect("it follows");
    assert_eq!(
        (recalled.state(), recalled.rejection.as_ref()),
        (CopyState::Recalled, Some(&rejection))
    );
    let request = ProveDeliveryRequest {
        name: copy.name.clone(),
    };
    let proof = court.prove_delivery(request).await.expect("it follows").into_inner();
    assert_eq!(proof.rejection, Some(rejection));
    let findings = verify(&proof, None, None).expect("it has a text");
    let told = findings
        .iter()
        .any(|finding| finding.text.contains("the file does not open"));
    assert!(told, "{findings:?}");
    let confirming = ConfirmRecallRequest {
        name: copy.name,
        request_id: new_id(),
        validate_only: false,
    };
    let known = court.confirm_recall(confirming).await.expect("it follows").into_inner();
    assert!(known.recall_confirmed_at.is_some());
}

#[tokio::test]
async fn the_feed_tells_what_follows_a_recipient_of_its_copies_and_others_still_nothing() {
    let (distribution, copy) = succeeded().await;
    let told = async |caller: &str| {
        let mut client = distribution.client(Some(caller));
        let watched = client.watch_copies(WatchCopiesRequest::default()).await;
        let mut feed = watched.expect("it is watched").into_inner();
        let mut issued = Vec::new();
        while let Some(message) = feed.message().await.expect("no failure") {
            match message.event {
                Some(event) if event.kind == "copy.issued" => issued.push(event.resource),
                Some(_) => {}
                None if message.caught_up => break,
                None => {}
            }
        }
        issued
    };
    let court = told("supreme-court").await;
    assert!(court.len() == 2 && court.contains(&copy.name), "{court:?}");
    assert_eq!(told("senate").await.len(), 1);
    assert_eq!(told("auditor").await.len(), 33);
    let mut senate = distribution.client(Some("senate"));
    refused(
        get_copy(&mut senate, &copy.name).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let confirmed = confirm(&mut senate, &confirming(&copy.name, CONTENT)).await;
    refused(confirmed, Code::NotFound, "RESOURCE_NOT_FOUND");
}

#[tokio::test]
async fn copies_that_a_recipient_had_in_part_count_for_what_follows_it_before_the_rest() {
    let distribution = Distribution::start().await;
    partial_release::seal_drugs(&distribution).await;
    let mut approver = distribution.approver();
    release(&mut approver, &partial_release::certain(DRUGS))
        .await
        .expect("some cells are certain");
    let ended = Recipient {
        name: "recipients/gpo-leadership".into(),
        valid_to: day(2025, 4, 2),
        successor: "recipients/gpo-committee".into(),
        ..Default::default()
    };
    let ended = updating(ended, &["valid_to", "successor"], None);
    distribution.update(ended).await.expect("the committee follows it");
    distribution.execute(partial_release::RESOLVED).await;
    let released = release(&mut approver, &releasing(DRUGS))
        .await
        .expect("nobody has more");
    assert_eq!((released.copies_issued, released.copies_total), (24, 24));
    let of_committee = distribution.copies("gpo-committee").await;
    assert_eq!(of_committee.len(), 12, "its own and those of the leadership, each once");
}

#[tokio::test]
async fn nobody_ends_whose_copies_or_whose_predecessors_copies_then_go_to_nobody() {
    let distribution = Distribution::start().await;
    let creating = recipients::creating(recipients::court());
    let created = distribution.administrator().create_recipient(creating).await;
    created.expect("it is entered");
    let ending = |last, successor: &str| {
        let ended = Recipient {
            valid_to: last,
            successor: successor.into(),
            ..council()
        };
        updating(ended, &["valid_to", "successor"], None)
    };
    let court = "recipients/constitutional-court";
    let gap = distribution.update(ending(day(2022, 11, 30), court)).await;
    assert_eq!(
        violations(gap),
        pairs(&[("recipient.successor", "REQUIRED"); 6]),
        "the court begins a month later"
    );
    distribution
        .update(ending(day(2022, 12, 31), court))
        .await
        .expect("the court gets its copies");
    let alone = Recipient {
        name: court.into(),
        valid_to: day(2025, 12, 31),
        ..Default::default()
    };
    let alone = distribution.update(updating(alone, &["valid_to"], None)).await;
    assert_eq!(violations(alone), pairs(&[("recipient.successor", "REQUIRED"); 6]));
    let corrected = distribution.update(ending(day(2022, 6, 30), court)).await;
    assert_eq!(violations(corrected), pairs(&[("recipient.successor", "REQUIRED"); 6]));
    let handed_on = Recipient {
        name: court.into(),
        valid_to: day(2025, 12, 31),
        successor: COURT.into(),
        ..Default::default()
    };
    let handed_on = updating(handed_on, &["valid_to", "successor"], None);
    distribution
        .update(handed_on)
        .await
        .expect("the supreme court follows both");
}

#[tokio::test]
async fn an_edition_is_not_released_to_a_recipient_that_nothing_follows() {
    let distribution = Distribution::start().await;
    distribution.seal_crime().await;
    // As an earlier release could leave it.
    distribution
        .execute(
            "INSERT INTO collections.recipient_detail
                 (recipient, name_kk, name_ru, name_en, legal_basis_act, legal_basis_provision, legal_basis_uri,
                  legal_basis_assumed, valid_from, valid_to, reason, recorded_at, recorded_by)
             VALUES ('senate', '', '', 'Senate', '', '', '', false, '2019-04-15', '2024-12-31', 'x', now(), 'x')",
        )
        .await;
    let refusal = release(&mut distribution.approver(), &releasing(CRIME)).await;
    let refusal = refused(refusal, Code::FailedPrecondition, "RECIPIENT_ENDED");
    assert_eq!(metadata(&refusal, "recipients"), "recipients/senate");
    assert_eq!(distribution.count("SELECT count(*) FROM collections.copy").await, 0);
    let renamed = Recipient {
        endpoint: "https://majilis.example".into(),
        name: "recipients/majilis".into(),
        ..Default::default()
    };
    let renamed = distribution.update(updating(renamed, &["endpoint"], None)).await;
    renamed.expect("what was so before keeps nobody from another change");
}
