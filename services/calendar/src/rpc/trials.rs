//! What is tried out: answers under an act that is not recorded, or without one that is. Each computes the calendar anew,
//! some forty times as dear as an answer from the one that is known. So trials run beside the threads that serve, few at
//! once, and of those without a certificate one.

use std::{sync::Arc, time::Duration};

use legalstat_kit::{Caller, Error, Refusal, call::deadline};
use tokio::sync::Semaphore;

/// How many trials callers with a certificate may have under way together.
const KNOWN: usize = 2;
/// How many trials callers without one may.
const PUBLIC: usize = 1;
/// How long a trial of a known caller waits for its turn. One of a stranger does not wait: it would hold a place among the
/// calls of strangers, of which there are few.
const PATIENCE: Duration = Duration::from_millis(300);

/// Who may try something out now.
#[derive(Clone)]
pub(super) struct Trials {
    known: Arc<Semaphore>,
    public: Arc<Semaphore>,
}

impl Default for Trials {
    fn default() -> Self {
        let turns = |turns| Arc::new(Semaphore::new(turns));
        Self {
            known: turns(KNOWN),
            public: turns(PUBLIC),
        }
    }
}

impl Trials {
    /// Runs a trial when it is its turn. Once it runs, it has its turn to its end, whether its caller waits or not.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED when others have the turns, and what the trial fails with.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        caller: &Caller,
        trial: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let turn = if caller.is_anonymous() {
            Arc::clone(&self.public).try_acquire_owned().ok()
        } else {
            let turn = Arc::clone(&self.known).acquire_owned();
            let turn = tokio::time::timeout(deadline::remaining(PATIENCE), turn).await;
            turn.ok().and_then(Result::ok)
        };
        let Some(turn) = turn else {
            let message = "as many acts are being tried out as the calendar takes at once; try again";
            return Err(Refusal::overloaded(message).into());
        };
        let ended = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            trial()
        });
        ended.await.map_err(anyhow::Error::new)?
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use legalstat_kit::call::caller::Role;
    use tonic::Code;

    use super::*;

    #[tokio::test]
    async fn one_stranger_tries_at_once_and_keeps_nobody_known_waiting() {
        let (trials, stranger) = (Trials::default(), Caller::anonymous());
        let operator = Caller {
            name: "operator".into(),
            roles: vec![Role::Operator],
        };
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let (began, beginning) = tokio::sync::oneshot::channel();
        let (own, who) = (trials.clone(), stranger.clone());
        let first = tokio::spawn(async move {
            let trial = move || {
                began.send(()).ok();
                Ok(ended.recv().ok())
            };
            own.run(&who, trial).await
        });
        beginning.await.expect("it runs");
        let Some(Err(Error::Refusal(refused))) = trials.run(&stranger, || Ok(())).now_or_never() else {
            panic!("a second stranger tries, or waits")
        };
        assert_eq!(refused.code, Code::ResourceExhausted);
        assert!(refused.retry_after.is_some());
        trials.run(&operator, || Ok(())).await.expect("it has turns of its own");
        end.send(()).expect("it runs");
        first.await.expect("it does not panic").expect("it ends");
        trials.run(&stranger, || Ok(())).await.expect("the turn is free again");
    }
}
