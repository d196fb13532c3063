//! How this program was called, for hints that work where they are printed.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use legalstat_proto::common::v1::Role;

use crate::options::{FOLDER, Options};

/// How the command was given, for the hints that it tells; a process carries out one.
static GIVEN: OnceLock<Options> = OnceLock::new();

/// Remembers who gave the command and on which system.
pub(crate) fn remember(options: &Options) {
    GIVEN.set(options.clone()).ok();
}

/// A command to give next, between backticks: by the same person and on the same system as this one.
pub(crate) fn hint(arguments: &str) -> String {
    format!("`{arguments}{}`", as_given())
}

/// A command for another person to give, between backticks.
pub(crate) fn hint_for(person: &str, arguments: &str) -> String {
    let folder = GIVEN.get().map(|given| given.folder.as_path());
    format!("`{arguments}{}`", flags(Some(person), folder))
}

/// What a command needs behind it to be given by the same person and on the same system as this one.
pub(crate) fn as_given() -> String {
    flags(caller(), GIVEN.get().map(|given| given.folder.as_path()))
}

/// Whom `--as` named.
pub(crate) fn caller() -> Option<&'static str> {
    GIVEN.get()?.caller.as_deref()
}

/// Whether whoever gave the command has a role, by the certificate that `--as` named, or the folder's default.
pub(crate) fn has_role(role: Role) -> bool {
    GIVEN.get().is_some_and(|given| {
        let place = given.place();
        let caller = given.caller.clone().or_else(|| place.default_caller());
        caller.is_some_and(|caller| place.has_role(&caller, role))
    })
}

fn flags(caller: Option<&str>, folder: Option<&Path>) -> String {
    let caller = caller.map(|name| format!(" --as {}", quoted(name)));
    let folder = folder.filter(|folder| *folder != Path::new(FOLDER));
    let folder = folder.map(|folder| format!(" --folder {}", quoted(&folder.display().to_string())));
    [caller, folder].into_iter().flatten().collect()
}

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
pub(crate) fn quoted(word: &str) -> String {
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
    fn a_hint_is_given_by_the_same_person_and_on_the_same_system() {
        for (caller, folder, behind) in [
            (None, None, ""),
            (None, Some(FOLDER), ""),
            (Some("saule"), Some(FOLDER), " --as saule"),
            (Some("saule"), Some("/srv/a b"), " --as saule --folder '/srv/a b'"),
        ] {
            assert_eq!(flags(caller, folder.map(Path::new)), behind);
        }
    }

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
