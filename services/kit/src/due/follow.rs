//! Follows the calendar: every change of it recomputes the open due dates of the service, one change after the other, so
//! that a service which was away ends with the same dates, journal and events as one that was not.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use jiff::Timestamp;
use legalstat_proto::calendar::v1::{CalendarChange, CalendarChangeKind, DueDateChange};
use sqlx::{PgConnection, PgExecutor};

use crate::{
    Context,
    call::client::failed,
    door::wire,
    due::{
        calendar::{Calendar, known_since},
        compare::{DueDates, OpenDueDate, Pages, Recompute, Recomputed},
        feed::Feed,
    },
    write::{self, Change, Write},
};

/// What the journal names as the method.
const METHOD: &str = "jobs/recompute";
/// How long between two tries to follow.
const PAUSE: Duration = Duration::from_secs(1);
/// How many due dates one transaction stores.
const BATCH: usize = 1000;

/// Starts the loop; it ends at the context's shutdown. The feed tells whether the calendar is followed just now.
pub fn start(context: &Context, calendar: Calendar, due_dates: Arc<dyn DueDates>) -> Feed {
    let feed = Feed::default();
    let follower = Follower {
        feed: feed.clone(),
        context: context.clone(),
        calendar,
        due_dates,
    };
    context.tasks.spawn(async move {
        let mut told = String::new();
        loop {
            tokio::select! {
                followed = follower.follow() => tell(&mut told, followed),
                () = follower.context.shutdown.cancelled() => return,
            }
            if follower.context.stopped_within(PAUSE).await {
                return;
            }
        }
    });
    feed
}

/// Logs a failure once, not each second anew.
fn tell(told: &mut String, followed: anyhow::Result<()>) {
    let problem = followed.err().map(|error| format!("{error:#}")).unwrap_or_default();
    if !problem.is_empty() && problem != *told {
        tracing::warn!(
            error = problem,
            "the calendar cannot be followed; trying again every second"
        );
    }
    *told = problem;
}

struct Follower {
    feed: Feed,
    context: Context,
    calendar: Calendar,
    due_dates: Arc<dyn DueDates>,
}

/// A change of the calendar that is taken up.
struct TakenUp {
    kind: &'static str,
    calendar_act: String,
    known_from: Timestamp,
    version: String,
    /// How far the service was before.
    from: String,
    /// How far it is afterwards.
    to: String,
}

impl TakenUp {
    fn read(change: CalendarChange, from: &str) -> anyhow::Result<Self> {
        let known_from = change.known_from.as_ref().context("a change without its instant")?;
        let kind = stored_kind(change.kind()).context("a change of a kind not known here")?;
        let effect = change.effect.context("a change without its effect")?;
        Ok(Self {
            kind,
            calendar_act: effect.calendar_act.map(|act| act.name).unwrap_or_default(),
            known_from: wire::timestamp(known_from).map_err(anyhow::Error::msg)?,
            version: effect.calendar_version,
            from: from.to_owned(),
            to: change.resume_token,
        })
    }

    /// Whether a due date was computed before this change was known.
    fn concerns(&self, item: &OpenDueDate) -> bool {
        known_since(&item.due.calendar_version).is_none_or(|since| since < self.known_from)
    }
}

impl Follower {
    /// Takes up changes until the calendar ends the stream or something fails.
    async fn follow(&self) -> anyhow::Result<()> {
        let mut token = resume_token(&mut *self.context.db.connection().await?).await?;
        let mut changes = self.calendar.watch(token.clone()).await.map_err(failed)?;
        let _reading = self.feed.reading();
        while let Some(change) = changes.message().await.map_err(failed)? {
            self.feed.changed();
            let change = Arc::new(TakenUp::read(change, &token)?);
            self.take_up(&change).await?;
            token.clone_from(&change.to);
        }
        Ok(())
    }

    /// Recomputes what was computed before the change. Cut short, it is taken up again: what is stored differs no more.
    async fn take_up(&self, change: &Arc<TakenUp>) -> anyhow::Result<()> {
        announce(&self.context, change.known_from).await?;
        let mut recompute = Recompute::known_at(&self.calendar, change.known_from, &change.version);
        // What was settled when the change became known, however late it is taken up.
        let mut pages = Pages::new(&*self.due_dates, change.known_from);
        let mut stored = 0;
        loop {
            let mut connection = self.context.db.connection().await?;
            let Some(mut page) = pages.next(&mut connection).await? else {
                break;
            };
            drop(connection);
            page.retain(|item| change.concerns(item));
            let mut differing = recompute.differing(page).await.map_err(failed)?;
            if self.due_dates.explained() {
                recompute.explain(&mut differing).await.map_err(failed)?;
            }
            while !differing.is_empty() {
                let rest = differing.split_off(differing.len().min(BATCH));
                stored += self.store(change, std::mem::replace(&mut differing, rest)).await?;
            }
        }
        finish(&self.context, change).await?;
        let act = &change.calendar_act;
        tracing::info!(act, stored, "open due dates follow a change of the calendar");
        Ok(())
    }

    async fn store(&self, change: &Arc<TakenUp>, batch: Vec<Recomputed>) -> anyhow::Result<usize> {
        let (due_dates, change) = (Arc::clone(&self.due_dates), Arc::clone(change));
        let stored = write::by_job(&self.context, METHOD, |write| {
            Box::pin(async move {
                require_open(write.connection(), &change).await?;
                let names = due_dates.store(write.connection(), &batch).await?;
                let names: HashSet<String> = names.into_iter().collect();
                let stored: Vec<&Recomputed> = batch.iter().filter(|item| names.contains(&item.name)).collect();
                record(write, &change, &stored).await?;
                let noun = due_dates.noun();
                Ok(stored.iter().map(|item| journaled(noun, &change, item)).collect())
            })
        });
        stored.await
    }
}

fn journaled(noun: &str, change: &TakenUp, item: &Recomputed) -> Change {
    let event = if item.moves() {
        "due_date_moved"
    } else {
        "due_date_restated"
    };
    let body = format!(
        "{} {} {} {}",
        change.kind, change.calendar_act, item.old.date, item.new.date
    );
    Change::of(&item.name, format!("{noun}.{event}")).doing(body.as_bytes())
}

/// How far the service has followed the calendar.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn resume_token(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    sqlx::query_scalar!("SELECT resume_token FROM calendar_following")
        .fetch_one(connection)
        .await
}

/// From now on no due date is stored that was computed before the change: whoever is about to is waited for, and then seen.
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

/// Whether a due date that this version of the calendar computed may be stored: not when the service has taken up a later
/// change meanwhile. Until the transaction ends, no change is taken up.
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
    let followed = followed.map(jiff_sqlx::Timestamp::to_jiff);
    Ok(followed.is_none_or(|followed| known_since(calendar_version).is_some_and(|since| followed <= since)))
}

/// Makes other replicas wait, and refuses when one of them has completed the change.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn require_open(connection: &mut PgConnection, change: &TakenUp) -> anyhow::Result<()> {
    let token = sqlx::query_scalar!("SELECT resume_token FROM calendar_following FOR NO KEY UPDATE")
        .fetch_one(connection)
        .await?;
    anyhow::ensure!(token == change.from, "another replica has completed the change");
    Ok(())
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn finish(context: &Context, change: &TakenUp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE calendar_following SET resume_token = $2 WHERE resume_token = $1",
        change.from,
        change.to,
    )
    .execute(&mut *context.db.connection().await?)
    .await?;
    Ok(())
}

/// Keeps what was promised before, for those that moved.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn record(write: &mut Write, change: &TakenUp, stored: &[&Recomputed]) -> Result<(), sqlx::Error> {
    let now = write.now();
    let moved: Vec<&&Recomputed> = stored.iter().filter(|item| item.moves()).collect();
    let dates = |date: fn(&Recomputed) -> jiff::civil::Date| -> Vec<jiff_sqlx::Date> {
        moved.iter().map(|item| date(item).into()).collect()
    };
    let texts =
        |text: fn(&Recomputed) -> &String| -> Vec<String> { moved.iter().map(|item| text(item).clone()).collect() };
    sqlx::query!(
        "INSERT INTO due_date_change
             (resource, changed_at, change, calendar_act, old_due_date, new_due_date, old_calendar_version,
              new_calendar_version)
         SELECT resource, $1, $2, $3, old_date, new_date, old_version, new_version
         FROM unnest($4::text[], $5::date[], $6::date[], $7::text[], $8::text[])
             AS moved (resource, old_date, new_date, old_version, new_version)",
        jiff_sqlx::Timestamp::from(now) as _,
        change.kind,
        change.calendar_act,
        &texts(|item| &item.name),
        dates(|item| item.old.date) as _,
        dates(|item| item.new.date) as _,
        &texts(|item| &item.old.calendar_version),
        &texts(|item| &item.new.calendar_version),
    )
    .execute(write.connection())
    .await?;
    Ok(())
}

fn stored_kind(kind: CalendarChangeKind) -> Option<&'static str> {
    match kind {
        CalendarChangeKind::ActRecorded => Some("ACT_RECORDED"),
        CalendarChangeKind::ActWithdrawn => Some("ACT_WITHDRAWN"),
        CalendarChangeKind::RegistersLoaded => Some("REGISTERS_LOADED"),
        CalendarChangeKind::Unspecified => None,
    }
}

/// How the due dates of these resources moved, by resource, each in order.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn changes(
    executor: impl PgExecutor<'_>,
    resources: &[String],
) -> Result<HashMap<String, Vec<DueDateChange>>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT resource, changed_at, change, calendar_act, old_due_date, new_due_date, old_calendar_version,
             new_calendar_version
         FROM due_date_change WHERE resource = ANY($1) ORDER BY number",
        resources,
    );
    let mut changes: HashMap<String, Vec<DueDateChange>> = HashMap::new();
    for row in rows.fetch_all(executor).await? {
        let change = DueDateChange {
            changed_at: Some(wire::to_timestamp(row.changed_at.to_jiff())),
            old_due_date: Some(wire::to_date(row.old_due_date.to_jiff())),
            new_due_date: Some(wire::to_date(row.new_due_date.to_jiff())),
            change: kind_of(&row.change).into(),
            calendar_act: row.calendar_act,
            old_calendar_version: row.old_calendar_version,
            new_calendar_version: row.new_calendar_version,
        };
        changes.entry(row.resource).or_default().push(change);
    }
    Ok(changes)
}

/// How the due date of one resource moved, in order.
///
/// # Errors
/// When the database fails.
pub async fn changes_of(
    executor: impl PgExecutor<'_>,
    resource: &impl std::fmt::Display,
) -> Result<Vec<DueDateChange>, sqlx::Error> {
    let name = resource.to_string();
    let mut changes = changes(executor, std::slice::from_ref(&name)).await?;
    Ok(changes.remove(&name).unwrap_or_default())
}

fn kind_of(stored: &str) -> CalendarChangeKind {
    let kinds = [
        CalendarChangeKind::ActRecorded,
        CalendarChangeKind::ActWithdrawn,
        CalendarChangeKind::RegistersLoaded,
    ];
    let kind = kinds.into_iter().find(|kind| stored_kind(*kind) == Some(stored));
    kind.unwrap_or_default()
}
