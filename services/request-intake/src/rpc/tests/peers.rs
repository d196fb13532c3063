//! The made-up calendar and form registry answer as the real ones do: what intake relies on is asked of both.

use std::time::{Duration, Instant};

use jiff::{Timestamp, civil::date};
use legalstat_kit::{door::wire, zone};
use legalstat_local::testing::harness::Running;
use legalstat_proto::{
    calendar::v1::{
        BatchComputeDeadlinesRequest, Deadline, StepEffect, calendar_service_client::CalendarServiceClient,
        compute_deadline_request::Subject,
    },
    common::v1 as common,
    forms::v1::{
        Availability, AvailabilityItem, AvailabilityView, BatchCreateIndicatorsRequest, CheckAvailabilityRequest,
        CheckAvailabilityResponse, Indicator, form_registry_service_client::FormRegistryServiceClient,
    },
};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

use super::{fakes::Fakes, held::INDICATOR};
use crate::{
    clients::calendar::{Telling, question, telling},
    domain::request::{DuePart, Extension, RequesterKind},
};

const PATIENCE: Duration = Duration::from_secs(60);

fn now() -> Timestamp {
    "2026-03-03T05:00:00Z".parse().expect("an instant")
}

fn to_fakes(fakes: &Fakes) -> Channel {
    Endpoint::from_shared(fakes.url.clone()).expect("a URL").connect_lazy()
}

#[tokio::test]
async fn a_calendar_answers_each_question_about_a_term_in_order_and_says_for_whom_the_answer_holds() {
    let fakes = Fakes::start().await;
    let real = Running::start(&legalstat_calendar::SERVICE, &[], now).await;
    for calendar in [to_fakes(&fakes), real.channel(Some("request-intake"))] {
        let received_at = now();
        let person = RequesterKind::Individual;
        let extension = Extension {
            part: DuePart::Extension,
            counted_from: Some(date(2026, 4, 2)),
            until: None,
        };
        let requests = vec![
            question(person, received_at, None, None, &[]),
            question(RequesterKind::StateBody, received_at, None, None, &[]),
            question(person, received_at, None, Some(extension), &[]),
            telling(person, received_at, None, Telling::Extension(date(2026, 3, 20))),
            telling(person, received_at, None, Telling::Forwarding),
            telling(person, received_at, None, Telling::Return(date(2026, 3, 12))),
        ];
        let message = BatchComputeDeadlinesRequest {
            requests: requests.clone(),
            include_steps: true,
            ..Default::default()
        };
        let answer = CalendarServiceClient::new(calendar)
            .batch_compute_deadlines(message)
            .await;
        let deadlines = answer.expect("each is answered").into_inner().deadlines;
        assert_eq!(deadlines.len(), requests.len());
        for (request, deadline) in requests.iter().zip(deadlines) {
            let Some(Subject::TermStart(asked)) = &request.subject else {
                panic!("intake asks about terms")
            };
            assert_eq!(deadline.part, asked.part, "{asked:?}");
            assert_holds(&deadline, received_at);
        }
    }
}

/// A due date with its end, its explanation, its law and the receipts that have it too.
fn assert_holds(deadline: &Deadline, received_at: Timestamp) {
    let due = wire::date(deadline.due_date.as_ref().expect("a day")).expect("it exists");
    assert_eq!(deadline.due_time, Some(wire::to_timestamp(zone::end(due))));
    assert!(
        deadline.term.starts_with("terms/") && !deadline.calendar_version.is_empty(),
        "{deadline:?}"
    );
    assert!(deadline.registered_on.is_some(), "{deadline:?}");
    let last = deadline.steps.last().expect("it is explained");
    assert_eq!((last.effect(), last.date), (StepEffect::Due, deadline.due_date));
    assert!(last.text.is_some(), "{last:?}");
    let instant = |at: &Option<_>| wire::timestamp(at.as_ref().expect("it says so")).expect("an instant");
    let holds = instant(&deadline.received_from)..instant(&deadline.received_before);
    assert!(holds.contains(&received_at), "{deadline:?}");
}

async fn check(registry: &Channel, indicators: &[&str]) -> Result<CheckAvailabilityResponse, Status> {
    let item = |indicator: &&str| AvailabilityItem {
        form: "forms/2".into(),
        period: "2025-Q4".into(),
        indicator: (*indicator).into(),
        ..Default::default()
    };
    let message = CheckAvailabilityRequest {
        items: indicators.iter().map(item).collect(),
        view: AvailabilityView::Basic.into(),
        ..Default::default()
    };
    let mut client = FormRegistryServiceClient::new(registry.clone());
    client
        .check_availability(message)
        .await
        .map(tonic::Response::into_inner)
}

/// A real registry whose schedule is whole and that has the indicator of the made-up one.
async fn real_registry(calendar: &Running, files: &std::path::Path) -> Running {
    let settings = [
        ("LEGALSTAT_CALENDAR_URL", calendar.url().to_owned()),
        ("LEGALSTAT_FILES", files.display().to_string()),
    ];
    let registry = Running::start(&legalstat_form_registry::SERVICE, &settings, now).await;
    let law = Some(common::LegalBasis {
        act: "Order No. 7".into(),
        provision: "para 1".into(),
        ..Default::default()
    });
    let title = Some(common::LocalizedText {
        kk: "Қылмыстар".into(),
        ru: "Преступления".into(),
        en: "Crimes".into(),
    });
    let message = BatchCreateIndicatorsRequest {
        parent: "forms/2".into(),
        indicators: vec![Indicator {
            code: "1.1".into(),
            unit: "CRIME".into(),
            measure: "number".into(),
            valid_from: Some(wire::to_date(date(2019, 4, 15))),
            legal_basis: law,
            title,
            ..Default::default()
        }],
        request_id: uuid::Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let mut operator = FormRegistryServiceClient::new(registry.channel(Some("operator")));
    operator
        .batch_create_indicators(message)
        .await
        .expect("it is registered");
    let (began, channel) = (Instant::now(), registry.channel(Some("request-intake")));
    while let Err(status) = check(&channel, &[INDICATOR]).await {
        assert!(
            status.code() == Code::Unavailable && began.elapsed() < PATIENCE,
            "{status:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    registry
}

#[tokio::test]
async fn a_registry_says_of_each_item_in_order_whether_its_indicator_is_registered_and_placed() {
    let fakes = Fakes::start().await;
    fakes.answers.holdings.lock().expect("no test panics here").figures = vec![("2025-Q4", "", "12")];
    let (calendar, files) = (
        Running::start(&legalstat_calendar::SERVICE, &[], now).await,
        tempfile::tempdir().expect("a folder"),
    );
    let real = real_registry(&calendar, files.path()).await;
    for registry in [to_fakes(&fakes), real.channel(Some("request-intake"))] {
        let answer = check(&registry, &[INDICATOR, "forms/2/indicators/none", INDICATOR]).await;
        let answer = answer.expect("each is answered");
        let found = answer
            .items
            .iter()
            .map(|item| (item.availability(), item.matched.as_str()));
        let expected = [
            (Availability::NotPlaced, INDICATOR),
            (Availability::NotRegistered, ""),
            (Availability::NotPlaced, INDICATOR),
        ];
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }
}
