//! Follows the calendar: every act of it recomputes the open due dates of the service, one act after the other, so that a
//! service which was away ends with the same dates, journal and events as one that was not.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use jiff::Timestamp;
use legalstat_proto::calendar::v1::CalendarChange;
use sqlx::{PgConnection, Row as _};
use tonic::Streaming;

use crate::{
    Context,
    call::{client::failed, telemetry},
    door::{
        wire,
        word::{self, Word},
    },
    due::{
        Version,
        calendar::Calendar,
        compare::{Answer, Comparison, DueDates, OpenDueDate, Pages, Recomputed},
        feed::Feed,
        moves::{self, Cause, Why},
    },
    job,
    write::{self, Change},
};

/// What the journal names as the method.
const METHOD: &str = "jobs/recompute";
/// How long between two tries to follow.
const PAUSE: Duration = Duration::from_secs(1);
/// For how many seconds nobody has told the service of the calendar's changes, or it has not come to take one up; 0 while it follows.
const LAG: &str = "legalstat.calendar.feed_lag";
/// How many due dates one transaction stores.
const BATCH: usize = 1000;

/// Starts the loop; it ends at the context's shutdown. The feed tells whether the calendar is followed just now.
pub fn start(context: &Context, calendar: Calendar, due_dates: Arc<dyn DueDates>) -> Feed {
    let feed = Feed::default();
    let follower = Arc::new(Follower {
        feed: feed.clone(),
        context: context.clone(),
        calendar,
        due_dates,
        lag: Mutex::new(Lag::since(Instant::now())),
    });
    job::repeat(context, "follow-calendar", PAUSE, move || {
        let follower = follower.clone();
        async move { follower.follow().await }
    });
    feed
}

struct Follower {
    feed: Feed,
    context: Context,
    calendar: Calendar,
    due_dates: Arc<dyn DueDates>,
    lag: Mutex<Lag>,
}

/// Since when the service does not follow the calendar.
struct Lag {
    since: Instant,
    /// The token after which the change comes that is being taken up, or could not be.
    stuck_after: Option<String>,
}

impl Lag {
    fn since(since: Instant) -> Self {
        Self {
            since,
            stuck_after: None,
        }
    }

    /// Changes after this token are told from now on. Answers whether the service is up to date as far as it knows: not when the next one
    /// is what it could not take up before.
    fn told_after(&mut self, token: &str, now: Instant) -> bool {
        let is_stuck = self.stuck_after.as_deref() == Some(token);
        if !is_stuck {
            *self = Self::since(now);
        }
        !is_stuck
    }

    /// A change after this token is about to be taken up. Trying again does not make it later than the first time.
    fn takes_up(&mut self, token: &str, now: Instant) {
        if self.stuck_after.as_deref() != Some(token) {
            self.since = now;
            self.stuck_after = Some(token.to_owned());
        }
    }

    /// Nobody tells of changes from now on.
    fn untold(&mut self, now: Instant) {
        if self.stuck_after.is_none() {
            self.since = now;
        }
    }

    fn seconds(&self, now: Instant) -> u64 {
        now.duration_since(self.since).as_secs()
    }
}

/// What was done to the calendar, on its way to be taken up: an act recorded or withdrawn, or registers loaded.
struct Act {
    cause: Cause,
    /// The act's name; empty when registers were loaded.
    name: String,
    known_from: Timestamp,
    version: String,
    /// How far the service was before.
    from: String,
    /// How far it is afterwards.
    to: String,
}

impl Act {
    fn read(change: CalendarChange, from: &str) -> anyhow::Result<Self> {
        let known_from = change.known_from.as_ref().context("a change without its instant")?;
        let cause = word::known(change.kind, Cause::OF_CALENDAR, |cause| cause.kind().into());
        let effect = change.effect.context("a change without its effect")?;
        Ok(Self {
            cause: cause.context("a change of a kind not known here")?,
            name: effect.calendar_act.map(|act| act.name).unwrap_or_default(),
            known_from: wire::timestamp(known_from).map_err(anyhow::Error::msg)?,
            version: effect.calendar_version,
            from: from.to_owned(),
            to: change.resume_token,
        })
    }

    /// Whether a due date was computed before this act was known.
    fn concerns(&self, item: &OpenDueDate) -> bool {
        let since = Version(&item.due.calendar_version).known_since();
        since.is_none_or(|since| since < self.known_from)
    }
}

impl Follower {
    /// Follows the calendar as long as it tells of changes, and measures for how long it does not.
    async fn follow(&self) -> anyhow::Result<()> {
        let lag = self.lag().seconds(Instant::now());
        telemetry::gauge(LAG, i64::try_from(lag)?);
        let token = resume_token(&mut *self.context.db.connection().await?).await?;
        let changes = self.calendar.watch(token.clone()).await.map_err(failed)?;
        if self.lag().told_after(&token, Instant::now()) {
            telemetry::gauge(LAG, 0);
        }
        let followed = self.take_up_all(token, changes).await;
        self.lag().untold(Instant::now());
        followed
    }

    fn lag(&self) -> MutexGuard<'_, Lag> {
        self.lag.lock().expect("no code panics while it holds this lock")
    }

    /// Takes up acts until the calendar ends the feed or something fails.
    async fn take_up_all(&self, mut token: String, mut changes: Streaming<CalendarChange>) -> anyhow::Result<()> {
        let _reading = self.feed.reading();
        while let Some(change) = changes.message().await.map_err(failed)? {
            self.feed.changed();
            self.lag().takes_up(&token, Instant::now());
            let act = Arc::new(Act::read(change, &token)?);
            self.take_up(&act).await?;
            token.clone_from(&act.to);
            self.lag().told_after(&token, Instant::now());
            telemetry::gauge(LAG, 0);
        }
        Ok(())
    }

    /// Recomputes what was computed before the act. Safe to interrupt: a second run skips dates that are already right.
    async fn take_up(&self, act: &Arc<Act>) -> anyhow::Result<()> {
        announce(&self.context, act.known_from).await?;
        let mut comparison = Comparison::known_at(&self.calendar, act.known_from, &act.version);
        // What was settled when the act became known, however late it is taken up.
        let mut pages = Pages::new(&*self.due_dates, act.known_from);
        let mut stored = 0;
        loop {
            let mut connection = self.context.db.connection().await?;
            let Some(mut page) = pages.next(&mut connection).await? else {
                break;
            };
            drop(connection);
            page.retain(|item| act.concerns(item));
            let mut differing = comparison.differing(page).await.map_err(failed)?;
            if self.due_dates.explained() {
                comparison.explain(&mut differing.answers).await.map_err(failed)?;
            }
            let answers = Arc::new(differing.answers);
            for batch in differing.items.chunks(BATCH) {
                stored += self.store(act.clone(), batch.to_vec(), answers.clone()).await?;
            }
        }
        finish(&self.context, act).await?;
        tracing::info!(act = act.name, stored, "open due dates follow the calendar");
        Ok(())
    }

    async fn store(&self, act: Arc<Act>, batch: Vec<Recomputed>, answers: Arc<Vec<Answer>>) -> anyhow::Result<usize> {
        let due_dates = self.due_dates.clone();
        let stored = write::by_job(&self.context, METHOD, |write| {
            Box::pin(async move {
                require_open(write.connection(), &act).await?;
                let now = write.now();
                let names = due_dates.store(write.connection(), &batch, &answers, now).await?;
                let names: HashSet<String> = names.into_iter().collect();
                let stored: Vec<&Recomputed> = batch.iter().filter(|item| names.contains(&item.name)).collect();
                let why = Why {
                    cause: act.cause,
                    calendar_act: &act.name,
                    terms: "",
                    reason: "",
                };
                moves::record(write.connection(), now, why, &stored).await?;
                Ok(stored.iter().map(|item| entry(&*due_dates, &act, item)).collect())
            })
        });
        stored.await
    }
}

fn entry(due_dates: &dyn DueDates, act: &Act, item: &Recomputed) -> Change {
    let noun = due_dates.noun();
    let event = if item.moves() {
        "due_date_moved"
    } else {
        "due_date_restated"
    };
    let (cause, old, new) = (act.cause.word(), item.old.date, item.new.date);
    let body = format!("{cause} {} {old} {new}", act.name);
    let change = Change::of(&item.name, format!("{noun}.{event}")).doing(body.as_bytes());
    match due_dates.told(new) {
        None => change,
        Some(told) => change.telling(&told),
    }
}

/// How far the service has followed the calendar.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn resume_token(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    sqlx::query_scalar!("SELECT resume_token FROM calendar_following")
        .fetch_one(connection)
        .await
}

/// Waits for every writer that may still store a due date computed before the act; later writers see `known_from` and give
/// up.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn announce(context: &Context, known_from: Timestamp) -> Result<(), sqlx::Error> {
    let mut transaction = context.db.begin().await?;
    sqlx::query!("SELECT pg_advisory_xact_lock('calendar_following'::regclass::oid::bigint)")
        .execute(&mut *transaction)
        .await?;
    sqlx::query!(
        "UPDATE calendar_following SET known_from = greatest(known_from, $1)",
        jiff_sqlx::Timestamp::from(known_from) as _,
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}

/// Begins a transaction that may store due dates, and reads for [`Followed::begun`] how far the service has followed: until it
/// ends, no act is taken up. The reading is a statement of its own behind the lock, for it must see what was stored while the
/// lock was waited for.
pub const BEGIN: &str = "BEGIN;
    SELECT pg_advisory_xact_lock_shared('calendar_following'::regclass::oid::bigint);
    SELECT (extract(epoch FROM known_from) * 1000000)::bigint AS followed FROM calendar_following";

/// From when the last act is known that the service has taken up; `None` when it has taken up none.
#[derive(Clone, Copy)]
pub struct Followed(Option<Timestamp>);

impl Followed {
    /// As a transaction that was begun by [`BEGIN`] read it.
    ///
    /// # Errors
    /// When it was begun by something else.
    pub fn begun(write: &write::Write) -> Result<Self, sqlx::Error> {
        let row = write.begun().last().ok_or(sqlx::Error::RowNotFound)?;
        let followed: Option<i64> = row.try_get("followed")?;
        let instant = followed.map(Timestamp::from_microsecond).transpose();
        Ok(Self(instant.map_err(|error| sqlx::Error::Decode(error.into()))?))
    }

    /// Whether a due date that this version of the calendar computed may be stored: not when the service has taken up a later
    /// act meanwhile.
    pub fn allows(self, calendar_version: &str) -> bool {
        let since = Version(calendar_version).known_since();
        self.0
            .is_none_or(|followed| since.is_some_and(|since| followed <= since))
    }
}

/// The same in a transaction that was begun otherwise. Until it ends, no act is taken up.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn is_current(connection: &mut PgConnection, calendar_version: &str) -> Result<bool, sqlx::Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock_shared('calendar_following'::regclass::oid::bigint)")
        .execute(&mut *connection)
        .await?;
    let followed = sqlx::query_scalar!("SELECT known_from FROM calendar_following")
        .fetch_one(connection)
        .await?;
    Ok(Followed(followed.map(jiff_sqlx::Timestamp::to_jiff)).allows(calendar_version))
}

/// Makes other replicas wait, and fails when one of them has already completed this act.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn require_open(connection: &mut PgConnection, act: &Act) -> anyhow::Result<()> {
    let token = sqlx::query_scalar!("SELECT resume_token FROM calendar_following FOR NO KEY UPDATE")
        .fetch_one(connection)
        .await?;
    anyhow::ensure!(token == act.from, "another replica has taken up the act already");
    Ok(())
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn finish(context: &Context, act: &Act) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE calendar_following SET resume_token = $2 WHERE resume_token = $1",
        act.from,
        act.to,
    )
    .execute(&mut *context.db.writing().await?)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_cannot_be_taken_up_counts_from_the_first_time_until_it_is() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut lag = Lag::since(began);
        // The calendar is away at first.
        assert_eq!(lag.seconds(at(5)), 5);
        assert!(lag.told_after("1", at(5)));
        lag.takes_up("1", at(10));
        lag.untold(at(11));
        assert!(!lag.told_after("1", at(20)));
        lag.takes_up("1", at(20));
        lag.untold(at(21));
        assert_eq!(lag.seconds(at(30)), 20);
        // It is taken up, here or by another replica, and then the calendar goes away.
        assert!(lag.told_after("2", at(40)));
        lag.untold(at(50));
        assert_eq!(lag.seconds(at(53)), 3);
    }
}
