//! Copies delivered to the servers of their recipients, on a clock that moves.

use legalstat_kit::door::wire;
use legalstat_local::authority::Authority;
use legalstat_proto::collections::v1::{
    CopyState, DeliveryAttempt, DeliveryOutcome, ListDeliveryAttemptsRequest, ReceiptWay, RedeliverCopyRequest,
};

pub(crate) use super::fake_inbox::{Clock, Inbox, Manner};
use super::{copies::COURTS_COPY, *};

/// A distribution whose clock moves.
pub(crate) struct Delivering {
    pub(crate) distribution: Distribution,
    pub(super) clock: Clock,
}

impl Delivering {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With settings of its own.
    pub(super) async fn start_with(own: &[(&'static str, String)]) -> Self {
        let clock = Clock::at(instant(NOW));
        let moving = clock.clone();
        let distribution = Distribution::started(true, async |settings| {
            Running::start(&crate::SERVICE, &[settings, own].concat(), move || moving.now()).await
        })
        .await;
        distribution.until_whole().await;
        Self { distribution, clock }
    }

    /// Gives a recipient a server under a certificate of its own, and a key for its receipts.
    pub(crate) async fn inbox(&self, recipient: &str, name: &'static str) -> Inbox {
        self.inbox_signing(recipient, name, 1).await
    }

    /// The same with a key of its own, beside another's.
    pub(super) async fn inbox_signing(&self, recipient: &str, name: &'static str, seed: u8) -> Inbox {
        let authority = Authority::open_or_create(Ground::shared().await.folder()).expect("it is there");
        let signing_key = format!("recipients/{recipient}/signingKeys/2025-1");
        let inbox = Inbox::serve(&authority, name, signing_key, seed, self.clock.clone()).await;
        self.address(recipient, Some((&inbox.endpoint, name))).await;
        self.distribution
            .key(recipient, "2025-1", seed, "2025-01-01T00:00:00Z", None)
            .await;
        inbox
    }

    /// Says where the copies of a recipient go, and under which name.
    pub(crate) async fn address(&self, recipient: &str, to: Option<(&str, &str)>) {
        let mut superuser = self.distribution.running.superuser().await;
        sqlx::query("UPDATE collections.recipient_detail SET superseded_at = now() WHERE recipient = $1 AND superseded_at IS NULL")
            .bind(recipient)
            .execute(&mut superuser)
            .await
            .expect("it is superseded");
        sqlx::query(
            "INSERT INTO collections.recipient_detail
                 (recipient, name_kk, name_ru, name_en, certificate_name, endpoint, legal_basis_act, legal_basis_provision,
                  legal_basis_uri, legal_basis_assumed, valid_from, reason, recorded_at, recorded_by)
             VALUES ($1, '', '', $1, $2, $3, 'Instruction', 'Appendix 1', '', false, '2019-04-15', 'its server', now(), 'administrator')",
        )
        .bind(recipient)
        .bind(to.map_or(recipient, |(_, name)| name))
        .bind(to.map(|(endpoint, _)| endpoint))
        .execute(&mut superuser)
        .await
        .expect("it is recorded");
    }

    pub(super) async fn copy(&self, name: &str) -> Copy {
        get_copy(&mut self.distribution.operator(), name)
            .await
            .expect("it is there")
    }

    /// Waits until a copy stands so.
    pub(super) async fn until(&self, name: &str, stands: impl Fn(&Copy) -> bool) -> Copy {
        let waited = async {
            loop {
                let copy = self.copy(name).await;
                if stands(&copy) {
                    return copy;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waited).await;
        match waited {
            Ok(copy) => copy,
            Err(_) => panic!("{:?}", self.copy(name).await),
        }
    }

    /// Waits until a query counts so many.
    pub(crate) async fn until_count(&self, sql: &'static str, expected: i64) {
        let waited = async {
            while self.distribution.count(sql).await != expected {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waited).await;
        assert!(waited.is_ok(), "{sql}: {}", self.distribution.count(sql).await);
    }

    /// Waits until so many attempts have ended, and moves the clock to the next one.
    pub(super) async fn pass_on(&self, name: &str, attempts: i32) -> Copy {
        let waiting = |copy: &Copy| {
            let delivery = copy.delivery.as_ref();
            delivery.is_some_and(|d| d.attempts == attempts && d.next_attempt_time.is_some())
        };
        let copy = self.until(name, waiting).await;
        let next = copy.delivery.as_ref().and_then(|delivery| delivery.next_attempt_time);
        let next = wire::timestamp(&next.expect("one follows")).expect("an instant");
        self.clock.move_to(next);
        copy
    }

    pub(super) async fn attempts(&self, name: &str) -> Vec<DeliveryAttempt> {
        let request = ListDeliveryAttemptsRequest {
            parent: name.into(),
            ..Default::default()
        };
        let listed = self.distribution.operator().list_delivery_attempts(request).await;
        listed.expect("they are listed").into_inner().attempts
    }

    pub(super) async fn events(&self, kind: &str) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM collections.outbox_event WHERE kind = $1")
            .bind(kind)
            .fetch_one(&mut self.distribution.running.superuser().await)
            .await
            .expect("the query is right")
    }

    pub(super) async fn redeliver(&self, request: &RedeliverCopyRequest) -> Result<Copy, Status> {
        let answered = self.distribution.operator().redeliver_copy(request.clone()).await;
        answered.map(tonic::Response::into_inner)
    }

    /// Lets all servers alone, so that a test can do what a replica does.
    pub(crate) async fn leave_alone(&self, recipient: &str) {
        sqlx::query("INSERT INTO collections.recipient_breaker VALUES ($1, 5, '2025-01-01Z', '2099-01-01Z')")
            .bind(recipient)
            .execute(&mut self.distribution.running.superuser().await)
            .await
            .expect("it is recorded");
    }
}

pub(super) fn redelivering(name: &str) -> RedeliverCopyRequest {
    RedeliverCopyRequest {
        name: name.into(),
        reason: "the server is mended".into(),
        request_id: new_id(),
        validate_only: false,
    }
}

pub(super) fn is(state: CopyState) -> impl Fn(&Copy) -> bool {
    move |copy| copy.state() == state
}

#[tokio::test]
async fn a_released_copy_goes_to_its_recipients_server_and_its_signed_receipt_is_kept() {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", "court-receiving").await;
    delivering.distribution.release_crime().await;
    let copy = delivering.until(COURTS_COPY, is(CopyState::Received)).await;
    let receipt = copy.receipt.clone().expect("it has one");
    assert_eq!(
        (
            receipt.way(),
            receipt.late,
            receipt.confirmed_by.as_str(),
            receipt.signing_key.as_str()
        ),
        (
            ReceiptWay::Push,
            false,
            inbox.name,
            "recipients/supreme-court/signingKeys/2025-1"
        )
    );
    let delivery = copy.delivery.clone().expect("it was delivered");
    assert_eq!((delivery.attempts, delivery.next_attempt_time), (1, None));
    assert_eq!(delivery.last_outcome(), DeliveryOutcome::Received);
    {
        let stored = inbox.stored.lock().expect("no code panics");
        let (header, content) = stored.get(&delivery.delivery_id).expect("it is stored");
        assert_eq!(content, CONTENT);
        let sent = header.copy.as_ref().expect("it has one");
        assert!(
            sent.statement.is_some() && sent.state() == CopyState::Sending,
            "{sent:?}"
        );
    }
    let attempts = delivering.attempts(COURTS_COPY).await;
    assert_eq!(attempts.len(), 1);
    assert_eq!(
        (attempts[0].number, attempts[0].outcome(), attempts[0].endpoint.as_str()),
        (1, DeliveryOutcome::Received, inbox.endpoint.as_str())
    );
    for kind in ["copy.sending", "copy.receipt_confirmed"] {
        assert_eq!(delivering.events(kind).await, 1, "{kind}");
    }
    let others = "SELECT count(*) FROM collections.copy WHERE state = 'ISSUED'";
    assert_eq!(
        delivering.distribution.count(others).await,
        32,
        "the others are fetched"
    );
    assert_eq!(
        delivering
            .distribution
            .count("SELECT count(*) FROM collections.delivery")
            .await,
        1
    );
}

#[tokio::test]
async fn a_server_that_is_away_for_a_day_gets_the_copy_once_when_it_is_back() {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", "court-away").await;
    inbox.turns(Manner::Away);
    delivering.distribution.release_crime().await;
    let mut attempts = 0;
    while delivering.clock.now() < instant("2025-04-04T05:00:00Z") {
        attempts += 1;
        let copy = delivering.pass_on(COURTS_COPY, attempts).await;
        assert_eq!(copy.state(), CopyState::Sending);
        if attempts == 7 {
            break;
        }
    }
    inbox.turns(Manner::Receives);
    let copy = delivering.until(COURTS_COPY, is(CopyState::Received)).await;
    assert!(!copy.receipt.expect("it has one").late);
    let stored = inbox.stored.lock().expect("no code panics").len();
    assert_eq!(stored, 1);
    let told = delivering.attempts(COURTS_COPY).await;
    assert_eq!(told[0].outcome(), DeliveryOutcome::Received);
    assert!(
        told.len() >= 7
            && told[1..]
                .iter()
                .all(|attempt| attempt.outcome() == DeliveryOutcome::Busy),
        "{told:?}"
    );
    assert_eq!(delivering.events("copy.sending").await, 1);
}

#[tokio::test]
async fn a_store_that_is_away_uses_up_no_attempt_and_opens_no_breaker_and_the_copy_comes_once_it_is_back() {
    let delivering = Delivering::start().await;
    delivering.inbox("supreme-court", "court-of-patience").await;
    delivering.leave_alone("supreme-court").await;
    delivering.distribution.release_crime().await;
    let files = delivering.distribution.files.path();
    let aside = files.with_extension("aside");
    std::fs::rename(files, &aside).expect("it is ours");
    let answers_again = "DELETE FROM collections.recipient_breaker";
    delivering.distribution.execute(answers_again).await;
    // One more than open a breaker.
    for spared in 1..=6 {
        let count = "SELECT spared::bigint FROM collections.delivery";
        delivering.until_count(count, spared).await;
        let delivery = delivering.copy(COURTS_COPY).await.delivery.expect("it is delivered");
        assert_eq!(delivery.last_outcome(), DeliveryOutcome::SenderLost);
        if spared == 6 {
            std::fs::rename(&aside, files).expect("it is ours");
        }
        delivering.pass_on(COURTS_COPY, 0).await;
    }
    delivering.until(COURTS_COPY, is(CopyState::Received)).await;
    let failures = "SELECT count(*) FROM collections.recipient_breaker WHERE failures > 0";
    assert_eq!(delivering.distribution.count(failures).await, 0);
    let counted = "SELECT attempts::bigint FROM collections.delivery";
    assert_eq!(delivering.distribution.count(counted).await, 1, "that which brought it");
}

#[tokio::test]
async fn after_the_last_attempt_a_copy_failed_and_an_official_has_it_delivered_anew() {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", "court-failing").await;
    inbox.turns(Manner::Away);
    delivering.distribution.release_crime().await;
    for attempts in 1..=8 {
        delivering.pass_on(COURTS_COPY, attempts).await;
    }
    let failed = delivering.until(COURTS_COPY, is(CopyState::Failed)).await;
    assert!(
        failed
            .status_reason
            .starts_with("9 attempts to deliver it failed, the last one with BUSY"),
        "{failed:?}"
    );
    let delivery_id = failed.delivery.expect("it was delivered").delivery_id;
    let mut operator = delivering.distribution.operator();
    let listed = operator.list_copies(ListCopiesRequest {
        state: CopyState::Failed.into(),
        ..Default::default()
    });
    assert_eq!(listed.await.expect("it is listed").into_inner().copies.len(), 1);
    assert_eq!(delivering.events("copy.failed").await, 1);

    inbox.turns(Manner::Receives);
    let tried = RedeliverCopyRequest {
        validate_only: true,
        ..redelivering(COURTS_COPY)
    };
    delivering.redeliver(&tried).await.expect("it would be delivered");
    assert_eq!(delivering.copy(COURTS_COPY).await.state(), CopyState::Failed);
    let anew = delivering
        .redeliver(&redelivering(COURTS_COPY))
        .await
        .expect("it failed");
    assert_eq!(
        (anew.state(), anew.status_reason.as_str()),
        (CopyState::Sending, "delivered anew: the server is mended")
    );
    let received = delivering.until(COURTS_COPY, is(CopyState::Received)).await;
    let delivery = received.delivery.expect("it was delivered");
    assert_eq!((delivery.delivery_id, delivery.attempts), (delivery_id, 1));
    assert!(!received.receipt.expect("it has one").late, "it had left FAILED");
    let attempts = delivering.attempts(COURTS_COPY).await;
    let numbers: Vec<i32> = attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, (1..=10).rev().collect::<Vec<_>>());
    assert_eq!(
        (
            delivering.events("copy.redelivered").await,
            delivering.events("copy.sending").await
        ),
        (1, 1)
    );
    let again = delivering.redeliver(&redelivering(COURTS_COPY)).await;
    refused(again, Code::FailedPrecondition, "WRONG_STATE");
}
