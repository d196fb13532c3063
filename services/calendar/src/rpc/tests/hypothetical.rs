//! Deadlines under an act that is not recorded.

use super::{
    acts::{administrator, create, order, transfer, withdraw},
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
        as_known_at: Some(legalstat_kit::door::wire::to_timestamp(
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
    batch.requests[2].languages = vec!["kk".into()];
    let refused = client.batch_compute_deadlines(batch).await.expect_err("given twice");
    assert_eq!(
        fields(&refused),
        ["requests[1].hypothetical_act", "requests[2].languages"]
    );
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

fn without(name: &str, request: ComputeDeadlineRequest) -> ComputeDeadlineRequest {
    ComputeDeadlineRequest {
        hypothetical_withdrawal: name.into(),
        ..request
    }
}

#[tokio::test]
async fn a_deadline_under_a_hypothetical_withdrawal_is_the_deadline_once_the_act_is_withdrawn() {
    let service = running().await;
    let mut client = administrator(&service);
    let name = "calendarActs/g24g0000436";
    let request = obligation("2024-M12", 5);
    let known = client.compute_deadline(request.clone()).await.expect("a deadline");
    let known = known.into_inner();
    assert_eq!(known.due_date, date(2025, 1, 5), "a worked Sunday");
    let supposed = client.compute_deadline(without(name, request.clone())).await;
    let supposed = supposed.expect("a deadline").into_inner();
    assert_eq!(supposed.due_date, date(2025, 1, 6));
    assert_eq!(
        supposed.calendar_version,
        format!("{}-g24g0000436", known.calendar_version)
    );
    let before = ComputeDeadlineRequest {
        as_known_at: Some(prost_types::Timestamp {
            seconds: 1_717_200_000,
            nanos: 0,
        }), // 1 June 2024: the act was not known
        ..without(name, request.clone())
    };
    let before = client.compute_deadline(before).await.expect("a deadline").into_inner();
    assert_eq!(before.due_date, date(2025, 1, 6));

    let mut operator = CalendarServiceClient::new(service.channel(Some("operator")));
    let mut batch = BatchComputeDeadlinesRequest {
        requests: vec![request.clone(), obligation("2019-M03", 5)],
        include_steps: true,
        hypothetical_withdrawal: name.into(),
        ..Default::default()
    };
    let answers = operator
        .batch_compute_deadlines(batch.clone())
        .await
        .expect("deadlines");
    assert_eq!(answers.into_inner().deadlines[0], supposed);
    batch.requests[1].hypothetical_withdrawal = name.into();
    let refused = operator.batch_compute_deadlines(batch).await.expect_err("given twice");
    assert_eq!(fields(&refused), ["requests[1].hypothetical_withdrawal"]);

    let unchanged = client.compute_deadline(request.clone()).await.expect("a deadline");
    assert_eq!(unchanged.into_inner(), known);
    client
        .withdraw_calendar_act(withdraw(name, 1))
        .await
        .expect("withdrawn");
    let withdrawn = client.compute_deadline(request).await.expect("a deadline").into_inner();
    let calendar_version = withdrawn.calendar_version.clone();
    assert_eq!(
        withdrawn,
        Deadline {
            calendar_version,
            ..supposed
        }
    );
}

#[tokio::test]
async fn a_hypothetical_withdrawal_is_refused_like_a_withdrawal() {
    let service = running().await;
    let mut client = administrator(&service);
    let withdrawn = "calendarActs/p2300000326";
    client
        .withdraw_calendar_act(withdraw(withdrawn, 1))
        .await
        .expect("withdrawn");
    for (name, code, expected) in [
        (withdrawn, Code::FailedPrecondition, "ERROR_REASON_WRONG_STATE"),
        (
            "calendarActs/labour-code",
            Code::FailedPrecondition,
            "ERROR_REASON_WRONG_STATE",
        ),
        ("calendarActs/none", Code::NotFound, "ERROR_REASON_RESOURCE_NOT_FOUND"),
        ("acts/g24g0000436", Code::InvalidArgument, "ERROR_REASON_INVALID_FIELDS"),
    ] {
        let refused = client.compute_deadline(without(name, obligation("2019-M03", 5))).await;
        let refused = refused.expect_err(name);
        assert_eq!((refused.code(), reason(&refused).as_str()), (code, expected), "{name}");
        let real = client.withdraw_calendar_act(withdraw(name, 2)).await.expect_err(name);
        assert_eq!((real.code(), reason(&real).as_str()), (code, expected), "{name}");
    }
    let both = under(order(), without("calendarActs/g24g0000436", obligation("2019-Q5", 5)));
    let refused = client.compute_deadline(both).await.expect_err("one or the other");
    assert_eq!(fields(&refused), ["obligation.period", "hypothetical_withdrawal"]);
    let conflicting = BatchComputeDeadlinesRequest {
        requests: vec![obligation("2019-M03", 5)],
        hypothetical_act: Some(order()),
        hypothetical_withdrawal: "calendarActs/g24g0000436".into(),
        ..Default::default()
    };
    let refused = client
        .batch_compute_deadlines(conflicting)
        .await
        .expect_err("one or the other");
    assert_eq!(fields(&refused), ["hypothetical_withdrawal"]);
}

#[tokio::test]
async fn an_empty_batch_checks_what_is_supposed_and_answers_with_the_version() {
    let service = running().await;
    let mut client = CalendarServiceClient::new(service.channel(Some("operator")));
    let now = client
        .compute_deadline(obligation("2027-M03", 28))
        .await
        .expect("a deadline");
    let supposed = under(order(), obligation("2027-M03", 28));
    let supposed = client.compute_deadline(supposed).await.expect("a deadline");
    let empty = BatchComputeDeadlinesRequest::default();
    let good = BatchComputeDeadlinesRequest {
        hypothetical_act: Some(order()),
        ..Default::default()
    };
    for (batch, deadline) in [(empty, now), (good, supposed)] {
        let answer = client.batch_compute_deadlines(batch).await.expect("nothing is wrong");
        let (answer, deadline) = (answer.into_inner(), deadline.into_inner());
        assert_eq!(
            (answer.deadlines.len(), answer.calendar_version),
            (0, deadline.calendar_version)
        );
    }

    let wrong = BatchComputeDeadlinesRequest {
        hypothetical_act: Some(CalendarAct {
            citation: String::new(),
            ..order()
        }),
        ..Default::default()
    };
    let refused = client
        .batch_compute_deadlines(wrong)
        .await
        .expect_err("it cites nothing");
    assert_eq!(fields(&refused), ["hypothetical_act.citation"]);
    let unknown = BatchComputeDeadlinesRequest {
        hypothetical_withdrawal: "calendarActs/never-recorded".into(),
        ..Default::default()
    };
    let refused = client.batch_compute_deadlines(unknown).await.expect_err("no such act");
    assert_eq!(refused.code(), Code::NotFound);
}
