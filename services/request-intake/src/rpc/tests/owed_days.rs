//! By when requests are given back or forwarded, as it is computed and kept.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use legalstat_local::testing::refusals::refused;
use legalstat_proto::{
    calendar::v1::TermPart,
    common::v1::Date,
    requests::v1::{self as proto, GetRequestRequest, RequestState, RequestView},
};
use tonic::Code;

use super::{
    clock::until_counted,
    verbs::{Desk, PATIENCE, day, extension, forwarding, person, question, returning},
};

/// An act of the calendar that the service has taken up, and that what it answered before did not know.
const FOLLOWED: &str = "UPDATE requests.calendar_following SET known_from = '2026-03-02T00:00:00Z'";

async fn asked(desk: &Desk, cure_by: Option<Date>) -> proto::Request {
    let request = desk.of_person().await;
    let mut asked = question(&request, &["items[0].period"]);
    asked.cure_by = cure_by;
    desk.operator().ask_clarification(asked).await.expect("it is asked");
    request
}

#[tokio::test]
async fn what_was_computed_is_told_while_the_calendar_is_away_and_reading_asks_nobody() {
    let desk = Desk::open().await;
    let request = asked(&desk, day(2026, 3, 6)).await;
    // Another job asks the calendar about the clock that stood still.
    until_counted(&desk, 1).await;
    let computed = desk.until(&request, |now| now.return_by.is_some()).await;
    desk.stage.fakes.set_away(true);
    let asked_for_it = &desk.stage.fakes.answers.asked_for_returns;
    let questions = || asked_for_it.lock().expect("no test panics here").iter().sum::<usize>();
    let before = questions();
    assert_eq!(desk.get(&request).await, computed);
    assert_eq!(questions(), before);
    let basic = GetRequestRequest {
        name: request.name.clone(),
        view: RequestView::Basic.into(),
        languages: Vec::new(),
    };
    let basic = desk
        .operator()
        .get_request(basic)
        .await
        .expect("it is there")
        .into_inner();
    assert_eq!((basic.return_by, basic.return_deadline), (computed.return_by, None));
}

#[tokio::test]
async fn questions_that_always_fail_keep_no_other_request_from_its_day() {
    let desk = Desk::open().await;
    let mut requests = Vec::new();
    for _ in 0..5 {
        requests.push(desk.of_person().await);
    }
    // As the job goes through them: those that fail come first.
    requests.sort_by(|one, other| one.name.cmp(&other.name));
    let days: Vec<Option<Date>> = (6..11).map(|of_march| day(2026, 3, of_march)).collect();
    let failing = &desk.stage.fakes.answers.failing;
    *failing.lock().expect("no test panics here") = days[..3].iter().copied().flatten().collect();
    for (request, cure_by) in requests.iter().zip(&days) {
        let mut asked = question(request, &["items[0].period"]);
        asked.cure_by = *cure_by;
        desk.operator().ask_clarification(asked).await.expect("it is asked");
    }
    for request in &requests[3..] {
        desk.until(request, |now| now.return_by.is_some()).await;
    }
    for request in &requests[..3] {
        assert_eq!(desk.get(request).await.return_by, None);
    }
    failing.lock().expect("no test panics here").clear();
    for request in &requests[..3] {
        desk.until(request, |now| now.return_by.is_some()).await;
    }
}

#[tokio::test]
async fn what_is_asked_while_the_calendar_is_away_is_computed_when_it_is_back() {
    let desk = Desk::open().await;
    let request = desk.of_person().await;
    desk.stage.fakes.set_away(true);
    let before = desk.stage.fakes.answers.asked.load(Ordering::SeqCst);
    desk.operator()
        .ask_clarification(question(&request, &["items[0].period"]))
        .await
        .expect("it is asked");
    desk.until(&request, |_| {
        desk.stage.fakes.answers.asked.load(Ordering::SeqCst) > before
    })
    .await;
    let stands = desk.get(&request).await;
    assert_eq!(
        (stands.state(), stands.return_by),
        (RequestState::AwaitingClarification, None)
    );
    desk.stage.fakes.set_away(false);
    desk.until(&request, |now| now.return_by.is_some()).await;
}

#[tokio::test]
async fn a_term_without_such_a_time_is_not_asked_about_again() {
    let desk = Desk::open().await;
    let answers = &desk.stage.fakes.answers;
    *answers.refusal.lock().expect("no test panics here") = Some(Code::FailedPrecondition);
    let asked_for_returns = || answers.asked_for_returns.lock().expect("no test panics here").clone();
    let mut alone = Vec::new();
    // Each owes another day, so that each is a question of its own.
    for (place, cure_by) in (1..).zip([6, 9, 10, 11]) {
        let before = asked_for_returns().len();
        let request = asked(&desk, day(2026, 3, cure_by)).await;
        let kept = "SELECT count(*) FROM requests.owed_day WHERE owed = 'RETURN' AND due_date IS NULL";
        let begun = Instant::now();
        while desk.stage.count(kept).await < place {
            assert!(begun.elapsed() < PATIENCE, "that it has none is kept");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(desk.get(&request).await.return_by, None);
        let asked = asked_for_returns().split_off(before);
        alone.push(asked.iter().all(|count| *count < 2));
    }
    // A round asks for all at once whose day is not kept, among them one that was being changed meanwhile.
    assert!(alone[1..].contains(&true), "the earlier ones are asked about each time");
}

#[tokio::test]
async fn what_was_computed_before_the_request_changed_is_not_told_of_it() {
    let desk = Desk::open().await;
    let request = asked(&desk, day(2026, 3, 6)).await;
    desk.until(&request, |now| now.return_by == day(2026, 3, 9)).await;
    desk.stage.fakes.set_away(true);
    let again = "UPDATE requests.request SET cure_by = '2026-03-10'";
    sqlx::query(again)
        .execute(&mut desk.stage.running.superuser().await)
        .await
        .expect("the database is ours");
    assert_eq!(desk.get(&request).await.return_by, None);
    desk.stage.fakes.set_away(false);
    desk.until(&request, |now| now.return_by == day(2026, 3, 13)).await;
}

#[tokio::test]
async fn what_the_request_the_rules_or_the_calendar_have_overtaken_is_neither_told_nor_recorded() {
    let desk = Desk::open().await;
    let request = asked(&desk, day(2026, 3, 6)).await;
    for change in [
        "UPDATE requests.request SET assignee = 'operator'",
        "UPDATE requests.rule_revision SET revision = revision + 1",
        FOLLOWED,
    ] {
        desk.stage.fakes.set_away(false);
        desk.until(&request, |now| now.return_by.is_some()).await;
        desk.stage.fakes.set_away(true);
        desk.stage.execute(change).await;
        assert_eq!(desk.get(&request).await.return_by, None, "{change}");
    }
    desk.set_clock("2026-03-07T00:00:00+05:00");
    desk.operator()
        .return_request(returning(&request))
        .await
        .expect("it is returned");
    let decision = desk.get(&request).await.decisions.pop().expect("it was decided");
    assert_eq!((decision.until, decision.explanation), (None, None));
}

#[tokio::test]
async fn a_return_whose_day_is_not_kept_asks_the_calendar() {
    let desk = Desk::open().await;
    let request = asked(&desk, day(2026, 3, 6)).await;
    desk.until(&request, |now| now.return_by.is_some()).await;
    desk.stage.execute("DELETE FROM requests.owed_day").await;
    desk.set_clock("2026-03-07T00:00:00+05:00");
    desk.operator()
        .return_request(returning(&request))
        .await
        .expect("it is returned");
    let decision = desk.get(&request).await.decisions.pop().expect("it was decided");
    assert_eq!(
        (decision.until, decision.explanation.is_some()),
        (day(2026, 3, 9), true)
    );
}

#[tokio::test]
async fn the_day_of_a_notice_that_the_calendar_has_overtaken_stays_with_no_decision() {
    let desk = Desk::open().await;
    let (extended, forwarded) = (desk.of_person().await, desk.of_person().await);
    desk.stage.execute(FOLLOWED).await;
    desk.operator()
        .forward_request(forwarding(&forwarded, &[]))
        .await
        .expect("it is forwarded");
    let decision = desk.get(&forwarded).await.decisions.pop().expect("it was decided");
    assert_eq!((decision.notify_by, decision.explanation), (None, None));

    let now_known = |part| {
        let versions = &desk.stage.fakes.answers.versions;
        let mut versions = versions.lock().expect("no test panics here");
        versions.insert(part, "7@2026-03-02T00:00:00Z".to_owned());
    };
    now_known(TermPart::Extension);
    let overtaken = desk.approver().extend_request(extension(&extended)).await;
    refused(overtaken, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    now_known(TermPart::ExtensionNotice);
    desk.approver()
        .extend_request(extension(&extended))
        .await
        .expect("it is extended");
    let decision = desk.get(&extended).await.decisions.pop().expect("it was decided");
    assert_eq!(decision.notify_by, day(2026, 3, 5));
}

#[tokio::test]
async fn decisions_of_before_have_their_day_and_no_explanation() {
    let desk = Desk::open().await;
    let (extended, forwarded) = (desk.of_person().await, desk.recorded(person()).await);
    desk.approver()
        .extend_request(extension(&extended))
        .await
        .expect("it is extended");
    desk.operator()
        .forward_request(forwarding(&forwarded, &[]))
        .await
        .expect("it is forwarded");
    let before =
        "UPDATE requests.decision SET explanation = NULL, explanation_provisional = NULL, explanation_assumed = NULL,
        explanation_calendar_version = NULL, explanation_term = NULL WHERE verb = 'EXTEND'";
    sqlx::query(before)
        .execute(&mut desk.stage.running.superuser().await)
        .await
        .expect("the database is ours");
    for (request, is_explained) in [(extended, false), (forwarded, true)] {
        let decision = desk.get(&request).await.decisions.pop().expect("it was decided");
        assert_eq!(decision.notify_by, day(2026, 3, 5));
        assert_eq!(decision.explanation.is_some(), is_explained);
    }
}

#[tokio::test]
async fn a_return_of_which_no_day_could_be_computed_tells_none() {
    let desk = Desk::open().await;
    let request = asked(&desk, day(2026, 3, 6)).await;
    desk.until(&request, |now| now.return_by.is_some()).await;
    let forgotten = "DELETE FROM requests.owed_day";
    desk.stage.fakes.set_away(true);
    sqlx::query(forgotten)
        .execute(&mut desk.stage.running.superuser().await)
        .await
        .expect("the database is ours");
    desk.set_clock("2026-03-07T00:00:00+05:00");
    desk.operator()
        .return_request(returning(&request))
        .await
        .expect("it is returned");
    let decision = desk.get(&request).await.decisions.pop().expect("it was decided");
    assert_eq!((decision.until, decision.explanation), (None, None));
}
