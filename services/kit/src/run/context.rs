//! What a handler or a job works with. It knows nothing of how a service starts and serves, so that every room can use it.

use std::{
    ops::Deref,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{call::tls, door::wire, schema::Database};

/// How long a feed says nothing, where no setting says it.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// What a server works with, whether or not it has a database.
#[derive(Clone)]
pub struct Process {
    /// Cancelled when the process is told to stop. A server serves on for a delay.
    pub(crate) told_to_stop: CancellationToken,
    /// Cancelled when listeners, feeds and jobs are to end: after the delay, or at once after a crash, which stops no other service of
    /// the same process.
    pub shutdown: CancellationToken,
    /// Work that must end before the process does.
    pub tasks: TaskTracker,
    /// The files behind the server's TLS, for calls to other services.
    pub tls: tls::Files,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Which job panicked first, and how.
    crashed: Arc<OnceLock<String>>,
}

/// What a handler or a job of a service works with.
#[derive(Clone)]
pub struct Context {
    /// The service's own schema, as the runtime role.
    pub db: Database,
    /// How long a feed of changes says nothing at most.
    pub heartbeat: Duration,
    /// Told when this process has committed an event; those of other replicas are looked for.
    pub(crate) events: Arc<Notify>,
    process: Process,
    /// Whether the service lacks what it answers from.
    incomplete: Arc<AtomicBool>,
}

impl Deref for Context {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl Context {
    /// A context with a clock of its own.
    pub fn new(
        db: Database,
        tls: tls::Files,
        told_to_stop: CancellationToken,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self {
            db,
            heartbeat: HEARTBEAT,
            events: Arc::default(),
            process: Process::new(tls, told_to_stop, clock),
            incomplete: Arc::default(),
        }
    }

    /// Tells whether the service has what it answers from, such as its schedule. It is ready only while it has.
    pub(crate) fn set_complete(&self, complete: bool) {
        self.incomplete.store(!complete, Ordering::Release);
    }

    /// Whether the service has what it answers from.
    pub(crate) fn is_complete(&self) -> bool {
        !self.incomplete.load(Ordering::Acquire)
    }
}

impl Process {
    /// A process with a clock of its own.
    pub fn new(
        tls: tls::Files,
        told_to_stop: CancellationToken,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self {
            told_to_stop,
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
            tls,
            clock: Arc::new(clock),
            crashed: Arc::default(),
        }
    }

    /// Stops the service because a job that it cannot do without has panicked.
    pub(crate) fn crash(&self, job: &str, panic: &str) {
        let crash = format!("the job {job} panicked: {panic}");
        tracing::error!("{crash}");
        self.crashed.set(crash).ok();
        self.shutdown.cancel();
    }

    /// Answers whether every job is sound.
    ///
    /// # Errors
    /// Names the job that panicked first.
    pub(crate) fn require_sound(&self) -> anyhow::Result<()> {
        self.crashed
            .get()
            .map_or(Ok(()), |crash| Err(anyhow::anyhow!(crash.clone())))
    }

    /// The present instant, in whole microseconds as the database keeps them.
    pub fn now(&self) -> Timestamp {
        wire::whole_microseconds((self.clock)())
    }

    /// Waits for the given time. Answers true, and at once, when the service is told to stop.
    pub async fn stopped_within(&self, pause: Duration) -> bool {
        tokio::time::timeout(pause, self.shutdown.cancelled()).await.is_ok()
    }
}
