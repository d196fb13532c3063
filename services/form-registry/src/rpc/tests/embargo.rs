//! Embargoes, attacked: nothing is served before the instant, and every attempt is in the journal.

mod availability;
mod repeated;

use legalstat_proto::{
    common::v1::LegalBasis,
    forms::v1::{
        AvailabilityItem, Channel as Place, CheckAvailabilityRequest, EditionState, ListEditionsRequest,
        ListPlacementsRequest, ListScheduleRequest, PreReleaseReader, Punctuality, SetEmbargoRequest,
    },
};

use super::{recompute::date, *};

const JANUARY: &str = "forms/1/editions/2025-M01";
const UNTIL: &str = "2025-02-05T04:00:00Z";
const ONE_SECOND_EARLY: &str = "2025-02-05T03:59:59Z";
const CONTENT: &[u8] = b"indicator;1\n";

pub(super) fn embargo(until: &str, readers: &[&str]) -> SetEmbargoRequest {
    let basis = LegalBasis {
        act: "Instruction".into(),
        provision: "para 16".into(),
        ..Default::default()
    };
    let reader = |caller: &&str| PreReleaseReader {
        caller: (*caller).into(),
        legal_basis: Some(basis.clone()),
    };
    SetEmbargoRequest {
        name: JANUARY.into(),
        until: Some(legalstat_kit::door::wire::to_timestamp(instant(until))),
        reason: "a press conference".into(),
        readers: readers.iter().map(reader).collect(),
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    }
}

pub(super) async fn set(client: &mut Client, request: SetEmbargoRequest) -> Result<Edition, Status> {
    client.set_embargo(request).await.map(tonic::Response::into_inner)
}

/// A registry one second before the embargo of an edition that is placed ends.
async fn under_embargo() -> Registry {
    let registry = Registry::at("2025-02-03T05:00:00Z").await;
    let mut operator = registry.operator();
    set(&mut operator, embargo(UNTIL, &["supreme-court"]))
        .await
        .expect("it is set");
    upload(&mut operator, &header(JANUARY), CONTENT)
        .await
        .expect("it is taken");
    seal(&mut operator, JANUARY).await;
    let placed = place(&mut operator, &placing(JANUARY, Place::InformationService)).await;
    let placed = placed.expect("it is placed");
    assert_eq!(
        (placed.state(), placed.punctuality()),
        (EditionState::Placed, Punctuality::OnTime)
    );
    registry.set_clock(ONE_SECOND_EARLY);
    registry
}

/// How many attempts of a caller, or of all, are in the journal.
pub(super) async fn attempts(registry: &Registry, caller: Option<&str>) -> i64 {
    let mut database = registry.database().await;
    let sql = "SELECT coalesce(sum(count), 0)::bigint FROM forms.journal_entry
               WHERE outcome = 'REFUSED' AND reason = 'ERROR_REASON_EDITION_EMBARGOED' AND ($1::text IS NULL OR caller = $1)";
    sqlx::query_scalar(sql)
        .bind(caller)
        .fetch_one(&mut database)
        .await
        .expect("it is readable")
}

pub(super) async fn until_attempts(registry: &Registry, expected: i64) {
    let reached = async {
        while attempts(registry, None).await != expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, reached).await;
    assert!(waited.is_ok(), "{} of {expected}", attempts(registry, None).await);
}

pub(super) fn wanted(content: &[u8]) -> Vec<DownloadEditionFileRequest> {
    let whole = DownloadEditionFileRequest {
        name: JANUARY.into(),
        ..Default::default()
    };
    let sha256 = hex::encode(legalstat_kit::door::wire::sha256(content));
    let mut wanted = vec![whole.clone()];
    for filename in ["form.csv", "guessed.xlsx"] {
        let filename = filename.into();
        wanted.push(DownloadEditionFileRequest {
            filename,
            ..whole.clone()
        });
    }
    for revision in [1, 2] {
        wanted.push(DownloadEditionFileRequest {
            revision,
            ..whole.clone()
        });
    }
    for sha256 in [sha256, "00".repeat(32)] {
        wanted.push(DownloadEditionFileRequest {
            sha256,
            ..whole.clone()
        });
    }
    for (offset, length) in [(0, 1), (5, 0), (1_000_000, 1)] {
        wanted.push(DownloadEditionFileRequest {
            offset,
            length,
            ..whole.clone()
        });
    }
    wanted
}

pub(super) fn assert_bare(edition: &Edition) {
    assert_eq!(edition.state(), EditionState::Scheduled);
    assert_eq!(edition.punctuality(), Punctuality::NotDue);
    let shown = Edition {
        name: edition.name.clone(),
        form: edition.form.clone(),
        period: edition.period.clone(),
        state: EditionState::Scheduled.into(),
        due_date: edition.due_date,
        due_time: edition.due_time,
        provisional: edition.provisional,
        assumed: edition.assumed,
        calendar_version: edition.calendar_version.clone(),
        punctuality: Punctuality::NotDue.into(),
        due_date_changes: edition.due_date_changes.clone(),
        // Why it is due on that day is a matter of the calendar alone.
        due_date_steps: edition.due_date_steps.clone(),
        due_date_steps_missing: edition.due_date_steps_missing.clone(),
        ..Default::default()
    };
    assert_eq!(*edition, shown, "it says more than its period and due date");
}

/// Tries every way of reading once; gives how many tries that were.
async fn attack(client: &mut Client) -> i64 {
    let mut tries = 0;
    for request in wanted(CONTENT) {
        let refused = fetch(client, request).await;
        assert_refused(
            refused,
            Code::PermissionDenied,
            "EDITION_EMBARGOED",
            "Instruction, para 14 (assumed)",
        );
        tries += 1;
    }
    assert_bare(&get(client, JANUARY).await);
    for state in [EditionState::Unspecified, EditionState::Scheduled] {
        let listed = list(client, state).await;
        let own: Vec<_> = listed.iter().filter(|edition| edition.name == JANUARY).collect();
        assert_eq!(own.len(), 1);
        assert_bare(own[0]);
    }
    for state in [EditionState::Placed, EditionState::Sealed] {
        assert_eq!(list(client, state).await, [], "{state:?}");
    }
    tries += 5;
    let schedule = ListScheduleRequest {
        year: 2025,
        ..Default::default()
    };
    let items = client
        .list_schedule(schedule)
        .await
        .expect("it lists")
        .into_inner()
        .items;
    assert!(items.iter().all(|item| item.state() == EditionState::Scheduled));
    for parent in [JANUARY, "forms/1/editions/-", "forms/-/editions/-"] {
        let request = ListPlacementsRequest {
            parent: parent.into(),
            page_size: 1,
            ..Default::default()
        };
        let page = client.list_placements(request).await.expect("it lists").into_inner();
        assert_eq!((page.placements.len(), page.next_page_token.as_str()), (0, ""));
    }
    let counted = GetPunctualityRequest {
        year: 2025,
        form: "forms/1".into(),
        ..Default::default()
    };
    let report = client.get_punctuality(counted).await.expect("it counts").into_inner();
    assert_eq!((report.on_time, report.not_due), (0, 12), "not even a count tells");
    tries + 5
}

async fn list(client: &mut Client, state: EditionState) -> Vec<Edition> {
    let request = ListEditionsRequest {
        parent: "forms/1".into(),
        year: 2025,
        state: state.into(),
        ..Default::default()
    };
    client
        .list_editions(request)
        .await
        .expect("it lists")
        .into_inner()
        .editions
}

async fn is_available(registry: &Registry, caller: &str) -> bool {
    let item = AvailabilityItem {
        form: "forms/1".into(),
        period: "2025-M01".into(),
        ..AvailabilityItem::default()
    };
    let request = CheckAvailabilityRequest {
        items: vec![item],
        ..Default::default()
    };
    let answer = registry.client(Some(caller)).check_availability(request).await;
    !answer.expect("it answers").into_inner().items[0].editions.is_empty()
}

#[tokio::test]
async fn one_second_early_nothing_is_served_by_any_path_and_each_attempt_is_in_the_journal() {
    let registry = under_embargo().await;
    let mut expected = 0;
    for caller in [None, Some("edms"), Some("auditor"), Some("administrator")] {
        let tries = attack(&mut registry.client(caller)).await;
        assert_eq!(tries, 20);
        expected += tries;
        until_attempts(&registry, expected).await;
    }
    assert!(!is_available(&registry, "request-intake").await);
    expected += 1;
    until_attempts(&registry, expected).await;
    assert_eq!(attempts(&registry, Some("request-intake")).await, 1);
}

#[tokio::test]
async fn neither_the_length_of_a_page_nor_its_token_tells_of_an_embargo() {
    let registry = under_embargo().await;
    // Something that stands behind it in the order, and is no secret.
    let appeals = "forms/4/editions/2025-M01";
    let mut operator = registry.operator();
    upload(&mut operator, &header(appeals), b"a")
        .await
        .expect("it is taken");
    seal(&mut operator, appeals).await;
    place(&mut operator, &placing(appeals, Place::InformationService))
        .await
        .expect("it is placed");
    let mut anyone = registry.client(None);
    let request = ListEditionsRequest {
        parent: "forms/-".into(),
        state: EditionState::Placed.into(),
        page_size: 1,
        ..Default::default()
    };
    let page = anyone.list_editions(request).await.expect("it lists").into_inner();
    assert_eq!(
        page.editions
            .iter()
            .map(|edition| edition.name.as_str())
            .collect::<Vec<_>>(),
        [appeals]
    );
    assert_eq!(page.next_page_token, "");
    let request = ListScheduleRequest {
        year: 2025,
        state: EditionState::Placed.into(),
        page_size: 1,
        ..Default::default()
    };
    let page = anyone.list_schedule(request).await.expect("it lists").into_inner();
    assert_eq!(
        page.items.iter().map(|item| item.edition.as_str()).collect::<Vec<_>>(),
        [appeals]
    );
    assert_eq!(page.next_page_token, "");
    // It is among the scheduled ones, as one of which nothing was prepared.
    let request = ListScheduleRequest {
        year: 2025,
        form: "forms/1".into(),
        state: EditionState::Scheduled.into(),
        page_size: 5,
        ..Default::default()
    };
    let page = anyone
        .list_schedule(request.clone())
        .await
        .expect("it lists")
        .into_inner();
    assert_eq!((page.items.len(), page.items[0].edition.as_str()), (5, JANUARY));
    until_attempts(&registry, 3).await;
    let page = operator.list_schedule(request).await.expect("it lists").into_inner();
    assert_eq!(
        page.items[0].edition, "forms/1/editions/2025-M02",
        "who prepares it sees where it stands"
    );
}

#[tokio::test]
async fn a_list_that_leaves_it_out_by_its_due_date_is_no_attempt() {
    let registry = under_embargo().await;
    let mut anyone = registry.client(None);
    let placed = |due_from| ListEditionsRequest {
        parent: "forms/1".into(),
        state: EditionState::Placed.into(),
        due_from,
        ..Default::default()
    };
    let overdue = ListScheduleRequest {
        overdue: true,
        state: EditionState::Placed.into(),
        ..Default::default()
    };
    anyone.list_editions(placed(date(2025, 2, 6))).await.expect("it lists");
    anyone.list_schedule(overdue).await.expect("it lists");
    download(&mut anyone, JANUARY).await.expect_err("it is withheld");
    until_attempts(&registry, 1).await;
    let asked = anyone.list_editions(placed(date(2025, 2, 5))).await.expect("it lists");
    assert!(asked.get_ref().editions.is_empty());
    until_attempts(&registry, 2).await;
}

#[tokio::test]
async fn thirty_two_tries_serve_nothing_and_are_thirty_two_in_the_journal() {
    let registry = under_embargo().await;
    for (caller, name) in [(None, "anonymous"), (Some("edms"), "edms")] {
        let mut client = registry.client(caller);
        for request in wanted(CONTENT).into_iter().cycle().take(32) {
            let refused = fetch(&mut client, request).await;
            assert_refused(
                refused,
                Code::PermissionDenied,
                "EDITION_EMBARGOED",
                "Instruction, para 14 (assumed)",
            );
        }
        let before = attempts(&registry, None).await;
        until_attempts(&registry, if caller.is_some() { 64 } else { 32 }).await;
        assert!(before <= 64);
        assert_eq!(attempts(&registry, Some(name)).await, 32);
    }
}

#[tokio::test]
async fn from_its_instant_on_everything_is_served_and_no_attempt_is_recorded() {
    let registry = under_embargo().await;
    registry.set_clock(UNTIL);
    let mut anyone = registry.client(None);
    assert_eq!(download(&mut anyone, JANUARY).await.expect("it is open").1, CONTENT);
    let shown = get(&mut anyone, JANUARY).await;
    assert_eq!(
        (shown.state(), shown.punctuality()),
        (EditionState::Placed, Punctuality::OnTime)
    );
    let effective = shown.placements[0].effective_at.map(|at| at.seconds);
    assert_eq!(effective, Some(instant(UNTIL).as_second()));
    assert_eq!(list(&mut anyone, EditionState::Placed).await.len(), 1);
    assert!(is_available(&registry, "request-intake").await);
    assert_eq!(attempts(&registry, None).await, 0);
}

#[tokio::test]
async fn who_prepares_it_sees_it_and_a_reader_named_reads_it_with_an_entry_for_each_reading() {
    let registry = under_embargo().await;
    for caller in ["operator", "approver"] {
        let mut client = registry.client(Some(caller));
        assert!(download(&mut client, JANUARY).await.is_ok());
        assert!(get(&mut client, JANUARY).await.embargo.is_some());
    }
    assert!(!is_available(&registry, "operator").await, "not openly");
    let mut reader = registry.client(Some("supreme-court"));
    assert_eq!(download(&mut reader, JANUARY).await.expect("it is named").1, CONTENT);
    let shown = get(&mut reader, JANUARY).await;
    assert_eq!((shown.state(), shown.embargo), (EditionState::Placed, None));
    assert_eq!(list(&mut reader, EditionState::Placed).await.len(), 1);
    let mut database = registry.database().await;
    let sql = "SELECT split_part(method, '/', 3) FROM forms.journal_entry
               WHERE outcome = 'DONE' AND caller = 'supreme-court' AND resource = $1 ORDER BY number";
    let readings: Vec<String> = sqlx::query_scalar(sql)
        .bind(JANUARY)
        .fetch_all(&mut database)
        .await
        .expect("it is readable");
    assert_eq!(readings, ["DownloadEditionFile", "GetEdition", "ListEditions"]);
    assert_eq!(attempts(&registry, None).await, 0);
}

#[tokio::test]
async fn an_embargo_is_set_moved_and_lifted_only_before_the_edition_is_out() {
    let registry = Registry::at("2025-02-03T05:00:00Z").await;
    let mut operator = registry.operator();
    for (until, told) in [
        ("2025-02-03T05:00:00Z", "has passed"),
        ("2025-02-05T19:00:00Z", "would be late"),
    ] {
        let refused = set(&mut operator, embargo(until, &[])).await;
        let message = format!("{:?}", refused.as_ref().err().map(Status::get_error_details));
        assert!(message.contains(told), "{message}");
        assert_eq!(violations(refused), pairs(&[("until", "OUT_OF_RANGE")]));
    }
    let wrong = SetEmbargoRequest {
        reason: String::new(),
        until: None,
        readers: vec![PreReleaseReader::default()],
        ..embargo(UNTIL, &[])
    };
    let expected = [
        ("reason", "REQUIRED"),
        ("readers", "CONFLICT"),
        ("readers[0].caller", "REQUIRED"),
        ("readers[0].legal_basis.act", "REQUIRED"),
    ];
    assert_eq!(violations(set(&mut operator, wrong).await), pairs(&expected));
    let twice = set(&mut operator, embargo(UNTIL, &["edms", "edms"])).await;
    assert_eq!(violations(twice), pairs(&[("readers[1].caller", "DUPLICATE")]));

    let many: Vec<String> = (0..101).map(|number| format!("reader-{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let refused = set(&mut operator, embargo(UNTIL, &many)).await;
    assert_eq!(violations(refused), pairs(&[("readers", "TOO_MANY")]));

    set(&mut operator, embargo(UNTIL, &["edms"])).await.expect("it is set");
    let moved = set(&mut operator, embargo("2025-02-05T10:00:00Z", &[]))
        .await
        .expect("it is moved");
    assert_eq!(moved.embargo.expect("it holds").readers, []);
    upload(&mut operator, &header(JANUARY), CONTENT)
        .await
        .expect("it is taken");
    assert_bare(&get(&mut registry.client(Some("edms")), JANUARY).await);
    let lifted = SetEmbargoRequest {
        until: None,
        ..embargo(UNTIL, &[])
    };
    assert_eq!(set(&mut operator, lifted).await.expect("it is lifted").embargo, None);
    let shown = get(&mut registry.client(None), JANUARY).await;
    assert_eq!(shown.state(), EditionState::Prepared);
    seal(&mut operator, JANUARY).await;
    place(&mut operator, &placing(JANUARY, Place::OfficialWebsite))
        .await
        .expect("it is placed");
    let late = set(&mut operator, embargo(UNTIL, &[])).await;
    assert_refused(late, Code::FailedPrecondition, "WRONG_STATE", "Instruction, para 14");
}
