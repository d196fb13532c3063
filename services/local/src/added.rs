//! The callers that were added to a system on this machine beside those that every system has: further officials, bodies and
//! document systems. Each has a file of its own, so that adding one touches no other.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use legalstat_kit::{Caller, call::caller::CallerError};
use legalstat_proto::common::v1::Role;

use crate::authority::{Usage, word};

/// How long a name may be: with `.pem` behind it, it is a file's.
const LONGEST: usize = 64;

/// Why a caller is not added.
#[derive(Debug, thiserror::Error)]
pub enum NotAdded {
    /// No certificate can have the name.
    #[error("{0}")]
    Name(#[from] CallerError),
    /// It is a name that would be taken for something else.
    #[error("the name {0:?} is unusual: write letters, digits, '-', '_' and '.', at most 64, beginning with a letter")]
    Unusual(String),
    /// It is the name of a role: journals and four eyes could not tell who it is.
    #[error("{0} is a role: name the person or the system")]
    OfRole(String),
    /// The name stands for a file of the authority itself.
    #[error("the name {0:?} is the authority's own")]
    OfAuthority(String),
    /// Somebody has the name with other roles.
    #[error("{name} is there already, with the roles {roles}: one name is one person, and other roles are another's")]
    Taken {
        /// The name.
        name: String,
        /// The roles that it has.
        roles: String,
    },
    /// Somebody has the name in other case.
    #[error("{name} is there already: two names that differ in case only would be taken for one person")]
    Similar {
        /// The name that is there.
        name: String,
    },
    /// What the file system says.
    #[error("{0:#}")]
    Other(anyhow::Error),
}

fn folder_of(folder: &Path) -> PathBuf {
    folder.join("authority/callers")
}

/// Everyone who was added to the system of a folder, by name.
///
/// # Errors
/// Files that cannot be read, or name a role that does not exist.
pub fn all(folder: &Path) -> anyhow::Result<Vec<Usage>> {
    let callers = folder_of(folder);
    let files = match fs::read_dir(&callers) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", callers.display())),
    };
    let mut added = Vec::new();
    for file in files {
        let file = file.with_context(|| format!("reading {}", callers.display()))?;
        let name = file.file_name().to_string_lossy().into_owned();
        // What is being written has a name that no caller can have.
        if name.starts_with('.') {
            continue;
        }
        let text = fs::read_to_string(file.path()).with_context(|| format!("reading {}", file.path().display()))?;
        let roles: Option<Vec<Role>> = text.lines().map(role).collect();
        let roles = roles.filter(|roles| !roles.is_empty());
        let roles = roles.with_context(|| format!("{} names no roles", file.path().display()))?;
        added.push(Usage::caller(&name, &roles));
    }
    added.sort_by(|one, other| one.name().cmp(other.name()));
    Ok(added)
}

fn role(word: &str) -> Option<Role> {
    Role::from_str_name(&format!("ROLE_{}", word.trim().to_ascii_uppercase()))
}

/// Adds a caller to those whom a system has; whether it was not there yet. Its certificate is the authority's to make.
///
/// # Errors
/// A name that no caller can have, or that somebody has with other roles or in other case.
pub fn add(folder: &Path, there: &[Usage], name: &str, roles: &[Role]) -> Result<bool, NotAdded> {
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    if !check(there, name, &roles)? {
        return Ok(false);
    }
    let text: String = roles.iter().map(|role| format!("{}\n", word(*role))).collect();
    match written(folder, name, &text) {
        Ok(()) => Ok(true),
        // Somebody else has added the same name meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let added = all(folder).map_err(NotAdded::Other)?;
            let one = added.iter().find(|one| one.name() == name);
            one.map_or(Ok(false), |one| unless_other(one, name, &roles))
        }
        Err(error) => Err(NotAdded::Other(
            anyhow::Error::new(error).context(format!("writing {}", folder_of(folder).join(name).display())),
        )),
    }
}

/// Whether a caller can be given a name, as nobody has it, or has it already with the same roles (false).
///
/// # Errors
/// A name that no caller can have, that is a role's, or that somebody has with other roles or in other case.
pub fn check(there: &[Usage], name: &str, roles: &[Role]) -> Result<bool, NotAdded> {
    Caller::check_name(name)?;
    if name.len() > LONGEST || !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err(NotAdded::Unusual(name.to_owned()));
    }
    // `certificates/ca.pem` is the authority's certificate.
    if name.eq_ignore_ascii_case("ca") {
        return Err(NotAdded::OfAuthority(name.to_owned()));
    }
    let one = there.iter().find(|one| one.name().eq_ignore_ascii_case(name));
    let is_new = one.map_or(Ok(true), |one| unless_other(one, name, roles))?;
    if role(&name.replace('-', "_")).is_some() {
        return Err(NotAdded::OfRole(name.to_owned()));
    }
    Ok(is_new)
}

/// Whoever is there already stays if it is the same one.
fn unless_other(one: &Usage, name: &str, roles: &[Role]) -> Result<bool, NotAdded> {
    if one.name() != name {
        return Err(NotAdded::Similar {
            name: one.name().to_owned(),
        });
    }
    if one.has_roles(roles) {
        return Ok(false);
    }
    let mut has = one.roles().to_vec();
    has.sort_unstable();
    let words: Vec<String> = has.into_iter().map(word).collect();
    Err(NotAdded::Taken {
        name: name.to_owned(),
        roles: words.join(", "),
    })
}

/// Writes a new file whole, and never over another.
fn written(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let callers = folder_of(folder);
    fs::create_dir_all(&callers)?;
    let mut new = tempfile::Builder::new().prefix(".legalstat-").tempfile_in(&callers)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist_noclobber(callers.join(name)).map_err(|error| error.error)?;
    fs::File::open(&callers)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there() -> Vec<Usage> {
        vec![
            Usage::caller("operator", &[Role::Operator]),
            Usage::caller("edms", &[Role::Edms, Role::Subject]),
            Usage::caller("tax-committee", &[Role::Subject]),
            Usage::service("calendar"),
        ]
    }

    #[test]
    fn a_caller_is_added_once_and_found_again() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(all(folder.path()).expect("there are none").is_empty());
        let add = |name: &str, roles: &[Role]| {
            let there: Vec<Usage> = there()
                .into_iter()
                .chain(all(folder.path()).expect("they are read"))
                .collect();
            super::add(folder.path(), &there, name, roles)
        };
        assert!(add("bolat.a", &[Role::Approver, Role::Operator, Role::Approver]).expect("it is new"));
        assert!(add("aliya", &[Role::Operator]).expect("it is new"));
        assert!(!add("bolat.a", &[Role::Operator, Role::Approver]).expect("it is the same"));
        assert!(!add("tax-committee", &[Role::Subject]).expect("it is the same"));
        let added = all(folder.path()).expect("they are read");
        let added: Vec<(&str, &[Role])> = added.iter().map(|one| (one.name(), one.roles())).collect();
        let expected: [(&str, &[Role]); 2] = [
            ("aliya", &[Role::Operator]),
            ("bolat.a", &[Role::Operator, Role::Approver]),
        ];
        assert_eq!(added, expected);
        // Of two who add the same name at the same moment the second is told of the first.
        let behind = super::add(folder.path(), &there(), "aliya", &[Role::Approver]);
        assert!(matches!(behind, Err(NotAdded::Taken { .. })), "{behind:?}");
        assert!(!super::add(folder.path(), &there(), "aliya", &[Role::Operator]).expect("it is the same"));
    }

    #[test]
    fn names_that_are_anothers_or_would_be_taken_for_one_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, roles, part) in [
            (
                "operator",
                Role::Approver,
                "operator is there already, with the roles operator",
            ),
            (
                "edms",
                Role::Edms,
                "edms is there already, with the roles subject, edms",
            ),
            ("calendar", Role::Operator, "with the roles service"),
            ("Operator", Role::Operator, "differ in case only"),
            ("operator", Role::Operator, "operator is a role"),
            ("Auditor", Role::Auditor, "Auditor is a role"),
            ("service", Role::Operator, "service is a role"),
            ("system", Role::Operator, "reserved"),
            ("Anonymous", Role::Operator, "reserved"),
            ("ca", Role::Operator, "the authority's own"),
            ("CA", Role::Operator, "the authority's own"),
            ("", Role::Operator, "letters"),
            ("a b", Role::Operator, "letters"),
            ("../ca", Role::Operator, "letters"),
            ("айгүл", Role::Operator, "letters"),
            ("..", Role::Operator, "unusual"),
            (".hidden", Role::Operator, "unusual"),
            ("-x", Role::Operator, "unusual"),
        ] {
            let refused = add(folder.path(), &there(), name, &[roles])
                .expect_err("it is refused")
                .to_string();
            assert!(refused.contains(part), "{name}: {refused}");
        }
        let long = "a".repeat(LONGEST + 1);
        assert!(matches!(
            add(folder.path(), &[], &long, &[Role::Operator]),
            Err(NotAdded::Unusual(_))
        ));
        assert!(all(folder.path()).expect("there are none").is_empty());
    }
}
