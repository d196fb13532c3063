//! The feed of copies: in order, none left out, and everyone's own.

use legalstat_proto::collections::v1::{WatchCopiesRequest, WatchCopiesResponse};
use tonic::Streaming;

use super::{
    copies::{COURTS_COPY, confirm, confirming},
    *,
};

type Feed = Streaming<WatchCopiesResponse>;

async fn watch(distribution: &Distribution, caller: &str, request: WatchCopiesRequest) -> Feed {
    let watched = distribution.client(Some(caller)).watch_copies(request).await;
    watched.expect("it is watched").into_inner()
}

async fn message(feed: &mut Feed) -> WatchCopiesResponse {
    let next = tokio::time::timeout(PATIENCE, feed.message()).await;
    let next = next.expect("a feed says something within its time");
    next.expect("no failure").expect("the feed goes on")
}

/// Reads until everything is told; gives the kinds and resources, each with its token, and the last token.
async fn all(feed: &mut Feed) -> (Vec<(String, String, String)>, String) {
    let mut told = Vec::new();
    loop {
        let message = message(feed).await;
        match message.event {
            Some(event) => told.push((event.kind, event.resource, message.resume_token)),
            None if message.caught_up => return (told, message.resume_token),
            None => {}
        }
    }
}

fn after(token: &str) -> WatchCopiesRequest {
    WatchCopiesRequest {
        resume_token: token.into(),
        only_new: false,
    }
}

#[tokio::test]
async fn a_recipient_is_told_of_its_own_copies_and_officials_of_everything() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    for caller in ["supreme-court", "senate"] {
        let copy = distribution.copies(caller).await.remove(0);
        confirm(&mut distribution.client(Some(caller)), &confirming(&copy.name, CONTENT))
            .await
            .expect("it is received");
    }
    let of = |told: Vec<(String, String, String)>| -> Vec<(String, String)> {
        told.into_iter().map(|(kind, resource, _)| (kind, resource)).collect()
    };
    let (court, _) = all(&mut watch(&distribution, "supreme-court", WatchCopiesRequest::default()).await).await;
    let court = of(court);
    let happened = |kind: &str, resource: &str| (kind.to_owned(), resource.to_owned());
    assert_eq!(
        court,
        [
            happened("edition.released", CRIME),
            happened("copy.issued", COURTS_COPY),
            happened("copy.receipt_confirmed", COURTS_COPY),
        ]
    );
    let (official, _) = all(&mut watch(&distribution, "auditor", WatchCopiesRequest::default()).await).await;
    let official = of(official);
    assert!(court.iter().all(|told| official.contains(told)));
    let confirmed = official.iter().filter(|(kind, _)| kind == "copy.receipt_confirmed");
    assert_eq!(confirmed.count(), 2);
    assert!(official.contains(&happened("edition.sealed", CRIME)));
}

#[tokio::test]
async fn a_watch_goes_on_behind_its_token_and_tells_nothing_twice_and_skips_nothing() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let mut leadership = distribution.client(Some("gpo-leadership"));
    for copy in distribution.copies("gpo-leadership").await {
        confirm(&mut leadership, &confirming(&copy.name, CONTENT))
            .await
            .expect("it is received");
    }
    let (whole, last) = all(&mut watch(&distribution, "gpo-leadership", WatchCopiesRequest::default()).await).await;
    assert!(whole.len() >= 8, "{whole:?}");
    for (place, (_, _, token)) in whole.iter().enumerate() {
        let (rest, end) = all(&mut watch(&distribution, "gpo-leadership", after(token)).await).await;
        assert_eq!(rest, whole[place + 1..], "behind {place}");
        assert_eq!(end, last);
    }
    let (rest, end) = all(&mut watch(&distribution, "gpo-leadership", after(&last)).await).await;
    assert_eq!((rest.len(), end), (0, last));
}

#[tokio::test]
async fn who_watches_from_now_on_hears_what_happens_next() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let new = WatchCopiesRequest {
        only_new: true,
        ..Default::default()
    };
    let mut feed = watch(&distribution, "supreme-court", new).await;
    let first = message(&mut feed).await;
    assert!(first.event.is_none() && first.caught_up && !first.resume_token.is_empty());
    let mut court = distribution.client(Some("supreme-court"));
    confirm(&mut court, &confirming(COURTS_COPY, CONTENT))
        .await
        .expect("it is received");
    let next = message(&mut feed).await.event.expect("it is told");
    assert_eq!(
        (next.kind.as_str(), next.resource.as_str()),
        ("copy.receipt_confirmed", COURTS_COPY)
    );
}

#[tokio::test]
async fn a_token_of_something_else_is_refused_and_a_stranger_is_told_nothing() {
    let distribution = Distribution::start().await;
    let mut court = distribution.client(Some("supreme-court"));
    for (request, expected) in [
        (after("x"), ("resume_token", "TOKEN")),
        (
            WatchCopiesRequest {
                resume_token: "x".into(),
                only_new: true,
            },
            ("only_new", "CONFLICT"),
        ),
    ] {
        let refused = court.watch_copies(request).await;
        assert!(violations(refused).contains(&pairs(&[expected])[0]));
    }
    let stranger = distribution
        .client(None)
        .watch_copies(WatchCopiesRequest::default())
        .await;
    refused(stranger, Code::Unauthenticated, "CERTIFICATE_REQUIRED");
}
