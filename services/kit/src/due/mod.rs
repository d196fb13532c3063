//! Duties with a due date: the schedule they make, and how their open due dates follow the calendar.

pub mod calendar;
pub mod compare;
mod date;
pub mod feed;
pub mod follow;
pub mod preview;
pub mod schedule;

pub use date::DueDate;

use crate::schema::Tables;

/// The tables of a schema that holds due dates: how far it has followed the calendar, and which dates moved.
pub static TABLES: Tables = Tables::of_kit(sqlx::migrate!("./migrations/due"));
