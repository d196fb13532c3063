//! What falls due when, and what is said while that is not known.

use legalstat_proto::{
    collections::v1::{EditionState, ListEditionsRequest, ScheduleItem},
    common::v1::Date,
};

use super::*;

async fn schedule(client: &mut Client, year: i32, collection: &str) -> Result<Vec<ScheduleItem>, Status> {
    let request = ListScheduleRequest {
        year,
        collection: collection.into(),
        ..Default::default()
    };
    client
        .list_schedule(request)
        .await
        .map(|answer| answer.into_inner().items)
}

#[tokio::test]
async fn a_year_has_22_editions_by_due_date_the_last_in_january_of_the_next() {
    let distribution = Distribution::start().await;
    let mut client = distribution.client(None);
    for year in [2019, 2026, 2035] {
        let items = schedule(&mut client, year, "").await.expect("it is public");
        assert_eq!(items.len(), 22, "{year}");
        let days: Vec<_> = items
            .iter()
            .filter_map(|item| item.due_date)
            .map(|d| (d.year, d.month, d.day))
            .collect();
        assert!(days.is_sorted(), "{days:?}");
        assert_eq!(
            days.iter()
                .filter(|(due_year, month, _)| (*due_year, *month) == (year + 1, 1))
                .count(),
            6
        );
    }
    let stored = "SELECT count(*) FROM collections.scheduled WHERE binding";
    assert_eq!(distribution.count(stored).await, 17 * 22);
}

#[tokio::test]
async fn the_first_edition_was_due_on_the_instructions_own_day() {
    let distribution = Distribution::start().await;
    let items = schedule(&mut distribution.client(None), 2019, "collections/crime")
        .await
        .expect("it is public");
    let periods: Vec<&str> = items.iter().map(|item| item.period.as_str()).collect();
    assert_eq!(periods, ["2019-Q1", "2019-Q2", "2019-Q3", "2019-Q4"]);
    assert_eq!(
        items[0].due_date,
        Some(Date {
            year: 2019,
            month: 4,
            day: 15
        })
    );
    assert_eq!(
        items[1].due_date,
        Some(Date {
            year: 2019,
            month: 7,
            day: 15
        })
    );
    assert!(
        items
            .iter()
            .all(|item| item.state() == EditionState::Scheduled && item.assumed)
    );
}

#[tokio::test]
async fn nothing_is_said_about_editions_until_the_calendar_has_answered() {
    let distribution = Distribution::without_calendar().await;
    let mut operator = distribution.operator();
    let unavailable = [
        schedule(&mut operator, 2025, "").await.map(|_| ()),
        edition(&mut operator, CRIME).await.map(|_| ()),
        upload(&mut operator, &header(CRIME), CONTENT).await.map(|_| ()),
        seal(&mut operator, &sealing(CRIME, CONTENT)).await.map(|_| ()),
    ];
    for answer in unavailable {
        let status = refused(answer, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
        assert!(
            status
                .get_error_details()
                .retry_info()
                .is_some_and(|info| info.retry_delay.is_some())
        );
    }
    distribution.calendar.open();
    distribution.until_whole().await;
    assert_eq!(
        edition(&mut operator, CRIME).await.expect("it is scheduled").state(),
        EditionState::Scheduled
    );
}

#[tokio::test]
async fn a_period_that_is_none_of_its_collection_breaks_a_rule_of_the_name() {
    let distribution = Distribution::start().await;
    let mut operator = distribution.operator();
    for (name, reason) in [
        ("collections/crime/editions/2019-Q5", "PERIOD"),
        ("collections/crime/editions/2019-M03", "PERIOD_KIND"),
        ("collections/crime/editions/2019", "PERIOD_KIND"),
        ("collections/prosecution-bodies/editions/2019-S2", "PERIOD_KIND"),
        ("collections/crime", "RESOURCE_NAME"),
        ("", "REQUIRED"),
    ] {
        assert_eq!(
            violations(edition(&mut operator, name).await),
            pairs(&[("name", reason)]),
            "{name:?}"
        );
    }
    for name in [
        "collections/crime/editions/2018-Q4",
        "collections/weather/editions/2019-Q1",
    ] {
        let missing = refused(edition(&mut operator, name).await, Code::NotFound, "RESOURCE_NOT_FOUND");
        assert_eq!(metadata(&missing, "resource"), name);
    }
}

#[tokio::test]
async fn every_field_at_fault_is_named_at_once() {
    let distribution = Distribution::start().await;
    let request = ListEditionsRequest {
        parent: "crime".into(),
        page_size: 1001,
        state: 99,
        year: 2018,
        ..Default::default()
    };
    let answer = distribution.operator().list_editions(request).await;
    let expected = [
        ("page_size", "OUT_OF_RANGE"),
        ("parent", "RESOURCE_NAME"),
        ("state", "ENUM"),
        ("year", "OUT_OF_RANGE"),
    ];
    assert_eq!(violations(answer), pairs(&expected));
    let unregistered = schedule(&mut distribution.operator(), 2025, "collections/weather").await;
    refused(unregistered, Code::NotFound, "RESOURCE_NOT_FOUND");
}

#[tokio::test]
async fn editions_are_listed_page_by_page_without_gap_or_repetition() {
    let distribution = Distribution::start().await;
    let mut operator = distribution.operator();
    let mut request = ListEditionsRequest {
        parent: "collections/-".into(),
        page_size: 50,
        year: 0,
        ..Default::default()
    };
    let mut names = Vec::new();
    loop {
        let page = operator
            .list_editions(request.clone())
            .await
            .expect("an official reads it")
            .into_inner();
        names.extend(page.editions.into_iter().map(|edition| edition.name));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(names.len(), 17 * 22);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 17 * 22);
}
