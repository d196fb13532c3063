//! From which day the installation answers.

use legalstat_kit::due::{Schedule, calendar::Calendar};
use legalstat_proto::{
    common::v1::Date,
    forms::v1::{
        AnsweringDay, Channel as Place, EditionState, GetAnsweringDayRequest, GetEditionRequest, ListEditionsRequest,
        ListScheduleRequest, Punctuality, PunctualityCounts, SetAnsweringDayRequest,
    },
};
use sqlx::Executor;

use super::{recompute::date, *};

const NOW: &str = "2026-11-24T05:00:00Z";
const JANUARY: &str = "forms/1/editions/2025-M01";
const FEBRUARY: &str = "forms/1/editions/2025-M02";

impl Registry {
    async fn answering(&self, caller: Option<&str>) -> AnsweringDay {
        let day = self.client(caller).get_answering_day(GetAnsweringDayRequest {}).await;
        day.expect("there is a day").into_inner()
    }

    pub(super) async fn answer_from(&self, day: Option<Date>, etag: &str) -> Result<AnsweringDay, Status> {
        let request = SetAnsweringDayRequest {
            day,
            reason: "the paper register ended".into(),
            etag: etag.into(),
            request_id: Uuid::new_v4().to_string(),
            validate_only: false,
        };
        let set = self.administrator().set_answering_day(request).await;
        set.map(tonic::Response::into_inner)
    }

    async fn counts(&self, year: i32) -> PunctualityCounts {
        let request = GetPunctualityRequest {
            year,
            ..Default::default()
        };
        let report = self
            .client(None)
            .get_punctuality(request)
            .await
            .expect("it counts")
            .into_inner();
        report.counts.expect("it has counts")
    }

    async fn overdue(&self) -> usize {
        let request = ListEditionsRequest {
            parent: "forms/-".into(),
            page_size: 1000,
            overdue: true,
            ..Default::default()
        };
        let editions = self.client(None).list_editions(request).await.expect("it lists");
        editions.into_inner().editions.len()
    }

    async fn stands(&self, name: &str) -> (EditionState, Punctuality, bool) {
        let request = GetEditionRequest {
            name: name.into(),
            ..Default::default()
        };
        let edition = self
            .client(None)
            .get_edition(request)
            .await
            .expect("it is scheduled")
            .into_inner();
        (edition.state(), edition.punctuality(), edition.recorded_afterwards)
    }
}

#[tokio::test]
async fn a_new_installation_calls_nothing_of_the_past_overdue_and_still_schedules_it() {
    let registry = Registry::at(NOW).await;
    let day = registry.answering(None).await;
    assert_eq!(day.day, date(2026, 11, 24));
    assert_eq!(
        (day.reason.as_str(), day.set_by.as_str()),
        ("the schedule was first loaded", "")
    );
    assert_eq!(registry.overdue().await, 0);
    let year = ListScheduleRequest {
        year: 2025,
        ..Default::default()
    };
    let year = registry
        .client(None)
        .list_schedule(year)
        .await
        .expect("it lists")
        .into_inner()
        .items;
    assert_eq!(year.len(), 152);
    assert!(year.iter().all(|item| item.punctuality() == Punctuality::NotKept));
    assert_eq!(
        registry.counts(2025).await,
        PunctualityCounts {
            expected: 152,
            not_kept: 152,
            ..Default::default()
        }
    );
    assert_eq!(
        registry.stands(JANUARY).await,
        (EditionState::Scheduled, Punctuality::NotKept, false)
    );
    assert_eq!(
        registry.stands("forms/1/editions/2026-M11").await.1,
        Punctuality::NotDue
    );
}

#[tokio::test]
async fn what_was_due_before_is_recorded_afterwards_and_marked_so_for_good() {
    let registry = Registry::at(NOW).await;
    let mut operator = registry.operator();
    for name in [JANUARY, FEBRUARY] {
        upload(&mut operator, &header(name), b"a").await.expect("it is taken");
        seal(&mut operator, name).await;
    }
    let placed = place(&mut operator, &placing(JANUARY, Place::InformationService))
        .await
        .expect("it is placed");
    assert!(placed.recorded_afterwards && placed.placements[0].recorded_afterwards);
    assert_eq!(placed.placements[0].punctuality(), Punctuality::NotKept);
    let afterwards = (EditionState::Placed, Punctuality::NotKept, true);
    assert_eq!(registry.stands(JANUARY).await, afterwards);
    assert_eq!(registry.counts(2025).await.placed, 1);

    let first = registry.answering(Some("administrator")).await;
    let set = registry
        .answer_from(date(2025, 1, 1), &first.etag)
        .await
        .expect("it is set");
    assert_eq!((set.day, set.set_by.as_str()), (date(2025, 1, 1), "administrator"));
    assert_eq!(set.previous, std::slice::from_ref(&first));
    assert_eq!(registry.answering(Some("administrator")).await, set);
    assert_eq!(
        registry.stands(JANUARY).await,
        afterwards,
        "when it was really placed nobody knows here"
    );
    assert_eq!(
        registry.stands(FEBRUARY).await,
        (EditionState::Sealed, Punctuality::Overdue, false)
    );
    let late = place(&mut operator, &placing(FEBRUARY, Place::InformationService))
        .await
        .expect("it is placed");
    assert_eq!(
        (late.punctuality(), late.days_late),
        (Punctuality::Late, 629),
        "from 5 March 2025 on"
    );
    let counts = registry.counts(2025).await;
    assert_eq!(
        (counts.not_kept, counts.late, counts.overdue, counts.placed),
        (1, 1, 150, 2)
    );
    assert_eq!(
        registry.overdue().await,
        usize::try_from(counts.overdue).expect("few") + overdue_of_others(&registry).await
    );

    let stale = registry.answer_from(date(2026, 1, 1), &first.etag).await;
    assert_refused(stale, Code::Aborted, "ETAG_MISMATCH", "");
    let again = registry
        .answer_from(date(2025, 1, 1), "")
        .await
        .expect("nothing changes");
    assert_eq!(again, set);
    registry
        .answer_from(date(2026, 11, 24), "")
        .await
        .expect("it is set back");
    assert_eq!(registry.counts(2025).await.not_kept, 152);
    assert_eq!(registry.count("answering_day").await, 3);
}

/// How many editions of other years than 2025 are overdue.
async fn overdue_of_others(registry: &Registry) -> usize {
    let (before, after) = (registry.counts(2024).await.overdue, registry.counts(2026).await.overdue);
    usize::try_from(before + after).expect("few")
}

#[tokio::test]
async fn only_an_administrator_sets_the_day_and_with_a_reason() {
    let registry = Registry::at(NOW).await;
    let refused = registry
        .operator()
        .set_answering_day(SetAnsweringDayRequest::default())
        .await;
    assert_refused(refused, Code::PermissionDenied, "ROLE_MISSING", "");
    let refused = registry
        .administrator()
        .set_answering_day(SetAnsweringDayRequest::default())
        .await;
    let expected = [
        ("day", "REQUIRED"),
        ("reason", "REQUIRED"),
        ("request_id", "REQUEST_ID"),
    ];
    assert_eq!(violations(refused), pairs(&expected));
    let refused = registry.answer_from(date(2019, 4, 14), "").await;
    assert_eq!(violations(refused), pairs(&[("day", "OUT_OF_RANGE")]));
}

#[tokio::test]
async fn an_installation_of_an_earlier_release_answers_from_the_day_on_which_it_loaded_its_schedule() {
    let registry = Registry::at("2025-03-01T05:00:00Z").await;
    let forgotten = "DELETE FROM forms.answering_day";
    registry
        .database()
        .await
        .execute(forgotten)
        .await
        .expect("it is as before");
    let context = registry.running.context(|| instant(NOW));
    let calendar = Calendar::new(&registry.calendar.url(), &context.tls).expect("the URL is ours");
    let started = Schedule::start(&context, calendar, crate::db::form::duties).await;
    context.shutdown.cancel();
    started.expect("it starts");
    assert_eq!(registry.answering(None).await.day, date(2025, 3, 1));
}
