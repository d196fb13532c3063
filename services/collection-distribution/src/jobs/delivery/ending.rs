//! What an attempt comes to: what becomes of the copy, and whether another attempt follows.

use anyhow::Context as _;
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
    /// Whether what follows begins the schedule anew: a server is there since, or will be.
    pub(super) begins_anew: bool,
    /// Whether it uses up one of the schedule.
    pub(super) is_counted: bool,
    /// Whether it has found that the server has more of the copy than before.
    pub(super) has_moved_on: bool,
}

/// A copy that stands otherwise after an attempt.
pub(super) struct Settled {
    pub(super) copy: Copy,
    /// What the recipient said; `None` of a copy that could not be delivered, or is delivered no more.
    pub(super) answered: Option<Answered>,
    /// What the event is called.
    pub(super) kind: &'static str,
}

/// What an attempt brought, once it is checked.
enum Brought {
    Receipt(Receipt),
    Rejection(Rejection),
    /// That the recipient knows of the recall.
    Recall,
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
            Ok(Answer::KnowsOfRecall) => Self::Recall,
            Err(failure) => Self::Nothing(failure.clone()),
        })
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Receipt(_) | Self::Recall => Outcome::Received,
            Self::Rejection(_) => Outcome::Rejected,
            Self::Nothing(failure) => failure.outcome,
        }
    }

    /// Whether an attempt on a copy that stands so could have brought this: a recall ends deliveries, and is told by attempts of its own.
    fn concerns(&self, state: CopyState) -> bool {
        match self {
            Self::Receipt(_) | Self::Rejection(_) => state == CopyState::Sending,
            Self::Recall => state == CopyState::Recalled,
            Self::Nothing(_) => matches!(state, CopyState::Sending | CopyState::Recalled),
        }
    }

    /// What is to be said besides the outcome.
    fn detail(&self) -> Option<&str> {
        match self {
            Self::Recall => Some("the server was told of the recall"),
            Self::Nothing(failure) => Some(&failure.detail),
            Self::Receipt(_) | Self::Rejection(_) => None,
        }
    }

    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Nothing(failure) => Some(failure),
            Self::Receipt(_) | Self::Rejection(_) | Self::Recall => None,
        }
    }
}

impl Finished {
    /// The most bytes that the server said it has, where it said nothing of the copy.
    pub(super) fn received_bytes(&self) -> i64 {
        self.said.as_ref().err().map_or(0, |failure| failure.received_bytes)
    }
}

impl End {
    /// What an attempt to deliver this copy came to, whose recipient, or what follows it, has these keys. `stands` tells whether its claim
    /// is still the delivery's, and `later` from when on there is a server where the attempt found none. `chance` between -1 and 1 spreads
    /// the attempts.
    ///
    /// # Errors
    /// A copy whose statement cannot be written.
    pub(super) fn of(
        (finished, stands): (&Finished, bool),
        copy: &Copy,
        keys: &[SigningKey],
        later: Option<Timestamp>,
        now: Timestamp,
        chance: f64,
    ) -> anyhow::Result<Self> {
        let brought = Brought::of(finished, copy, keys, now)?;
        // A true receipt counts also where the copy was given up meanwhile, as one does that comes by the recipient's own call.
        let is_late = copy.state == CopyState::Failed && matches!(brought, Brought::Receipt(_));
        let is_on_its_way = stands && brought.concerns(copy.state);
        if !is_late && !is_on_its_way {
            return Ok(Self::overtaken(finished, stands, copy, &brought));
        }
        let delivery = copy.delivery.as_ref().context("what is attempted is delivered")?;
        let failure = brought.failure();
        let next = failure.and_then(|failure| failure.next_attempt(delivery, now, chance));
        let later = later.filter(|_| brought.outcome() == Outcome::NoEndpoint);
        let ended = ended(finished, brought.outcome(), brought.detail());
        let end = Self {
            followed_by: Some(next.or(later)),
            begins_anew: next.is_none() && later.is_some(),
            settled: None,
            is_counted: failure.is_none_or(|failure| delivery.counts(failure)),
            has_moved_on: failure.is_some_and(|failure| delivery.has_moved_on(failure)),
            ended,
        };
        if next.is_some() || later.is_some() && copy.state == CopyState::Recalled {
            return Ok(end);
        }
        match settled(copy.clone(), &brought, (delivery.attempts, &end.ended), now) {
            Ok(settled) => Ok(Self {
                settled: Some(settled),
                ..end
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
            begins_anew: false,
            settled: None,
            is_counted: true,
            has_moved_on: false,
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
    let state = copy.state;
    Ok(match brought {
        Brought::Receipt(receipt) => {
            let kind = match state {
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
        Brought::Recall => Settled {
            copy: copy.confirm_recall(now).map_err(|_| NotTaken::Settled(state))?,
            answered: None,
            kind: "copy.recall_confirmed",
        },
        Brought::Nothing(_) if state == CopyState::Recalled => Settled {
            copy,
            answered: None,
            kind: "copy.recall_not_told",
        },
        Brought::Nothing(failure) if failure.outcome == Outcome::NoEndpoint => Settled {
            copy: copy.leave_to_fetch(failure.detail.clone(), now)?,
            answered: None,
            kind: "copy.delivery_ended",
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
