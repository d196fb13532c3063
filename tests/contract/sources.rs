//! The sources of the services, for tests about what stands where.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One source file.
pub(crate) struct Source {
    /// Its path below `services/`, with `/` between folders: `kit/src/lib.rs`.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

impl Source {
    /// Whether it belongs to tests alone, by its name or its folder.
    pub(crate) fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let in_folder = ["/tests/", "/testing/"].iter().any(|folder| self.path.contains(folder));
        in_folder || name == "tests.rs" || name.ends_with("_tests.rs")
    }
}

/// Every Rust source of the services.
pub(crate) fn all() -> Vec<Source> {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: PathBuf| {
        let below = path.strip_prefix(&services).expect("it was found there");
        Source {
            path: below.to_string_lossy().replace('\\', "/"),
            text: fs::read_to_string(&path).expect("a source is readable"),
        }
    };
    below(&services).into_iter().map(read).collect()
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is readable");
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("the folder is readable").path()) {
        if path.is_dir() {
            found.extend(below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
