//! What `legalstat requests list` filters and orders by.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::commands::{date, forms::word, instant, object};

/// Only requests that match all of these
#[derive(Args, Debug)]
pub(crate) struct Filters {
    /// Only requests in this state, or in one of several
    #[arg(long)]
    state: Vec<State>,
    /// Only the request with this registration number
    #[arg(long)]
    number: Option<String>,
    /// Only requests with this sender's number
    #[arg(long)]
    external_number: Option<String>,
    /// Only the request with this coupon number
    #[arg(long)]
    coupon: Option<String>,
    /// Only requests whose requester's name has these words
    #[arg(long, value_name = "WORDS")]
    requester: Option<String>,
    /// Only requests of the requester with this BIN or IIN
    #[arg(long, visible_alias = "iin", value_name = "NUMBER")]
    bin: Option<String>,
    /// Only requests that came this way
    #[arg(long)]
    channel: Option<Way>,
    /// Only requests in whose essence or items these words stand
    #[arg(long)]
    words: Option<String>,
    /// Only requests received on this day or later
    #[arg(long, value_name = "DATE", value_parser = date)]
    received_from: Option<Value>,
    /// Only requests received on this day or earlier
    #[arg(long, value_name = "DATE", value_parser = date)]
    received_to: Option<Value>,
    /// Only requests due on this day or later
    #[arg(long, value_name = "DATE", value_parser = date)]
    due_from: Option<Value>,
    /// Only requests due on this day or earlier
    #[arg(long, value_name = "DATE", value_parser = date)]
    due_to: Option<Value>,
    /// Only requests that wait for their answer after their due date
    #[arg(long)]
    overdue: bool,
    /// Only requests that changed at this instant or later
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    changed_since: Option<Value>,
    /// Only requests that this official has
    #[arg(long, value_name = "NAME")]
    assigned_to: Option<String>,
    /// Only requests that no official has
    #[arg(long, conflicts_with = "assigned_to")]
    unassigned: bool,
    /// Only requests whose answer is drafted and not approved
    #[arg(long)]
    awaiting_approval: bool,
    /// The order: number, received_at, due_date or update_time, with ` desc` for the last first [default: newest first]
    #[arg(long, value_name = "ORDER")]
    order_by: Option<String>,
    /// With the texts of the checks and the steps to the due date, in `-o json`
    #[arg(long)]
    full: bool,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum State {
    /// Accepted, not examined yet.
    Received,
    /// Waits for the requester.
    AwaitingClarification,
    /// Has a number and a due date.
    Registered,
    /// Left without consideration.
    LeftWithoutConsideration,
    /// An official prepares the answer.
    InPreparation,
    /// The answer is dispatched.
    Answered,
    /// Passed on to another body.
    Forwarded,
    /// Given back with reasons.
    Returned,
    /// Ended.
    Terminated,
    /// Taken back by the requester.
    Withdrawn,
}

/// How a request came.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Way {
    /// The Unified EDMS.
    UnifiedEdms,
    /// Kadagalau.
    Kadagalau,
    /// On paper.
    Paper,
    /// The e-government portal.
    EGovernment,
    /// By e-mail.
    Email,
    /// By a messenger.
    Messenger,
    /// By word of mouth.
    Oral,
}

impl Filters {
    /// The request of ListRequests.
    pub(super) fn request(self) -> Value {
        let mut states: Vec<Value> = self
            .state
            .into_iter()
            .map(|state| word(state, "REQUEST_STATE_"))
            .collect();
        let state = if states.len() == 1 { states.pop() } else { None };
        object([
            ("state", state),
            ("states", Some(json!(states)).filter(|_| !states.is_empty())),
            ("registrationNumber", self.number.map(Value::from)),
            ("externalNumber", self.external_number.map(Value::from)),
            ("couponNumber", self.coupon.map(Value::from)),
            ("requester", self.requester.map(Value::from)),
            ("identificationNumber", self.bin.map(Value::from)),
            ("channel", self.channel.map(|channel| word(channel, "CHANNEL_"))),
            ("words", self.words.map(Value::from)),
            ("receivedFrom", self.received_from),
            ("receivedTo", self.received_to),
            ("dueFrom", self.due_from),
            ("dueTo", self.due_to),
            ("overdue", self.overdue.then_some(Value::Bool(true))),
            ("changedSince", self.changed_since),
            ("assignee", self.assigned_to.map(Value::from)),
            ("unassigned", self.unassigned.then_some(Value::Bool(true))),
            ("awaitingApproval", self.awaiting_approval.then_some(Value::Bool(true))),
            ("orderBy", self.order_by.map(Value::from)),
            ("view", self.full.then(|| json!("REQUEST_VIEW_FULL"))),
        ])
    }
}
