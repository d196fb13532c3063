//! `legalstat collections punctuality` and `answering-day`.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{
    super::{Action, Command, Mutation, date, forms::word, name, object, request},
    SERVICE, collection_name,
};
use crate::{failure::Failure, output::View};

/// How editions and copies stand to their due dates
#[derive(Subcommand, Debug)]
pub(crate) enum Counting {
    /// Count how the editions of a year, and the copies that you may see, stand to their due dates
    #[command(after_help = "Examples:
  legalstat collections punctuality --year 2026 --by collection
  legalstat collections punctuality --year 2026 --period 2026-Q3 --by recipient
  legalstat collections punctuality --year 2026 --recipient senate -o json")]
    Punctuality {
        /// The year of the periods, 2019 to 2035
        #[arg(long)]
        year: i32,
        /// Only this collection: collections/crime or crime
        #[arg(long)]
        collection: Option<String>,
        /// Only this period of the year, 2026-Q3
        #[arg(long)]
        period: Option<String>,
        /// Only copies of this recipient
        #[arg(long)]
        recipient: Option<String>,
        /// A line for each collection, period or recipient
        #[arg(long)]
        by: Option<By>,
        /// What counts as due soon: within so many days [default: 7]
        #[arg(long, value_name = "DAYS")]
        soon_days: Option<i32>,
    },
    /// From which day this installation answers; with --set another one [as administrator]
    #[command(after_help = "Example:
  legalstat collections answering-day --set 2026-01-01 --reason 'the paper register ended in 2025' --as administrator")]
    AnsweringDay {
        /// The first day: what is due on it is kept
        #[arg(long, value_name = "DATE", value_parser = date, requires = "reason")]
        set: Option<Value>,
        /// Why
        #[arg(long, requires = "set")]
        reason: Option<String>,
        /// The etag that the present day must still have
        #[arg(long, requires = "set")]
        etag: Option<String>,
        #[command(flatten)]
        mutation: Mutation,
    },
}

/// What the lines of a report are for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum By {
    /// One for each collection.
    Collection,
    /// One for each period.
    Period,
    /// One for each recipient.
    Recipient,
}

const EDITIONS: View = View::Rows(
    "lines",
    &[
        ("collection", "collection"),
        ("period", "period"),
        ("expected", "editions.expected"),
        ("on time", "editions.onTime"),
        ("late", "editions.late"),
        ("days late", "editions.daysLate"),
        ("overdue", "editions.overdue"),
        ("not due", "editions.notDue"),
        ("not kept", "editions.notKept"),
        ("copies", "copies.issued"),
        ("received on time", "copies.onTime"),
        ("received late", "copies.late"),
        ("unconfirmed", "copies.unconfirmed"),
        ("median days", "copies.medianDays"),
        ("most days", "copies.mostDays"),
    ],
);
const COPIES: View = View::Rows(
    "lines",
    &[
        ("recipient", "recipient"),
        ("copies", "copies.issued"),
        ("on time", "copies.onTime"),
        ("late", "copies.late"),
        ("unconfirmed", "copies.unconfirmed"),
        ("overdue", "copies.overdue"),
        ("rejected", "copies.rejected"),
        ("recalled", "copies.recalled"),
        ("not kept", "copies.notKept"),
        ("median days", "copies.medianDays"),
        ("most days", "copies.mostDays"),
    ],
);

impl Counting {
    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        Ok(match self {
            Self::Punctuality {
                year,
                collection,
                period,
                recipient,
                by,
                soon_days,
            } => {
                let request = object([
                    ("year", Some(json!(year))),
                    ("collection", collection_name(collection)),
                    ("period", period.map(Value::from)),
                    ("recipient", recipient.map(|id| json!(name("recipients/", &id)))),
                    ("lines", by.map(|by| word(by, "PUNCTUALITY_LINES_BY_"))),
                    ("soonDays", soon_days.map(Value::from)),
                ]);
                let view = match by {
                    None => View::Record,
                    Some(By::Recipient) => COPIES,
                    Some(By::Collection | By::Period) => EDITIONS,
                };
                Command::new(SERVICE, "GetPunctuality", Action::Call(request, view))
            }
            Self::AnsweringDay {
                set,
                reason,
                etag,
                mutation,
            } => {
                let Some(day) = set else {
                    let action = Action::Call(json!({}), View::Record);
                    return Ok(Command::new(SERVICE, "GetAnsweringDay", action));
                };
                let fields = object([
                    ("day", Some(day)),
                    ("reason", reason.map(Value::from)),
                    ("etag", etag.map(Value::from)),
                ]);
                let request = mutation.add_to(request(SERVICE, "SetAnsweringDay", &fields)?);
                let action = Action::Send(request, View::Record);
                Command::new(SERVICE, "SetAnsweringDay", action)
            }
        })
    }
}
