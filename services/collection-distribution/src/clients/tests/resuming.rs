//! Deliveries that go on where they stood.

use tonic::Status;

use super::{
    servers::{Inbox, Server, receipt, shows, stands},
    *,
};

const LARGE: usize = 1_000_000;

struct Place {
    ground: Ground,
    server: Server,
    inbox: Inbox,
    content: Vec<u8>,
}

impl Place {
    async fn of(inbox: Inbox) -> Self {
        let ground = Ground::new();
        let server = Server::inbox(shows(&ground.identity(COURT)), inbox.clone()).await;
        Self {
            ground,
            server,
            inbox,
            content: bytes(LARGE),
        }
    }

    async fn attempt(&self, parcel: fn(Vec<EditionContent>) -> Parcel) -> Result<Answer, Failure> {
        let (one, two) = self.content.split_at(LARGE / 3);
        let files = vec![self.ground.store(one), self.ground.store(two)];
        self.ground.deliver(&court(self.server.port), parcel(files)).await
    }

    fn offsets(&self) -> Vec<i64> {
        self.inbox.seen.offsets()
    }
}

fn length(seen: &super::servers::Seen) -> i64 {
    i64::try_from(seen.stored().len()).expect("a length")
}

/// Breaks off when it has this much, and then takes the rest.
const BREAK: usize = 400_000;

fn breaking() -> Inbox {
    let inbox = Inbox::delivering(|seen, mut stream| {
        Box::pin(async move {
            seen.header(&mut stream).await;
            if seen.offsets().len() == 1 {
                seen.store(&mut stream, BREAK).await?;
                return Err(Status::aborted("the power is gone"));
            }
            seen.store(&mut stream, usize::MAX).await?;
            Ok(receipt())
        })
    });
    inbox.knowing(|seen| Ok(stands(length(seen))))
}

#[tokio::test]
async fn a_delivery_that_broke_off_goes_on_from_the_byte_that_the_server_has() {
    let place = Place::of(breaking()).await;
    let failure = place.attempt(parcel).await.expect_err("it breaks off");
    assert_eq!((failure.outcome, failure.received_bytes), (Outcome::Refused, 0));
    let had = length(&place.inbox.seen);
    place.attempt(again).await.expect("it goes on");
    assert_eq!(place.offsets(), [0, had]);
    assert!(had >= BREAK as i64 && place.inbox.seen.stored() == place.content);
    assert_eq!(place.inbox.seen.asked(), 1);
}

#[tokio::test]
async fn a_delivery_of_which_nothing_came_begins_anew() {
    let place = Place::of(Inbox::honest()).await;
    place.attempt(again).await.expect("it is delivered");
    assert_eq!((place.offsets(), place.inbox.seen.asked()), (vec![0], 1));
    assert!(place.inbox.seen.stored() == place.content);
}

#[tokio::test]
async fn a_copy_that_was_answered_already_is_not_sent_again() {
    let place = Place::of(Inbox::honest().knowing(|_| Ok(receipt()))).await;
    let answer = place.attempt(again).await;
    assert!(matches!(answer, Ok(Answer::Receipt(_))), "{answer:?}");
    assert_eq!(place.offsets(), [0; 0]);
}

#[tokio::test]
async fn a_copy_that_is_there_whole_is_asked_about_with_no_byte_more() {
    let place = Place::of(Inbox::honest().knowing(|_| Ok(stands(LARGE as i64)))).await;
    place.attempt(again).await.expect("it is answered");
    assert_eq!(
        (place.offsets(), place.inbox.seen.stored()),
        (vec![LARGE as i64], vec![])
    );
}

#[tokio::test]
async fn an_attempt_that_fails_tells_how_much_the_server_said_it_has() {
    let place = Place::of(breaking().knowing(|_| Ok(stands(400_000)))).await;
    let failure = place.attempt(again).await.expect_err("it breaks off");
    assert_eq!((failure.outcome, failure.received_bytes), (Outcome::Refused, 400_000));
    assert_eq!(place.offsets(), [400_000]);
}

/// Says how much it has, at once, unless a delivery goes on from there.
fn early() -> Inbox {
    Inbox::delivering(|seen, mut stream| {
        Box::pin(async move {
            seen.header(&mut stream).await;
            if seen.offsets().last() == Some(&500_000) {
                seen.store(&mut stream, usize::MAX).await?;
                return Ok(receipt());
            }
            Ok(stands(500_000))
        })
    })
}

#[tokio::test]
async fn a_server_that_says_at_once_how_much_it_has_gets_the_rest_in_the_same_attempt() {
    let place = Place::of(early()).await;
    place.attempt(parcel).await.expect("it goes on");
    assert_eq!(place.offsets(), [0, 500_000]);
    assert!(place.inbox.seen.stored() == place.content[500_000..]);
}

#[tokio::test]
async fn a_server_that_has_lost_a_part_since_gets_it_again() {
    let place = Place::of(early().knowing(|_| Ok(stands(900_000)))).await;
    place.attempt(again).await.expect("it goes on");
    assert_eq!(place.offsets(), [900_000, 500_000]);
    assert!(place.inbox.seen.stored() == place.content[500_000..]);
}

#[tokio::test]
async fn a_server_that_always_asks_from_elsewhere_is_asked_twice() {
    let place = Place::of(Inbox::delivering(|seen, mut stream| {
        Box::pin(async move {
            seen.header(&mut stream).await;
            let last = *seen.offsets().last().expect("a header came");
            Ok(stands((last + 700_001) % 1_000_000))
        })
    }))
    .await;
    let failure = place.attempt(parcel).await.expect_err("it never ends");
    assert_outcome(&failure, Outcome::UnreadableAnswer, "neither confirms nor rejects");
    assert_eq!(failure.received_bytes, 700_001, "the most that it said");
    assert_eq!(place.offsets(), [0, 700_001]);
}

#[tokio::test]
async fn a_server_that_has_more_than_there_is_or_less_than_nothing_answers_unreadably() {
    for (known, said) in [
        (
            early().knowing(|_| Ok(stands(LARGE as i64 + 1))),
            "1000001 bytes of 1000000",
        ),
        (early().knowing(|_| Ok(stands(-1))), "-1 bytes of 1000000"),
    ] {
        let place = Place::of(known).await;
        let failure = place.attempt(again).await.expect_err("it lies");
        assert_outcome(&failure, Outcome::UnreadableAnswer, said);
        assert_eq!(place.offsets(), [0; 0]);
    }
    let place = Place::of(Inbox::delivering(|_, _| Box::pin(async { Ok(stands(i64::MAX)) }))).await;
    let failure = place.attempt(parcel).await.expect_err("it lies");
    assert_outcome(
        &failure,
        Outcome::UnreadableAnswer,
        "9223372036854775807 bytes of 1000000",
    );
}
