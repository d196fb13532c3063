//! Faults: processes killed, callers who hang up, deadlines that pass, connections that break.

#![expect(clippy::disallowed_methods, reason = "a caller chooses ids")]

mod apart;
mod call;
mod connections;
mod crowd;
mod cutting;
mod deliveries;
mod dice;
mod erased;
mod flood;
mod fuzz;
mod inbox;
mod killed;
mod lending;
mod load;
mod outage;
mod recompute;
mod restarts;
mod submission;
mod taken;
mod told_health;
