//! Copies as their recipients meet them.

use legalstat_proto::collections::v1::{
    ConfirmReceiptRequest, CopyState, DownloadCopyRequest, EditionContent, download_copy_response,
};

use super::*;

/// The copy of the Supreme Court, column 16.
pub(super) const COURTS_COPY: &str = "collections/crime/editions/2025-Q1/copies/25";

pub(super) async fn download(client: &mut Client, name: &str) -> Result<(EditionContent, Vec<u8>), Status> {
    let mut stream = client
        .download_copy(DownloadCopyRequest {
            name: name.into(),
            ..Default::default()
        })
        .await?
        .into_inner();
    let (mut described, mut content) = (None, Vec::new());
    while let Some(message) = stream.message().await? {
        match message.part.expect("every message carries a part") {
            download_copy_response::Part::Content(description) => described = Some(description),
            download_copy_response::Part::Chunk(chunk) => content.extend(chunk),
        }
    }
    Ok((described.expect("the first message describes the content"), content))
}

pub(super) fn confirming(name: &str, content: &[u8]) -> ConfirmReceiptRequest {
    ConfirmReceiptRequest {
        name: name.into(),
        sha256: digest(content),
        request_id: new_id(),
        ..Default::default()
    }
}

pub(super) async fn confirm(client: &mut Client, request: &ConfirmReceiptRequest) -> Result<Copy, Status> {
    client
        .confirm_receipt(request.clone())
        .await
        .map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_recipient_sees_its_own_copies_and_no_one_elses() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let court = distribution.copies("supreme-court").await;
    assert_eq!(
        court.iter().map(|copy| copy.name.as_str()).collect::<Vec<_>>(),
        [COURTS_COPY]
    );
    assert_eq!(
        court[0].legal_basis.as_ref().map(|basis| basis.provision.as_str()),
        Some("Appendix 1, column 16")
    );
    let leadership = distribution.copies("gpo-leadership").await;
    assert!(leadership.iter().map(|copy| copy.number).eq(1..=7));
    assert!(
        leadership
            .iter()
            .all(|copy| copy.recipient == "recipients/gpo-leadership")
    );

    let another = ListCopiesRequest {
        recipient: "recipients/senate".into(),
        ..Default::default()
    };
    let refusal = distribution
        .client(Some("supreme-court"))
        .list_copies(another.clone())
        .await;
    let refusal = refused(refusal, Code::PermissionDenied, "ROLE_MISSING");
    assert_eq!(metadata(&refusal, "resource"), "recipients/senate");
    let official = distribution
        .operator()
        .list_copies(another)
        .await
        .expect("an official sees all")
        .into_inner();
    assert_eq!(official.copies.len(), 1);
}

#[tokio::test]
async fn copies_are_listed_newest_edition_first_page_by_page() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let mut operator = distribution.operator();
    let earlier = "collections/crime/editions/2024-Q4";
    upload(&mut operator, &header(earlier), b"earlier")
        .await
        .expect("it is taken");
    seal(&mut operator, &sealing(earlier, b"earlier"))
        .await
        .expect("it is sealed");
    release(&mut distribution.approver(), &releasing(earlier))
        .await
        .expect("it is released");

    let mut request = ListCopiesRequest {
        parent: "collections/-/editions/-".into(),
        page_size: 20,
        ..Default::default()
    };
    let mut names = Vec::new();
    loop {
        let page = operator
            .list_copies(request.clone())
            .await
            .expect("an official sees all")
            .into_inner();
        names.extend(page.copies.into_iter().map(|copy| copy.name));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let of = |edition: &'static str| (1..=33).map(move |number| format!("{edition}/copies/{number}"));
    assert!(names.iter().cloned().eq(of(CRIME).chain(of(earlier))), "{names:?}");

    let of_earlier = ListCopiesRequest {
        parent: earlier.into(),
        page_size: 1000,
        ..Default::default()
    };
    assert_eq!(
        operator
            .list_copies(of_earlier)
            .await
            .expect("it is there")
            .into_inner()
            .copies
            .len(),
        33
    );
    let missing = ListCopiesRequest {
        parent: "collections/crime/editions/2018-Q4".into(),
        ..Default::default()
    };
    refused(
        operator.list_copies(missing).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let faulty = ListCopiesRequest {
        parent: "x".into(),
        recipient: "y".into(),
        state: 9,
        ..Default::default()
    };
    let expected = [
        ("parent", "RESOURCE_NAME"),
        ("recipient", "RESOURCE_NAME"),
        ("state", "ENUM"),
    ];
    assert_eq!(violations(operator.list_copies(faulty).await), pairs(&expected));
}

#[tokio::test]
async fn a_recipient_downloads_its_copy_and_the_journal_has_it() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let mut court = distribution.client(Some("supreme-court"));
    let (described, content) = download(&mut court, COURTS_COPY).await.expect("it is its own");
    assert_eq!(content, CONTENT);
    assert_eq!(
        (described.filename.as_str(), described.sha256),
        ("crime.pdf", digest(CONTENT))
    );
    let recorded = "SELECT count(*) FROM collections.journal_entry WHERE caller = 'supreme-court' AND outcome = 'DONE'
         AND method LIKE '%/DownloadCopy' AND resource = 'collections/crime/editions/2025-Q1/copies/25'";
    assert_eq!(distribution.count(recorded).await, 1);
}

#[tokio::test]
async fn anothers_copy_is_not_found_and_the_attempt_is_journaled() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let mut senate = distribution.client(Some("senate"));
    for name in [COURTS_COPY, "collections/crime/editions/2025-Q1/copies/34"] {
        let refusal = refused(download(&mut senate, name).await, Code::NotFound, "RESOURCE_NOT_FOUND");
        assert_eq!(refusal.message(), format!("there is no {name}"));
        refused(
            confirm(&mut senate, &confirming(name, CONTENT)).await,
            Code::NotFound,
            "RESOURCE_NOT_FOUND",
        );
    }
    let attempts = "SELECT count(*) FROM collections.journal_entry WHERE caller = 'senate' AND outcome = 'REFUSED'
         AND resource = 'collections/crime/editions/2025-Q1/copies/25'";
    assert_eq!(distribution.count(attempts).await, 2);
    let official = download(&mut distribution.operator(), COURTS_COPY).await;
    refused(official, Code::PermissionDenied, "ROLE_MISSING");
}

#[tokio::test]
async fn a_receipt_needs_the_digest_of_what_was_sent_and_the_first_one_counts() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let mut court = distribution.client(Some("supreme-court"));
    let wrong = confirm(&mut court, &confirming(COURTS_COPY, b"damaged")).await;
    let wrong = refused(wrong, Code::InvalidArgument, "DIGEST_MISMATCH");
    assert_eq!(metadata(&wrong, "resource"), COURTS_COPY);
    assert_eq!(distribution.copies("supreme-court").await[0].state(), CopyState::Issued);

    let checked = ConfirmReceiptRequest {
        validate_only: true,
        ..confirming(COURTS_COPY, CONTENT)
    };
    assert_eq!(
        confirm(&mut court, &checked)
            .await
            .expect("it would be received")
            .state(),
        CopyState::Received
    );
    assert_eq!(distribution.copies("supreme-court").await[0].state(), CopyState::Issued);

    let request = confirming(COURTS_COPY, CONTENT);
    let received = confirm(&mut court, &request).await.expect("it is received");
    assert_eq!(received.state(), CopyState::Received);
    assert!(received.received_at.is_some());
    assert_eq!(confirm(&mut court, &request).await.expect("it is replayed"), received);
    distribution
        .execute("UPDATE collections.copy SET received_at = received_at - interval '1 day' WHERE state = 'RECEIVED'")
        .await;
    let stored = distribution.copies("supreme-court").await.remove(0);
    let again = confirm(&mut court, &confirming(COURTS_COPY, CONTENT))
        .await
        .expect("it is received already");
    assert_eq!(again, stored);
    refused(
        confirm(&mut court, &confirming(COURTS_COPY, b"x")).await,
        Code::InvalidArgument,
        "DIGEST_MISMATCH",
    );
}

#[tokio::test]
async fn only_the_first_receipt_is_told_as_a_change() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let mut court = distribution.client(Some("supreme-court"));
    for _ in 0..4 {
        confirm(&mut court, &confirming(COURTS_COPY, CONTENT))
            .await
            .expect("it is received");
    }
    for (left, expected) in [
        (
            "SELECT count(*) FROM collections.journal_entry WHERE outcome = 'DONE' AND method LIKE '%/ConfirmReceipt'",
            1,
        ),
        (
            "SELECT count(*) FROM collections.journal_entry WHERE outcome = 'REPEATED' AND method LIKE '%/ConfirmReceipt'",
            3,
        ),
        (
            "SELECT count(*) FROM collections.outbox_event WHERE kind = 'copy.receipt_confirmed'",
            1,
        ),
        (
            "SELECT count(*) FROM collections.outbox_event WHERE kind = 'copy.receipt_repeated'",
            3,
        ),
    ] {
        assert_eq!(distribution.count(left).await, expected, "{left}");
    }
}

#[tokio::test]
async fn no_copy_is_given_without_its_entry_in_the_journal() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    distribution
        .execute("REVOKE INSERT (caller) ON collections.journal_entry FROM collections_runtime")
        .await;
    let mut court = distribution.client(Some("supreme-court"));
    download(&mut court, COURTS_COPY)
        .await
        .expect_err("it could not be recorded");
}

#[tokio::test]
async fn a_receipt_without_its_fields_names_each_of_them() {
    let distribution = Distribution::start().await;
    let mut court = distribution.client(Some("supreme-court"));
    let expected = [
        ("name", "REQUIRED"),
        ("sha256", "REQUIRED"),
        ("request_id", "REQUEST_ID"),
    ];
    assert_eq!(
        violations(confirm(&mut court, &ConfirmReceiptRequest::default()).await),
        pairs(&expected)
    );
    let wrong_kind = confirming("collections/crime/editions/2025-S1/copies/1", CONTENT);
    assert_eq!(
        violations(confirm(&mut court, &wrong_kind).await),
        pairs(&[("name", "PERIOD_KIND")])
    );
}

#[tokio::test]
async fn every_mutation_left_one_entry_and_one_event_of_each_thing_that_it_changed() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let mut court = distribution.client(Some("supreme-court"));
    confirm(&mut court, &confirming(COURTS_COPY, CONTENT))
        .await
        .expect("it is received");
    let mut superuser = distribution.running.superuser().await;
    let entries: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT split_part(method, '/', 3), caller, resource FROM collections.journal_entry ORDER BY number",
    )
    .fetch_all(&mut superuser)
    .await
    .expect("the query is right");
    let entry =
        |method: &str, caller: &str, resource: &str| (method.to_owned(), caller.to_owned(), resource.to_owned());
    let issued = (1..=33).map(|number| entry("ReleaseEdition", "approver", &format!("{CRIME}/copies/{number}")));
    assert_eq!(
        entries,
        [
            // The jobs that loaded the register and filled the schedule, in one batch each, and the day that follows from it.
            entry("", "system", "collections"),
            entry("", "system", "schedule"),
            entry("", "system", "answeringDay"),
            entry("UploadEditionContent", "operator", CRIME),
            entry("SealEdition", "operator", CRIME),
            entry("ReleaseEdition", "approver", CRIME),
        ]
        .into_iter()
        .chain(issued)
        .chain([entry("ConfirmReceipt", "supreme-court", COURTS_COPY)])
        .collect::<Vec<_>>()
    );
    let events: Vec<String> = sqlx::query_scalar("SELECT kind FROM collections.outbox_event ORDER BY number")
        .fetch_all(&mut superuser)
        .await
        .expect("the query is right");
    assert_eq!(
        events,
        [
            "collection-register.loaded",
            "schedule.filled",
            "answering-day.set",
            "edition.prepared",
            "edition.sealed",
            "edition.released",
        ]
        .into_iter()
        .chain(["copy.issued"; 33])
        .chain(["copy.receipt_confirmed"])
        .collect::<Vec<_>>()
    );
}
