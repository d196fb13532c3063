//! The sources of the services, for tests about what stands where.

use std::{
    collections::{BTreeMap, BTreeSet},
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
    /// What it does, without the tests at its end.
    pub(crate) fn code(&self) -> &str {
        self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
    }

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

/// What the tests of the services say, and the suites in `tests/`.
pub(crate) fn tests() -> Vec<String> {
    let suites = below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests"));
    let suites = suites
        .into_iter()
        .map(|path| fs::read_to_string(path).expect("a source is readable"));
    let services = all().into_iter().map(|source| match source.is_test() {
        true => source.text,
        false => source.text[source.code().len()..].to_owned(),
    });
    suites.chain(services).collect()
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

/// The files of a crate, each by its path of modules (`call::tls`), with those that it names in imports and paths.
pub(crate) fn imports(krate: &str) -> BTreeMap<String, BTreeSet<String>> {
    let root = format!("{krate}/src/");
    let module = |path: &str| {
        let module = path.strip_prefix(&root)?.strip_suffix(".rs")?;
        Some(module.trim_end_matches("/mod").replace('/', "::"))
    };
    let sources = all();
    let of_crate = sources.iter().filter(|source| !source.is_test());
    let files: BTreeMap<String, &Source> = of_crate
        .filter_map(|source| Some((module(&source.path)?, source)))
        .collect();
    let shown = paths(files["lib"].code(), "pub use ");
    let resolve = |path: &str| {
        let first = path.split("::").next().unwrap_or_default();
        let shown = shown.iter().find(|shown| shown.rsplit("::").next() == Some(first));
        let path = shown.map_or(path, String::as_str);
        // A room shows what its files hold: the context stands in a file of its own.
        let path = match path {
            "run::Context" | "run::Process" => "run::context",
            path => path,
        };
        let ends = path.match_indices("::").map(|(end, _)| end).chain([path.len()]);
        let prefixes = ends
            .map(|end| &path[..end])
            .filter(|prefix| files.contains_key(*prefix));
        prefixes.last().map(str::to_owned)
    };
    let imported = |file: &str, source: &Source| {
        let named = paths(source.code(), "crate::");
        let mut found: BTreeSet<String> = named.iter().filter_map(|path| resolve(path)).collect();
        found.remove(file);
        found
    };
    let named = files.iter().filter(|(file, _)| *file != "lib");
    named
        .map(|(file, source)| (file.clone(), imported(file, source)))
        .collect()
}

/// The paths that stand after `start`, with groups in braces taken apart: `crate::{a, b::{c, d}}` is a, b::c and b::d.
fn paths(code: &str, start: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(start) {
        let mut prefixes = vec![String::new()];
        let (mut path, mut renamed) = (String::new(), false);
        for c in code[at + start.len()..].chars() {
            match c {
                '{' => prefixes.push(std::mem::take(&mut path)),
                ',' | '}' if prefixes.len() > 1 => {
                    found.push(prefixes.concat() + &std::mem::take(&mut path));
                    renamed = false;
                    if c == '}' {
                        prefixes.pop();
                    }
                }
                // What stands behind a blank renames: `follow as feed`.
                c if c.is_whitespace() && prefixes.len() > 1 => renamed = !path.is_empty(),
                _ if renamed => {}
                c if c.is_alphanumeric() || "_:".contains(c) => path.push(c),
                _ => break,
            }
            if c == '}' && prefixes.len() == 1 {
                break;
            }
        }
        found.push(prefixes.concat() + &path);
    }
    found
        .iter()
        .map(|path| path.trim_end_matches("::self").to_owned())
        .collect()
}
