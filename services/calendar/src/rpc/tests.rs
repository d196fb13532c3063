mod acts;
mod bad_input;
mod clock;
mod hypothetical;
mod watch;

use jiff::Timestamp;
use legalstat_local::testing::harness::Running;
use legalstat_proto::{
    calendar::v1::{
        calendar_service_client::CalendarServiceClient, compute_deadline_request::Subject, term_start::Rule, *,
    },
    common::v1::Date,
    journal::v1::{ListEntriesRequest, journal_service_client::JournalServiceClient},
};
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt;

use crate::{SERVICE, domain::embedded_rules};

/// 24 November 2026, 10:00 UTC.
const NOW: Timestamp = Timestamp::constant(1_795_514_400, 0);

async fn running() -> Running {
    Running::start(&SERVICE, &[], || NOW).await
}

fn public(service: &Running) -> CalendarServiceClient<Channel> {
    CalendarServiceClient::new(service.channel(None))
}

fn date(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

fn obligation(period: &str, due_day: i32) -> ComputeDeadlineRequest {
    let obligation = Obligation {
        period: period.into(),
        due_day,
        roll_forward: true,
        ..Default::default()
    };
    ComputeDeadlineRequest {
        subject: Some(Subject::Obligation(obligation)),
        ..Default::default()
    }
}

fn term(rule: Rule, received_at: &str) -> ComputeDeadlineRequest {
    let received_at = received_at.parse::<Timestamp>().expect("an instant");
    let start = TermStart {
        rule: Some(rule),
        received_at: Some(legalstat_kit::door::wire::to_timestamp(received_at)),
        ..TermStart::default()
    };
    ComputeDeadlineRequest {
        subject: Some(Subject::TermStart(start)),
        ..Default::default()
    }
}

fn reason(status: &Status) -> String {
    status
        .get_error_details()
        .error_info()
        .expect("every refusal has one")
        .reason
        .clone()
}

fn fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details
        .bad_request()
        .map(|bad| bad.field_violations.clone())
        .unwrap_or_default();
    violations.into_iter().map(|violation| violation.field).collect()
}

#[tokio::test]
async fn a_day_is_answered_with_its_reasons_and_as_it_was_known() {
    let service = running().await;
    let mut client = public(&service);
    let day = client
        .get_day(GetDayRequest {
            name: "days/2025-01-05".into(),
            as_known_at: None,
            languages: Vec::new(),
        })
        .await
        .expect("a day")
        .into_inner();
    assert!(day.working);
    assert_eq!(day.kind(), DayKind::TransferredWorkingDay);
    let basis = day
        .reasons
        .last()
        .and_then(|reason| reason.legal_basis.clone())
        .expect("a law");
    assert_eq!(basis.uri, "https://adilet.zan.kz/rus/docs/G24G0000436");

    let as_known_at = Some(prost_types::Timestamp {
        seconds: 1_717_200_000,
        nanos: 0,
    }); // 1 June 2024
    let request = GetDayRequest {
        name: "days/2024-06-17".into(),
        as_known_at,
        languages: Vec::new(),
    };
    assert_eq!(
        client.get_day(request).await.expect("a day").into_inner().kind(),
        DayKind::DayOff
    );
}

#[tokio::test]
async fn a_range_of_days_comes_in_pages_without_gap_or_repetition() {
    let service = running().await;
    let mut client = public(&service);
    let mut request = ListDaysRequest {
        from: date(2019, 1, 1),
        to: date(2019, 12, 31),
        page_size: 100,
        ..Default::default()
    };
    let mut names = Vec::new();
    loop {
        let page = client.list_days(request.clone()).await.expect("a page").into_inner();
        names.extend(page.days.into_iter().map(|day| day.name));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(names.len(), 365);
    assert_eq!(
        (names[0].as_str(), names[364].as_str()),
        ("days/2019-01-01", "days/2019-12-31")
    );
    assert!(names.is_sorted());
}

#[tokio::test]
async fn deadlines_of_obligations_and_terms_explain_themselves() {
    let service = running().await;
    let mut client = public(&service);
    let due = client
        .compute_deadline(obligation("2019-Q2", 14))
        .await
        .expect("a deadline")
        .into_inner();
    assert_eq!(due.due_date, date(2019, 7, 15));
    assert_eq!(due.steps.last().map(Step::effect), Some(StepEffect::Due));
    assert!(due.steps.iter().all(|step| step.legal_basis.is_some()));

    let named = term(Rule::Term("terms/application-2021".into()), "2025-03-14T10:00:00+05:00");
    let due = client.compute_deadline(named).await.expect("a deadline").into_inner();
    assert_eq!(
        (due.due_date, due.term.as_str()),
        (date(2025, 4, 9), "terms/application-2021")
    );

    for (kind, expected) in [
        (RequesterKind::StateBody, "terms/state-body"),
        (RequesterKind::ProsecutorBody, "terms/state-body"),
        (RequesterKind::Individual, "terms/application-2026"),
        (RequesterKind::LegalEntity, "terms/application-2026"),
    ] {
        let chosen = term(Rule::RequesterKind(kind.into()), "2026-02-02T10:00:00+05:00");
        assert_eq!(
            client
                .compute_deadline(chosen)
                .await
                .expect("a deadline")
                .into_inner()
                .term,
            expected
        );
    }
}

#[tokio::test]
async fn a_batch_answers_in_order_and_only_to_those_who_may_ask() {
    let service = running().await;
    let requests = vec![obligation("2019-M03", 5), obligation("2024-M12", 5)];
    let request = BatchComputeDeadlinesRequest {
        requests,
        ..Default::default()
    };
    let refused = public(&service)
        .batch_compute_deadlines(request.clone())
        .await
        .expect_err("no certificate");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Unauthenticated, "ERROR_REASON_CERTIFICATE_REQUIRED")
    );

    let mut client = CalendarServiceClient::new(service.channel(Some("form-registry")));
    let deadlines = client
        .batch_compute_deadlines(request)
        .await
        .expect("deadlines")
        .into_inner()
        .deadlines;
    let due: Vec<_> = deadlines.iter().map(|deadline| deadline.due_date).collect();
    assert_eq!(due, [date(2019, 4, 5), date(2025, 1, 5)]);
    assert!(deadlines.iter().all(|deadline| deadline.steps.is_empty()));
}

#[tokio::test]
async fn bad_input_is_refused_with_every_violation() {
    let service = running().await;
    let mut client = CalendarServiceClient::new(service.channel(Some("operator")));
    let refused = client
        .compute_deadline(obligation("2019-Q5", 31))
        .await
        .expect_err("neither exists");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(fields(&refused), ["obligation.period", "obligation.due_day"]);

    let requests = vec![
        obligation("2019-M03", 5),
        obligation("2019-Q9", 5),
        ComputeDeadlineRequest::default(),
    ];
    let batch = BatchComputeDeadlinesRequest {
        requests,
        ..Default::default()
    };
    let refused = client.batch_compute_deadlines(batch).await.expect_err("two are wrong");
    assert_eq!(
        fields(&refused),
        ["requests[1].obligation.period", "requests[2].subject"]
    );

    let beyond = obligation("2036-M12", 5);
    let batch = BatchComputeDeadlinesRequest {
        requests: vec![beyond.clone(), obligation("2019-M03", 5), beyond],
        ..Default::default()
    };
    let refused = client.batch_compute_deadlines(batch).await.expect_err("two are beyond");
    let details = refused.get_error_details();
    let metadata = &details.error_info().expect("every refusal has one").metadata;
    assert_eq!(metadata["requests"], "requests[0],requests[2]");

    let range = ListDaysRequest {
        from: date(2019, 2, 30),
        to: date(2018, 1, 1),
        page_size: -1,
        ..Default::default()
    };
    assert_eq!(
        fields(&client.list_days(range).await.expect_err("three are wrong")),
        ["from", "page_size"]
    );
    let range = ListDaysRequest {
        from: date(2016, 1, 1),
        to: date(2036, 1, 1),
        ..Default::default()
    };
    assert_eq!(
        fields(&client.list_days(range).await.expect_err("over 20 years")),
        ["to"]
    );

    for (request, expected) in [
        (obligation("2036-M12", 5), "ERROR_REASON_YEAR_OUT_OF_RANGE"),
        (
            term(Rule::Term("terms/none".into()), "2025-03-14T10:00:00Z"),
            "ERROR_REASON_RESOURCE_NOT_FOUND",
        ),
        (
            term(Rule::Term("terms/application-2021".into()), "2026-03-14T10:00:00Z"),
            "ERROR_REASON_NO_TERM_APPLIES",
        ),
        (
            term(Rule::RequesterKind(1), "2015-12-31T10:00:00Z"),
            "ERROR_REASON_YEAR_OUT_OF_RANGE",
        ),
        (
            term(Rule::RequesterKind(77), "2025-12-31T10:00:00Z"),
            "ERROR_REASON_INVALID_FIELDS",
        ),
    ] {
        assert_eq!(
            reason(&client.compute_deadline(request).await.expect_err(expected)),
            expected
        );
    }
    let name = "days/2019-02-30".to_owned();
    assert_eq!(
        fields(
            &client
                .get_day(GetDayRequest {
                    name,
                    as_known_at: None,
                    languages: Vec::new(),
                })
                .await
                .expect_err("no such day")
        ),
        ["name"]
    );
}

#[tokio::test]
async fn reporting_periods_come_in_order_with_their_days() {
    let service = running().await;
    let mut client = public(&service);
    let ask = |first_year, last_year, periodicity: Periodicity| ListReportingPeriodsRequest {
        first_year,
        last_year,
        periodicity: periodicity.into(),
        ..Default::default()
    };
    for (periodicity, count, first) in [
        (Periodicity::Monthly, 24, ["2019-M01", "2019-M02"]),
        (Periodicity::Quarterly, 8, ["2019-Q1", "2019-Q2"]),
        (Periodicity::HalfYearAndYear, 4, ["2019-S1", "2019"]),
    ] {
        let answer = client.list_reporting_periods(ask(2019, 2020, periodicity)).await;
        let periods = answer.expect("periods").into_inner().reporting_periods;
        assert_eq!(periods.len(), count);
        assert_eq!([periods[0].period.as_str(), periods[1].period.as_str()], first);
        assert!(periods.iter().all(|period| period.first_day.is_some()));
    }
    let mut request = ListReportingPeriodsRequest {
        page_size: 3,
        ..ask(2026, 2026, Periodicity::Quarterly)
    };
    let page = client.list_reporting_periods(request.clone()).await.expect("a page");
    request.page_token = page.into_inner().next_page_token;
    let page = client
        .list_reporting_periods(request)
        .await
        .expect("a page")
        .into_inner();
    let last = &page.reporting_periods[0];
    assert_eq!((last.period.as_str(), last.last_day), ("2026-Q4", date(2026, 12, 31)));
    assert!(page.reporting_periods.len() == 1 && page.next_page_token.is_empty());

    for (request, expected) in [
        (
            ListReportingPeriodsRequest::default(),
            vec!["first_year", "last_year", "periodicity"],
        ),
        (ask(2020, 2019, Periodicity::Monthly), vec!["last_year"]),
        (ask(2016, 2036, Periodicity::Monthly), vec!["last_year"]),
        (ask(i32::MIN, i32::MAX, Periodicity::Monthly), vec!["last_year"]),
    ] {
        let refused = client.list_reporting_periods(request).await.expect_err("wrong");
        assert_eq!(fields(&refused), expected);
    }
    let beyond = client
        .list_reporting_periods(ask(2030, 2037, Periodicity::Monthly))
        .await;
    assert_eq!(
        reason(&beyond.expect_err("no such year")),
        "ERROR_REASON_YEAR_OUT_OF_RANGE"
    );
}

#[tokio::test]
async fn what_is_read_back_is_what_was_loaded() {
    let service = running().await;
    let mut connection = service.runtime().await;
    let mut stored = crate::db::rule_set::all(&mut connection).await.expect("rules");
    for act in &mut stored.acts {
        assert_eq!(act.recorded_at.take(), Some(NOW));
    }
    let mut released = embedded_rules().expect("the registers");
    assert_eq!(stored, released);
    assert_eq!(crate::db::reference::edited(&released, &stored), Vec::<String>::new());
    released.holidays[0].rolls_forward ^= true;
    released.acts[0].citation += ", amended";
    let edited = crate::db::reference::edited(&released, &stored);
    let (act, holiday) = (&released.acts[0].id, &released.holidays[0].key);
    assert_eq!(edited.len(), 2, "{edited:?}");
    assert_eq!(edited[0], format!("act {act}"));
    assert!(edited[1].starts_with(&format!("holiday {holiday} of ")), "{edited:?}");
}

#[tokio::test]
async fn the_last_instant_of_the_contract_is_an_instant() {
    let service = running().await;
    let last = prost_types::Timestamp {
        seconds: 253_402_300_799,
        nanos: 0,
    };
    let day = GetDayRequest {
        name: "days/2027-04-30".into(),
        as_known_at: Some(last),
        languages: Vec::new(),
    };
    public(&service).get_day(day).await.expect("it is known then");
    let mut auditor = JournalServiceClient::new(service.channel(Some("auditor")));
    let until_then = ListEntriesRequest {
        recorded_before: Some(last),
        ..Default::default()
    };
    auditor.list_entries(until_then).await.expect("it lists");
}

#[tokio::test]
async fn a_period_is_read_in_each_notation_of_sdmx_and_written_back_in_one() {
    let service = running().await;
    let mut due = Vec::new();
    for period in ["2019", "2019-A1", "2019-M12", "2019-12"] {
        let deadline = public(&service).compute_deadline(obligation(period, 14)).await;
        due.push(deadline.expect(period).into_inner());
    }
    assert_eq!(due[0], due[1]);
    assert_eq!(due[2], due[3]);
}

#[tokio::test]
async fn the_runtime_role_can_neither_change_the_journal_nor_see_another_schema() {
    let service = running().await;
    for attempt in [
        "UPDATE journal_entry SET caller = 'x'",
        "DELETE FROM journal_entry",
        "TRUNCATE journal_entry",
        "UPDATE calendar.holiday_rule SET rolls_forward = false",
        "DELETE FROM calendar.act",
        "CREATE TABLE calendar.mine (n int)",
        "CREATE TABLE public.mine (n int)",
        "SELECT * FROM forms.journal_entry",
    ] {
        let mut connection = service.runtime().await;
        assert!(
            sqlx::query(attempt).execute(&mut connection).await.is_err(),
            "{attempt}"
        );
    }
}

#[tokio::test]
async fn a_refused_caller_is_in_the_journal_and_only_some_may_read_it() {
    let service = running().await;
    let mut operator = JournalServiceClient::new(service.channel(Some("operator")));
    let refused = operator
        .list_entries(ListEntriesRequest::default())
        .await
        .expect_err("not an administrator");
    assert_eq!(reason(&refused), "ERROR_REASON_ROLE_MISSING");

    let mut administrator = JournalServiceClient::new(service.channel(Some("administrator")));
    let entries = administrator
        .list_entries(ListEntriesRequest::default())
        .await
        .expect("entries")
        .into_inner()
        .entries;
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0].caller.as_str(), entries[0].reason.as_str()),
        ("operator", "ERROR_REASON_ROLE_MISSING")
    );
}

#[tokio::test]
async fn a_call_past_its_deadline_is_told_so() {
    let service = running().await;
    let mut request = tonic::Request::new(obligation("2019-Q2", 14));
    request.set_timeout(std::time::Duration::from_nanos(1));
    let refused = public(&service)
        .compute_deadline(request)
        .await
        .expect_err("no time was given");
    assert!(
        matches!(refused.code(), Code::DeadlineExceeded | Code::Cancelled),
        "{refused:?}"
    );
}
