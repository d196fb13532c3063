//! `legalstat inbox add-key`.

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use legalstat_kit::signing::Keys;
use legalstat_local::signing;
use serde_json::json;

use super::{Owner, Store};
use crate::{
    failure::Failure,
    options::Options,
    output::{self, View},
};

/// How long a key is announced that takes over from another, unless another time is given.
const ANNOUNCED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Make the recipient a key with which it signs its receipts, and say how the distribution's administrator enters it
///
/// The first key is entered before the inbox serves: receipts count from when their key was entered. Each next one takes over from the one
/// before by itself, and is entered before it does. The private part stays in the folder of the inbox, for its owner alone.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  legalstat inbox add-key --as supreme-court --store inbox
  legalstat inbox add-key --as supreme-court --store inbox --signs-from 2027-01-01T00:00:00+05:00")]
pub(crate) struct AddKey {
    #[command(flatten)]
    owner: Owner,
    #[command(flatten)]
    store: Store,
    /// From when on it signs [default: the first at once, others in a week]
    #[arg(long, value_name = "INSTANT")]
    signs_from: Option<Timestamp>,
}

impl AddKey {
    /// Makes the key.
    pub(super) fn run(self, options: &Options) -> Result<(), Failure> {
        let (id, now) = (self.owner.id(options)?, Timestamp::now());
        let store = &self.store.store;
        let folder = signing::folder_of(store, &id);
        let known: Vec<String> = match folder.exists() {
            true => Keys::read(&folder)?.listed(now).into_iter().map(|key| key.id).collect(),
            false => Vec::new(),
        };
        if known.is_empty() {
            signing::ensure(store, &id, self.signs_from.unwrap_or(now))?;
        } else {
            signing::add(store, &id, self.signs_from.unwrap_or_else(|| now + ANNOUNCED))?;
        }
        let keys = Keys::read(&folder)?;
        let listed = keys.listed(now).into_iter().map(|key| key.id);
        let made = listed.rev().find(|key| !known.contains(key));
        let key = made.and_then(|made| keys.get(&made)).context("a key was made")?;
        let from = key.signs_from;
        // One that begins now was made a moment ago, and nothing is entered for the past.
        let flag = if from > now {
            format!(" --from {from}")
        } else {
            String::new()
        };
        let public = hex::encode(key.public);
        let command = format!(
            "echo {public} | legalstat collections add-recipient-key {id} {} --public-key -{flag} --reason 'its inbox signs' --as administrator",
            key.id
        );
        let shown = json!({
            "key": key.id,
            "publicKey": public,
            "signsFrom": from.to_string(),
            "file": folder.join(format!("{}.pem", key.id)).display().to_string(),
            "enter": command,
        });
        Ok(output::print(&shown, options.output, View::Record)?)
    }
}
