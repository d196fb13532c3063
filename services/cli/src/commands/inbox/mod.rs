//! `legalstat inbox`: a recipient's own server, and what it has stored.

mod keys;
mod serve;
mod stored;

use std::path::PathBuf;

use clap::Subcommand;

use super::name;
use crate::{failure::Failure, options::Options};

const RECIPIENTS: &str = "recipients/";

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
        recipient_name(given)
    }

    /// Its id.
    fn id(&self, options: &Options) -> Result<String, Failure> {
        let name = self.name(options)?;
        Ok(name.trim_start_matches(RECIPIENTS).to_owned())
    }
}

/// The name of a recipient that is given by its name or its id. What can be none is refused here: an inbox takes a copy for nobody else,
/// and rejects it for good.
fn recipient_name(given: &str) -> Result<String, Failure> {
    let name = name(RECIPIENTS, given);
    let id = name.trim_start_matches(RECIPIENTS);
    let of_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !id.starts_with(|c: char| c.is_ascii_lowercase()) || !id.chars().all(of_id) {
        return Err(Failure::usage(format!("{name} names no recipient")));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_is_given_by_its_name_or_its_id_and_what_can_be_none_is_refused() {
        for given in ["constitutional-council", "recipients/constitutional-council"] {
            let name = recipient_name(given).expect("it is one");
            assert_eq!(name, "recipients/constitutional-council");
        }
        for none in [
            "",
            "recipients/",
            "../x",
            "constitutional_council",
            "Senate",
            "senate/x",
            "senate ",
        ] {
            assert!(recipient_name(none).is_err(), "{none:?}");
        }
    }
}
