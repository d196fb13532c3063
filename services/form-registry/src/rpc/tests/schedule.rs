//! Forms, the schedule, and reading editions.

use std::time::Instant;

use legalstat_kit::due::{Schedule, calendar::Calendar};
use legalstat_proto::{
    calendar::v1::StepEffect,
    common::v1::Date,
    forms::v1::{
        EditionState, EditionView, GetEditionRequest, GetFormRequest, ListEditionsRequest, ListFormsRequest,
        ListScheduleRequest, Periodicity, Punctuality, ScheduleItem,
    },
};

use super::*;

const NOW: &str = "2026-11-24T05:00:00Z";

fn day(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

async fn get(client: &mut Client, name: &str) -> Result<Edition, Status> {
    client
        .get_edition(GetEditionRequest {
            name: name.into(),
            ..Default::default()
        })
        .await
        .map(tonic::Response::into_inner)
}

async fn schedule(client: &mut Client, request: ListScheduleRequest) -> Result<Vec<ScheduleItem>, Status> {
    let (mut items, mut request) = (Vec::new(), request);
    loop {
        let page = client.list_schedule(request.clone()).await?.into_inner();
        items.extend(page.items);
        if page.next_page_token.is_empty() {
            return Ok(items);
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn the_register_holds_26_forms_two_coded_alike_and_one_without_a_code() {
    let registry = Registry::at(NOW).await;
    let mut client = registry.client(None);
    let mut list = async |code: &str, periodicity: Periodicity| {
        let request = ListFormsRequest {
            code: code.into(),
            periodicity: periodicity.into(),
            ..Default::default()
        };
        client.list_forms(request).await.expect("it lists").into_inner().forms
    };
    assert_eq!(list("", Periodicity::Unspecified).await.len(), 26);
    assert_eq!(list("", Periodicity::Monthly).await.len(), 6);
    let coded = list("1-P", Periodicity::Unspecified).await;
    assert_eq!(
        coded.iter().map(|form| form.name.as_str()).collect::<Vec<_>>(),
        ["forms/3", "forms/25"]
    );

    let get = async |name: &str| {
        let form = registry
            .client(None)
            .get_form(GetFormRequest {
                name: name.into(),
                as_of: None,
                languages: Vec::new(),
            })
            .await;
        form.map(tonic::Response::into_inner)
    };
    assert_eq!(get("forms/8").await.expect("it is registered").code, "");
    let form = get("forms/1").await.expect("it is registered");
    assert!(form.roll_forward && form.roll_forward_basis.expect("it has one").assumed);
    assert_refused(get("forms/27").await, Code::NotFound, "RESOURCE_NOT_FOUND", "");
    assert_eq!(violations(get("forms/01").await), pairs(&[("name", "RESOURCE_NAME")]));
}

#[tokio::test]
async fn a_full_year_has_152_editions_and_2019_those_due_since_15_april() {
    let registry = Registry::at(NOW).await;
    let mut client = registry.client(None);
    for year in 2019..=2035 {
        let items = schedule(
            &mut client,
            ListScheduleRequest {
                year,
                ..Default::default()
            },
        )
        .await
        .expect("it lists");
        assert_eq!(items.len(), if year == 2019 { 115 } else { 152 }, "{year}");
    }
    let year = schedule(
        &mut client,
        ListScheduleRequest {
            year: 2026,
            ..Default::default()
        },
    )
    .await
    .expect("it lists");
    let last = year.last().expect("152 items");
    assert_eq!(
        (last.edition.as_str(), last.due_date),
        (
            "forms/6/editions/2026-Q4",
            Some(Date {
                year: 2027,
                month: 1,
                day: 20
            })
        )
    );

    let pages = ListScheduleRequest {
        year: 2026,
        page_size: 40,
        ..Default::default()
    };
    assert_eq!(schedule(&mut client, pages).await.expect("it lists"), year);
    let one = ListScheduleRequest {
        year: 2026,
        form: "forms/1".into(),
        ..Default::default()
    };
    assert_eq!(schedule(&mut client, one).await.expect("it lists").len(), 12);
}

#[tokio::test]
async fn an_edition_is_due_by_the_real_calendar() {
    let registry = Registry::at(NOW).await;
    let mut client = registry.client(None);
    // 20 July 2025 was a Sunday; 20 April 2026 is a working Monday; 2035 is provisional.
    for (name, (year, month, day), provisional) in [
        ("forms/6/editions/2025-Q2", (2025, 7, 21), false),
        ("forms/6/editions/2026-Q1", (2026, 4, 20), false),
        ("forms/1/editions/2034-M12", (2035, 1, 5), true),
    ] {
        let edition = get(&mut client, name).await.expect("it is scheduled");
        assert_eq!(
            (edition.due_date, edition.provisional),
            (Some(Date { year, month, day }), provisional),
            "{name}"
        );
    }
}

#[tokio::test]
async fn form_1_for_december_2024_is_due_on_sunday_5_january_2025_which_was_worked() {
    let registry = Registry::at(NOW).await;
    let edition = get(&mut registry.client(None), "forms/1/editions/2024-M12")
        .await
        .expect("it is scheduled");
    assert_eq!(
        edition.due_date,
        Some(Date {
            year: 2025,
            month: 1,
            day: 5
        })
    );
    assert_eq!(
        edition.due_time.map(|time| time.to_string()),
        Some("2025-01-05T19:00:00Z".into())
    );
    assert_eq!(
        (edition.state(), edition.punctuality()),
        (EditionState::Scheduled, Punctuality::NotKept)
    );
    assert!(edition.assumed && !edition.provisional && !edition.calendar_version.is_empty());
}

#[tokio::test]
async fn periods_that_do_not_fit_are_told_apart_from_editions_that_are_not_there() {
    let registry = Registry::at(NOW).await;
    let mut client = registry.client(None);
    for (name, reason) in [
        ("", "REQUIRED"),
        ("forms/1", "RESOURCE_NAME"),
        ("forms/1/editions/2019-Q5", "PERIOD"),
        ("forms/1/editions/2019-M13", "PERIOD"),
        ("forms/1/editions/2019-Q1", "PERIOD_KIND"),
        ("forms/2/editions/2019-M03", "PERIOD_KIND"),
        ("forms/2/editions/2019-S1", "PERIOD_KIND"),
    ] {
        assert_eq!(
            violations(get(&mut client, name).await),
            pairs(&[("name", reason)]),
            "{name}"
        );
    }
    for name in [
        "forms/27/editions/2019-M03",
        "forms/1/editions/2019-M03",
        "forms/1/editions/2036-M01",
    ] {
        assert_refused(get(&mut client, name).await, Code::NotFound, "RESOURCE_NOT_FOUND", "");
    }
}

#[tokio::test]
async fn every_wrong_field_of_a_list_is_named() {
    let registry = Registry::at(NOW).await;
    let mut client = registry.client(None);
    let request = ListEditionsRequest {
        parent: "forms".into(),
        page_size: -1,
        state: 9,
        year: 1,
        ..Default::default()
    };
    let expected = [
        ("page_size", "OUT_OF_RANGE"),
        ("parent", "RESOURCE_NAME"),
        ("state", "ENUM"),
        ("year", "OUT_OF_RANGE"),
    ];
    assert_eq!(violations(client.list_editions(request).await), pairs(&expected));
    let request = ListScheduleRequest {
        year: 2036,
        form: "x".into(),
        ..Default::default()
    };
    let expected = [("year", "OUT_OF_RANGE"), ("form", "RESOURCE_NAME")];
    assert_eq!(violations(client.list_schedule(request).await), pairs(&expected));
    let request = ListScheduleRequest {
        year: 2026,
        form: "forms/27".into(),
        ..Default::default()
    };
    assert_refused(
        client.list_schedule(request).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
        "",
    );
    let request = ListScheduleRequest {
        year: 2026,
        page_token: "00".into(),
        ..Default::default()
    };
    assert_refused(
        client.list_schedule(request).await,
        Code::InvalidArgument,
        "PAGE_TOKEN_INVALID",
        "",
    );
}

#[tokio::test]
async fn editions_are_listed_by_form_year_and_state() {
    let registry = Registry::at(NOW).await;
    let mut client = registry.operator();
    upload(&mut client, &header("forms/1/editions/2025-M01"), b"a")
        .await
        .expect("it is taken");
    let mut list = async |parent: &str, state: EditionState, year: i32| {
        let request = ListEditionsRequest {
            parent: parent.into(),
            state: state.into(),
            year,
            ..Default::default()
        };
        let page = client.list_editions(request).await.expect("it lists").into_inner();
        page.editions.len()
    };
    assert_eq!(list("forms/1", EditionState::Unspecified, 2025).await, 12);
    assert_eq!(list("forms/1", EditionState::Scheduled, 2025).await, 11);
    assert_eq!(list("forms/-", EditionState::Prepared, 0).await, 1);
    assert_eq!(list("forms/-", EditionState::Unspecified, 0).await, 100);
}

#[tokio::test]
async fn nothing_is_said_about_editions_until_the_calendar_has_answered() {
    let registry = Registry::without_calendar(NOW).await;
    let mut client = registry.client(None);
    let answer = client
        .list_schedule(ListScheduleRequest {
            year: 2026,
            ..Default::default()
        })
        .await;
    let details = answer.as_ref().expect_err("the calendar is away").get_error_details();
    assert!(details.retry_info().is_some_and(|retry| retry.retry_delay.is_some()));
    assert_refused(answer, Code::Unavailable, "DEPENDENCY_UNAVAILABLE", "");
    let answer = get(&mut client, "forms/1/editions/2026-M01").await;
    assert_refused(answer, Code::Unavailable, "DEPENDENCY_UNAVAILABLE", "");
    let answer = upload(&mut registry.operator(), &header("forms/1/editions/2026-M01"), b"a").await;
    assert_refused(answer, Code::Unavailable, "DEPENDENCY_UNAVAILABLE", "");
    assert_eq!(
        client
            .list_forms(ListFormsRequest::default())
            .await
            .expect("forms need no calendar")
            .into_inner()
            .forms
            .len(),
        26
    );

    registry.calendar.open();
    registry.until_whole().await;
    get(&mut client, "forms/1/editions/2026-M01")
        .await
        .expect("it is scheduled");
}

#[tokio::test]
async fn every_period_is_stored_and_the_calendar_is_never_asked_again() {
    let registry = Registry::at(NOW).await;
    assert_eq!(registry.count("scheduled").await, 17 * 152);
    assert_eq!(registry.count("edition").await, 0, "nothing was uploaded");
    registry.calendar.shut();
    let context = registry.running.context(|| instant(NOW));
    let calendar = Calendar::new(&registry.calendar.url(), &context.tls).expect("the URL is ours");
    let second = Schedule::start(&context, calendar, crate::db::form::duties).await;
    let whole = second.expect("it starts").require_whole();
    context.shutdown.cancel();
    whole.expect("a second start asks for nothing");
}

#[tokio::test]
async fn an_edition_tells_why_it_is_due_on_its_day_and_says_so_when_the_calendar_is_away() {
    let registry = Registry::at(NOW).await;
    let mut client = registry.client(None);
    // 7 November 2026 is a Saturday.
    let edition = get(&mut client, "forms/7/editions/2026-M10")
        .await
        .expect("it is scheduled");
    let told: Vec<StepEffect> = edition.due_date_steps.iter().map(|step| step.effect()).collect();
    assert_eq!(told.last(), Some(&StepEffect::Due));
    assert!(told.contains(&StepEffect::Rolled), "{told:?}");
    assert_eq!(
        edition.due_date_steps.last().map(|step| step.date),
        Some(edition.due_date)
    );
    assert_eq!(edition.due_date_steps_missing, "");
    let laws: Vec<String> = edition
        .due_date_steps
        .iter()
        .filter_map(|step| Some(step.legal_basis.clone()?.provision))
        .collect();
    assert!(laws.contains(&"Appendix 2, No. 7".to_owned()), "{laws:?}");
    let basic = GetEditionRequest {
        name: edition.name.clone(),
        view: EditionView::Basic.into(),
        languages: Vec::new(),
    };
    let basic = client.get_edition(basic).await.expect("it is scheduled").into_inner();
    assert!(basic.due_date_steps.is_empty() && basic.due_date_steps_missing.is_empty());

    registry.calendar.shut();
    let without = get(&mut client, &edition.name)
        .await
        .expect("the rest is told all the same");
    assert_eq!(without.due_date_steps_missing, "the calendar is away; ask again");
    assert_eq!(
        Edition {
            due_date_steps_missing: String::new(),
            ..without
        },
        basic
    );
}

#[tokio::test]
async fn the_log_does_not_grow_with_how_often_an_edition_is_read_while_the_calendar_is_away() {
    const CALLS: u64 = 100;
    let registry = Registry::at(NOW).await;
    let mut client = registry.client(None);
    registry.calendar.shut();
    let (lines, began) = (tempfile::NamedTempFile::new().expect("a file"), Instant::now());
    let written = Mutex::new(lines.reopen().expect("it opens"));
    let log = tracing_subscriber::fmt().with_writer(written).finish();
    let logging = tracing::subscriber::set_default(log);
    for _ in 0..CALLS {
        let edition = get(&mut client, "forms/7/editions/2026-M10").await;
        let edition = edition.expect("the rest is told all the same");
        assert_eq!(edition.due_date_steps_missing, "the calendar is away; ask again");
    }
    drop(logging);
    let text = std::fs::read_to_string(lines.path()).expect("it is text");
    let told = text.matches("a due date is not explained").count() as u64;
    // A line cut and one that nobody takes are two kinds, each of which is told again after ten seconds.
    assert!(told <= 3 * (1 + began.elapsed().as_secs() / 10), "{told} lines: {text}");
}

#[tokio::test]
async fn the_schedule_is_asked_by_days_and_states_also_without_a_year() {
    let registry = Registry::at(NOW).await;
    let mut client = registry.operator();
    let december = |page_size| ListScheduleRequest {
        due_from: day(2026, 12, 1),
        due_to: day(2026, 12, 31),
        page_size,
        ..Default::default()
    };
    let items = schedule(&mut client, december(0)).await.expect("it lists");
    assert_eq!(items.len(), 6, "what the monthly forms owe for November");
    assert_eq!(schedule(&mut client, december(4)).await.expect("it lists"), items);
    let of_list = ListEditionsRequest {
        parent: "forms/-".into(),
        due_from: day(2026, 12, 1),
        due_to: day(2026, 12, 31),
        ..Default::default()
    };
    let editions = client
        .list_editions(of_list)
        .await
        .expect("it lists")
        .into_inner()
        .editions;
    let names = |items: &[ScheduleItem]| items.iter().map(|item| item.edition.clone()).collect::<Vec<_>>();
    assert_eq!(
        editions.iter().map(|edition| edition.name.clone()).collect::<Vec<_>>(),
        names(&items)
    );
    upload(&mut client, &header("forms/1/editions/2026-M10"), b"a")
        .await
        .expect("it is taken");
    for (state, count) in [(EditionState::Prepared, 1), (EditionState::Scheduled, 151)] {
        let request = ListScheduleRequest {
            year: 2026,
            state: state.into(),
            ..Default::default()
        };
        assert_eq!(
            schedule(&mut client, request).await.expect("it lists").len(),
            count,
            "{state:?}"
        );
    }
    registry.set_clock("2026-12-11T05:00:00Z");
    let overdue = ListScheduleRequest {
        overdue: true,
        ..Default::default()
    };
    let overdue = schedule(&mut client, overdue).await.expect("it lists");
    let due_by_then = items
        .iter()
        .filter(|item| item.due_date.is_some_and(|due| due.day < 11))
        .count();
    assert_eq!(overdue.len(), due_by_then);

    for (request, expected) in [
        (ListScheduleRequest::default(), vec![("year", "OUT_OF_RANGE")]),
        (
            ListScheduleRequest {
                year: 1,
                due_from: day(2026, 12, 2),
                due_to: day(2026, 12, 1),
                state: 99,
                ..Default::default()
            },
            vec![("year", "OUT_OF_RANGE"), ("due_to", "RANGE"), ("state", "ENUM")],
        ),
        (
            ListScheduleRequest {
                due_from: day(2026, 2, 30),
                ..Default::default()
            },
            vec![("due_from", "DATE")],
        ),
    ] {
        assert_eq!(violations(schedule(&mut client, request).await), pairs(&expected));
    }
}

#[tokio::test]
async fn punctuality_names_what_is_due_today_and_soon_and_refuses_a_period_of_another_year() {
    let registry = Registry::at("2026-12-07T05:00:00Z").await;
    let mut client = registry.client(None);
    let mut counts = async |period: &str, soon_days: Option<i32>| {
        let request = GetPunctualityRequest {
            year: 2026,
            period: period.into(),
            soon_days,
            ..Default::default()
        };
        let report = client.get_punctuality(request).await;
        report.map(|report| report.into_inner().counts.expect("it has counts"))
    };
    // Forms 1, 7 and 25 are due on Monday the 7th, forms 5 and 26 within the week, form 4 on Saturday the 12th.
    let november = counts("2026-M11", None).await.expect("it counts");
    assert_eq!((november.expected, november.due_today, november.due_soon), (6, 3, 3));
    let tomorrow = counts("2026-M11", Some(2)).await.expect("it counts");
    assert_eq!((tomorrow.due_today, tomorrow.due_soon), (3, 1));
    assert_eq!(
        violations(counts("2025-M11", None).await),
        pairs(&[("period", "CONFLICT")])
    );
    let expected = [("period", "PERIOD"), ("soon_days", "OUT_OF_RANGE")];
    assert_eq!(violations(counts("2026-M13", Some(-1)).await), pairs(&expected));
}
