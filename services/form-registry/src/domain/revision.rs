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
