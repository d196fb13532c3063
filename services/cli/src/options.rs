//! The options that every command takes.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use crate::{output::Format, place::Place};

/// The folder of a local system unless another is named.
pub(crate) const FOLDER: &str = ".legalstat";

/// Options of every command
#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// Whose certificate to show: operator, approver, edms, supreme-court, … [default: operator, or the only one that there is]
    #[arg(id = "as", long = "as", global = true, value_name = "NAME")]
    pub(crate) caller: Option<String>,
    /// How to show the answer
    #[arg(short, long, global = true, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: Format,
    /// The folder of a local system
    #[arg(long, global = true, value_name = "PATH", default_value = FOLDER)]
    pub(crate) folder: PathBuf,
    /// How long a call may take, in seconds
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
}

impl Options {
    /// How long a call may take.
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// The system that the options and the environment name.
    pub(crate) fn place(&self) -> Place {
        Place::new(self.folder.clone(), self.timeout())
    }
}
