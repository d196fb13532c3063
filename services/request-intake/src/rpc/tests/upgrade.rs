//! What becomes of a database that an earlier release filled.

use std::time::Duration;

use jiff::Timestamp;
use legalstat_local::testing::harness::Running;
use legalstat_proto::{
    common::v1::Date,
    requests::v1::{CheckOutcome, GetRequestRequest, ListRequestsRequest, Request, RequestState},
};

use legalstat_kit::door::word::Word as _;

use super::stage::{NOW, Stage, request, submission, submit};
use crate::{SERVICE, domain::examination::CheckRule};

/// The first migration that the release lacked whose rows these are.
const FINDINGS: i64 = 20_261_126_000_000;
const REGISTERED: &str = "requests/11111111-1111-4111-8111-111111111111";
const WAITING: &str = "requests/22222222-2222-4222-8222-222222222222";

/// A request that is registered, with its checks and the steps of its due date, and one whose examination waits for a service.
const ROWS: &str = "
    INSERT INTO requests.request
        (id, accepted_by, accepted_at, coupon_number, received_at, channel, external_number, external_date, addressee, essence,
         language, requester_kind, requester_full_name, requester_bin, requester_postal_address, signatory_full_name,
         signatory_capacity, state, examination_pending, examination_round, examined_at, registration_number, registered_on,
         due_date, due_time, due_provisional, due_assumed, due_calendar_version, due_term)
    SELECT id::uuid, 'edms', at, coupon, at, 'UNIFIED_EDMS', external, '2026-02-20', '', 'crimes of a quarter', 'RU',
        'STATE_BODY', 'Ministry of Justice', '160340014245', '', 'The head', 'HEAD', state, pending, 2, at,
        number, CASE WHEN number IS NOT NULL THEN '2026-02-24'::date END,
        CASE WHEN number IS NOT NULL THEN '2026-03-11'::date END,
        CASE WHEN number IS NOT NULL THEN '2026-03-11T19:00:00Z'::timestamptz END,
        CASE WHEN number IS NOT NULL THEN false END, CASE WHEN number IS NOT NULL THEN false END,
        CASE WHEN number IS NOT NULL THEN 'of-before' END, CASE WHEN number IS NOT NULL THEN 'terms/state-body' END
    FROM (VALUES
        ('11111111-1111-4111-8111-111111111111', '2026-02-23T05:00:00Z'::timestamptz, 'T-0001', '12-3/АВ', 'REGISTERED', false,
         '2026-000007'),
        ('22222222-2222-4222-8222-222222222222', '2026-03-02T04:00:00Z', 'T-0002', '12-3/46', 'RECEIVED', true, NULL)
    ) AS r (id, at, coupon, external, state, pending, number);
    INSERT INTO requests.item (request, position, kind, description, unit, period, until_period, form)
    SELECT id, 0, 'STATISTICS', 'registered crimes', 'CRIME', '2025-Q1', '2025-Q4', 'forms/2' FROM requests.request;
    INSERT INTO requests.examination_check
    SELECT id, round, position, 'UNIT', outcome, '', '', '', text, 'Instruction', 'para 7', '', false
    FROM requests.request, (VALUES
        (1, 0, 'PENDING', 'of the round before'), (2, 0, 'PASSED', 'a unit is named'), (2, 1, 'UNDETERMINED', 'for an official')
    ) AS c (round, position, outcome, text)
    WHERE registration_number IS NOT NULL;
    INSERT INTO requests.deadline_step
    SELECT id, position, date::date, effect, '', '', text, 'Instruction', 'para 8', '', false
    FROM requests.request, (VALUES
        (0, '2026-02-24', 'START', 'the day of registration'), (1, '2026-03-11', 'DUE', 'the last day')
    ) AS s (position, date, effect, text)
    WHERE registration_number IS NOT NULL;
    INSERT INTO requests.registration_counter VALUES (2026, 7);
";

async fn upgraded() -> Stage {
    Stage::set_on(&[], async |settings| {
        let now: Timestamp = NOW.parse().expect("an instant");
        Running::start_upgraded((FINDINGS, ROWS), &SERVICE, settings, move || now).await
    })
    .await
}

async fn get(stage: &Stage, name: &str) -> Request {
    let request = GetRequestRequest {
        name: name.into(),
        ..GetRequestRequest::default()
    };
    let request = stage.client("edms").get_request(request).await;
    request.expect("it is there").into_inner()
}

/// Waits until the job has taken up the request that waited.
async fn until_examined(stage: &Stage) {
    let examined = async {
        while get(stage, WAITING).await.state() == RequestState::Received {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), examined).await;
    waited.expect("the job takes it up");
}

#[tokio::test]
async fn a_request_of_an_earlier_release_has_its_checks_its_steps_and_its_due_date() {
    let stage = upgraded().await;
    let registered = get(&stage, REGISTERED).await;
    let due = Date {
        year: 2026,
        month: 3,
        day: 11,
    };
    assert_eq!(
        (registered.state(), registered.due_date),
        (RequestState::Registered, Some(due))
    );
    assert_eq!(registered.registration_number, "2026-000007");
    let checks = registered.examination.expect("it was examined").checks;
    let told: Vec<_> = checks
        .iter()
        .map(|check| (check.outcome(), check.text.as_ref().map_or("", |text| text.en.as_str())))
        .collect();
    assert_eq!(
        told,
        [
            (CheckOutcome::Passed, "a unit is named"),
            (CheckOutcome::Undetermined, "for an official")
        ]
    );
    let steps = registered.deadline.expect("it has one").steps;
    assert_eq!(steps.len(), 2);
    assert_eq!(steps[1].date, Some(due));
}

#[tokio::test]
async fn a_request_of_an_earlier_release_is_found_however_its_number_is_spelled_and_the_next_has_the_next_number() {
    let stage = upgraded().await;
    // Latin letters for the Cyrillic ones, other case, and a space.
    let asked = ListRequestsRequest {
        external_number: "12 3/ab".into(),
        ..ListRequestsRequest::default()
    };
    let found = stage
        .client("edms")
        .list_requests(asked)
        .await
        .expect("it lists")
        .into_inner();
    let names: Vec<&str> = found.requests.iter().map(|request| request.name.as_str()).collect();
    assert_eq!(names, [REGISTERED]);
    until_examined(&stage).await;
    let next = submit(&mut stage.client("edms"), submission(request())).await;
    let mut numbers = vec![next.expect("it is accepted").registration_number];
    numbers.push(get(&stage, WAITING).await.registration_number);
    numbers.sort_unstable();
    assert_eq!(numbers, ["2026-000008", "2026-000009"], "after the last of before");
}

#[tokio::test]
async fn an_examination_that_waited_when_the_release_changed_is_carried_out() {
    let stage = upgraded().await;
    until_examined(&stage).await;
    let checks = get(&stage, WAITING).await.examination.expect("it was examined").checks;
    assert!(!checks.is_empty());
}

#[tokio::test]
async fn each_of_two_releases_reads_the_grounds_of_the_rules_that_it_knows() {
    let stage = upgraded().await;
    let of_before = "SELECT count(DISTINCT rule) FROM requests.ground";
    let all = "SELECT count(DISTINCT rule) FROM requests.rule_ground";
    let known = i64::try_from(CheckRule::ALL.len()).expect("a few");
    assert_eq!((stage.count(of_before).await, stage.count(all).await), (10, known));
    stage
        .execute(
            "INSERT INTO requests.rule_ground
             SELECT 'OF_A_LATER_RELEASE', decided_by, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision,
                 legal_basis_uri, legal_basis_assumed, grade, valid_from, valid_to
             FROM requests.ground WHERE rule = 'UNIT'",
        )
        .await;
    let accepted = submit(&mut stage.client("edms"), submission(request())).await;
    assert_eq!(accepted.expect("it is accepted").state(), RequestState::Registered);
}
