//! `legalstat calendar`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Action, Command, Mutation, date, instant, name, object, read_file};
use crate::{failure::Failure, output::View};

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
        known: Known,
    },
    /// The days of a range
    #[command(after_help = "Example:\n  legalstat calendar days --from 2019-01-01 --to 2019-12-31 -o json")]
    Days {
        /// The first day
        #[arg(long, value_name = "DATE", value_parser = date)]
        from: Value,
        /// The last day, inclusive
        #[arg(long, value_name = "DATE", value_parser = date)]
        to: Value,
        #[command(flatten)]
        known: Known,
    },
    /// The deadline of an obligation (--period, --due-day) or of a term (--term or --requester, --received), explained
    #[command(after_help = "Examples:
  legalstat calendar deadline --period 2019-Q2 --due-day 14 --roll-forward
  legalstat calendar deadline --term application-2021 --received 2025-03-14T10:00:00+05:00
  legalstat calendar deadline --requester state-body --received 2026-02-02T09:30:00+05:00 -o json")]
    Deadline(Box<Deadline>),
    /// The rules for the time a request may take
    Terms,
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
    Acts,
    /// Enter or withdraw an act [as administrator]
    #[command(subcommand)]
    Act(Act),
}

/// What is done with an act.
#[derive(Subcommand, Debug)]
pub(crate) enum Act {
    /// Enter an act; with --validate-only see which days it would change
    #[command(after_help = "Example:\n  legalstat calendar act create --file act.json --validate-only")]
    Create {
        /// A CreateCalendarActRequest in proto3 JSON; `-` reads standard input
        #[arg(long, value_name = "PATH")]
        file: PathBuf,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// Withdraw an act: what it changed is as before
    Withdraw {
        /// The act, calendarActs/ID
        name: String,
        #[command(flatten)]
        mutation: Mutation,
    },
}

/// With which knowledge to answer.
#[derive(Args, Debug)]
pub(crate) struct Known {
    /// Answer with what was known at this instant (RFC 3339) [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    as_known_at: Option<Value>,
}

/// The flags of `deadline`.
#[derive(Args, Debug)]
pub(crate) struct Deadline {
    /// The reporting period: 2019-M03, 2019-Q1, 2019-S1 or 2019
    #[arg(long, requires = "due_day", conflicts_with_all = ["term", "requester", "received"])]
    period: Option<String>,
    /// The day of the month following the period, 1 to 28
    #[arg(long, requires = "period")]
    due_day: Option<i32>,
    /// A due day that is off moves to the next working day
    #[arg(long, requires = "period")]
    roll_forward: bool,
    /// A term by name, for example application-2021
    #[arg(long, requires = "received", conflicts_with = "requester")]
    term: Option<String>,
    /// The term in force for this kind of requester
    #[arg(long, requires = "received", value_parser = ["state-body", "prosecutor-body", "individual", "legal-entity"])]
    requester: Option<String>,
    /// When the request was received (RFC 3339)
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    received: Option<Value>,
    /// A ComputeDeadlineRequest in proto3 JSON instead of flags; `-` reads standard input
    #[arg(long, exclusive = true, value_name = "PATH")]
    file: Option<PathBuf>,
    #[command(flatten)]
    known: Known,
}

const DAYS: View = View::Rows(
    "days",
    &[
        ("date", "date"),
        ("working", "working"),
        ("kind", "kind"),
        ("reasons", "reasons.0.text"),
        ("provisional", "provisional"),
    ],
);

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
        ("link", "uri"),
    ],
);
const CHANGED_DAYS: View = View::Rows(
    "changedDays",
    &[("day that changes", "date"), ("was", "oldKind"), ("becomes", "newKind")],
);

impl Calendar {
    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        Ok(match self {
            Self::Day { day, known } => {
                let request = object([
                    ("name", Some(json!(name("days/", &day)))),
                    ("asKnownAt", known.as_known_at),
                ]);
                Command::new(SERVICE, "GetDay", Action::Call(request, View::Record))
            }
            Self::Days { from, to, known } => {
                let request = object([("from", Some(from)), ("to", Some(to)), ("asKnownAt", known.as_known_at)]);
                Command::new(SERVICE, "ListDays", Action::List(request, DAYS))
            }
            Self::Deadline(deadline) => {
                let action = Action::Call(deadline.request()?, View::Deadline);
                Command::new(SERVICE, "ComputeDeadline", action)
            }
            Self::Periods {
                from_year,
                to_year,
                kind,
            } => {
                let kind = format!("PERIODICITY_{}", kind.replace('-', "_").to_uppercase());
                let request = json!({ "firstYear": from_year, "lastYear": to_year, "periodicity": kind });
                Command::new(SERVICE, "ListReportingPeriods", Action::List(request, PERIODS))
            }
            Self::Acts => Command::new(SERVICE, "ListCalendarActs", Action::List(json!({}), ACTS)),
            Self::Act(Act::Create { file, mutation }) => {
                let action = Action::Call(mutation.add_to(read_file(&file)?), CHANGED_DAYS);
                Command::new(SERVICE, "CreateCalendarAct", action).called_as("administrator")
            }
            Self::Act(Act::Withdraw { name: act, mutation }) => {
                let request = mutation.add_to(json!({ "name": name("calendarActs/", &act) }));
                let action = Action::Call(request, CHANGED_DAYS);
                Command::new(SERVICE, "WithdrawCalendarAct", action).called_as("administrator")
            }
            Self::Terms => {
                let columns: &[(&str, &str)] = &[
                    ("term", "name"),
                    ("requesters", "requesterKinds"),
                    ("received from", "receivedFrom"),
                    ("to", "receivedTo"),
                    ("base", "base.length"),
                    ("unit", "base.unit"),
                    ("legal basis", "base.legalBasis"),
                ];
                let action = Action::List(json!({}), View::Rows("terms", columns));
                Command::new(SERVICE, "ListTerms", action)
            }
        })
    }
}

impl Deadline {
    fn request(self) -> Result<Value, Failure> {
        if let Some(file) = self.file {
            return read_file(&file);
        }
        let subject = if let Some(period) = self.period {
            let obligation = json!({ "period": period, "dueDay": self.due_day, "rollForward": self.roll_forward });
            ("obligation", obligation)
        } else if self.term.is_some() || self.requester.is_some() {
            let kind = self
                .requester
                .map(|kind| format!("REQUESTER_KIND_{}", kind.replace('-', "_").to_uppercase()));
            let term = self.term.map(|term| json!(name("terms/", &term)));
            (
                "termStart",
                object([
                    ("term", term),
                    ("requesterKind", kind.map(Value::from)),
                    ("receivedAt", self.received),
                ]),
            )
        } else {
            return Err(Failure::usage(
                "give --period and --due-day, or --term or --requester and --received, or --file",
            ));
        };
        Ok(object([
            (subject.0, Some(subject.1)),
            ("asKnownAt", self.known.as_known_at),
        ]))
    }
}
