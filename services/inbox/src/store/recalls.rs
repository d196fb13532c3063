//! The recalls: `recalls/crime/2026-Q3/25.json` for each copy that was recalled, whether or not it is here.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::{Store, folders, sync_up, write_whole};
use crate::{recall::Recall, record::Place};

pub(super) const RECALLS: &str = "recalls";

impl Store {
    /// Stores a recall, and gives what is stored of it: that which was told first.
    ///
    /// # Errors
    /// What the file system says.
    pub fn recall(&self, place: &Place, recall: Recall) -> anyhow::Result<Recall> {
        // Of two calls about one copy the second finds what the first has stored.
        let _one_by_one = self.recalling.lock().expect("no code panics while it holds this lock");
        let file = file(&self.folder, place);
        let folder = file.parent().context("a recall lies in a folder")?;
        let kept = match recalled(&self.folder, place)? {
            Some(first) => first,
            None => {
                fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
                write_whole(&file, &recall.written()?)?;
                recall
            }
        };
        // Also what another process wrote, which may have been killed before this.
        sync_up(&file, &self.folder)?;
        Ok(kept)
    }
}

/// The recall of the copy at a place in the folder of a store; `None` of one of whose recall nothing was told.
///
/// # Errors
/// One that cannot be read.
pub fn recalled(folder: &Path, place: &Place) -> anyhow::Result<Option<Recall>> {
    let file = file(folder, place);
    file.try_exists()?.then(|| read(&file)).transpose()
}

/// Every recall in the folder of a store, by the place of its copy; whoever looks may be another process than the one that writes.
///
/// # Errors
/// A recall that cannot be read.
pub fn recalls(folder: &Path) -> anyhow::Result<BTreeMap<Place, Recall>> {
    let mut found = BTreeMap::new();
    // An inbox of an earlier release has none.
    if !folder.join(RECALLS).try_exists()? {
        return Ok(found);
    }
    for collection in folders(&folder.join(RECALLS))? {
        for period in folders(&collection)? {
            let files = folders(&period)?.into_iter();
            for document in files.filter(|file| file.extension().is_some_and(|end| end == "json")) {
                let recall = read(&document)?;
                let place: Option<Place> = recall.told.copy.parse().ok();
                let place = place.filter(|place| file(folder, place) == document);
                let place = place.with_context(|| format!("{} is of another copy", document.display()))?;
                found.insert(place, recall);
            }
        }
    }
    Ok(found)
}

fn file(folder: &Path, place: &Place) -> PathBuf {
    folder.join(RECALLS).join(place.path()).with_extension("json")
}

fn read(file: &Path) -> anyhow::Result<Recall> {
    let reading = || format!("reading {}", file.display());
    let text = fs::read(file).with_context(reading)?;
    Recall::read(&text).with_context(reading)
}
