//! `legalstat inbox list`, `show` and `export`: what the folder holds, whether or not the inbox runs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use legalstat_inbox::{
    recall::Recall,
    record::{Place, Record},
    store,
};
use legalstat_local::folder::copy_new;
use legalstat_proto::collections::v1::{Receipt, delivery::Answer};
use serde_json::{Value, json};

use super::{super::collections::copies::copy_name, Store};
use crate::{
    call::file_sha256,
    failure::Failure,
    options::Options,
    output::{self, View, escaped},
};

const COPIES: View = View::Rows(
    "copies",
    &[
        ("copy", "copy"),
        ("state", "state"),
        ("received", "receivedAt"),
        ("files", "files"),
        ("bytes", "receivedBytes"),
        ("of", "bytes"),
        ("key", "signingKey"),
        ("why", "reason"),
    ],
);

/// How a copy stands that the distribution has recalled, whatever came of it before.
const RECALLED: &str = "RECALLED";

/// The copies that it has received or rejected, those that are coming, and which were recalled
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  legalstat inbox list --store inbox -o json")]
pub(crate) struct List {
    #[command(flatten)]
    store: Store,
}

/// One copy: what was delivered, and the receipt that it was answered with
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  legalstat inbox show crime/2026-Q3/25 --store inbox")]
pub(crate) struct Show {
    /// The copy, collections/crime/editions/2026-Q3/copies/25 or crime/2026-Q3/25
    copy: String,
    #[command(flatten)]
    store: Store,
}

/// Write the files of a copy into a folder, under their names
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  legalstat inbox export crime/2026-Q3/25 --store inbox --to received")]
pub(crate) struct Export {
    /// The copy, collections/crime/editions/2026-Q3/copies/25 or crime/2026-Q3/25
    copy: String,
    #[command(flatten)]
    store: Store,
    /// The folder, which is made if it is not there; no file in it is written over
    #[arg(long, value_name = "PATH")]
    to: PathBuf,
    /// Also a copy that was recalled
    #[arg(long)]
    recalled: bool,
}

impl List {
    /// Prints them.
    pub(super) fn run(self, options: &Options) -> Result<(), Failure> {
        let folder = &self.store.store;
        require_store(folder)?;
        let mut recalls = store::recalls(folder)?;
        let mut all = Vec::new();
        for (place, record) in store::copies(folder)? {
            all.push(line(&record, 0, recalls.remove(&place).as_ref()));
        }
        for (record, came) in store::parts(folder)? {
            let place: Option<Place> = record.copy().name.parse().ok();
            let recall = place.and_then(|place| recalls.remove(&place));
            all.push(line(&record, came, recall.as_ref()));
        }
        let never_came = recalls
            .into_values()
            .map(|recall| json!({ "copy": recall.told.copy, "state": RECALLED, "reason": recall.told.reason }));
        all.extend(never_came);
        Ok(output::print(&json!({ "copies": all }), options.output, COPIES)?)
    }
}

impl Show {
    /// Prints it.
    pub(super) fn run(self, options: &Options) -> Result<(), Failure> {
        let (place, record) = found(&self.store.store, &self.copy)?;
        let mut document: Value = serde_json::from_slice(&record.written()?).context("the copy")?;
        if let Some(recall) = store::recalled(&self.store.store, &place)? {
            let mut written: Value = serde_json::from_slice(&recall.written()?).context("the recall")?;
            document["recall"] = written["recall"].take();
        }
        Ok(output::print(&document, options.output, View::Record)?)
    }
}

impl Export {
    /// Writes them, each only as what was received.
    pub(super) fn run(self, options: &Options) -> Result<(), Failure> {
        let (place, record) = found(&self.store.store, &self.copy)?;
        if !matches!(record.answer, Some(Answer::Receipt(_))) {
            return Err(Failure::usage(format!(
                "{} was rejected, and none of it is here",
                self.copy
            )));
        }
        if let Some(recall) = store::recalled(&self.store.store, &place)?.filter(|_| !self.recalled) {
            return Err(recalled(&self.copy, &recall.told.reason));
        }
        fs::create_dir_all(&self.to).with_context(|| format!("making {}", self.to.display()))?;
        let mut written = Vec::new();
        for (number, file) in (1..).zip(&record.header.files) {
            let from = store::file(&self.store.store, &place, number);
            if file_sha256(&from)? != file.sha256 {
                return Err(anyhow::anyhow!("{} is not what was received any more", from.display()).into());
            }
            let to = self.to.join(plain(&file.filename, number));
            copy_new(&from, &to)?;
            written
                .push(json!({ "file": to.display().to_string(), "sizeBytes": file.size_bytes, "sha256": file.sha256 }));
        }
        const FILES: View = View::Rows(
            "files",
            &[("file", "file"), ("bytes", "sizeBytes"), ("sha256", "sha256")],
        );
        Ok(output::print(&json!({ "files": written }), options.output, FILES)?)
    }
}

/// Nothing is written of a copy that was recalled. Why is in the distribution's words, which may have lines of their own.
fn recalled(copy: &str, why: &str) -> Failure {
    let why = escaped(why);
    Failure::usage(format!(
        "{copy} was recalled: {why}. It is written with --recalled all the same"
    ))
}

fn require_store(folder: &Path) -> Result<(), Failure> {
    if folder.join("copies").is_dir() {
        return Ok(());
    }
    Err(Failure::usage(format!("{} is no folder of an inbox", folder.display())))
}

fn found(folder: &Path, copy: &str) -> Result<(Place, Record), Failure> {
    require_store(folder)?;
    let place: Option<Place> = copy_name(copy).parse().ok();
    let place = place.ok_or_else(|| Failure::usage(format!("{copy} names no copy; write crime/2026-Q3/25")))?;
    let record = store::find(folder, &place)?;
    let record = record.ok_or_else(|| anyhow::anyhow!("{copy} is not in {}", folder.display()))?;
    Ok((place, record))
}

fn line(record: &Record, came: u64, recall: Option<&Recall>) -> Value {
    let (state, receipt, reason) = match &record.answer {
        None => ("COMING", Receipt::default(), String::new()),
        Some(Answer::Receipt(receipt)) => ("RECEIVED", receipt.clone(), String::new()),
        Some(Answer::Rejection(rejection)) => ("REJECTED", Receipt::default(), rejection.reason.clone()),
    };
    let at = receipt.statement.and_then(|statement| statement.received_at);
    let received = if state == "RECEIVED" { record.size() } else { came };
    let (state, reason) = match recall {
        Some(recall) => (RECALLED, recall.told.reason.clone()),
        None => (state, reason),
    };
    json!({
        "copy": record.copy().name,
        "state": state,
        "receivedAt": at.map(|at| at.to_string()),
        "files": record.header.files.iter().map(|file| file.filename.clone()).collect::<Vec<_>>(),
        "receivedBytes": received,
        "bytes": record.size(),
        "signingKey": receipt.signing_key,
        "deliveries": record.deliveries.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "reason": reason,
    })
}

/// The name of a file, which leads to no folder whatever the sender called it.
fn plain(filename: &str, number: usize) -> String {
    let is_plain = !filename.is_empty() && !filename.contains(['/', '\\', '\0']) && filename != "." && filename != "..";
    if is_plain {
        filename.to_owned()
    } else {
        format!("file-{number}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_copy_was_recalled_is_told_within_its_line() {
        let told = recalled("crime/2026-Q3/25", "wrong\nerror: all is well \u{202e}").to_string();
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.contains(r"wrong\nerror: all is well \u{202e}"), "{told}");
    }

    #[test]
    fn no_name_of_a_file_leads_to_a_folder() {
        for (given, written) in [
            ("Қылмыс 2026.pdf", "Қылмыс 2026.pdf"),
            ("../a.pdf", "file-2"),
            ("a\\b.pdf", "file-2"),
            ("..", "file-2"),
            ("", "file-2"),
        ] {
            assert_eq!(plain(given, 2), written);
        }
    }
}
