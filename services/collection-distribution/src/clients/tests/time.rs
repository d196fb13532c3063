//! How long things take.

use tokio::{io::AsyncReadExt as _, sync::Notify};
use tonic::Status;

use super::{
    servers::{Inbox, Server, receipt, shows},
    *,
};

const SOON: Duration = Duration::from_millis(700);

fn hasty(files: Vec<EditionContent>) -> Parcel {
    Parcel {
        until: Instant::now() + SOON,
        ..parcel(files)
    }
}

#[tokio::test]
async fn a_server_that_takes_the_bytes_and_never_answers_is_waited_for_until_the_end() {
    let ground = Ground::new();
    let inbox = Inbox::delivering(|seen, mut stream| {
        Box::pin(async move {
            seen.header(&mut stream).await;
            seen.store(&mut stream, usize::MAX).await?;
            std::future::pending().await
        })
    });
    let server = Server::inbox(shows(&ground.identity(COURT)), inbox.clone()).await;
    // Where a busy machine does not bring the bytes in time, there is more time.
    for soon in [1, 4, 16].map(|times| times * SOON) {
        let begun = Instant::now();
        let parcel = Parcel {
            until: begun + soon,
            ..parcel(vec![ground.store(b"small")])
        };
        let failure = ground.failure_of(&court(server.port), parcel).await;
        assert_outcome(&failure, Outcome::NoAnswer, "");
        assert!(begun.elapsed() >= soon);
        if inbox.seen.stored() == b"small" {
            return;
        }
    }
    panic!("the bytes came within {:?}", 16 * SOON);
}

#[tokio::test]
async fn a_server_that_says_nothing_at_all_is_waited_for_until_the_end() {
    let ground = Ground::new();
    let server = Server::secured(shows(&ground.identity(COURT)), |mut stream| async move {
        stream.read_to_end(&mut Vec::new()).await.ok();
    })
    .await;
    let failure = ground
        .failure_of(&court(server.port), hasty(vec![ground.store(b"small")]))
        .await;
    assert_outcome(&failure, Outcome::NoAnswer, "within the time of the attempt");
}

#[tokio::test]
async fn a_server_that_does_not_say_where_a_delivery_stands_is_waited_for_until_the_end() {
    let ground = Ground::new();
    let server = Server::secured(shows(&ground.identity(COURT)), |mut stream| async move {
        stream.read_to_end(&mut Vec::new()).await.ok();
    })
    .await;
    let second = Parcel {
        attempt: 2,
        ..hasty(vec![ground.store(b"small")])
    };
    let failure = ground.failure_of(&court(server.port), second).await;
    assert_outcome(&failure, Outcome::NoAnswer, "within the time of the attempt");
}

#[tokio::test]
async fn a_server_that_takes_no_more_bytes_is_given_up() {
    let ground = Ground::within(Limits {
        part: Duration::from_secs(1),
        ..LIMITS
    });
    let inbox = Inbox::delivering(|seen, mut stream| {
        Box::pin(async move {
            seen.header(&mut stream).await;
            // The stream is held, and nothing of it read.
            let _held = stream;
            std::future::pending().await
        })
    });
    let server = Server::inbox(shows(&ground.identity(COURT)), inbox).await;
    let large = parcel(vec![ground.store(&bytes(4_000_000))]);
    let failure = ground.failure_of(&court(server.port), large).await;
    assert_outcome(&failure, Outcome::NoAnswer, "took no more bytes for 1 s");
}

static ASKED: Notify = Notify::const_new();
static ANSWERS: Notify = Notify::const_new();

#[tokio::test]
async fn a_slow_server_that_answers_before_the_end_has_answered() {
    let ground = Ground::within(Limits {
        part: Duration::from_secs(2),
        ..LIMITS
    });
    let inbox = Inbox::delivering(|seen, mut stream| {
        Box::pin(async move {
            seen.header(&mut stream).await;
            seen.store(&mut stream, usize::MAX).await?;
            ASKED.notify_one();
            ANSWERS.notified().await;
            Ok::<_, Status>(receipt())
        })
    });
    let server = Server::inbox(shows(&ground.identity(COURT)), inbox).await;
    let slowly = async {
        ASKED.notified().await;
        // Longer than any part may take: the whole may.
        tokio::time::sleep(Duration::from_millis(2500)).await;
        ANSWERS.notify_one();
    };
    let to = court(server.port);
    let (answer, ()) = tokio::join!(ground.deliver(&to, parcel(vec![ground.store(b"small")])), slowly);
    assert!(matches!(answer, Ok(Answer::Receipt(_))), "{answer:?}");
}

#[tokio::test]
async fn nothing_is_begun_when_the_time_is_over_already() {
    let ground = Ground::new();
    let server = Server::inbox(shows(&ground.identity(COURT)), Inbox::honest()).await;
    let late = Parcel {
        until: Instant::now(),
        ..parcel(vec![ground.store(b"small")])
    };
    let failure = ground.failure_of(&court(server.port), late).await;
    assert_outcome(&failure, Outcome::NoAnswer, "within the time");
    assert_eq!(server.accepted(), 0);
}
