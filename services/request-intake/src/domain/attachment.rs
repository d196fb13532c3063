//! Files of requests, and what the verification of their signatures came to.

use jiff::Timestamp;
use legalstat_kit::door::word::Word;
use uuid::Uuid;

use super::request::State;
use super::verdict::{Fault, Signer, Verdict};

/// How many attachments a request has at most.
pub const MOST: usize = 20;
/// How many characters a file's name has at most.
const NAME: usize = 255;

/// What a file is to its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file beside it.
    Attachment,
    /// The request itself as it was signed: a container of its signature, or a document whose signature stands beside it.
    SignedOriginal,
    /// The signature beside the signed original.
    Signature,
}

impl Word for Kind {
    const ALL: &'static [Self] = &[Self::Attachment, Self::SignedOriginal, Self::Signature];

    fn word(self) -> &'static str {
        match self {
            Self::Attachment => "ATTACHMENT",
            Self::SignedOriginal => "SIGNED_ORIGINAL",
            Self::Signature => "SIGNATURE",
        }
    }
}

/// A file of a request, or of one that is to be submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub id: Uuid,
    pub kind: Kind,
    /// Its name, without folders.
    pub filename: String,
    pub content_type: String,
    /// 1 or more.
    pub size_bytes: i64,
    pub sha256: [u8; 32],
    pub uploaded_by: String,
    pub uploaded_at: Timestamp,
    /// The signed original that a signature signs.
    pub signs: Option<Uuid>,
    /// The request that it belongs to.
    pub request: Option<Uuid>,
    /// What the verification of its signature came to, where it holds one.
    pub signature: Option<Verdict>,
}

impl Attachment {
    /// Whether its name, its content and its signers were erased with its request.
    pub fn is_erased(&self) -> bool {
        self.filename.is_empty()
    }
}

/// What the signature of a request comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed<'a> {
    /// It has no signed original.
    NoOriginal,
    /// It has one, and nothing signs it.
    Unsigned,
    /// What the verification came to.
    Verified(&'a Verdict),
}

/// What the signature of a request with these attachments comes to: of the signature beside the original, or of the original
/// itself. Of two, one that is not valid counts before one that is.
pub fn signed(attachments: &[Attachment]) -> Signed<'_> {
    let Some(original) = attachments.iter().find(|one| one.kind == Kind::SignedOriginal) else {
        return Signed::NoOriginal;
    };
    let beside = attachments.iter().find(|one| one.signs == Some(original.id));
    let verdicts = [Some(original), beside];
    let verdicts = verdicts.into_iter().flatten().filter_map(|one| one.signature.as_ref());
    verdicts
        .max_by_key(|verdict| rank(verdict))
        .map_or(Signed::Unsigned, Signed::Verified)
}

/// A signature that is not valid is told before one that cannot be verified, and that before one that is valid.
fn rank(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Valid(_) => 0,
        Verdict::NobodyTrusted => 1,
        Verdict::Unsupported(_) => 2,
        Verdict::NotValid(_) => 3,
    }
}

/// Whether a request that stands here takes more files.
pub fn takes_more(state: State) -> bool {
    match state {
        State::Received | State::AwaitingClarification | State::Registered | State::InPreparation => true,
        State::LeftWithoutConsideration
        | State::Answered
        | State::Forwarded
        | State::Returned
        | State::Terminated
        | State::Withdrawn => false,
    }
}

/// How many contents may be without a row whatever else is there.
const FEW: usize = 100;

/// Whether so many contents without a row, of all, are those of another database: one that was lost, or is to be restored, say. A crash
/// leaves a few.
pub fn are_of_another_database(unused: usize, all: usize) -> bool {
    unused > FEW && unused > all / 2
}

/// A file's name without what stands before its last slash and without what changes how a line is read: control characters,
/// and characters that turn the direction of writing. Letters of every script stay, and so do combining marks.
pub fn cleaned(filename: &str) -> String {
    let last = filename.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_of_a_line = |c: &char| !c.is_control() && !turns_direction(*c);
    let name: String = last.chars().filter(is_of_a_line).collect();
    let name = name.trim();
    if name.chars().all(|c| c == '.') {
        return String::new();
    }
    shortened(name)
}

const fn turns_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A long name keeps its ending, by which people and programs tell what it is.
fn shortened(name: &str) -> String {
    let length = name.chars().count();
    if length <= NAME {
        return name.to_owned();
    }
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending)
        .filter(|ending| ending.chars().count() < 16);
    let ending = ending.map(|ending| format!(".{ending}")).unwrap_or_default();
    let kept: String = name.chars().take(NAME - ending.chars().count()).collect();
    kept + &ending
}

/// A verdict in the words of the tables.
pub fn words(verdict: &Verdict) -> (&'static str, Option<&str>) {
    match verdict {
        Verdict::Valid(_) => ("VALID", None),
        Verdict::NotValid(fault) => ("NOT_VALID", Some(fault.word())),
        Verdict::Unsupported(algorithm) => ("UNSUPPORTED", Some(algorithm)),
        Verdict::NobodyTrusted => ("NOBODY_TRUSTED", None),
    }
}

/// The verdict of these words; `None` for words that this release does not know.
pub fn verdict(word: &str, detail: Option<String>, signers: Vec<Signer>) -> Option<Verdict> {
    match (word, detail) {
        ("VALID", None) => Some(Verdict::Valid(signers)),
        ("NOT_VALID", Some(fault)) => Fault::read(&fault).map(Verdict::NotValid),
        ("UNSUPPORTED", Some(algorithm)) => Some(Verdict::Unsupported(algorithm)),
        ("NOBODY_TRUSTED", None) => Some(Verdict::NobodyTrusted),
        _ => None,
    }
}

impl Word for Fault {
    const ALL: &'static [Self] = &[
        Self::TooLarge,
        Self::Malformed(""),
        Self::NotSignedData,
        Self::NoSigner,
        Self::NoContent,
        Self::OtherContent,
        Self::OtherDigest,
        Self::OtherContentType,
        Self::NoCertificate,
        Self::OtherCertificate,
        Self::WrongSignature,
        Self::SignedLater,
        Self::Expired,
        Self::NotValidYet,
        Self::Revoked,
        Self::NotForSigning,
        Self::NotTrusted,
        Self::UnusableCertificate,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::TooLarge => "TOO_LARGE",
            Self::Malformed(_) => "MALFORMED",
            Self::NotSignedData => "NOT_SIGNED_DATA",
            Self::NoSigner => "NO_SIGNER",
            Self::NoContent => "NO_CONTENT",
            Self::OtherContent => "OTHER_CONTENT",
            Self::OtherDigest => "OTHER_DIGEST",
            Self::OtherContentType => "OTHER_CONTENT_TYPE",
            Self::NoCertificate => "NO_CERTIFICATE",
            Self::OtherCertificate => "OTHER_CERTIFICATE",
            Self::WrongSignature => "WRONG_SIGNATURE",
            Self::SignedLater => "SIGNED_LATER",
            Self::Expired => "EXPIRED",
            Self::NotValidYet => "NOT_VALID_YET",
            Self::Revoked => "REVOKED",
            Self::NotForSigning => "NOT_FOR_SIGNING",
            Self::NotTrusted => "NOT_TRUSTED",
            Self::UnusableCertificate => "UNUSABLE_CERTIFICATE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attachment(kind: Kind, signs: Option<Uuid>, signature: Option<Verdict>) -> Attachment {
        Attachment {
            id: Uuid::from_u128(kind.word().len() as u128),
            kind,
            filename: "a".into(),
            content_type: "application/pdf".into(),
            size_bytes: 1,
            sha256: [0; 32],
            uploaded_by: "edms".into(),
            uploaded_at: Timestamp::UNIX_EPOCH,
            signs,
            request: None,
            signature,
        }
    }

    #[test]
    fn a_name_loses_its_folders_and_what_turns_or_breaks_its_line_and_keeps_every_letter() {
        for (given, expected) in [
            ("Сұрау салу №1.pdf", "Сұрау салу №1.pdf"),
            ("/etc/passwd", "passwd"),
            ("..\\..\\C:\\a\\отчёт.docx", "отчёт.docx"),
            ("..", ""),
            ("a/..", ""),
            ("/", ""),
            ("a\nb\0c\u{7f}.pdf", "abc.pdf"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("ملف \u{2067}طلب\u{2069}.pdf", "ملف طلب.pdf"),
            ("e\u{301}\u{301}\u{301}.txt", "e\u{301}\u{301}\u{301}.txt"),
            ("  .hidden ", ".hidden"),
        ] {
            assert_eq!(cleaned(given), expected, "{given:?}");
        }
        let long = cleaned(&format!("{}.pdf", "ж".repeat(400)));
        assert_eq!((long.chars().count(), long.ends_with("ж.pdf")), (255, true));
    }

    #[test]
    fn the_worst_of_two_verdicts_counts_and_an_original_without_one_is_unsigned() {
        let (valid, wrong) = (Verdict::Valid(Vec::new()), Verdict::NotValid(Fault::Expired));
        let original = |signature| attachment(Kind::SignedOriginal, None, signature);
        let beside = |of: &Attachment, verdict| attachment(Kind::Signature, Some(of.id), Some(verdict));
        assert_eq!(signed(&[]), Signed::NoOriginal);
        assert_eq!(signed(&[attachment(Kind::Attachment, None, None)]), Signed::NoOriginal);
        let plain = original(None);
        assert_eq!(signed(std::slice::from_ref(&plain)), Signed::Unsigned);
        let pair = [beside(&plain, wrong.clone()), plain];
        assert_eq!(signed(&pair), Signed::Verified(&wrong));
        let container = original(Some(valid.clone()));
        assert_eq!(signed(std::slice::from_ref(&container)), Signed::Verified(&valid));
        for verdict in [Verdict::NobodyTrusted, Verdict::Unsupported("GOST".into()), wrong] {
            let pair = [container.clone(), beside(&container, verdict.clone())];
            assert_eq!(signed(&pair), Signed::Verified(&verdict));
        }
    }

    #[test]
    fn a_verdict_is_read_from_the_words_that_it_is_written_in() {
        let mut verdicts = vec![
            Verdict::Valid(Vec::new()),
            Verdict::Unsupported("GOST".into()),
            Verdict::NobodyTrusted,
        ];
        verdicts.extend(Fault::ALL.iter().map(|fault| Verdict::NotValid(*fault)));
        for one in verdicts {
            let (word, detail) = words(&one);
            assert_eq!(verdict(word, detail.map(str::to_owned), Vec::new()), Some(one));
        }
        assert_eq!(verdict("VALID", Some("x".into()), Vec::new()), None);
        assert_eq!(verdict("NOT_VALID", Some("x".into()), Vec::new()), None);
    }

    #[test]
    fn a_folder_whose_files_nobody_knows_is_left_alone() {
        assert!(are_of_another_database(101, 101) && are_of_another_database(101, 201));
        assert!(!are_of_another_database(100, 100) && !are_of_another_database(101, 202));
    }

    proptest! {
        #[test]
        fn a_cleaned_name_has_no_folder_no_control_and_stays_clean(name in any::<String>()) {
            let clean = cleaned(&name);
            prop_assert!(!clean.contains(['/', '\\']) && !clean.chars().any(char::is_control));
            prop_assert!(clean.chars().count() <= NAME);
            prop_assert_eq!(cleaned(&clean), clean.clone());
        }
    }
}
