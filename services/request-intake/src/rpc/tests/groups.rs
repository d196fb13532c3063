//! Submissions that arrive together.

use std::{collections::HashSet, time::Duration};

use futures::{StreamExt as _, stream::FuturesUnordered};
use legalstat_local::testing::refusals::refused;
use legalstat_proto::requests::v1::{self as proto, RequestState, SubmitRequestRequest};
use sqlx::PgConnection;
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::stage::{Client, Stage, get, request, submission, submit};
use crate::SUBMISSIONS;

type Answered = Result<proto::Request, Status>;

const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(10);

/// The counter of the year in the hand of the test: registrations wait for it, and those that follow gather.
struct Held {
    holder: PgConnection,
    /// The request that made the counter.
    first: proto::Request,
}

impl Held {
    /// Takes the counter after the first request of the year.
    async fn counter(stage: &Stage) -> Self {
        let first = submit(&mut stage.client("edms"), submission(request())).await;
        let first = first.expect("it is accepted");
        assert_eq!(first.registration_number, "2026-000001");
        let mut holder = stage.running.superuser().await;
        for statement in ["BEGIN", "SELECT FROM requests.registration_counter FOR UPDATE"] {
            sqlx::query(statement).execute(&mut holder).await.expect("it is held");
        }
        Self { holder, first }
    }

    async fn release(mut self) {
        sqlx::query("COMMIT")
            .execute(&mut self.holder)
            .await
            .expect("it is released");
    }

    /// Waits until a group waits for the counter, and until what was sent over this channel has arrived.
    async fn gathered(&self, stage: &Stage, client: &mut Client) {
        let waiting = async {
            while stage
                .count("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
                .await
                == 0
            {
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("a group waits");
        // What is asked later over the same channel is answered later; reads wait for no registration.
        get(client, &self.first.name).await.expect("it is there");
    }
}

fn send(sending: &mut JoinSet<Answered>, client: &Client, message: SubmitRequestRequest) {
    let mut client = client.clone();
    sending.spawn(async move { submit(&mut client, message).await });
}

fn with_essence(essence: &str) -> SubmitRequestRequest {
    submission(proto::Request {
        essence: essence.into(),
        ..request()
    })
}

/// Requires these numbers to be those after the first, without gaps.
fn without_gaps(accepted: &[proto::Request]) {
    let mut numbers: Vec<_> = accepted.iter().map(|request| &request.registration_number).collect();
    numbers.sort();
    let expected: Vec<_> = (2..accepted.len() + 2)
        .map(|number| format!("2026-{number:06}"))
        .collect();
    assert_eq!(numbers, expected.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn sixty_four_copies_of_one_call_have_the_very_same_answer_and_one_effect() {
    let stage = Stage::set().await;
    let held = Held::counter(&stage).await;
    let mut clients = [(); 4].map(|()| stage.client("edms"));
    let message = submission(request());
    let mut sending = JoinSet::new();
    for copy in 0..64 {
        send(&mut sending, &clients[copy % clients.len()], message.clone());
    }
    for client in &mut clients {
        held.gathered(&stage, client).await;
    }
    held.release().await;
    let answers: Vec<_> = sending.join_all().await;
    let answers: Vec<_> = answers.into_iter().map(|answer| answer.expect("answered")).collect();
    assert_eq!(answers[0].state(), RequestState::Registered);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    // The first request and this one.
    for counted in [
        "SELECT count(*) FROM requests.request",
        "SELECT count(*) FROM requests.journal_entry WHERE outcome = 'DONE' AND resource LIKE 'requests/%'",
        "SELECT count(*) FROM requests.outbox_event WHERE resource LIKE 'requests/%'",
        "SELECT last::bigint FROM requests.registration_counter",
    ] {
        assert_eq!(stage.count(counted).await, 2, "{counted}");
    }
}

#[tokio::test]
async fn of_several_bodies_under_one_id_one_is_accepted_and_the_others_are_refused() {
    let stage = Stage::set().await;
    let held = Held::counter(&stage).await;
    let mut edms = stage.client("edms");
    let request_id = submission(request()).request_id;
    let mut sending = JoinSet::new();
    for body in 0..16 {
        let message = SubmitRequestRequest {
            request_id: request_id.clone(),
            ..with_essence(&format!("crimes {body}"))
        };
        send(&mut sending, &edms, message);
    }
    held.gathered(&stage, &mut edms).await;
    held.release().await;
    let (accepted, others): (Vec<_>, Vec<_>) = sending.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((accepted.len(), others.len()), (1, 15));
    for other in others {
        refused(other, Code::InvalidArgument, "REQUEST_ID_REUSED");
    }
    assert_eq!(stage.count("SELECT count(*) FROM requests.request").await, 2);
}

#[tokio::test]
async fn a_call_that_the_database_refuses_fails_alone() {
    let stage = Stage::set().await;
    let held = Held::counter(&stage).await;
    for statement in [
        "CREATE FUNCTION requests.refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'poison'; END $$",
        "CREATE TRIGGER poison BEFORE INSERT ON requests.request FOR EACH ROW WHEN (NEW.essence = 'poison')
         EXECUTE FUNCTION requests.refuse_poison()",
    ] {
        stage.execute(statement).await;
    }
    let mut edms = stage.client("edms");
    let mut sending = JoinSet::new();
    // One is being stored; the others gather behind it.
    send(&mut sending, &edms, submission(request()));
    held.gathered(&stage, &mut edms).await;
    for place in 0..20 {
        let essence = if place == 7 { "poison" } else { "crimes" };
        send(&mut sending, &edms, with_essence(essence));
    }
    held.gathered(&stage, &mut edms).await;
    held.release().await;
    let (accepted, mut others): (Vec<_>, Vec<_>) = sending.join_all().await.into_iter().partition(Result::is_ok);
    let accepted: Vec<_> = accepted.into_iter().flatten().collect();
    assert_eq!((accepted.len(), others.len()), (20, 1));
    refused(others.remove(0), Code::Internal, "INTERNAL");
    without_gaps(&accepted);
    // Rows that were undone have used up a place in the order of arrival: the refused one had company at first.
    let undone = "SELECT max(number) - count(*) FROM requests.request";
    assert!(stage.count(undone).await > 2);
    let next = submit(&mut edms, submission(request())).await.expect("it is accepted");
    assert_eq!(next.registration_number, "2026-000022");
}

#[tokio::test]
async fn more_calls_than_may_wait_are_refused_at_once_and_all_others_are_answered() {
    // What is let in is more than the groups take.
    let stage = Stage::set_with(&[("LEGALSTAT_WRITES", "4096"), ("LEGALSTAT_CALLS", "8192")]).await;
    let held = Held::counter(&stage).await;
    // Beside those that wait, one group is stored, and what is ready and what is prepared are no more than two others.
    let most = SUBMISSIONS.calls + (SUBMISSIONS.side_by_side + 1) * SUBMISSIONS.together;
    let excess = 48;
    let clients: Vec<Client> = (0..16).map(|_| stage.client("edms")).collect();
    let mut sending: FuturesUnordered<_> = (0..most + excess)
        .map(|place| {
            let mut client = clients[place % clients.len()].clone();
            async move { submit(&mut client, submission(request())).await }
        })
        .collect();
    let overloaded = |answer: Answered| {
        let status = refused(answer, Code::ResourceExhausted, "OVERLOADED");
        let delay = status
            .get_error_details()
            .retry_info()
            .and_then(|info| info.retry_delay);
        assert!(delay.is_some_and(|delay| delay > Duration::ZERO), "{status:?}");
    };
    // They are answered although nobody lets the counter go.
    for _ in 0..excess {
        overloaded(sending.next().await.expect("one is left"));
    }
    held.release().await;
    let mut accepted = Vec::new();
    while let Some(answer) = sending.next().await {
        match answer {
            Ok(request) => accepted.push(request),
            // Groups that were not full left others outside.
            refused => overloaded(refused),
        }
    }
    assert!(accepted.len() >= SUBMISSIONS.calls, "{}", accepted.len());
    let names: HashSet<&str> = accepted.iter().map(|request| request.name.as_str()).collect();
    assert_eq!(names.len(), accepted.len());
    without_gaps(&accepted);
}

#[tokio::test]
async fn who_hangs_up_while_his_group_waits_finds_his_request_under_his_id_afterwards() {
    let stage = Stage::set().await;
    let held = Held::counter(&stage).await;
    let mut edms = stage.client("edms");
    let message = submission(request());
    let mut sending = JoinSet::new();
    send(&mut sending, &edms, message.clone());
    held.gathered(&stage, &mut edms).await;
    sending.shutdown().await;
    // That he hung up has arrived once a later call is answered.
    get(&mut edms, &held.first.name).await.expect("it is there");
    held.release().await;

    let stored = async {
        while stage.count("SELECT count(*) FROM requests.request").await < 2 {
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(PATIENCE, stored).await.expect("it is stored");
    let found = submit(&mut edms, message).await.expect("it was accepted");
    assert_eq!(found.registration_number, "2026-000002");
    assert_eq!(get(&mut edms, &found.name).await.expect("it is there"), found);
    assert_eq!(stage.count("SELECT count(*) FROM requests.request").await, 2);
}

#[tokio::test]
async fn a_check_that_fails_takes_its_examination_from_none_of_those_beside_it() {
    let stage = Stage::set().await;
    let held = Held::counter(&stage).await;
    // Fails what looks for earlier requests for checks alone: a transaction that stores has read which calendar is followed.
    for statement in [
        "CREATE FUNCTION requests.refuse_checks() RETURNS boolean LANGUAGE plpgsql AS $$
         BEGIN
             IF current_query() LIKE '%registration_counter AS counter%' AND NOT EXISTS (
                 SELECT FROM pg_locks
                 WHERE pid = pg_backend_pid() AND relation = 'requests.calendar_following'::regclass)
             THEN RAISE EXCEPTION 'not now'; END IF;
             RETURN true;
         END $$",
        "CREATE POLICY no_checks ON requests.request USING (requests.refuse_checks()) WITH CHECK (true)",
        "ALTER TABLE requests.request ENABLE ROW LEVEL SECURITY",
    ] {
        stage.execute(statement).await;
    }
    let mut edms = stage.client("edms");
    let (mut stored, mut checked) = (JoinSet::new(), JoinSet::new());
    // One is being stored; the others gather behind it.
    send(&mut stored, &edms, submission(request()));
    held.gathered(&stage, &mut edms).await;
    for _ in 0..10 {
        let mut incomplete = request();
        incomplete.items[0].unit = 0;
        let check = SubmitRequestRequest {
            validate_only: true,
            ..submission(incomplete)
        };
        send(&mut checked, &edms, check);
        send(&mut stored, &edms, submission(request()));
    }
    held.gathered(&stage, &mut edms).await;
    held.release().await;
    for answer in checked.join_all().await {
        refused(answer, Code::Internal, "INTERNAL");
    }
    let stored: Vec<_> = stored.join_all().await.into_iter().flatten().collect();
    assert_eq!(stored.len(), 11);
    for request in &stored {
        assert_eq!(request.state(), RequestState::Registered, "{:?}", request.examination);
    }
    without_gaps(&stored);
}
