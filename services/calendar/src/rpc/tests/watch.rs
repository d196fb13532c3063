//! The change feed.

use std::time::Duration;

use tonic::Streaming;

use super::{
    acts::{administrator, create, order, transfer, withdraw},
    *,
};

/// How long something that must come is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

async fn watch(service: &Running, resume_token: &str) -> Streaming<CalendarChange> {
    let mut client = CalendarServiceClient::new(service.channel(Some("form-registry")));
    let request = WatchCalendarRequest {
        resume_token: resume_token.into(),
        ..WatchCalendarRequest::default()
    };
    client
        .watch_calendar(request)
        .await
        .expect("it is watched")
        .into_inner()
}

async fn next(changes: &mut Streaming<CalendarChange>) -> CalendarChange {
    let change = tokio::time::timeout(PATIENCE, changes.message()).await;
    change
        .expect("it comes")
        .expect("no failure")
        .expect("the feed goes on")
}

fn named(change: &CalendarChange) -> (CalendarChangeKind, &str) {
    let act = change.effect.as_ref().and_then(|effect| effect.calendar_act.as_ref());
    (change.kind(), act.map(|act| act.name.as_str()).unwrap_or_default())
}

fn second_order() -> CalendarAct {
    CalendarAct {
        name: "calendarActs/order-2028".into(),
        transfers: vec![transfer(date(2028, 4, 22), date(2028, 4, 28))],
        ..order()
    }
}

#[tokio::test]
async fn a_change_is_told_in_the_languages_asked_for() {
    let service = running().await;
    let mut client = administrator(&service);
    let text = |kk: &str, ru: &str| {
        Some(legalstat_proto::common::v1::LocalizedText {
            kk: kk.into(),
            ru: ru.into(),
            en: String::new(),
        })
    };
    let titled = CalendarAct {
        title: text("Демалысты ауыстыру", "О переносе"),
        ..order()
    };
    let recorded = client.create_calendar_act(create(titled, 1)).await;
    let recorded = recorded.expect("recorded").into_inner();
    assert_eq!(
        recorded.calendar_act.and_then(|act| act.title),
        text("Демалысты ауыстыру", "О переносе")
    );
    let request = WatchCalendarRequest {
        languages: vec!["ru".into()],
        ..WatchCalendarRequest::default()
    };
    let mut changes = client
        .watch_calendar(request)
        .await
        .expect("it is watched")
        .into_inner();
    let effect = next(&mut changes).await.effect.expect("an act was recorded");
    assert_eq!(effect.calendar_act.and_then(|act| act.title), text("", "О переносе"));
}

#[tokio::test]
async fn every_change_is_told_once_in_order_and_a_watcher_can_leave_and_come_back() {
    let service = running().await;
    let mut client = administrator(&service);
    let mut changes = watch(&service, "").await;
    let effect = client
        .create_calendar_act(create(order(), 1))
        .await
        .expect("recorded")
        .into_inner();
    let first = next(&mut changes).await;
    assert_eq!(
        named(&first),
        (CalendarChangeKind::ActRecorded, "calendarActs/order-2027")
    );
    assert_eq!(
        first.effect.as_ref(),
        Some(&effect),
        "it tells what the administrator was told"
    );
    drop(changes);

    client
        .create_calendar_act(create(second_order(), 2))
        .await
        .expect("recorded");
    let withdrawal = withdraw("calendarActs/order-2027", 3);
    client.withdraw_calendar_act(withdrawal).await.expect("withdrawn");
    let mut changes = watch(&service, &first.resume_token).await;
    let (second, third) = (next(&mut changes).await, next(&mut changes).await);
    assert_eq!(
        named(&second),
        (CalendarChangeKind::ActRecorded, "calendarActs/order-2028")
    );
    assert_eq!(
        named(&third),
        (CalendarChangeKind::ActWithdrawn, "calendarActs/order-2027")
    );
    assert_eq!(third.effect.expect("it has one").changed_days.len(), 2);

    let mut from_the_beginning = watch(&service, "").await;
    assert_eq!(next(&mut from_the_beginning).await.resume_token, first.resume_token);
}

#[tokio::test]
async fn a_change_is_answered_with_at_its_own_instant_and_the_version_is_the_one_told() {
    let service = running().await;
    let mut client = administrator(&service);
    for (number, act) in (1..).zip([order(), second_order()]) {
        client.create_calendar_act(create(act, number)).await.expect("recorded");
    }
    let mut changes = watch(&service, "").await;
    let mut versions = Vec::new();
    for moved in ["days/2027-04-30", "days/2028-04-28"] {
        let change = next(&mut changes).await;
        let request = GetDayRequest {
            name: moved.into(),
            as_known_at: change.known_from,
            languages: Vec::new(),
        };
        let day = client.get_day(request).await.expect("a day").into_inner();
        assert!(!day.working, "{moved} is off from then on");
        assert_eq!(
            day.calendar_version,
            change.effect.expect("it has one").calendar_version
        );
        versions.push(legalstat_kit::due::Version(&day.calendar_version).known_since());
    }
    assert!(versions.is_sorted() && versions[0] < versions[1], "{versions:?}");
}

#[tokio::test]
async fn acts_recorded_at_the_same_time_are_told_in_the_order_in_which_they_became_known() {
    let service = running().await;
    let recordings = (1..=8).map(|number| {
        let mut client = administrator(&service);
        let year = 2027 + i16::from(number);
        let saturdays = (1..=7).map(|day| jiff::civil::date(year, 8, day));
        let saturday = saturdays
            .into_iter()
            .find(|day| day.weekday() == jiff::civil::Weekday::Saturday);
        let saturday = i32::from(saturday.expect("every week has one").day());
        let act = CalendarAct {
            name: format!("calendarActs/order-{number}"),
            transfers: vec![transfer(
                date(year.into(), 8, saturday),
                date(year.into(), 8, saturday + 2),
            )],
            ..order()
        };
        async move { client.create_calendar_act(create(act, number)).await.expect("recorded") }
    });
    futures::future::join_all(recordings).await;
    let mut changes = watch(&service, "").await;
    let mut known_from = Vec::new();
    for _ in 1..=8 {
        let change = next(&mut changes).await;
        let changed = change.effect.expect("it has one").changed_days;
        assert_eq!(changed.len(), 2, "just what this act changes");
        let known = change.known_from.expect("it is set");
        known_from.push((known.seconds, known.nanos));
    }
    assert!(known_from.windows(2).all(|pair| pair[0] < pair[1]), "{known_from:?}");
}

#[tokio::test]
async fn a_feed_ends_when_the_service_stops_and_an_unknown_token_is_refused() {
    let service = running().await;
    let mut client = CalendarServiceClient::new(service.channel(Some("operator")));
    let request = WatchCalendarRequest {
        resume_token: "yesterday".into(),
        ..WatchCalendarRequest::default()
    };
    let refused = client.watch_calendar(request).await.expect_err("no such token");
    assert_eq!(fields(&refused), ["resume_token"]);
    assert_eq!(
        public(&service)
            .watch_calendar(WatchCalendarRequest::default())
            .await
            .expect_err("not for the public")
            .code(),
        Code::Unauthenticated
    );
    let mut changes = watch(&service, "").await;
    tokio::time::timeout(PATIENCE, service.stop())
        .await
        .expect("a watcher keeps nobody from stopping");
    let ended = tokio::time::timeout(PATIENCE, changes.message())
        .await
        .expect("it ends");
    let ended = ended.expect_err("the service has stopped");
    assert_eq!(
        (ended.code(), reason(&ended)),
        (Code::Unavailable, "ERROR_REASON_SERVICE_STOPPING".into())
    );
    let retry = ended
        .get_error_details()
        .retry_info()
        .and_then(|retry| retry.retry_delay);
    assert!(retry.is_some(), "{ended:?}");
    // The same for libraries, which try again by themselves.
    let pushback = ended.metadata().get("grpc-retry-pushback-ms");
    assert_eq!(pushback.and_then(|pushback| pushback.to_str().ok()), Some("1000"));
}

#[tokio::test]
async fn who_asks_for_heartbeats_hears_when_everything_is_told_and_nobody_else_hears_them() {
    let settings = [("LEGALSTAT_HEARTBEAT_SECONDS", "1".to_owned())];
    let service = Running::start(&SERVICE, &settings, || NOW).await;
    let mut plain = watch(&service, "").await;
    let mut client = CalendarServiceClient::new(service.channel(Some("form-registry")));
    let request = WatchCalendarRequest {
        heartbeats: true,
        ..WatchCalendarRequest::default()
    };
    let mut changes = client
        .watch_calendar(request)
        .await
        .expect("it is watched")
        .into_inner();
    for _ in 0..3 {
        let heartbeat = next(&mut changes).await;
        assert_eq!(named(&heartbeat), (CalendarChangeKind::Unspecified, ""));
        assert!(
            heartbeat.caught_up && heartbeat.resume_token.is_empty(),
            "{heartbeat:?}"
        );
    }
    let mut administrator = administrator(&service);
    administrator
        .create_calendar_act(create(order(), 1))
        .await
        .expect("recorded");
    // Three seconds of silence lie behind it: it is the first that this one hears.
    let first = next(&mut plain).await;
    assert_eq!(first.kind(), CalendarChangeKind::ActRecorded);
    let told = loop {
        let message = next(&mut changes).await;
        if message.kind() != CalendarChangeKind::Unspecified {
            break message;
        }
    };
    assert_eq!(told, first);
    let heartbeat = next(&mut changes).await;
    assert!(
        heartbeat.caught_up && heartbeat.resume_token == first.resume_token,
        "{heartbeat:?}"
    );
}

#[tokio::test]
async fn another_replica_tells_the_same_changes_under_the_same_tokens() {
    let service = running().await;
    let replica = service.replica(&SERVICE, &[], || NOW).await;
    let (mut here, mut there) = (watch(&service, "").await, watch(&replica, "").await);
    let mut client = administrator(&service);
    client.create_calendar_act(create(order(), 1)).await.expect("recorded");
    let mut client = administrator(&replica);
    client
        .create_calendar_act(create(second_order(), 2))
        .await
        .expect("recorded");
    for act in ["calendarActs/order-2027", "calendarActs/order-2028"] {
        let change = next(&mut here).await;
        assert_eq!(named(&change), (CalendarChangeKind::ActRecorded, act));
        assert_eq!(next(&mut there).await, change);
    }
}

#[tokio::test]
async fn recording_the_same_act_again_changes_nothing_and_another_act_under_its_name_is_refused() {
    let service = running().await;
    let mut client = administrator(&service);
    let first = client
        .create_calendar_act(create(order(), 1))
        .await
        .expect("recorded")
        .into_inner();
    let again = client
        .create_calendar_act(create(order(), 2))
        .await
        .expect("answered")
        .into_inner();
    assert_eq!(again.calendar_act, first.calendar_act);
    assert_eq!(again.calendar_version, first.calendar_version);
    assert!(again.changed_days.is_empty());
    let events: Vec<String> = sqlx::query_scalar("SELECT kind FROM calendar.outbox_event ORDER BY number")
        .fetch_all(&mut service.superuser().await)
        .await
        .expect("events");
    assert_eq!(events, ["calendar-act.created", "calendar-act.repeated"]);
    let acts = "SELECT count(*) FROM calendar.act WHERE id = 'order-2027'";
    let acts: i64 = sqlx::query_scalar(acts)
        .fetch_one(&mut service.superuser().await)
        .await
        .expect("a count");
    assert_eq!(acts, 1);

    let mut other = order();
    other.transfers.push(transfer(date(2027, 5, 15), date(2027, 5, 14)));
    let refused = client
        .create_calendar_act(create(other, 3))
        .await
        .expect_err("another act");
    assert_eq!(reason(&refused), "ERROR_REASON_ALREADY_EXISTS");
    client
        .withdraw_calendar_act(withdraw("calendarActs/order-2027", 4))
        .await
        .expect("withdrawn");
    let refused = client
        .create_calendar_act(create(order(), 5))
        .await
        .expect_err("it is withdrawn");
    assert_eq!(reason(&refused), "ERROR_REASON_ALREADY_EXISTS");
    let replayed = client.create_calendar_act(create(order(), 2)).await.expect("replayed");
    assert_eq!(replayed.into_inner(), again, "the same call has the same answer");
}

#[tokio::test]
async fn registers_that_a_new_release_brings_are_told_and_loading_them_again_is_not() {
    let service = running().await;
    let mut registers = embedded_rules().expect("the registers");
    let context = service.context(|| NOW);
    let load = async |registers: &crate::domain::RuleSet| {
        let loaded = crate::db::reference::load(&context, registers).await;
        loaded.expect("loaded");
    };
    load(&registers).await;
    let mut announced = registers.days_off.last().cloned().expect("Kurban Ait of 2027");
    announced.status = crate::domain::DayOffStatus::Announced;
    announced.source.known.from = Some("2026-11-01T00:00:00Z".parse().expect("an instant"));
    registers.days_off.push(announced);
    load(&registers).await;
    load(&registers).await;

    let mut changes = watch(&service, "").await;
    let change = next(&mut changes).await;
    assert_eq!(named(&change), (CalendarChangeKind::RegistersLoaded, ""));
    let version = change.effect.expect("it has one").calendar_version;
    assert_eq!(
        legalstat_kit::due::Version(&version)
            .known_since()
            .map(legalstat_kit::door::wire::to_timestamp),
        change.known_from
    );
    let request = GetDayRequest {
        name: "days/2027-05-17".into(),
        as_known_at: change.known_from,
        languages: Vec::new(),
    };
    let day = public(&service).get_day(request).await.expect("a day").into_inner();
    assert_eq!((day.provisional, day.calendar_version), (false, version));
    let events = "SELECT count(*) FROM calendar.outbox_event";
    let events: i64 = sqlx::query_scalar(events)
        .fetch_one(&mut service.superuser().await)
        .await
        .expect("a count");
    assert_eq!(events, 1);
}
