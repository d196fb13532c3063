//! A new act takes effect under load: how soon the first and how late the last answer is of the old calendar, and whether
//! any call fails meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use legalstat_proto::{
    calendar::v1::{
        CalendarAct, CalendarActKind, CreateCalendarActRequest, GetDayRequest, Grade, Transfer,
        WithdrawCalendarActRequest, calendar_service_client::CalendarServiceClient,
    },
    common::v1::Date,
};
use tokio::task::JoinSet;
use tonic::{Status, transport::Channel};
use uuid::Uuid;

use crate::{load::IN_FLIGHT, questions::Questions, report::Line};
use legalstat_test_support::system::System;

/// How long calls run before the act is recorded, and after.
const AROUND: Duration = Duration::from_secs(2);
/// The most that may pass between the answer to who records the act and the last answer of the old calendar.
const WITHIN: Duration = Duration::from_secs(1);

/// One call: when it ended, and the calendar version of its answer.
struct Answered {
    at: Instant,
    version: Result<String, Status>,
}

/// Records an act while calls run, and withdraws it.
pub(crate) async fn measure(system: &System, channels: &[Channel], questions: &Questions) -> Vec<Line> {
    let stop = Arc::new(AtomicBool::new(false));
    let questions = Arc::new(questions.clone());
    let next = Arc::new(AtomicUsize::new(0));
    let mut callers = JoinSet::new();
    for number in 0..IN_FLIGHT {
        let client = CalendarServiceClient::new(channels[number % channels.len()].clone());
        callers.spawn(call_until(
            Arc::clone(&stop),
            client,
            Arc::clone(&questions),
            Arc::clone(&next),
        ));
    }
    let mut administrator = CalendarServiceClient::new(system.channel("calendar", Some("administrator")));
    tokio::time::sleep(AROUND).await;
    let name = format!("calendarActs/bench-{}", Uuid::new_v4().simple());
    let recorded = administrator
        .create_calendar_act(request(&name))
        .await
        .expect("it is recorded")
        .into_inner();
    let told = Instant::now();
    tokio::time::sleep(AROUND).await;
    stop.store(true, Ordering::Relaxed);
    let answered = callers.join_all().await.into_iter().flatten().collect::<Vec<_>>();
    let withdrawal = WithdrawCalendarActRequest {
        name,
        request_id: Uuid::new_v4().to_string(),
        ..WithdrawCalendarActRequest::default()
    };
    administrator
        .withdraw_calendar_act(withdrawal)
        .await
        .expect("it is withdrawn");
    lines(&answered, told, &recorded.calendar_version)
}

fn lines(answered: &[Answered], told: Instant, new: &str) -> Vec<Line> {
    let is_new = |answer: &&Answered| answer.version.as_ref().is_ok_and(|version| version == new);
    let is_old = |answer: &&Answered| answer.version.as_ref().is_ok_and(|version| version != new);
    let first_new = answered.iter().filter(is_new).map(|answer| answer.at).min();
    let last_old = answered.iter().filter(is_old).map(|answer| answer.at).max();
    let failed = answered.iter().filter(|answer| answer.version.is_err()).count();
    let (first_new, last_old) = (
        after(told, first_new.expect("the act is seen")),
        after(told, last_old.expect("calls ran before")),
    );
    let soon = |seconds: f64| seconds < WITHIN.as_secs_f64();
    let (within, calls) = (format!("< {} ms", WITHIN.as_millis()), answered.len());
    vec![
        Line::plain("(d) first answer under the new act").judged(shown(first_new), within.clone(), soon(first_new)),
        Line::plain("(d) last answer without it").judged(shown(last_old), within, soon(last_old)),
        Line::plain(format!("(d) failed of {calls} calls")).judged(failed.to_string(), "0".into(), failed == 0),
    ]
}

/// How many seconds one instant lies after another; below 0 when it lies before.
fn after(told: Instant, at: Instant) -> f64 {
    at.saturating_duration_since(told).as_secs_f64() - told.saturating_duration_since(at).as_secs_f64()
}

fn shown(seconds: f64) -> String {
    format!("{:+.1} ms", seconds * 1e3)
}

/// Asks for days and deadlines in turn.
async fn call_until(
    stop: Arc<AtomicBool>,
    mut client: CalendarServiceClient<Channel>,
    questions: Arc<Questions>,
    next: Arc<AtomicUsize>,
) -> Vec<Answered> {
    let mut answered = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let version = if index.is_multiple_of(2) {
            let day = client.get_day(day(index)).await;
            day.map(|day| day.into_inner().calendar_version)
        } else {
            let request = questions.requests[index % questions.len()].clone();
            let deadline = client.compute_deadline(request).await;
            deadline.map(|deadline| deadline.into_inner().calendar_version)
        };
        let at = Instant::now();
        answered.push(Answered { at, version });
    }
    answered
}

fn day(index: usize) -> GetDayRequest {
    GetDayRequest {
        name: format!("days/2030-{:02}-{:02}", index % 12 + 1, index % 28 + 1),
        ..GetDayRequest::default()
    }
}

/// An act that moves the Saturday 2 February 2030 to the Monday after it.
fn request(name: &str) -> CreateCalendarActRequest {
    let day = |day| {
        Some(Date {
            year: 2030,
            month: 2,
            day,
        })
    };
    let act = CalendarAct {
        name: name.to_owned(),
        kind: CalendarActKind::Order.into(),
        citation: "an act to measure with".into(),
        grade: Grade::StateBody.into(),
        transfers: vec![Transfer {
            working_day: day(2),
            day_off: day(4),
            ..Transfer::default()
        }],
        ..CalendarAct::default()
    };
    CreateCalendarActRequest {
        calendar_act: Some(act),
        request_id: Uuid::new_v4().to_string(),
        ..CreateCalendarActRequest::default()
    }
}
