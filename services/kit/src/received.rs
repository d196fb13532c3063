//! Content under way: files that are nobody's until they are kept. Each bears the mark of the process that receives it. A
//! process holds a lock for its mark as long as it lives, so that the next one to start tells what a dead one has left from
//! what a living one, which may share the folder, is just receiving.

use std::{
    fs::{self, DirEntry, File},
    path::{Path as FilePath, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use object_store::path::Path;
use uuid::Uuid;

use crate::repeated;

/// The folder of what is under way.
const FOLDER: &str = "received";
/// The folder of the locks.
const LOCKS: &str = "receiving";
/// After how long a file without a lock is left over: earlier releases held none, and no call takes as long.
const HOUR: Duration = Duration::from_secs(3600);

/// The files that this process receives.
#[derive(Clone)]
pub(crate) struct Received {
    folder: PathBuf,
    mark: Uuid,
    _lock: Arc<File>,
}

impl Received {
    /// Marks this process, and removes what dead ones have left.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn open(files: &FilePath) -> anyhow::Result<Self> {
        let (folder, locks) = (files.join(FOLDER), files.join(LOCKS));
        for made in [&folder, &locks] {
            fs::create_dir_all(made).with_context(|| format!("making {}", made.display()))?;
        }
        sweep(&folder, &locks);
        #[expect(clippy::disallowed_methods, reason = "the name of a file under way decides nothing")]
        let mark = Uuid::new_v4();
        let path = locks.join(mark.to_string());
        loop {
            let lock = File::create(&path).with_context(|| format!("making {}", path.display()))?;
            lock.lock()?;
            // Another process may have found it before it was locked, and removed it.
            if path.exists() {
                let _lock = Arc::new(lock);
                return Ok(Self { folder, mark, _lock });
            }
        }
    }

    /// A place for content.
    pub(crate) fn place(&self) -> Path {
        #[expect(clippy::disallowed_methods, reason = "the name of a file under way decides nothing")]
        let id = Uuid::new_v4();
        Path::from(format!("{FOLDER}/{}.{id}", self.mark))
    }

    /// Removes whatever was written at a place, finished or not.
    pub(crate) async fn remove(&self, place: &Path) {
        let (folder, name) = (self.folder.clone(), place.filename().unwrap_or_default().to_owned());
        let removed = tokio::task::spawn_blocking(move || remove_all(&folder, |file| begins(file, &name)));
        removed.await.ok();
    }
}

fn begins(file: &DirEntry, name: &str) -> bool {
    file.file_name().to_string_lossy().starts_with(name)
}

fn remove_all(folder: &FilePath, which: impl Fn(&DirEntry) -> bool) {
    for file in fs::read_dir(folder).into_iter().flatten().flatten().filter(which) {
        if let Err(error) = fs::remove_file(file.path())
            && let Some(unlogged) = repeated::to_log(&format!("received content could not be removed: {error}"))
        {
            tracing::warn!(%error, unlogged, "received content could not be removed");
        }
    }
}

fn sweep(folder: &FilePath, locks: &FilePath) {
    for lock in fs::read_dir(locks).into_iter().flatten().flatten() {
        let held = File::open(lock.path()).ok().filter(|file| file.try_lock().is_ok());
        if held.is_some() {
            let mark = lock.file_name().to_string_lossy().into_owned();
            remove_all(folder, |file| begins(file, &format!("{mark}.")));
            fs::remove_file(lock.path()).ok();
        }
    }
    let marks: Vec<String> = fs::read_dir(locks).into_iter().flatten().flatten().map(name).collect();
    remove_all(folder, |file| {
        let is_marked = marks.iter().any(|mark| begins(file, mark));
        !is_marked && is_old(file)
    });
}

fn name(file: DirEntry) -> String {
    file.file_name().to_string_lossy().into_owned()
}

fn is_old(file: &DirEntry) -> bool {
    let modified = file.metadata().and_then(|data| data.modified()).ok();
    modified.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_process_left_is_gone_at_the_next_start_and_what_a_living_one_receives_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let received = |of: &Received| {
            let path = folder.path().join(of.place().to_string());
            fs::write(&path, b"half").expect("written");
            path
        };
        let (dead, living) = (
            Received::open(folder.path()).expect("it opens"),
            Received::open(folder.path()).expect("it opens"),
        );
        let (left, received_now) = (received(&dead), received(&living));
        // A process that ends lets its lock go, however it ends.
        drop(dead);
        let unmarked = folder.path().join(FOLDER).join("of-an-earlier-release");
        fs::write(&unmarked, b"half").expect("written");
        let _next = Received::open(folder.path()).expect("it opens");
        assert!(!left.exists());
        assert!(received_now.exists() && unmarked.exists());
    }

    #[tokio::test]
    async fn what_was_written_at_a_place_is_removed_under_every_name_it_has_meanwhile() {
        let folder = tempfile::tempdir().expect("a folder");
        let received = Received::open(folder.path()).expect("it opens");
        let (place, other) = (received.place(), received.place());
        for name in [place.to_string(), format!("{place}#1"), other.to_string()] {
            fs::write(folder.path().join(name), b"half").expect("written");
        }
        received.remove(&place).await;
        let left: Vec<String> = fs::read_dir(folder.path().join(FOLDER))
            .expect("a folder")
            .flatten()
            .map(name)
            .collect();
        assert_eq!(left, [other.filename().expect("a name")]);
    }
}
