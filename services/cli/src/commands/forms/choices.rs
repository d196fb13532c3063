//! What the commands about forms and editions let choose.

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::commands::{date, object};

/// Which editions by their due dates.
#[derive(clap::Args, Debug)]
pub(crate) struct Due {
    /// Only what is overdue now
    #[arg(long)]
    overdue: bool,
    /// Only what is due on this day or later
    #[arg(long, value_name = "DATE", value_parser = date)]
    due_from: Option<Value>,
    /// Only what is due on this day or earlier
    #[arg(long, value_name = "DATE", value_parser = date)]
    due_to: Option<Value>,
}

impl Due {
    /// Adds them to a request.
    pub(super) fn add_to(self, mut request: Value) -> Value {
        let fields = object([
            ("overdue", self.overdue.then_some(json!(true))),
            ("dueFrom", self.due_from),
            ("dueTo", self.due_to),
        ]);
        if let (Value::Object(request), Value::Object(fields)) = (&mut request, fields) {
            request.extend(fields);
        }
        request
    }
}

/// What the lines of a report are for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum By {
    /// The forms.
    Form,
    /// The periods.
    Period,
}

/// How much CheckAvailability tells.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum AvailabilityView {
    /// Without figures.
    Basic,
    /// Everything.
    Full,
}

/// The state of an edition.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum State {
    /// Nothing uploaded.
    Scheduled,
    /// In preparation.
    Prepared,
    /// Sealed, not placed.
    Sealed,
    /// Placed.
    Placed,
    /// Declared to have nothing to report.
    Nil,
    /// Taken back.
    Withdrawn,
}

/// Where an edition is placed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Channel {
    /// The information service, tab "Legal statistics".
    InformationService,
    /// The official website.
    OfficialWebsite,
    /// The open data portal.
    OpenDataPortal,
}
