//! How this program was called, for hints that work where they are printed.

use std::path::{Path, PathBuf};

use crate::options::FOLDER;

/// A command line of this program, as whoever reads it can give it: under the name by which the program was called, and on
/// the same folder.
pub(crate) fn command(folder: &Path, arguments: &str) -> String {
    let program = std::env::args_os().next().unwrap_or_else(|| "legalstat".into());
    written(&program.to_string_lossy(), is_run_by_cargo(), folder, arguments)
}

/// Whether `cargo run` runs the program, in a folder where it would again.
fn is_run_by_cargo() -> bool {
    let ours = std::env::var_os("CARGO_PKG_NAME").is_some_and(|name| name == env!("CARGO_PKG_NAME"));
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let workspace = package.as_deref().and_then(|package| package.ancestors().nth(2));
    let here = std::env::current_dir().ok();
    ours && here.is_some_and(|here| workspace.is_some_and(|workspace| here.starts_with(workspace)))
}

fn written(program: &str, by_cargo: bool, folder: &Path, arguments: &str) -> String {
    let program = if by_cargo {
        "cargo run --".to_owned()
    } else {
        quoted(program)
    };
    if folder == Path::new(FOLDER) {
        return format!("{program} {arguments}");
    }
    format!(
        "{program} --folder {} {arguments}",
        quoted(&folder.display().to_string())
    )
}

/// A word as a POSIX shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:,@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_names_the_program_as_it_was_called_and_the_folder_unless_it_is_the_usual_one() {
        for (program, by_cargo, folder, hint) in [
            ("legalstat", false, FOLDER, "legalstat tour"),
            ("target/debug/legalstat", true, FOLDER, "cargo run -- tour"),
            ("./legalstat", false, "/srv/a", "./legalstat --folder /srv/a tour"),
            (
                "legalstat",
                false,
                "/srv/it's here",
                r"legalstat --folder '/srv/it'\''s here' tour",
            ),
        ] {
            assert_eq!(written(program, by_cargo, Path::new(folder), "tour"), hint);
        }
    }
}
