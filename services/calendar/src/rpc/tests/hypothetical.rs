//! Deadlines under an act that is not recorded.

use super::{
    acts::{administrator, create, order, transfer},
    *,
};

fn under(act: CalendarAct, request: ComputeDeadlineRequest) -> ComputeDeadlineRequest {
    ComputeDeadlineRequest {
        hypothetical_act: Some(act),
        ..request
    }
}

#[tokio::test]
async fn a_deadline_under_a_hypothetical_act_is_the_deadline_once_it_is_recorded() {
    let service = running().await;
    let mut client = administrator(&service);
    let request = obligation("2027-M03", 28);
    let known = client
        .compute_deadline(request.clone())
        .await
        .expect("a deadline")
        .into_inner();
    assert_eq!(known.due_date, date(2027, 4, 28));
    let act = CalendarAct {
        transfers: vec![transfer(date(2027, 4, 24), date(2027, 4, 28))],
        ..order()
    };
    let supposed = client.compute_deadline(under(act.clone(), request.clone())).await;
    let supposed = supposed.expect("a deadline").into_inner();
    assert_eq!(supposed.due_date, date(2027, 4, 29));
    assert_eq!(
        supposed.calendar_version,
        format!("{}+order-2027", known.calendar_version)
    );
    let unchanged = client.compute_deadline(request.clone()).await.expect("a deadline");
    assert_eq!(unchanged.into_inner(), known);

    client.create_calendar_act(create(act, 1)).await.expect("recorded");
    let recorded = client.compute_deadline(request).await.expect("a deadline").into_inner();
    let calendar_version = recorded.calendar_version.clone();
    assert_eq!(
        recorded,
        Deadline {
            calendar_version,
            ..supposed
        }
    );
}

#[tokio::test]
async fn a_batch_takes_one_hypothetical_act_for_all_of_its_requests() {
    let service = running().await;
    let mut client = CalendarServiceClient::new(service.channel(Some("operator")));
    let early = ComputeDeadlineRequest {
        as_known_at: Some(legalstat_kit::wire::to_timestamp(
            "2026-01-01T00:00:00Z".parse().expect("an instant"),
        )),
        ..obligation("2027-M03", 28)
    };
    let act = CalendarAct {
        name: String::new(),
        transfers: vec![transfer(date(2027, 4, 24), date(2027, 4, 28))],
        ..order()
    };
    let mut batch = BatchComputeDeadlinesRequest {
        requests: vec![obligation("2027-M03", 28), early, obligation("2027-M03", 5)],
        hypothetical_act: Some(act.clone()),
        ..Default::default()
    };
    let deadlines = client.batch_compute_deadlines(batch.clone()).await.expect("deadlines");
    let deadlines = deadlines.into_inner().deadlines;
    let due: Vec<_> = deadlines.iter().map(|deadline| deadline.due_date).collect();
    assert_eq!(due, [date(2027, 4, 29), date(2027, 4, 29), date(2027, 4, 5)]);
    assert_ne!(deadlines[0].calendar_version, deadlines[1].calendar_version);

    batch.requests[1].hypothetical_act = Some(act);
    let refused = client.batch_compute_deadlines(batch).await.expect_err("given twice");
    assert_eq!(fields(&refused), ["requests[1].hypothetical_act"]);
}

#[tokio::test]
async fn a_hypothetical_act_is_checked_like_one_that_is_recorded() {
    let service = running().await;
    let mut client = public(&service);
    let contradicting = CalendarAct {
        transfers: vec![transfer(date(2025, 1, 5), date(2027, 4, 28))],
        ..order()
    };
    let unreadable = CalendarAct {
        transfers: vec![transfer(None, date(2027, 4, 28))],
        ..order()
    };
    let known = CalendarAct {
        name: "calendarActs/labour-code".into(),
        ..order()
    };
    for (act, expected) in [
        (contradicting, "ERROR_REASON_ACT_CONTRADICTS"),
        (unreadable, "ERROR_REASON_INVALID_FIELDS"),
        (known, "ERROR_REASON_ALREADY_EXISTS"),
    ] {
        let refused = client.compute_deadline(under(act, obligation("2027-M03", 28))).await;
        assert_eq!(reason(&refused.expect_err(expected)), expected);
    }
}
