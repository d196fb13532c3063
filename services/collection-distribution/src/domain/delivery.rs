//! The delivery of copies to the servers of their recipients: how an attempt ends, and when the next one follows.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{door::word::Word, zone};
use uuid::Uuid;

use super::recipient::{self, Known};

/// How long after each failed attempt the next one follows; after the failure of the one behind the last, none does. It is published
/// with the contract, at the endpoint of a recipient.
pub const SCHEDULE: [Duration; 8] = [
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
    Duration::from_hours(1),
    Duration::from_hours(3),
    Duration::from_hours(6),
    Duration::from_hours(12),
    Duration::from_hours(24),
];
/// By which part of it a wait may be shorter or longer, so that what failed together does not come again together.
const JITTER: f64 = 0.2;
/// How many attempts use up nothing of the schedule at most, since the issue or since the copy was delivered anew: a replica that each
/// attempt ends, and a server that takes bytes and forgets them, would be tried for ever otherwise.
pub const SPARED: i32 = 100;
/// The longest time for which a server is left alone because it asks for it.
pub const LONGEST_REST: Duration = Duration::from_hours(24);

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Received,
    Rejected,
    NoEndpoint,
    Unreachable,
    CertificateRefused,
    NoAnswer,
    BrokenOff,
    UnreadableAnswer,
    Redirected,
    Refused,
    Busy,
    ReceiptNotTrue,
    SenderLost,
}

impl Word for Outcome {
    const ALL: &'static [Self] = &[
        Self::Received,
        Self::Rejected,
        Self::NoEndpoint,
        Self::Unreachable,
        Self::CertificateRefused,
        Self::NoAnswer,
        Self::BrokenOff,
        Self::UnreadableAnswer,
        Self::Redirected,
        Self::Refused,
        Self::Busy,
        Self::ReceiptNotTrue,
        Self::SenderLost,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Received => "RECEIVED",
            Self::Rejected => "REJECTED",
            Self::NoEndpoint => "NO_ENDPOINT",
            Self::Unreachable => "UNREACHABLE",
            Self::CertificateRefused => "CERTIFICATE_REFUSED",
            Self::NoAnswer => "NO_ANSWER",
            Self::BrokenOff => "BROKEN_OFF",
            Self::UnreadableAnswer => "UNREADABLE_ANSWER",
            Self::Redirected => "REDIRECTED",
            Self::Refused => "REFUSED",
            Self::Busy => "BUSY",
            Self::ReceiptNotTrue => "RECEIPT_NOT_TRUE",
            Self::SenderLost => "SENDER_LOST",
        }
    }
}

/// Why an attempt brought no answer of the recipient: how it ended, and what happened, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub outcome: Outcome,
    pub detail: String,
    /// How long the next attempt waits at least: as the server asks, or until this system may be able to go on.
    pub retry_after: Option<Duration>,
    /// The most bytes of the copy that the server said it has, in this attempt; 0 where it said nothing.
    pub received_bytes: i64,
}

impl Failure {
    /// The service stopped in the middle, which happens with every update.
    pub fn stopped() -> Self {
        Self::new(Outcome::SenderLost, "the service stopped")
    }

    /// This system itself cannot go on for the moment, which says nothing of the server: the next attempt waits as after a first failure.
    pub fn of_sender(detail: impl Into<String>) -> Self {
        Self {
            retry_after: Some(SCHEDULE[0]),
            ..Self::new(Outcome::SenderLost, detail)
        }
    }

    /// A failure of a server that asks for no time.
    pub fn new(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self {
            outcome,
            detail: detail.into(),
            retry_after: None,
            received_bytes: 0,
        }
    }

    /// When the attempt after this one of a delivery is made; `None` when none is. `chance` between -1 and 1 spreads the attempts. What a
    /// lost sender left is tried at once, unless it asks for time: it says nothing of the server. Where there is no server any more, the recipient fetches the copy.
    pub fn next_attempt(&self, delivery: &Delivery, now: Timestamp, chance: f64) -> Option<Timestamp> {
        let counts = delivery.counts(self);
        let wait = match self.outcome {
            Outcome::NoEndpoint => return None,
            Outcome::SenderLost if !counts && self.retry_after.is_none() => return Some(now),
            _ if !counts => SCHEDULE[0],
            _ => *SCHEDULE.get(usize::try_from(delivery.attempts).ok()?.checked_sub(1)?)?,
        };
        let asked = self.retry_after.unwrap_or_default().min(LONGEST_REST);
        Some(now + spread(wait, chance).max(asked))
    }
}

/// A wait with its jitter.
pub(super) fn spread(wait: Duration, chance: f64) -> Duration {
    wait.mul_f64(1.0 + JITTER * chance.clamp(-1.0, 1.0))
}

/// The delivery of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Identifies it: the same for every attempt.
    pub id: Uuid,
    /// Attempts of the schedule since the issue, or since it was delivered anew; the one under way among them.
    pub attempts: i32,
    /// How many there were since that used up nothing of it, [`SPARED`] at most.
    pub spared: i32,
    /// The most bytes of the copy that the server has said since that it has.
    pub received_bytes: i64,
    /// `None` once none follows, and while one is under way.
    pub next_attempt_at: Option<Timestamp>,
    /// Which claim makes the attempt under way; `None` while none is.
    pub fence: Option<i64>,
    /// `None` before an attempt has ended.
    pub last_outcome: Option<Outcome>,
}

impl Delivery {
    /// Whether an attempt that failed so has found that the server has more of the copy than before: it goes on, however slowly.
    pub fn has_moved_on(&self, failure: &Failure) -> bool {
        failure.received_bytes > self.received_bytes
    }

    /// Whether an attempt that failed so uses up one of the schedule.
    pub fn counts(&self, failure: &Failure) -> bool {
        let is_spared = failure.outcome == Outcome::SenderLost || self.has_moved_on(failure);
        !is_spared || self.spared >= SPARED
    }
}

/// Where the copies of a recipient go on a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Empty when there is none.
    pub endpoint: String,
    /// The name in the certificate of its server; empty when there is none.
    pub certificate_name: String,
    /// The id of the recipient whose server it is: the copies' own, or what that became; empty when there is none.
    pub holder: String,
}

impl Address {
    /// Where the copies of a recipient go on a day: to its own server, or to that of what it became.
    pub fn of(rows: &[Known], recipient: &str, day: Date) -> Self {
        let entitled = recipient::entitled(rows, recipient, day);
        let known = rows
            .iter()
            .find(|row| Some(row.id.as_str()) == entitled && row.covers(day));
        let found = known.and_then(|known| {
            let facts = known.facts.clone();
            Some(Self {
                endpoint: facts.endpoint?,
                certificate_name: facts.certificate_name?,
                holder: known.id.clone(),
            })
        });
        found.unwrap_or_default()
    }

    /// The id of the recipient whose server it is; the copies' own where there is none.
    pub fn holder_or<'a>(&'a self, recipient: &'a str) -> &'a str {
        if self.holder.is_empty() {
            recipient
        } else {
            &self.holder
        }
    }

    /// From which day on, this one or a later one, the copies of a recipient go to a server, and to which; `None` where nothing of one is
    /// recorded.
    pub fn next(rows: &[Known], recipient: &str, day: Date) -> Option<(Date, Self)> {
        let turns = recipient::turning_days(rows, day, None);
        let mut addresses = turns.into_iter().map(|day| (day, Self::of(rows, recipient, day)));
        addresses.find(|(_, address)| address.is_known())
    }

    /// Whether a server can be found and known by it.
    pub fn is_known(&self) -> bool {
        !self.endpoint.is_empty()
    }
}

/// From when on the copies of each of these recipients go to a server; those of whom nothing of one is recorded are left out.
pub fn from_when<'a>(
    rows: &[Known],
    recipients: impl IntoIterator<Item = &'a str>,
    now: Timestamp,
) -> BTreeMap<String, Timestamp> {
    let today = zone::civil_day(now);
    let begins = recipients.into_iter().filter_map(|recipient| {
        let (day, _) = Address::next(rows, recipient, today)?;
        let begins = day.to_zoned(zone::astana()).ok()?.timestamp();
        Some((recipient.to_owned(), begins.max(now)))
    });
    begins.collect()
}

/// From when on copies go to a server for whom a change of what is known of recipients makes that otherwise: they go there from another
/// day on, or to another server.
pub fn changed(before: &[Known], after: &[Known], now: Timestamp) -> BTreeMap<String, Timestamp> {
    let today = zone::civil_day(now);
    let recipients: BTreeSet<&str> = after.iter().map(|row| row.id.as_str()).collect();
    let is_otherwise = |id: &&str| Address::next(before, id, today) != Address::next(after, id, today);
    from_when(after, recipients.into_iter().filter(is_otherwise), now)
}

/// A server for which deliveries are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The id of the recipient whose server it is.
    pub holder: String,
    /// Whose copies are due there, those that have been so longest first: its own, and those of recipients that it follows.
    pub recipients: Vec<String>,
    /// It was left alone, and one attempt shows whether it answers again.
    pub is_probe: bool,
}

impl Waiting {
    /// The servers for which deliveries are due, by the recipients for which they are; `open` tells until when servers are left alone,
    /// and those for which that is not over yet are none. A recipient without a server stands for itself, and nothing is left alone there.
    pub fn of(
        due: &[String],
        addresses: &BTreeMap<String, Address>,
        open: &BTreeMap<String, Timestamp>,
        now: Timestamp,
    ) -> Vec<Self> {
        let mut servers: Vec<Self> = Vec::new();
        for recipient in due {
            let address = addresses.get(recipient).filter(|address| address.is_known());
            let holder = address.map_or(recipient.as_str(), |address| address.holder_or(recipient));
            let until = address.and_then(|_| open.get(holder));
            if until.is_some_and(|until| *until > now) {
                continue;
            }
            match servers.iter_mut().find(|server| server.holder == holder) {
                Some(server) => server.recipients.push(recipient.clone()),
                None => servers.push(Self {
                    holder: holder.to_owned(),
                    recipients: vec![recipient.clone()],
                    is_probe: until.is_some(),
                }),
            }
        }
        servers
    }
}

/// How many deliveries one replica makes at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    pub in_all: usize,
    pub of_server: usize,
}

impl Places {
    /// So many in all, of which one server has a quarter at most: a slow one leaves room for the others.
    pub fn of(in_all: usize) -> Self {
        Self {
            in_all,
            of_server: in_all.div_ceil(4),
        }
    }

    /// How many deliveries to begin for each recipient beside those under way, which are counted by server: the free places are shared out
    /// among the servers one by one, and what a server gets among those whose copies go there.
    pub fn share(self, waiting: &[Waiting], under_way: &HashMap<String, usize>) -> BTreeMap<String, i32> {
        let mut free = self.in_all.saturating_sub(under_way.values().sum());
        let room = |server: &Waiting| {
            let busy = under_way.get(&server.holder).copied().unwrap_or(0);
            let most = if server.is_probe { 1 } else { self.of_server };
            most.saturating_sub(busy)
        };
        let mut open: Vec<_> = waiting
            .iter()
            .map(|server| (server.recipients.iter().cycle(), room(server)))
            .collect();
        // Who has fewest under way comes first, so that nobody waits for ever where there are fewer places than servers.
        open.sort_by_key(|(_, room)| std::cmp::Reverse(*room));
        let mut shares = BTreeMap::new();
        while free > 0 && open.iter().any(|(_, room)| *room > 0) {
            for (recipients, room) in open.iter_mut().filter(|(_, room)| *room > 0).take(free) {
                if let Some(recipient) = recipients.next() {
                    *shares.entry(recipient.clone()).or_insert(0) += 1;
                }
                *room -= 1;
                free -= 1;
            }
        }
        shares
    }
}

/// An attempt to deliver a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which one of the copy's, from 1, over all deliveries by hand.
    pub number: i32,
    pub started_at: Timestamp,
    /// `None` while it is under way.
    pub ended: Option<Ended>,
    /// Where it went; empty where there was no endpoint.
    pub endpoint: String,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub at: Timestamp,
    pub outcome: Outcome,
    /// In words; `None` where nothing is to be said.
    pub detail: Option<String>,
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
