//! The content of a revision: its files, and one digest over them. The contract's `ContentManifest` tells how that is made.

use std::collections::BTreeMap;

use legalstat_kit::{canonical, door::wire, files::Content};
use serde::Serialize;

/// The format of manifests.
pub const FORMAT: &str = "legalstat-content/1";
/// How many files a revision may have.
pub const MOST_FILES: usize = 16;
/// How many times as many bytes as one file all of them may have.
const MOST_TIMES: u64 = 4;
/// The languages that a file may be in; empty for all of them or none.
pub const LANGUAGES: [&str; 4] = ["", "kk", "ru", "en"];

/// A file of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditionFile {
    pub content: Content,
    /// One of [`LANGUAGES`].
    pub language: String,
}

impl EditionFile {
    /// Whether an upload of the other by the same person leaves everything as it is.
    pub fn is_repeated_by(&self, other: &Self) -> bool {
        self.language == other.language && self.content.is_repeated_by(&other.content)
    }
}

/// Why a file is not taken beside those that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    #[error("an edition has at most {MOST_FILES} files")]
    TooMany,
    #[error("another file has this name but for upper and lower case")]
    LikeAnother,
    /// With the most bytes that there may be.
    #[error("the files of the edition would have more than {0} bytes in all")]
    TooLarge(u64),
}

/// The files of a revision, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<String, EditionFile>);

#[derive(Serialize)]
struct Manifest<'a> {
    files: Vec<Listed<'a>>,
    format: &'a str,
}

/// As proto3 JSON has it: integers of 64 bits are texts, and what is empty is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    content_type: &'a str,
    filename: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    language: &'a str,
    sha256: String,
    size_bytes: String,
}

impl FromIterator<EditionFile> for Files {
    fn from_iter<T: IntoIterator<Item = EditionFile>>(files: T) -> Self {
        let named = files.into_iter().map(|file| (file.content.filename.clone(), file));
        Self(named.collect())
    }
}

impl IntoIterator for Files {
    type Item = EditionFile;
    type IntoIter = std::collections::btree_map::IntoValues<String, EditionFile>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_values()
    }
}

impl Files {
    /// The files in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &EditionFile> {
        self.0.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The first of them.
    pub fn first(&self) -> Option<&EditionFile> {
        self.0.values().next()
    }

    /// The file of this name.
    pub fn get(&self, filename: &str) -> Option<&EditionFile> {
        self.0.get(filename)
    }

    /// Takes a file out.
    pub fn remove(&mut self, filename: &str) {
        self.0.remove(filename);
    }

    /// Whether there is room for a file of this name, in place of one that has it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn accept(&self, filename: &str) -> Result<(), NoRoom> {
        if self.0.contains_key(filename) {
            return Ok(());
        }
        // Where case does not count, a recipient could store only one of the two.
        let name = filename.to_lowercase();
        if self.0.keys().any(|other| other.to_lowercase() == name) {
            return Err(NoRoom::LikeAnother);
        }
        if self.0.len() >= MOST_FILES {
            return Err(NoRoom::TooMany);
        }
        Ok(())
    }

    /// Puts a file among them, in place of one that has its name; `limit` is how many bytes one file may have.
    ///
    /// # Errors
    /// Why there is no room for it.
    pub fn put(&mut self, file: EditionFile, limit: u64) -> Result<(), NoRoom> {
        let name = file.content.filename.clone();
        self.accept(&name)?;
        let others = self.0.iter().filter(|(other, _)| **other != name).map(|(_, file)| file);
        let sizes = others.chain([&file]).map(|file| file.content.size_bytes.unsigned_abs());
        let most = limit.saturating_mul(MOST_TIMES);
        if sizes.fold(0, u64::saturating_add) > most {
            return Err(NoRoom::TooLarge(most));
        }
        self.0.insert(name, file);
        Ok(())
    }

    /// The digest of the content; `None` while there is no file.
    pub fn sha256(&self) -> Option<Vec<u8>> {
        let first = self.first()?;
        if self.len() == 1 {
            return Some(first.content.sha256.clone());
        }
        Some(wire::sha256(&self.canonical()).to_vec())
    }

    /// The canonical JSON of the manifest.
    fn canonical(&self) -> Vec<u8> {
        let files = self.iter().map(|file| Listed {
            content_type: &file.content.content_type,
            filename: &file.content.filename,
            language: &file.language,
            sha256: hex::encode(&file.content.sha256),
            size_bytes: file.content.size_bytes.to_string(),
        });
        let (files, format) = (files.collect(), FORMAT);
        canonical::of(&Manifest { files, format }).expect("texts and lists of them have a canonical form")
    }
}

#[cfg(test)]
pub mod tests {
    use legalstat_kit::call::Done;

    use super::*;

    /// A file of as many bytes, uploaded by an operator.
    pub fn file(filename: &str, size_bytes: i64) -> EditionFile {
        EditionFile {
            content: Content {
                filename: filename.into(),
                content_type: "application/pdf".into(),
                size_bytes,
                sha256: vec![7; 32],
                uploaded: Done {
                    at: "2025-04-03T04:00:00Z".parse().expect("an instant"),
                    by: "operator-1".into(),
                },
            },
            language: String::new(),
        }
    }

    #[test]
    fn one_file_has_its_own_digest_and_several_that_of_their_manifest_in_the_order_of_names() {
        assert_eq!(Files::default().sha256(), None);
        let one: Files = [file("b.pdf", 1)].into_iter().collect();
        assert_eq!(one.sha256(), Some(vec![7; 32]));
        let kazakh = EditionFile {
            language: "kk".into(),
            ..file("Ж.pdf", 20)
        };
        let several: Files = [kazakh, file("b.pdf", 1), file("B.xlsx", 3)].into_iter().collect();
        let sha256 = "07".repeat(32);
        let expected = format!(
            concat!(
                r#"{{"files":[{{"contentType":"application/pdf","filename":"B.xlsx","sha256":"{0}","sizeBytes":"3"}},"#,
                r#"{{"contentType":"application/pdf","filename":"b.pdf","sha256":"{0}","sizeBytes":"1"}},"#,
                r#"{{"contentType":"application/pdf","filename":"Ж.pdf","language":"kk","sha256":"{0}","sizeBytes":"20"}}],"#,
                r#""format":"legalstat-content/1"}}"#
            ),
            sha256
        );
        assert_eq!(String::from_utf8(several.canonical()).expect("it is UTF-8"), expected);
        assert_eq!(several.sha256(), Some(wire::sha256(expected.as_bytes()).to_vec()));
    }

    #[test]
    fn a_file_takes_the_place_of_the_one_with_its_name_and_another_name_is_added() {
        let mut files = Files::default();
        files.put(file("a.pdf", 1), 10).expect("there is room");
        files.put(file("b.pdf", 1), 10).expect("there is room");
        files.put(file("a.pdf", 5), 10).expect("there is room");
        let sizes: Vec<i64> = files.iter().map(|file| file.content.size_bytes).collect();
        assert_eq!(sizes, [5, 1]);
        assert_eq!(files.accept("A.PDF"), Err(NoRoom::LikeAnother));
        files.remove("a.pdf");
        assert_eq!((files.len(), files.get("a.pdf")), (1, None));
        assert_eq!(files.accept("A.PDF"), Ok(()));
    }

    #[test]
    fn there_are_at_most_so_many_files_and_bytes() {
        let mut files = Files::default();
        for place in 0..MOST_FILES {
            files.put(file(&format!("{place}.pdf"), 1), 10).expect("there is room");
        }
        assert_eq!(files.put(file("more.pdf", 1), 10), Err(NoRoom::TooMany));
        files.put(file("0.pdf", 10), 10).expect("it replaces one");
        files.put(file("1.pdf", 10), 10).expect("it replaces one");
        // The others have 14 bytes: with 6 more there are 40.
        assert_eq!(files.put(file("2.pdf", 8), 10), Err(NoRoom::TooLarge(40)));
        files
            .put(file("2.pdf", 7), 10)
            .expect("there is room for exactly these");
    }
}
