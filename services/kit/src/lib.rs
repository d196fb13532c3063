//! What every legalstat service would otherwise copy: start and stop, callers and access, the write path, errors, and
//! the conversions between the contracts and Rust. Code enters here at its second user.

pub mod access;
pub mod calendar;
pub mod call;
pub mod caller;
pub mod client;
pub mod deadline;
pub mod environment;
pub mod error;
pub mod files;
pub mod following;
pub mod journal;
pub mod law;
pub mod page;
pub mod period;
pub mod preview;
#[cfg(feature = "provision")]
pub mod provision;
pub mod recompute;
pub mod run;
pub mod schedule;
pub mod schema;
pub mod server;
pub mod telemetry;
pub mod tls;
pub mod upload;
pub mod violations;
pub mod wire;
pub mod write;
pub mod zone;

pub use call::Call;
pub use caller::Caller;
pub use error::{Error, Refusal};
pub use run::{Context, Service};
pub use violations::Violations;
