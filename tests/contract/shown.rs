//! Where methods are shown in use, so that who begins with it has something to copy: by a command of the command line, which others read
//! and run, or by a program in `examples/`.

use std::{fs, path::Path};

use crate::sources::{self, Source};

/// Shown by the method whose requests it takes by the thousand.
const BATCH: (&str, &str) = ("BatchComputeDeadlines", "ComputeDeadline");

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

fn examples() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let folders =
        ["python", "typescript"].map(|language| fs::read_dir(root.join(language)).expect("there are examples"));
    let files = folders
        .into_iter()
        .flatten()
        .map(|file| file.expect("it is readable").path());
    let sources = files.filter(|file| {
        file.extension()
            .is_some_and(|extension| extension == "py" || extension == "ts")
    });
    sources
        .map(|file| fs::read_to_string(file).expect("it is readable"))
        .collect()
}

/// What there is to copy.
pub(crate) struct Shown {
    commands: String,
    examples: String,
}

impl Shown {
    pub(crate) fn read() -> Self {
        let of_commands = |source: &Source| source.path.starts_with("cli/src/") && !source.is_test();
        let commands = sources::all().into_iter().filter(of_commands);
        Self {
            commands: commands.map(|source| source.code().to_owned()).collect(),
            examples: examples(),
        }
    }

    /// Whether a method of this name is there.
    pub(crate) fn shows(&self, name: &str) -> bool {
        // The command line names methods in full, `legalstat.forms.v1.FormRegistryService/GetForm`, or within their service.
        let in_commands = [format!("/{name}\""), format!("\"{name}\""), format!("{}(", snake(name))];
        let in_examples = [format!(".{name}("), format!("\"{name}\"")];
        name == BATCH.0 && self.shows(BATCH.1)
            || in_commands.iter().any(|named| self.commands.contains(named))
            || in_examples.iter().any(|named| self.examples.contains(named))
    }
}
