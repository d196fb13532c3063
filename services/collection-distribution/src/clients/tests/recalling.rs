//! Recalls on their way to a recipient's server.

use legalstat_proto::collections::v1::RecallCopyRequest;

use super::{
    servers::{Inbox, Server, body, grpc, shows},
    *,
};

async fn recall(ground: &Ground, server: &Server, until: Instant) -> Result<Answer, Failure> {
    let told = RecallCopyRequest {
        copy: "collections/crime/editions/2025-Q1/copies/7".into(),
        recipient: "recipients/supreme-court".into(),
        reason: "table 3 is wrong".into(),
        recalled_at: None,
    };
    ground.inboxes.recall(&court(server.port), &told, until).await
}

#[tokio::test]
async fn recalls_go_over_the_connection_that_waits_and_over_another_where_that_has_ended() {
    let (ground, inbox) = (Ground::new(), Inbox::honest());
    let server = Server::inbox(shows(&ground.identity(COURT)), inbox.clone()).await;
    for (asked, connections) in [(1, 1), (2, 1), (3, 2)] {
        if connections == 2 {
            server.cut().await;
        }
        let answer = recall(&ground, &server, Instant::now() + LONG).await;
        assert_eq!(answer, Ok(Answer::KnowsOfRecall));
        assert_eq!((inbox.seen.asked(), server.accepted()), (asked, connections));
    }
}

#[tokio::test]
async fn a_server_that_does_not_know_recalls_refuses_and_none_is_told_when_the_time_is_over() {
    let ground = Ground::new();
    let unknowing = || {
        let head = grpc().header("grpc-status", "12");
        head.body(body("", None)).expect("it is an answer")
    };
    let server = Server::http(shows(&ground.identity(COURT)), unknowing).await;
    let refused = recall(&ground, &server, Instant::now() + LONG).await;
    assert_outcome(
        &refused.expect_err("it knows no recall"),
        Outcome::Refused,
        "Unimplemented",
    );
    let accepted = server.accepted();
    let late = recall(&ground, &server, Instant::now()).await;
    assert_outcome(
        &late.expect_err("there is no time"),
        Outcome::NoAnswer,
        "within the time",
    );
    assert_eq!(server.accepted(), accepted);
}
