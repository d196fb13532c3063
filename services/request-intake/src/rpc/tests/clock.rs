//! Clocks that stand still while the requester is asked, where the term lets them.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use jiff::{Timestamp, civil::date};
use legalstat_kit::{
    due::compare::DueDates as _,
    law::{LegalBasis, LocalizedText},
};
use legalstat_proto::{
    calendar::v1::{StepEffect, compute_deadline_request::Subject},
    common::v1 as common,
    requests::v1::{self as proto, RequestState},
};

use super::{
    deciding::withdrawal,
    verbs::{Desk, PATIENCE, clarification, day, extension, person, question},
};
use crate::{
    db,
    domain::{
        evidence::{self, Deadline, Step},
        names,
    },
    jobs::{clock, recompute::OpenRequests},
};

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
pub(super) async fn until_counted(desk: &Desk, stops: i64) {
    let counted = "SELECT CASE WHEN bool_and(counted) THEN count(*) ELSE -1 END FROM requests.clock_stop";
    let begun = Instant::now();
    while desk.stage.count(counted).await != stops {
        assert!(begun.elapsed() < PATIENCE, "every stop is counted");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// How many due dates were told to have moved, and how many to be the same by other days.
async fn told(desk: &Desk) -> (i64, i64) {
    let moved = "SELECT count(*) FROM requests.outbox_event WHERE kind = 'request.due_date_moved'";
    let restated = "SELECT count(*) FROM requests.outbox_event WHERE kind = 'request.due_date_restated'";
    (desk.stage.count(moved).await, desk.stage.count(restated).await)
}

/// The days on which the clock stood still, as the explanation of the due date tells them.
fn stood(request: &proto::Request) -> Vec<common::Date> {
    let deadline = request.deadline.as_ref().expect("it has a due date");
    let steps = deadline.steps.iter();
    steps
        .filter(|step| step.effect() == StepEffect::Suspended)
        .filter_map(|step| step.date)
        .collect()
}

#[tokio::test]
async fn a_clock_stands_from_the_question_to_the_answer_and_at_most_through_the_last_day_for_it() {
    let desk = stoppable().await;
    let request = desk.of_person().await;
    assert_eq!(request.due_date, day(2026, 4, 2));
    ask(&desk, &request).await;
    // As long as nobody has answered, seven working days: the 4th to the 12th.
    desk.until(&request, |now| now.due_date == day(2026, 4, 9)).await;
    answer(&desk, &request, "2026-03-06T12:00:00+05:00").await;
    let back = desk.until(&request, |now| now.due_date == day(2026, 4, 5)).await;
    assert_eq!(back.state(), RequestState::Registered);
    let days: Vec<_> = stood(&back).iter().map(|day| day.day).collect();
    assert_eq!(days, [4, 5, 6]);
    until_counted(&desk, 1).await;
    assert_eq!(told(&desk).await, (2, 0));

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
    desk.until(&request, |now| now.due_date == day(2026, 4, 9)).await;
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
    assert_eq!(told(&desk).await, (0, 0));
}

#[tokio::test]
async fn days_that_stand_still_and_move_nothing_are_told_all_the_same() {
    let desk = stoppable().await;
    let request = desk.of_person().await;
    desk.stage.fakes.set_away(true);
    // Saturday and Sunday.
    desk.set_clock("2026-03-07T10:00:00+05:00");
    let asked = question(&request, &["items[0].period"]);
    desk.operator().ask_clarification(asked).await.expect("it is asked");
    answer(&desk, &request, "2026-03-08T12:00:00+05:00").await;
    desk.stage.fakes.set_away(false);
    let back = desk.until(&request, |now| !stood(now).is_empty()).await;
    let days: Vec<_> = stood(&back).iter().map(|day| day.day).collect();
    assert_eq!((days, back.due_date), (vec![7, 8], request.due_date));
    assert_eq!(told(&desk).await, (0, 1));
}

#[tokio::test]
async fn who_is_asked_again_as_soon_as_he_has_answered_stops_the_clock_again() {
    let desk = stoppable().await;
    let request = desk.of_person().await;
    ask(&desk, &request).await;
    answer(&desk, &request, "2026-03-05T12:00:00+05:00").await;
    let again = question(&request, &["essence"]);
    desk.operator().ask_clarification(again).await.expect("it is asked");
    answer(&desk, &request, "2026-03-10T12:00:00+05:00").await;
    // The 4th and the 5th, and from the 5th to the 10th.
    let back = desk.until(&request, |now| now.due_date == day(2026, 4, 7)).await;
    assert_eq!(back.state(), RequestState::Registered);
    until_counted(&desk, 2).await;
}

#[tokio::test]
async fn a_request_that_ends_while_it_is_asked_about_leaves_no_stop_standing() {
    let desk = stoppable().await;
    let request = desk.of_person().await;
    ask(&desk, &request).await;
    let taken_back = withdrawal(&request);
    desk.operator()
        .withdraw_request(taken_back)
        .await
        .expect("it is taken back");
    until_counted(&desk, 1).await;
    let standing = "SELECT count(*) FROM requests.clock_stop WHERE restarted_at IS NULL";
    let begun = Instant::now();
    while desk.stage.count(standing).await > 0 {
        assert!(begun.elapsed() < PATIENCE, "it ends");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
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
async fn who_supplies_too_little_and_is_asked_again_stops_the_clock_each_time_for_its_own_time() {
    let desk = stoppable().await;
    let mut incomplete = person();
    incomplete.items[0].unit = 0;
    let incomplete = desk.recorded(incomplete).await;
    desk.set_clock("2026-03-10T09:00:00+05:00");
    let nothing = clarification(&incomplete, None);
    desk.operator()
        .provide_clarification(nothing)
        .await
        .expect("it is taken");
    desk.until_state(&incomplete, RequestState::AwaitingClarification).await;
    // After the last day for the first question, which was the 12th.
    answer(&desk, &incomplete, "2026-03-18T09:00:00+05:00").await;
    // Thirteen working days: the 2nd to the 18th.
    let registered = desk.until(&incomplete, |now| now.due_date == day(2026, 4, 15)).await;
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
    desk.until(&request, |now| now.due_date == day(2026, 4, 9)).await;
}

#[tokio::test]
async fn whoever_follows_the_calendar_asks_it_with_the_stops() {
    let desk = stoppable().await;
    let (request, other) = (desk.of_person().await, desk.of_body().await);
    ask(&desk, &request).await;
    desk.until(&request, |now| now.due_date == day(2026, 4, 9)).await;
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
    desk.until(&request, |now| now.due_date == day(2026, 4, 9)).await;
    desk.stage.execute("DELETE FROM requests.clock_stop").await;
    answer(&desk, &request, "2026-03-06T12:00:00+05:00").await;
    desk.until(&request, |now| now.due_date == day(2026, 4, 5)).await;
}

#[tokio::test]
async fn two_replicas_that_count_the_same_stop_at_once_tell_it_once() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    // Its own job counts nothing: the two of the test do.
    desk.stage.fakes.set_away(true);
    ask(&desk, &request).await;
    let now: Timestamp = "2026-03-04T10:00:00+05:00".parse().expect("an instant");
    let replicas = [(); 2].map(|()| desk.stage.running.context(move || now));
    let id = names::parse_request(&request.name).expect("its name");
    let mut read = Vec::new();
    for replica in &replicas {
        let mut connection = replica.db.connection().await.expect("a connection");
        let mut found = db::request::get(&mut connection, &[id]).await.expect("it is read");
        read.push(found.remove(&id).expect("it is there").expect("it is readable"));
    }
    // Days that stand still and move nothing: the due date does not tell that they were counted.
    let computed = read[0].deadline.clone().map(|due| Deadline {
        steps: Arc::new(vec![Step {
            date: date(2026, 3, 4),
            effect: evidence::StepEffect::Suspended,
            text: LocalizedText::default(),
            legal_basis: LegalBasis::default(),
        }]),
        ..due
    });
    let [one, other] = &replicas;
    let at_once = tokio::join!(
        clock::store(one, &read[0], computed.clone()),
        clock::store(other, &read[1], computed.clone())
    );
    at_once
        .0
        .and(at_once.1)
        .expect("each stores it or leaves it to the other");
    // Who comes to it when the other is done.
    clock::store(other, &read[1], computed)
        .await
        .expect("there is nothing to store");
    assert_eq!(told(&desk).await, (0, 1));
    until_counted(&desk, 1).await;
}
