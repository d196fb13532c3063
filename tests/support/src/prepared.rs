//! Databases as a first start leaves them, made once for each build of the program: most of what a first start takes.
//!
//! Keys and certificates are no part of it. They differ from system to system, so that none takes another's service for its own.

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use nix::sys::signal::Signal;

use crate::system::{System, executable};

/// What is copied of the folder of a system.
const COPIED: [&str; 2] = ["postgres", "passwords.json"];

/// Puts databases as after a first start into the folder that `up` will keep everything in.
pub(super) fn copy(home: &Path) {
    let (prepared, _lock) = prepared();
    fs::create_dir(home).expect("the system has not started");
    for name in COPIED {
        copy_whole(&prepared.join(name), home);
    }
}

/// The folder they are kept in, beside the program, and the lock under which one suite makes it and no other build's removes it.
fn prepared() -> (PathBuf, File) {
    let program = PathBuf::from(executable());
    let build = fs::metadata(&program).expect("the program is there");
    let all = program.with_file_name("suites");
    fs::create_dir_all(&all).expect("the build's folder can be written");
    let lock = File::create(all.join("lock")).expect("the folder can be written");
    lock.lock().expect("the lock can be had");
    let prepared = all.join(format!("{}-{}-{}", build.size(), build.mtime(), build.mtime_nsec()));
    if !prepared.exists() {
        remove_earlier(&all);
        prepare(&all.join("unfinished"), &prepared);
    }
    (prepared, lock)
}

fn remove_earlier(all: &Path) {
    for entry in fs::read_dir(all).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            fs::remove_dir_all(path).expect("it is ours");
        }
    }
}

fn prepare(unfinished: &Path, prepared: &Path) {
    let mut system = System::first_start();
    system.end(Signal::SIGTERM);
    fs::create_dir(unfinished).expect("the folder can be written");
    for name in COPIED {
        copy_whole(&system.home().join(name), unfinished);
    }
    fs::rename(unfinished, prepared).expect("the folder can be written");
}

/// With owners and permissions: PostgreSQL accepts its data from nobody but itself.
fn copy_whole(from: &Path, into: &Path) {
    let copied = Command::new("cp")
        .args(["-a", "--reflink=auto"])
        .arg(from)
        .arg(into)
        .status();
    assert!(copied.expect("cp runs").success(), "{} is copied", from.display());
}
