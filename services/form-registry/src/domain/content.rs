//! The content hash of a revision: one number over its files and figures, which anyone who has them can compute again.

use std::fmt::Write as _;

use legalstat_kit::door::wire;

use super::{key::EditionKey, revision::EditionFile};

/// SHA-256 of the lines that the contract gives for `Revision.content_sha256`. The edition and the number are in it, so that
/// equal files of two months are two contents; times and persons are not, so that it tells what is published and nothing else.
/// A migration writes the same lines for what earlier releases placed.
pub fn sha256(key: &EditionKey, revision: i32, files: &[EditionFile], figures_sha256: Option<[u8; 32]>) -> [u8; 32] {
    let mut files: Vec<&EditionFile> = files.iter().collect();
    files.sort_by(|one, other| one.content.filename.cmp(&other.content.filename));
    let mut lines = format!("legalstat-content/1\nedition:{key}\nrevision:{revision}\n");
    for file in files {
        let content = &file.content;
        let language = if file.language.is_empty() { "-" } else { &file.language };
        let mark = if file.restricted { "restricted" } else { "open" };
        // Nothing fails: it is a text in memory.
        writeln!(
            lines,
            "file:{} {} {} {language} {mark} {}",
            hex::encode(&content.sha256),
            content.size_bytes,
            content.content_type,
            content.filename
        )
        .ok();
    }
    let figures = figures_sha256.map_or_else(|| "none".to_owned(), hex::encode);
    lines.push_str("figures:");
    lines.push_str(&figures);
    lines.push('\n');
    wire::sha256(lines.as_bytes())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use legalstat_kit::{call::Done, files::Content};
    use proptest::prelude::*;

    use super::*;

    fn file(filename: &str, content: &[u8]) -> EditionFile {
        EditionFile {
            content: Content {
                filename: filename.into(),
                content_type: "text/csv".into(),
                size_bytes: content.len() as i64,
                sha256: wire::sha256(content).to_vec(),
                uploaded: Done {
                    at: Timestamp::UNIX_EPOCH,
                    by: "operator".into(),
                },
            },
            language: String::new(),
            restricted: false,
        }
    }

    fn key(name: &str) -> EditionKey {
        name.parse().expect("a name")
    }

    #[test]
    fn it_is_the_one_that_the_migration_writes_for_what_was_placed_before() {
        let hash = sha256(&key("forms/1/editions/2025-M01"), 1, &[file("form.csv", b"abc")], None);
        let migrated = "581abe84cbe6588d657d40e7fc1a56f61be35b27e30532b5f4e9960e31eadc78";
        assert_eq!(hex::encode(hash), migrated);
    }

    #[test]
    fn whatever_is_published_changes_it_and_who_and_when_does_not() {
        let (january, one) = (key("forms/1/editions/2025-M01"), file("a.csv", b"a"));
        let hash = sha256(&january, 1, std::slice::from_ref(&one), None);
        let kazakh = EditionFile {
            language: "kk".into(),
            ..one.clone()
        };
        let restricted = EditionFile {
            restricted: true,
            ..one.clone()
        };
        for (key, number, files, figures) in [
            (january, 2, vec![one.clone()], None),
            (key("forms/1/editions/2025-M02"), 1, vec![one.clone()], None),
            (january, 1, vec![], None),
            (january, 1, vec![one.clone(), file("b.csv", b"a")], None),
            (january, 1, vec![file("a.csv", b"b")], None),
            (january, 1, vec![file("b.csv", b"a")], None),
            (january, 1, vec![kazakh], None),
            (january, 1, vec![restricted], None),
            (january, 1, vec![one.clone()], Some([0; 32])),
        ] {
            assert_ne!(sha256(&key, number, &files, figures), hash, "{key} {number} {files:?}");
        }
        let mut later = one;
        later.content.uploaded = Done {
            at: Timestamp::MAX,
            by: "another".into(),
        };
        assert_eq!(sha256(&january, 1, &[later], None), hash);
    }

    proptest! {
        #[test]
        fn the_order_in_which_files_came_changes_nothing(
            names in prop::collection::btree_set("[a-zа-я ]{1,8}", 1..6), turn in 0..6_usize,
        ) {
            let files: Vec<EditionFile> = names.iter().map(|name| file(name, name.as_bytes())).collect();
            let mut turned = files.clone();
            turned.rotate_left(turn % files.len());
            let key = key("forms/2/editions/2025-Q1");
            prop_assert_eq!(sha256(&key, 1, &files, None), sha256(&key, 1, &turned, None));
        }
    }
}
