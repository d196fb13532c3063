//! `legalstat collections`.

mod contents;
pub(crate) mod copies;
pub(crate) mod delivery;
pub(crate) mod lists;
pub(crate) mod punctuality;
pub(crate) mod recipients;
pub(crate) mod titles;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

mod editions;

use super::proof::{Prove, Verify};
use super::{Action, Command, Mutation, edition_name, name, object, request};
use crate::{failure::Failure, options::Options, output::View};

pub(super) const SERVICE: &str = "legalstat.collections.v1.CollectionDistributionService";

/// The electronic collections and their numbered copies
#[derive(Subcommand, Debug)]
pub(crate) enum Collections {
    #[command(flatten)]
    OfTitles(titles::Titles),
    #[command(flatten)]
    OfRecipients(recipients::Receiving),
    #[command(flatten)]
    OfLists(lists::Sharing),
    #[command(flatten)]
    Counted(punctuality::Counting),
    /// What falls due for the periods of a year
    #[command(after_help = "Example:\n  legalstat collections schedule --year 2026 -o json")]
    Schedule {
        /// The year of the periods, 2019 to 2035
        #[arg(long)]
        year: i32,
        /// Only this collection
        #[arg(long)]
        collection: Option<String>,
    },
    /// The editions of one collection or of all
    Editions {
        /// Only this collection
        #[arg(long)]
        collection: Option<String>,
        /// Only periods of this year
        #[arg(long)]
        year: Option<i32>,
        /// Only editions in this state
        #[arg(long)]
        state: Option<State>,
    },
    /// One edition
    Edition {
        /// The edition, collections/crime/editions/2019-Q2 or crime/2019-Q2
        name: String,
    },
    #[command(flatten)]
    Content(contents::Contents),
    /// Release a sealed edition: issue its numbered copies [as approver]
    #[command(after_help = "Examples:
  legalstat collections release crime/2025-Q1 --as approver
  legalstat collections release drugs/2025-Q1 --certain-only --as approver")]
    Release {
        /// The edition, collections/crime/editions/2019-Q2 or crime/2019-Q2
        name: String,
        /// Issue what is certain while cells of the distribution list are unresolved; the rest follows later, numbered on
        #[arg(long)]
        certain_only: bool,
        #[command(flatten)]
        mutation: Mutation,
    },
    #[command(flatten)]
    Copy(copies::OfCopies),
    #[command(flatten)]
    Delivery(delivery::Delivering),
    #[command(flatten)]
    Issued(editions::Issued),
    /// Put together the proof that a copy was issued and received
    Prove(Prove),
    /// Say what a proof of delivery proves, without a call
    Verify(Verify),
}

/// The state of an edition.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum State {
    /// Nothing uploaded.
    Scheduled,
    /// Content is uploaded.
    Prepared,
    /// Content is fixed.
    Sealed,
    /// The certain cells' copies are issued.
    PartlyReleased,
    /// Copies are issued.
    Released,
    /// Recalled, and not replaced yet.
    Recalled,
}

const SCHEDULE: View = View::Rows(
    "items",
    &[
        ("collection", "collection"),
        ("period", "period"),
        ("due", "dueDate"),
        ("state", "state"),
        ("punctuality", "punctuality"),
        ("provisional", "provisional"),
        ("assumed", "assumed"),
    ],
);
const EDITIONS: View = View::Rows(
    "editions",
    &[
        ("edition", "name"),
        ("state", "state"),
        ("due", "dueDate"),
        ("sealed", "sealedAt"),
        ("released", "releasedAt"),
        ("copies", "copiesIssued"),
    ],
);
fn edition(name: &str) -> String {
    edition_name("collections/", name)
}

fn collection_name(collection: Option<String>) -> Option<Value> {
    collection.map(|collection| json!(name("collections/", &collection)))
}

impl Collections {
    /// Carries the command out.
    pub(crate) async fn run(self, options: &Options) -> Result<(), Failure> {
        match self {
            Self::Content(content) => content.run(options).await,
            Self::Issued(issued) => issued.run(options).await,
            Self::Copy(copies) => copies.run(options).await,
            Self::Prove(prove) => prove.run(options).await,
            Self::Verify(verify) => verify.run(options),
            called => called.command()?.run(options).await,
        }
    }

    /// The call of a command that makes one.
    fn command(self) -> Result<Command, Failure> {
        match self {
            Self::OfTitles(titles) => titles.command(),
            Self::OfRecipients(recipients) => recipients.command(),
            Self::OfLists(lists) => lists.command(),
            Self::Counted(counting) => counting.command(),
            Self::Copy(copies) => copies.command(),
            Self::Delivery(delivery) => delivery.command(),
            Self::Release { .. } => self.mutation(),
            _ => self.reading(),
        }
    }

    fn reading(self) -> Result<Command, Failure> {
        Ok(match self {
            Self::OfTitles(titles) => return titles.command(),
            Self::OfRecipients(recipients) => return recipients.command(),
            Self::OfLists(lists) => return lists.command(),
            Self::Counted(counting) => return counting.command(),
            Self::Schedule { year, collection } => {
                let request = object([("year", Some(json!(year))), ("collection", collection_name(collection))]);
                list("ListSchedule", request, SCHEDULE)
            }
            Self::Editions {
                collection,
                year,
                state,
            } => {
                let parent = collection_name(collection).unwrap_or(json!("collections/-"));
                let state = state.and_then(|state| state.to_possible_value());
                let state = state.map(|state| {
                    json!(format!(
                        "EDITION_STATE_{}",
                        state.get_name().to_uppercase().replace('-', "_")
                    ))
                });
                let request = object([
                    ("parent", Some(parent)),
                    ("year", year.map(Value::from)),
                    ("state", state),
                ]);
                list("ListEditions", request, EDITIONS)
            }
            Self::Edition { name } => {
                let request = json!({ "name": edition(&name), "view": "EDITION_VIEW_FULL" });
                Command::new(SERVICE, "GetEdition", Action::Call(request, View::Record))
            }
            Self::Delivery(delivery) => return delivery.command(),
            Self::Content(_) | Self::Copy(_) | Self::Issued(_) | Self::Prove(_) | Self::Verify(_) => {
                return Err(Failure::usage("this command has its own way"));
            }
            Self::Release { .. } => return self.mutation(),
        })
    }

    fn mutation(self) -> Result<Command, Failure> {
        let Self::Release {
            name,
            certain_only,
            mutation,
        } = self
        else {
            return self.reading();
        };
        let fields = json!({ "name": edition(&name), "certainCellsOnly": certain_only });
        let request = mutation.add_to(request(SERVICE, "ReleaseEdition", &fields)?);
        Ok(Command::new(
            SERVICE,
            "ReleaseEdition",
            Action::Send(request, View::Record),
        ))
    }
}

fn list(method: &'static str, request: Value, view: View) -> Command {
    Command::new(SERVICE, method, Action::List(request, view))
}
