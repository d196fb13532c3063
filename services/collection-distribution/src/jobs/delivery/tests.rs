//! What a replica does with attempts that end, beside what its callers see of it.

use std::{collections::BTreeMap, sync::OnceLock};

use legalstat_kit::{files::FileStore, write};
use uuid::Uuid;

use super::{claiming::claimed, *};
use crate::{clients::inbox::Parcel, rpc::tests::delivery::Delivering};

fn instant() -> Timestamp {
    "2025-04-03T05:00:00Z".parse().expect("an instant")
}

/// A replica beside the running one, which does only what a test has it do.
fn replica(context: Context, files: &std::path::Path) -> Arc<Sender> {
    let store = FileStore::open(&context, "replica", files, 1000).expect("a folder");
    Arc::new(Sender {
        inboxes: Inboxes::open(&context, store),
        context,
        limits: Limits {
            attempt: Duration::from_mins(5),
            places: Places::of(4),
        },
        under_way: Mutex::default(),
        place_free: Notify::new(),
        due: Arc::default(),
        ended: Mutex::default(),
        any_ended: Notify::new(),
    })
}

fn claim_of(recipient: &str) -> Claim {
    Claim {
        key: "collections/crime/editions/2025-Q1/copies/1".parse().expect("a name"),
        recipient: recipient.to_owned(),
        fence: 1,
        number: 1,
        started_at: instant(),
        address: Address::default(),
        is_first: true,
        is_recall: false,
    }
}

/// What claims nothing.
fn nothing() -> Asked {
    Asked {
        shares: BTreeMap::new(),
        addresses: BTreeMap::new(),
        probes: Vec::new(),
        lease: Duration::from_mins(5),
        until: Instant::now(),
    }
}

/// The court's copy, claimed.
async fn claimed_by(sender: &Sender) -> Claim {
    let recipient = "supreme-court".to_owned();
    let mut connection = sender.context.db.begin().await.expect("a transaction");
    let shares = BTreeMap::from([(recipient.clone(), 1)]);
    let addresses = BTreeMap::from([(recipient, Address::default())]);
    let lease = Duration::from_mins(5);
    let claims = db::delivery::claim(&mut connection, &shares, &addresses, instant(), lease).await;
    connection.commit().await.expect("it commits");
    claims.expect("it claims").pop().expect("it is due")
}

#[tokio::test]
async fn a_place_is_taken_until_it_is_noted_how_its_attempt_ended() {
    let delivering = Delivering::start().await;
    let files = tempfile::tempdir().expect("a folder");
    let (own, seen) = (
        Arc::new(OnceLock::<Arc<Sender>>::new()),
        Arc::new(Mutex::new(Vec::new())),
    );
    let (sender, places) = (Arc::clone(&own), Arc::clone(&seen));
    // The clock is asked when the end is noted.
    let context = delivering.distribution.running.context(move || {
        if let Some(sender) = sender.get() {
            places.lock().expect("no code panics").push(sender.under_way().len());
        }
        instant()
    });
    let sender = own.get_or_init(|| replica(context, files.path()));
    let parcel = Parcel {
        delivery_id: Uuid::nil(),
        attempt: 1,
        copy: Default::default(),
        files: Vec::new(),
        until: Instant::now() + Duration::from_mins(5),
    };
    sender.send(claim_of("senate"), Sent::Copy(Box::new(parcel)));
    sender.place_free.notified().await;
    assert_eq!(*seen.lock().expect("no code panics"), [1]);
    assert_eq!((sender.under_way().len(), sender.ended().len()), (0, 1));
}

#[tokio::test]
async fn a_lost_claim_that_cannot_be_recorded_is_read_anew_and_not_kept() {
    let delivering = Delivering::start().await;
    delivering.inbox("supreme-court", "court-unrecorded").await;
    delivering.leave_alone("supreme-court").await;
    delivering.distribution.release_crime().await;
    let files = tempfile::tempdir().expect("a folder");
    let sender = replica(delivering.distribution.running.context(instant), files.path());
    claimed_by(&sender).await;
    for sql in [
        "ALTER TABLE collections.delivery_attempt ADD CHECK (number = 0)",
        "UPDATE collections.delivery SET claimed_until = now()",
    ] {
        delivering.distribution.execute(sql).await;
    }
    assert!(Arc::clone(&sender).take_over().await.is_err());
    assert!(sender.ended().is_empty());
}

#[tokio::test]
async fn a_stop_of_the_service_leaves_its_copies_due_at_once_and_uses_up_no_attempt() {
    let delivering = Delivering::start().await;
    delivering.inbox("supreme-court", "court-stopped").await;
    delivering.leave_alone("supreme-court").await;
    delivering.distribution.release_crime().await;
    let files = tempfile::tempdir().expect("a folder");
    let sender = replica(delivering.distribution.running.context(instant), files.path());
    for number in 1..=2 {
        let claim = claimed_by(&sender).await;
        assert_eq!(claim.number, number);
        sender.finish(claim, Err(Failure::stopped()), Instant::now() + MARGIN);
        Arc::clone(&sender).settle().await.expect("it is recorded");
        let due =
            "SELECT count(*) FROM collections.delivery WHERE attempts = 0 AND next_attempt_at = '2025-04-03 05:00Z'";
        assert_eq!(delivering.distribution.count(due).await, 1);
    }
}

/// The court's copy after an attempt that ended so: how many attempts counted, how many were spared, and whether another is due at once.
async fn after(delivering: &Delivering, sender: &Arc<Sender>, failure: Failure) -> (i32, i32, bool) {
    let claim = claimed_by(sender).await;
    sender.finish(claim, Err(failure), Instant::now() + MARGIN);
    Arc::clone(sender).settle().await.expect("it is recorded");
    let due =
        "SELECT attempts, spared, coalesce(next_attempt_at = '2025-04-03 05:00Z', false) FROM collections.delivery";
    let mut superuser = delivering.distribution.running.superuser().await;
    let row: (i32, i32, bool) = sqlx::query_as(due)
        .fetch_one(&mut superuser)
        .await
        .expect("it is delivered");
    let due_again =
        "UPDATE collections.delivery SET next_attempt_at = '2025-04-03 05:00Z' WHERE next_attempt_at IS NOT NULL";
    delivering.distribution.execute(due_again).await;
    row
}

#[tokio::test]
async fn a_replica_that_is_lost_again_and_again_uses_up_nothing_of_the_schedule_until_a_hundred_were() {
    let delivering = Delivering::start().await;
    delivering.inbox("supreme-court", "court-of-losers").await;
    delivering.leave_alone("supreme-court").await;
    delivering.distribution.release_crime().await;
    let files = tempfile::tempdir().expect("a folder");
    let sender = replica(delivering.distribution.running.context(instant), files.path());
    let lost = || Failure::new(Outcome::SenderLost, "the replica did not tell how the attempt ended");
    for spared in 1..=10 {
        assert_eq!(after(&delivering, &sender, lost()).await, (0, spared, true));
    }
    let many = "UPDATE collections.delivery SET spared = 99, attempts = 8";
    delivering.distribution.execute(many).await;
    assert_eq!(after(&delivering, &sender, lost()).await, (8, 100, true));
    assert_eq!(after(&delivering, &sender, lost()).await, (9, 100, false));
    let failed = "SELECT count(*) FROM collections.copy WHERE state = 'FAILED' AND status_reason LIKE '9 attempts%'";
    assert_eq!(delivering.distribution.count(failed).await, 1);
}

#[tokio::test]
async fn an_attempt_that_moved_a_copy_on_uses_up_nothing_and_closes_the_breaker() {
    let delivering = Delivering::start().await;
    delivering.inbox("supreme-court", "court-of-snails").await;
    delivering.leave_alone("supreme-court").await;
    delivering.distribution.release_crime().await;
    let files = tempfile::tempdir().expect("a folder");
    let sender = replica(delivering.distribution.running.context(instant), files.path());
    let broken = |received_bytes| Failure {
        received_bytes,
        ..Failure::new(Outcome::BrokenOff, "the connection broke")
    };
    assert_eq!(after(&delivering, &sender, broken(0)).await, (1, 0, false));
    let had = "UPDATE collections.delivery SET received_bytes = 5";
    delivering.distribution.execute(had).await;
    assert_eq!(after(&delivering, &sender, broken(5)).await, (2, 0, false));
    assert_eq!(after(&delivering, &sender, broken(4)).await, (3, 0, false));
    let open = "SELECT count(*) FROM collections.recipient_breaker WHERE open_until IS NOT NULL";
    assert_eq!(delivering.distribution.count(open).await, 1);
    assert_eq!(after(&delivering, &sender, broken(6)).await, (3, 1, false));
    assert_eq!(delivering.distribution.count(open).await, 0);
}

#[tokio::test]
async fn ends_that_a_stop_finds_being_recorded_are_recorded_before_the_service_ends() {
    let delivering = Delivering::start().await;
    delivering.inbox("supreme-court", "court-interrupted").await;
    delivering.leave_alone("supreme-court").await;
    delivering.distribution.release_crime().await;
    let files = tempfile::tempdir().expect("a folder");
    let context = delivering.distribution.running.context(instant);
    let sender = replica(context.clone(), files.path());
    let mut claim = claimed_by(&sender).await;
    claim.address.certificate_name = "court-interrupted".to_owned();
    let rejects = Ok(Answer::Rejection("the file does not open".to_owned()));
    let mut holder = delivering.distribution.running.superuser().await;
    let held = sqlx::raw_sql("BEGIN; SELECT FROM collections.copy FOR UPDATE").execute(&mut holder);
    held.await.expect("it is held");
    sender.finish(claim, rejects, Instant::now() + MARGIN);
    let own = Arc::clone(&sender);
    let settling = job::repeat(&context, "ends", PAUSE, move || Arc::clone(&own).settle());
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    delivering.until_count(waits, 1).await;

    context.shutdown.cancel();
    let last = tokio::spawn(Arc::clone(&sender).settle_last(settling));
    sqlx::raw_sql("ROLLBACK")
        .execute(&mut holder)
        .await
        .expect("it is let go");
    last.await.expect("it does not panic");
    let rejected = "SELECT count(*) FROM collections.receipt WHERE outcome = 'REJECTED'";
    assert_eq!(delivering.distribution.count(rejected).await, 1);
    assert!(sender.ended().is_empty());
}

#[tokio::test]
async fn a_copy_whose_server_was_entered_since_the_attempt_looked_for_one_begins_anew_at_once_and_one_that_was_tried_does_not()
 {
    let delivering = Delivering::start().await;
    delivering.inbox("supreme-court", "court-entered").await;
    delivering.leave_alone("supreme-court").await;
    delivering.distribution.release_crime().await;
    let files = tempfile::tempdir().expect("a folder");
    let sender = replica(delivering.distribution.running.context(instant), files.path());
    let nowhere = || Failure::new(Outcome::NoEndpoint, "the recipient has no endpoint");
    let tried = "UPDATE collections.delivery SET attempts = 3, attempts_ever = 5, spared = 2, received_bytes = 7";
    delivering.distribution.execute(tried).await;
    assert_eq!(after(&delivering, &sender, nowhere()).await, (0, 0, true));
    let anew = "SELECT count(*) FROM collections.delivery WHERE received_bytes = 0";
    assert_eq!(delivering.distribution.count(anew).await, 1);
    let issued = "SELECT count(*) FROM collections.copy WHERE recipient = 'supreme-court' AND state = 'ISSUED'";
    assert_eq!(delivering.distribution.count(issued).await, 1);

    // What stands at the recipient is no address that anything connects to.
    let mut claim = claimed_by(&sender).await;
    let mut connection = sender.context.db.connection().await.expect("a connection");
    let known = db::recipient_detail::all(&mut connection).await.expect("it is known");
    connection.done();
    claim.address = Address::of(&known, "supreme-court", zone::civil_day(instant()));
    assert!(claim.address.is_known());
    sender.finish(claim, Err(nowhere()), Instant::now() + MARGIN);
    Arc::clone(&sender).settle().await.expect("it is recorded");
    let none =
        "SELECT count(*) FROM collections.delivery WHERE attempts = 1 AND next_attempt_at IS NULL AND fence IS NULL";
    assert_eq!(delivering.distribution.count(none).await, 1);
    assert_eq!(delivering.distribution.count(issued).await, 1, "it is fetched");
}

#[tokio::test]
async fn what_an_earlier_release_left_to_be_fetched_by_who_has_a_server_is_begun_when_the_service_starts() {
    let delivering = Delivering::start().await;
    let inbox = delivering.inbox("supreme-court", "court-upgraded").await;
    delivering.address("supreme-court", None).await;
    delivering.distribution.release_crime().await;
    let to = Some((inbox.endpoint.as_str(), "court-upgraded"));
    delivering.address("supreme-court", to).await;
    let deliveries = "SELECT count(*) FROM collections.delivery";
    assert_eq!(delivering.distribution.count(deliveries).await, 0);
    let _replica = delivering.distribution.replica(instant).await;
    let received = "SELECT count(*) FROM collections.copy WHERE state = 'RECEIVED'";
    delivering.until_count(received, 1).await;
    let context = delivering.distribution.running.context(instant);
    begin_left(&context).await.expect("there is nothing to begin");
    assert_eq!(
        delivering.distribution.count(deliveries).await,
        1,
        "the others have no server"
    );
}

#[tokio::test]
async fn the_metrics_tell_what_is_due_and_since_when_what_is_under_way_and_which_servers_are_left_alone() {
    let delivering = Delivering::start().await;
    for (recipient, name) in [
        ("supreme-court", "court-measured"),
        ("gpo-leadership", "leadership-measured"),
    ] {
        delivering.address(recipient, Some(("https://localhost:1", name))).await;
        delivering.leave_alone(recipient).await;
    }
    delivering.distribution.release_crime().await;
    let over = "UPDATE collections.recipient_breaker SET open_until = opened_at WHERE recipient = 'gpo-leadership'";
    let files = tempfile::tempdir().expect("a folder");
    let later = || instant() + Duration::from_secs(90);
    let sender = replica(delivering.distribution.running.context(later), files.path());
    claimed_by(&sender).await;
    let told = async || sender.standing().await.expect("it counts").map(|(_, count)| count);
    assert_eq!(told().await, [7, 1, 90, 2]);
    let names = sender.standing().await.expect("it counts").map(|(name, _)| name);
    let expected = [
        "deliveries_due",
        "deliveries_under_way",
        "oldest_delivery_due_seconds",
        "breakers_open",
    ];
    assert_eq!(names, expected.map(|name| format!("legalstat.collections.{name}")));
    for sql in ["UPDATE collections.delivery SET next_attempt_at = NULL", over] {
        delivering.distribution.execute(sql).await;
    }
    assert_eq!(told().await, [0, 1, 0, 1]);
}

#[tokio::test]
async fn two_replicas_that_both_find_no_breaker_count_both_failures() {
    let delivering = Delivering::start().await;
    let context = delivering.distribution.running.context(instant);
    let recipients = ["senate".to_owned()];
    let mut first = context.db.begin().await.expect("a transaction");
    let mut breakers = db::breaker::locked(&mut first, &recipients).await.expect("it looks");
    let own = context.clone();
    let second = tokio::spawn(async move {
        let mut second = own.db.begin().await.expect("a transaction");
        db::breaker::locked(&mut second, &recipients).await.expect("it looks")
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    while !second.is_finished() && delivering.distribution.count(waits).await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let breaker = breakers.entry("senate".to_owned()).or_default();
    breaker.note(Outcome::Unreachable, instant(), instant(), 0.0);
    db::breaker::save(&mut first, &breakers).await.expect("it is saved");
    first.commit().await.expect("it commits");
    let seen = second.await.expect("it does not panic");
    assert_eq!(seen.get("senate").map(|breaker| breaker.failures), Some(1));
}

#[tokio::test]
async fn what_is_left_of_a_write_is_planned_as_usual() {
    let delivering = Delivering::start().await;
    let context = delivering.distribution.running.context(instant);
    let written = write::by_job(&context, METHOD, |write| {
        Box::pin(async move {
            let settings = "SELECT current_setting('enable_seqscan') || current_setting('enable_hashjoin')";
            for is_settled in [true, false] {
                if is_settled {
                    settling::settle(write, &[], &[]).await?;
                } else {
                    claimed(write, nothing()).await?;
                }
                let set: String = sqlx::query_scalar(settings).fetch_one(write.connection()).await?;
                assert_eq!(set, "onon", "{is_settled}");
            }
            Ok(Vec::new())
        })
    });
    written.await.expect("nothing is written");
}

/// The court's copy, recalled as the release before does it, which tells no server.
const RECALLED: &str =
    "UPDATE collections.copy SET state = 'RECALLED', status_at = '2025-04-03 05:00Z' WHERE recipient = 'supreme-court'";

/// Adds an attempt on the court's copy, from then on, that ended so.
async fn attempted(delivering: &Delivering, (number, started_at, outcome): (i32, &str, &str)) {
    let added = "INSERT INTO collections.delivery_attempt
             (collection, period, copy_number, number, endpoint, started_at, ended_at, outcome)
         SELECT collection, period, copy_number, $1, '', $2::timestamptz, '2025-04-03 05:01Z', $3 FROM collections.delivery";
    let added = sqlx::query(added).bind(number).bind(started_at).bind(outcome);
    let mut superuser = delivering.distribution.running.superuser().await;
    added.execute(&mut superuser).await.expect("it is added");
}

#[tokio::test]
async fn a_start_begins_recalls_of_which_no_attempt_follows_and_leaves_others_their_schedule() {
    let delivering = Delivering::start().await;
    delivering.inbox("supreme-court", "court-restarted").await;
    delivering.leave_alone("supreme-court").await;
    delivering.distribution.release_crime().await;
    let context = delivering.distribution.running.context(instant);
    delivering.distribution.execute(RECALLED).await;
    attempted(&delivering, (1, "2025-04-03 05:00Z", "NO_ANSWER")).await;
    let begun =
        "SELECT count(*) FROM collections.delivery WHERE next_attempt_at = '2025-04-03 05:00Z' AND attempts = 0";
    for (left, expected) in [
        (
            "UPDATE collections.delivery SET attempts = 9, attempts_ever = 9, next_attempt_at = NULL",
            1,
        ),
        (
            "UPDATE collections.delivery SET attempts = 2, next_attempt_at = '2025-04-03 06:00Z'",
            0,
        ),
        (
            "UPDATE collections.delivery SET next_attempt_at = NULL, fence = 1, started_at = now(), endpoint = '',
             claimed_until = now() + interval '1 hour'",
            0,
        ),
    ] {
        delivering.distribution.execute(left).await;
        begin_left(&context).await.expect("it begins what is left");
        assert_eq!(delivering.distribution.count(begun).await, expected, "{left}");
    }
    let as_left = "SELECT count(*) FROM collections.delivery WHERE attempts = 2 AND fence = 1";
    assert_eq!(delivering.distribution.count(as_left).await, 1);
}

#[tokio::test]
async fn copies_are_read_by_their_keys_though_nothing_is_known_of_a_young_table() {
    let delivering = Delivering::start().await;
    delivering.distribution.release_crime().await;
    let context = delivering.distribution.running.context(instant);
    let mut transaction = context.db.begin().await.expect("a transaction");
    let keys: Vec<_> = [1, 25, 33]
        .map(|number| format!("collections/crime/editions/2025-Q1/copies/{number}").parse())
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("names");
    db::delivery::by_keys(&mut transaction).await.expect("it is set");
    // PostgreSQL keeps a plan for any parameters after some.
    for _ in 0..10 {
        let copies = db::copy::of_keys(&mut transaction, &keys).await.expect("it reads");
        assert!(copies.iter().all(Option::is_some));
    }
    let read = "SELECT (idx_tup_fetch + seq_tup_read)::bigint FROM pg_stat_xact_user_tables WHERE relid = 'collections.copy'::regclass";
    let read: i64 = sqlx::query_scalar(read)
        .fetch_one(&mut *transaction)
        .await
        .expect("it is counted");
    assert_eq!(read, 30, "three of the edition's copies, ten times");
}
