//! Requests that are asked for at the same time are looked up by one statement: a statement costs PostgreSQL and the service
//! more than the rows that it finds. There is no timer. A call that comes alone is looked up at once; what is asked for while
//! the database answers is looked up next, together.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use legalstat_kit::{
    Error, Refusal, lent,
    schema::{Database, PLANNED},
};
use sqlx::PgConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tracing::{Instrument as _, Span};
use uuid::Uuid;

use crate::db::{self, request::Stored};

/// How many requests one statement looks up at most.
const TOGETHER: usize = 64;

type Found = Result<Option<Stored>, Error>;
type Asked = (Uuid, oneshot::Sender<Found>);

/// Looks requests up.
pub struct Lookup {
    shared: Arc<Shared>,
}

struct Shared {
    db: Database,
    waiting: Mutex<Vec<Asked>>,
    /// One place for each statement that may be under way.
    places: Arc<Semaphore>,
}

impl Lookup {
    pub fn new(db: Database) -> Self {
        let places = usize::try_from(PLANNED).expect("a few");
        Self {
            shared: Arc::new(Shared {
                db,
                waiting: Mutex::default(),
                places: Arc::new(Semaphore::new(places)),
            }),
        }
    }

    /// The request with this id. Nobody else loses an answer when this is dropped.
    ///
    /// # Errors
    /// When the database fails, or this release cannot read the request.
    pub async fn get(&self, id: Uuid) -> Found {
        let (asker, answered) = oneshot::channel();
        self.shared.waiting().push((id, asker));
        Shared::start(&self.shared);
        let found = answered.await;
        found.map_err(|_| Refusal::unavailable("the line to the database is silent"))?
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks up what waits, in a task that no caller's end stops, if a place is free. Otherwise those who hold the places do.
    fn start(shared: &Arc<Self>) {
        if let Ok(place) = Arc::clone(&shared.places).try_acquire_owned() {
            let work = Arc::clone(shared).work(place);
            tokio::spawn(work.instrument(Span::current()));
        }
    }

    async fn work(self: Arc<Self>, place: OwnedSemaphorePermit) {
        if let Err(error) = lent::unless_silent(self.look_up_all()).await {
            tracing::warn!(%error, "a lookup was broken off");
        }
        drop(place);
        // Who asked after the last look and before the place was free again could not start it.
        if !self.waiting().is_empty() {
            Self::start(&self);
        }
    }

    async fn look_up_all(&self) {
        let mut asked = self.gather().await;
        if asked.is_empty() {
            return;
        }
        let mut connection = match self.db.planned().await {
            Ok(connection) => connection,
            Err(error) => return fail(asked, error),
        };
        while !asked.is_empty() {
            if let Err((asked, error)) = look_up(&mut connection, asked).await {
                return fail(asked, error);
            }
            asked = self.gather().await;
        }
        connection.done();
    }

    /// Those who wait, and those whose calls the runtime has at hand already: they come to wait before it gets back here.
    async fn gather(&self) -> Vec<Asked> {
        tokio::task::yield_now().await;
        self.take()
    }

    /// Those who wait first, without those who have hung up.
    fn take(&self) -> Vec<Asked> {
        let mut waiting = self.waiting();
        waiting.retain(|(_, asker)| !asker.is_closed());
        let count = waiting.len().min(TOGETHER);
        waiting.drain(..count).collect()
    }
}

async fn look_up(connection: &mut PgConnection, asked: Vec<Asked>) -> Result<(), (Vec<Asked>, sqlx::Error)> {
    let mut ids: Vec<Uuid> = asked.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = match db::request::get(connection, &ids).await {
        Ok(found) => found,
        Err(error) => return Err((asked, error)),
    };
    let mut askers: HashMap<Uuid, Vec<oneshot::Sender<Found>>> = HashMap::with_capacity(ids.len());
    for (id, asker) in asked {
        askers.entry(id).or_default().push(asker);
    }
    for (id, askers) in askers {
        tell(askers, found.remove(&id).transpose().map_err(Error::from));
    }
    Ok(())
}

fn fail(asked: Vec<Asked>, error: sqlx::Error) {
    tell(asked.into_iter().map(|(_, asker)| asker).collect(), Err(error.into()));
}

/// Tells all of them the same.
fn tell(mut askers: Vec<oneshot::Sender<Found>>, found: Found) {
    let last = askers.pop();
    for asker in askers {
        let again = match &found {
            Ok(found) => Ok(found.clone()),
            Err(error) => Err(error.again()),
        };
        asker.send(again).ok();
    }
    if let Some(last) = last {
        last.send(found).ok();
    }
}
