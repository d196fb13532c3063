//! What the door refuses, kind by kind, and what it still answers.

use legalstat_local::testing::refusals::{pairs, violations};
use tonic::codec::CompressionEncoding;

use super::{
    acts::{administrator, create, order, transfer},
    *,
};

type Client = CalendarServiceClient<Channel>;

fn due_of(due_day: i32) -> ComputeDeadlineRequest {
    obligation("2019-M03", due_day)
}

async fn refused(client: &mut Client, request: ComputeDeadlineRequest) -> Status {
    client.compute_deadline(request).await.expect_err("refused")
}

fn range(from: Option<Date>, to: Option<Date>) -> ListDaysRequest {
    ListDaysRequest {
        from,
        to,
        ..Default::default()
    }
}

#[tokio::test]
async fn a_period_that_no_year_has_is_refused() {
    let service = running().await;
    let mut client = public(&service);
    for period in [
        "",
        "2019-M13",
        "2019-M00",
        "2019-M3",
        "2019-S3",
        "2019-S0",
        "2019-Q0",
        "2019-Q5",
        "2019-W05",
        "2019-m03",
        "19-M03",
        "2019-M03 ",
        "-2019",
        "2101-M01",
        "99999",
        "2019-Q१",
    ] {
        let refused = refused(&mut client, obligation(period, 5)).await;
        assert_eq!(reason(&refused), "ERROR_REASON_INVALID_FIELDS", "{period:?}");
        assert_eq!(fields(&refused), ["obligation.period"], "{period:?}");
    }
}

#[tokio::test]
async fn negative_and_excessive_numbers_are_refused() {
    let service = running().await;
    let mut client = public(&service);
    for due_day in [i32::MIN, -1, 0, 29, 31, i32::MAX] {
        assert_eq!(
            fields(&refused(&mut client, due_of(due_day)).await),
            ["obligation.due_day"]
        );
    }
    for page_size in [i32::MIN, -1, 1001, i32::MAX] {
        let days = ListDaysRequest {
            page_size,
            ..range(date(2019, 1, 1), date(2019, 1, 2))
        };
        let terms = ListTermsRequest {
            page_size,
            ..Default::default()
        };
        let acts = ListCalendarActsRequest {
            page_size,
            ..Default::default()
        };
        let periods = ListReportingPeriodsRequest {
            first_year: 2019,
            last_year: 2019,
            periodicity: Periodicity::Monthly.into(),
            page_size,
            ..Default::default()
        };
        for refused in [
            client.list_days(days).await.expect_err("no such size"),
            client.list_terms(terms).await.expect_err("no such size"),
            client.list_calendar_acts(acts).await.expect_err("no such size"),
            client.list_reporting_periods(periods).await.expect_err("no such size"),
        ] {
            assert_eq!(fields(&refused), ["page_size"]);
        }
    }
    let mut operator = CalendarServiceClient::new(service.channel(Some("operator")));
    let batch = BatchComputeDeadlinesRequest {
        requests: vec![due_of(5); 1001],
        ..Default::default()
    };
    let refused = operator
        .batch_compute_deadlines(batch)
        .await
        .expect_err("no such number");
    assert_eq!(fields(&refused), ["requests"]);
}

#[tokio::test]
async fn ranges_that_are_reversed_or_over_twenty_years_are_refused() {
    let service = running().await;
    let mut client = public(&service);
    let twenty_years = range(date(2016, 1, 1), date(2035, 12, 31));
    assert!(client.list_days(twenty_years).await.is_ok());
    for (from, to) in [
        (date(2016, 1, 1), date(2036, 1, 1)),
        (date(2019, 1, 2), date(2019, 1, 1)),
        (date(1, 1, 1), date(9999, 12, 31)),
    ] {
        let refused = client.list_days(range(from, to)).await.expect_err("no such range");
        assert_eq!(fields(&refused), ["to"]);
    }
    let nothing = client
        .list_days(ListDaysRequest::default())
        .await
        .expect_err("no range");
    assert_eq!(fields(&nothing), ["from", "to"]);
}

#[tokio::test]
async fn years_outside_2016_to_2036_are_refused_and_those_from_2028_are_provisional() {
    let service = running().await;
    let mut client = public(&service);
    let out_of_range = "ERROR_REASON_YEAR_OUT_OF_RANGE";
    for request in [
        obligation("2015-M11", 5),
        obligation("1900-M01", 5),
        obligation("2036-M12", 5),
        obligation("2100", 5),
        term(Rule::RequesterKind(1), "2015-12-31T23:59:59+06:00"),
        term(Rule::RequesterKind(1), "0001-01-01T00:00:00Z"),
        term(Rule::RequesterKind(1), "2036-12-15T10:00:00+05:00"),
        term(Rule::RequesterKind(1), "2037-01-01T10:00:00+05:00"),
    ] {
        assert_eq!(reason(&refused(&mut client, request).await), out_of_range);
    }
    for range in [
        range(date(2015, 12, 31), date(2016, 1, 1)),
        range(date(2036, 12, 31), date(2037, 1, 1)),
    ] {
        assert_eq!(
            reason(&client.list_days(range).await.expect_err("outside")),
            out_of_range
        );
    }
    for (first_year, last_year) in [(2015, 2016), (2036, 2037), (-1, 1)] {
        let periods = ListReportingPeriodsRequest {
            first_year,
            last_year,
            periodicity: Periodicity::Quarterly.into(),
            ..Default::default()
        };
        let refused = client.list_reporting_periods(periods).await.expect_err("outside");
        assert_eq!(reason(&refused), out_of_range);
    }
    for year in [i32::MIN, -1, 2015, 2037] {
        let acts = ListCalendarActsRequest {
            year,
            ..Default::default()
        };
        let refused = client.list_calendar_acts(acts).await.expect_err("outside");
        assert_eq!(fields(&refused), ["year"]);
    }
    for year in 2028..=2036 {
        let duty = client.compute_deadline(obligation(&format!("{year}-M03"), 5)).await;
        assert!(duty.expect("a deadline").into_inner().provisional, "{year}");
        let asked = client.compute_deadline(term(Rule::RequesterKind(3), &format!("{year}-03-01T05:00:00Z")));
        assert!(asked.await.expect("a deadline").into_inner().provisional, "{year}");
    }
    let known = client.compute_deadline(obligation("2026-M03", 5)).await;
    assert!(!known.expect("a deadline").into_inner().provisional);
}

#[tokio::test]
async fn an_act_that_contradicts_itself_or_another_one_is_refused_at_the_rule_that_does() {
    let service = running().await;
    let mut client = administrator(&service);
    let (saturday, friday) = (date(2027, 4, 24), date(2027, 4, 30));
    let title = Some(legalstat_proto::common::v1::LocalizedText {
        en: "A day off".into(),
        ..Default::default()
    });
    let day_off = SingleDayOff {
        occasion: "occasion".into(),
        date: saturday,
        status: DayOffStatus::Announced.into(),
        title,
        ..Default::default()
    };
    let both = CalendarAct {
        days_off: vec![day_off],
        ..order()
    };
    let swapped = CalendarAct {
        transfers: vec![transfer(saturday, friday), transfer(friday, date(2027, 4, 29))],
        ..order()
    };
    let moved_before = CalendarAct {
        transfers: vec![
            transfer(date(2024, 5, 4), date(2027, 4, 29)),
            transfer(saturday, date(2024, 5, 8)),
        ],
        ..order()
    };
    for (act, expected) in [
        (both, vec!["transfers[0].working_day"]),
        (swapped, vec!["transfers[1].working_day"]),
        (moved_before, vec!["transfers[0].working_day", "transfers[1].day_off"]),
    ] {
        let recorded = client.create_calendar_act(create(act.clone(), 1)).await;
        let recorded = recorded.expect_err("it contradicts");
        assert_eq!(reason(&recorded), "ERROR_REASON_ACT_CONTRADICTS");
        let at = |field: &str| -> Vec<_> { expected.iter().map(|place| format!("{field}.{place}")).collect() };
        assert_eq!(fields(&recorded), at("calendar_act"));
        let supposed = ComputeDeadlineRequest {
            hypothetical_act: Some(act),
            ..due_of(5)
        };
        let supposed = refused(&mut client, supposed).await;
        assert_eq!(reason(&supposed), "ERROR_REASON_ACT_CONTRADICTS");
        assert_eq!(fields(&supposed), at("hypothetical_act"));
    }
}

#[tokio::test]
async fn an_act_with_fields_of_the_service_or_names_that_mislead_is_refused_with_each_of_them() {
    let service = running().await;
    let mut client = administrator(&service);
    let mut act = CalendarAct {
        sequence: 7,
        known_from: Some(Default::default()),
        recorded_at: Some(Default::default()),
        withdrawn_at: Some(Default::default()),
        ..order()
    };
    act.citation = "\u{200b}".into();
    act.number = "1\u{202e}2".into();
    let refused = client.create_calendar_act(create(act, 1)).await;
    let expected = [
        ("calendar_act.citation", "REQUIRED"),
        ("calendar_act.number", "DIRECTION"),
        ("calendar_act.known_from", "SET_BY_SERVICE"),
        ("calendar_act.recorded_at", "SET_BY_SERVICE"),
        ("calendar_act.withdrawn_at", "SET_BY_SERVICE"),
        ("calendar_act.sequence", "SET_BY_SERVICE"),
    ];
    assert_eq!(violations(refused), pairs(&expected));
}

#[tokio::test]
async fn a_stranger_sends_no_message_that_takes_a_hundred_times_its_bytes_to_read() {
    let service = running().await;
    let start = TermStart {
        suspensions: vec![Suspension::default(); 200_000],
        ..TermStart::default()
    };
    let message = ComputeDeadlineRequest {
        subject: Some(Subject::TermStart(start)),
        ..Default::default()
    };
    let refused = public(&service)
        .compute_deadline(message.clone())
        .await
        .expect_err("it is too large");
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(reason(&refused), "ERROR_REASON_MESSAGE_TOO_LARGE");
    let header = |name| refused.metadata().get(name).and_then(|value| value.to_str().ok());
    assert_eq!(
        header("grpc-retry-pushback-ms"),
        Some("-1"),
        "it would be too large again"
    );
    assert_eq!(header("legalstat-version"), Some(env!("CARGO_PKG_VERSION")));
    assert!(header("legalstat-revision").is_some_and(|revision| !revision.is_empty()));
    // Compressed, a few hundred bytes would be enough.
    let refused = public(&service)
        .send_compressed(CompressionEncoding::Gzip)
        .compute_deadline(message)
        .await
        .expect_err("it is not inflated");
    assert_eq!(refused.code(), Code::Unimplemented);
    assert_eq!(reason(&refused), "ERROR_REASON_COMPRESSION_UNKNOWN");
    let read = refused.metadata().get("grpc-accept-encoding");
    assert_eq!(read.and_then(|read| read.to_str().ok()), Some("identity"));
}
