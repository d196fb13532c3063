//! Due dates that follow the calendar.

use legalstat_proto::{
    calendar::v1::{
        CalendarAct, CalendarActKind, CreateCalendarActRequest, Grade, PreviewRecomputeRequest, Transfer,
        calendar_service_client::CalendarServiceClient, preview_recompute_request::Change,
    },
    common::v1::Date,
};

use super::*;

fn date(month: i32, day: i32) -> Option<Date> {
    Some(Date { year: 2025, month, day })
}

/// An act that takes away the Monday on which the first quarter is due.
fn order() -> CalendarAct {
    CalendarAct {
        name: "calendarActs/order-1".into(),
        kind: CalendarActKind::Order.into(),
        citation: "Order 1".into(),
        grade: Grade::StateBody.into(),
        transfers: vec![Transfer {
            working_day: date(4, 19),
            day_off: date(4, 14),
            ..Default::default()
        }],
        ..Default::default()
    }
}

#[tokio::test]
async fn an_act_moves_editions_that_are_not_released_and_leaves_the_released_one() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let preview = PreviewRecomputeRequest {
        change: Some(Change::CalendarAct(order())),
    };
    let mut administrator = distribution.client(Some("administrator"));
    let preview = administrator
        .preview_recompute(preview)
        .await
        .expect("previewed")
        .into_inner();
    let open = "SELECT count(*) FROM collections.scheduled WHERE due_date = '2025-04-14' AND met_at IS NULL";
    assert_eq!(preview.moved_count, distribution.count(open).await);
    assert!(preview.moved_count > 0 && preview.moves.iter().all(|item| item.new_due_date == date(4, 15)));

    let request = CreateCalendarActRequest {
        calendar_act: Some(order()),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    };
    let mut calendar = CalendarServiceClient::new(distribution._calendar.channel(Some("administrator")));
    calendar.create_calendar_act(request).await.expect("it is recorded");
    let followed = async {
        while distribution
            .count("SELECT count(*) FROM collections.calendar_following WHERE resume_token <> ''")
            .await
            == 0
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, followed)
        .await
        .expect("the calendar is followed");
    for kept in [
        "SELECT count(*) FROM collections.due_date_change",
        "SELECT count(*) FROM collections.outbox_event WHERE kind = 'edition.due_date_moved'",
        "SELECT count(*) FROM collections.journal_entry WHERE method = 'jobs/recompute'",
    ] {
        assert_eq!(distribution.count(kept).await, preview.moved_count, "{kept}");
    }
    let mut client = distribution.operator();
    let due = async |client: &mut Client, name: &str| {
        let request = GetEditionRequest {
            name: name.into(),
            view: 0,
        };
        let edition = client.get_edition(request).await.expect("it is there").into_inner();
        (edition.due_date, edition.due_date_changes.len())
    };
    assert_eq!(due(&mut client, CRIME).await, (date(4, 14), 0));
    assert_eq!(due(&mut client, DRUGS).await, (date(4, 15), 1));
}
