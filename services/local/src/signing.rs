//! The keys that the services of a local system sign with, a folder for each: `signing-keys/{service}/{id}.pem`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::{Timestamp, Zoned, tz::TimeZone};
use legalstat_kit::signing::{Keys, file_of};
use rand::RngExt;

use super::folder::write_whole;

/// The folder of a service's keys.
pub fn folder_of(folder: &Path, service: &str) -> PathBuf {
    folder.join("signing-keys").join(service)
}

/// The folder of a service's keys, with a first one made where there is none; it signs from this instant on.
///
/// # Errors
/// Files that cannot be written, and keys that the service could not use.
pub fn ensure(folder: &Path, service: &str, signs_from: Timestamp) -> anyhow::Result<PathBuf> {
    let keys = folder_of(folder, service);
    let visible = |entry: &std::fs::DirEntry| !entry.file_name().as_encoded_bytes().starts_with(b".");
    let is_empty = std::fs::read_dir(&keys).map_or(true, |files| !files.flatten().any(|entry| visible(&entry)));
    if is_empty {
        write(&keys, signs_from)?;
    }
    Keys::read(&keys)?;
    Ok(keys)
}

/// Makes a service another key, which signs from an instant on, and gives its file.
///
/// # Errors
/// As [`ensure`], and a service that has no key yet.
pub fn add(folder: &Path, service: &str, signs_from: Timestamp) -> anyhow::Result<PathBuf> {
    let keys = folder_of(folder, service);
    Keys::read(&keys)?;
    write(&keys, signs_from)
}

/// Writes a key under the day from which it signs, and a number where that day has one already.
fn write(keys: &Path, signs_from: Timestamp) -> anyhow::Result<PathBuf> {
    let day = Zoned::new(signs_from, TimeZone::UTC).date();
    let mut names = std::iter::once(day.to_string()).chain((2..1000).map(|number| format!("{day}-{number}")));
    let name = names.find(|name| !keys.join(format!("{name}.pem")).exists());
    let path = keys.join(format!("{}.pem", name.context("a thousand keys begin on this day")?));
    let seed: [u8; 32] = rand::rng().random();
    write_whole(&path, file_of(&seed, signs_from).as_bytes(), 0o600)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn a_first_key_is_made_once_and_others_follow_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let (now, later) = (instant("2026-03-02T10:00:00Z"), instant("2026-03-09T10:00:00Z"));
        add(folder.path(), "request-intake", later).expect_err("it has no key yet");
        let keys = ensure(folder.path(), "request-intake", now).expect("it is made");
        ensure(folder.path(), "request-intake", later).expect("it is there");
        let states = || {
            let listed = Keys::read(&keys).expect("they are sound").listed(now);
            listed.into_iter().map(|key| (key.id, key.state)).collect::<Vec<_>>()
        };
        assert_eq!(states(), [("2026-03-02".to_owned(), 2)]);
        add(folder.path(), "request-intake", later).expect("it is made");
        add(folder.path(), "request-intake", later).expect("it has another name");
        let expected = [("2026-03-02", 2), ("2026-03-09", 1), ("2026-03-09-2", 1)];
        assert_eq!(states(), expected.map(|(id, state)| (id.to_owned(), state)));
        std::fs::write(keys.join("notes.txt"), "").expect("the folder is ours");
        ensure(folder.path(), "request-intake", now).expect_err("the service would not start");
    }
}
