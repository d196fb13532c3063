//! Files of a local system. A file is written completely or not at all, only its owner can read a secret, and one process at a
//! time uses a folder.

use std::{
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
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

/// Writes a file of the system completely or not at all, with permissions `mode`; makes its folder.
///
/// # Errors
/// What the file system says; then what was there is untouched, and nothing is left beside it.
pub fn write_whole(path: &Path, content: &[u8], mode: u32) -> anyhow::Result<()> {
    let writing = || format!("writing {}", path.display());
    fs::create_dir_all(folder_of(path)).with_context(writing)?;
    replace(path, content, mode).with_context(writing)
}

/// Writes a file that somebody chose: as [`write_whole`] does, but keeps the permissions of what it replaces, follows a
/// symbolic link, and writes straight into what is no file, a pipe for one.
///
/// # Errors
/// What the file system says; then what was there is untouched, and nothing is left beside it.
pub fn write_chosen(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let writing = || format!("writing {}", path.display());
    let written = match fs::metadata(path) {
        Ok(there) if there.is_file() => path
            .canonicalize()
            .and_then(|path| replace(&path, content, there.permissions().mode() & 0o7777)),
        Ok(_) => OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| file.write_all(content)),
        Err(_) => replace(path, content, 0o666),
    };
    written.with_context(writing)
}

/// Puts a file that is whole and on the disk into the place that somebody chose, as [`write_chosen`] writes one.
///
/// # Errors
/// What the file system says; then what was there is untouched.
pub fn put_chosen(part: &Path, path: &Path) -> anyhow::Result<()> {
    let put = || format!("writing {}", path.display());
    let placed = match fs::metadata(path) {
        Ok(there) if there.is_file() => path.canonicalize().and_then(|path| {
            fs::set_permissions(part, there.permissions())?;
            fs::rename(part, path)
        }),
        Ok(_) => {
            let into = OpenOptions::new().write(true).open(path);
            let copied = into.and_then(|mut into| io::copy(&mut File::open(part)?, &mut into));
            copied.and_then(|_| fs::remove_file(part))
        }
        Err(_) => fs::rename(part, path),
    };
    placed.with_context(put)?;
    // The name is part of the folder.
    File::open(folder_of(path))
        .and_then(|folder| folder.sync_all())
        .with_context(put)
}

/// Copies a file to a place where nothing is, completely or not at all.
///
/// # Errors
/// What the file system says, also where something is there; then that is untouched, and nothing is left beside it.
pub fn copy_new(from: &Path, path: &Path) -> anyhow::Result<()> {
    let folder = folder_of(path);
    let copied = || {
        let mut from = File::open(from)?;
        let mut new = beside(folder, 0o666)?;
        io::copy(&mut from, &mut new)?;
        new.as_file().sync_all()?;
        new.persist_noclobber(path)?;
        // The name is part of the folder.
        File::open(folder)?.sync_all()
    };
    copied().with_context(|| format!("writing {}", path.display()))
}

/// A file in the making, which goes away with its handle.
fn beside(folder: &Path, mode: u32) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".legalstat-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder)
}

/// Writes beside the file, brings that to the disk and puts it in the file's place. What was begun goes away with its
/// handle.
fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let folder = folder_of(path);
    let mut new = beside(folder, mode)?;
    new.write_all(content)?;
    new.as_file().sync_all()?;
    new.persist(path)?;
    // The name is part of the folder.
    File::open(folder)?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("new/secret");
        write_whole(&file, b"one", 0o600).expect("it is written");
        write_whole(&file, b"two", 0o600).expect("it is written again");
        assert_eq!(
            (fs::read(&file).expect("it is there"), mode(&file)),
            (b"two".to_vec(), 0o600)
        );
        assert_eq!(fs::read_dir(folder.path().join("new")).expect("a folder").count(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_replaced_stays_and_what_was_begun_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).expect("a folder");
        write_whole(&taken, b"one", 0o600).expect_err("a folder is in its place");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        write_chosen(&folder.path().join("none/file"), b"one").expect_err("its folder is not made");
    }

    #[test]
    fn a_copy_has_its_name_only_once_it_is_whole_and_takes_no_place_of_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let [pipe, from, to] = ["pipe", "from", "to"].map(|name| folder.path().join(name));
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|made| made.success()));
        let copying = std::thread::spawn({
            let (pipe, to) = (pipe.clone(), to.clone());
            move || copy_new(&pipe, &to)
        });
        // It opens once the other end is read.
        let mut half = OpenOptions::new().write(true).open(&pipe).expect("it is read");
        half.write_all(b"ne").expect("it is read");
        assert!(!to.exists(), "half of it has no name");
        half.write_all(b"w").expect("it is read");
        drop(half);
        copying.join().expect("it does not panic").expect("the place is free");
        assert_eq!(fs::read(&to).expect("it is there"), b"new");

        fs::write(&from, "other").expect("it is written");
        copy_new(&from, &to).expect_err("the place is taken");
        // A folder opens and cannot be read.
        copy_new(folder.path(), &folder.path().join("none")).expect_err("it is no file");
        assert_eq!(fs::read(&to).expect("it is there"), b"new");
        assert_eq!(
            fs::read_dir(folder.path()).expect("a folder").count(),
            3,
            "nothing is left"
        );
    }

    #[test]
    fn a_chosen_file_keeps_its_permissions_its_links_and_what_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "one").expect("written");
        fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("it is ours");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        write_chosen(&link, b"two").expect("it is written");
        assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
        assert_eq!(
            (fs::read(&file).expect("it is there"), mode(&file)),
            (b"two".to_vec(), 0o640)
        );
        write_chosen(Path::new("/dev/null"), b"two").expect("it is taken");
        assert!(!fs::metadata("/dev/null").expect("it is there").is_file());
    }

    #[test]
    fn a_whole_file_takes_the_place_of_another_and_has_its_permissions() {
        let folder = tempfile::tempdir().expect("a folder");
        let (part, file) = (folder.path().join("part"), folder.path().join("file"));
        for (content, there) in [(b"one", false), (b"two", true)] {
            fs::write(&part, content).expect("written");
            if there {
                fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("it is ours");
            }
            put_chosen(&part, &file).expect("it is put");
            assert_eq!(fs::read(&file).expect("it is there"), content);
        }
        assert_eq!(mode(&file), 0o640);
        fs::write(&part, b"three").expect("written");
        put_chosen(&part, Path::new("/dev/null")).expect("it is taken");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

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
        // A process that another test of this program is just starting holds every open file until it runs its own program.
        let began = std::time::Instant::now();
        while let Err(error) = FolderLock::acquire(folder.path()) {
            assert!(began.elapsed() < std::time::Duration::from_secs(60), "{error}");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}
