//! Calls on their way through a group, and those who wait for their answers.

use std::collections::HashMap;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tracing::Span;
use uuid::Uuid;

use super::{Grouped, Mutation};
use crate::Error;

type Asker<A> = oneshot::Sender<Result<A, Error>>;

/// A call that has been taken in.
pub(super) struct Taken<G: Grouped, T> {
    pub(super) mutation: Mutation,
    /// What it asks for, or once it is prepared what is to be stored for it.
    pub(super) what: T,
    pub(super) askers: Askers<G::Answer>,
    pub(super) span: Span,
    /// Its part of how much may wait, given back with it.
    pub(super) room: OwnedSemaphorePermit,
}

pub(super) type Asked<G> = Taken<G, <G as Grouped>::Asked>;
pub(super) type Planned<G> = Taken<G, <G as Grouped>::Plan>;
pub(super) type Calls<G, T> = Vec<Taken<G, T>>;

impl<G: Grouped> Asked<G> {
    pub(super) fn planned(self, plan: G::Plan) -> Planned<G> {
        Taken {
            mutation: self.mutation,
            what: plan,
            askers: self.askers,
            span: self.span,
            room: self.room,
        }
    }
}

/// Those who asked for the same under one key.
pub(super) struct Askers<A>(pub(super) Vec<Asker<A>>);

impl<A: Clone> Askers<A> {
    pub(super) fn have_hung_up(&self) -> bool {
        self.0.iter().all(oneshot::Sender::is_closed)
    }

    pub(super) fn tell(mut self, mutation: &Mutation, answer: Result<A, Error>) {
        let answer = answer.map_err(|error| mutation.refused(error));
        let last = self.0.pop();
        for asker in self.0 {
            let again = match &answer {
                Ok(answer) => Ok(answer.clone()),
                Err(error) => Err(error.again()),
            };
            asker.send(again).ok();
        }
        if let Some(last) = last {
            last.send(answer).ok();
        }
    }
}

/// The first call of every key, joined by those that ask for the same, and the others: they are answered once the first is.
pub(super) fn apart<G: Grouped, T>(taken: Calls<G, T>) -> (Calls<G, T>, Calls<G, T>) {
    let mut places: HashMap<(String, Uuid), usize> = HashMap::new();
    let (mut calls, mut others): (Calls<G, T>, Calls<G, T>) = (Vec::with_capacity(taken.len()), Vec::new());
    for call in taken {
        let key = (call.mutation.call.caller.name.clone(), call.mutation.request_id);
        match places.get(&key).map(|place| &mut calls[*place]) {
            None => {
                places.insert(key, calls.len());
                calls.push(call);
            }
            Some(first) if first.mutation.body_sha256 == call.mutation.body_sha256 => {
                first.askers.0.extend(call.askers.0)
            }
            Some(_) => others.push(call),
        }
    }
    (calls, others)
}

/// Tells all of them the same.
pub(super) fn refuse_all<G: Grouped, T>(calls: impl IntoIterator<Item = Taken<G, T>>, mut error: Error) {
    for call in calls {
        let again = error.again();
        call.askers
            .tell(&call.mutation, Err(std::mem::replace(&mut error, again)));
    }
}
