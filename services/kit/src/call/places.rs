//! The places of one class of calls: how many are at work and wait, in all and of one caller.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    Caller,
    call::{connections::counted, deadline},
};

/// The places that a call takes up.
pub(crate) type Places = Arc<[OwnedSemaphorePermit]>;

/// Whose a call is, for how many places its caller may take.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Whose {
    /// A stranger's of this address, as connections are counted.
    Stranger(Option<IpAddr>),
    /// A known caller's of this name.
    Known(String),
}

impl Whose {
    /// Whose the calls of this caller from this address are.
    pub(crate) fn of(caller: &Caller, address: Option<SocketAddr>) -> Self {
        if caller.is_anonymous() {
            Self::Stranger(address.map(|address| counted(address.ip())))
        } else {
            Self::Known(caller.name.clone())
        }
    }
}

/// How many calls are at work, and how many wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) at_work: usize,
    pub(crate) waiting: usize,
}

impl Numbers {
    /// What one caller may take. Of a known one as many may wait as there may be in all: the half of the places at work that
    /// it leaves is free for others however many of its calls wait.
    fn of_one(self, whose: &Whose) -> Self {
        match whose {
            Whose::Stranger(_) => Self {
                at_work: (self.at_work / 4).max(1),
                waiting: self.waiting / 4,
            },
            Whose::Known(_) => Self {
                at_work: (self.at_work / 2).max(1),
                waiting: self.waiting,
            },
        }
    }
}

struct Turns {
    at_work: Arc<Semaphore>,
    /// Those at work and those who wait together.
    inside: Arc<Semaphore>,
}

impl Turns {
    fn new(Numbers { at_work, waiting }: Numbers) -> Self {
        Self {
            at_work: Arc::new(Semaphore::new(at_work)),
            inside: Arc::new(Semaphore::new(at_work + waiting)),
        }
    }

    fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.inside).try_acquire_owned().ok()
    }

    async fn begin(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.at_work).acquire_owned().await.ok()
    }

    fn is_used(&self) -> bool {
        // Each place that is taken holds its semaphore.
        Arc::strong_count(&self.inside) > 1
    }
}

/// The room of one class.
pub(crate) struct Room {
    numbers: Numbers,
    /// Whether the places are shared out among the callers.
    shared_out: bool,
    patience: Duration,
    all: Turns,
    of_callers: Mutex<HashMap<Whose, Arc<Turns>>>,
}

impl Room {
    /// Room for so many, each of whom waits so long. `shared_out` bounds what one caller takes of it.
    pub(crate) fn new(numbers: Numbers, patience: Duration, shared_out: bool) -> Self {
        Self {
            numbers,
            shared_out,
            patience,
            all: Turns::new(numbers),
            of_callers: Mutex::default(),
        }
    }

    /// Places for one more call, once there are some; `None` when too many wait, or this one waited in vain.
    pub(crate) async fn take(&self, whose: Whose) -> Option<Places> {
        let own = self.own(whose);
        let (own_inside, inside) = (own.enter()?, self.all.enter()?);
        let beginning = async { Some((own.begin().await?, self.all.begin().await?)) };
        let begun = tokio::time::timeout(deadline::remaining(self.patience), beginning);
        let (own_turn, turn) = begun.await.ok()??;
        Some(Arc::new([own_inside, inside, own_turn, turn]))
    }

    fn own(&self, whose: Whose) -> Arc<Turns> {
        let mut of_callers = self.of_callers.lock().expect("no code panics while it holds this lock");
        if let Some(own) = of_callers.get(&whose) {
            return Arc::clone(own);
        }
        of_callers.retain(|_, turns| Arc::strong_count(turns) > 1 || turns.is_used());
        let numbers = if self.shared_out {
            self.numbers.of_one(&whose)
        } else {
            self.numbers
        };
        let own = Arc::new(Turns::new(numbers));
        of_callers.insert(whose, Arc::clone(&own));
        own
    }
}
