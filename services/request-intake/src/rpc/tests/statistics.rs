//! How requests were received and answered, in counts.

use legalstat_local::testing::refusals::{pairs, violations};
use legalstat_proto::{
    calendar::v1::RequesterKind,
    requests::v1::{self as proto, CheckRule, GetRequestStatisticsRequest, RequestState, RequestStatistics},
};
use tonic::Code;

use super::{
    bodies::day,
    stage::{Stage, recorded, request, submission, submit},
    verbs::{Desk, leaving, termination},
};

fn of_days(
    from: Option<legalstat_proto::common::v1::Date>,
    to: Option<legalstat_proto::common::v1::Date>,
) -> GetRequestStatisticsRequest {
    GetRequestStatisticsRequest {
        received_from: from,
        received_to: to,
        include_forms: false,
    }
}

async fn statistics(stage: &Stage, message: GetRequestStatisticsRequest) -> RequestStatistics {
    let counted = stage.client("auditor").get_request_statistics(message).await;
    counted.expect("they are counted").into_inner()
}

#[tokio::test]
async fn requests_are_counted_by_kind_channel_state_and_ground() {
    let stage = Stage::set().await;
    for _ in 0..2 {
        submit(&mut stage.client("edms"), submission(request()))
            .await
            .expect("it is accepted");
    }
    for channel in [proto::Channel::Oral, proto::Channel::Messenger] {
        let recorded = submission(recorded(channel));
        submit(&mut stage.client("operator"), recorded)
            .await
            .expect("it is accepted");
    }
    let early = proto::Request {
        received_at: Some(prost_types::Timestamp {
            seconds: 1_767_200_000,
            nanos: 0,
        }),
        ..recorded(proto::Channel::Oral)
    };
    submit(&mut stage.client("operator"), submission(early))
        .await
        .expect("it is accepted");
    stage
        .execute("UPDATE requests.request SET due_time = '2026-02-20T18:30:00+05:00' WHERE registration_number LIKE '%000001'")
        .await;
    let counted = statistics(&stage, of_days(day(2026, 1, 15), day(2026, 3, 2))).await;
    let total = counted.total.expect("it has one");
    assert_eq!(
        (total.received, total.registered, total.open, total.overdue),
        (4, 2, 2, 1)
    );
    assert_eq!(
        (total.answered_in_time, total.answered_late, total.median_days),
        (0, 0, None)
    );
    let kinds: Vec<_> = counted
        .requester_kinds
        .iter()
        .map(|line| line.requester_kind())
        .collect();
    assert_eq!(kinds, [RequesterKind::StateBody]);
    let channels = counted.channels.iter();
    let channels: Vec<_> = channels
        .map(|line| (line.channel(), line.counts.as_ref().expect("it counts").received))
        .collect();
    assert_eq!(
        channels,
        [
            (proto::Channel::UnifiedEdms, 2),
            (proto::Channel::Messenger, 1),
            (proto::Channel::Oral, 1),
        ]
    );
    let states: Vec<_> = counted.states.iter().map(|line| line.state()).collect();
    assert_eq!(
        states,
        [RequestState::Registered, RequestState::LeftWithoutConsideration]
    );
    let grounds = counted.grounds.iter();
    let grounds: Vec<_> = grounds
        .map(|line| (line.rule(), line.left_without_consideration))
        .collect();
    assert_eq!(grounds, [(CheckRule::Written, 1), (CheckRule::Channel, 1)]);
    assert!(counted.forms.is_empty(), "nobody asked for them");
    let all = statistics(&stage, of_days(day(2025, 3, 3), day(2026, 3, 2))).await;
    assert_eq!(all.total.expect("it has one").received, 5);
    let none = statistics(&stage, of_days(day(2020, 1, 1), day(2020, 12, 31))).await;
    assert_eq!(none.total.expect("it has one").received, 0);
    assert!(none.states.is_empty());
}

#[tokio::test]
async fn requests_are_counted_once_under_each_form_that_their_items_or_the_indicators_of_these_name() {
    let stage = Stage::set().await;
    let item = |form: &str, indicator: &str| proto::Item {
        form: form.into(),
        indicator: indicator.into(),
        ..request().items.remove(0)
    };
    for items in [
        vec![
            item("forms/2", ""),
            item("forms/2", ""),
            item("", "forms/1/indicators/1"),
        ],
        vec![item("forms/2", "")],
        vec![item("", "")],
    ] {
        let asked = proto::Request { items, ..request() };
        submit(&mut stage.client("edms"), submission(asked))
            .await
            .expect("it is accepted");
    }
    let asked = GetRequestStatisticsRequest {
        include_forms: true,
        ..of_days(day(2026, 3, 2), day(2026, 3, 2))
    };
    let counted = statistics(&stage, asked).await;
    let forms = counted.forms.iter();
    let forms: Vec<_> = forms
        .map(|line| (line.form.as_str(), line.counts.as_ref().expect("it counts").received))
        .collect();
    assert_eq!(forms, [("forms/2", 2), ("", 1), ("forms/1", 1)]);
    assert_eq!(counted.total.expect("it has one").received, 3);
}

#[tokio::test]
async fn statistics_are_asked_by_officials_for_two_years_at_most() {
    let stage = Stage::set().await;
    let mut operator = stage.client("operator");
    for (message, expected) in [
        (
            of_days(None, None),
            vec![("received_from", "REQUIRED"), ("received_to", "REQUIRED")],
        ),
        (
            of_days(day(2026, 3, 2), day(2026, 3, 1)),
            vec![("received_to", "RANGE")],
        ),
        (
            of_days(day(2024, 3, 2), day(2026, 3, 2)),
            vec![("received_to", "RANGE")],
        ),
        (
            of_days(day(1026, 3, 2), day(1026, 3, 2)),
            vec![("received_from", "OUT_OF_RANGE"), ("received_to", "OUT_OF_RANGE")],
        ),
    ] {
        let refusal = operator.get_request_statistics(message).await;
        assert_eq!(violations(refusal), pairs(&expected), "{message:?}");
    }
    let two_years = of_days(day(2024, 3, 3), day(2026, 3, 2));
    operator
        .get_request_statistics(two_years)
        .await
        .expect("two years are counted");
    for caller in ["edms", "justice"] {
        let refusal = stage.client(caller).get_request_statistics(two_years).await;
        assert_eq!(refusal.expect_err("officials only").code(), Code::PermissionDenied);
    }
}

#[tokio::test]
async fn an_answer_counts_in_time_or_late_by_its_decision_and_its_days_from_receipt() {
    let stage = Stage::set().await;
    for _ in 0..3 {
        submit(&mut stage.client("edms"), submission(request()))
            .await
            .expect("it is accepted");
    }
    // The due date of all is 2 April, and all came on 2 March at ten.
    for sql in [
        "INSERT INTO requests.decision (request, position, verb, decided_by, decided_at, state_before, state_after, reason)
         SELECT id, 0, 'EXTEND', 'approver', '2026-03-05T10:00:00+05:00', 'REGISTERED', 'REGISTERED', ''
         FROM requests.request WHERE registration_number LIKE '%000001'",
        "INSERT INTO requests.decision (request, position, verb, decided_by, decided_at, state_before, state_after, reason)
         SELECT id, 1, 'RECORD_DISPATCH', 'operator', CASE WHEN registration_number LIKE '%000001'
             THEN timestamptz '2026-03-04T09:00:00+05:00' ELSE timestamptz '2026-04-04T11:00:00+05:00' END,
             'IN_PREPARATION', 'ANSWERED', ''
         FROM requests.request WHERE registration_number NOT LIKE '%000003'",
        "UPDATE requests.request SET state = 'ANSWERED' WHERE registration_number NOT LIKE '%000003'",
    ] {
        stage.execute(sql).await;
    }
    let counted = statistics(&stage, of_days(day(2026, 3, 2), day(2026, 3, 2))).await;
    let total = counted.total.expect("it has one");
    assert_eq!((total.answered_in_time, total.answered_late, total.extended), (1, 1, 1));
    assert_eq!(
        (total.open, total.median_days, total.ninetieth_percentile_days),
        (1, Some(2), Some(34))
    );
}

#[tokio::test]
async fn what_officials_ended_counts_by_their_grounds_and_a_longer_base_is_no_extension() {
    let desk = Desk::open().await;
    let mut operator = desk.operator();
    for ground in ["OPENLY_AVAILABLE", "OPENLY_AVAILABLE", "OUTSIDE_INDICATORS"] {
        let request = desk.of_person().await;
        let left = operator.leave_without_consideration(leaving(&request, ground)).await;
        left.expect("it is left");
    }
    let repeated = desk.of_person().await;
    let terminated = desk
        .approver()
        .terminate_request(termination(&repeated, "REPEATED"))
        .await;
    terminated.expect("it is terminated");
    desk.recorded(recorded(proto::Channel::Oral)).await;
    desk.of_person().await;
    for sql in [
        "INSERT INTO requests.decision (request, position, verb, decided_by, decided_at, state_before, state_after, reason)
         SELECT id, 0, 'EXTEND', 'approver', '2026-03-02T10:00:00+05:00', 'REGISTERED', 'REGISTERED', ''
         FROM requests.request WHERE state = 'REGISTERED'",
        "UPDATE requests.request SET due_part = 'LONG_BASE' WHERE state = 'REGISTERED'",
    ] {
        desk.stage.execute(sql).await;
    }
    let counted = statistics(&desk.stage, of_days(day(2026, 3, 2), day(2026, 3, 2))).await;
    let grounds = counted.grounds.iter();
    let grounds: Vec<_> = grounds
        .map(|line| {
            let (left, terminated) = (line.left_without_consideration, line.terminated);
            (line.rule(), line.ground.as_str(), left, terminated)
        })
        .collect();
    let none = CheckRule::Unspecified;
    assert_eq!(
        grounds,
        [
            (CheckRule::Written, "", 1, 0),
            (none, "OPENLY_AVAILABLE", 2, 0),
            (none, "OUTSIDE_INDICATORS", 1, 0),
            (none, "REPEATED", 0, 1),
        ]
    );
    assert_eq!(counted.total.expect("it has one").extended, 0);
}
