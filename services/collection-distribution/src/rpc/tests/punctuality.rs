//! How editions and copies stand to their due dates, and from which day that is kept.

use legalstat_proto::{
    collections::v1::{
        AnsweringDay, CopyCounts, EditionCounts, GetAnsweringDayRequest, GetPunctualityRequest, Punctuality,
        PunctualityLines, PunctualityReport, SetAnsweringDayRequest,
    },
    common::v1::Date,
};

use super::{
    copies::{confirm, confirming},
    recipients::day,
    *,
};

impl Distribution {
    pub(super) async fn answer_from(&self, day: Option<Date>, etag: &str) -> Result<AnsweringDay, Status> {
        let request = SetAnsweringDayRequest {
            day,
            reason: "the paper register ended".into(),
            etag: etag.into(),
            request_id: new_id(),
            validate_only: false,
        };
        let set = self.administrator().set_answering_day(request).await;
        set.map(tonic::Response::into_inner)
    }
}

fn asking(year: i32) -> GetPunctualityRequest {
    GetPunctualityRequest {
        year,
        ..Default::default()
    }
}

async fn punctuality(
    distribution: &Distribution,
    caller: Option<&str>,
    request: GetPunctualityRequest,
) -> Result<PunctualityReport, Status> {
    let report = distribution.client(caller).get_punctuality(request).await;
    report.map(tonic::Response::into_inner)
}

/// The last quarter of 2024 is released late, and the first of 2025 in time; the leadership has received one copy of each.
async fn released() -> Distribution {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    distribution.release_earlier().await;
    let mut leadership = distribution.client(Some("gpo-leadership"));
    for (name, content) in [(CRIME, CONTENT), (EARLIER, b"earlier")] {
        let confirmed = confirm(&mut leadership, &confirming(&format!("{name}/copies/1"), content)).await;
        confirmed.expect("it is its own");
    }
    distribution
}

#[tokio::test]
async fn editions_and_copies_are_counted_by_year_collection_period_and_recipient() {
    let distribution = released().await;
    let report = punctuality(&distribution, Some("auditor"), asking(2024)).await;
    let report = report.expect("an official asks");
    // All of 2024 was due; one edition is late by the days from 14 January to 3 April.
    let editions = report.editions.expect("they are counted");
    let expected = (22, 0, 1, 79, 79, 21, 0);
    let found = (
        editions.expected,
        editions.on_time,
        editions.late,
        editions.days_late,
        editions.most_days_late,
        editions.overdue,
        editions.not_due,
    );
    assert_eq!(found, expected);
    assert!(
        editions.days_overdue >= 21 * 79 && editions.most_days_overdue > 300,
        "{editions:?}"
    );
    let copies = CopyCounts {
        issued: 33,
        late: 1,
        unconfirmed: 32,
        overdue: 32,
        ..Default::default()
    };
    assert_eq!(report.copies, Some(copies));
    assert_eq!(report.answering_from, day(2019, 4, 15));

    let by = |lines: PunctualityLines| GetPunctualityRequest {
        lines: lines.into(),
        ..asking(2025)
    };
    let lines = async |request| {
        let report = punctuality(&distribution, Some("auditor"), request).await;
        report.expect("an official asks").lines
    };
    let collections = lines(by(PunctualityLines::ByCollection)).await;
    let crime = &collections[0];
    assert_eq!((collections.len(), crime.collection.as_str()), (6, "collections/crime"));
    let expected = EditionCounts {
        expected: 4,
        on_time: 1,
        not_due: 3,
        ..Default::default()
    };
    assert_eq!(crime.editions, Some(expected));
    let periods = lines(by(PunctualityLines::ByPeriod)).await;
    let periods: Vec<_> = periods.iter().map(|line| line.period.as_str()).collect();
    assert_eq!(periods, ["2025-Q1", "2025-Q2", "2025-S1", "2025-Q3", "2025-Q4", "2025"]);
    let recipients = lines(by(PunctualityLines::ByRecipient)).await;
    assert_eq!(recipients.len(), 23);
    let leadership = &recipients[0];
    assert_eq!(
        (leadership.recipient.as_str(), &leadership.editions),
        ("recipients/gpo-leadership", &None)
    );
    let expected = CopyCounts {
        issued: 7,
        on_time: 1,
        unconfirmed: 6,
        ..Default::default()
    };
    assert_eq!(leadership.copies, Some(expected));
    let one = GetPunctualityRequest {
        collection: "collections/crime".into(),
        period: "2024-Q4".into(),
        recipient: "recipients/senate".into(),
        ..asking(2024)
    };
    let one = punctuality(&distribution, Some("auditor"), one)
        .await
        .expect("an official asks");
    assert_eq!(one.editions.map(|editions| editions.expected), Some(1));
    assert_eq!(one.copies.map(|copies| (copies.issued, copies.overdue)), Some((1, 1)));
}

#[tokio::test]
async fn a_recipient_sees_how_its_own_copies_stand_and_a_stranger_the_editions_alone() {
    let distribution = released().await;
    let own = punctuality(&distribution, Some("gpo-leadership"), asking(2025)).await;
    let own = own.expect("it asks for its own").copies;
    assert_eq!(own.map(|copies| (copies.issued, copies.on_time)), Some((7, 1)));
    let of = |recipient: &str| GetPunctualityRequest {
        recipient: recipient.into(),
        ..asking(2025)
    };
    let anothers = punctuality(&distribution, Some("gpo-leadership"), of("recipients/senate")).await;
    refused(anothers, Code::PermissionDenied, "ROLE_MISSING");
    let public = punctuality(&distribution, None, asking(2025))
        .await
        .expect("it is public");
    assert_eq!(public.copies, None);
    assert_eq!(public.editions.map(|editions| editions.on_time), Some(1));
    let by_recipient = GetPunctualityRequest {
        lines: PunctualityLines::ByRecipient.into(),
        ..asking(2025)
    };
    for request in [of("recipients/senate"), by_recipient] {
        let stranger = punctuality(&distribution, None, request).await;
        refused(stranger, Code::PermissionDenied, "ROLE_MISSING");
    }
    let unknown = punctuality(&distribution, Some("auditor"), of("recipients/nobody")).await;
    refused(unknown, Code::NotFound, "RESOURCE_NOT_FOUND");
}

#[tokio::test]
async fn everything_that_is_wrong_with_what_is_asked_is_told_at_once() {
    let distribution = Distribution::start().await;
    let wrong = GetPunctualityRequest {
        year: 2018,
        collection: "crime".into(),
        period: "2019-Q9".into(),
        recipient: "senate".into(),
        lines: 9,
        soon_days: Some(-1),
    };
    let found = violations(punctuality(&distribution, Some("auditor"), wrong).await);
    assert_eq!(
        found,
        pairs(&[
            ("year", "OUT_OF_RANGE"),
            ("collection", "RESOURCE_NAME"),
            ("period", "PERIOD"),
            ("recipient", "RESOURCE_NAME"),
            ("lines", "ENUM"),
            ("soon_days", "OUT_OF_RANGE"),
        ])
    );
    let other_year = GetPunctualityRequest {
        period: "2024-Q4".into(),
        ..asking(2025)
    };
    let found = violations(punctuality(&distribution, None, other_year).await);
    assert_eq!(found, pairs(&[("period", "CONFLICT")]));
}

#[tokio::test]
async fn a_new_installation_calls_nothing_of_the_past_overdue_neither_editions_nor_copies() {
    let distribution = Distribution::start().await;
    let first = distribution
        .client(Some("auditor"))
        .get_answering_day(GetAnsweringDayRequest {})
        .await;
    let first = first.expect("it is public").into_inner();
    assert_eq!((first.day, first.set_by.as_str()), (day(2025, 4, 3), "jobs/schedule"));
    let report = punctuality(&distribution, None, asking(2024))
        .await
        .expect("it is public");
    let expected = EditionCounts {
        expected: 22,
        not_kept: 22,
        ..Default::default()
    };
    assert_eq!(
        (report.editions, report.answering_from),
        (Some(expected), day(2025, 4, 3))
    );
    let schedule = ListScheduleRequest {
        year: 2024,
        ..Default::default()
    };
    let schedule = distribution
        .client(None)
        .list_schedule(schedule)
        .await
        .expect("it is public");
    let items = schedule.into_inner().items;
    assert!(items.iter().all(|item| item.punctuality() == Punctuality::NotKept));

    let mut operator = distribution.operator();
    upload(&mut operator, &header(EARLIER), b"earlier")
        .await
        .expect("it is taken");
    seal(&mut operator, &sealing(EARLIER, b"earlier"))
        .await
        .expect("it is sealed");
    release(&mut distribution.approver(), &releasing(EARLIER))
        .await
        .expect("it is released");
    let overdue = ListCopiesRequest {
        overdue: true,
        ..Default::default()
    };
    let listed = operator
        .list_copies(overdue)
        .await
        .expect("an official asks")
        .into_inner();
    assert!(listed.copies.is_empty());
    assert!(
        distribution
            .copies("auditor")
            .await
            .iter()
            .all(|copy| !copy.overdue && copy.list_version == 1)
    );
    let report = punctuality(&distribution, Some("auditor"), asking(2024))
        .await
        .expect("an official asks");
    assert_eq!(
        report.copies.map(|copies| (copies.issued, copies.not_kept)),
        Some((33, 33))
    );

    let set = distribution
        .answer_from(day(2019, 4, 15), &first.etag)
        .await
        .expect("it is set");
    assert_eq!((set.previous.len(), set.set_by.as_str()), (1, "administrator"));
    let again = distribution
        .answer_from(day(2019, 4, 15), "")
        .await
        .expect("nothing changes");
    assert_eq!(again, set);
    let stale = distribution.answer_from(day(2025, 1, 1), &first.etag).await;
    refused(stale, Code::Aborted, "ETAG_MISMATCH");
    let report = punctuality(&distribution, None, asking(2024))
        .await
        .expect("it is public");
    let counted = report.editions.map(|editions| (editions.not_kept, editions.overdue));
    assert_eq!(
        counted,
        Some((1, 21)),
        "when the one was really released nobody knows here"
    );
}

#[tokio::test]
async fn only_an_administrator_sets_the_day_within_its_bounds_and_with_a_reason() {
    let distribution = Distribution::start().await;
    let refusal = distribution
        .operator()
        .set_answering_day(SetAnsweringDayRequest::default())
        .await;
    refused(refusal, Code::PermissionDenied, "ROLE_MISSING");
    let refusal = distribution
        .administrator()
        .set_answering_day(SetAnsweringDayRequest::default())
        .await;
    let expected = [
        ("day", "REQUIRED"),
        ("reason", "REQUIRED"),
        ("request_id", "REQUEST_ID"),
    ];
    assert_eq!(violations(refusal), pairs(&expected));
    for outside in [day(2019, 4, 14), day(2100, 1, 1)] {
        let refusal = distribution.answer_from(outside, "").await;
        assert_eq!(violations(refusal), pairs(&[("day", "OUT_OF_RANGE")]));
    }
}

#[tokio::test]
async fn the_metrics_tell_what_is_due_today_what_is_overdue_of_every_year_and_how_punctual_this_year_is() {
    let distribution = released().await;
    let mut overdue = 0;
    for year in 2019..=2025 {
        let report = punctuality(&distribution, Some("auditor"), asking(year)).await;
        overdue += report
            .expect("an official asks")
            .editions
            .expect("they are counted")
            .overdue;
    }
    let told = async |at: Timestamp| {
        let context = distribution.running.context(move || at);
        crate::jobs::punctuality::counted(context).await.expect("it counts")
    };
    // The first quarter is released before its day; the last one of 2024, due in this year, was late.
    assert_eq!(
        told(instant(NOW)).await,
        [
            ("legalstat.collections.editions_due_today", 0),
            ("legalstat.collections.editions_overdue", overdue),
            ("legalstat.collections.editions_on_time", 1),
            ("legalstat.collections.editions_late", 1),
        ]
    );
    let schedule = ListScheduleRequest {
        year: 2025,
        ..Default::default()
    };
    let schedule = distribution.client(None).list_schedule(schedule).await;
    let schedule = schedule.expect("it lists").into_inner().items;
    let open = || schedule.iter().filter(|item| item.punctuality() == Punctuality::NotDue);
    let first = open().next().expect("there are some").due_date;
    let together = open().filter(|item| item.due_date == first).count();
    let first = legalstat_kit::door::wire::date(&first.expect("it has one")).expect("it is a day");
    let [(_, due_today), (_, still), ..] = told(legalstat_kit::zone::beginning(first)).await;
    assert_eq!((usize::try_from(due_today).ok(), still), (Some(together), overdue));
}
