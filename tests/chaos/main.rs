//! Faults: processes killed, callers who hang up, deadlines that pass, connections that break.

mod call;
mod crowd;
mod cutting;
mod dice;
mod recompute;
mod submission;
