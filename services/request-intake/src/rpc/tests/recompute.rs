//! Due dates that follow the calendar.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use legalstat_local::testing::{
    gate::Gate,
    harness::{Ground, Running},
};
use legalstat_proto::{
    calendar::v1::{
        CalendarAct, CalendarActKind, CalendarChangeKind, CreateCalendarActRequest, Grade, PreviewRecomputeRequest,
        StepEffect, TermPart, Transfer, calendar_service_client::CalendarServiceClient,
        preview_recompute_request::Change,
    },
    common::v1 as common,
    requests::v1::{self as proto, CheckOutcome, CheckRule, RequestState},
};
use tonic::Code;
use uuid::Uuid;

use super::{
    fakes::Fakes,
    stage::{Stage, get, outcome, request, submission, submit},
    verbs::{extension, person, question},
};
use crate::SERVICE;

const PATIENCE: Duration = Duration::from_secs(60);
/// A Tuesday within working hours.
pub(super) const TUESDAY: &str = "2026-11-24T10:00:00+05:00";

fn date(month: i32, day: i32) -> Option<common::Date> {
    Some(common::Date { year: 2026, month, day })
}

/// An act that takes one day away and gives another.
fn act(id: &str, day_off: Option<common::Date>, working_day: Option<common::Date>) -> CalendarAct {
    CalendarAct {
        name: format!("calendarActs/{id}"),
        kind: CalendarActKind::Order.into(),
        citation: format!("Order {id}"),
        grade: Grade::StateBody.into(),
        transfers: vec![Transfer {
            working_day,
            day_off,
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// Intake with a real calendar behind a gate, and a clock that the test sets.
pub(super) struct Desk {
    pub(super) stage: Stage,
    gate: Gate,
    calendar: Running,
    clock: Arc<Mutex<Timestamp>>,
}

impl Desk {
    pub(super) async fn at(now: &str) -> Self {
        let clock = Arc::new(Mutex::new(now.parse().expect("an instant")));
        let told = clock.clone();
        let tell = move || *told.lock().expect("no test panics here");
        let calendar = Running::start(&legalstat_calendar::SERVICE, &[], tell.clone()).await;
        let gate = Gate::before(calendar.url()).await;
        gate.open();
        let fakes = Fakes::start().await;
        let files = tempfile::tempdir().expect("a folder");
        let settings = [
            ("LEGALSTAT_FILES", files.path().display().to_string()),
            ("LEGALSTAT_CALENDAR_URL", gate.url()),
            ("LEGALSTAT_FORM_REGISTRY_URL", fakes.url.clone()),
            ("LEGALSTAT_SIGNING_KEYS", Ground::shared().await.signing_keys()),
        ];
        let running = Running::start(&SERVICE, &settings, tell).await;
        let stage = Stage { fakes, running, files };
        Self {
            stage,
            gate,
            calendar,
            clock,
        }
    }

    fn set_clock(&self, now: &str) {
        *self.clock.lock().expect("no test panics here") = now.parse().expect("an instant");
    }

    async fn registered(&self) -> proto::Request {
        let mut edms = self.stage.client("edms");
        let request = submit(&mut edms, submission(request())).await.expect("it is accepted");
        assert_eq!(request.state(), RequestState::Registered);
        request
    }

    /// Records an act and waits until intake has followed it.
    async fn record(&self, act: CalendarAct) {
        let before = self.followed().await;
        self.record_unseen(act).await;
        self.until_followed(&before).await;
    }

    async fn record_unseen(&self, act: CalendarAct) {
        let request = CreateCalendarActRequest {
            calendar_act: Some(act),
            request_id: Uuid::new_v4().to_string(),
            validate_only: false,
        };
        let mut calendar = CalendarServiceClient::new(self.calendar.channel(Some("administrator")));
        calendar.create_calendar_act(request).await.expect("it is recorded");
    }

    /// Waits until intake has followed the calendar further than this.
    async fn until_followed(&self, before: &str) {
        let follows = async {
            while self.followed().await == before {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, follows)
            .await
            .expect("the calendar is followed");
    }

    async fn followed(&self) -> String {
        sqlx::query_scalar("SELECT resume_token FROM requests.calendar_following")
            .fetch_one(&mut self.stage.running.superuser().await)
            .await
            .expect("there is a row")
    }

    /// Waits until a request is to be given back by a day.
    async fn until_returned_by(&self, request: &proto::Request, day: Option<common::Date>) -> proto::Request {
        let mut operator = self.stage.client("operator");
        let computed = async {
            loop {
                let read = get(&mut operator, &request.name).await.expect("it is there");
                if read.return_by == day {
                    return read;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, computed).await.expect("it is computed")
    }

    async fn get(&self, request: &proto::Request) -> proto::Request {
        get(&mut self.stage.client("edms"), &request.name)
            .await
            .expect("it is there")
    }
}

#[tokio::test]
async fn an_open_request_follows_the_calendar_and_its_explanation_too() {
    let desk = Desk::at(TUESDAY).await;
    let before = desk.registered().await;
    assert_eq!(before.due_date, date(12, 24));
    let order = act("order-1", date(12, 24), date(12, 26));
    let preview = PreviewRecomputeRequest {
        change: Some(Change::CalendarAct(order.clone())),
    };
    let preview = desk
        .stage
        .client("administrator")
        .preview_recompute(preview)
        .await
        .expect("previewed")
        .into_inner();
    assert_eq!((preview.open_count, preview.moved_count), (1, 1));
    assert_eq!(
        (preview.moves[0].name.as_str(), preview.moves[0].new_due_date),
        (before.name.as_str(), date(12, 25))
    );
    assert_eq!(desk.get(&before).await, before);

    desk.record(order).await;
    let after = desk.get(&before).await;
    assert_eq!(
        (after.due_date, after.registered_on),
        (date(12, 25), before.registered_on)
    );
    assert_eq!(after.registration_number, before.registration_number);
    let deadline = after.deadline.as_ref().expect("it has one");
    let effects: Vec<_> = deadline
        .steps
        .iter()
        .rev()
        .map(|step| (step.effect(), step.date))
        .collect();
    assert_eq!(
        effects[..2],
        [(StepEffect::Due, date(12, 25)), (StepEffect::Rolled, date(12, 24))]
    );
    let change = &after.due_date_changes[0];
    assert_eq!((change.old_due_date, change.new_due_date), (date(12, 24), date(12, 25)));
    assert_eq!(
        (change.change(), change.calendar_act.as_str()),
        (CalendarChangeKind::ActRecorded, "calendarActs/order-1")
    );
    for kept in [
        // Watchers are told the day as it was then.
        "SELECT count(*) FROM requests.outbox_event WHERE kind = 'request.due_date_moved' AND told LIKE '- %-12-25'",
        "SELECT count(*) FROM requests.journal_entry WHERE method = 'jobs/recompute'",
    ] {
        assert_eq!(desk.stage.count(kept).await, 1, "{kept}");
    }
}

#[tokio::test]
async fn requests_with_one_explanation_keep_it_once_and_those_of_the_release_before_keep_theirs() {
    let desk = Desk::at(TUESDAY).await;
    let (first, second) = (desk.registered().await, desk.registered().await);
    assert_eq!(desk.stage.count("SELECT count(*) FROM requests.explanation").await, 1);
    assert_eq!(first.deadline, second.deadline);
    desk.stage
        .execute(
            "INSERT INTO requests.deadline_step SELECT r.id, s.position, s.date, s.effect, s.text_kk, s.text_ru, s.text_en,
                 s.legal_basis_act, s.legal_basis_provision, s.legal_basis_uri, s.legal_basis_assumed
             FROM requests.request r JOIN requests.explanation_step s ON s.explanation = r.explanation",
        )
        .await;
    desk.stage
        .execute("UPDATE requests.request SET explanation = NULL")
        .await;
    let again = desk.get(&first).await;
    assert_eq!(
        (again.deadline, again.examination),
        (first.deadline.clone(), first.examination.clone())
    );
    desk.record(act("order-1", date(12, 24), date(12, 26))).await;
    let moved = desk.get(&first).await;
    assert_eq!(moved.due_date, date(12, 25));
    assert_eq!(
        moved
            .deadline
            .expect("it has one")
            .steps
            .last()
            .and_then(|step| step.date),
        date(12, 25)
    );
}

#[tokio::test]
async fn a_registration_that_has_come_is_settled_and_one_still_to_come_moves() {
    let desk = Desk::at(TUESDAY).await;
    let settled = desk.registered().await;
    desk.set_clock("2026-11-27T19:30:00+05:00");
    let to_come = desk.registered().await;
    assert_eq!(
        (settled.registered_on, to_come.registered_on),
        (date(11, 24), date(11, 30))
    );

    desk.record(act("late-order", date(11, 24), date(11, 21))).await;
    let kept = desk.get(&settled).await;
    assert_eq!(
        (kept.registered_on, kept.due_date),
        (settled.registered_on, settled.due_date)
    );
    assert!(kept.due_date_changes.is_empty());
    desk.record(act("order-1", date(11, 30), date(12, 5))).await;
    let moved = desk.get(&to_come).await;
    assert_eq!(moved.registered_on, date(12, 1));
    assert_ne!(moved.due_date, to_come.due_date);
    assert_eq!(moved.registration_number, to_come.registration_number);
}

#[tokio::test]
async fn what_was_settled_when_an_act_became_known_counts_however_late_it_is_taken_up() {
    let desk = Desk::at("2026-11-27T19:30:00+05:00").await;
    let to_come = desk.registered().await;
    assert_eq!(to_come.registered_on, date(11, 30));
    desk.gate.shut();
    desk.record_unseen(act("order-1", date(11, 30), date(12, 5))).await;
    desk.set_clock("2026-12-02T10:00:00+05:00");
    let before = desk.followed().await;
    desk.gate.open();
    desk.until_followed(&before).await;
    assert_eq!(desk.get(&to_come).await.registered_on, date(12, 1));
}

#[tokio::test]
async fn a_preview_is_checked_by_the_calendar_even_when_nothing_is_open() {
    let desk = Desk::at(TUESDAY).await;
    let mut client = desk.stage.client("administrator");
    let mut preview = async |change| {
        let request = PreviewRecomputeRequest { change: Some(change) };
        client.preview_recompute(request).await.map(tonic::Response::into_inner)
    };
    let sound = preview(Change::CalendarAct(act("order-1", date(12, 24), date(12, 26)))).await;
    let sound = sound.expect("it is previewed");
    assert!(
        sound.open_count == 0 && sound.calendar_version.ends_with("+order-1"),
        "{sound:?}"
    );
    let contradiction = act("order-2", date(12, 24), date(12, 24));
    for (change, code) in [
        (Change::CalendarAct(contradiction), Code::InvalidArgument),
        (Change::Withdrawal("calendarActs/none".into()), Code::NotFound),
        (Change::Withdrawal(String::new()), Code::InvalidArgument),
    ] {
        assert_eq!(preview(change).await.expect_err("it is refused").code(), code);
    }
}

#[tokio::test]
async fn a_due_date_that_was_overtaken_by_a_change_of_the_calendar_is_not_stored() {
    let stage = Stage::set().await;
    stage
        .execute("UPDATE requests.calendar_following SET known_from = '2026-03-02Z'")
        .await;
    let mut edms = stage.client("edms");
    let accepted = submit(&mut edms, submission(request())).await.expect("it is accepted");
    assert_eq!(accepted.state(), RequestState::Received);
    assert!(accepted.coupon.is_some() && accepted.due_date.is_none());
    assert_eq!(outcome(&accepted, CheckRule::DueDate), CheckOutcome::Pending);

    stage
        .execute("UPDATE requests.calendar_following SET known_from = NULL")
        .await;
    let registered = async {
        while get(&mut edms, &accepted.name).await.expect("it is there").state() != RequestState::Registered {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, registered)
        .await
        .expect("it is examined later");
}

#[tokio::test]
async fn a_due_date_that_the_calendar_cannot_compute_stays_and_holds_up_no_other() {
    let desk = Desk::at(TUESDAY).await;
    let (sound, beyond) = (desk.registered().await, desk.registered().await);
    sqlx::query(
        "UPDATE requests.request SET received_at = '2036-12-20Z', accepted_at = '2036-12-20Z',
             registered_on = '2036-12-22' WHERE id = $1",
    )
    .bind(crate::domain::names::parse_request(&beyond.name))
    .execute(&mut desk.stage.running.superuser().await)
    .await
    .expect("it is changed");
    desk.record(act("order-1", date(12, 24), date(12, 26))).await;
    assert_eq!(desk.get(&sound).await.due_date, date(12, 25));
    assert_eq!(desk.get(&beyond).await.due_date, date(12, 24));
}

#[tokio::test]
async fn no_cause_of_a_later_registration_is_made_up_when_an_act_takes_its_cause_away() {
    let desk = Desk::at("2026-11-21T10:00:00+05:00").await;
    let saturday = desk.registered().await;
    let told = |request: &proto::Request| {
        let deadline = request.deadline.as_ref().expect("it has one");
        deadline.steps[0].text.clone().unwrap_or_default().en
    };
    assert!(told(&saturday).contains("on a day off"), "{}", told(&saturday));
    assert_eq!(saturday.registered_on, date(11, 23));
    desk.set_clock("2026-11-24T10:00:00+05:00");
    desk.record(act("order-1", date(12, 23), date(11, 21))).await;
    let moved = desk.get(&saturday).await;
    assert_eq!((moved.registered_on, moved.due_date), (date(11, 23), date(12, 24)));
    assert!(
        told(&moved).contains("received on this day; registered on 23 November 2026"),
        "{}",
        told(&moved)
    );
}

#[tokio::test]
async fn a_preview_leaves_out_what_an_earlier_change_is_still_moving() {
    let desk = Desk::at(TUESDAY).await;
    let request = desk.registered().await;
    assert_eq!(request.due_date, date(12, 24));
    // Whoever holds the request holds up its recompute.
    let mut holder = desk.stage.running.superuser().await;
    for statement in ["BEGIN", "SELECT FROM requests.request FOR UPDATE"] {
        sqlx::query(statement).execute(&mut holder).await.expect("it is held");
    }
    desk.record_unseen(act("order-1", date(12, 24), date(12, 26))).await;
    let unrelated = PreviewRecomputeRequest {
        change: Some(Change::CalendarAct(act("order-2", date(12, 28), date(12, 19)))),
    };
    let mut client = desk.stage.client("administrator");
    let preview = client
        .preview_recompute(unrelated)
        .await
        .expect("previewed")
        .into_inner();
    assert_eq!((preview.open_count, preview.moved_count), (1, 0), "{preview:?}");
}

#[tokio::test]
async fn an_extended_due_date_stays_an_extended_one_when_the_calendar_changes() {
    let desk = Desk::at(TUESDAY).await;
    let person = submit(&mut desk.stage.client("operator"), submission(person())).await;
    let person = person.expect("it is accepted");
    assert_eq!(person.due_date, date(12, 15));
    let mut chosen = extension(&person);
    chosen.until = date(12, 24);
    let mut approver = desk.stage.client("approver");
    let extended = approver
        .extend_request(chosen)
        .await
        .expect("it is extended")
        .into_inner();
    assert_eq!(extended.due_date, date(12, 24));

    desk.record(act("order-1", date(12, 24), date(12, 26))).await;
    let mut operator = desk.stage.client("operator");
    let after = get(&mut operator, &person.name).await.expect("it is there");
    assert_eq!((after.due_date, after.extended), (date(12, 25), true));
    let deadline = after.deadline.as_ref().expect("it has one");
    let effects: Vec<_> = deadline.steps.iter().map(|step| (step.effect(), step.date)).collect();
    let expected = [
        (StepEffect::Start, date(11, 24)),
        (StepEffect::Rolled, date(12, 24)),
        (StepEffect::Due, date(12, 25)),
    ];
    assert_eq!((deadline.part(), effects), (TermPart::Extension, expected.to_vec()));
    assert_eq!(after.due_date_changes[0].old_due_date, date(12, 24));
}

#[tokio::test]
async fn the_day_for_a_return_follows_the_calendar_and_that_of_a_decision_stays_as_it_was() {
    let desk = Desk::at(TUESDAY).await;
    let (mut operator, mut approver) = (desk.stage.client("operator"), desk.stage.client("approver"));
    let submitted = submit(&mut operator, submission(person()))
        .await
        .expect("it is accepted");
    approver
        .extend_request(extension(&submitted))
        .await
        .expect("it is extended");
    let mut asked = question(&submitted, &["items[0].period"]);
    asked.cure_by = date(11, 27);
    operator.ask_clarification(asked).await.expect("it is asked");
    let before = desk.until_returned_by(&submitted, date(12, 2)).await;
    let explained = before.decisions[0].explanation.as_ref().expect("it is explained");
    assert_eq!(before.decisions[0].notify_by, date(11, 27));
    assert_eq!(explained.steps.last().map(|step| step.date), Some(date(11, 27)));

    desk.record(act("order-1", date(11, 27), date(11, 28))).await;
    let after = desk.until_returned_by(&submitted, date(12, 1)).await;
    assert_eq!(after.decisions, before.decisions);
    let steps = |request: &proto::Request| request.return_deadline.clone().expect("it is explained").steps;
    assert_ne!(steps(&after), steps(&before));
}
