//! Editions that are marked for official use.

use std::sync::atomic::{AtomicI64, Ordering};

use legalstat_proto::{
    collections::v1::{MarkEditionRequest, OfficialUse},
    common::v1::Date,
};

use super::{
    copies::{COURTS_COPY, download},
    recall::{recall, recalling},
    statements::keys,
    *,
};
use crate::statements::verify;

/// The service's clock, in seconds.
static CLOCK: AtomicI64 = AtomicI64::new(0);

fn clock() -> Timestamp {
    Timestamp::from_second(CLOCK.load(Ordering::SeqCst)).expect("an instant")
}

fn move_clock(to: &str) {
    CLOCK.store(instant(to).as_second(), Ordering::SeqCst);
}

fn official_use(copies: i32) -> OfficialUse {
    OfficialUse {
        copies,
        reason: "it tells of pending cases".into(),
        expires_on: Some(Date {
            year: 2025,
            month: 12,
            day: 31,
        }),
    }
}

fn marking(official_use: Option<OfficialUse>) -> MarkEditionRequest {
    MarkEditionRequest {
        name: CRIME.into(),
        official_use,
        request_id: new_id(),
        validate_only: false,
    }
}

async fn mark(client: &mut Client, official_use: Option<OfficialUse>) -> Result<Edition, Status> {
    let answer = client.mark_edition(marking(official_use)).await;
    answer.map(tonic::Response::into_inner)
}

/// Uploads, marks and seals the crime collection.
async fn seal_marked(distribution: &Distribution, copies: i32) -> Edition {
    let mut operator = distribution.operator();
    upload(&mut operator, &header(CRIME), CONTENT)
        .await
        .expect("it is taken");
    mark(&mut operator, Some(official_use(copies)))
        .await
        .expect("it is prepared");
    seal(&mut operator, &sealing(CRIME, CONTENT))
        .await
        .expect("it is sealed")
}

#[tokio::test]
async fn a_marking_is_signed_with_every_copy() {
    let distribution = Distribution::start().await;
    let sealed = seal_marked(&distribution, 33).await;
    assert_eq!(sealed.official_use, Some(official_use(33)));
    release(&mut distribution.approver(), &releasing(CRIME))
        .await
        .expect("the copies agree");
    let keys = keys(&distribution).await;
    let mut court = distribution.client(Some("supreme-court"));
    let copy = get_copy(&mut court, COURTS_COPY).await.expect("it is its own");
    let statement = copy.statement.clone().expect("it has one");
    assert_eq!(
        (&copy.official_use, &statement.official_use),
        (&Some(official_use(33)), &Some(official_use(33)))
    );
    verify(&copy, &keys).expect("it is signed");
    let mut opened = copy.clone();
    opened.official_use = None;
    opened.statement = Some(legalstat_proto::collections::v1::CopyStatement {
        official_use: None,
        ..statement
    });
    verify(&opened, &keys).expect_err("the marking is part of what was signed");
    // A replica of the release before, which signs no marking, cannot issue it.
    let unmarked = "INSERT INTO collections.copy
             (collection, period, revision, number, recipient, sha256, state, legal_basis_act, legal_basis_provision, legal_basis_uri,
              legal_basis_assumed, issued_at)
         SELECT collection, period, revision, 34, recipient, sha256, 'ISSUED', '', '', '', false, issued_at
         FROM collections.copy WHERE number = 1";
    let error = sqlx::query(unmarked)
        .execute(&mut distribution.running.runtime().await)
        .await
        .expect_err("the revision is marked");
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    assert_eq!(constraint, Some("copy_content"));
}

#[tokio::test]
async fn a_marking_in_another_number_of_copies_than_there_are_refuses_the_release() {
    let distribution = Distribution::start().await;
    seal_marked(&distribution, 32).await;
    let mut approver = distribution.approver();
    let differs = release(&mut approver, &releasing(CRIME)).await;
    let differs = refused(differs, Code::FailedPrecondition, "MARKED_COPIES_DIFFER");
    assert_eq!(
        (metadata(&differs, "marked_copies"), metadata(&differs, "copies_total")),
        ("32".to_owned(), "33".to_owned())
    );
    assert_eq!(distribution.count("SELECT count(*) FROM collections.copy").await, 0);
}

#[tokio::test]
async fn every_fault_of_a_marking_is_named_and_it_is_set_before_the_seal() {
    let distribution = Distribution::start().await;
    let mut operator = distribution.operator();
    let empty = mark(&mut operator, Some(official_use(33))).await;
    refused(empty, Code::FailedPrecondition, "CONTENT_MISSING");
    upload(&mut operator, &header(CRIME), CONTENT)
        .await
        .expect("it is taken");
    let wrong = OfficialUse {
        copies: 0,
        reason: " ".into(),
        expires_on: Some(Date {
            year: 2025,
            month: 4,
            day: 2,
        }),
    };
    let expected = [
        ("official_use.copies", "OUT_OF_RANGE"),
        ("official_use.expires_on", "OUT_OF_RANGE"),
        ("official_use.reason", "REQUIRED"),
    ];
    assert_eq!(violations(mark(&mut operator, Some(wrong)).await), pairs(&expected));
    let no_day = OfficialUse {
        expires_on: Some(Date::default()),
        ..official_use(33)
    };
    let fields = violations(mark(&mut operator, Some(no_day)).await);
    assert_eq!(fields, pairs(&[("official_use.expires_on", "DATE")]));
    mark(&mut operator, Some(official_use(32))).await.expect("it is marked");
    let opened = mark(&mut operator, None).await.expect("it is opened");
    assert_eq!(opened.official_use, None);
    seal(&mut operator, &sealing(CRIME, CONTENT))
        .await
        .expect("it is sealed");
    let late = mark(&mut operator, Some(official_use(33))).await;
    refused(late, Code::FailedPrecondition, "WRONG_STATE");
    let mut approver = distribution.approver();
    refused(mark(&mut approver, None).await, Code::PermissionDenied, "ROLE_MISSING");
}

#[tokio::test]
async fn until_it_expires_the_content_of_a_marked_edition_is_told_to_who_holds_a_copy() {
    move_clock(NOW);
    let distribution = Distribution::started(true, async |settings| {
        Running::start(&crate::SERVICE, settings, clock).await
    })
    .await;
    distribution.until_whole().await;
    distribution
        .execute(
            "UPDATE collections.distribution_cell
             SET copies = CASE recipient WHEN 'senate' THEN 0 ELSE copies + 1 END
             WHERE collection = 'crime' AND recipient IN ('senate', 'supreme-court')",
        )
        .await;
    seal_marked(&distribution, 33).await;
    release(&mut distribution.approver(), &releasing(CRIME))
        .await
        .expect("the copies agree");
    let told = async |caller: &str| {
        let mut client = distribution.client(Some(caller));
        let full = full_edition(&mut client, CRIME).await.expect("it is there");
        let listed = edition(&mut client, CRIME).await.expect("it is there");
        assert_eq!(listed.files, full.files);
        let is_told = !full.files.is_empty();
        assert_eq!(full.content.is_some(), is_told);
        assert_eq!(full.official_use.is_some(), is_told);
        assert_eq!(full.revisions.len(), usize::from(is_told));
        is_told
    };
    assert!(told("supreme-court").await && told("auditor").await);
    assert!(!told("senate").await, "it holds no copy");
    assert_eq!(distribution.copies("senate").await, []);
    let another = download(&mut distribution.client(Some("senate")), COURTS_COPY).await;
    refused(another, Code::NotFound, "RESOURCE_NOT_FOUND");

    // Its last day ends in Almaty.
    move_clock("2025-12-31T18:59:59Z");
    assert!(!told("senate").await);
    move_clock("2025-12-31T19:00:00Z");
    assert!(told("senate").await);

    let recalled = recall(&mut distribution.approver(), &recalling(CRIME)).await;
    assert_eq!(recalled.expect("it was released").official_use, Some(official_use(33)));
    let replacement = upload(&mut distribution.operator(), &header(CRIME), b"mended").await;
    assert_eq!(
        replacement.expect("it is taken").official_use,
        None,
        "it is marked anew"
    );
}

#[tokio::test]
async fn a_marking_that_is_set_or_lifted_again_changes_nothing_and_is_told_as_a_repetition() {
    let distribution = Distribution::start().await;
    let mut operator = distribution.operator();
    upload(&mut operator, &header(CRIME), CONTENT)
        .await
        .expect("it is taken");
    let told = async |changes, repetitions| {
        let told = [
            ("DONE", "edition.marked", changes),
            ("REPEATED", "edition.marking_repeated", repetitions),
        ];
        distribution.assert_told("MarkEdition", told).await;
    };
    for (wanted, changes, repetitions) in [
        (None, 0, 1),
        (Some(33), 1, 1),
        (Some(33), 1, 2),
        (Some(32), 2, 2),
        (None, 3, 2),
        (None, 3, 3),
    ] {
        let wanted = wanted.map(official_use);
        let answer = mark(&mut operator, wanted.clone()).await.expect("it is so");
        assert_eq!(answer.official_use, wanted);
        told(changes, repetitions).await;
    }
}
