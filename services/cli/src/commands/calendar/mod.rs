//! `legalstat calendar`.

mod act;
mod civil;
mod day;
mod deadline;
mod due_line;
pub(crate) mod explain;
mod export;
mod history;
mod ics;
mod month;
mod preview;
mod requests;
mod schedules;
mod terms;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Action, Command, date, instant, object,
    watch::{Watching, change_line},
};
use crate::{
    failure::Failure,
    options::Options,
    output::{Language, View},
};

const SERVICE: &str = "legalstat.calendar.v1.CalendarService";

/// The working calendar and the deadlines computed from it
#[derive(Subcommand, Debug)]
pub(crate) enum Calendar {
    /// One day and why it is what it is
    #[command(after_help = "Example:\n  legalstat calendar day 2025-01-05")]
    Day {
        /// The day, 2016-01-01 to 2036-12-31
        #[arg(value_name = "DATE")]
        day: String,
        #[command(flatten)]
        texts: Texts,
        #[command(flatten)]
        known: Known,
    },
    /// The days of a range
    #[command(after_help = "Example:\n  legalstat calendar days --from 2026-05-01 --to 2026-05-31 --off")]
    Days {
        /// The first day
        #[arg(long, value_name = "DATE", value_parser = date)]
        from: Value,
        /// The last day, inclusive
        #[arg(long, value_name = "DATE", value_parser = date)]
        to: Value,
        /// Only days that are off
        #[arg(long)]
        off: bool,
        #[command(flatten)]
        known: Known,
    },
    /// A month: its days, those that are out of the ordinary with their law, and what falls due in it
    #[command(after_help = "Example:\n  legalstat calendar month 2026-05")]
    Month(month::Month),
    /// The deadline of an obligation (--period, --due-day) or of a term (--term or --requester, --received)
    #[command(after_help = "Examples:
  legalstat calendar deadline --period 2019-Q2 --due-day 14 --roll-forward
  legalstat calendar deadline --term application-2021 --received 2025-03-14T10:00:00+05:00 --explain
  legalstat calendar deadline --requester individual --received 2026-02-02T09:30:00+05:00 --registered-on 2026-02-03
  legalstat calendar deadline --requester state-body --received 2026-02-02T09:30:00+05:00 -o json")]
    Deadline(Box<deadline::Deadline>),
    /// The rules for the time a request may take
    #[command(after_help = "Example:\n  legalstat calendar terms --language ru")]
    Terms {
        #[command(flatten)]
        texts: Texts,
        #[command(flatten)]
        known: Known,
    },
    /// The reporting periods of some years
    #[command(after_help = "Example:\n  legalstat calendar periods --from-year 2026 --to-year 2026 --kind quarterly")]
    Periods {
        /// The first year
        #[arg(long)]
        from_year: i32,
        /// The last year
        #[arg(long)]
        to_year: i32,
        /// Which periods
        #[arg(long, value_parser = ["monthly", "quarterly", "half-year-and-year"])]
        kind: String,
    },
    /// The acts that make the calendar
    #[command(after_help = "Example:\n  legalstat calendar acts --year 2026 --kind order --withdrawn")]
    Acts {
        /// Only acts that bring a rule for a day of this year
        #[arg(long)]
        year: Option<i32>,
        /// Only acts of this kind
        #[arg(long, value_parser = ["law", "resolution", "order"])]
        kind: Option<String>,
        /// Withdrawn acts too
        #[arg(long)]
        withdrawn: bool,
        #[command(flatten)]
        known: Known,
    },
    /// Tell every change of the calendar as it comes
    #[command(after_help = "Examples:
  legalstat calendar watch
  legalstat calendar watch --until-caught-up -o json")]
    Watch(Watching),
    /// Enter or withdraw an act [as administrator]
    #[command(subcommand)]
    Act(act::Act),
    /// Days off and due dates as iCalendar (RFC 5545) for calendar programs, whatever --output says
    #[command(after_help = "Examples:
  legalstat calendar export --year 2026 --to legalstat-2026.ics
  legalstat calendar export --from-year 2025 --to-year 2027 --only days --language kk
  legalstat calendar export --only requests --to requests.ics")]
    Export(export::Export),
}

/// With which knowledge to answer.
#[derive(Args, Debug)]
pub(crate) struct Known {
    /// Answer with what was known at this instant (RFC 3339) [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    as_known_at: Option<Value>,
}

/// In which language to show what the services say.
#[derive(Args, Debug)]
pub(crate) struct Texts {
    /// The language of the texts; a missing one gives way to what there is
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    language: Language,
}

const PERIODS: View = View::Rows(
    "reportingPeriods",
    &[("period", "period"), ("first day", "firstDay"), ("last day", "lastDay")],
);
const ACTS: View = View::Rows(
    "calendarActs",
    &[
        ("act", "name"),
        ("kind", "kind"),
        ("citation", "citation"),
        ("number", "number"),
        ("grade", "grade"),
        ("withdrawn", "withdrawnAt"),
        ("link", "uri"),
    ],
);

impl Calendar {
    /// Carries out the command.
    pub(crate) async fn run(self, options: &Options) -> Result<(), Failure> {
        match self {
            Self::Day {
                day: name,
                texts,
                known,
            } => day::day(&name, &texts, known, options).await,
            Self::Days { from, to, off, known } => day::days(from, to, off, known, options).await,
            Self::Month(month) => month.run(options).await,
            Self::Deadline(deadline) => deadline.run(options).await,
            Self::Terms { texts, known } => terms::run(&texts, known, options).await,
            Self::Periods {
                from_year,
                to_year,
                kind,
            } => periods(from_year, to_year, &kind).run(options).await,
            Self::Acts {
                year,
                kind,
                withdrawn,
                known,
            } => acts(year, kind, withdrawn, known).run(options).await,
            Self::Watch(watch) => changes(watch).run(options).await,
            Self::Act(act) => act.run(options).await,
            Self::Export(export) => export.run(options).await,
        }
    }
}

fn changes(watch: Watching) -> Command {
    let action = Action::Watch(watch, json!({ "heartbeats": true }), change_line);
    Command::new(SERVICE, "WatchCalendar", action)
}

fn periods(from_year: i32, to_year: i32, kind: &str) -> Command {
    let kind = format!("PERIODICITY_{}", kind.replace('-', "_").to_uppercase());
    let request = json!({ "firstYear": from_year, "lastYear": to_year, "periodicity": kind });
    Command::new(SERVICE, "ListReportingPeriods", Action::List(request, PERIODS))
}

fn acts(year: Option<i32>, kind: Option<String>, withdrawn: bool, known: Known) -> Command {
    let kind = kind.map(|kind| json!(format!("CALENDAR_ACT_KIND_{}", kind.to_uppercase())));
    let request = object([
        ("year", year.map(Value::from)),
        ("kind", kind),
        ("showWithdrawn", withdrawn.then_some(json!(true))),
        ("asKnownAt", known.as_known_at),
    ]);
    Command::new(SERVICE, "ListCalendarActs", Action::List(request, ACTS))
}
