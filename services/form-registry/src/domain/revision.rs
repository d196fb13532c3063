//! A revision: one state of an edition's content. The next one corrects it, and both are kept.

use legalstat_kit::{call::Done, files::Content};

/// A file of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditionFile {
    pub content: Content,
    /// By ISO 639; empty when none was given.
    pub language: String,
    /// Whether it holds restricted information (Instruction, para 2(10)).
    pub restricted: bool,
}

impl EditionFile {
    /// Whether an upload of the other by the same person leaves everything as it is.
    pub fn is_repeated_by(&self, other: &Self) -> bool {
        let same_marks = self.language == other.language && self.restricted == other.restricted;
        same_marks && self.content.is_repeated_by(&other.content)
    }
}

/// What fixed a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    pub sealed: Done,
    /// The hash over files and figures.
    pub content_sha256: [u8; 32],
    /// The digest of the figures; `None` where there are none.
    pub figures_sha256: Option<[u8; 32]>,
    /// Whether it holds restricted information.
    pub restricted: bool,
    /// Why there is nothing to report, when it was declared so.
    pub nil_reason: Option<String>,
}

/// That a revision was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    pub reason: String,
    pub withdrawn: Done,
}

/// A revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// 1 is the first.
    pub number: i32,
    /// Why it corrects the one before; empty for the first.
    pub reason: String,
    /// Who began it, and when.
    pub prepared: Done,
    /// `None` while it is in preparation.
    pub seal: Option<Seal>,
    pub withdrawal: Option<Withdrawal>,
    /// Its files by name.
    pub files: Vec<EditionFile>,
}

impl Revision {
    /// The number of the revision that it corrects.
    pub fn replaces(&self) -> Option<i32> {
        (self.number > 1).then_some(self.number - 1)
    }

    /// Whether it was declared that there is nothing to report.
    pub fn is_nil(&self) -> bool {
        self.seal.as_ref().is_some_and(|seal| seal.nil_reason.is_some())
    }

    /// Puts a file in the place of one of the same name, or beside the others.
    pub fn put(&mut self, file: EditionFile) {
        self.files.retain(|held| held.content.filename != file.content.filename);
        let after = |held: &EditionFile| held.content.filename < file.content.filename;
        self.files.insert(self.files.partition_point(after), file);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn done(by: &str, second: i64) -> Done {
        Done {
            at: Timestamp::from_second(second).expect("an instant"),
            by: by.into(),
        }
    }

    fn file(filename: &str) -> EditionFile {
        EditionFile {
            content: Content {
                filename: filename.into(),
                content_type: "text/csv".into(),
                size_bytes: 1,
                sha256: vec![0; 32],
                uploaded: done("operator", 1),
            },
            language: "kk".into(),
            restricted: false,
        }
    }

    fn revision(number: i32) -> Revision {
        Revision {
            number,
            reason: String::new(),
            prepared: done("operator", 1),
            seal: None,
            withdrawal: None,
            files: Vec::new(),
        }
    }

    #[test]
    fn an_upload_repeats_a_file_when_person_content_name_type_and_marks_are_the_same() {
        let held = file("a.csv");
        let mut later = held.clone();
        later.content.uploaded = done("operator", 2);
        assert!(held.is_repeated_by(&later));
        let changes: [fn(&mut EditionFile); 6] = [
            |file| file.language = "ru".into(),
            |file| file.restricted = true,
            |file| file.content.filename = "b.csv".into(),
            |file| file.content.content_type = "application/pdf".into(),
            |file| file.content.sha256 = vec![1; 32],
            |file| file.content.uploaded.by = "approver".into(),
        ];
        for (place, change) in changes.into_iter().enumerate() {
            let mut other = held.clone();
            change(&mut other);
            assert!(!held.is_repeated_by(&other), "change {place}");
        }
    }

    #[test]
    fn files_stand_by_name_and_one_takes_the_place_of_its_own() {
        let mut held = revision(1);
        for name in ["b.csv", "c.csv", "a.csv", "b.csv"] {
            held.put(file(name));
        }
        let names: Vec<&str> = held.files.iter().map(|file| file.content.filename.as_str()).collect();
        assert_eq!(names, ["a.csv", "b.csv", "c.csv"]);
    }

    #[test]
    fn the_first_revision_corrects_none_and_each_later_one_the_one_before() {
        assert_eq!(
            [1, 2, 3].map(|number| revision(number).replaces()),
            [None, Some(1), Some(2)]
        );
    }

    #[test]
    fn a_revision_is_nil_when_it_was_sealed_with_the_reason() {
        let seal = |nil_reason: Option<&str>| Seal {
            sealed: done("operator", 2),
            content_sha256: [0; 32],
            figures_sha256: None,
            restricted: false,
            nil_reason: nil_reason.map(str::to_owned),
        };
        for (seal, nil) in [
            (None, false),
            (Some(seal(None)), false),
            (Some(seal(Some("no cases"))), true),
        ] {
            assert_eq!(Revision { seal, ..revision(1) }.is_nil(), nil);
        }
    }
}
