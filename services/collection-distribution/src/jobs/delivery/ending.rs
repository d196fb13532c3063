//! What an attempt comes to: what becomes of the copy, and whether another attempt follows.

use jiff::Timestamp;
use legalstat_kit::door::{text, word::Word};

use super::Finished;
use crate::{
    clients::inbox::Answer,
    db::{delivery::Told, receipt::Answered},
    domain::{
        copy::{Copy, NotTaken},
        delivery::{Ended, Failure, Outcome},
        receipt::{Rejection, Way},
        recipient::SigningKey,
    },
    receiving,
};

/// How many characters of what happened are kept.
const DETAIL: usize = 500;

/// What an attempt came to.
pub(super) struct End {
    pub(super) ended: Ended,
    /// When the next one follows; `None` when none does.
    pub(super) next: Option<Timestamp>,
    /// What became of the copy; `None` while attempts follow.
    pub(super) settled: Option<Settled>,
}

/// A copy with its final state.
pub(super) struct Settled {
    pub(super) copy: Copy,
    /// What the recipient said; `None` of a copy that could not be delivered.
    pub(super) answered: Option<Answered>,
    /// What the event is called.
    pub(super) kind: &'static str,
}

impl Finished {
    fn outcome(&self) -> Outcome {
        match &self.said {
            Ok(Answer::Receipt(_)) => Outcome::Received,
            Ok(Answer::Rejection(_)) => Outcome::Rejected,
            Err(failure) => failure.outcome,
        }
    }

    fn ended(&self, outcome: Outcome, detail: Option<&str>) -> Ended {
        let detail = detail.filter(|detail| !detail.is_empty());
        Ended {
            at: self.at,
            outcome,
            detail: detail.map(|detail| text::carried(detail, DETAIL)),
        }
    }

    /// How it ended, of a claim that does not stand any more: it changes nothing.
    pub(super) fn told(&self) -> Told<'_> {
        let detail = self.said.as_ref().err().map(|failure| failure.detail.as_str());
        Told {
            claim: &self.claim,
            ended: self.ended(self.outcome(), detail),
            followed_by: None,
        }
    }
}

impl End {
    /// What an attempt to deliver this copy came to, whose recipient, or what follows it, has these keys. `chance` between -1 and 1 spreads the attempts.
    ///
    /// # Errors
    /// A copy that is not on its way though it is delivered, or whose statement cannot be written.
    pub(super) fn of(
        finished: &Finished,
        copy: Copy,
        keys: &[SigningKey],
        now: Timestamp,
        chance: f64,
    ) -> anyhow::Result<Self> {
        let server = &finished.claim.address.certificate_name;
        let successor = finished.claim.successor();
        let failure = match &finished.said {
            Ok(Answer::Receipt(said)) => {
                let receipt = receiving::pushed(keys, &copy, said, server, successor, now);
                match receipt.map_err(legalstat_kit::Error::of_job)? {
                    Ok(receipt) => {
                        let copy = copy.receive(receipt.clone()).map_err(not_on_its_way)?;
                        let answered = Answered::Received(receipt);
                        return Ok(Self::settled(finished, copy, answered, "copy.receipt_confirmed"));
                    }
                    Err(problem) => Failure::new(Outcome::ReceiptNotTrue, problem),
                }
            }
            Ok(Answer::Rejection(reason)) => {
                let rejection = Rejection {
                    reason: reason.clone(),
                    recorded_at: now,
                    said_by: server.clone(),
                    way: Way::Push,
                    successor,
                };
                let copy = copy.reject(rejection.clone()).map_err(not_on_its_way)?;
                return Ok(Self::settled(
                    finished,
                    copy,
                    Answered::Rejected(rejection),
                    "copy.rejected",
                ));
            }
            Err(failure) => failure.clone(),
        };
        Self::failed(finished, copy, &failure, now, chance)
    }

    fn settled(finished: &Finished, copy: Copy, answered: Answered, kind: &'static str) -> Self {
        Self {
            ended: finished.ended(finished.outcome(), None),
            next: None,
            settled: Some(Settled {
                copy,
                answered: Some(answered),
                kind,
            }),
        }
    }

    fn failed(finished: &Finished, copy: Copy, failure: &Failure, now: Timestamp, chance: f64) -> anyhow::Result<Self> {
        let attempts = copy.delivery.as_ref().map_or(0, |delivery| delivery.attempts);
        let ended = finished.ended(failure.outcome, Some(&failure.detail));
        let next = failure.next_attempt(attempts, now, chance);
        let settled = match next {
            Some(_) => None,
            None => {
                let detail = ended.detail.as_deref().unwrap_or("nothing more is known");
                let word = failure.outcome.word();
                let reason = format!("{attempts} attempts to deliver it failed, the last one with {word}: {detail}");
                Some(Settled {
                    copy: copy.fail(reason, now).map_err(not_on_its_way)?,
                    answered: None,
                    kind: "copy.failed",
                })
            }
        };
        Ok(Self { ended, next, settled })
    }
}

fn not_on_its_way(problem: NotTaken) -> anyhow::Error {
    anyhow::anyhow!("a copy that is delivered is not on its way: {problem:?}")
}
