//! What is kept of an answer for its repetition.

use legalstat_kit::signing::SigningKeys;
use legalstat_local::testing::harness::Ground;
use legalstat_proto::requests::v1::{self as proto, RequestState, SubmitRequestRequest};
use prost::Message;
use uuid::Uuid;

use super::stage::{Stage, recorded, request, submission, submit_for_secret};
use crate::{
    rpc::{coupons::Coupons, kept},
    shared_texts::SharedTexts,
};

/// How many bytes are kept of the answer to a plain request.
const PLAIN: usize = 1000;

/// Submits a request and gives its answer with what was kept of it.
async fn answered(stage: &Stage, caller: &str, request: proto::Request) -> (proto::Request, Vec<u8>) {
    let message: SubmitRequestRequest = submission(request);
    let request_id = Uuid::parse_str(&message.request_id).expect("it is one");
    let answer = submit_for_secret(&mut stage.client(caller), message)
        .await
        .expect("it is accepted");
    let kept = sqlx::query_scalar("SELECT response FROM requests.idempotency WHERE request_id = $1")
        .bind(request_id)
        .fetch_one(&mut stage.running.superuser().await)
        .await
        .expect("it was kept");
    (answer, kept)
}

#[tokio::test]
async fn an_answer_is_recalled_to_the_byte_by_a_service_with_nothing_in_memory() {
    let stage = Stage::set().await;
    let folder = Ground::shared().await.signing_keys();
    let coupons = Coupons::new(SigningKeys::open(folder.as_ref()).expect("it has a key"));
    let mut incomplete = request();
    (incomplete.items[0].period, incomplete.items[0].until_period) = (String::new(), String::new());
    for (caller, request, away, state) in [
        ("edms", request(), false, RequestState::Registered),
        ("edms", incomplete, false, RequestState::AwaitingClarification),
        (
            "operator",
            recorded(proto::Channel::Oral),
            false,
            RequestState::LeftWithoutConsideration,
        ),
        ("edms", request(), true, RequestState::Received),
    ] {
        stage.fakes.set_away(away);
        let (answer, kept) = answered(&stage, caller, request).await;
        assert_eq!(answer.state(), state);
        let mut connection = stage.running.runtime().await;
        let recalled = kept::recall(&mut connection, &SharedTexts::default(), &coupons, &kept).await;
        let recalled = recalled.expect("it is recalled");
        assert_eq!(recalled.encode_to_vec(), answer.encode_to_vec(), "{state:?}");
    }
}

#[tokio::test]
async fn little_is_kept_of_the_answer_to_a_plain_request() {
    let stage = Stage::set().await;
    let (answer, kept) = answered(&stage, "edms", request()).await;
    assert_eq!(answer.state(), RequestState::Registered);
    assert!(
        kept.len() < PLAIN && kept.len() < answer.encoded_len(),
        "{} of {} bytes",
        kept.len(),
        answer.encoded_len()
    );
}
