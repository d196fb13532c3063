//! What every legalstat service would otherwise copy, in rooms. Code enters here at its second user.
//!
//! | Room | Holds |
//! |---|---|
//! | [`run`] | settings, start and stop of a service, its server and its health |
//! | [`call`] | one call: who calls, whether he may, by when, over which line; one layer a file |
//! | [`door`] | how messages and registers are read: every violation at once, pages, words, conversions |
//! | [`mod@write`] | what every write does, in one transaction |
//! | [`feed`] | feeds of changes, and the events behind them read once for all who watch |
//! | [`due`] | duties with a due date, and how open due dates follow the calendar |
//! | [`told`] | what refusals are called in the languages of the system |
//!
//! What belongs to no room stands beside them. Rooms may use each other's files, but no file imports itself by a detour
//! through another room: `tests/contract/rooms.rs` holds that.

pub mod bucket;
pub mod call;
pub mod canonical;
pub mod door;
pub mod due;
pub mod error;
pub mod feed;
pub mod files;
pub mod job;
pub mod journal;
pub mod law;
pub mod lent;
mod outage;
pub mod partial;
pub mod period;
mod received;
pub mod repeated;
pub mod run;
pub mod schema;
pub mod signing;
pub mod told;
pub mod upload;
pub mod write;
pub mod zone;

pub use call::{Call, caller::Caller};
pub use door::violations::Violations;
pub use error::{Error, Refusal};
pub use legalstat_proto::common::v1::FieldReason;
pub use run::{Context, Process, Service};
