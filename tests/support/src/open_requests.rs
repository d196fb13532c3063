//! Many open requests in a running system, and an act that moves some of them. A few come through intake as any request
//! does; copying their rows stands for months of business.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use jiff::{ToSpan, Zoned, civil::Date};
use legalstat_proto::{
    calendar::v1::{
        CalendarAct, CalendarActKind, CreateCalendarActRequest, Day, Grade, ListDaysRequest, RequesterKind, Transfer,
        WithdrawCalendarActRequest, calendar_service_client::CalendarServiceClient,
    },
    common::v1 as common,
    requests::v1::{
        self as requests, GetRequestRequest, Item, ItemKind, Language, Request, Requester, Signatory,
        SignatoryCapacity, SubmitRequestRequest, Unit, request_intake_service_client::RequestIntakeServiceClient,
    },
};
use sqlx::{Connection, PgConnection};
use tonic::transport::Channel;
use uuid::Uuid;

use crate::{
    calls::answered,
    system::{EXAMINED, System},
};

/// How many days back the requests were received: some are overdue, most are not.
const DAYS: i32 = 30;

/// The name of an act that moves due dates.
pub const ACT: &str = "calendarActs/moves-a-day-off";

/// A person's request received some days ago and recorded on paper.
fn request(days_ago: i32, received: &Zoned) -> SubmitRequestRequest {
    let request = Request {
        requester: Some(Requester {
            kind: RequesterKind::Individual.into(),
            full_name: "A person".into(),
            postal_address: "Astana".into(),
            ..Default::default()
        }),
        signatory: Some(Signatory {
            full_name: "A person".into(),
            capacity: SignatoryCapacity::Applicant.into(),
        }),
        channel: requests::Channel::Paper.into(),
        essence: "Registered crimes".into(),
        language: Language::Ru.into(),
        items: vec![Item {
            kind: ItemKind::Statistics.into(),
            description: "Registered crimes".into(),
            unit: Unit::Crime.into(),
            period: "2025-Q4".into(),
            ..Default::default()
        }],
        received_at: Some(legalstat_kit::door::wire::to_timestamp(received.timestamp())),
        external_date: Some(legalstat_kit::door::wire::to_date(received.date())),
        ..Default::default()
    };
    SubmitRequestRequest {
        request: Some(request),
        request_id: Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("open-{days_ago}").as_bytes()).to_string(),
        validate_only: false,
    }
}

/// A connection to the system's database as its superuser.
pub async fn database(system: &System) -> PgConnection {
    let url = system.database_url("legalstat");
    PgConnection::connect(&url).await.expect("the database runs")
}

/// Stores so many open requests.
pub async fn store(system: &System, database: &mut PgConnection, count: i32) {
    let client = RequestIntakeServiceClient::new(system.channel("request-intake", Some("operator")));
    let now = Zoned::now().with_time_zone(legalstat_kit::zone::astana());
    for days_ago in 1..=DAYS {
        let received = now.checked_sub(days_ago.days()).expect("a day");
        let submission = request(days_ago, &received);
        let accepted = answered(&client, &submission, |mut client, submission| async move {
            client.submit_request(submission).await
        });
        let registered = examined(&client, accepted.await).await;
        assert_eq!(registered.state(), requests::RequestState::Registered);
    }
    let copied = sqlx::query(
        "INSERT INTO requests.request
             (id, accepted_by, accepted_at, coupon_number, received_at, channel, addressee, essence, language,
              requester_kind, requester_full_name, requester_postal_address, signatory_full_name, signatory_capacity, state,
              examination_pending, examination_round, examined_at, registration_number, registered_on, due_date, due_time,
              due_provisional, due_assumed, due_calendar_version, due_term, explanation)
         SELECT gen_random_uuid(), accepted_by, accepted_at, coupon_number || '-' || n, received_at, channel, addressee,
             essence, language, requester_kind, requester_full_name, requester_postal_address, signatory_full_name,
             signatory_capacity, state, examination_pending, examination_round, examined_at,
             registration_number || '-' || n, registered_on, due_date, due_time, due_provisional, due_assumed,
             due_calendar_version, due_term, explanation
         FROM requests.request CROSS JOIN generate_series(1, $1 / $2) AS n
         ORDER BY random() LIMIT $1 - $2",
    );
    copied
        .bind(count)
        .bind(DAYS)
        .execute(&mut *database)
        .await
        .expect("it is copied");
    for statement in ["VACUUM ANALYZE requests.request", "CHECKPOINT"] {
        sqlx::query(statement)
            .execute(&mut *database)
            .await
            .expect("the database is ours");
    }
}

/// A request that was accepted, once it is examined. On a busy machine that takes longer than the call waits for it; then a job does it.
async fn examined(client: &RequestIntakeServiceClient<Channel>, mut request: Request) -> Request {
    let began = Instant::now();
    while request.state() == requests::RequestState::Received {
        assert!(began.elapsed() < EXAMINED, "it is not examined: {request:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let asked = GetRequestRequest {
            name: request.name,
            ..Default::default()
        };
        request = answered(client, &asked, |mut client, asked| async move {
            client.get_request(asked).await
        })
        .await;
    }
    request
}

/// Every due date by the request.
pub async fn due_dates(database: &mut PgConnection) -> BTreeMap<Uuid, Date> {
    let rows = sqlx::query_as("SELECT id, due_date FROM requests.request WHERE due_date IS NOT NULL");
    let rows: Vec<(Uuid, jiff_sqlx::Date)> = rows.fetch_all(database).await.expect("rows");
    rows.into_iter().map(|(id, date)| (id, date.to_jiff())).collect()
}

/// Which day the act takes away: one in the middle of those on which something is still to fall due.
pub fn day_off(due: &BTreeMap<Uuid, Date>) -> Date {
    let today = legalstat_kit::zone::civil_day(jiff::Timestamp::now());
    let mut to_come: Vec<Date> = due.values().copied().filter(|date| *date > today).collect();
    to_come.sort_unstable();
    to_come.dedup();
    to_come[to_come.len() / 3]
}

fn wire(date: Date) -> Option<common::Date> {
    Some(legalstat_kit::door::wire::to_date(date))
}

/// Records the act: the day is off, and a Saturday after all due dates is worked.
pub async fn record(system: &System, name: &str, day_off: Date) {
    let calendar = CalendarServiceClient::new(system.channel("calendar", Some("administrator")));
    let days = ListDaysRequest {
        from: wire(day_off.checked_add(60.days()).expect("a day")),
        to: wire(day_off.checked_add(100.days()).expect("a day")),
        ..Default::default()
    };
    let days = list_days(&calendar, &days).await;
    let saturday = days.iter().find(|day| day.reasons.len() == 1 && !day.working);
    let act = CalendarAct {
        name: name.into(),
        kind: CalendarActKind::Order.into(),
        citation: "An order that moves a day off".into(),
        grade: Grade::StateBody.into(),
        transfers: vec![Transfer {
            working_day: saturday.expect("there are Saturdays").date,
            day_off: wire(day_off),
            ..Default::default()
        }],
        ..Default::default()
    };
    let create = CreateCalendarActRequest {
        calendar_act: Some(act),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    };
    answered(&calendar, &create, |mut calendar, create| async move {
        calendar.create_calendar_act(create).await
    })
    .await;
}

async fn list_days(calendar: &CalendarServiceClient<Channel>, asked: &ListDaysRequest) -> Vec<Day> {
    let listed = answered(calendar, asked, |mut calendar, asked| async move {
        calendar.list_days(asked).await
    });
    listed.await.days
}

/// Withdraws an act.
pub async fn withdraw(system: &System, name: &str) {
    let withdrawal = WithdrawCalendarActRequest {
        name: name.into(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    };
    let calendar = CalendarServiceClient::new(system.channel("calendar", Some("administrator")));
    answered(&calendar, &withdrawal, |mut calendar, withdrawal| async move {
        calendar.withdraw_calendar_act(withdrawal).await
    })
    .await;
}

/// What the due dates must be under the act: what fell due on its day or later waits one working day more.
pub async fn expected(system: &System, due: &BTreeMap<Uuid, Date>, day_off: Date) -> BTreeMap<Uuid, Date> {
    let calendar = CalendarServiceClient::new(system.channel("calendar", None));
    let days = ListDaysRequest {
        from: wire(day_off),
        to: wire(day_off.checked_add(59.days()).expect("a day")),
        ..Default::default()
    };
    let days = list_days(&calendar, &days).await;
    let working = days
        .iter()
        .filter(|day| day.working)
        .filter_map(|day| day.date.as_ref());
    let working: Vec<Date> = working
        .filter_map(|date| legalstat_kit::door::wire::date(date).ok())
        .collect();
    assert!(!working.contains(&day_off), "the act holds");
    let next = |date: Date| {
        working
            .iter()
            .copied()
            .find(|day| *day > date)
            .expect("some day is worked")
    };
    let moved = |date: Date| if date < day_off { date } else { next(date) };
    due.iter().map(|(id, date)| (*id, moved(*date))).collect()
}

/// How far intake has followed the calendar.
pub async fn followed(database: &mut PgConnection) -> String {
    sqlx::query_scalar("SELECT resume_token FROM requests.calendar_following")
        .fetch_one(database)
        .await
        .expect("there is a row")
}

/// How many moves intake keeps.
pub async fn moves(database: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM requests.due_date_change")
        .fetch_one(database)
        .await
        .expect("a count")
}
