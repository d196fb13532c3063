//! Clocks that stand still while the requester is asked, where the term lets them.

use std::{sync::atomic::Ordering, time::Instant};

use legalstat_kit::due::compare::DueDates as _;
use legalstat_proto::{
    calendar::v1::compute_deadline_request::Subject,
    requests::v1::{self as proto, RequestState},
};

use super::verbs::{Desk, PATIENCE, clarification, day, extension, person, question};
use crate::jobs::recompute::OpenRequests;

/// A desk whose requests have terms whose clocks may stop.
async fn stoppable() -> Desk {
    let desk = Desk::open().await;
    desk.stage.fakes.answers.clock_stops.store(true, Ordering::SeqCst);
    desk
}

/// Asks about a request on 4 March, to be answered by the 12th.
async fn ask(desk: &Desk, request: &proto::Request) {
    desk.set_clock("2026-03-04T10:00:00+05:00");
    let mut asked = question(request, &["items[0].period"]);
    asked.cure_by = day(2026, 3, 12);
    desk.operator().ask_clarification(asked).await.expect("it is asked");
}

async fn answer(desk: &Desk, request: &proto::Request, at: &str) {
    desk.set_clock(at);
    let given = clarification(request, Some(person().items));
    desk.operator()
        .provide_clarification(given)
        .await
        .expect("it is supplied");
}

/// Waits until so many stops are counted, and none is left.
async fn until_counted(desk: &Desk, stops: i64) {
    let counted = "SELECT CASE WHEN bool_and(counted) THEN count(*) ELSE -1 END FROM requests.clock_stop";
    let begun = Instant::now();
    while desk.stage.count(counted).await != stops {
        assert!(begun.elapsed() < PATIENCE, "every stop is counted");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn moves(desk: &Desk) -> i64 {
    let events = "SELECT count(*) FROM requests.outbox_event WHERE kind = 'request.due_date_moved'";
    desk.stage.count(events).await
}

#[tokio::test]
async fn a_clock_stands_from_the_question_to_the_answer_and_at_most_through_the_last_day_for_it() {
    let desk = stoppable().await;
    let request = desk.of_person().await;
    assert_eq!(request.due_date, day(2026, 4, 2));
    ask(&desk, &request).await;
    // As long as nobody has answered, nine days: the 4th to the 12th.
    desk.until(&request, |now| now.due_date == day(2026, 4, 11)).await;
    answer(&desk, &request, "2026-03-06T12:00:00+05:00").await;
    let back = desk.until(&request, |now| now.due_date == day(2026, 4, 5)).await;
    assert_eq!(back.state(), RequestState::Registered);
    until_counted(&desk, 1).await;
    assert_eq!(moves(&desk).await, 2);

    let extended = desk.approver().extend_request(extension(&request)).await;
    let extended = extended.expect("it is extended").into_inner();
    assert_eq!(extended.due_date, day(2026, 6, 5));
}

#[tokio::test]
async fn who_answers_too_late_has_stopped_the_clock_through_the_last_day_and_no_longer() {
    let desk = stoppable().await;
    let request = desk.of_person().await;
    ask(&desk, &request).await;
    answer(&desk, &request, "2026-03-20T12:00:00+05:00").await;
    desk.until(&request, |now| now.due_date == day(2026, 4, 11)).await;
}

#[tokio::test]
async fn a_clock_that_no_law_lets_stop_runs_on_and_nothing_is_told() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    ask(&desk, &request).await;
    until_counted(&desk, 1).await;
    answer(&desk, &request, "2026-03-06T12:00:00+05:00").await;
    until_counted(&desk, 1).await;
    assert_eq!(desk.get(&request).await.due_date, request.due_date);
    assert_eq!(moves(&desk).await, 0);
}

#[tokio::test]
async fn what_its_examination_asks_stops_the_clock_of_a_request_that_is_registered_later() {
    let desk = stoppable().await;
    let mut incomplete = person();
    incomplete.items[0].unit = 0;
    let incomplete = desk.recorded(incomplete).await;
    assert_eq!(incomplete.state(), RequestState::AwaitingClarification);
    answer(&desk, &incomplete, "2026-03-05T09:00:00+05:00").await;
    // Four days: the 2nd, on which it was examined, to the 5th.
    let registered = desk.until(&incomplete, |now| now.due_date == day(2026, 4, 6)).await;
    assert_eq!(registered.state(), RequestState::Registered);
}

#[tokio::test]
async fn who_asks_waits_for_no_calendar_and_the_stop_is_counted_when_it_is_back() {
    let desk = stoppable().await;
    let request = desk.of_person().await;
    desk.stage.fakes.set_away(true);
    let before = desk.stage.fakes.answers.asked.load(Ordering::SeqCst);
    ask(&desk, &request).await;
    desk.until(&request, |_| {
        desk.stage.fakes.answers.asked.load(Ordering::SeqCst) > before
    })
    .await;
    assert_eq!(desk.get(&request).await.due_date, request.due_date);
    desk.stage.fakes.set_away(false);
    desk.until(&request, |now| now.due_date == day(2026, 4, 11)).await;
}

#[tokio::test]
async fn whoever_follows_the_calendar_asks_it_with_the_stops() {
    let desk = stoppable().await;
    let (request, other) = (desk.of_person().await, desk.of_body().await);
    ask(&desk, &request).await;
    desk.until(&request, |now| now.due_date == day(2026, 4, 11)).await;
    let now = "2026-03-04T10:00:00+05:00".parse().expect("an instant");
    let mut connection = desk.stage.running.superuser().await;
    sqlx::query("SET search_path TO requests")
        .execute(&mut connection)
        .await
        .expect("the database is ours");
    let open = OpenRequests
        .open(&mut connection, None, 10, now)
        .await
        .expect("they are read");
    for (name, stops) in [(&request.name, 1), (&other.name, 0)] {
        let open = open.iter().find(|open| open.name == *name).expect("it is open");
        let Some(Subject::TermStart(start)) = &open.question.subject else {
            panic!("a question about a term")
        };
        assert_eq!(start.clock_stops.len(), stops, "{name}");
    }
}

#[tokio::test]
async fn what_an_official_of_the_release_before_asked_stops_the_clock_from_his_question() {
    let desk = stoppable().await;
    let request = desk.of_person().await;
    ask(&desk, &request).await;
    desk.until(&request, |now| now.due_date == day(2026, 4, 11)).await;
    desk.stage.execute("DELETE FROM requests.clock_stop").await;
    answer(&desk, &request, "2026-03-06T12:00:00+05:00").await;
    desk.until(&request, |now| now.due_date == day(2026, 4, 5)).await;
}
