//! Releasing what is certain of an unresolved distribution, and the rest afterwards.

use legalstat_proto::collections::v1::EditionState;

use super::{statements::keys, *};
use crate::statements::verify;

/// As many copies as the unresolved cells of drugs have, to the first of each group.
pub(super) const RESOLVED: &str = "
    UPDATE collections.distribution_cell SET copies = (d.place <= d.hidden)::integer
    FROM (SELECT c.collection, c.appendix_column,
              row_number() OVER (PARTITION BY g.first_column ORDER BY c.appendix_column) AS place, g.copies AS hidden
          FROM collections.distribution_cell c
          JOIN collections.unresolved_group g
              ON g.collection = c.collection AND c.appendix_column BETWEEN g.first_column AND g.last_column
          WHERE c.collection = 'drugs' AND c.copies IS NULL) AS d
    WHERE distribution_cell.collection = d.collection AND distribution_cell.appendix_column = d.appendix_column";

pub(super) fn certain(name: &str) -> ReleaseEditionRequest {
    ReleaseEditionRequest {
        certain_cells_only: true,
        ..releasing(name)
    }
}

pub(super) async fn seal_drugs(distribution: &Distribution) {
    let mut operator = distribution.operator();
    upload(&mut operator, &header(DRUGS), CONTENT)
        .await
        .expect("it is taken");
    seal(&mut operator, &sealing(DRUGS, CONTENT))
        .await
        .expect("it is sealed");
}

const MET: &str = "SELECT count(*) FROM collections.scheduled WHERE met_at IS NOT NULL";

#[tokio::test]
async fn the_certain_copies_go_out_when_asked_for_and_the_rest_follows_numbered_on() {
    let distribution = Distribution::start().await;
    seal_drugs(&distribution).await;
    let mut approver = distribution.approver();
    let whole = release(&mut approver, &releasing(DRUGS)).await;
    refused(whole, Code::FailedPrecondition, "DISTRIBUTION_UNRESOLVED");
    let checked = ReleaseEditionRequest {
        validate_only: true,
        ..certain(DRUGS)
    };
    let checked = release(&mut approver, &checked).await.expect("it would be released");
    assert_eq!(checked.state(), EditionState::PartlyReleased);
    assert_eq!(distribution.count("SELECT count(*) FROM collections.copy").await, 0);

    let request = certain(DRUGS);
    let partly = release(&mut approver, &request).await.expect("some cells are certain");
    assert_eq!(release(&mut approver, &request).await.expect("it is replayed"), partly);
    assert_eq!(partly.state(), EditionState::PartlyReleased);
    assert!(partly.partly_released_at.is_some() && partly.released_at.is_none());
    let first = partly.copies_issued;
    assert_eq!((first, partly.copies_total), (12, 24));
    assert_eq!(distribution.count(MET).await, 0, "a part does not meet the due date");
    let again = release(&mut approver, &certain(DRUGS)).await;
    refused(again, Code::FailedPrecondition, "WRONG_STATE");
    let unresolved = release(&mut approver, &releasing(DRUGS)).await;
    refused(unresolved, Code::FailedPrecondition, "DISTRIBUTION_UNRESOLVED");

    distribution.execute(RESOLVED).await;
    let released = release(&mut approver, &releasing(DRUGS)).await.expect("it is resolved");
    assert_eq!(released.state(), EditionState::Released);
    assert_eq!((released.copies_issued, released.copies_total), (24, 24));
    assert_eq!(released.partly_released_at, partly.partly_released_at);
    assert_eq!(distribution.count(MET).await, 1);
    let copies = distribution.copies("auditor").await;
    assert!(copies.iter().map(|copy| copy.number).eq(1..=24));
    assert!(copies.iter().map(|copy| copy.ordinal).eq(1..=24));
    let (keys, mut auditor) = (keys(&distribution).await, distribution.client(Some("auditor")));
    for copy in [&copies[0], &copies[23]] {
        let full = get_copy(&mut auditor, &copy.name).await.expect("it is there");
        assert_eq!(
            full.statement.as_ref().map(|statement| statement.copies_total),
            Some(24)
        );
        verify(&full, &keys).expect("it is signed");
    }
    let again = release(&mut approver, &releasing(DRUGS)).await;
    refused(again, Code::FailedPrecondition, "WRONG_STATE");
    for (kind, expected) in [("edition.partly_released", 1), ("edition.released", 1)] {
        let mut superuser = distribution.running.superuser().await;
        let told: i64 = sqlx::query_scalar("SELECT count(*) FROM collections.outbox_event WHERE kind = $1")
            .bind(kind)
            .fetch_one(&mut superuser)
            .await
            .expect("the query is right");
        assert_eq!(told, expected, "{kind}");
    }
}

#[tokio::test]
async fn where_every_cell_is_certain_the_certain_copies_are_all() {
    let distribution = Distribution::start().await;
    distribution.seal_crime().await;
    let released = release(&mut distribution.approver(), &certain(CRIME)).await;
    let released = released.expect("it is sealed");
    assert_eq!((released.state(), released.copies_issued), (EditionState::Released, 33));
    assert_eq!(released.partly_released_at, None);
}

#[tokio::test]
async fn a_list_that_contradicts_what_was_issued_in_part_is_refused() {
    let distribution = Distribution::start().await;
    seal_drugs(&distribution).await;
    let mut approver = distribution.approver();
    release(&mut approver, &certain(DRUGS))
        .await
        .expect("some cells are certain");
    let issued = distribution.count("SELECT count(*) FROM collections.copy").await;
    distribution.execute(RESOLVED).await;
    // One copy of the leadership goes to somebody else.
    distribution
        .execute(
            "UPDATE collections.distribution_cell SET copies = copies + CASE appendix_column WHEN 2 THEN -1 ELSE 1 END
             WHERE collection = 'drugs' AND appendix_column IN (2, 9)",
        )
        .await;
    let refusal = release(&mut approver, &releasing(DRUGS)).await;
    let refusal = refused(refusal, Code::FailedPrecondition, "DISTRIBUTION_CHANGED");
    assert_eq!(metadata(&refusal, "recipients"), "recipients/gpo-leadership");
    distribution
        .execute("UPDATE collections.distribution_cell SET copies = copies + 1 WHERE collection = 'drugs' AND appendix_column = 2")
        .await;
    distribution
        .execute("UPDATE collections.collection SET copies_total = copies_total + 1 WHERE id = 'drugs'")
        .await;
    let refusal = release(&mut approver, &releasing(DRUGS)).await;
    let refusal = refused(refusal, Code::FailedPrecondition, "DISTRIBUTION_CHANGED");
    assert_eq!(metadata(&refusal, "copies_total"), "25");
    assert_eq!(
        distribution.count("SELECT count(*) FROM collections.copy").await,
        issued
    );
}

#[tokio::test]
async fn what_is_released_in_part_is_open_to_its_recipients_and_fixed() {
    let distribution = Distribution::start().await;
    seal_drugs(&distribution).await;
    release(&mut distribution.approver(), &certain(DRUGS))
        .await
        .expect("some cells are certain");
    let mut leadership = distribution.client(Some("gpo-leadership"));
    let shown = full_edition(&mut leadership, DRUGS).await.expect("it is scheduled");
    assert!(shown.content.is_some());
    assert_eq!(shown.revisions.len(), 1);
    let copies = distribution.copies("gpo-leadership").await;
    let (_, content) = copies::download(&mut leadership, &copies[0].name)
        .await
        .expect("it is its own");
    assert_eq!(content, CONTENT);
    let mut operator = distribution.operator();
    let uploaded = upload(&mut operator, &header(DRUGS), b"other").await;
    refused(uploaded, Code::FailedPrecondition, "WRONG_STATE");
    let sealed = seal(&mut operator, &sealing(DRUGS, CONTENT)).await;
    refused(sealed, Code::FailedPrecondition, "WRONG_STATE");
}
