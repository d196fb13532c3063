//! Collections, recipients and distribution lists.

use legalstat_proto::collections::v1::{
    GetCollectionRequest, GetDistributionListRequest, ListCollectionsRequest, ListRecipientsRequest,
};

use super::*;

#[tokio::test]
async fn the_collections_are_listed_in_the_order_of_appendix_1_page_by_page() {
    let distribution = Distribution::without_calendar().await;
    let mut client = distribution.client(None);
    let (mut names, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListCollectionsRequest {
            page_size: 4,
            page_token,
            as_of: None,
            languages: Vec::new(),
        };
        let page = client
            .list_collections(request)
            .await
            .expect("it is public")
            .into_inner();
        names.extend(page.collections.into_iter().map(|collection| collection.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let order = [
        "crime",
        "corruption",
        "drugs",
        "courts",
        "prosecution-bodies",
        "supervision",
    ];
    assert_eq!(names, order.map(|id| format!("collections/{id}")));
}

#[tokio::test]
async fn the_recipients_are_listed_by_column_after_their_heading() {
    let distribution = Distribution::without_calendar().await;
    let mut client = distribution.client(None);
    let first = ListRecipientsRequest {
        page_size: 10,
        ..Default::default()
    };
    let first = client.list_recipients(first).await.expect("it is public").into_inner();
    let rest = ListRecipientsRequest {
        page_size: 0,
        page_token: first.next_page_token,
        as_of: None,
        languages: Vec::new(),
    };
    let rest = client.list_recipients(rest).await.expect("it is public").into_inner();
    let columns: Vec<i32> = first
        .recipients
        .iter()
        .chain(&rest.recipients)
        .map(|recipient| recipient.column)
        .collect();
    assert_eq!(columns, std::iter::once(0).chain(2..=24).collect::<Vec<_>>());
    assert_eq!(first.recipients[1].parent, "recipients/gpo");
    assert_eq!(rest.next_page_token, "");
}

#[tokio::test]
async fn a_distribution_list_shows_what_the_text_leaves_open() {
    let distribution = Distribution::without_calendar().await;
    let mut client = distribution.client(None);
    let request = GetDistributionListRequest {
        name: "collections/courts/distributionList".into(),
        as_of: None,
    };
    let list = client
        .get_distribution_list(request)
        .await
        .expect("it is public")
        .into_inner();
    assert_eq!((list.cells.len(), list.copies_total), (23, 28));
    let certain: i32 = list
        .cells
        .iter()
        .filter(|cell| !cell.unresolved)
        .map(|cell| cell.copies)
        .sum();
    let groups: Vec<_> = list
        .unresolved_groups
        .iter()
        .map(|group| (group.first_column, group.last_column, group.copies))
        .collect();
    assert_eq!((certain, groups), (15, vec![(3, 8, 5), (13, 24, 8)]));
    assert!(list.legal_basis.expect("it has one").assumed);
}

#[tokio::test]
async fn what_names_nothing_is_told_apart_from_what_is_no_name() {
    let distribution = Distribution::without_calendar().await;
    let mut client = distribution.client(None);
    let missing = client
        .get_collection(GetCollectionRequest {
            name: "collections/weather".into(),
            as_of: None,
            languages: Vec::new(),
        })
        .await;
    let missing = refused(missing, Code::NotFound, "RESOURCE_NOT_FOUND");
    assert_eq!(metadata(&missing, "resource"), "collections/weather");
    for (name, reason) in [
        ("", "REQUIRED"),
        ("crime", "RESOURCE_NAME"),
        ("collections/-", "RESOURCE_NAME"),
    ] {
        let request = GetCollectionRequest {
            name: name.into(),
            as_of: None,
            languages: Vec::new(),
        };
        let answer = client.get_collection(request).await;
        assert_eq!(violations(answer), pairs(&[("name", reason)]), "{name:?}");
    }
}

#[tokio::test]
async fn loading_the_register_again_changes_nothing() {
    let distribution = Distribution::without_calendar().await;
    distribution
        .execute("UPDATE collections.recipient SET name_ru = 'Верховный Суд' WHERE id = 'supreme-court'")
        .await;
    let rows = "SELECT (SELECT count(*) FROM collections.collection) + (SELECT count(*) FROM collections.recipient)
         + (SELECT count(*) FROM collections.distribution_cell) + (SELECT count(*) FROM collections.unresolved_group)";
    assert_eq!(distribution.count(rows).await, 6 + 24 + 6 * 23 + 9);
    let context = distribution.running.context(|| jiff::Timestamp::UNIX_EPOCH);
    crate::db::reference::load(&context).await.expect("it loads");
    assert_eq!(distribution.count(rows).await, 6 + 24 + 6 * 23 + 9);
    let released = crate::domain::register::appendix_1().expect("it is readable");
    let mut connection = context.db.connection().await.expect("it connects");
    let edited = crate::db::reference::edited(&mut connection, &released).await;
    assert_eq!(edited.expect("it compares"), ["recipients/supreme-court"]);
    let named = "SELECT count(*) FROM collections.recipient WHERE name_ru = 'Верховный Суд'";
    assert_eq!(distribution.count(named).await, 1);
    for left in [
        "SELECT count(*) FROM collections.journal_entry WHERE method = 'jobs/load-registers'",
        "SELECT count(*) FROM collections.outbox_event WHERE kind = 'collection-register.loaded'",
    ] {
        assert_eq!(distribution.count(left).await, 1, "only the first load wrote something");
    }
}
