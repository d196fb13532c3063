//! Acts that are recorded and withdrawn while the service runs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use super::*;

pub(super) type Client = CalendarServiceClient<Channel>;

pub(super) fn administrator(service: &Running) -> Client {
    CalendarServiceClient::new(service.channel(Some("administrator")))
}

/// An order that moves a day off, from a Saturday to a Friday.
pub(super) fn order() -> CalendarAct {
    CalendarAct {
        name: "calendarActs/order-2027".into(),
        kind: CalendarActKind::Order.into(),
        citation: "Order of the Minister of Labour No. 1 of 2027".into(),
        uri: "https://adilet.zan.kz/rus/docs/ORDER".into(),
        grade: Grade::ActRead.into(),
        transfers: vec![transfer(date(2027, 4, 24), date(2027, 4, 30))],
        ..Default::default()
    }
}

pub(super) fn transfer(working_day: Option<Date>, day_off: Option<Date>) -> Transfer {
    Transfer {
        working_day,
        day_off,
        ..Default::default()
    }
}

fn request_id(number: u8) -> String {
    format!("00000000-0000-4000-8000-0000000000{number:02}")
}

pub(super) fn create(act: CalendarAct, number: u8) -> CreateCalendarActRequest {
    CreateCalendarActRequest {
        calendar_act: Some(act),
        request_id: request_id(number),
        validate_only: false,
    }
}

pub(super) fn withdraw(name: &str, number: u8) -> WithdrawCalendarActRequest {
    WithdrawCalendarActRequest {
        name: name.into(),
        request_id: request_id(number),
        validate_only: false,
    }
}

fn changes(effect: &CalendarActEffect) -> Vec<(Option<Date>, DayKind, DayKind)> {
    let changed = effect.changed_days.iter();
    changed.map(|day| (day.date, day.old_kind(), day.new_kind())).collect()
}

async fn day_at(client: &mut Client, name: &str, at: Option<Timestamp>) -> Day {
    let request = GetDayRequest {
        name: name.into(),
        as_known_at: at.map(legalstat_kit::door::wire::to_timestamp),
        languages: Vec::new(),
    };
    client.get_day(request).await.expect("a day").into_inner()
}

async fn all_days(client: &mut Client) -> Vec<Day> {
    let mut days = Vec::new();
    for (from, to) in [(2016, 2025), (2026, 2036)] {
        let mut request = ListDaysRequest {
            from: date(from, 1, 1),
            to: date(to, 12, 31),
            page_size: 1000,
            ..Default::default()
        };
        loop {
            let page = client.list_days(request.clone()).await.expect("a page").into_inner();
            days.extend(page.days.into_iter().map(|day| Day {
                calendar_version: String::new(),
                ..day
            }));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
    }
    days
}

async fn events(service: &Running) -> Vec<(String, String)> {
    let query = "SELECT kind, resource FROM calendar.outbox_event ORDER BY number";
    let events = sqlx::query_as(query).fetch_all(&mut service.superuser().await).await;
    events.expect("events")
}

#[tokio::test]
async fn an_act_holds_at_once_and_leaves_what_was_known_before_as_it_was() {
    let service = running().await;
    let mut client = administrator(&service);
    let effect = client.create_calendar_act(create(order(), 1)).await.expect("recorded");
    let effect = effect.into_inner();
    let expected = [
        (date(2027, 4, 24), DayKind::Weekend, DayKind::TransferredWorkingDay),
        (date(2027, 4, 30), DayKind::Working, DayKind::TransferredDayOff),
    ];
    assert_eq!(changes(&effect), expected);
    let act = effect.calendar_act.clone().expect("the act");
    assert_eq!(
        (act.sequence, act.recorded_at),
        (19, Some(legalstat_kit::door::wire::to_timestamp(NOW)))
    );
    assert_eq!((act.known_from, act.withdrawn_at), (act.recorded_at, None));

    let friday = day_at(&mut client, "days/2027-04-30", None).await;
    assert_eq!(friday.calendar_version, effect.calendar_version);
    let basis = friday.reasons.last().and_then(|reason| reason.legal_basis.clone());
    assert_eq!(
        basis.expect("a law").act,
        "Order of the Minister of Labour No. 1 of 2027"
    );
    let before = NOW - Duration::from_micros(1);
    assert!(day_at(&mut client, "days/2027-04-30", Some(before)).await.working);

    let again = client.create_calendar_act(create(order(), 1)).await.expect("replayed");
    assert_eq!(again.into_inner(), effect);
    let expected = ("calendar-act.created".to_owned(), "calendarActs/order-2027".to_owned());
    assert_eq!(events(&service).await, [expected]);
}

#[tokio::test]
async fn recording_an_act_again_is_told_as_a_repeat() {
    let service = running().await;
    let mut client = administrator(&service);
    for request in [1, 2] {
        client
            .create_calendar_act(create(order(), request))
            .await
            .expect("recorded");
    }
    let outcomes = "SELECT outcome FROM calendar.journal_entry WHERE method LIKE '%/CreateCalendarAct' ORDER BY number";
    let outcomes: Vec<String> = sqlx::query_scalar(outcomes)
        .fetch_all(&mut service.superuser().await)
        .await
        .expect("it is readable");
    assert_eq!(outcomes, ["DONE", "REPEATED"]);
}

#[tokio::test]
async fn trying_an_act_tells_what_would_change_and_changes_nothing() {
    let service = running().await;
    let mut client = administrator(&service);
    let before = all_days(&mut client).await;
    let request = CreateCalendarActRequest {
        validate_only: true,
        ..create(order(), 1)
    };
    let tried = client
        .create_calendar_act(request)
        .await
        .expect("possible")
        .into_inner();
    assert_eq!(changes(&tried).len(), 2);
    assert_eq!(all_days(&mut client).await, before);
    assert!(events(&service).await.is_empty());
    let done = client.create_calendar_act(create(order(), 1)).await;
    assert_eq!(done.expect("recorded").into_inner(), tried);
}

#[tokio::test]
async fn withdrawing_an_act_restores_every_day_and_can_be_done_once() {
    let clock = Arc::new(AtomicI64::new(NOW.as_second()));
    let time = Arc::clone(&clock);
    let now = move || Timestamp::from_second(time.load(Ordering::SeqCst)).expect("an instant");
    let service = Running::start(&SERVICE, &[], now).await;
    let mut client = administrator(&service);
    let before = all_days(&mut client).await;
    client.create_calendar_act(create(order(), 1)).await.expect("recorded");
    clock.fetch_add(60, Ordering::SeqCst);

    let withdrawal = withdraw("calendarActs/order-2027", 1);
    let withdrawn = client
        .withdraw_calendar_act(withdrawal.clone())
        .await
        .expect("withdrawn");
    let expected = [
        (date(2027, 4, 24), DayKind::TransferredWorkingDay, DayKind::Weekend),
        (date(2027, 4, 30), DayKind::TransferredDayOff, DayKind::Working),
    ];
    let withdrawn = withdrawn.into_inner();
    assert_eq!(changes(&withdrawn), expected);
    assert_eq!(all_days(&mut client).await, before);
    assert!(
        !day_at(&mut client, "days/2027-04-30", Some(NOW)).await.working,
        "it stood then"
    );
    let again = client.withdraw_calendar_act(withdrawal).await.expect("replayed");
    assert_eq!(again.into_inner(), withdrawn);

    for (name, expected) in [
        ("calendarActs/order-2027", "ERROR_REASON_WRONG_STATE"),
        ("calendarActs/labour-code", "ERROR_REASON_WRONG_STATE"),
        ("calendarActs/none", "ERROR_REASON_RESOURCE_NOT_FOUND"),
        ("acts/order-2027", "ERROR_REASON_INVALID_FIELDS"),
    ] {
        let refused = client.withdraw_calendar_act(withdraw(name, 2)).await.expect_err(name);
        assert_eq!(reason(&refused), expected, "{name}");
    }
    let kinds: Vec<_> = events(&service).await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["calendar-act.created", "calendar-act.withdrawn"]);
}

#[tokio::test]
async fn an_act_ends_a_holiday_and_announces_a_day_off_under_their_names() {
    let service = running().await;
    let mut client = administrator(&service);
    let title = |en: &str| {
        Some(legalstat_proto::common::v1::LocalizedText {
            en: en.into(),
            ..Default::default()
        })
    };
    let act = CalendarAct {
        transfers: Vec::new(),
        holidays: vec![RecurringHoliday {
            key: "republic-day-10-25".into(),
            title: title("Republic Day"),
            kind: DayKind::Holiday.into(),
            month: 10,
            day: 25,
            first_year: 2022,
            last_year: 2026,
            rolls_forward: true,
            cited_act: "calendarActs/law-267-ii".into(),
            provision: "art. 5".into(),
            ..Default::default()
        }],
        days_off: vec![SingleDayOff {
            occasion: "kurban-ait".into(),
            date: date(2027, 5, 17),
            status: DayOffStatus::Announced.into(),
            title: title("First day of Kurban Ait"),
            ..Default::default()
        }],
        ..order()
    };
    assert!(day_at(&mut client, "days/2027-05-17", None).await.provisional);
    let effect = client
        .create_calendar_act(create(act.clone(), 1))
        .await
        .expect("recorded");
    let changed = changes(&effect.into_inner());
    let kurban_ait = [
        (date(2027, 5, 16), DayKind::DayOff, DayKind::Weekend),
        (date(2027, 5, 17), DayKind::Working, DayKind::DayOff),
    ];
    assert_eq!(changed[..2], kurban_ait);
    assert_eq!(changed[2], (date(2027, 10, 25), DayKind::Holiday, DayKind::Working));
    assert!(changed[2..].iter().all(|(_, old, _)| !matches!(old, DayKind::Working)));
    let announced = day_at(&mut client, "days/2027-05-17", None).await;
    assert!(!announced.provisional && !announced.working);

    let list = ListCalendarActsRequest {
        year: 2027,
        kind: CalendarActKind::Order.into(),
        ..Default::default()
    };
    let listed = client
        .list_calendar_acts(list)
        .await
        .expect("acts")
        .into_inner()
        .calendar_acts;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0].holidays, &listed[0].days_off),
        (&act.holidays, &act.days_off)
    );
}

#[tokio::test]
async fn acts_are_listed_in_pages_with_what_they_brought_and_as_they_were_known() {
    let service = running().await;
    let mut client = administrator(&service);
    client.create_calendar_act(create(order(), 1)).await.expect("recorded");
    client
        .withdraw_calendar_act(withdraw("calendarActs/order-2027", 1))
        .await
        .expect("withdrawn");
    let mut request = ListCalendarActsRequest {
        page_size: 7,
        ..Default::default()
    };
    let mut acts = Vec::new();
    loop {
        let page = client
            .list_calendar_acts(request.clone())
            .await
            .expect("a page")
            .into_inner();
        acts.extend(page.calendar_acts);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let sequences: Vec<_> = acts.iter().map(|act| act.sequence).collect();
    assert_eq!(
        sequences,
        (1..=18).collect::<Vec<_>>(),
        "the one withdrawn is not listed"
    );
    let count = async |request| {
        let answer = public(&service).list_calendar_acts(request).await.expect("acts");
        answer.into_inner().calendar_acts.len()
    };
    let all = ListCalendarActsRequest {
        show_withdrawn: true,
        ..Default::default()
    };
    assert_eq!(count(all.clone()).await, 19);
    let as_known_at = Some(prost_types::Timestamp {
        seconds: 1_717_200_000,
        nanos: 0,
    }); // 1 June 2024: before g24g0000436 and constitution-day-2026
    assert_eq!(count(ListCalendarActsRequest { as_known_at, ..all }).await, 16);
    let transfers_of_2018 = ListCalendarActsRequest {
        year: 2018,
        kind: CalendarActKind::Resolution.into(),
        ..Default::default()
    };
    assert_eq!(count(transfers_of_2018).await, 1);
    let wrong = ListCalendarActsRequest {
        year: 2037,
        kind: 9,
        ..Default::default()
    };
    let refused = client.list_calendar_acts(wrong).await.expect_err("neither exists");
    assert_eq!(fields(&refused), ["kind", "year"]);
}

#[tokio::test]
async fn an_act_that_cannot_be_read_is_refused_with_every_violation() {
    let service = running().await;
    let mut client = administrator(&service);
    let act = CalendarAct {
        name: "calendarActs/No-".into(),
        kind: 9,
        citation: " ".into(),
        uri: "ftp://x".into(),
        dated: date(2027, 2, 30),
        grade: 0,
        holidays: vec![RecurringHoliday {
            month: 2,
            day: 30,
            first_year: 2015,
            last_year: 2037,
            cited_act: "calendarActs/none".into(),
            ..Default::default()
        }],
        days_off: vec![SingleDayOff {
            date: date(2037, 1, 1),
            ..Default::default()
        }],
        transfers: vec![transfer(date(2027, 2, 29), None)],
        ..Default::default()
    };
    let refused = client
        .create_calendar_act(create(act, 1))
        .await
        .expect_err("all is wrong");
    assert_eq!(reason(&refused), "ERROR_REASON_INVALID_FIELDS");
    let mut found = fields(&refused);
    found.sort();
    let expected = [
        "calendar_act.citation",
        "calendar_act.dated",
        "calendar_act.days_off[0].date",
        "calendar_act.days_off[0].occasion",
        "calendar_act.days_off[0].status",
        "calendar_act.days_off[0].title",
        "calendar_act.grade",
        "calendar_act.holidays[0].cited_act",
        "calendar_act.holidays[0].day",
        "calendar_act.holidays[0].first_year",
        "calendar_act.holidays[0].key",
        "calendar_act.holidays[0].kind",
        "calendar_act.holidays[0].last_year",
        "calendar_act.holidays[0].title",
        "calendar_act.kind",
        "calendar_act.name",
        "calendar_act.transfers[0].day_off",
        "calendar_act.transfers[0].working_day",
        "calendar_act.uri",
    ];
    assert_eq!(found, expected);
    let empty = client.create_calendar_act(CreateCalendarActRequest::default()).await;
    assert_eq!(fields(&empty.expect_err("empty")), ["calendar_act", "request_id"]);
}

#[tokio::test]
async fn an_act_that_contradicts_is_refused_with_every_contradiction() {
    let service = running().await;
    let mut client = administrator(&service);
    let act = CalendarAct {
        transfers: vec![
            transfer(date(2027, 4, 24), date(2027, 4, 30)),
            transfer(date(2027, 4, 24), date(2027, 4, 24)),
            transfer(date(2025, 1, 5), date(2027, 4, 26)),
        ],
        ..order()
    };
    let refused = client
        .create_calendar_act(create(act, 1))
        .await
        .expect_err("it contradicts");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::InvalidArgument, "ERROR_REASON_ACT_CONTRADICTS")
    );
    let expected = [
        "calendar_act.transfers[1].working_day",
        "calendar_act.transfers[2].working_day",
    ];
    assert_eq!(fields(&refused), expected);
    assert!(day_at(&mut client, "days/2027-04-30", None).await.working);
}

#[tokio::test]
async fn only_an_administrator_records_and_withdraws() {
    let service = running().await;
    for (caller, expected) in [
        (None, "ERROR_REASON_CERTIFICATE_REQUIRED"),
        (Some("operator"), "ERROR_REASON_ROLE_MISSING"),
        (Some("form-registry"), "ERROR_REASON_ROLE_MISSING"),
    ] {
        let mut client = CalendarServiceClient::new(service.channel(caller));
        let refused = client
            .create_calendar_act(create(order(), 1))
            .await
            .expect_err("refused");
        assert_eq!(reason(&refused), expected);
        let withdrawal = withdraw("calendarActs/labour-code", 1);
        let refused = client.withdraw_calendar_act(withdrawal).await.expect_err("refused");
        assert_eq!(reason(&refused), expected);
    }
}

#[tokio::test]
async fn what_another_replica_records_is_taken_over() {
    let service = running().await;
    let mut client = public(&service);
    let mut connection = service.superuser().await;
    for statement in [
        "INSERT INTO calendar.act VALUES
             ('order-2027', 19, 'ORDER', 'Order No. 1', '', '', '', '', '', '', NULL, NULL, 'A', '2026-01-01Z', NULL, NULL, now())",
        "INSERT INTO calendar.transfer_rule
             (working_day, day_off, act, basis_act, provision, grade, known_from, known_from_assumed)
         VALUES ('2027-04-24', '2027-04-30', 'order-2027', 'order-2027', '', 'A', '2026-01-01Z', false)",
        "INSERT INTO calendar.act_withdrawal VALUES ('order-2027', '2026-11-24T09:00:00Z')",
    ] {
        let worked = statement.contains("act_withdrawal");
        sqlx::query(statement).execute(&mut connection).await.expect("inserted");
        if statement.contains("calendar.act VALUES") {
            continue;
        }
        let taken_over = async {
            while day_at(&mut client, "days/2027-04-30", None).await.working != worked {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let patience = Duration::from_secs(20);
        tokio::time::timeout(patience, taken_over).await.expect(statement);
    }
}
