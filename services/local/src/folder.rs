//! Files of a local system. A file is written completely or not at all, only its owner can read a secret, and one process at a
//! time uses a folder.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// A folder that another process uses.
#[derive(Debug, thiserror::Error)]
#[error("a system is already running in {folder} (process {process})")]
pub struct AlreadyRunning {
    folder: String,
    process: String,
}

/// Holds a folder for this process. The operating system releases it when the process ends, even by a crash.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the folder.
    ///
    /// # Errors
    /// [`AlreadyRunning`] when another process holds it, or what the file system says.
    pub fn acquire(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("lock");
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = opened.with_context(|| format!("opening {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut process = String::new();
                file.read_to_string(&mut process).ok();
                let folder = folder.display().to_string();
                return Err(AlreadyRunning {
                    folder,
                    process: process.trim().to_owned(),
                }
                .into());
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("locking {}", path.display()));
            }
        }
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self { _file: file })
    }
}

/// Writes a file completely or not at all, with permissions `mode`.
///
/// # Errors
/// What the file system says.
pub fn write_whole(path: &Path, content: &[u8], mode: u32) -> anyhow::Result<()> {
    let folder = path.parent().context("a file has a folder")?;
    fs::create_dir_all(folder)?;
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    fs::remove_file(&new).ok();
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path).with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let held = FolderLock::acquire(folder.path()).expect("nobody holds it");
        let refused = FolderLock::acquire(folder.path()).expect_err("it is held");
        assert!(
            refused.to_string().contains(&std::process::id().to_string()),
            "{refused}"
        );
        drop(held);
        FolderLock::acquire(folder.path()).expect("it was let go");
    }
}
