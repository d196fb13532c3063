//! What becomes of a database that an earlier release filled.

use legalstat_kit::door::wire::{self, sha256};
use legalstat_proto::forms::v1::{
    Channel as Place, EditionState, GetAnsweringDayRequest, ListFormsRequest, ListScheduleRequest, Placement,
    Punctuality, WatchFormsRequest,
};
use sqlx::Executor as _;

use super::{recompute::date, *};

/// The first migration that the first release lacked, and the one after it.
const SCHEDULED: i64 = 20_261_126_000_000;
const REVISIONS: i64 = 20_261_128_000_000;
const NOW: &str = "2025-08-01T05:00:00Z";
const JANUARY: &str = "forms/1/editions/2025-M01";
const FEBRUARY: &str = "forms/1/editions/2025-M02";
const MARCH: &str = "forms/1/editions/2025-M03";
const APRIL: &str = "forms/1/editions/2025-M04";
const MAY: &str = "forms/1/editions/2025-M05";
const DRAFT: &[u8] = b"a draft\n";
const FINAL: &[u8] = b"January\n";
const OTHER: &[u8] = b"another month\n";
/// How the file of January is called.
const FINAL_NAME: &str = "қаңтар (соңғысы).csv";

/// January: a draft, then the file that was placed on the service and later on the website. February: late by days. March:
/// prepared. April: on the website alone. May: late by one second. An act had moved the due date of January.
const ROWS: &str = "
    INSERT INTO forms.form VALUES
        (1, '1-M', 'On registered criminal offenses', '', '', 'MONTHLY', 5, true, '', '', '', true,
         'Instruction', 'Appendix 2, No. 1', '', false, '2019-04-15', NULL);
    INSERT INTO forms.scheduled
        (parent, period, position, first_day, last_day, due_date, due_time, provisional, assumed, calendar_version, binding, met_at)
    SELECT 'forms/1', period, 1, first_day, (first_day + interval '1 month - 1 day')::date, due_date,
        (due_date + 1)::timestamp AT TIME ZONE 'Asia/Almaty', false, true, 'of-before', true, met_at
    FROM (VALUES
        ('2025-M01', '2025-02-01'::date - 31, '2025-02-05'::date, '2025-02-05T18:59:59Z'::timestamptz),
        ('2025-M02', '2025-02-01', '2025-03-05', '2025-03-08T05:00:00Z'),
        ('2025-M03', '2025-03-01', '2025-04-07', NULL),
        ('2025-M04', '2025-04-01', '2025-05-05', NULL),
        ('2025-M05', '2025-05-01', '2025-06-05', '2025-06-05T19:00:00Z')
    ) AS s (period, first_day, due_date, met_at);
    INSERT INTO forms.edition_file (form, period, filename, content_type, size_bytes, sha256, uploaded_at, uploaded_by)
    SELECT 1, period, filename, 'text/csv', octet_length(content), sha256(content), uploaded_at::timestamptz, uploaded_by
    FROM (VALUES
        ('2025-M01', 'form.csv', 'a draft\n'::bytea, '2025-02-03T05:00:00Z', 'operator'),
        ('2025-M01', 'қаңтар (соңғысы).csv', 'January\n', '2025-02-04T05:00:00Z', 'approver'),
        ('2025-M02', 'form.csv', 'another month\n', '2025-03-08T04:00:00Z', 'operator'),
        ('2025-M03', 'form.csv', 'another month\n', '2025-04-03T05:00:00Z', 'operator'),
        ('2025-M04', 'form.csv', 'another month\n', '2025-05-03T05:00:00Z', 'operator'),
        ('2025-M05', 'form.csv', 'another month\n', '2025-06-03T05:00:00Z', 'operator')
    ) AS f (period, filename, content, uploaded_at, uploaded_by);
    INSERT INTO forms.edition (form, period, state, file)
    SELECT 1, period, CASE period WHEN '2025-M03' THEN 'PREPARED' ELSE 'PLACED' END, max(number)
    FROM forms.edition_file GROUP BY period;
    INSERT INTO forms.placement (form, period, channel, placed_at, placed_by, punctuality) VALUES
        (1, '2025-M01', 'INFORMATION_SERVICE', '2025-02-05T18:59:59Z', 'operator', 'ON_TIME'),
        (1, '2025-M01', 'OFFICIAL_WEBSITE', '2025-02-06T05:00:00Z', 'approver', 'LATE'),
        (1, '2025-M02', 'INFORMATION_SERVICE', '2025-03-08T05:00:00Z', 'operator', 'LATE'),
        (1, '2025-M04', 'OFFICIAL_WEBSITE', '2025-05-04T05:00:00Z', 'operator', 'ON_TIME'),
        (1, '2025-M05', 'INFORMATION_SERVICE', '2025-06-05T19:00:00Z', 'operator', 'LATE');
    INSERT INTO forms.due_date_change
        (resource, changed_at, change, calendar_act, old_due_date, new_due_date, old_calendar_version, new_calendar_version)
    VALUES ('forms/1/editions/2025-M01', '2025-01-10T05:00:00Z', 'ACT_RECORDED', 'calendarActs/order-1', '2025-02-06',
            '2025-02-05', 'older', 'of-before');
    INSERT INTO forms.journal_entry
        (recorded_at, caller, roles, method, resource, outcome, reason, salt, request_digest, count, peer_address)
    VALUES ('2025-01-10T05:00:00Z', 'form-registry', '{}', 'jobs/schedule', 'schedule', 'DONE', '', '', '', 1, '');
    INSERT INTO forms.outbox_event (occurred_at, kind, resource)
    VALUES ('2025-02-05T18:59:59Z', 'edition.placed', 'forms/1/editions/2025-M01');";

/// What the first release wrote, whose editions held their due dates themselves: one placed, one prepared, one expected, and a period
/// without an edition.
const FIRST_ROWS: &str = "
    INSERT INTO forms.form VALUES
        (1, '1-M', 'On registered criminal offenses', '', '', 'MONTHLY', 5, true, '', '', '', true,
         'Instruction', 'Appendix 2, No. 1', '', false, '2019-04-15', NULL);
    INSERT INTO forms.edition
        (form, period, period_first_day, period_last_day, due_date, due_time, provisional, assumed, calendar_version, state)
    SELECT 1, period, first_day, (first_day + interval '1 month - 1 day')::date, due_date,
        (due_date + 1)::timestamp AT TIME ZONE 'Asia/Almaty', false, true, 'of-before', 'SCHEDULED'
    FROM (VALUES ('2025-M01', '2025-01-01'::date, '2025-02-05'::date), ('2025-M02', '2025-02-01', '2025-03-05'),
                 ('2025-M03', '2025-03-01', '2025-04-07')) AS e (period, first_day, due_date);
    INSERT INTO forms.period_without_edition VALUES (1, '2019-M01', '2019-02-05', 'of-before');
    INSERT INTO forms.edition_file (form, period, filename, content_type, size_bytes, sha256, uploaded_at, uploaded_by)
    SELECT 1, period, 'form.csv', 'text/csv', octet_length(content), sha256(content), due_date - interval '2 days', 'operator'
    FROM forms.edition, (VALUES ('another month\n'::bytea)) AS f (content) WHERE period <> '2025-M03';
    UPDATE forms.edition e SET state = CASE e.period WHEN '2025-M01' THEN 'PLACED' ELSE 'PREPARED' END, file = f.number
    FROM forms.edition_file f WHERE f.period = e.period;
    INSERT INTO forms.placement (form, period, channel, placed_at, placed_by, punctuality)
    VALUES (1, '2025-M01', 'INFORMATION_SERVICE', '2025-02-06T05:00:00Z', 'operator', 'LATE');";

async fn upgraded(release: (i64, &str)) -> Registry {
    let registry = Registry::started(NOW, true, &[], async |settings, clock| {
        let (_, folder) = settings
            .iter()
            .find(|(name, _)| *name == "LEGALSTAT_FILES")
            .expect("it is set");
        for content in [DRAFT, FINAL, OTHER] {
            let name = hex::encode(sha256(content));
            let folder = std::path::Path::new(folder).join("sha256").join(&name[..2]);
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(folder.join(name), content).expect("a file");
        }
        let tell = move || *clock.lock().expect("no test panics here");
        Running::start_upgraded(release, &crate::SERVICE, settings, tell).await
    })
    .await;
    registry.until_whole().await;
    registry
}

/// The content hash as the contract tells anyone to write it, of an edition with one file and no figures.
fn content_hash(name: &str, revision: i32, filename: &str, content: &[u8]) -> String {
    let (digest, size) = (hex::encode(sha256(content)), content.len());
    let lines = format!(
        "legalstat-content/1\nedition:{name}\nrevision:{revision}\nfile:{digest} {size} text/csv - open {filename}\nfigures:none\n"
    );
    hex::encode(sha256(lines.as_bytes()))
}

/// Where, when and how late.
fn records(placements: &[Placement]) -> Vec<(Place, String, Punctuality, i32)> {
    let record = |placement: &Placement| {
        let at = placement.placed_at.as_ref().map(|at| at.seconds).unwrap_or_default();
        let at = Timestamp::from_second(at).expect("an instant").to_string();
        (placement.channel(), at, placement.punctuality(), placement.late_days)
    };
    placements.iter().map(record).collect()
}

#[tokio::test]
async fn what_an_earlier_release_placed_is_placed_sealed_and_served_as_it_was() {
    let registry = upgraded((REVISIONS, ROWS)).await;
    let mut anyone = registry.client(None);
    let january = get(&mut anyone, JANUARY).await;
    assert_eq!(
        (
            january.state(),
            january.punctuality(),
            january.due_date,
            january.revision
        ),
        (EditionState::Placed, Punctuality::OnTime, date(2025, 2, 5), 1)
    );
    assert_eq!(january.calendar_version, "of-before", "what is met never moves");
    let moved: Vec<_> = january
        .due_date_changes
        .iter()
        .map(|change| change.old_due_date)
        .collect();
    assert_eq!(moved, [date(2025, 2, 6)]);
    let hash = content_hash(JANUARY, 1, FINAL_NAME, FINAL);
    assert_eq!(january.content_sha256, hash);
    assert_eq!(
        records(&january.placements),
        [
            (
                Place::InformationService,
                "2025-02-05T18:59:59Z".into(),
                Punctuality::OnTime,
                0
            ),
            (
                Place::OfficialWebsite,
                "2025-02-06T05:00:00Z".into(),
                Punctuality::Late,
                1
            ),
        ]
    );
    for placement in &january.placements {
        assert_eq!((placement.revision, &placement.content_sha256), (1, &hash));
        assert_eq!(
            (placement.due_date, placement.effective_at),
            (date(2025, 2, 5), placement.placed_at)
        );
    }
    let names: Vec<&str> = january.files.iter().map(|file| file.filename.as_str()).collect();
    assert_eq!(names, [FINAL_NAME]);
    assert_eq!(download(&mut anyone, JANUARY).await.expect("it is there").1, FINAL);
    let draft = DownloadEditionFileRequest {
        name: JANUARY.into(),
        sha256: hex::encode(sha256(DRAFT)),
        ..Default::default()
    };
    refused(fetch(&mut anyone, draft).await, Code::NotFound, "RESOURCE_NOT_FOUND");
    let known = get(&mut registry.operator(), JANUARY).await.revisions.remove(0);
    assert_eq!(
        (known.prepared_by.as_str(), known.sealed_by.as_str()),
        ("approver", "operator")
    );
    assert_eq!(
        known.sealed_at,
        Some(wire::to_timestamp(instant("2025-02-05T18:59:59Z")))
    );
    for (name, days) in [(FEBRUARY, 3), (MAY, 1)] {
        let late = get(&mut anyone, name).await;
        assert_eq!(
            (late.state(), late.punctuality(), late.days_late),
            (EditionState::Placed, Punctuality::Late, days)
        );
        assert_eq!(late.placements[0].late_days, days);
        assert_eq!(late.content_sha256, content_hash(name, 1, "form.csv", OTHER));
    }
}

#[tokio::test]
async fn what_an_earlier_release_had_begun_goes_on() {
    let registry = upgraded((REVISIONS, ROWS)).await;
    let (mut anyone, mut operator) = (registry.client(None), registry.operator());
    let march = get(&mut anyone, MARCH).await;
    assert_eq!(
        (march.state(), march.due_date),
        (EditionState::Prepared, date(2025, 4, 7))
    );
    refused(
        download(&mut anyone, MARCH).await,
        Code::FailedPrecondition,
        "EDITION_NOT_PLACED",
    );
    assert_eq!(download(&mut operator, MARCH).await.expect("it is there").1, OTHER);
    let sealed = seal(&mut operator, MARCH).await;
    let hash = content_hash(MARCH, 1, "form.csv", OTHER);
    assert_eq!(sealed.content_sha256, hash);
    place(&mut operator, &placing(MARCH, Place::InformationService))
        .await
        .expect("it is placed");
    assert_eq!(download(&mut anyone, MARCH).await.expect("it is open").1, OTHER);

    let april = get(&mut anyone, APRIL).await;
    assert_eq!(
        (april.state(), april.punctuality()),
        (EditionState::Placed, Punctuality::Overdue)
    );
    let april = place(&mut operator, &placing(APRIL, Place::InformationService)).await;
    let april = april.expect("it is placed here too");
    assert_eq!(april.punctuality(), Punctuality::Late);
    let hash = content_hash(APRIL, 1, "form.csv", OTHER);
    assert!(
        april
            .placements
            .iter()
            .all(|placement| placement.content_sha256 == hash)
    );

    try_correct(&mut operator, JANUARY, "a wrong total")
        .await
        .expect("a correction begins");
    upload(&mut operator, &header(JANUARY), b"corrected\n")
        .await
        .expect("it is taken");
    assert_eq!(download(&mut anyone, JANUARY).await.expect("it is served").1, FINAL);
    seal(&mut operator, JANUARY).await;
    let corrected = place(&mut operator, &placing(JANUARY, Place::InformationService)).await;
    assert_eq!(corrected.expect("it is placed").revision, 2);
    let withdrawn = try_withdraw(&mut operator, FEBRUARY, "it named persons").await;
    assert_eq!(withdrawn.expect("it is withdrawn").state(), EditionState::Withdrawn);
}

#[tokio::test]
async fn the_schedule_counts_and_guards_what_an_earlier_release_left() {
    let registry = upgraded((REVISIONS, ROWS)).await;
    let mut anyone = registry.client(None);
    let day = anyone.get_answering_day(GetAnsweringDayRequest {}).await;
    assert_eq!(day.expect("there is a day").into_inner().day, date(2025, 1, 10));
    let year = ListScheduleRequest {
        year: 2025,
        ..Default::default()
    };
    let year = anyone.list_schedule(year).await.expect("it lists").into_inner().items;
    assert_eq!(year.len(), 152);
    let request = GetPunctualityRequest {
        year: 2025,
        form: "forms/1".into(),
        ..Default::default()
    };
    let report = anyone.get_punctuality(request).await.expect("it counts").into_inner();
    let counts = report.counts.expect("it has counts");
    let counted = (
        counts.expected,
        counts.placed,
        counts.on_time,
        counts.late,
        counts.days_late,
    );
    assert_eq!(counted, (12, 3, 1, 2, 4));
    assert_eq!((counts.overdue, counts.not_due, counts.not_kept), (3, 6, 0));
    let forms = anyone.list_forms(ListFormsRequest::default()).await.expect("it lists");
    let forms = forms.into_inner().forms;
    assert_eq!(forms.len(), 26);
    assert!(
        forms.iter().all(|form| form.version == 1),
        "what was loaded is its first version"
    );
    let mut feed = registry
        .client(Some("edms"))
        .watch_forms(WatchFormsRequest::default())
        .await
        .expect("it is watched")
        .into_inner();
    let first = feed.message().await.expect("no failure").expect("it goes on").event;
    let first = first.expect("it is told first");
    assert_eq!(
        (first.kind.as_str(), first.resource.as_str()),
        ("edition.placed", JANUARY)
    );
    let mut database = registry.database().await;
    for change in [
        "UPDATE forms.revision SET content_sha256 = sha256('') WHERE period = '2025-M01'",
        "UPDATE forms.edition_file SET restricted = true WHERE period = '2025-M01'",
        "UPDATE forms.scheduled SET due_date = due_date + 1 WHERE period = '2025-M01' AND parent = 'forms/1'",
    ] {
        let refused = database.execute(change).await.expect_err("it stays");
        let refused = refused.as_database_error().expect("the database says so").constraint();
        assert!(
            refused.is_some_and(|name| name.ends_with("_stays")),
            "{change}: {refused:?}"
        );
    }
}

/// What earlier releases placed met the due date on the information service alone, whatever channels the form named.
#[tokio::test]
async fn what_an_earlier_release_met_stays_placed_and_what_it_placed_elsewhere_can_be_met() {
    let registry = upgraded((REVISIONS, ROWS)).await;
    let (mut operator, mut database) = (registry.operator(), registry.database().await);
    let counted = async || {
        let request = GetPunctualityRequest {
            year: 2025,
            form: "forms/1".into(),
            ..Default::default()
        };
        let report = registry.client(None).get_punctuality(request).await;
        let counts = report.expect("it counts").into_inner().counts.expect("it has counts");
        (counts.placed, counts.on_time, counts.late, counts.nil)
    };
    let both = "UPDATE forms.form_version SET channels = '{INFORMATION_SERVICE,OFFICIAL_WEBSITE}' WHERE form = 1";
    database.execute(both).await.expect("it is entered");
    assert_eq!(counted().await, (3, 1, 2, 0), "two of them stand on the service alone");

    let website = "UPDATE forms.form_version SET channels = '{OFFICIAL_WEBSITE}' WHERE form = 1";
    database.execute(website).await.expect("it is entered");
    assert_eq!(get(&mut operator, APRIL).await.punctuality(), Punctuality::Overdue);
    let april = place(&mut operator, &placing(APRIL, Place::OfficialWebsite)).await;
    let april = april.expect("it is met");
    assert_eq!((april.punctuality(), april.placements.len()), (Punctuality::OnTime, 1));
    assert_eq!(counted().await, (4, 2, 2, 0));
}

#[tokio::test]
async fn what_the_first_release_left_comes_through_both_migrations() {
    let registry = upgraded((SCHEDULED, FIRST_ROWS)).await;
    let (mut anyone, mut operator) = (registry.client(None), registry.operator());
    let january = get(&mut anyone, JANUARY).await;
    assert_eq!(
        (january.state(), january.due_date),
        (EditionState::Placed, date(2025, 2, 5))
    );
    assert_eq!(january.calendar_version, "of-before", "what is met never moves");
    assert_eq!(january.content_sha256, content_hash(JANUARY, 1, "form.csv", OTHER));
    assert_eq!(
        records(&january.placements),
        [(
            Place::InformationService,
            "2025-02-06T05:00:00Z".into(),
            Punctuality::Late,
            1
        )]
    );
    assert_eq!(download(&mut anyone, JANUARY).await.expect("it is there").1, OTHER);
    let february = get(&mut operator, FEBRUARY).await;
    assert_eq!(
        (february.state(), february.due_date),
        (EditionState::Prepared, date(2025, 3, 5))
    );
    assert_eq!(download(&mut operator, FEBRUARY).await.expect("it is there").1, OTHER);
    let march = get(&mut anyone, MARCH).await;
    assert_eq!(
        (march.state(), march.due_date),
        (EditionState::Scheduled, date(2025, 4, 7))
    );
    let before = GetEditionRequest {
        name: "forms/1/editions/2019-M01".into(),
        ..Default::default()
    };
    refused(anyone.get_edition(before).await, Code::NotFound, "RESOURCE_NOT_FOUND");
}
