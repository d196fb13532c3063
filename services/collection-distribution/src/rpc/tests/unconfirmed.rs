//! Copies that nobody has confirmed: listed, and told once when they are overdue.

use legalstat_proto::collections::v1::CopyState;

use super::{
    copies::{confirm, confirming},
    *,
};

async fn listed(distribution: &Distribution, caller: &str, request: ListCopiesRequest) -> Vec<String> {
    let listed = distribution.client(Some(caller)).list_copies(request).await;
    let copies = listed.expect("it is listed").into_inner().copies;
    copies.into_iter().map(|copy| copy.name).collect()
}

fn request() -> ListCopiesRequest {
    ListCopiesRequest {
        page_size: 1000,
        ..Default::default()
    }
}

#[tokio::test]
async fn copies_are_listed_by_collection_period_and_state_and_by_what_their_recipients_said() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    distribution.release_earlier().await;
    let mut court = distribution.client(Some("supreme-court"));
    let earlier = format!("{EARLIER}/copies/25");
    confirm(&mut court, &confirming(&earlier, b"earlier"))
        .await
        .expect("it is received");
    let of = |parent: &str| ListCopiesRequest {
        parent: parent.into(),
        ..request()
    };
    for (request, expected) in [
        (of("collections/crime/editions/-"), 66),
        (of("collections/-/editions/2024-Q4"), 33),
        (of("collections/drugs/editions/-"), 0),
        (of("collections/-/editions/2025-Q1"), 33),
        (
            ListCopiesRequest {
                state: CopyState::Received.into(),
                ..request()
            },
            1,
        ),
        (
            ListCopiesRequest {
                unconfirmed: true,
                ..request()
            },
            65,
        ),
        (
            ListCopiesRequest {
                overdue: true,
                ..request()
            },
            32,
        ),
        (
            ListCopiesRequest {
                overdue: true,
                recipient: "recipients/senate".into(),
                ..request()
            },
            1,
        ),
        (
            ListCopiesRequest {
                overdue: true,
                ..of("collections/crime/editions/2025-Q1")
            },
            0,
        ),
    ] {
        let names = listed(&distribution, "operator", request.clone()).await;
        assert_eq!(names.len(), expected, "{request:?}");
    }
    let unconfirmed = ListCopiesRequest {
        unconfirmed: true,
        ..request()
    };
    let own = listed(&distribution, "supreme-court", unconfirmed).await;
    assert_eq!(own, [format!("{CRIME}/copies/25")]);
    let missing = of("collections/unknown/editions/-");
    refused(
        distribution.operator().list_copies(missing).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
}

#[tokio::test]
async fn a_page_of_one_filter_is_not_continued_by_another() {
    let distribution = Distribution::start().await;
    distribution.release_earlier().await;
    let first = ListCopiesRequest {
        overdue: true,
        page_size: 20,
        ..Default::default()
    };
    let mut operator = distribution.operator();
    let page = operator.list_copies(first.clone()).await.expect("it is listed");
    let token = page.into_inner().next_page_token;
    let next = ListCopiesRequest {
        page_token: token.clone(),
        ..first
    };
    let page = operator.list_copies(next).await.expect("it goes on").into_inner();
    assert_eq!(page.copies.len(), 13);
    let other = ListCopiesRequest {
        page_token: token,
        ..request()
    };
    refused(
        operator.list_copies(other).await,
        Code::InvalidArgument,
        "PAGE_TOKEN_INVALID",
    );
}

#[tokio::test]
async fn what_nobody_confirmed_by_the_due_date_is_shown_as_overdue_and_told_once() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    distribution.release_earlier().await;
    let told = "SELECT count(*) FROM collections.outbox_event WHERE kind = 'copy.overdue'";
    let all = async {
        while distribution.count(told).await < 33 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("they are told");
    let copies = distribution.copies("supreme-court").await;
    let overdue: Vec<_> = copies
        .iter()
        .map(|copy| (copy.name.starts_with(EARLIER), copy.overdue))
        .collect();
    assert_eq!(overdue, [(false, false), (true, true)]);

    // A replica that looks as well tells none of them again.
    let context = distribution.running.context(|| instant(NOW));
    let mut connection = context.db.begin().await.expect("a transaction");
    let again = crate::db::overdue::record(&mut connection, instant(NOW), 500).await;
    assert_eq!(again.expect("it looks"), []);
    let counted = crate::db::overdue::count(&mut connection, instant(NOW)).await;
    let counted = counted.expect("it counts");
    assert_eq!(
        (counted.all, counted.overdue, counted.failed, counted.recalls),
        (66, 33, 0, 0)
    );
    assert_eq!(distribution.count(told).await, 33);
}

#[tokio::test]
async fn copies_that_were_rejected_or_recalled_are_found_by_their_index_among_all_that_there_are() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    for sql in [
        "INSERT INTO collections.copy
             (collection, period, revision, number, recipient, sha256, state, issued_at, received_at, legal_basis_act,
              legal_basis_provision, legal_basis_uri, legal_basis_assumed, marking)
         SELECT collection, period, revision, 1000 + n, recipient, sha256, 'RECEIVED', issued_at, issued_at, legal_basis_act,
             legal_basis_provision, legal_basis_uri, legal_basis_assumed, marking
         FROM collections.copy, generate_series(1, 20000) AS n WHERE number = 25",
        "UPDATE collections.copy SET state = 'REJECTED', status_reason = 'it does not open', status_at = issued_at WHERE number = 25",
        "UPDATE collections.copy SET state = 'RECALLED', status_at = issued_at WHERE number = 26",
        "ANALYZE collections.copy",
    ] {
        distribution.execute(sql).await;
    }
    let used = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'copy_turned_away'";
    for (state, number) in [(CopyState::Rejected, 25), (CopyState::Recalled, 26)] {
        let before = distribution.count(used).await;
        let found = async {
            // What a connection used is counted some time after.
            while distribution.count(used).await == before {
                let request = ListCopiesRequest {
                    state: state.into(),
                    ..request()
                };
                let names = listed(&distribution, "operator", request).await;
                assert_eq!(names, [format!("{CRIME}/copies/{number}")]);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, found).await;
        assert!(found.is_ok(), "{state:?}: all copies are read");
    }
}
