//! Proofs of delivery, as who has no access to the system verifies them.

use legalstat_proto::collections::v1::{CopyState, DeliveryProof, ProveDeliveryRequest};

use super::{
    copies::{COURTS_COPY, confirm, confirming},
    delivery::{Delivering, Manner, is, redelivering},
    receipts::{released_with_key, signed, statement},
    statements::keys,
    *,
};
use crate::proof::{Outcome, Point, is_proved, verify};

pub(super) async fn prove(client: &mut Client, name: &str) -> Result<DeliveryProof, Status> {
    let request = ProveDeliveryRequest { name: name.into() };
    client.prove_delivery(request).await.map(tonic::Response::into_inner)
}

async fn outcomes(distribution: &Distribution, proof: &DeliveryProof) -> Vec<(Point, Outcome)> {
    let keys = keys(distribution).await;
    let findings = verify(proof, Some(&keys), Some(&digest(CONTENT))).expect("it has a text");
    findings
        .into_iter()
        .map(|finding| (finding.point, finding.outcome))
        .collect()
}

#[tokio::test]
async fn a_copy_that_was_received_with_a_signature_is_proved_in_all_points() {
    let (distribution, copy) = released_with_key().await;
    let mut court = distribution.client(Some("supreme-court"));
    let request = signed(&copy, &statement(&copy, NOW), "2025-1", 1);
    confirm(&mut court, &request).await.expect("it is received");
    for caller in ["supreme-court", "auditor", "operator"] {
        let proof = prove(&mut distribution.client(Some(caller)), &copy.name).await;
        let proof = proof.expect("it may be proved");
        let told = outcomes(&distribution, &proof).await;
        assert!(told.iter().all(|(_, outcome)| *outcome == Outcome::Proved), "{told:?}");
        let methods = proof.journal_entries.iter();
        let methods: Vec<&str> = methods.filter_map(|entry| entry.method.rsplit('/').next()).collect();
        let expected = [
            "UploadEditionContent",
            "SealEdition",
            "ReleaseEdition",
            "ReleaseEdition",
            "ConfirmReceipt",
        ];
        assert_eq!(methods, expected);
        let list = proof.distribution_list.expect("it was issued by one");
        assert_eq!(
            (list.name.as_str(), list.copies_total),
            ("collections/crime/distributionLists/1", 33)
        );
        let revision = proof.revision.expect("it is of one");
        assert_eq!((revision.revision, revision.copies_issued), (1, 33));
    }
}

#[tokio::test]
async fn the_proof_of_a_copy_that_was_delivered_tells_how_and_who_had_it_delivered_anew() {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", "court-proved").await;
    inbox.turns(Manner::Away);
    delivering.distribution.release_crime().await;
    for attempts in 1..=8 {
        delivering.pass_on(COURTS_COPY, attempts).await;
    }
    delivering.until(COURTS_COPY, is(CopyState::Failed)).await;
    inbox.turns(Manner::Receives);
    let anew = delivering.redeliver(&redelivering(COURTS_COPY)).await;
    anew.expect("it failed");
    delivering.until(COURTS_COPY, is(CopyState::Received)).await;

    let distribution = &delivering.distribution;
    let proof = prove(&mut distribution.operator(), COURTS_COPY).await;
    let proof = proof.expect("it may be proved");
    let told = outcomes(distribution, &proof).await;
    assert!(told.iter().all(|(_, outcome)| *outcome == Outcome::Proved), "{told:?}");
    let entries = proof
        .journal_entries
        .iter()
        .filter(|entry| entry.resource == COURTS_COPY);
    let told: Vec<_> = entries
        .map(|entry| {
            (
                entry.method.rsplit("Service/").next().unwrap_or_default(),
                entry.caller.as_str(),
            )
        })
        .collect();
    let job = ("jobs/delivery", "system");
    let expected = [
        ("ReleaseEdition", "approver"),
        job,
        job,
        ("RedeliverCopy", "operator"),
        job,
    ];
    assert_eq!(told, expected, "it left, it failed, and it was received");
}

#[tokio::test]
async fn what_is_not_received_yet_or_confirmed_by_a_certificate_alone_is_issued_and_not_proved_to_be_received() {
    let (distribution, _) = released_with_key().await;
    let mut senate = distribution.client(Some("senate"));
    let copy = distribution.copies("senate").await.remove(0);
    let receipt = async |proof: &DeliveryProof| {
        let told = outcomes(&distribution, proof).await;
        assert!(told.contains(&(Point::Proof, Outcome::Proved)));
        assert!(told.contains(&(Point::Issue, Outcome::Proved)));
        assert!(told.contains(&(Point::Receipt, Outcome::NotProved)));
    };
    let issued = prove(&mut senate, &copy.name).await.expect("it is its own");
    assert_eq!(issued.state(), CopyState::Issued);
    receipt(&issued).await;
    let confirmed = confirm(&mut senate, &confirming(&copy.name, CONTENT)).await;
    confirmed.expect("it has no key");
    let confirmed = prove(&mut senate, &copy.name).await.expect("it is its own");
    assert_eq!(confirmed.state(), CopyState::Received);
    receipt(&confirmed).await;
    let findings = verify(&confirmed, None, None).expect("it has a text");
    assert!(!is_proved(&findings));
}

#[tokio::test]
async fn anothers_copy_is_not_proved_to_a_recipient() {
    let (distribution, copy) = released_with_key().await;
    let other = prove(&mut distribution.client(Some("senate")), &copy.name).await;
    refused(other, Code::NotFound, "RESOURCE_NOT_FOUND");
    let unknown = prove(&mut distribution.operator(), &format!("{CRIME}/copies/34")).await;
    refused(unknown, Code::NotFound, "RESOURCE_NOT_FOUND");
    let fields = violations(prove(&mut distribution.operator(), "copies/1").await);
    assert_eq!(fields[0].0, "name");
}
