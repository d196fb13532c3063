//! Every path to an edition with files, figures and a package, tried one second before its embargo ends.

use std::collections::BTreeMap;

use legalstat_proto::forms::v1::{
    AvailabilityItem, Channel as Place, CheckAvailabilityRequest, CheckAvailabilityResponse,
    DownloadOpenDataFileRequest, EditionState, EditionView, GetOpenDataPackageRequest, ListEditionsRequest,
    ListPlacementsRequest, ListScheduleRequest, Observation, OpenDataPackage, PunctualityCounts, PunctualityLines,
    QueryObservationsRequest, ScheduleItem,
};

use super::{
    embargo::{assert_bare, attempts, embargo, set, until_attempts, wanted},
    feed::{after, all, try_watch},
    figures::with_figures,
    package::{FIGURES, NAMES, registry},
    recompute::date,
    *,
};

const JANUARY: &str = "forms/1/editions/2025-M01";
const UNTIL: &str = "2025-02-05T10:00:00Z";
const ONE_SECOND_EARLY: &str = "2025-02-05T09:59:59Z";
const CONTENT: &[u8] = b"a;b\n1;2\n";
const CHANNELS: [Place; 3] = [Place::InformationService, Place::OfficialWebsite, Place::OpenDataPortal];
const LAW: &str = "Instruction, para 14 (assumed)";

/// A registry one second before the embargo of an edition ends that is placed on every channel, with figures and a package.
async fn under_embargo() -> Registry {
    let registry = registry(NAMES, FIGURES).await;
    let mut operator = registry.operator();
    set(&mut operator, embargo(UNTIL, &["supreme-court"]))
        .await
        .expect("it is set");
    for channel in CHANNELS {
        place(&mut operator, &placing(JANUARY, channel))
            .await
            .expect("it is placed");
    }
    registry.set_clock(ONE_SECOND_EARLY);
    registry
}

/// How often each method served a caller early, or was refused or gave less, as the journal has it.
async fn journaled(registry: &Registry, outcome: &str, caller: &str) -> BTreeMap<String, i64> {
    let sql = "SELECT split_part(method, '/', 3), sum(count)::bigint FROM forms.journal_entry
               WHERE outcome = $1 AND caller = $2 AND resource IN ($3, '')
                 AND (outcome = 'DONE' OR reason = 'ERROR_REASON_EDITION_EMBARGOED')
               GROUP BY 1";
    let rows: Vec<(String, i64)> = sqlx::query_as(sql)
        .bind(outcome)
        .bind(caller)
        .bind(JANUARY)
        .fetch_all(&mut registry.database().await)
        .await
        .expect("it is readable");
    rows.into_iter().collect()
}

fn counts(expected: &[(&str, i64)]) -> BTreeMap<String, i64> {
    let own = |(method, count): &(&str, i64)| ((*method).to_owned(), *count);
    expected.iter().map(own).collect()
}

/// The same edition asked for in several ways.
fn lists() -> Vec<ListEditionsRequest> {
    let own = ListEditionsRequest {
        parent: "forms/1".into(),
        year: 2025,
        ..Default::default()
    };
    let in_state = |state: EditionState| ListEditionsRequest {
        state: state.into(),
        ..own.clone()
    };
    let by_due = ListEditionsRequest {
        parent: "forms/-".into(),
        due_from: date(2025, 2, 5),
        due_to: date(2025, 2, 5),
        ..Default::default()
    };
    vec![
        in_state(EditionState::Scheduled),
        in_state(EditionState::Placed),
        own,
        by_due,
    ]
}

fn schedules() -> Vec<ListScheduleRequest> {
    let year = ListScheduleRequest {
        year: 2025,
        ..Default::default()
    };
    let placed = ListScheduleRequest {
        state: EditionState::Placed.into(),
        ..year.clone()
    };
    let due = ListScheduleRequest {
        form: "forms/1".into(),
        due_from: date(2025, 2, 5),
        due_to: date(2025, 2, 5),
        ..Default::default()
    };
    vec![year, placed, due]
}

fn queries() -> Vec<QueryObservationsRequest> {
    let january = QueryObservationsRequest {
        parent: "forms/1".into(),
        period: "2025-M01".into(),
        revision: 1,
        ..Default::default()
    };
    let totals = QueryObservationsRequest {
        parent: "forms/1".into(),
        indicators: vec!["1.1".into()],
        total_over: vec!["TERRITORY".into(), "GRAVITY".into()],
        ..Default::default()
    };
    vec![january, totals]
}

/// By whole forms, by a named indicator, and by words.
fn items() -> Vec<AvailabilityItem> {
    let form = AvailabilityItem {
        form: "forms/1".into(),
        period: "2025-M01".into(),
        ..Default::default()
    };
    let indicator = AvailabilityItem {
        indicator: "forms/1/indicators/1.1".into(),
        ..form.clone()
    };
    let words = AvailabilityItem {
        words: "crimes".into(),
        unit: "CRIME".into(),
        ..form.clone()
    };
    vec![form, indicator, words]
}

async fn packaged(client: &mut Client, version: &str) -> Result<OpenDataPackage, Status> {
    let request = GetOpenDataPackageRequest {
        name: JANUARY.into(),
        version: version.into(),
    };
    let package = client.get_open_data_package(request).await;
    package.map(tonic::Response::into_inner)
}

/// How many bytes of a file of a package are sent.
async fn packed(client: &mut Client, version: &str, path: &str) -> Result<usize, Status> {
    let request = DownloadOpenDataFileRequest {
        name: format!("{JANUARY}/openDataPackages/{version}"),
        path: path.into(),
    };
    let mut stream = client.download_open_data_file(request).await?.into_inner();
    let mut messages = 0;
    while stream.message().await?.is_some() {
        messages += 1;
    }
    Ok(messages)
}

async fn listed(client: &mut Client, request: ListEditionsRequest) -> Vec<Edition> {
    let listed = client.list_editions(request).await;
    listed.expect("it lists").into_inner().editions
}

async fn scheduled(client: &mut Client, request: ListScheduleRequest) -> Vec<ScheduleItem> {
    let listed = client.list_schedule(request).await;
    listed.expect("it lists").into_inner().items
}

async fn placements(client: &mut Client, parent: &str) -> usize {
    let request = ListPlacementsRequest {
        parent: parent.into(),
        ..Default::default()
    };
    let page = client.list_placements(request).await.expect("it lists").into_inner();
    assert_eq!(page.next_page_token, "");
    page.placements.len()
}

async fn queried(client: &mut Client, request: &QueryObservationsRequest) -> Vec<Observation> {
    let answer = client.query_observations(request.clone()).await;
    answer.expect("it answers").into_inner().observations
}

async fn availability(registry: &Registry, caller: &str) -> CheckAvailabilityResponse {
    let request = CheckAvailabilityRequest {
        items: items(),
        ..Default::default()
    };
    let answer = registry.client(Some(caller)).check_availability(request).await;
    answer.expect("it answers").into_inner()
}

async fn january_counts(client: &mut Client) -> PunctualityCounts {
    let request = GetPunctualityRequest {
        year: 2025,
        form: "forms/1".into(),
        period: "2025-M01".into(),
        lines: PunctualityLines::ByPeriod.into(),
        ..Default::default()
    };
    let report = client.get_punctuality(request).await.expect("it counts").into_inner();
    assert_eq!(report.lines[0].counts, report.counts);
    report.counts.expect("it has counts")
}

/// Thirty-two tries, each by another path or with another guess: files, editions, lists, schedules, placements, packages,
/// figures, a count, the feed, and what intake asks for on behalf of others.
async fn attack(registry: &Registry, caller: Option<&str>, feed: &str) {
    let mut client = registry.client(caller);
    for request in wanted(CONTENT) {
        let refused = fetch(&mut client, request).await;
        assert_refused(refused, Code::PermissionDenied, "EDITION_EMBARGOED", LAW);
    }
    for version in ["", "v1", "draft"] {
        let refused = packaged(&mut client, version).await;
        assert_refused(refused, Code::PermissionDenied, "EDITION_EMBARGOED", LAW);
    }
    for (version, path) in [("v1", "figures-001.csv"), ("v2", "guessed.csv")] {
        let refused = packed(&mut client, version, path).await;
        assert_refused(refused, Code::PermissionDenied, "EDITION_EMBARGOED", LAW);
    }
    for view in [EditionView::Basic, EditionView::Full] {
        let request = GetEditionRequest {
            name: JANUARY.into(),
            view: view.into(),
            languages: Vec::new(),
        };
        let shown = client.get_edition(request).await.expect("it is scheduled");
        assert_bare(shown.get_ref());
    }
    for request in lists() {
        let is_shown = request.state != i32::from(EditionState::Placed);
        let listed = listed(&mut client, request).await;
        let own: Vec<_> = listed.iter().filter(|edition| edition.name == JANUARY).collect();
        assert_eq!(own.len(), usize::from(is_shown));
        own.into_iter().for_each(assert_bare);
    }
    for request in schedules() {
        let is_shown = request.state != i32::from(EditionState::Placed);
        let items = scheduled(&mut client, request).await;
        assert_eq!(items.iter().any(|item| item.edition == JANUARY), is_shown);
        assert!(items.iter().all(|item| item.state() == EditionState::Scheduled));
    }
    for parent in [JANUARY, "forms/1/editions/-", "forms/-/editions/-"] {
        assert_eq!(placements(&mut client, parent).await, 0, "{parent}");
    }
    for request in queries() {
        assert_eq!(queried(&mut client, &request).await, [], "{request:?}");
    }
    let expected = PunctualityCounts {
        expected: 1,
        not_due: 1,
        due_today: 1,
        ..Default::default()
    };
    assert_eq!(january_counts(&mut client).await, expected, "not even a count tells");
    let mut events = try_watch(&registry.running, feed, after(""))
        .await
        .expect("it is watched");
    let (told, _) = all(&mut events).await;
    let of_january = told.iter().filter(|(_, resource)| resource.starts_with(JANUARY));
    assert_eq!(of_january.count(), 0, "{told:?}");
    let answer = availability(registry, "request-intake").await;
    for item in answer.items {
        assert!(item.editions.is_empty() && item.holdings.is_empty(), "{item:?}");
    }
}

/// Of the thirty-two, by method, without the feed and what intake asks.
const OF_CALLER: [(&str, i64); 9] = [
    ("DownloadEditionFile", 10),
    ("DownloadOpenDataFile", 2),
    ("GetEdition", 2),
    ("GetOpenDataPackage", 3),
    ("GetPunctuality", 1),
    ("ListEditions", 4),
    ("ListPlacements", 3),
    ("ListSchedule", 3),
    ("QueryObservations", 2),
];
const TRIES: i64 = 32;

#[tokio::test]
async fn thirty_two_tries_by_every_path_serve_nothing_and_each_is_in_the_journal() {
    let registry = under_embargo().await;
    let feeds = [
        (None, "edms"),
        (Some("auditor"), "auditor"),
        (Some("administrator"), "administrator"),
    ];
    for (already, (caller, feed)) in (0..).zip(feeds) {
        attack(&registry, caller, feed).await;
        until_attempts(&registry, (already + 1) * TRIES).await;
        let mut expected = counts(&OF_CALLER);
        let watched = counts(&[("WatchForms", 1)]);
        if caller.is_some() {
            expected.extend(watched.clone());
        } else {
            assert_eq!(journaled(&registry, "REFUSED", feed).await, watched);
        }
        let name = caller.unwrap_or("anonymous");
        assert_eq!(journaled(&registry, "REFUSED", name).await, expected, "{name}");
        let asked = counts(&[("CheckAvailability", already + 1)]);
        assert_eq!(journaled(&registry, "REFUSED", "request-intake").await, asked);
    }
}

#[tokio::test]
async fn a_second_later_every_path_serves_it_and_nothing_is_an_attempt() {
    let registry = under_embargo().await;
    registry.set_clock(UNTIL);
    let mut anyone = registry.client(None);
    assert_eq!(download(&mut anyone, JANUARY).await.expect("it is open").1, CONTENT);
    assert_eq!(packaged(&mut anyone, "").await.expect("it is out").version, "v1");
    assert!(packed(&mut anyone, "v1", "figures-001.csv").await.expect("it is out") > 1);
    assert_eq!(placements(&mut anyone, JANUARY).await, 3);
    for request in queries() {
        assert!(!queried(&mut anyone, &request).await.is_empty());
    }
    let placed = january_counts(&mut anyone).await;
    assert_eq!((placed.placed, placed.on_time), (1, 1));
    let of_form = availability(&registry, "request-intake").await.items.swap_remove(0);
    assert!(of_form.editions.iter().any(|name| name == JANUARY), "{of_form:?}");
    let mut events = try_watch(&registry.running, "edms", after(""))
        .await
        .expect("it is watched");
    let placed = ("edition.placed".to_owned(), JANUARY.to_owned());
    assert!(all(&mut events).await.0.contains(&placed));
    assert_eq!(attempts(&registry, None).await, 0);
}

#[tokio::test]
async fn a_reader_who_is_named_is_served_by_every_path_and_each_reading_is_in_the_journal() {
    let registry = under_embargo().await;
    let mut reader = registry.client(Some("supreme-court"));
    assert_eq!(download(&mut reader, JANUARY).await.expect("it is named").1, CONTENT);
    assert_eq!(packaged(&mut reader, "v1").await.expect("it is named").version, "v1");
    assert!(packed(&mut reader, "v1", "figures-001.csv").await.expect("it is named") > 1);
    assert_eq!(get(&mut reader, JANUARY).await.state(), EditionState::Placed);
    // It is placed to its readers, so none of them finds it among what is expected.
    let expected = i32::from(EditionState::Scheduled);
    for request in lists().into_iter().filter(|request| request.state != expected) {
        let listed = listed(&mut reader, request).await;
        let own = listed
            .iter()
            .filter(|edition| edition.name == JANUARY && edition.state() == EditionState::Placed);
        assert_eq!(own.count(), 1);
    }
    for request in schedules() {
        let items = scheduled(&mut reader, request).await;
        let own = items.iter().find(|item| item.edition == JANUARY).expect("it is listed");
        assert_eq!(own.state(), EditionState::Placed);
    }
    assert_eq!(placements(&mut reader, JANUARY).await, 3);
    for request in queries() {
        assert!(!queried(&mut reader, &request).await.is_empty());
    }
    let mut expected = counts(&OF_CALLER);
    expected.remove("GetPunctuality");
    expected.extend(counts(&[
        ("DownloadEditionFile", 1),
        ("DownloadOpenDataFile", 1),
        ("GetEdition", 1),
        ("GetOpenDataPackage", 1),
        ("ListEditions", 3),
        ("ListPlacements", 1),
    ]));
    let readings = journaled(&registry, "DONE", "supreme-court").await;
    assert_eq!(readings, expected);
    assert_eq!(attempts(&registry, None).await, 0);
    // What counts and what tells of events names nobody whom the journal could name: they wait, whoever asks.
    assert_eq!(january_counts(&mut reader).await.placed, 0);
    let mut events = try_watch(&registry.running, "supreme-court", after(""))
        .await
        .expect("it is watched");
    let (told, _) = all(&mut events).await;
    assert!(
        told.iter().all(|(_, resource)| !resource.starts_with(JANUARY)),
        "{told:?}"
    );
    assert_eq!(journaled(&registry, "DONE", "supreme-court").await, expected);
}

#[tokio::test]
async fn who_prepares_it_is_served_by_every_path_and_nothing_is_recorded() {
    let registry = under_embargo().await;
    for caller in ["operator", "approver"] {
        let mut client = registry.client(Some(caller));
        download(&mut client, JANUARY).await.expect("it is shown");
        packaged(&mut client, "").await.expect("it is shown");
        packed(&mut client, "v1", "figures-001.csv").await.expect("it is shown");
        assert_eq!(get(&mut client, JANUARY).await.state(), EditionState::Placed);
        assert_eq!(placements(&mut client, JANUARY).await, 3);
        for request in queries() {
            assert!(!queried(&mut client, &request).await.is_empty());
        }
        january_counts(&mut client).await;
        let mut events = try_watch(&registry.running, caller, after(""))
            .await
            .expect("it is watched");
        let placed = ("edition.placed".to_owned(), JANUARY.to_owned());
        assert!(all(&mut events).await.0.contains(&placed), "{caller}");
    }
    assert_eq!(attempts(&registry, None).await, 0);
}

#[tokio::test]
async fn growth_and_totals_of_the_next_year_tell_nothing_of_an_edition_under_an_embargo() {
    const NEXT: &str = super::imports::JANUARY;
    let registry = with_figures(&[]).await;
    let mut operator = registry.operator();
    let until = "2026-11-05T10:00:00Z";
    set(&mut operator, embargo(until, &["supreme-court"]))
        .await
        .expect("it is set");
    for name in [JANUARY, NEXT] {
        seal(&mut operator, name).await;
        place(&mut operator, &placing(name, Place::InformationService))
            .await
            .expect("it is placed");
    }
    registry.set_clock("2026-11-05T09:59:59Z");
    let plain = QueryObservationsRequest {
        parent: "forms/1".into(),
        period: "2026-M01".into(),
        ..Default::default()
    };
    let grown = QueryObservationsRequest {
        growth: true,
        ..plain.clone()
    };
    let totals = QueryObservationsRequest {
        indicators: vec!["crimes".into()],
        total_over: vec!["SEX".into(), "TERRITORY".into()],
        ..grown.clone()
    };
    let tells_of_before =
        |observation: &Observation| !observation.previous_value.is_empty() || !observation.growth_percent.is_empty();
    let mut expected = 0;
    for caller in [None, Some("edms"), Some("auditor")] {
        let mut client = registry.client(caller);
        for request in [&grown, &totals] {
            let told = queried(&mut client, request).await;
            assert!(
                !told.is_empty() && !told.iter().any(tells_of_before),
                "{caller:?}: {told:?}"
            );
            expected += 1;
            until_attempts(&registry, expected).await;
        }
        assert!(!queried(&mut client, &plain).await.is_empty());
    }
    let mut reader = registry.client(Some("supreme-court"));
    assert!(queried(&mut reader, &grown).await.iter().any(tells_of_before));
    assert_eq!(
        journaled(&registry, "DONE", "supreme-court").await,
        counts(&[("QueryObservations", 1)])
    );
    registry.set_clock(until);
    for request in [&grown, &totals] {
        let told = queried(&mut registry.client(None), request).await;
        assert!(told.iter().any(tells_of_before), "{told:?}");
    }
    assert_eq!(
        attempts(&registry, None).await,
        expected,
        "what is no secret is no attempt"
    );
}
