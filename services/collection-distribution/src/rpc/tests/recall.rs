//! Recalling an edition, and replacing it.

use legalstat_proto::collections::v1::{
    ConfirmRecallRequest, CopyState, EditionState, ListEditionsRequest, RecallEditionRequest,
};

use super::{
    copies::{confirm, confirming, download},
    statements::keys,
    *,
};
use crate::statements::verify;

const MENDED: &[u8] = b"the collection on crime, mended";

pub(super) fn recalling(name: &str) -> RecallEditionRequest {
    RecallEditionRequest {
        name: name.into(),
        reason: "table 3 is wrong".into(),
        request_id: new_id(),
        validate_only: false,
    }
}

pub(super) async fn recall(client: &mut Client, request: &RecallEditionRequest) -> Result<Edition, Status> {
    client
        .recall_edition(request.clone())
        .await
        .map(tonic::Response::into_inner)
}

fn confirming_recall(name: &str) -> ConfirmRecallRequest {
    ConfirmRecallRequest {
        name: name.into(),
        request_id: new_id(),
        validate_only: false,
    }
}

async fn confirm_recall(client: &mut Client, request: &ConfirmRecallRequest) -> Result<Copy, Status> {
    client
        .confirm_recall(request.clone())
        .await
        .map(tonic::Response::into_inner)
}

async fn replace_crime(distribution: &Distribution, content: &[u8]) {
    let mut operator = distribution.operator();
    upload(&mut operator, &header(CRIME), content)
        .await
        .expect("it is taken");
    seal(&mut operator, &sealing(CRIME, content))
        .await
        .expect("it is sealed");
}

#[tokio::test]
async fn a_recalled_edition_is_told_to_every_holder_and_served_to_nobody() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let (first, second) = (format!("{CRIME}/copies/1"), format!("{CRIME}/copies/25"));
    let mut leadership = distribution.client(Some("gpo-leadership"));
    let mut court = distribution.client(Some("supreme-court"));
    confirm(&mut leadership, &confirming(&first, CONTENT))
        .await
        .expect("it is received");
    let early = confirm_recall(&mut court, &confirming_recall(&second)).await;
    refused(early, Code::FailedPrecondition, "WRONG_STATE");

    let mut approver = distribution.approver();
    let checked = RecallEditionRequest {
        validate_only: true,
        ..recalling(CRIME)
    };
    let checked = recall(&mut approver, &checked).await.expect("it would be recalled");
    assert_eq!(checked.state(), EditionState::Recalled);
    assert_eq!(distribution.copies("supreme-court").await[0].state(), CopyState::Issued);
    let request = recalling(CRIME);
    let recalled = recall(&mut approver, &request).await.expect("it was released");
    assert_eq!(recall(&mut approver, &request).await.expect("it is replayed"), recalled);
    assert_eq!((recalled.state(), recalled.revision), (EditionState::Recalled, 1));
    let told = recalled.revisions[0].recall.clone().expect("it is recalled");
    assert_eq!(
        (told.reason.as_str(), told.recalled_by.as_str()),
        ("table 3 is wrong", "approver")
    );
    refused(
        recall(&mut approver, &recalling(CRIME)).await,
        Code::FailedPrecondition,
        "EDITION_RECALLED",
    );

    let copies = distribution.copies("auditor").await;
    assert_eq!(copies.len(), 33);
    assert!(
        copies
            .iter()
            .all(|copy| copy.state() == CopyState::Recalled && copy.recalled_at.is_some())
    );
    assert!(copies[0].received_at.is_some(), "what was received stays known");
    assert_eq!(
        distribution
            .count("SELECT count(DISTINCT resource) FROM collections.outbox_event WHERE kind = 'copy.recalled'")
            .await,
        33
    );
    let refusal = refused(
        download(&mut court, &second).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
    assert_eq!(metadata(&refusal, "resource"), second);
    let late = confirm(&mut court, &confirming(&second, CONTENT)).await;
    refused(late, Code::FailedPrecondition, "WRONG_STATE");
    let repeated = confirm(&mut leadership, &confirming(&first, CONTENT)).await;
    assert_eq!(repeated.expect("it was received before").state(), CopyState::Recalled);
    let journaled =
        "SELECT count(*) FROM collections.journal_entry WHERE outcome = 'REFUSED' AND caller = 'supreme-court'
         AND method LIKE '%/DownloadCopy' AND resource = 'collections/crime/editions/2025-Q1/copies/25'";
    let written = async {
        while distribution.count(journaled).await == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, written)
        .await
        .expect("the refusal is in the journal");
}

#[tokio::test]
async fn a_holder_confirms_a_recall_once() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    recall(&mut distribution.approver(), &recalling(CRIME))
        .await
        .expect("it was released");
    let name = format!("{CRIME}/copies/25");
    let mut senate = distribution.client(Some("senate"));
    let another = confirm_recall(&mut senate, &confirming_recall(&name)).await;
    refused(another, Code::NotFound, "RESOURCE_NOT_FOUND");

    let mut court = distribution.client(Some("supreme-court"));
    let checked = ConfirmRecallRequest {
        validate_only: true,
        ..confirming_recall(&name)
    };
    confirm_recall(&mut court, &checked)
        .await
        .expect("it would be confirmed");
    assert_eq!(distribution.copies("supreme-court").await[0].recall_confirmed_at, None);
    let confirmed = confirm_recall(&mut court, &confirming_recall(&name)).await;
    let confirmed = confirmed.expect("it was recalled");
    assert!(confirmed.recall_confirmed_at.is_some());
    let again = confirm_recall(&mut court, &confirming_recall(&name)).await;
    assert_eq!(again.expect("it is confirmed already"), confirmed);
    let shown = full_edition(&mut distribution.operator(), CRIME)
        .await
        .expect("it is there");
    let recall = shown.revisions[0].recall.clone().expect("it is recalled");
    assert_eq!(recall.copies_confirmed, 1);
    let context = distribution.running.context(|| instant(NOW));
    let mut connection = context.db.begin().await.expect("a transaction");
    let counted = crate::db::overdue::count(&mut connection, instant(NOW)).await;
    assert_eq!(counted.expect("it counts").recalls, 32);
    drop(connection);
    for (count, expected) in [
        (
            "SELECT count(*) FROM collections.outbox_event WHERE kind = 'copy.recall_confirmed'",
            1,
        ),
        (
            "SELECT count(*) FROM collections.outbox_event WHERE kind = 'copy.recall_confirmation_repeated'",
            1,
        ),
    ] {
        assert_eq!(distribution.count(count).await, expected, "{count}");
    }
    let faulty = confirm_recall(&mut court, &ConfirmRecallRequest::default()).await;
    assert_eq!(
        violations(faulty),
        pairs(&[("name", "REQUIRED"), ("request_id", "REQUEST_ID")])
    );
}

#[tokio::test]
async fn a_recalled_edition_is_not_released_before_it_is_replaced() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let mut approver = distribution.approver();
    recall(&mut approver, &recalling(CRIME)).await.expect("it was released");
    let unreplaced = release(&mut approver, &releasing(CRIME)).await;
    refused(unreplaced, Code::FailedPrecondition, "EDITION_RECALLED");
    let resealed = seal(&mut distribution.operator(), &sealing(CRIME, CONTENT)).await;
    refused(resealed, Code::FailedPrecondition, "EDITION_RECALLED");
    assert_eq!(distribution.count("SELECT count(*) FROM collections.copy").await, 33);
}

#[tokio::test]
async fn a_replacement_is_the_next_revision_with_copies_numbered_on() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let (keys, mut approver) = (keys(&distribution).await, distribution.approver());
    recall(&mut approver, &recalling(CRIME)).await.expect("it was released");
    replace_crime(&distribution, MENDED).await;
    let (mut operator, mut court) = (distribution.operator(), distribution.client(Some("supreme-court")));
    let seen = full_edition(&mut operator, CRIME).await.expect("it is there");
    assert_eq!(
        (seen.state(), seen.revision, seen.copies_issued),
        (EditionState::Recalled, 2, 0)
    );
    assert_eq!(seen.revisions.len(), 2);
    let hidden = full_edition(&mut court, CRIME).await.expect("it is there");
    assert_eq!(
        (hidden.state(), hidden.content, hidden.revisions.len()),
        (EditionState::Recalled, None, 1)
    );
    let listed = ListEditionsRequest {
        parent: "collections/-".into(),
        state: EditionState::Recalled.into(),
        ..Default::default()
    };
    let listed = operator.list_editions(listed).await.expect("it is listed").into_inner();
    assert_eq!(
        listed.editions.len(),
        1,
        "it stays recalled until its replacement is released"
    );

    let released = release(&mut approver, &releasing(CRIME)).await.expect("it is sealed");
    assert_eq!(
        (released.state(), released.revision, released.copies_issued),
        (EditionState::Released, 2, 33)
    );
    let copies = distribution.copies("auditor").await;
    assert!(copies.iter().map(|copy| copy.number).eq(1..=66));
    assert!(copies.iter().map(|copy| copy.ordinal).eq((1..=33).chain(1..=33)));
    for (copy, content, state) in [
        (&copies[24], CONTENT, CopyState::Recalled),
        (&copies[57], MENDED, CopyState::Issued),
    ] {
        assert_eq!(
            (copy.recipient.as_str(), copy.state()),
            ("recipients/supreme-court", state)
        );
        let full = get_copy(&mut court, &copy.name).await.expect("both stay provable");
        assert_eq!(full.sha256, digest(content));
        verify(&full, &keys).expect("it is signed");
    }
    let (described, content) = download(&mut court, &copies[57].name).await.expect("it is its own");
    assert_eq!((content.as_slice(), described.sha256), (MENDED, digest(MENDED)));
    let old = download(&mut court, &copies[24].name).await;
    refused(old, Code::FailedPrecondition, "WRONG_STATE");
    let received = confirm(&mut court, &confirming(&copies[57].name, MENDED)).await;
    assert_eq!(received.expect("it is received").state(), CopyState::Received);
    let shown = full_edition(&mut court, CRIME).await.expect("it is there");
    let firsts: Vec<i32> = shown.revisions.iter().map(|revision| revision.first_number).collect();
    assert_eq!(firsts, [1, 34]);
    let basic = edition(&mut court, CRIME).await.expect("it is there");
    assert_eq!(basic.revisions, []);
    let unknown = GetEditionRequest {
        name: CRIME.into(),
        view: 9,
    };
    assert_eq!(violations(court.get_edition(unknown).await), pairs(&[("view", "ENUM")]));
    assert_eq!(
        shown.revisions[0].recall.as_ref().map(|recall| recall.copies_confirmed),
        Some(0)
    );
}

#[tokio::test]
async fn the_same_content_may_replace_what_was_recalled() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let mut approver = distribution.approver();
    recall(&mut approver, &recalling(CRIME)).await.expect("it was released");
    replace_crime(&distribution, CONTENT).await;
    let released = release(&mut approver, &releasing(CRIME)).await.expect("it is sealed");
    assert_eq!((released.revision, released.copies_issued), (2, 33));
    let second = recall(&mut approver, &recalling(CRIME))
        .await
        .expect("it was released again");
    assert_eq!(second.revisions.len(), 2);
    assert!(second.revisions.iter().all(|revision| revision.recall.is_some()));
}

#[tokio::test]
async fn only_what_was_released_is_recalled_by_an_approver_with_a_reason() {
    let distribution = Distribution::start().await;
    let mut approver = distribution.approver();
    let scheduled = recall(&mut approver, &recalling(CRIME)).await;
    refused(scheduled, Code::FailedPrecondition, "WRONG_STATE");
    distribution.seal_crime().await;
    let sealed = recall(&mut approver, &recalling(CRIME)).await;
    refused(sealed, Code::FailedPrecondition, "WRONG_STATE");
    for caller in ["operator", "administrator", "supreme-court"] {
        let answer = recall(&mut distribution.client(Some(caller)), &recalling(CRIME)).await;
        refused(answer, Code::PermissionDenied, "ROLE_MISSING");
    }
    let expected = [
        ("name", "REQUIRED"),
        ("reason", "REQUIRED"),
        ("request_id", "REQUEST_ID"),
    ];
    let empty = recall(&mut approver, &RecallEditionRequest::default()).await;
    assert_eq!(violations(empty), pairs(&expected));
    let long = RecallEditionRequest {
        reason: "x".repeat(1001),
        ..recalling(CRIME)
    };
    let expected = [("reason", "TOO_LONG")];
    assert_eq!(violations(recall(&mut approver, &long).await), pairs(&expected));
}

#[tokio::test]
async fn a_receipt_and_a_recall_at_once_leave_a_copy_in_one_state() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let (mut approver, mut court) = (distribution.approver(), distribution.client(Some("supreme-court")));
    let (recalling, confirming) = (recalling(CRIME), confirming(&format!("{CRIME}/copies/25"), CONTENT));
    let (recalled, received) = tokio::join!(recall(&mut approver, &recalling), confirm(&mut court, &confirming));
    recalled.expect("it was released");
    let copy = distribution.copies("supreme-court").await.remove(0);
    assert_eq!(copy.state(), CopyState::Recalled);
    assert_eq!(copy.received_at.is_some(), received.is_ok(), "{received:?}");
}
