use legalstat_kit::door::wire;
use legalstat_proto::collections::v1::{RecallCopyRequest, RecallCopyResponse};

use super::*;
use crate::{recall::Recall, store};

const COPY: &str = "collections/crime/editions/2026-Q3/copies/1";

fn recalling() -> RecallCopyRequest {
    RecallCopyRequest {
        copy: COPY.into(),
        recipient: format!("recipients/{COURT}"),
        reason: "table 3 is wrong".into(),
        recalled_at: Some(wire::to_timestamp(now())),
    }
}

async fn recall(sender: &Sender, request: RecallCopyRequest) -> Result<RecallCopyResponse, Status> {
    sender
        .0
        .clone()
        .recall_copy(request)
        .await
        .map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_recall_is_stored_once_and_answered_the_same_again_also_after_a_restart_and_for_a_copy_that_comes_later() {
    let world = World::new();
    let inbox = world.start().await;
    let told = recall(&world.sender(&inbox), recalling()).await.expect("it is stored");
    let expected = wire::to_timestamp(wire::whole_microseconds(now()));
    assert_eq!(told.recorded_at, Some(expected));
    let content = content(1, 1000);
    let copy = world.copy(1, COURT, &content);
    assert_eq!(copy.name, COPY);
    world
        .sender(&inbox)
        .deliver(&copy, &content, Uuid::new_v4())
        .await
        .expect("a delivery that was under way ends");
    inbox.stop().await;

    let later = || now() + Duration::from_secs(3600);
    let inbox = RunningInbox::start(&world.setup(), later).await;
    let otherwise = RecallCopyRequest {
        reason: "told again".into(),
        ..recalling()
    };
    let again = recall(&world.sender(&inbox), otherwise).await;
    assert_eq!(again.expect("it is stored"), told);
    let stored = store::recalls(&world.store()).expect("they can be read");
    let first = Recall {
        told: recalling(),
        answer: told,
    };
    let place = COPY.parse().expect("the name of a copy");
    assert_eq!(stored.into_iter().collect::<Vec<_>>(), [(place, first)]);
    assert_eq!(inbox.received(), [COPY], "the copy lies where it lay");
}

#[tokio::test]
async fn all_that_is_wrong_with_a_recall_is_told_at_once_and_one_of_anothers_copy_waits() {
    let world = World::new();
    let inbox = world.start().await;
    let sender = world.sender(&inbox);
    let refused = recall(&sender, RecallCopyRequest::default())
        .await
        .expect_err("it says nothing");
    assert_eq!(refused.code(), Code::InvalidArgument);
    let fields: Vec<String> = violations(&refused).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["copy", "recipient", "reason", "recalled_at"]);
    let elsewhere = RecallCopyRequest {
        copy: "collections/../editions/2026-Q3/copies/1".into(),
        ..recalling()
    };
    let refused = recall(&sender, elsewhere).await.expect_err("it names no copy");
    assert_eq!(refused.code(), Code::InvalidArgument);
    let others = RecallCopyRequest {
        recipient: "recipients/senate".into(),
        ..recalling()
    };
    let refused = recall(&sender, others).await.expect_err("it is the senate's");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Unavailable, "RECIPIENT_NOT_SERVED")
    );
    assert!(store::recalls(&world.store()).expect("they can be read").is_empty());
}

#[tokio::test]
async fn a_recall_that_cannot_be_stored_is_not_answered() {
    let world = World::new();
    let inbox = world.start().await;
    let recalls = world.store().join("recalls");
    std::fs::remove_dir(&recalls).expect("it is empty");
    std::fs::write(&recalls, b"in the way").expect("the folder is ours");
    recall(&world.sender(&inbox), recalling())
        .await
        .expect_err("nothing can be stored");
    std::fs::remove_file(&recalls).expect("the folder is ours");
    recall(&world.sender(&inbox), recalling()).await.expect("there is room");
    let place = COPY.parse().expect("the name of a copy");
    assert!(
        store::recalled(&world.store(), &place)
            .expect("it can be read")
            .is_some()
    );
}
