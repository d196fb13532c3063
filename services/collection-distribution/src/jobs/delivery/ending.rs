//! What an attempt comes to: what becomes of the copy, and whether another attempt follows.

use jiff::Timestamp;
use legalstat_kit::door::{text, word::Word};

use super::Finished;
use crate::{
    clients::inbox::Answer,
    db::receipt::Answered,
    domain::{
        copy::{Copy, CopyState, NotTaken},
        delivery::{Ended, Failure, Outcome},
        receipt::{Receipt, Rejection, Way},
        recipient::SigningKey,
    },
    receiving,
};

/// How many characters of what happened are kept.
const DETAIL: usize = 500;

/// What an attempt came to.
pub(super) struct End {
    pub(super) ended: Ended,
    /// When the next one follows, if one does; `None` where the attempt had been given up already and changes nothing.
    pub(super) followed_by: Option<Option<Timestamp>>,
    /// What became of the copy; `None` while attempts follow, and where nothing changes.
    pub(super) settled: Option<Settled>,
}

/// A copy that stands otherwise after an attempt.
pub(super) struct Settled {
    pub(super) copy: Copy,
    /// What the recipient said; `None` of a copy that could not be delivered.
    pub(super) answered: Option<Answered>,
    /// What the event is called.
    pub(super) kind: &'static str,
}

/// What an attempt brought, once it is checked.
enum Brought {
    Receipt(Receipt),
    Rejection(Rejection),
    Nothing(Failure),
}

impl Brought {
    fn of(finished: &Finished, copy: &Copy, keys: &[SigningKey], now: Timestamp) -> anyhow::Result<Self> {
        let server = &finished.claim.address.certificate_name;
        let successor = finished.claim.successor();
        Ok(match &finished.said {
            Ok(Answer::Receipt(said)) => {
                let receipt = receiving::pushed(keys, copy, said, server, successor, now);
                match receipt.map_err(legalstat_kit::Error::of_job)? {
                    Ok(receipt) => Self::Receipt(receipt),
                    Err(problem) => Self::Nothing(Failure::new(Outcome::ReceiptNotTrue, problem)),
                }
            }
            Ok(Answer::Rejection(reason)) => Self::Rejection(Rejection {
                reason: reason.clone(),
                recorded_at: now,
                said_by: server.clone(),
                way: Way::Push,
                successor,
            }),
            Err(failure) => Self::Nothing(failure.clone()),
        })
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Receipt(_) => Outcome::Received,
            Self::Rejection(_) => Outcome::Rejected,
            Self::Nothing(failure) => failure.outcome,
        }
    }
}

impl End {
    /// What an attempt to deliver this copy came to, whose recipient, or what follows it, has these keys. `stands` tells whether its claim
    /// is still the delivery's. `chance` between -1 and 1 spreads the attempts.
    ///
    /// # Errors
    /// A copy whose statement cannot be written.
    pub(super) fn of(
        (finished, stands): (&Finished, bool),
        copy: &Copy,
        keys: &[SigningKey],
        now: Timestamp,
        chance: f64,
    ) -> anyhow::Result<Self> {
        let brought = Brought::of(finished, copy, keys, now)?;
        // A true receipt counts also where the copy was given up meanwhile, as one does that comes by the recipient's own call.
        let is_late = copy.state == CopyState::Failed && matches!(brought, Brought::Receipt(_));
        if !is_late && !(stands && copy.state == CopyState::Sending) {
            return Ok(Self::overtaken(finished, stands, copy, &brought));
        }
        let attempts = copy.delivery.as_ref().map_or(0, |delivery| delivery.attempts);
        let next = match &brought {
            Brought::Nothing(failure) => failure.next_attempt(attempts, now, chance),
            Brought::Receipt(_) | Brought::Rejection(_) => None,
        };
        let detail = match &brought {
            Brought::Nothing(failure) => Some(failure.detail.as_str()),
            Brought::Receipt(_) | Brought::Rejection(_) => None,
        };
        let ended = ended(finished, brought.outcome(), detail);
        if next.is_some() {
            return Ok(Self {
                ended,
                followed_by: Some(next),
                settled: None,
            });
        }
        match settled(copy.clone(), &brought, (attempts, &ended), now) {
            Ok(settled) => Ok(Self {
                ended,
                followed_by: Some(None),
                settled: Some(settled),
            }),
            Err(_) => Ok(Self::overtaken(finished, stands, copy, &brought)),
        }
    }

    /// The attempt had been given up, or something else has said the last word of the copy: it changes nothing, and none follows.
    fn overtaken(finished: &Finished, stands: bool, copy: &Copy, brought: &Brought) -> Self {
        let detail = match (brought, copy.state) {
            (Brought::Nothing(failure), _) => failure.detail.clone(),
            (_, CopyState::Sending) => "it changed nothing: the attempt had been given up".to_owned(),
            (_, state) => format!("it changed nothing: the copy was {}", state.word()),
        };
        Self {
            ended: ended(finished, brought.outcome(), Some(&detail)),
            followed_by: stands.then_some(None),
            settled: None,
        }
    }
}

fn ended(finished: &Finished, outcome: Outcome, detail: Option<&str>) -> Ended {
    let detail = detail.filter(|detail| !detail.is_empty());
    Ended {
        at: finished.at,
        outcome,
        detail: detail.map(|detail| text::carried(detail, DETAIL)),
    }
}

/// The copy after its last attempt, how many there were and how it ended.
fn settled(
    copy: Copy,
    brought: &Brought,
    (attempts, ended): (i32, &Ended),
    now: Timestamp,
) -> Result<Settled, NotTaken> {
    Ok(match brought {
        Brought::Receipt(receipt) => {
            let kind = match copy.state {
                CopyState::Failed => "copy.receipt_came_late",
                _ => "copy.receipt_confirmed",
            };
            let copy = copy.receive(receipt.clone())?;
            let answered = copy.receipt.clone().map(Answered::Received);
            Settled { copy, answered, kind }
        }
        Brought::Rejection(rejection) => Settled {
            copy: copy.reject(rejection.clone())?,
            answered: Some(Answered::Rejected(rejection.clone())),
            kind: "copy.rejected",
        },
        Brought::Nothing(failure) => {
            let detail = ended.detail.as_deref().unwrap_or("nothing more is known");
            let word = failure.outcome.word();
            let reason = format!("{attempts} attempts to deliver it failed, the last one with {word}: {detail}");
            Settled {
                copy: copy.fail(reason, now)?,
                answered: None,
                kind: "copy.failed",
            }
        }
    })
}
