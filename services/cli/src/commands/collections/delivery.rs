//! Deliveries to recipients' servers: `legalstat collections redeliver`, `attempts`.

use clap::Subcommand;
use serde_json::json;

use super::{
    super::{Action, Command, Mutation, request},
    SERVICE,
    copies::copy_name,
};
use crate::{failure::Failure, output::View};

/// Deliveries of copies
#[derive(Subcommand, Debug)]
pub(crate) enum Delivering {
    /// Deliver a copy to its recipient's server anew: one that failed, or that was issued before there was a server [as operator]
    #[command(
        after_help = "Example:\n  legalstat collections redeliver crime/2026-Q3/25 --reason 'the court has mended its server'"
    )]
    Redeliver {
        /// The copy, collections/crime/editions/2026-Q3/copies/25 or crime/2026-Q3/25
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// The attempts to deliver a copy to its recipient's server, the latest first
    #[command(after_help = "Example:\n  legalstat collections attempts crime/2026-Q3/25")]
    Attempts {
        /// The copy, collections/crime/editions/2026-Q3/copies/25 or crime/2026-Q3/25
        name: String,
    },
}

const ATTEMPTS: View = View::Rows(
    "attempts",
    &[
        ("attempt", "number"),
        ("began", "startTime"),
        ("ended", "endTime"),
        ("outcome", "outcome"),
        ("endpoint", "endpoint"),
        ("what happened", "detail"),
    ],
);

impl Delivering {
    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        Ok(match self {
            Self::Redeliver { name, reason, mutation } => {
                let fields = json!({ "name": copy_name(&name), "reason": reason });
                let message = mutation.add_to(request(SERVICE, "RedeliverCopy", &fields)?);
                Command::new(SERVICE, "RedeliverCopy", Action::Send(message, View::Record))
            }
            Self::Attempts { name } => {
                let asked = json!({ "parent": copy_name(&name) });
                Command::new(SERVICE, "ListDeliveryAttempts", Action::List(asked, ATTEMPTS))
            }
        })
    }
}
