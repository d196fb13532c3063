//! Releasing an edition.

use legalstat_proto::collections::v1::{CopyState, EditionState, ListEditionsRequest};

use super::*;

#[tokio::test]
async fn a_release_issues_33_numbered_copies_to_23_recipients() {
    let distribution = Distribution::start().await;
    let released = distribution.release_crime().await;
    assert_eq!((released.state(), released.copies_issued), (EditionState::Released, 33));
    assert!(released.released_at.is_some());
    let copies = distribution.copies("auditor").await;
    assert!(copies.iter().map(|copy| copy.number).eq(1..=33));
    let mut recipients: Vec<&str> = copies.iter().map(|copy| copy.recipient.as_str()).collect();
    recipients.dedup();
    assert_eq!(recipients.len(), 23);
    assert_eq!(recipients.first(), Some(&"recipients/gpo-leadership"));
    assert!(
        copies
            .iter()
            .all(|copy| copy.sha256 == digest(CONTENT) && copy.state() == CopyState::Issued)
    );
}

#[tokio::test]
async fn an_unresolved_distribution_refuses_the_release_whatever_the_state() {
    let distribution = Distribution::start().await;
    let (mut operator, mut approver) = (distribution.operator(), distribution.approver());
    for sealed in [false, true] {
        if sealed {
            upload(&mut operator, &header(DRUGS), CONTENT)
                .await
                .expect("it is taken");
            seal(&mut operator, &sealing(DRUGS, CONTENT))
                .await
                .expect("it is sealed");
        }
        let refusal = release(&mut approver, &releasing(DRUGS)).await;
        let refusal = refused(refusal, Code::FailedPrecondition, "DISTRIBUTION_UNRESOLVED");
        assert_eq!(metadata(&refusal, "columns"), "3-8, 10-12, 13-24");
        assert_eq!(metadata(&refusal, "legal_basis"), "Instruction, Appendix 1");
        assert_eq!(metadata(&refusal, "resource"), DRUGS);
        assert!(
            refusal.message().contains("7 copies of columns 13-24"),
            "{}",
            refusal.message()
        );
    }
    assert_eq!(distribution.count("SELECT count(*) FROM collections.copy").await, 0);
}

#[tokio::test]
async fn only_a_sealed_edition_is_released_and_only_once() {
    let distribution = Distribution::start().await;
    let (mut operator, mut approver) = (distribution.operator(), distribution.approver());
    let empty = release(&mut approver, &releasing(CRIME)).await;
    refused(empty, Code::FailedPrecondition, "CONTENT_MISSING");
    upload(&mut operator, &header(CRIME), CONTENT)
        .await
        .expect("it is taken");
    let unsealed = release(&mut approver, &releasing(CRIME)).await;
    refused(unsealed, Code::FailedPrecondition, "EDITION_NOT_SEALED");
    assert_eq!(distribution.count("SELECT count(*) FROM collections.copy").await, 0);
    seal(&mut operator, &sealing(CRIME, CONTENT))
        .await
        .expect("it is sealed");

    let checked = ReleaseEditionRequest {
        validate_only: true,
        ..releasing(CRIME)
    };
    let checked = release(&mut approver, &checked).await.expect("it would be released");
    assert_eq!(checked.copies_issued, 33);
    assert_eq!(distribution.count("SELECT count(*) FROM collections.copy").await, 0);
    let request = releasing(CRIME);
    let released = release(&mut approver, &request).await.expect("it is released");
    assert_eq!(
        release(&mut approver, &request).await.expect("it is replayed"),
        released
    );
    refused(
        release(&mut approver, &releasing(CRIME)).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
    assert_eq!(distribution.count("SELECT count(*) FROM collections.copy").await, 33);
}

#[tokio::test]
async fn who_prepared_an_edition_does_not_release_it() {
    let distribution = Distribution::start().await;
    distribution.seal_crime().await;
    for prepared in [
        "UPDATE collections.edition SET sealed_by = 'approver' WHERE state = 'SEALED'",
        "WITH file AS (UPDATE collections.edition_file SET uploaded_by = 'approver')
         UPDATE collections.edition SET sealed_by = 'operator', uploaded_by = 'approver' WHERE state = 'SEALED'",
    ] {
        distribution.execute(prepared).await;
        let same = release(&mut distribution.approver(), &releasing(CRIME)).await;
        refused(same, Code::FailedPrecondition, "SAME_PERSON");
    }
    let by_the_database =
        "UPDATE collections.edition SET state = 'RELEASED', released_at = now(), released_by = 'approver'
         WHERE state = 'SEALED'";
    let mut superuser = distribution.running.superuser().await;
    let error = sqlx::query(by_the_database)
        .execute(&mut superuser)
        .await
        .expect_err("the same person");
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    assert_eq!(constraint, Some("edition_four_eyes"));
}

#[tokio::test]
async fn only_approvers_release() {
    let distribution = Distribution::start().await;
    distribution.seal_crime().await;
    for caller in ["operator", "administrator", "supreme-court"] {
        let answer = release(&mut distribution.client(Some(caller)), &releasing(CRIME)).await;
        refused(answer, Code::PermissionDenied, "ROLE_MISSING");
    }
}

#[tokio::test]
async fn two_releases_at_once_issue_the_copies_once() {
    let distribution = Distribution::start().await;
    distribution.seal_crime().await;
    let (mut one, mut other) = (distribution.approver(), distribution.approver());
    let (first, second) = (releasing(CRIME), releasing(CRIME));
    let (first, second) = tokio::join!(release(&mut one, &first), release(&mut other, &second));
    assert_eq!(
        [&first, &second].iter().filter(|answer| answer.is_ok()).count(),
        1,
        "{first:?} {second:?}"
    );
    assert_eq!(distribution.count("SELECT count(*) FROM collections.copy").await, 33);
}

#[tokio::test]
async fn the_service_itself_cannot_change_what_was_released_or_journaled() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    distribution
        .execute(
            "INSERT INTO collections.edition_file
                 (collection, period, filename, content_type, size_bytes, sha256, uploaded_at, uploaded_by)
             SELECT collection, period, filename, content_type, size_bytes, sha256('other'), uploaded_at, uploaded_by
             FROM collections.edition_file",
        )
        .await;
    let mut runtime = distribution.running.runtime().await;
    for (sql, constraint) in [
        (
            "UPDATE collections.edition SET (file, sha256) = (SELECT number, sha256 FROM collections.edition_file
             WHERE sha256 = sha256('other')) WHERE state = 'RELEASED'",
            "edition_sealed_stays",
        ),
        (
            "UPDATE collections.edition SET sha256 = sha256('other') WHERE state = 'RELEASED'",
            "edition_sealed_stays",
        ),
        (
            "UPDATE collections.edition SET embargo_until = now() - interval '100 years' WHERE state = 'RELEASED'",
            "edition_sealed_stays",
        ),
        ("DELETE FROM collections.revision_file", "revision_file_of_sealed"),
        (
            "UPDATE collections.edition SET revision = 2 WHERE state = 'RELEASED'",
            "edition_next_revision",
        ),
        (
            "UPDATE collections.scheduled SET due_date = due_date + 1 WHERE met_at IS NOT NULL",
            "scheduled_met_stays",
        ),
    ] {
        let error = sqlx::query(sql).execute(&mut runtime).await.expect_err(constraint);
        let broken = error.as_database_error().and_then(|error| error.constraint());
        assert_eq!(broken, Some(constraint));
    }
    for sql in [
        "UPDATE collections.journal_entry SET caller = 'nobody'",
        "DELETE FROM collections.journal_entry",
        "DELETE FROM collections.copy",
        "UPDATE collections.edition_file SET uploaded_by = 'nobody'",
        "UPDATE collections.copy SET recipient = 'supreme-court'",
        "UPDATE collections.copy SET signature = NULL",
        "UPDATE collections.revision SET state = 'RECALLED'",
        "UPDATE collections.sending_body SET id = 'other'",
        "UPDATE collections.distribution_cell SET copies = 1",
    ] {
        let error = sqlx::query(sql).execute(&mut runtime).await.expect_err(sql);
        let code = error
            .as_database_error()
            .and_then(|error| error.code().map(|code| code.into_owned()));
        assert_eq!(code.as_deref(), Some("42501"), "{sql}: {error}");
    }
}

#[tokio::test]
async fn until_an_edition_is_released_its_content_is_shown_to_officials_only() {
    let distribution = Distribution::start().await;
    let shown = async |caller: &str| {
        let mut client = distribution.client(Some(caller));
        let got = edition(&mut client, CRIME).await.expect("it is scheduled");
        let request = ListEditionsRequest {
            parent: "collections/crime".into(),
            year: 2025,
            ..Default::default()
        };
        let listed = client.list_editions(request).await.expect("it is listed").into_inner();
        assert!(listed.editions.contains(&got), "both methods show the same");
        got.content.is_some()
    };
    distribution.seal_crime().await;
    assert!(shown("operator").await && shown("auditor").await);
    assert!(!shown("supreme-court").await);
    let released = release(&mut distribution.approver(), &releasing(CRIME)).await;
    released.expect("it is released");
    assert!(shown("supreme-court").await);
}
