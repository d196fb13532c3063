//! A copy while it comes.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use legalstat_proto::collections::v1::{DeliverCopyHeader, delivery::Answer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Claim, RECORD, sync, sync_up, write};
use crate::record::{Record, size};

/// How many bytes are read at once.
const BLOCK: usize = 1024 * 1024;

/// What has come of a copy, for one call alone. Dropped, it stays as far as it has come.
pub struct Part {
    folder: PathBuf,
    record: Record,
    /// How many bytes of each file have come: all of one before the first of the next.
    came: Vec<u64>,
    /// The file of which bytes came last, by its place.
    open: Option<(usize, File)>,
    claim: Claim,
}

/// What stands in a part's folder; `None` where it holds no record that can be read.
pub(super) fn read(folder: &Path) -> anyhow::Result<Option<(Record, u64)>> {
    let Some(record) = fs::read(folder.join(RECORD))
        .ok()
        .and_then(|text| Record::read(&text).ok())
    else {
        return Ok(None);
    };
    let came = came(folder, &record.header)?;
    // An answer that stands here was never given.
    let record = Record { answer: None, ..record };
    Ok(Some((record, came.iter().sum())))
}

fn came(folder: &Path, header: &DeliverCopyHeader) -> anyhow::Result<Vec<u64>> {
    let length = |number: usize| match fs::metadata(folder.join(number.to_string())) {
        Ok(file) => Ok(file.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error).with_context(|| format!("looking at file {number} of {}", folder.display())),
    };
    (1..=header.files.len()).map(length).collect()
}

/// For how long nothing has come.
pub(super) fn age(folder: &Path) -> Option<Duration> {
    let files = fs::read_dir(folder).ok()?.flatten();
    let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    let last = files
        .filter_map(|file| changed(&file.path()))
        .chain(changed(folder))
        .max()?;
    // A clock that was set back makes nothing old.
    last.elapsed().ok()
}

impl Part {
    /// What has come of the copy under the id of the claim, or the beginning of it. `None` when the id is another copy's.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(claim: Claim, header: &DeliverCopyHeader) -> anyhow::Result<Option<Self>> {
        let folder = claim.store.part(claim.id);
        let record = match read(&folder)? {
            Some((record, _)) if record.is_same(header) => record,
            Some(_) => return Ok(None),
            None => {
                let record = Record {
                    deliveries: vec![claim.id],
                    header: header.clone(),
                    answer: None,
                };
                begin(&folder, &record)?;
                record
            }
        };
        let came = came(&folder, &record.header)?;
        Ok(Some(Self {
            folder,
            record,
            came,
            open: None,
            claim,
        }))
    }

    /// The id under which it comes.
    pub fn id(&self) -> Uuid {
        self.claim.id
    }

    /// The copy.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// How many bytes have come.
    pub fn received(&self) -> u64 {
        self.came.iter().sum()
    }

    /// How many are to come in all.
    pub fn size(&self) -> u64 {
        size(&self.record.header.files)
    }

    /// Adds bytes, which must not be more than are to come.
    ///
    /// # Errors
    /// What the file system says; what it took of the bytes counts when the part is opened again.
    pub fn add(&mut self, mut bytes: &[u8]) -> anyhow::Result<()> {
        for place in 0..self.came.len() {
            let whole = size(&self.record.header.files[place..=place]);
            let room = usize::try_from(whole.saturating_sub(self.came[place])).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(bytes.len().min(room));
            if !now.is_empty() {
                let mut file = match self.open.take() {
                    Some((of, file)) if of == place => file,
                    _ => OpenOptions::new().append(true).create(true).open(self.file(place))?,
                };
                file.write_all(now).context("a part of a copy")?;
                self.open = Some((place, file));
                self.came[place] += now.len() as u64;
            }
            bytes = later;
        }
        anyhow::ensure!(bytes.is_empty(), "more bytes than are to come");
        Ok(())
    }

    fn file(&self, place: usize) -> PathBuf {
        self.folder.join((place + 1).to_string())
    }

    /// Whether what stands on the disk is what was announced. Content that is not is thrown away.
    ///
    /// # Errors
    /// What the file system says.
    pub fn verify(&self) -> anyhow::Result<bool> {
        for (place, announced) in self.record.header.files.iter().enumerate() {
            if hex::encode(digest(&self.file(place))?) != announced.sha256 {
                fs::remove_dir_all(&self.folder)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes the copy one that was answered, for good: everything is on the disk when this comes back.
    ///
    /// # Errors
    /// What the file system says; the copy then stays a part.
    pub fn keep(mut self, answer: Answer) -> anyhow::Result<Record> {
        if matches!(answer, Answer::Receipt(_)) {
            for place in 0..self.came.len() {
                File::open(self.file(place)).and_then(|file| file.sync_all())?;
            }
        }
        self.record.answer = Some(answer);
        write(&self.folder, &self.record)?;
        let (store, copy) = (&self.claim.store, self.claim.store.copy(&self.claim.place));
        let parent = copy.parent().context("a copy stands in the folder of its period")?;
        fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        fs::rename(&self.folder, &copy).with_context(|| format!("making {}", copy.display()))?;
        sync_up(&copy, &store.folder)?;
        store.state().deliveries.insert(self.claim.id, self.claim.place.clone());
        Ok(self.record)
    }
}

/// Makes the folder of a part anew, with its record.
fn begin(folder: &Path, record: &Record) -> anyhow::Result<()> {
    let beginning = || format!("making {}", folder.display());
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(beginning),
        _ => {}
    }
    fs::create_dir(folder).with_context(beginning)?;
    write(folder, record)?;
    Ok(sync(folder)?)
}

fn digest(file: &Path) -> anyhow::Result<[u8; 32]> {
    let (mut digest, mut block) = (Sha256::new(), vec![0; BLOCK]);
    let mut file = File::open(file).with_context(|| format!("reading {}", file.display()))?;
    loop {
        match file.read(&mut block)? {
            0 => return Ok(digest.finalize().into()),
            read => digest.update(&block[..read]),
        }
    }
}
