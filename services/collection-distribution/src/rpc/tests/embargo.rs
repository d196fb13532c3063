//! Editions under an embargo, on a clock that moves: nothing goes out a second before it ends.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::SignedDuration;
use legalstat_kit::door::wire;
use legalstat_proto::collections::v1::{EditionState, SetEmbargoRequest};

use super::{
    copies::{COURTS_COPY, download},
    *,
};

/// The service's clock, in seconds.
static CLOCK: AtomicI64 = AtomicI64::new(0);
/// When the embargo ends.
const UNTIL: &str = "2025-04-10T05:00:00Z";

fn clock() -> Timestamp {
    Timestamp::from_second(CLOCK.load(Ordering::SeqCst)).expect("an instant")
}

fn move_clock(to: Timestamp) {
    CLOCK.store(to.as_second(), Ordering::SeqCst);
}

fn embargo(until: Option<&str>) -> SetEmbargoRequest {
    SetEmbargoRequest {
        name: CRIME.into(),
        until: until.map(|until| wire::to_timestamp(instant(until))),
        request_id: new_id(),
        validate_only: false,
    }
}

async fn set(client: &mut Client, request: SetEmbargoRequest) -> Result<Edition, Status> {
    client.set_embargo(request).await.map(tonic::Response::into_inner)
}

/// As a recipient that tries everything: it is told of no copy and gets none, its own or another's.
async fn nothing_is_served(distribution: &Distribution, recipient: &str, numbers: std::ops::RangeInclusive<i32>) {
    let mut client = distribution.client(Some(recipient));
    for number in numbers {
        let name = format!("{CRIME}/copies/{number}");
        refused(get_copy(&mut client, &name).await, Code::NotFound, "RESOURCE_NOT_FOUND");
        refused(download(&mut client, &name).await, Code::NotFound, "RESOURCE_NOT_FOUND");
    }
}

#[tokio::test]
async fn nothing_is_served_one_second_before_the_embargo_ends_and_the_release_succeeds_at_its_instant() {
    move_clock(instant(NOW));
    let distribution = Distribution::started(true, async |settings| {
        Running::start(&crate::SERVICE, settings, clock).await
    })
    .await;
    distribution.until_whole().await;
    let (mut operator, mut approver) = (distribution.operator(), distribution.approver());
    upload(&mut operator, &header(CRIME), CONTENT)
        .await
        .expect("it is taken");
    let embargoed = set(&mut operator, embargo(Some(UNTIL))).await.expect("it is prepared");
    let until = Some(wire::to_timestamp(instant(UNTIL)));
    assert_eq!(embargoed.embargo_until, until);
    let sealed = seal(&mut operator, &sealing(CRIME, CONTENT)).await;
    assert_eq!(sealed.expect("it is sealed").embargo_until, until);

    move_clock(instant(UNTIL) - SignedDuration::from_secs(1));
    for certain_cells_only in [false, true] {
        let request = ReleaseEditionRequest {
            certain_cells_only,
            ..releasing(CRIME)
        };
        let early = refused(
            release(&mut approver, &request).await,
            Code::FailedPrecondition,
            "RELEASE_EMBARGOED",
        );
        assert_eq!(metadata(&early, "embargo_until"), UNTIL);
    }
    assert_eq!(distribution.copies("supreme-court").await, []);
    nothing_is_served(&distribution, "supreme-court", 1..=34).await;
    let told = full_edition(&mut distribution.client(Some("supreme-court")), CRIME).await;
    let told = told.expect("it is scheduled");
    assert_eq!(
        (told.content, told.files.len(), told.embargo_until, told.revisions.len()),
        (None, 0, None, 0)
    );
    let attempts = "SELECT count(*) FROM collections.journal_entry
         WHERE caller = 'supreme-court' AND outcome = 'REFUSED' AND method LIKE '%/DownloadCopy'";
    assert_eq!(distribution.count(attempts).await, 34);
    // Nor does the database let a release out that does not know of embargoes.
    let early = "UPDATE collections.edition SET state = 'RELEASED', released_at = '2025-04-10T04:59:59Z', released_by = 'approver'";
    let error = sqlx::query(early)
        .execute(&mut distribution.running.superuser().await)
        .await
        .expect_err("it is too early");
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    assert_eq!(constraint, Some("edition_embargo"));

    move_clock(instant(UNTIL));
    let released = release(&mut approver, &releasing(CRIME)).await.expect("it is time");
    assert_eq!((released.state(), released.copies_issued), (EditionState::Released, 33));
    let mut court = distribution.client(Some("supreme-court"));
    let (_, content) = download(&mut court, COURTS_COPY).await.expect("it is its own");
    assert_eq!(content, CONTENT);
    nothing_is_served(&distribution, "supreme-court", 1..=24).await;
    assert_eq!(distribution.count(attempts).await, 34 + 24, "another's stay another's");
}

#[tokio::test]
async fn an_embargo_is_set_before_the_seal_ends_ahead_and_does_not_make_the_edition_late() {
    let distribution = Distribution::start().await;
    let mut operator = distribution.operator();
    let empty = set(&mut operator, embargo(Some(UNTIL))).await;
    refused(empty, Code::FailedPrecondition, "CONTENT_MISSING");
    upload(&mut operator, &header(CRIME), CONTENT)
        .await
        .expect("it is taken");
    for wrong in [NOW, "2025-04-03T04:59:59Z", "2025-04-15T00:00:00Z"] {
        let fields = violations(set(&mut operator, embargo(Some(wrong))).await);
        assert_eq!(fields, pairs(&[("until", "OUT_OF_RANGE")]), "{wrong}");
    }
    let checked = SetEmbargoRequest {
        validate_only: true,
        ..embargo(Some(UNTIL))
    };
    let checked = set(&mut operator, checked).await.expect("it would be set");
    assert!(checked.embargo_until.is_some());
    let untouched = edition(&mut operator, CRIME).await.expect("it is there");
    assert_eq!(untouched.embargo_until, None);
    let request = embargo(Some(UNTIL));
    let embargoed = set(&mut operator, request.clone()).await.expect("it is set");
    let lifted = set(&mut operator, embargo(None)).await.expect("it is lifted");
    assert_eq!(lifted.embargo_until, None);
    assert_eq!(set(&mut operator, request).await.expect("it is replayed"), embargoed);
    seal(&mut operator, &sealing(CRIME, CONTENT))
        .await
        .expect("it is sealed");
    for until in [Some(UNTIL), None] {
        let late = set(&mut operator, embargo(until)).await;
        refused(late, Code::FailedPrecondition, "WRONG_STATE");
    }
    let mut approver = distribution.approver();
    refused(
        set(&mut approver, embargo(None)).await,
        Code::PermissionDenied,
        "ROLE_MISSING",
    );
    release(&mut approver, &releasing(CRIME))
        .await
        .expect("no embargo is left");
}

#[tokio::test]
async fn an_embargo_that_is_set_or_lifted_again_changes_nothing_and_is_told_as_a_repetition() {
    let distribution = Distribution::start().await;
    let mut operator = distribution.operator();
    upload(&mut operator, &header(CRIME), CONTENT)
        .await
        .expect("it is taken");
    let told = async |changes, repetitions| {
        let told = [
            ("DONE", "edition.embargo_set", changes),
            ("REPEATED", "edition.embargo_repeated", repetitions),
        ];
        distribution.assert_told("SetEmbargo", told).await;
    };
    for (until, changes, repetitions) in [
        (None, 0, 1),
        (Some(UNTIL), 1, 1),
        (Some(UNTIL), 1, 2),
        (Some("2025-04-11T05:00:00Z"), 2, 2),
        (None, 3, 2),
        (None, 3, 3),
    ] {
        let answer = set(&mut operator, embargo(until)).await.expect("it is so");
        let until = until.map(|until| wire::to_timestamp(instant(until)));
        assert_eq!(answer.embargo_until, until);
        told(changes, repetitions).await;
    }
}
