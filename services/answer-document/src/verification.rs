//! What a document proves, without asking anybody.
//!
//! A document is rendered again from the data that it carries. Only if that gives the very bytes of the file does the file show
//! its data and nothing else: pages are not read, because what a reader of pages sees and what a program finds in them can differ.

use crate::{
    Format, MOST_FIGURES, RENDERING,
    answer::{Answer, Document},
    carried::{Carried, carried},
    digest, read, render_as,
};

/// One thing that can be proved of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The data are there, and whole.
    Data,
    /// Their digest is the one that the document tells.
    Digest,
    /// The document shows these data, and nothing else.
    Shown,
    /// The answer was approved by whom the file names. The signature covers the answer and not this, so it is refuted at times and
    /// never proved.
    Approval,
    /// A signature covers these data, and its certificate is trusted.
    Signature,
    /// The capacity in which it was approved, and when.
    Capacity,
}

impl Point {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Data => "DATA",
            Self::Digest => "DIGEST",
            Self::Shown => "SHOWN",
            Self::Approval => "APPROVAL",
            Self::Signature => "SIGNATURE",
            Self::Capacity => "CAPACITY",
        }
    }
}

/// Whether it is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is.
    Proved,
    /// It is not, and nothing speaks against it.
    NotProved,
    /// The opposite is.
    Refuted,
}

impl Outcome {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Proved => "PROVED",
            Self::NotProved => "NOT_PROVED",
            Self::Refuted => "REFUTED",
        }
    }
}

/// What was found out about one point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The point.
    pub point: Point,
    /// Whether it is proved.
    pub outcome: Outcome,
    /// Why, in words.
    pub text: String,
}

/// What a check of a CMS signature came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureChecked {
    /// Whether the signature covers the content and its certificate is trusted.
    pub outcome: Outcome,
    /// Why, in words, with the signer's name where it is known.
    pub text: String,
}

/// What a document proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What the document is.
    pub format: Format,
    /// The SHA-256 of its answer's canonical form; empty when there is none that can be read.
    pub sha256: String,
    /// The document, when its data can be read.
    pub document: Option<Document>,
    /// Each point.
    pub findings: Vec<Finding>,
}

impl Verified {
    /// Whether data, digest, what is shown and the signature are all proved, and nothing is refuted. What no document can prove by
    /// itself, the approver's name and capacity, is left out of account.
    pub fn is_proved(&self) -> bool {
        let needed = [Point::Data, Point::Digest, Point::Shown, Point::Signature];
        let is_refuted = |finding: &Finding| finding.outcome == Outcome::Refuted;
        needed.iter().all(|point| self.outcome(*point) == Some(Outcome::Proved))
            && !self.findings.iter().any(is_refuted)
    }

    /// What was found out about a point.
    pub fn outcome(&self, point: Point) -> Option<Outcome> {
        let found = self.findings.iter().find(|finding| finding.point == point);
        found.map(|finding| finding.outcome)
    }

    fn add(&mut self, point: Point, outcome: Outcome, text: impl Into<String>) {
        let text = text.into();
        self.findings.push(Finding { point, outcome, text });
    }
}

/// Looks at a detached CMS signature (second) over a content (first). As of when is the caller's to decide: no time that the file
/// tells is covered by the signature, and whoever holds a key that was revoked would tell one before that.
pub type Check<'c> = dyn Fn(&[u8], &[u8]) -> SignatureChecked + 'c;

/// Says what the bytes of a file prove.
pub fn verify(bytes: &[u8], check: &Check<'_>) -> Verified {
    let format = format(bytes);
    let mut verified = Verified {
        format,
        sha256: String::new(),
        document: None,
        findings: Vec::new(),
    };
    let carried = match carried(bytes, format) {
        Ok(carried) => carried,
        Err(why) => {
            verified.add(Point::Data, Outcome::NotProved, why);
            return verified;
        }
    };
    let answer = match read(&carried.answer) {
        Ok(answer) => answer,
        Err(why) => {
            verified.add(
                Point::Data,
                Outcome::NotProved,
                format!("the answer in it cannot be read: {why}"),
            );
            return verified;
        }
    };
    verified.add(
        Point::Data,
        Outcome::Proved,
        "the answer is in the file, in its canonical form",
    );
    verified.sha256 = digest(&carried.answer);
    judge_digest(&mut verified, &carried);
    let document = document(answer, &carried);
    judge_shown(&mut verified, bytes, &document, carried.besides.rendering);
    judge_approval(&mut verified, &carried, &document, check);
    verified.document = Some(document);
    verified
}

fn document(answer: Answer, carried: &Carried) -> Document {
    Document {
        answer,
        approval: carried.besides.approval.clone(),
        language: carried.besides.language,
    }
}

fn judge_digest(verified: &mut Verified, carried: &Carried) {
    let (outcome, text) = if carried.besides.sha256 == verified.sha256 {
        (
            Outcome::Proved,
            format!("the answer's SHA-256 is the one told: {}", verified.sha256),
        )
    } else {
        (
            Outcome::Refuted,
            format!(
                "the answer's SHA-256 is {}, and {} is told",
                verified.sha256, carried.besides.sha256
            ),
        )
    };
    verified.add(Point::Digest, outcome, text);
}

fn judge_shown(verified: &mut Verified, bytes: &[u8], document: &Document, rendering: u32) {
    if !(1..=RENDERING).contains(&rendering) {
        let text = format!(
            "a later release rendered it (rendering {rendering}, this one knows those up to {RENDERING}): what it shows cannot be compared; \
             read the data instead"
        );
        return verified.add(Point::Shown, Outcome::NotProved, text);
    }
    let figures = document.answer.items.iter().map(|item| item.figures.len());
    let figures: usize = figures.sum();
    if figures > MOST_FIGURES {
        let text = format!("its answer has {figures} figures, and none that was rendered has more than {MOST_FIGURES}");
        return verified.add(Point::Shown, Outcome::Refuted, text);
    }
    let (outcome, text) = match render_as(document, verified.format, rendering) {
        Ok(again) if again == bytes => {
            (Outcome::Proved, "rendered again from its data, the file is the same to the byte".to_owned())
        }
        Ok(_) => (
            Outcome::Refuted,
            "rendered again from its data, the file is another one: something in it was changed, or it was saved by another program"
                .to_owned(),
        ),
        Err(why) => (Outcome::NotProved, format!("its data cannot be rendered again: {why}")),
    };
    verified.add(Point::Shown, outcome, text);
}

fn judge_approval(verified: &mut Verified, carried: &Carried, document: &Document, check: &Check<'_>) {
    let Some(approval) = &document.approval else {
        return verified.add(Point::Approval, Outcome::NotProved, "it is a draft: nobody approved it");
    };
    let answer = &document.answer;
    if answer.drafted_by == approval.approved_by || answer.edited_by.contains(&approval.approved_by) {
        let text = format!("{} approved what he drafted or edited himself", approval.approved_by);
        verified.add(Point::Approval, Outcome::Refuted, text);
    } else {
        let text = format!(
            "the file says that {} approved it, who neither drafted nor edited it: nothing that is signed says so",
            approval.approved_by
        );
        verified.add(Point::Approval, Outcome::NotProved, text);
    }
    let signature = hex::decode(&approval.signature)
        .ok()
        .filter(|signature| !signature.is_empty());
    match signature {
        None => verified.add(Point::Signature, Outcome::NotProved, "it carries no signature"),
        Some(signature) => {
            let SignatureChecked { outcome, text } = check(&carried.answer, &signature);
            verified.add(Point::Signature, outcome, text);
        }
    }
    let text = "who approved it by name, in which capacity and when is what the service recorded: the signature covers the answer alone";
    verified.add(Point::Capacity, Outcome::NotProved, text);
}

fn format(bytes: &[u8]) -> Format {
    match bytes {
        [b'%', b'P', b'D', b'F', ..] => Format::Pdf,
        [b'P', b'K', ..] => Format::Xlsx,
        _ => Format::Json,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical;

    #[test]
    fn what_is_no_document_proves_nothing_and_says_why() {
        let never = |_: &[u8], _: &[u8]| unreachable!("there is nothing signed");
        for bytes in [
            &b""[..],
            b"{}",
            b"%PDF-1.7\n",
            b"PK\x03\x04",
            b"null",
            b"\xff\xfe",
            &[b'['; 100_000],
        ] {
            let verified = verify(bytes, &never);
            assert!(!verified.is_proved());
            assert_eq!(verified.outcome(Point::Data), Some(Outcome::NotProved));
            assert!(!verified.findings[0].text.is_empty());
        }
    }

    #[test]
    fn the_canonical_form_is_read_back_from_itself_alone() {
        let answer = crate::tests::answer();
        let bytes = canonical(&answer);
        assert_eq!(read(&bytes), Ok(answer));
    }
}
