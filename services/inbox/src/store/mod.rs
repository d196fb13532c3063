//! The folder of an inbox: `copies/crime/2026-Q3/25/` for each copy that was answered, `parts/{delivery_id}/` for what comes. Both hold
//! `copy.json` and the files `1`, `2`, …; a part becomes a copy by being renamed, so that there is nothing in between. What was recalled
//! stands beside them.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use anyhow::Context as _;
use uuid::Uuid;

use crate::record::{Place, Record};

mod part;
mod recalls;

pub use part::Part;
pub use recalls::{recalled, recalls};

const COPIES: &str = "copies";
const PARTS: &str = "parts";
/// What is written of a copy beside its files.
const RECORD: &str = "copy.json";

/// The store of one inbox. One process at a time writes to it.
pub struct Store {
    folder: PathBuf,
    state: Mutex<State>,
    /// Held by the one call that stores a recall.
    recalling: Mutex<()>,
    _lock: File,
}

#[derive(Default)]
struct State {
    /// Where the copies are that were delivered under these ids.
    deliveries: HashMap<Uuid, Place>,
    /// The copies and the ids that a call is about.
    claimed: HashSet<String>,
}

/// A copy, under one id, that one call alone is about until this is dropped.
pub struct Claim {
    store: Arc<Store>,
    /// The id of the delivery.
    pub id: Uuid,
    /// Where the copy is, or will be.
    pub place: Place,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut state = self.store.state();
        state.claimed.remove(&self.id.to_string());
        state.claimed.remove(&self.place.to_string());
    }
}

/// What is known under the id of a delivery, or the name of a copy.
pub enum Known {
    /// Nothing is.
    Nothing,
    /// The copy.
    Copy(Box<Record>),
    /// The id is another copy's.
    OtherCopy,
}

impl Store {
    /// Opens the folder, which is made if it is not there, for this process alone.
    ///
    /// # Errors
    /// A folder that another process uses, that cannot be written to, or that holds a copy which cannot be read.
    pub fn open(folder: &Path) -> anyhow::Result<Arc<Self>> {
        for made in [COPIES, PARTS, recalls::RECALLS] {
            let made = folder.join(made);
            fs::create_dir_all(&made).with_context(|| format!("making {}", made.display()))?;
        }
        // What is for official use is nobody else's to read.
        fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        sync(folder)?;
        let lock = File::create(folder.join("lock"))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => anyhow::anyhow!("another process takes copies into {}", folder.display()),
            TryLockError::Error(error) => anyhow::Error::new(error).context("locking the folder"),
        })?;
        let mut state = State::default();
        for (place, record) in copies(folder)? {
            state
                .deliveries
                .extend(record.deliveries.iter().map(|id| (*id, place.clone())));
        }
        Ok(Arc::new(Self {
            folder: folder.to_owned(),
            state: Mutex::new(state),
            recalling: Mutex::default(),
            _lock: lock,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }

    fn copy(&self, place: &Place) -> PathBuf {
        self.folder.join(COPIES).join(place.path())
    }

    fn part(&self, id: Uuid) -> PathBuf {
        self.folder.join(PARTS).join(id.to_string())
    }

    /// Takes a copy and an id for one call; `None` while another call has either.
    pub fn claim(self: &Arc<Self>, id: Uuid, place: &Place) -> Option<Claim> {
        let (keys, mut state) = ([id.to_string(), place.to_string()], self.state());
        if keys.iter().any(|key| state.claimed.contains(key)) {
            return None;
        }
        state.claimed.extend(keys);
        Some(Claim {
            store: self.clone(),
            id,
            place: place.clone(),
        })
    }

    /// What was answered under an id before.
    ///
    /// # Errors
    /// What the file system says.
    pub fn answered(&self, id: Uuid) -> anyhow::Result<Option<Record>> {
        let place = self.state().deliveries.get(&id).cloned();
        place.map(|place| self.read(&place)).transpose()
    }

    /// What has come under an id, and how many bytes.
    ///
    /// # Errors
    /// What the file system says.
    pub fn coming(&self, id: Uuid) -> anyhow::Result<Option<(Record, u64)>> {
        part::read(&self.part(id))
    }

    /// Whether it takes what is written to it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn require_writable(&self) -> anyhow::Result<()> {
        let probe = self.folder.join("probe");
        fs::write(&probe, b"?").context("the folder does not take what is written")?;
        Ok(fs::remove_file(probe)?)
    }

    fn read(&self, place: &Place) -> anyhow::Result<Record> {
        let folder = self.copy(place);
        // The process before may have been killed between the rename and this.
        sync_up(&folder, &self.folder)?;
        read(&folder)
    }

    /// Removes the parts to which nothing was added for so long, and that no call is about. Answers how many.
    ///
    /// # Errors
    /// What the file system says.
    pub fn sweep(&self, kept: Duration) -> io::Result<usize> {
        let mut removed = 0;
        for entry in fs::read_dir(self.folder.join(PARTS))? {
            let folder = entry?.path();
            let is_under_way = || {
                let name = folder.file_name().unwrap_or_default().to_string_lossy();
                self.state().claimed.contains(name.as_ref())
            };
            if part::age(&folder).is_some_and(|age| age > kept) && !is_under_way() {
                fs::remove_dir_all(&folder)?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

impl Claim {
    /// What is known of the copy, or under the id.
    ///
    /// # Errors
    /// What the file system says.
    pub fn known(&self) -> anyhow::Result<Known> {
        let under_id = self.store.state().deliveries.get(&self.id).cloned();
        if under_id.is_some_and(|place| place != self.place) {
            return Ok(Known::OtherCopy);
        }
        if !self.store.copy(&self.place).try_exists()? {
            return Ok(Known::Nothing);
        }
        Ok(Known::Copy(Box::new(self.store.read(&self.place)?)))
    }

    /// Notes that the copy, which is there, was delivered under this id too.
    ///
    /// # Errors
    /// What the file system says.
    pub fn note(&self, record: &mut Record) -> anyhow::Result<()> {
        if !record.deliveries.contains(&self.id) {
            record.deliveries.push(self.id);
            write(&self.store.copy(&self.place), record)?;
        }
        self.store.state().deliveries.insert(self.id, self.place.clone());
        Ok(())
    }
}

/// Every copy in the folder of a store, by place; whoever looks may be another process than the one that writes.
///
/// # Errors
/// A copy that cannot be read.
pub fn copies(folder: &Path) -> anyhow::Result<Vec<(Place, Record)>> {
    let mut found = Vec::new();
    for collection in folders(&folder.join(COPIES))? {
        for period in folders(&collection)? {
            for copy in folders(&period)? {
                let record = read(&copy)?;
                let place: Result<Place, _> = record.copy().name.parse();
                let place = place
                    .ok()
                    .filter(|place| folder.join(COPIES).join(place.path()) == copy);
                found.push((
                    place.with_context(|| format!("{} holds another copy", copy.display()))?,
                    record,
                ));
            }
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

/// Every part in the folder of a store, with how many bytes have come.
///
/// # Errors
/// What the file system says.
pub fn parts(folder: &Path) -> anyhow::Result<Vec<(Record, u64)>> {
    let parts = folders(&folder.join(PARTS))?;
    let read = parts.iter().map(|part| part::read(part));
    read.filter_map(Result::transpose).collect()
}

/// The copy at a place in the folder of a store.
///
/// # Errors
/// One that cannot be read.
pub fn find(folder: &Path, place: &Place) -> anyhow::Result<Option<Record>> {
    let copy = folder.join(COPIES).join(place.path());
    copy.try_exists()?.then(|| read(&copy)).transpose()
}

/// A file of a copy in the folder of a store, by its number from 1.
pub fn file(folder: &Path, place: &Place, number: usize) -> PathBuf {
    folder.join(COPIES).join(place.path()).join(number.to_string())
}

fn folders(of: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let reading = || format!("reading {}", of.display());
    let entries = fs::read_dir(of).with_context(reading)?;
    let paths = entries.map(|entry| Ok(entry.with_context(reading)?.path()));
    paths.collect()
}

fn read(folder: &Path) -> anyhow::Result<Record> {
    let path = folder.join(RECORD);
    let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    Record::read(&text).with_context(|| format!("reading {}", path.display()))
}

/// Writes the record of a folder over the one before, whole or not at all.
fn write(folder: &Path, record: &Record) -> anyhow::Result<()> {
    write_whole(&folder.join(RECORD), &record.written()?)?;
    Ok(sync(folder)?)
}

/// Writes a file over the one before, whole or not at all. Its entry in the folder is the caller's to bring to the disk.
fn write_whole(file: &Path, text: &[u8]) -> anyhow::Result<()> {
    let new = file.with_added_extension("new");
    let written = File::create(&new).and_then(|mut new| {
        new.write_all(text)?;
        new.sync_all()
    });
    if let Err(error) = written {
        fs::remove_file(&new).ok();
        return Err(error).with_context(|| format!("writing {}", new.display()));
    }
    Ok(fs::rename(&new, file)?)
}

/// Has the entries of a folder written to the disk.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The same of the folders above it, up to one.
fn sync_up(folder: &Path, up_to: &Path) -> io::Result<()> {
    let mut above = folder.ancestors().skip(1).take_while(|above| above.starts_with(up_to));
    above.try_for_each(sync)
}
