//! Due dates that follow the calendar.

use std::collections::{BTreeMap, BTreeSet};

use legalstat_kit::due::{Schedule, calendar::Calendar, follow};
use legalstat_proto::{
    calendar::v1::{
        CalendarAct, CalendarActKind, CalendarChangeKind, CreateCalendarActRequest, Grade, PreviewRecomputeRequest,
        PreviewRecomputeResponse, Transfer, WithdrawCalendarActRequest, calendar_service_client::CalendarServiceClient,
        preview_recompute_request::Change,
    },
    common::v1::Date,
    forms::v1::{Channel as Place, GetEditionRequest, ListScheduleRequest},
};

use super::*;

/// A Tuesday on which editions are due, and the Saturday that is worked in its place.
const DUE: &str = "2027-01-05";

pub(super) fn date(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

pub(super) fn act(id: &str, day_off: Option<Date>, working_day: Option<Date>) -> CalendarAct {
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

/// An act that takes the Tuesday away.
fn order() -> CalendarAct {
    act("order-1", date(2027, 1, 5), date(2027, 1, 16))
}

impl Registry {
    fn calendar_client(&self) -> CalendarServiceClient<Channel> {
        CalendarServiceClient::new(self._calendar.channel(Some("administrator")))
    }

    pub(super) async fn record(&self, act: CalendarAct) {
        let request = CreateCalendarActRequest {
            calendar_act: Some(act),
            request_id: Uuid::new_v4().to_string(),
            validate_only: false,
        };
        let recorded = self.calendar_client().create_calendar_act(request).await;
        recorded.expect("it is recorded");
    }

    async fn withdraw(&self, name: &str) {
        let request = WithdrawCalendarActRequest {
            name: name.into(),
            request_id: Uuid::new_v4().to_string(),
            validate_only: false,
        };
        let withdrawn = self.calendar_client().withdraw_calendar_act(request).await;
        withdrawn.expect("it is withdrawn");
    }

    async fn preview(&self, change: Change) -> Result<PreviewRecomputeResponse, Status> {
        let request = PreviewRecomputeRequest { change: Some(change) };
        let mut administrator = self.client(Some("administrator"));
        administrator
            .preview_recompute(request)
            .await
            .map(tonic::Response::into_inner)
    }

    /// Waits until another change of the calendar is followed to its end than the one of this token, and gives its token.
    pub(super) async fn until_followed(&self, token: &str) -> String {
        let mut database = self.database().await;
        let followed = async {
            loop {
                let now: String = sqlx::query_scalar("SELECT resume_token FROM forms.calendar_following")
                    .fetch_one(&mut database)
                    .await
                    .expect("there is a row");
                if now != token {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, followed)
            .await
            .expect("the calendar is followed")
    }

    /// Every due date by the edition's name.
    pub(super) async fn due_dates(&self) -> BTreeMap<String, String> {
        let sql = "SELECT parent || '/editions/' || period, due_date::text FROM forms.scheduled WHERE binding";
        let rows: Vec<(String, String)> = sqlx::query_as(sql)
            .fetch_all(&mut self.database().await)
            .await
            .expect("rows");
        rows.into_iter().collect()
    }

    /// The resources for which a query has rows, with how many.
    async fn counted(&self, sql: &'static str) -> BTreeMap<String, i64> {
        let rows: Vec<(String, i64)> = sqlx::query_as(sql)
            .fetch_all(&mut self.database().await)
            .await
            .expect("rows");
        rows.into_iter().collect()
    }
}

const JOURNALED: &str =
    "SELECT resource, count(*) FROM forms.journal_entry WHERE method = 'jobs/recompute' GROUP BY resource";
const TOLD: &str =
    "SELECT resource, count(*) FROM forms.outbox_event WHERE kind = 'edition.due_date_moved' GROUP BY resource";

#[tokio::test]
async fn an_act_moves_what_is_open_with_one_entry_and_one_event_each_and_withdrawing_it_restores() {
    let registry = Registry::at("2026-11-24T10:00:00Z").await;
    let before = registry.due_dates().await;
    let preview = registry
        .preview(Change::CalendarAct(order()))
        .await
        .expect("it is previewed");
    assert_eq!(registry.due_dates().await, before, "a preview changes nothing");

    registry.record(order()).await;
    let followed = registry.until_followed("").await;
    let after = registry.due_dates().await;
    let due_then: BTreeSet<&String> = before
        .iter()
        .filter(|(_, due)| *due == DUE)
        .map(|(name, _)| name)
        .collect();
    let moved: BTreeSet<&String> = before.keys().filter(|name| before[*name] != after[*name]).collect();
    assert!(
        !moved.is_empty() && moved == due_then,
        "just what was due on the day that is off now"
    );
    assert!(moved.iter().all(|name| after[*name] == "2027-01-06"));
    let told: BTreeSet<&String> = preview.moves.iter().map(|item| &item.name).collect();
    assert_eq!(
        (preview.moved_count, told),
        (i64::try_from(moved.len()).expect("few"), moved.clone())
    );
    let once: BTreeMap<String, i64> = moved.iter().map(|name| ((*name).clone(), 1)).collect();
    assert_eq!(registry.counted(JOURNALED).await, once);
    assert_eq!(registry.counted(TOLD).await, once);

    let name = moved.first().expect("something moved").to_string();
    let get = GetEditionRequest {
        name: name.clone(),
        ..Default::default()
    };
    let edition = registry
        .client(None)
        .get_edition(get.clone())
        .await
        .expect("it is there")
        .into_inner();
    let change = &edition.due_date_changes[0];
    assert_eq!(
        (change.old_due_date, change.new_due_date),
        (date(2027, 1, 5), edition.due_date)
    );
    assert_eq!(
        (change.change(), change.calendar_act.as_str()),
        (CalendarChangeKind::ActRecorded, "calendarActs/order-1")
    );
    assert_eq!(change.new_calendar_version, edition.calendar_version);

    let withdrawal = registry
        .preview(Change::Withdrawal("calendarActs/order-1".into()))
        .await
        .expect("previewed");
    assert_eq!(withdrawal.moved_count, preview.moved_count);
    registry.withdraw("calendarActs/order-1").await;
    registry.until_followed(&followed).await;
    assert_eq!(registry.due_dates().await, before);
    let twice: BTreeMap<String, i64> = once.into_keys().map(|name| (name, 2)).collect();
    assert_eq!(registry.counted(JOURNALED).await, twice);
    let edition = registry
        .client(None)
        .get_edition(get)
        .await
        .expect("it is there")
        .into_inner();
    assert_eq!(edition.due_date_changes.len(), 2);
    assert_eq!(edition.due_date_changes[1].change(), CalendarChangeKind::ActWithdrawn);
    let schedule = ListScheduleRequest {
        year: 2026,
        form: edition.form,
        ..Default::default()
    };
    let schedule = registry
        .client(None)
        .list_schedule(schedule)
        .await
        .expect("a schedule")
        .into_inner();
    let line = schedule
        .items
        .iter()
        .find(|item| item.edition == name)
        .expect("it is in it");
    assert_eq!(line.due_date_revision, 2);
}

#[tokio::test]
async fn what_is_placed_never_moves_and_neither_can_the_service_move_it() {
    let registry = Registry::at("2026-11-24T10:00:00Z").await;
    let before = registry.due_dates().await;
    let due: Vec<&String> = before
        .iter()
        .filter(|(_, due)| *due == "2026-11-05")
        .map(|(name, _)| name)
        .collect();
    let (placed, open) = (due[0].as_str(), due[1].as_str());
    let mut operator = registry.operator();
    upload(&mut operator, &header(placed), b"a").await.expect("it is taken");
    seal(&mut operator, placed).await;
    place(&mut operator, &placing(placed, Place::InformationService))
        .await
        .expect("it is placed");
    upload(&mut operator, &header(open), b"a").await.expect("it is taken");
    seal(&mut operator, open).await;
    place(&mut operator, &placing(open, Place::OfficialWebsite))
        .await
        .expect("it is placed elsewhere");

    registry
        .record(act("late-order", date(2026, 11, 5), date(2026, 11, 21)))
        .await;
    registry.until_followed("").await;
    let after = registry.due_dates().await;
    assert_eq!(after[placed], "2026-11-05");
    assert_eq!(after[open], "2026-11-06", "only the information service counts");
    let mut runtime = registry.running.runtime().await;
    let moved =
        sqlx::query("UPDATE forms.scheduled SET due_date = due_date + 1 WHERE parent || '/editions/' || period = $1")
            .bind(placed)
            .execute(&mut runtime)
            .await
            .expect_err("it is placed");
    let broken = moved.as_database_error().and_then(|error| error.constraint());
    assert_eq!(broken, Some("scheduled_met_stays"));
}

#[tokio::test]
async fn a_service_that_was_away_takes_up_every_change_in_order_and_ends_as_if_it_had_been_there() {
    let registry = Registry::at("2026-11-24T10:00:00Z").await;
    let before = registry.due_dates().await;
    registry.calendar.shut();
    registry.record(order()).await;
    registry
        .record(act("order-2", date(2027, 1, 6), date(2027, 1, 23)))
        .await;
    registry.withdraw("calendarActs/order-1").await;
    registry.calendar.open();
    let last = "SELECT count(*) FROM forms.due_date_change WHERE change = 'ACT_WITHDRAWN'";
    let caught_up = async {
        loop {
            let count: i64 = sqlx::query_scalar(last)
                .fetch_one(&mut registry.database().await)
                .await
                .expect("a count");
            if count > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, caught_up).await.expect("it catches up");
    let history =
        "SELECT calendar_act || ' ' || old_due_date || ' ' || new_due_date, count(*) FROM forms.due_date_change
         WHERE resource = $1 GROUP BY 1, number ORDER BY number";
    let edition = before.iter().find(|(_, due)| *due == DUE).expect("something is due").0;
    let steps: Vec<(String, i64)> = sqlx::query_as(history)
        .bind(edition)
        .fetch_all(&mut registry.database().await)
        .await
        .expect("a history");
    let steps: Vec<&str> = steps.iter().map(|(step, _)| step.as_str()).collect();
    assert_eq!(
        steps,
        [
            "calendarActs/order-1 2027-01-05 2027-01-06",
            "calendarActs/order-2 2027-01-06 2027-01-08",
            "calendarActs/order-1 2027-01-08 2027-01-05",
        ]
    );
}

#[tokio::test]
async fn two_replicas_move_each_due_date_once() {
    let registry = Registry::at("2026-11-24T10:00:00Z").await;
    let clock = registry.clock.clone();
    let context = registry
        .running
        .context(move || *clock.lock().expect("no test panics here"));
    let calendar = Calendar::new(&registry.calendar.url(), &context.tls).expect("the URL is ours");
    let started = Schedule::start(&context, calendar, crate::db::form::duties).await;
    let schedule = started.expect("it starts");
    schedule.require_whole().expect("the schedule is stored");
    registry.record(order()).await;
    let followed = registry.until_followed("").await;
    registry.withdraw("calendarActs/order-1").await;
    registry.until_followed(&followed).await;
    context.shutdown.cancel();
    context.tasks.close();
    context.tasks.wait().await;
    let moves = registry
        .counted("SELECT resource, count(*) FROM forms.due_date_change GROUP BY resource")
        .await;
    assert!(
        !moves.is_empty() && moves.values().all(|count| *count == 2),
        "{moves:?}"
    );
    assert_eq!(registry.counted(JOURNALED).await, moves);
    assert_eq!(registry.counted(TOLD).await, moves);
}

#[tokio::test]
async fn an_announced_kurban_ait_restates_its_year_without_moving_what_stays() {
    let registry = Registry::at("2026-11-24T10:00:00Z").await;
    let mut announcement = act("announcement", None, None);
    announcement.transfers.clear();
    announcement.days_off.push(legalstat_proto::calendar::v1::SingleDayOff {
        occasion: "kurban-ait".into(),
        date: date(2027, 5, 16),
        status: legalstat_proto::calendar::v1::DayOffStatus::Announced.into(),
        title: Some(legalstat_proto::common::v1::LocalizedText {
            en: "First day of Kurban Ait".into(),
            ..Default::default()
        }),
        ..Default::default()
    });
    let provisional = "SELECT 'n', count(*) FROM forms.scheduled WHERE binding AND provisional AND due_date BETWEEN '2027-01-01' AND '2027-12-31'";
    let before = registry.counted(provisional).await["n"];
    let preview = registry
        .preview(Change::CalendarAct(announcement.clone()))
        .await
        .expect("it is previewed");
    assert_eq!((preview.moved_count, preview.restated_count), (0, before));
    registry.record(announcement).await;
    registry.until_followed("").await;
    assert_eq!(registry.counted(provisional).await["n"], 0);
    let restated = "SELECT 'n', count(*) FROM forms.outbox_event WHERE kind = 'edition.due_date_restated'";
    assert_eq!(registry.counted(restated).await["n"], before);
    assert!(
        registry
            .counted("SELECT resource, count(*) FROM forms.due_date_change GROUP BY 1")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_preview_refuses_what_the_calendar_refuses_and_is_not_for_the_public() {
    let registry = Registry::at("2026-11-24T10:00:00Z").await;
    let contradiction = act("contradiction", date(2027, 1, 5), date(2027, 1, 5));
    let refused = registry
        .preview(Change::CalendarAct(contradiction))
        .await
        .expect_err("it contradicts itself");
    assert_eq!(refused.code(), Code::InvalidArgument);
    let details = refused.get_error_details();
    let field = &details.bad_request().expect("it has violations").field_violations[0].field;
    assert!(
        field.starts_with("calendar_act.transfers[0]") && refused.message().contains(field.as_str()),
        "{refused:?}"
    );
    let unknown = registry
        .preview(Change::Withdrawal("calendarActs/none".into()))
        .await
        .expect_err("no such act");
    assert_eq!(unknown.code(), Code::NotFound);
    let mut client = registry.client(Some("administrator"));
    let nothing = client
        .preview_recompute(PreviewRecomputeRequest::default())
        .await
        .expect_err("nothing is asked");
    assert_eq!(nothing.code(), Code::InvalidArgument);
    let mut public = registry.client(None);
    let refused = public
        .preview_recompute(PreviewRecomputeRequest::default())
        .await
        .expect_err("not public");
    assert_eq!(refused.code(), Code::Unauthenticated);
    registry.calendar.shut();
    let away = registry
        .preview(Change::CalendarAct(order()))
        .await
        .expect_err("the calendar is away");
    assert_eq!(away.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_schedule_is_not_filled_with_due_dates_that_a_change_of_the_calendar_has_overtaken() {
    let registry = Registry::at("2026-11-24T10:00:00Z").await;
    let mut runtime = registry.running.runtime().await;
    let (old, new) = ("18@2026-03-17T19:00:00Z", "19@2026-11-24T10:00:00Z");
    let mut current = async |version: &str| follow::is_current(&mut runtime, version).await.expect("it reads");
    assert!(current(old).await, "nothing was taken up yet");
    sqlx::query("UPDATE forms.calendar_following SET known_from = '2026-11-24T10:00:00Z'")
        .execute(&mut registry.database().await)
        .await
        .expect("it is changed");
    assert!(!current(old).await && current(new).await);
}
