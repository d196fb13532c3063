//! `legalstat inbox`: a recipient's own server, and what it has stored.

mod keys;
mod serve;
mod stored;

use std::path::PathBuf;

use clap::Subcommand;

use super::name;
use crate::{failure::Failure, options::Options};

/// A recipient's own server, which takes copies, stores them in a folder and signs for them
#[derive(Subcommand, Debug)]
pub(crate) enum Inbox {
    Serve(Box<serve::Serve>),
    AddKey(keys::AddKey),
    List(stored::List),
    Show(stored::Show),
    Export(stored::Export),
}

impl Inbox {
    /// Carries the command out.
    pub(crate) async fn run(self, options: &Options) -> Result<(), Failure> {
        match self {
            Self::Serve(serve) => serve.run(options).await,
            Self::AddKey(add) => add.run(options),
            Self::List(list) => list.run(options),
            Self::Show(show) => show.run(options),
            Self::Export(export) => export.run(options),
        }
    }
}

/// Where the inbox stores what it gets
#[derive(clap::Args, Debug)]
struct Store {
    /// The folder of the inbox
    #[arg(long, value_name = "PATH")]
    store: PathBuf,
}

/// Whose inbox it is
#[derive(clap::Args, Debug)]
struct Owner {
    /// The recipient, recipients/ID or its id [default: the name of --as]
    #[arg(long)]
    recipient: Option<String>,
}

impl Owner {
    /// The name of the recipient.
    fn name(&self, options: &Options) -> Result<String, Failure> {
        let given = self.recipient.as_ref().or(options.caller.as_ref());
        let given = given.ok_or_else(|| Failure::usage("say whose inbox it is with --recipient ID or --as ID"))?;
        Ok(name("recipients/", given))
    }

    /// Its id.
    fn id(&self, options: &Options) -> Result<String, Failure> {
        let name = self.name(options)?;
        let id = name.trim_start_matches("recipients/");
        if id.is_empty() || id.contains(['/', '.']) {
            return Err(Failure::usage(format!("{name} names no recipient")));
        }
        Ok(id.to_owned())
    }
}
