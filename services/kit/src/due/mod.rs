//! Duties with a due date: the schedule they make, and how open due dates follow the calendar.
//!
//! | File | Does |
//! |---|---|
//! | `date.rs` | when something is due, and how it stands to that |
//! | `duty.rs` | what is owed for each of its periods |
//! | `terms.rs` | the terms that a duty has in the course of time |
//! | `answering.rs` | the table of the days from which a service answers |
//! | `calendar.rs` | asks the calendar |
//! | `schedule.rs` | fills the schedule of a service and keeps it true |
//! | `scheduled.rs` | the table of a schedule |
//! | `plan.rs` | what new terms of a duty do to its schedule |
//! | `compare.rs` | compares open due dates with what the calendar computes now |
//! | `follow.rs` | takes up each change of the calendar |
//! | `moves.rs` | the table of due dates that moved |
//! | `preview.rs` | says what a change would do |
//! | `measure.rs` | tells in the metrics how what is scheduled stands to its due dates |
//! | `explain.rs` | why a due date is the day it is |

pub mod answering;
pub mod calendar;
pub mod compare;
mod date;
mod duty;
mod explain;
pub mod feed;
pub mod follow;
pub mod measure;
pub mod moves;
pub mod plan;
pub mod preview;
pub mod schedule;
pub mod scheduled;
mod terms;

pub use date::{DueDate, Moment, Punctuality, Version};
pub use duty::Duty;
pub use explain::Unexplained;
pub use schedule::Schedule;
pub use terms::Terms;

use crate::schema::Tables;

/// The tables of a schema that holds due dates: how far it has followed the calendar, and which dates moved.
pub static TABLES: Tables = Tables::of_kit(sqlx::migrate!("./migrations/due"));

/// The table of a schema that keeps a schedule; it needs [`TABLES`] too.
pub static SCHEDULE: Tables = Tables::of_kit(sqlx::migrate!("./migrations/schedule"));
