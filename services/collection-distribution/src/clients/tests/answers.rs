//! What servers answer.

use std::{collections::HashMap, sync::atomic::Ordering::SeqCst, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use legalstat_proto::{
    collections::v1::{Delivery, DeliveryRejection, delivery},
    common::v1::ErrorReason,
};
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::{
    servers::{Answered, Inbox, Server, body, framed, grpc, receipt, shows, stands, status},
    *,
};

async fn answering(answer: fn() -> http::Response<Answered>) -> Failure {
    let ground = Ground::new();
    let server = Server::http(shows(&ground.identity(COURT)), answer).await;
    ground.failure(&court(server.port)).await
}

/// How a delivery fails whose content is large: the answer comes in the middle of it.
async fn answered(inbox: Inbox) -> Failure {
    let ground = Ground::new();
    let server = Server::inbox(shows(&ground.identity(COURT)), inbox).await;
    let large = ground.store(&bytes(2_000_000));
    ground.failure_of(&court(server.port), parcel(vec![large])).await
}

#[tokio::test]
async fn a_redirection_is_told_and_not_followed() {
    let failure = answering(|| {
        let response = http::Response::builder()
            .status(307)
            .header("location", "https://elsewhere.example/");
        response.body(body("", None)).expect("a response")
    })
    .await;
    assert_outcome(&failure, Outcome::Redirected, "pointed to https://elsewhere.example/");
}

#[tokio::test]
async fn an_answer_that_is_no_grpc_is_unreadable() {
    let page = answering(|| {
        let response = http::Response::builder().header("content-type", "text/html");
        response.body(body("<h1>Welcome</h1>", None)).expect("a response")
    });
    assert_outcome(&page.await, Outcome::UnreadableAnswer, "text/html");
    let proxy = answering(|| {
        let response = http::Response::builder()
            .status(503)
            .header("content-type", "application/grpc");
        response.body(body("", None)).expect("a response")
    });
    assert_outcome(&proxy.await, Outcome::UnreadableAnswer, "HTTP 503");
    let web = answering(|| {
        let response = http::Response::builder().header("content-type", "application/grpc-web");
        response.body(body("", status("0"))).expect("a response")
    });
    assert_outcome(&web.await, Outcome::UnreadableAnswer, "grpc-web");
}

#[tokio::test]
async fn bytes_that_are_no_http2_are_unreadable() {
    let ground = Ground::new();
    let server = Server::secured(shows(&ground.identity(COURT)), |mut stream| async move {
        stream
            .write_all(b"220 mail.example ESMTP ready, say hello\r\n")
            .await
            .ok();
        stream.read_to_end(&mut Vec::new()).await.ok();
    })
    .await;
    let failure = ground.failure(&court(server.port)).await;
    assert_outcome(&failure, Outcome::UnreadableAnswer, "does not keep to HTTP/2");
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_unreadable() {
    let garbage = answering(|| {
        grpc()
            .body(body(framed(b"\xff\xff\xff"), status("0")))
            .expect("a response")
    });
    assert_eq!(garbage.await.outcome, Outcome::UnreadableAnswer);
    let compressed = answering(|| {
        let mut message = framed(&receipt().encode_to_vec());
        message[0] = 1;
        grpc().body(body(message, status("0"))).expect("a response")
    });
    assert_eq!(compressed.await.outcome, Outcome::UnreadableAnswer);
    let nothing = answering(|| grpc().body(body("", status("0"))).expect("a response"));
    assert_eq!(nothing.await.outcome, Outcome::UnreadableAnswer);
}

#[tokio::test]
async fn an_answer_without_a_readable_status_is_unreadable() {
    let none = answering(|| {
        grpc()
            .body(body(framed(&receipt().encode_to_vec()), None))
            .expect("a response")
    });
    assert_eq!(none.await.outcome, Outcome::UnreadableAnswer);
    let strange = answering(|| {
        grpc()
            .body(body(framed(&receipt().encode_to_vec()), status("fine")))
            .expect("a response")
    });
    assert_outcome(&strange.await, Outcome::UnreadableAnswer, "fine");
}

#[tokio::test]
async fn an_answer_is_read_so_far_as_one_can_be_long() {
    let announced = answering(|| {
        let message = [&[0], &u32::MAX.to_be_bytes()[..], &[0; 100]].concat();
        grpc().body(body(message, status("0"))).expect("a response")
    });
    assert_eq!(announced.await.outcome, Outcome::UnreadableAnswer);
    let long = answering(|| grpc().body(body(vec![0; 1_000_000], status("0"))).expect("a response"));
    assert_outcome(&long.await, Outcome::UnreadableAnswer, "more than 65536 bytes");
}

fn flood() -> HeaderMap {
    let flood = (0..2000).map(|number| {
        let name = HeaderName::try_from(format!("flood-{number}")).expect("a name");
        (name, HeaderValue::from_static("over and over and over again"))
    });
    flood.collect()
}

#[tokio::test]
async fn a_flood_of_headers_or_trailers_is_unreadable() {
    let headers = answering(|| {
        let mut response = grpc().body(body("", status("0"))).expect("a response");
        response.headers_mut().extend(flood());
        response
    });
    assert_eq!(headers.await.outcome, Outcome::UnreadableAnswer);
    let trailers = answering(|| {
        let message = framed(&receipt().encode_to_vec());
        grpc().body(body(message, Some(flood()))).expect("a response")
    });
    assert_eq!(trailers.await.outcome, Outcome::UnreadableAnswer);
}

#[tokio::test]
async fn an_answer_for_another_delivery_is_unreadable() {
    let failure = answered(Inbox::delivering(|_, _| {
        let other = Delivery {
            delivery_id: Uuid::from_u128(8).to_string(),
            ..receipt()
        };
        Box::pin(async { Ok(other) })
    }));
    assert_outcome(&failure.await, Outcome::UnreadableAnswer, "another delivery");
}

#[tokio::test]
async fn a_server_that_has_all_and_says_nothing_of_it_answers_unreadably() {
    let ground = Ground::new();
    let inbox = Inbox::delivering(|seen, mut stream| {
        Box::pin(async move {
            seen.header(&mut stream).await;
            seen.store(&mut stream, usize::MAX).await?;
            Ok(stands(5))
        })
    });
    let server = Server::inbox(shows(&ground.identity(COURT)), inbox.clone()).await;
    let failure = ground.failure(&court(server.port)).await;
    assert_outcome(&failure, Outcome::UnreadableAnswer, "neither confirms nor rejects");
    // That it has all is what it said; with nothing left to send it was asked once more.
    assert_eq!(inbox.seen.offsets(), [0, 5]);
}

#[tokio::test]
async fn a_rejection_is_an_answer_also_in_the_middle() {
    let ground = Ground::new();
    let inbox = Inbox::delivering(|_, _| Box::pin(async { Ok(rejection("this copy is\u{202e} not ours")) }));
    let server = Server::inbox(shows(&ground.identity(COURT)), inbox).await;
    let large = parcel(vec![ground.store(&bytes(2_000_000))]);
    let answer = ground.deliver(&court(server.port), large).await;
    assert_eq!(answer, Ok(Answer::Rejection("this copy is\u{fffd} not ours".into())));
}

fn rejection(reason: &str) -> Delivery {
    let reason = reason.to_owned();
    Delivery {
        answer: Some(delivery::Answer::Rejection(DeliveryRejection { reason })),
        ..stands(0)
    }
}

#[tokio::test]
async fn a_rejection_needs_a_reason_that_officials_can_read() {
    for inbox in [
        Inbox::delivering(|_, _| Box::pin(async { Ok(rejection(" \u{200b}")) })),
        Inbox::delivering(|_, _| Box::pin(async { Ok(rejection(&"ж".repeat(1001))) })),
    ] {
        assert_outcome(&answered(inbox).await, Outcome::UnreadableAnswer, "without a reason");
    }
}

fn busy(code: Code, seconds: u64) -> Status {
    let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(seconds)));
    Status::with_error_details(code, "come back later", details)
}

#[tokio::test]
async fn a_server_that_is_busy_says_for_how_long() {
    let exhausted = answered(Inbox::delivering(|_, _| {
        Box::pin(async { Err(busy(Code::ResourceExhausted, 90)) })
    }))
    .await;
    assert_outcome(&exhausted, Outcome::Busy, "come back later");
    assert_eq!(exhausted.retry_after, Some(Duration::from_secs(90)));
    let long = answered(Inbox::delivering(|_, _| {
        Box::pin(async { Err(busy(Code::Unavailable, 1_000_000)) })
    }))
    .await;
    assert_eq!(long.outcome, Outcome::Busy);
    assert_eq!(long.retry_after, Some(Duration::from_secs(24 * 60 * 60)));
    let away = answered(Inbox::delivering(|_, _| {
        Box::pin(async { Err(Status::unavailable("closed")) })
    }))
    .await;
    assert_outcome(&away, Outcome::Busy, "closed");
    assert_eq!(away.retry_after, None);
}

#[tokio::test]
async fn a_server_that_does_not_take_copies_for_this_recipient_yet_refuses_the_copy_and_is_not_away() {
    let refused = answered(Inbox::delivering(|_, _| {
        Box::pin(async {
            let reason = ErrorReason::RecipientNotServed.as_str_name();
            let mut details = ErrorDetails::with_error_info(reason, "legalstat", HashMap::new());
            details.set_retry_info(Some(Duration::from_secs(300)));
            Err(Status::with_error_details(
                Code::Unavailable,
                "it has to be told",
                details,
            ))
        })
    }))
    .await;
    assert_outcome(&refused, Outcome::Refused, "it has to be told");
}

#[tokio::test]
async fn a_server_that_refuses_the_call_is_quoted_so_far_as_can_be_shown() {
    let exhausted = answered(Inbox::delivering(|_, _| {
        Box::pin(async { Err(Status::resource_exhausted("too large for us")) })
    }));
    assert_outcome(&exhausted.await, Outcome::Refused, "too large for us");
    let hostile = answered(Inbox::delivering(|_, _| {
        let words = format!("no\u{202e}\n\u{1b}[2J{}", "!".repeat(3000));
        Box::pin(async { Err(Status::permission_denied(words)) })
    }));
    assert_outcome(
        &hostile.await,
        Outcome::Refused,
        "PermissionDenied: no\u{fffd}\u{fffd}\u{fffd}[2J!",
    );
}

#[tokio::test]
async fn a_server_that_calls_the_time_over_has_not_answered() {
    let failure = answered(Inbox::delivering(|_, _| {
        Box::pin(async { Err(Status::deadline_exceeded("over")) })
    }));
    assert_outcome(&failure.await, Outcome::NoAnswer, "over");
}

#[tokio::test]
async fn a_second_attempt_at_a_server_that_does_not_know_what_it_implements_is_refused() {
    let (ground, inbox) = (
        Ground::new(),
        Inbox::honest().knowing(|_| Err(Status::unimplemented("no such method"))),
    );
    let server = Server::inbox(shows(&ground.identity(COURT)), inbox.clone()).await;
    let failure = ground
        .failure_of(&court(server.port), again(vec![ground.store(b"small")]))
        .await;
    assert_outcome(&failure, Outcome::Refused, "no such method");
    assert_eq!((inbox.seen.asked.load(SeqCst), inbox.seen.offsets().len()), (1, 0));
}
