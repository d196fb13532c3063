//! GetRequestStatus: what the holder of a coupon is told, and how often others may guess.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use legalstat_local::testing::{
    harness::Running,
    refusals::{pairs, refused, violations},
};
use legalstat_proto::requests::v1::{
    self as proto, GetRequestStatusRequest, RequestState, RequestStatus, WithdrawRequestRequest,
};
use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::stage::{Client, NOW, Stage, recorded, request, submission, submit_for_secret};
use crate::SERVICE;

/// A secret that is no coupon's.
const WRONG: &str = "00000-00000-00000-00000";

async fn status(client: &mut Client, coupon_number: &str, secret: &str) -> Result<RequestStatus, Status> {
    let message = GetRequestStatusRequest {
        coupon_number: coupon_number.into(),
        secret: secret.into(),
        languages: Vec::new(),
    };
    client
        .get_request_status(message)
        .await
        .map(tonic::Response::into_inner)
}

async fn accepted(stage: &Stage, caller: &str, request: proto::Request) -> proto::Request {
    let accepted = submit_for_secret(&mut stage.client(caller), submission(request)).await;
    accepted.expect("it is accepted")
}

/// The number and the secret of a request's coupon.
fn held(request: &proto::Request) -> (String, String) {
    let coupon = request.coupon.clone().expect("it has one");
    (coupon.number, coupon.secret)
}

/// How long one must wait.
fn wait(status: &Status) -> Duration {
    let details = status.get_error_details();
    let told = details.retry_info().and_then(|told| told.retry_delay);
    told.expect("it says when to try again")
}

#[tokio::test]
async fn whoever_holds_a_coupon_is_told_where_the_request_stands_by_which_law_and_nothing_personal() {
    let stage = Stage::set().await;
    let mut incomplete = request();
    (incomplete.items[0].period, incomplete.items[0].until_period) = (String::new(), String::new());
    for (caller, request, away, state, findings) in [
        ("edms", request(), false, RequestState::Registered, 0),
        ("edms", incomplete, false, RequestState::AwaitingClarification, 1),
        (
            "operator",
            recorded(proto::Channel::Oral),
            false,
            RequestState::LeftWithoutConsideration,
            1,
        ),
        ("edms", request(), true, RequestState::Received, 0),
    ] {
        stage.fakes.set_away(away);
        let accepted = accepted(&stage, caller, request.clone()).await;
        let (number, secret) = held(&accepted);
        let told = status(&mut stage.stranger(), &number, &secret)
            .await
            .expect("it is held");
        assert_eq!((told.state(), told.coupon_number.as_str()), (state, number.as_str()));
        assert_eq!(told.registration_number, accepted.registration_number);
        assert_eq!(
            (told.registered_on, told.due_date),
            (accepted.registered_on, accepted.due_date)
        );
        assert_eq!(told.accepted_at, accepted.coupon.and_then(|coupon| coupon.accepted_at));
        assert_eq!(told.findings.len(), findings, "{state:?}");
        assert_eq!(told.awaited.is_none(), state == RequestState::LeftWithoutConsideration);
        let notes = told.stands.iter().chain(&told.awaited).chain(&told.findings);
        for note in notes {
            let text = note.text.as_ref().expect("it says something");
            assert!(
                !text.kk.is_empty() && !text.ru.is_empty() && !text.en.is_empty(),
                "{text:?}"
            );
            assert!(
                note.legal_basis.as_ref().is_some_and(|law| !law.provision.is_empty()),
                "{text:?}"
            );
        }
        let bytes = String::from_utf8_lossy(&told.encode_to_vec()).into_owned();
        let requester = request.requester.unwrap_or_default();
        for personal in [
            &requester.full_name,
            &requester.bin,
            &request.essence,
            &request.items[0].description,
        ] {
            assert!(!bytes.contains(personal.as_str()), "{personal}");
        }
    }
}

#[tokio::test]
async fn number_and_secret_are_spelled_freely() {
    let stage = Stage::set().await;
    let accepted = accepted(&stage, "edms", request()).await;
    let (number, secret) = held(&accepted);
    let mut stranger = stage.stranger();
    for (number, secret) in [
        (number.to_lowercase(), secret.to_lowercase()),
        (number.replace('-', ""), secret.replace('-', "")),
        (number.replace('-', " – "), secret.replace('-', "  ")),
        (number.clone(), secret.replace('0', "O").replace('1', "l")),
        // Cyrillic letters that look like them.
        (
            number.replace('C', "С").replace('H', "Н"),
            secret.replace('A', "А").replace('0', "О"),
        ),
    ] {
        let told = status(&mut stranger, &number, &secret).await;
        assert!(told.is_ok(), "{number} {secret}: {told:?}");
    }
}

#[tokio::test]
async fn a_wrong_number_a_wrong_secret_and_anothers_secret_are_told_the_same() {
    let stage = Stage::set().await;
    let (one, other) = (
        accepted(&stage, "edms", request()).await,
        accepted(&stage, "edms", request()).await,
    );
    let (number, secret) = held(&one);
    let mut stranger = stage.stranger();
    let mut told = Vec::new();
    for (number, secret) in [
        ("20260302-00000000", secret.as_str()),
        ("x", &secret),
        (&number, WRONG),
        (&number, &held(&other).1),
        (&number, &secret[1..]),
        (&number, "'; DROP TABLE requests.request; --"),
    ] {
        let status = refused(
            status(&mut stranger, number, secret).await,
            Code::NotFound,
            "RESOURCE_NOT_FOUND",
        );
        assert!(!status.message().contains(number) && !status.message().contains(secret));
        told.push((status.message().to_owned(), status.details().to_vec()));
    }
    told.dedup();
    assert_eq!(told.len(), 1);
    status(&mut stranger, &number, &secret).await.expect("it is held still");
    for (number, secret, field) in [
        ("", WRONG, "coupon_number"),
        ("x", "", "secret"),
        ("x", "a\u{0}", "secret"),
    ] {
        let reasons = violations(status(&mut stranger, number, secret).await);
        assert_eq!(
            reasons.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(),
            [field]
        );
    }
    let long = "0".repeat(101);
    let expected = pairs(&[("coupon_number", "TOO_LONG"), ("secret", "TOO_LONG")]);
    assert_eq!(violations(status(&mut stranger, &long, &long).await), expected);
}

#[tokio::test]
async fn a_request_of_a_release_that_gave_no_secret_has_none_that_fits() {
    let stage = Stage::set().await;
    let (number, secret) = held(&accepted(&stage, "edms", request()).await);
    stage
        .execute(
            "UPDATE requests.request SET coupon_content_sha256 = NULL, coupon_key = NULL, coupon_signature = NULL,
                 coupon_secret_digest = NULL",
        )
        .await;
    for secret in [secret.as_str(), WRONG, "0"] {
        refused(
            status(&mut stage.stranger(), &number, secret).await,
            Code::NotFound,
            "RESOURCE_NOT_FOUND",
        );
    }
}

/// A stage whose clock the test moves.
async fn moved(settings: &[(&'static str, &str)]) -> (Stage, Arc<Mutex<Timestamp>>) {
    let clock = Arc::new(Mutex::new(NOW.parse().expect("an instant")));
    let told = Arc::clone(&clock);
    let stage = Stage::set_on(settings, async |settings| {
        let told = Arc::clone(&told);
        Running::start(&SERVICE, settings, move || *told.lock().expect("no test panics here")).await
    });
    (stage.await, clock)
}

const MANY: &str = "1000";

#[tokio::test]
async fn a_coupons_secret_is_guessed_so_often_and_then_not_even_the_right_one_is_taken_until_its_time_is_over() {
    let limits = [
        ("LEGALSTAT_SECRET_TRIES", "3"),
        ("LEGALSTAT_SECRET_TRIES_SECONDS", "600"),
    ];
    let (stage, clock) = moved(&[limits[0], limits[1], ("LEGALSTAT_SECRET_TRIES_BY_ADDRESS", MANY)]).await;
    let (number, secret) = held(&accepted(&stage, "edms", request()).await);
    let other = held(&accepted(&stage, "edms", request()).await);
    let mut stranger = stage.stranger();
    for _ in 0..3 {
        // The right secret counts for nothing, and takes nothing back.
        status(&mut stranger, &number, &secret).await.expect("it is held");
        refused(
            status(&mut stranger, &number, WRONG).await,
            Code::NotFound,
            "RESOURCE_NOT_FOUND",
        );
    }
    let exhausted = |told| refused(told, Code::ResourceExhausted, "TOO_MANY_TRIES");
    for secret in [secret.as_str(), WRONG] {
        let told = exhausted(status(&mut stranger, &number.to_lowercase(), secret).await);
        assert_eq!(wait(&told), Duration::from_secs(600));
    }
    status(&mut stranger, &other.0, &other.1)
        .await
        .expect("another coupon is another's");

    // Another replica, or the same after a restart.
    let told = Arc::clone(&clock);
    let settings = [
        ("LEGALSTAT_CALENDAR_URL", stage.fakes.url.clone()),
        ("LEGALSTAT_FORM_REGISTRY_URL", stage.fakes.url.clone()),
        ("LEGALSTAT_SIGNING_KEYS", signing_keys().await),
        ("LEGALSTAT_FILES", stage.files.path().display().to_string()),
        ("LEGALSTAT_SECRET_TRIES", "3".to_owned()),
        ("LEGALSTAT_SECRET_TRIES_SECONDS", "600".to_owned()),
    ];
    let replica = stage
        .running
        .replica(&SERVICE, &settings, move || *told.lock().expect("no test panics here"));
    let replica = replica.await;
    let mut there = Client::new(replica.channel(None));
    exhausted(status(&mut there, &number, &secret).await);

    *clock.lock().expect("no test panics here") += Duration::from_secs(600);
    for client in [&mut stranger, &mut there] {
        status(client, &number, &secret).await.expect("its time is over");
    }
    refused(
        status(&mut there, &number, WRONG).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let wrong = "SELECT coalesce(max(wrong), 0)::bigint FROM requests.coupon_try";
    assert_eq!(stage.count(wrong).await, 1, "it is counted anew");
    replica.stop().await;
}

async fn signing_keys() -> String {
    legalstat_local::testing::harness::Ground::shared().await.signing_keys()
}

#[tokio::test]
async fn a_number_that_is_no_coupons_is_refused_as_often_and_leaves_no_row() {
    let limits = [
        ("LEGALSTAT_SECRET_TRIES", "3"),
        ("LEGALSTAT_SECRET_TRIES_BY_ADDRESS", MANY),
    ];
    let (stage, _) = moved(&limits).await;
    let mut stranger = stage.stranger();
    for _ in 0..3 {
        refused(
            status(&mut stranger, "20260302-00000000", WRONG).await,
            Code::NotFound,
            "RESOURCE_NOT_FOUND",
        );
    }
    let spelled = " 20260302 oooooooo";
    refused(
        status(&mut stranger, spelled, WRONG).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let told = status(&mut stranger, "20260302 – 00000000", WRONG).await;
    refused(told, Code::ResourceExhausted, "TOO_MANY_TRIES");
    assert_eq!(stage.count("SELECT count(*) FROM requests.coupon_try").await, 0);
}

#[tokio::test]
async fn an_address_guesses_so_often_whatever_the_coupons() {
    let limits = [
        ("LEGALSTAT_SECRET_TRIES_BY_ADDRESS", "4"),
        ("LEGALSTAT_SECRET_TRIES_SECONDS", "60"),
    ];
    let (stage, clock) = moved(&limits).await;
    let (number, secret) = held(&accepted(&stage, "edms", request()).await);
    let mut stranger = stage.stranger();
    for place in 0..4 {
        status(&mut stranger, &number, &secret).await.expect("it is held");
        let wrong = status(&mut stranger, &format!("20260302-0000000{place}"), WRONG).await;
        refused(wrong, Code::NotFound, "RESOURCE_NOT_FOUND");
    }
    let told = status(&mut stranger, &number, &secret).await;
    let told = refused(told, Code::ResourceExhausted, "TOO_MANY_TRIES");
    assert_eq!(wait(&told), Duration::from_secs(60));
    *clock.lock().expect("no test panics here") += Duration::from_secs(60);
    status(&mut stranger, &number, &secret).await.expect("the time is over");
}

#[tokio::test]
async fn what_was_decided_afterwards_is_told_without_the_words_of_who_decided() {
    let stage = Stage::set().await;
    let accepted = accepted(&stage, "edms", request()).await;
    let (number, secret) = held(&accepted);
    let reason = "a letter of A. B. Personov";
    let withdrawn = WithdrawRequestRequest {
        name: accepted.name,
        reason: reason.into(),
        request_id: uuid::Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let withdrawn = stage.client("edms").withdraw_request(withdrawn).await;
    let withdrawn = withdrawn.expect("it is open").into_inner();
    let told = status(&mut stage.stranger(), &number, &secret)
        .await
        .expect("it is held");
    assert_eq!(told.state(), RequestState::Withdrawn);
    assert_eq!(
        (told.awaited.is_none(), told.update_time),
        (true, withdrawn.update_time)
    );
    assert!(!String::from_utf8_lossy(&told.encode_to_vec()).contains("Personov"));
}

#[tokio::test]
async fn a_database_that_fails_spends_no_tries() {
    let limits = [("LEGALSTAT_SECRET_TRIES_BY_ADDRESS", "2")];
    let (stage, _) = moved(&limits).await;
    let (number, secret) = held(&accepted(&stage, "edms", request()).await);
    let mut stranger = stage.stranger();
    stage.execute("ALTER FUNCTION requests.folded RENAME TO unfolded").await;
    for _ in 0..3 {
        let failed = status(&mut stranger, &number, &secret).await;
        assert_eq!(failed.expect_err("it cannot be looked up").code(), Code::Internal);
    }
    stage.execute("ALTER FUNCTION requests.unfolded RENAME TO folded").await;
    status(&mut stranger, &number, &secret).await.expect("no try is spent");
}
