//! Due dates that are put off, and that pass.

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};
use legalstat_kit::door::wire;
use legalstat_local::testing::refusals::{metadata, pairs, refused, violations};
use legalstat_proto::{
    calendar::v1::TermPart,
    requests::v1::{ExtendRequestRequest, Notice, OfficialCapacity, RequestState, Verb, WatchRequestsRequest},
};
use tonic::Code;

use super::{
    recompute,
    stage::{NOW, get, submission, submit},
    verbs::{Desk, day, extension, forwarding, person, question},
    watching::{all, watch},
};
use crate::db::{self, due_warning::Standing};

#[tokio::test]
async fn a_persons_request_is_extended_with_its_explanation_and_the_day_for_telling_of_it() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    let mut approver = desk.approver();
    let message = extension(&request);
    let extended = approver
        .extend_request(message.clone())
        .await
        .expect("it is extended")
        .into_inner();
    assert_eq!(
        (extended.state(), extended.due_date),
        (RequestState::Registered, day(2026, 6, 2))
    );
    assert!(extended.extended && !request.extended);
    let read = desk.get(&request).await;
    let deadline = read.deadline.as_ref().expect("it has one");
    assert_eq!((deadline.part(), deadline.steps.len()), (TermPart::Extension, 1));
    let decision = read.decisions.last().expect("it was decided");
    assert_eq!(
        (decision.verb(), decision.capacity()),
        (Verb::Extend, OfficialCapacity::HeadOfApparatus)
    );
    assert_eq!((decision.until, decision.notify_by), (day(2026, 6, 2), day(2026, 3, 5)));
    assert_eq!(decision.ground, "EXTENSION");
    let explanation = decision.explanation.as_ref().expect("it is explained");
    assert_eq!(
        (explanation.steps.len(), explanation.steps[0].date, explanation.assumed),
        (1, decision.notify_by, true)
    );
    assert_eq!(
        (explanation.calendar_version.as_str(), explanation.term.as_str()),
        ("7", "terms/state-body")
    );

    // A repetition has the same answer while the calendar is away, and another extension is refused.
    desk.stage.fakes.set_away(true);
    let again = approver
        .extend_request(message)
        .await
        .expect("it was answered")
        .into_inner();
    assert_eq!(again, extended);
    refused(
        approver.extend_request(extension(&request)).await,
        Code::FailedPrecondition,
        "ALREADY_EXTENDED",
    );
}

#[tokio::test]
async fn a_day_can_be_chosen_and_must_put_the_due_date_off() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    let mut approver = desk.approver();
    let mut sooner = extension(&request);
    sooner.until = day(2026, 4, 2);
    assert_eq!(
        violations(approver.extend_request(sooner).await),
        pairs(&[("until", "OUT_OF_RANGE")])
    );
    let mut chosen = extension(&request);
    chosen.until = day(2026, 4, 20);
    let extended = approver
        .extend_request(chosen)
        .await
        .expect("it is extended")
        .into_inner();
    assert_eq!(extended.due_date, day(2026, 4, 20));
}

#[tokio::test]
async fn an_extension_ends_two_months_after_its_decision_at_the_latest_and_every_day_to_it_is_explained() {
    let desk = recompute::Desk::at(recompute::TUESDAY).await;
    let person = submit(&mut desk.stage.client("operator"), submission(person())).await;
    let person = person.expect("it is accepted");
    let mut approver = desk.stage.client("approver");
    // 24 January 2027 is a Sunday.
    let most = day(2027, 1, 25);
    let mut beyond = extension(&person);
    beyond.until = day(2027, 1, 26);
    assert_eq!(
        violations(approver.extend_request(beyond).await),
        pairs(&[("until", "OUT_OF_RANGE")])
    );
    approver
        .extend_request(extension(&person))
        .await
        .expect("it is extended");
    let extended = get(&mut approver, &person.name).await.expect("it is there");
    assert_eq!(extended.due_date, most);
    let deadline = extended.deadline.expect("it has one");
    assert_eq!(
        (deadline.part(), deadline.provisional),
        (TermPart::Extension, true),
        "the acts of 2027 are not in"
    );
    let days: Vec<_> = deadline.steps.iter().map(|step| step.date).collect();
    assert_eq!(days, [day(2026, 11, 24), day(2027, 1, 24), most]);
    assert!(
        deadline
            .steps
            .iter()
            .all(|step| step.legal_basis.is_some() && step.text.is_some())
    );
}

#[tokio::test]
async fn nothing_is_extended_after_its_due_date_without_a_law_or_without_the_calendar() {
    let desk = Desk::open().await;
    let (person, body) = (desk.of_person().await, desk.of_body().await);
    let mut approver = desk.approver();
    refused(
        approver.extend_request(extension(&body)).await,
        Code::FailedPrecondition,
        "VERB_NOT_ORDERED",
    );
    let mut longer = extension(&person);
    longer.part = TermPart::LongBase.into();
    assert_eq!(
        violations(approver.extend_request(longer).await),
        pairs(&[("ground", "UNKNOWN")])
    );
    desk.stage.fakes.set_away(true);
    let away = approver.extend_request(extension(&person)).await;
    refused(away, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    desk.stage.fakes.set_away(false);
    let empty = approver.extend_request(ExtendRequestRequest::default()).await;
    let expected = [
        ("part", "REQUIRED"),
        ("reason", "REQUIRED"),
        ("capacity", "REQUIRED"),
        ("name", "RESOURCE_NAME"),
        ("request_id", "REQUEST_ID"),
    ];
    assert_eq!(violations(empty), pairs(&expected));

    desk.set_clock("2026-04-02T23:59:59+05:00");
    assert!(!desk.get(&person).await.overdue);
    desk.set_clock("2026-04-03T00:00:00+05:00");
    let late = desk.get(&person).await;
    assert!(late.overdue);
    let passed = refused(
        approver.extend_request(extension(&person)).await,
        Code::FailedPrecondition,
        "DUE_DATE_PASSED",
    );
    assert_eq!(metadata(&passed, "due_date"), "2026-04-02");
    let edms = get(&mut desk.stage.client("edms"), &body.name)
        .await
        .expect("it is there");
    assert!(edms.overdue);
}

#[tokio::test]
async fn the_longer_time_of_before_july_2021_can_be_followed_by_an_extension_from_the_due_date() {
    let desk = Desk::open().await;
    let mut old = person();
    old.received_at = Some(prost_types::Timestamp {
        seconds: 1_622_000_000,
        nanos: 0,
    });
    let old = desk.recorded(old).await;
    let mut approver = desk.approver();
    let mut longer = extension(&old);
    longer.part = TermPart::LongBase.into();
    longer.capacity = OfficialCapacity::Head.into();
    let extended = approver
        .extend_request(longer)
        .await
        .expect("it is extended")
        .into_inner();
    assert_eq!(extended.due_date, day(2026, 4, 17));
    let mut more = extension(&old);
    more.capacity = OfficialCapacity::Head.into();
    let more = approver
        .extend_request(more)
        .await
        .expect("it is extended")
        .into_inner();
    assert_eq!(more.due_date, day(2026, 6, 2));
    let counted = "SELECT (extension_counted_from - date '2026-04-17')::bigint FROM requests.request";
    assert_eq!(desk.stage.count(counted).await, 0);
}

#[tokio::test]
async fn the_feed_warns_once_of_each_due_date_that_comes_near_and_once_when_it_has_passed() {
    let desk = Desk::open().await;
    desk.set_clock("2026-03-02T10:00:00+05:00");
    let request = desk.of_person().await;
    let told = async |kind: &'static str| {
        let count = "SELECT count(*) FROM requests.outbox_event WHERE kind = $1 AND resource = $2";
        let count = sqlx::query_scalar::<_, i64>(count).bind(kind).bind(&request.name);
        count
            .fetch_one(&mut desk.stage.running.superuser().await)
            .await
            .expect("it counts")
    };
    let until = async |kind: &'static str, times: i64| {
        let reached = async {
            while told(kind).await < times {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(90), reached)
            .await
            .expect("it is told");
    };
    desk.set_clock("2026-04-01T10:00:00+05:00");
    until("request.due_soon", 1).await;
    desk.set_clock("2026-04-03T00:00:00+05:00");
    until("request.overdue", 1).await;
    assert_eq!(told("request.due_soon").await, 1);
    let warned = "SELECT sum(days_before)::bigint FROM requests.due_warning";
    assert_eq!(desk.stage.count(warned).await, 0);
    let mut feed = watch(&desk.stage, "operator", WatchRequestsRequest::default()).await;
    let warnings = all(&mut feed).await.0.into_iter().rev().take(2);
    for warning in warnings.filter_map(|message| message.request_event) {
        assert_eq!(warning.notices().collect::<Vec<_>>(), [Notice::Execution]);
        assert_eq!(
            (warning.state(), warning.due_date, warning.as_of_now),
            (RequestState::Unspecified, request.due_date, false)
        );
        assert_eq!(warning.registration_number, request.registration_number);
    }
    let journaled = "SELECT count(*) FROM requests.journal_entry WHERE method = 'jobs/warning'";
    assert_eq!(desk.stage.count(journaled).await, 2);
}

#[tokio::test]
async fn what_was_asked_of_the_calendar_before_midnight_is_not_decided_after_it() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    // Another replica, whose clock is ahead, has decided after midnight: this decision comes after that one.
    let mut database = desk.stage.running.superuser().await;
    for statement in [
        "SET session_replication_role = replica",
        "UPDATE requests.request SET changed_at = '2026-03-03T00:00:01+05:00'",
    ] {
        sqlx::query(statement)
            .execute(&mut database)
            .await
            .expect("the statement is right");
    }
    let mut approver = desk.approver();
    let turned = approver.extend_request(extension(&request)).await;
    refused(turned, Code::Aborted, "ETAG_MISMATCH");
    desk.set_clock("2026-03-03T00:00:02+05:00");
    let extended = approver.extend_request(extension(&request)).await;
    assert!(extended.expect("it is extended").into_inner().extended);
}

#[tokio::test]
async fn the_due_date_of_a_registered_request_is_put_off_while_its_requester_is_asked() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    desk.operator()
        .ask_clarification(question(&request, &["essence"]))
        .await
        .expect("it is asked");
    let mut approver = desk.approver();
    let extended = approver.extend_request(extension(&request)).await;
    let extended = extended.expect("it is extended").into_inner();
    assert_eq!(
        (extended.state(), extended.due_date),
        (RequestState::AwaitingClarification, day(2026, 6, 2))
    );
    assert_eq!(extended.cure_by, day(2026, 3, 12));

    let mut incomplete = person();
    incomplete.items[0].unit = 0;
    let unregistered = desk.recorded(incomplete).await;
    assert_eq!(unregistered.state(), RequestState::AwaitingClarification);
    refused(
        approver.extend_request(extension(&unregistered)).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
}

#[tokio::test]
async fn when_the_requester_was_told_of_an_extension_stays_on_record() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    let mut approver = desk.approver();
    for (told, reason) in [(day(2026, 3, 3), "IN_FUTURE"), (day(2026, 3, 1), "RANGE")] {
        let mut wrong = extension(&request);
        wrong.notified_on = told;
        assert_eq!(
            violations(approver.extend_request(wrong).await),
            pairs(&[("notified_on", reason)])
        );
    }
    let mut told = extension(&request);
    told.notified_on = day(2026, 3, 2);
    approver.extend_request(told).await.expect("it is extended");
    let read = desk.get(&request).await;
    let decision = read.decisions.last().expect("it was decided");
    assert_eq!(decision.notified_on, day(2026, 3, 2));
}

#[tokio::test]
async fn the_metrics_tell_what_is_open_what_is_due_and_what_waits_for_its_examination_and_for_how_long() {
    let desk = Desk::open().await;
    let due = desk.of_person().await.due_date.expect("it is registered");
    let due = wire::date(&due).expect("it is a day");
    let ended = desk.of_person().await;
    desk.operator()
        .forward_request(forwarding(&ended, &[]))
        .await
        .expect("it is passed on");
    let mut incomplete = person();
    incomplete.items[0].unit = 0;
    let incomplete = desk.recorded(incomplete).await;
    assert_eq!(incomplete.due_date, None, "the examination asks for something first");
    let counted = async |today: Date, seconds: i64| {
        let now = NOW.parse::<Timestamp>().expect("an instant") + SignedDuration::from_secs(seconds);
        let mut connection = desk.stage.running.superuser().await;
        let counted = db::due_warning::count(&mut connection, 5, today, now).await;
        counted.expect("it counts")
    };
    let standing = Standing {
        open: 2,
        ..Standing::default()
    };
    for (days, due_soon, due_today, overdue) in [(-6, 0, 0, 0), (-5, 1, 0, 0), (0, 1, 1, 0), (1, 0, 0, 1)] {
        let expected = Standing {
            due_soon,
            due_today,
            overdue,
            ..standing
        };
        assert_eq!(counted(due.saturating_add(days.days()), 0).await, expected, "{days}");
    }

    desk.stage.fakes.set_away(true);
    for _ in 0..2 {
        desk.of_body().await;
    }
    let waiting = counted(due, 901).await;
    assert_eq!(
        (
            waiting.open,
            waiting.due_today,
            waiting.unexamined,
            waiting.oldest_unexamined_seconds
        ),
        (4, 1, 2, 901)
    );
    assert_eq!(
        counted(due, -1).await.oldest_unexamined_seconds,
        0,
        "the clock was put back"
    );
}
