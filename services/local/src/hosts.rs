//! Where callers of a system on this machine serve themselves, as a recipient with an inbox does: each has a file with a host a line.

use std::{fs, io, path::Path};

use anyhow::Context as _;

use crate::{authority::Usage, folder::write_whole};

const FOLDER: &str = "authority/hosts";

/// The same party with the hosts that were added for it.
///
/// # Errors
/// A file that cannot be read.
pub fn with_added(folder: &Path, usage: Usage) -> anyhow::Result<Usage> {
    Ok(of(folder, usage.name())?
        .iter()
        .fold(usage, |usage, host| usage.reached_as(host)))
}

/// Adds hosts for a party. Its certificate is the authority's to make.
///
/// # Errors
/// Files that cannot be read or written.
pub fn add(folder: &Path, name: &str, hosts: &[String]) -> anyhow::Result<()> {
    let mut all = of(folder, name)?;
    all.extend(hosts.iter().cloned());
    all.sort();
    all.dedup();
    let text: String = all.iter().map(|host| format!("{host}\n")).collect();
    write_whole(&folder.join(FOLDER).join(name), text.as_bytes(), 0o644)
}

fn of(folder: &Path, name: &str) -> anyhow::Result<Vec<String>> {
    let file = folder.join(FOLDER).join(name);
    match fs::read_to_string(&file) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("reading {}", file.display())),
    }
}
