//! What every write does, in one transaction: idempotency row, state change, journal entry, outbox event. All or none.
//!
//! The transaction belongs to the kit. A handler says what to do in it; once the transaction has begun, it runs to its end
//! in a task of the service, so that a caller who hangs up loses the answer and nothing else.

mod erased;
pub(crate) mod fingerprint;
mod group;
mod leaves;
mod refusals;
mod taken;

use std::{borrow::Cow, fmt::Display, sync::Arc};

use futures::future::BoxFuture;
use jiff::Timestamp;
use legalstat_proto::common::v1::ErrorReason;
use prost::Message;
use sqlx::{PgConnection, postgres::PgRow};
use tokio::sync::Notify;
use tonic::Code;
use tracing::Instrument;
use uuid::Uuid;

pub use erased::{Erased, erase_answers};
pub use group::{Grouped, Groups, Limits};
pub use refusals::{EachRefused, RefusalRecorder, Withheld, record_reading};

use crate::{
    Call, Context, Error, Refusal,
    call::patience,
    door::wire,
    lent::{self, Transaction},
    schema::Tables,
};
use leaves::{Answer, Answered, Entry, Event};

/// The tables of the write path, which every schema has.
pub static TABLES: Tables = Tables::of_kit(sqlx::migrate!("./migrations/write"));

/// A mutation as its caller asked for it.
#[derive(Clone)]
pub struct Mutation {
    /// Who calls what.
    pub call: Call,
    /// The caller's id for it.
    pub request_id: Uuid,
    /// Check everything, change nothing.
    pub validate_only: bool,
    /// The resource that refusals name; empty when the call makes it.
    about: String,
    /// SHA-256 of everything that was asked: the same id with another body is refused.
    body_sha256: [u8; 32],
    /// The same of the bytes as they were sent, by which earlier releases told bodies apart.
    sent_sha256: [u8; 32],
}

impl Mutation {
    /// The mutation that a message asks for. Every refusal on its way names the resource `about`, unless it names one itself.
    pub fn of(
        call: &Call,
        about: &impl Display,
        request_id: Uuid,
        validate_only: bool,
        request: &impl Message,
    ) -> Self {
        let sent = request.encode_to_vec();
        let body = Body {
            read: fingerprint::of(call.method, &sent),
            sent,
        };
        Self::of_body(call, about, request_id, validate_only, &body)
    }

    /// The mutation that an upload asks for: its header, and the digest of the content that followed.
    pub fn of_upload(
        call: &Call,
        about: &impl Display,
        request_id: Uuid,
        validate_only: bool,
        header: &impl Message,
        content_sha256: &[u8; 32],
    ) -> Self {
        let header = header.encode_to_vec();
        let with_content = |header: &[u8]| [header, content_sha256].concat();
        let body = Body {
            read: fingerprint::of_header(call.method, &header).map(|read| with_content(&read)),
            sent: with_content(&header),
        };
        Self::of_body(call, about, request_id, validate_only, &body)
    }

    fn of_body(call: &Call, about: &impl Display, request_id: Uuid, validate_only: bool, body: &Body) -> Self {
        let sent_sha256 = wire::sha256(&body.sent);
        Self {
            call: call.clone(),
            request_id,
            validate_only,
            about: about.to_string(),
            body_sha256: body.read.as_deref().map_or(sent_sha256, wire::sha256),
            sent_sha256,
        }
    }

    fn refused(&self, error: Error) -> Error {
        match error {
            Error::Refusal(refusal) if !self.about.is_empty() && !refusal.metadata.contains_key("resource") => {
                refusal.about(&self.about).into()
            }
            error => error,
        }
    }

    /// Refuses the repetition of a call whose answer was erased, and the same id with another body.
    fn require_kept(&self, earlier: &Answered) -> Result<(), Refusal> {
        if let Some(erased) = Erased::read(&earlier.kept) {
            return Err(erased.refusal());
        }
        let earlier_sha256 = earlier.body_sha256.as_slice();
        if earlier_sha256 == self.body_sha256 || earlier_sha256 == self.sent_sha256 {
            return Ok(());
        }
        Err(Refusal::new(
            Code::InvalidArgument,
            ErrorReason::RequestIdReused,
            "this request_id was already used for a call with another body",
        ))
    }
}

/// What a mutation asks for, in bytes.
#[derive(Default)]
struct Body {
    /// As it is read, in one spelling, where that is another.
    read: Option<Vec<u8>>,
    /// As it was sent.
    sent: Vec<u8>,
}

/// What a write does to one resource: it leaves a journal entry and an event.
pub struct Change {
    resource: String,
    kind: Cow<'static, str>,
    told: Option<String>,
    body_sha256: Option<[u8; 32]>,
    is_repeat: bool,
}

impl Change {
    /// A change of a resource. `kind` names the event, for example `edition.placed`.
    pub fn of(resource: &impl Display, kind: impl Into<Cow<'static, str>>) -> Self {
        Self {
            resource: resource.to_string(),
            kind: kind.into(),
            told: None,
            body_sha256: None,
            is_repeat: false,
        }
    }

    /// That a resource was so already and nothing changed. `kind` names the event, for example `edition.placement_repeated`.
    pub fn repeated(resource: &impl Display, kind: impl Into<Cow<'static, str>>) -> Self {
        Self {
            is_repeat: true,
            ..Self::of(resource, kind)
        }
    }

    /// What the event tells besides its kind, in the service's own notation: a feed that tells what became of the resource must
    /// not tell what it became later.
    pub fn telling(mut self, what: &impl Display) -> Self {
        self.told = Some(what.to_string());
        self
    }

    /// What was done, for the salted digest in the journal; without it the body of the call counts.
    pub fn doing(mut self, what: &[u8]) -> Self {
        self.body_sha256 = Some(wire::sha256(what));
        self
    }
}

/// What a mutation came to.
pub struct Outcome<R> {
    changes: Vec<Change>,
    answer: R,
    kept: Option<Vec<u8>>,
    committed: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl<R> Outcome<R> {
    /// One resource changed.
    pub fn of(resource: &impl Display, kind: &'static str, answer: R) -> Self {
        Self::each(vec![Change::of(resource, kind)], answer)
    }

    /// One resource was so already, and nothing changed.
    pub fn repeated(resource: &impl Display, kind: &'static str, answer: R) -> Self {
        Self::each(vec![Change::repeated(resource, kind)], answer)
    }

    /// Several resources changed.
    pub fn each(changes: Vec<Change>, answer: R) -> Self {
        Self {
            changes,
            answer,
            kept: None,
            committed: None,
        }
    }

    /// What the events tell besides their kinds; see [`Change::telling`].
    pub fn telling(mut self, what: &impl Display) -> Self {
        self.changes = self.changes.into_iter().map(|change| change.telling(what)).collect();
        self
    }

    /// Keeps these bytes for repetitions instead of the whole answer; [`Grouped::recall`] makes the answer of them again.
    pub fn keeping(mut self, kept: Vec<u8>) -> Self {
        self.kept = Some(kept);
        self
    }

    /// Runs when the transaction is committed, whether the caller still waits or not.
    pub fn once_committed(mut self, then: impl FnOnce() + Send + Sync + 'static) -> Self {
        self.committed = Some(Box::new(then));
        self
    }
}

/// A transaction under way. Dropping it rolls everything back.
pub struct Write {
    transaction: Transaction,
    begun: Vec<PgRow>,
    now: Timestamp,
    events: Arc<Notify>,
}

impl Write {
    async fn begin(context: &Context) -> Result<Self, Error> {
        Self::begin_with(context, "BEGIN").await
    }

    async fn begin_with(context: &Context, statement: &'static str) -> Result<Self, Error> {
        let (transaction, begun) = context.db.begin_with(statement).await?;
        Ok(Self {
            transaction,
            begun,
            now: context.now(),
            events: Arc::clone(&context.events),
        })
    }

    /// Commits, and tells those of this process who wait for events.
    async fn commit(self) -> Result<(), sqlx::Error> {
        self.transaction.commit().await?;
        self.events.notify_one();
        Ok(())
    }

    /// The connection inside the transaction.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// The rows that the statements behind its BEGIN gave; see [`Grouped::BEGIN`].
    pub fn begun(&self) -> &[PgRow] {
        &self.begun
    }

    /// The one instant of everything this write records.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Moves the instant of this write on, when it waited for another one and must come after it.
    pub fn not_before(&mut self, instant: Timestamp) {
        self.now = self.now.max(instant);
    }
}

/// Carries out one call in one transaction: answers a repetition from what is stored, else claims the key, does the work,
/// leaves answer, journal entry and event, and commits; with `validate_only` it rolls back instead. A call with the same key
/// that is still running is waited for.
///
/// # Errors
/// INVALID_ARGUMENT with REQUEST_ID_REUSED when the key was used for another body; what the work refuses; UNAVAILABLE when
/// the database is away. Then nothing is done, unless the line to the database was cut during the commit: the repetition
/// tells.
pub async fn carry_out<R, F>(context: &Context, mutation: Mutation, work: F) -> Result<R, Error>
where
    R: Message + Default + 'static,
    F: for<'w> FnOnce(&'w mut Write) -> BoxFuture<'w, Result<Outcome<R>, Error>> + Send + 'static,
{
    let own = context.clone();
    let whole = async move {
        let carried = lent::unless_silent(carry(&own, &mutation, work)).await;
        let carried = carried.unwrap_or_else(|silent| Err(silent.into()));
        carried.map_err(|error| mutation.refused(error))
    };
    let running = context.tasks.spawn(patience::inherited(whole.in_current_span()));
    running
        .await
        .map_err(|error| Error::Unknown(anyhow::Error::new(error).context("a write did not end")))?
}

async fn carry<R, F>(context: &Context, mutation: &Mutation, work: F) -> Result<R, Error>
where
    R: Message + Default,
    F: for<'w> FnOnce(&'w mut Write) -> BoxFuture<'w, Result<Outcome<R>, Error>>,
{
    let mut write = Write::begin(context).await?;
    let now = write.now;
    if !leaves::claim(write.connection(), mutation, now).await? {
        let found = leaves::answered(write.connection(), &[mutation]).await?.pop();
        let earlier = found.ok_or_else(|| anyhow::anyhow!("a key is taken and has no answer"))?;
        mutation.require_kept(&earlier)?;
        return decoded(&earlier.kept);
    }
    let outcome = work(&mut write).await?;
    let kept = outcome.kept.unwrap_or_else(|| outcome.answer.encode_to_vec());
    if mutation.validate_only {
        write.transaction.rollback().await?;
        return Ok(outcome.answer);
    }
    let answer = Answer::to(mutation, kept);
    leave(&mut write, &[answer], mutation, &outcome.changes).await?;
    write.commit().await?;
    if let Some(then) = outcome.committed {
        then();
    }
    Ok(outcome.answer)
}

async fn leave(write: &mut Write, answers: &[Answer], mutation: &Mutation, changes: &[Change]) -> Result<(), Error> {
    let entries: Vec<Entry> = changes.iter().map(|change| Entry::done(mutation, change)).collect();
    let events: Vec<Event<'_>> = changes.iter().map(Event::of).collect();
    let now = write.now;
    leaves::leave(write.connection(), now, answers, &entries, &events).await?;
    Ok(())
}

fn decoded<R: Message + Default>(kept: &[u8]) -> Result<R, Error> {
    Ok(R::decode(kept).map_err(|error| anyhow::Error::new(error).context("a stored answer"))?)
}

/// Carries out a write that a job of the service makes, in one transaction. It is journaled under the job's name, for
/// example `jobs/recompute`, and has no key. Tells how many resources changed.
///
/// # Errors
/// What the work fails with, or the database; then nothing is done.
pub async fn by_job<F>(context: &Context, job: &'static str, work: F) -> anyhow::Result<usize>
where
    F: for<'w> FnOnce(&'w mut Write) -> BoxFuture<'w, anyhow::Result<Vec<Change>>>,
{
    let mutation = Mutation::of_body(&Call::system(job), &"", Uuid::nil(), false, &Body::default());
    let mut write = Write::begin(context).await.map_err(Error::of_job)?;
    let changes = work(&mut write).await?;
    leave(&mut write, &[], &mutation, &changes)
        .await
        .map_err(Error::of_job)?;
    write.commit().await?;
    Ok(changes.len())
}

/// Whether this caller's call of this method with this id was answered before, for calls that must decide before they
/// have their whole body.
///
/// # Errors
/// When the database fails.
pub async fn was_answered(context: &Context, call: &Call, request_id: Uuid) -> Result<bool, Error> {
    let mutation = Mutation::of_body(call, &"", request_id, false, &Body::default());
    let mut connection = context.db.connection().await?;
    Ok(!leaves::answered(&mut connection, &[&mutation]).await?.is_empty())
}
