//! What the header of a delivery says, read with all that is wrong with it.

use legalstat_collection_distribution::statements;
use legalstat_kit::{Error, FieldReason, Refusal, Violations};
use legalstat_proto::{
    collections::v1::{ContentManifest, Copy, DeliverCopyHeader, EditionContent, ManifestFile, RecallCopyRequest},
    common::v1::ErrorReason,
};
use tonic::Code;
use uuid::Uuid;

use crate::record::{Place, size};

/// How many files a copy may have.
const FILES: usize = 100;
/// How many characters the name of a file, and its media type, may have.
const NAME: usize = 255;
/// How many characters the reason of a recall may have.
const REASON: usize = 1000;

/// A delivery as it was announced.
pub struct Announced {
    /// Its id.
    pub id: Uuid,
    /// Where the copy will be.
    pub place: Place,
    /// From which byte on it comes.
    pub offset: u64,
    /// What was announced, for the record: without what belongs to one attempt.
    pub header: DeliverCopyHeader,
}

/// Reads a header.
///
/// # Errors
/// Every field that breaks its rule; FILE_TOO_LARGE for a copy of more than `limit` bytes.
pub fn announced(mut header: DeliverCopyHeader, limit: u64) -> Result<Announced, Error> {
    lower_digests(&mut header);
    let mut violations = Violations::new();
    let id = violations.request_id("header.delivery_id", &header.delivery_id);
    let copy = header.copy.clone().unwrap_or_default();
    let place = place(&mut violations, "header.copy.name", &copy.name);
    if copy.statement.is_none() {
        let description =
            "the full view of a copy that the distribution signed; one without a statement is fetched by its recipient";
        violations.add("header.copy.statement", FieldReason::Required, description);
    }
    files(&mut violations, &copy, &header.files);
    let offset = u64::try_from(header.offset)
        .ok()
        .filter(|offset| *offset <= size(&header.files));
    if offset.is_none() {
        let description = "from 0 to as many bytes as the files have together";
        violations.add("header.offset", FieldReason::OutOfRange, description);
    }
    if header.attempt < 1 {
        violations.add("header.attempt", FieldReason::OutOfRange, "from 1");
    }
    let (place, offset) = violations.sound(place.zip(offset))?;
    if size(&header.files) > limit {
        let message = format!("this inbox takes copies of at most {limit} bytes");
        let refusal = Refusal::new(Code::InvalidArgument, ErrorReason::FileTooLarge, message);
        return Err(refusal.with("limit_bytes", &limit.to_string()).into());
    }
    (header.offset, header.attempt) = (0, 0);
    Ok(Announced {
        id,
        place,
        offset,
        header,
    })
}

/// A digest is the same in capitals; from here on it is compared as text.
fn lower_digests(header: &mut DeliverCopyHeader) {
    if let Some(copy) = &mut header.copy {
        copy.sha256.make_ascii_lowercase();
        copy.copy_sha256.make_ascii_lowercase();
    }
    for file in &mut header.files {
        file.sha256.make_ascii_lowercase();
    }
}

/// Reads what is told of a recall, and of which copy.
///
/// # Errors
/// Every field that breaks its rule.
pub fn recalled(message: RecallCopyRequest) -> Result<(Place, RecallCopyRequest), Error> {
    let mut violations = Violations::new();
    let place = place(&mut violations, "copy", &message.copy);
    if message.recipient.is_empty() {
        violations.add("recipient", FieldReason::Required, "to whom the copy was issued");
    }
    violations.text("reason", &message.reason, REASON);
    if message.recalled_at.is_none() {
        violations.add("recalled_at", FieldReason::Required, "when it was recalled");
    }
    Ok((violations.sound(place)?, message))
}

fn place(violations: &mut Violations, field: &str, name: &str) -> Option<Place> {
    let place: Option<Place> = name.parse().ok();
    if place.is_none() {
        let description = "the name of a copy, for example collections/crime/editions/2026-Q3/copies/25";
        violations.add(field, FieldReason::ResourceName, description);
    }
    place
}

fn files(violations: &mut Violations, copy: &Copy, files: &[EditionContent]) {
    violations.count("header.files", files.len(), FILES);
    for (place, file) in files.iter().take(FILES).enumerate() {
        let field = |name: &str| format!("header.files[{place}].{name}");
        violations.name(&field("filename"), &file.filename, NAME);
        violations.optional_name(&field("content_type"), &file.content_type, NAME);
        violations.sha256(&field("sha256"), &file.sha256);
        if file.size_bytes < 1 {
            violations.add(field("size_bytes"), FieldReason::OutOfRange, "1 byte or more");
        }
    }
    match content_sha256(files) {
        None => violations.add(
            "header.files",
            FieldReason::Required,
            "the files of the content, in the order of their names",
        ),
        Some(sha256) if sha256 != copy.sha256 => {
            let description = "the files are not the content of the copy: their digest is not that of its statement";
            violations.add("header.files", FieldReason::Sha256, description);
        }
        Some(_) => {}
    }
}

/// The digest of a content by its files, as the copy's statement has it; `None` of files that make up no content.
fn content_sha256(files: &[EditionContent]) -> Option<String> {
    let files = files.iter().map(|file| ManifestFile {
        filename: file.filename.clone(),
        content_type: file.content_type.clone(),
        size_bytes: file.size_bytes,
        sha256: file.sha256.clone(),
        language: file.language.clone(),
    });
    let manifest = ContentManifest {
        format: statements::CONTENT_FORMAT.into(),
        files: files.collect(),
    };
    statements::content_sha256(&manifest).ok()
}
