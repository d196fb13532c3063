//! An XLSX as a file of an edition: an archive within measure, a workbook by its content types, and without formulas.
//!
//! A formula is refused and not only reported: its value is computed again by each reader's program, and may rest on other
//! files or on the day, while an edition shows everyone the same figures and its hash must stand for them.

use std::io::{self, Read, Seek, SeekFrom};

use zip::{ZipArchive, result::ZipError};

use super::media::Fault;

/// How many parts a workbook may have.
pub const PARTS: u64 = 10_000;
/// How many bytes the list of its parts may have.
pub const DIRECTORY: u64 = 4 * 1024 * 1024;
/// How many bytes all parts may have when they are inflated.
pub const INFLATED: u64 = 1024 * 1024 * 1024;
/// How many times a part may inflate, once it has more than [`SMALL`] bytes.
pub const RATIO: u64 = 200;
/// How many bytes a part may have whatever it inflates from.
pub const SMALL: u64 = 1024 * 1024;

const CONTENT_TYPES: &str = "[Content_Types].xml";
const WORKBOOK: &[u8] = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml";

/// Finds everything that is wrong with a workbook.
///
/// # Errors
/// When the file cannot be read.
pub fn faults(file: &mut (impl Read + Seek)) -> io::Result<Vec<Fault>> {
    let mut first = [0; 4];
    if file.read_exact(&mut first).is_err() || first != *b"PK\x03\x04" {
        return Ok(vec![other("its bytes are no archive")]);
    }
    // Before the archive is opened, which holds the whole list of its parts.
    if let Some(fault) = directory_fault(file)? {
        return Ok(vec![fault]);
    }
    let mut archive = match ZipArchive::new(&mut *file) {
        Ok(archive) => archive,
        Err(ZipError::Io(error)) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
        Err(_) => return Ok(vec![archive_fault("its list of parts cannot be read")]),
    };
    let declared = declared_faults(&mut archive);
    if !declared.is_empty() {
        return Ok(declared);
    }
    parts_faults(&mut archive)
}

fn other(told: &str) -> Fault {
    Fault::OtherContent(format!("its name says XLSX, and {told}"))
}

fn archive_fault(told: impl Into<String>) -> Fault {
    Fault::Archive(told.into())
}

/// Looks at the end of the archive, where it says how many parts it lists in how many bytes.
fn directory_fault(file: &mut (impl Read + Seek)) -> io::Result<Option<Fault>> {
    const RECORD: usize = 22;
    let size = file.seek(SeekFrom::End(0))?;
    let tail = size.min(RECORD as u64 + 0xffff);
    file.seek(SeekFrom::End(-i64::try_from(tail).unwrap_or(0)))?;
    let mut end = Vec::new();
    file.take(tail).read_to_end(&mut end)?;
    let Some(at) = (0..end.len().saturating_sub(RECORD - 1))
        .rev()
        .find(|at| end[*at..].starts_with(b"PK\x05\x06"))
    else {
        return Ok(Some(archive_fault("the archive has no end: it was cut off")));
    };
    let number = |from: usize, bytes: usize| {
        let bytes = end[at + from..at + from + bytes].iter().rev();
        bytes.fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let (parts, directory) = (number(10, 2), number(12, 4));
    // The larger numbers of another record count where these are full, and may where it is there at all.
    let is_large = parts == 0xffff || directory == 0xffff_ffff || at >= 20 && end[at - 20..].starts_with(b"PK\x06\x07");
    if is_large || parts > PARTS || directory > DIRECTORY {
        let told = format!("the archive has more than {PARTS} parts, {DIRECTORY} bytes of their list, or is a ZIP64");
        return Ok(Some(archive_fault(told)));
    }
    Ok(None)
}

/// What the list of parts says already.
fn declared_faults<F: Read + Seek>(archive: &mut ZipArchive<F>) -> Vec<Fault> {
    let (mut found, mut inflated) = (Vec::new(), 0_u64);
    for at in 0..archive.len() {
        let Ok(part) = archive.by_index_raw(at) else {
            found.push(archive_fault(format!("part {at} cannot be read")));
            continue;
        };
        let (raw, size) = (String::from_utf8_lossy(part.name_raw()).into_owned(), part.size());
        let name = shown(&raw);
        inflated = inflated.saturating_add(size);
        if size > SMALL && size / RATIO > part.compressed_size() {
            found.push(archive_fault(format!(
                "{name} inflates to more than {RATIO} times its bytes"
            )));
        }
        if part.encrypted() {
            found.push(archive_fault(format!("{name} is encrypted")));
        }
        if raw.starts_with("xl/externalLinks/") {
            found.push(Fault::Formula(format!("{name} links to another file")));
        }
        if raw.ends_with("vbaProject.bin") {
            found.push(Fault::Formula(format!("{name} holds macros")));
        }
        if found.len() >= 20 {
            break;
        }
    }
    if inflated > INFLATED {
        found.push(archive_fault(format!(
            "its parts inflate to more than {INFLATED} bytes"
        )));
    }
    found
}

/// Inflates every part, to see that it is what the list says, and reads the content types and the sheets.
fn parts_faults<F: Read + Seek>(archive: &mut ZipArchive<F>) -> io::Result<Vec<Fault>> {
    let (mut found, mut is_workbook) = (Vec::new(), false);
    for at in 0..archive.len() {
        let Ok(mut part) = archive.by_index(at) else {
            found.push(archive_fault(format!("part {at} cannot be inflated")));
            continue;
        };
        let (name, size) = (String::from_utf8_lossy(part.name_raw()).into_owned(), part.size());
        let mut scan = Scan::default();
        let mut types = Vec::new();
        let mut block = vec![0; 64 * 1024];
        let mut read = 0_u64;
        let whole = loop {
            match part.read(&mut block) {
                Ok(0) => break read == size,
                Ok(more) => {
                    read += more as u64;
                    // It never inflates beyond what it says, whatever it holds.
                    if read > size {
                        break false;
                    }
                    scan.take(&block[..more]);
                    if name == CONTENT_TYPES && types.len() < 1024 * 1024 {
                        types.extend_from_slice(&block[..more]);
                    }
                }
                Err(_) => break false,
            }
        };
        if !whole {
            found.push(archive_fault(format!(
                "{} does not inflate to what it says",
                shown(&name)
            )));
        }
        is_workbook |= types.windows(WORKBOOK.len()).any(|window| window == WORKBOOK);
        if name.starts_with("xl/") && name.ends_with(".xml") {
            found.extend(scan.fault(&shown(&name)));
        }
        if found.len() >= 20 {
            break;
        }
    }
    if !is_workbook {
        found.insert(0, other("its content types name no workbook"));
    }
    Ok(found)
}

/// A name from the archive as it is told: of a bounded length, without what steers a terminal.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// Looks through XML for elements `f`, under whatever prefix, holding nothing of it. A parser of events would hold each text
/// whole, however long the workbook makes it.
#[derive(Default)]
struct Scan {
    place: Place,
    formulas: u64,
    is_other_text: bool,
}

#[derive(Clone, Copy, Default)]
enum Place {
    #[default]
    Text,
    /// Behind `<`, or behind a prefix and its colon.
    Name,
    /// Behind `f` alone.
    Formula,
    /// In another name.
    OtherName,
}

impl Scan {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            // UTF-16 has NUL in every tag.
            self.is_other_text |= *byte == 0;
            self.place = match (self.place, byte) {
                (_, b'<') => Place::Name,
                (Place::Name, b'f') => Place::Formula,
                (Place::Name | Place::OtherName | Place::Formula, b':') => Place::Name,
                (Place::Formula, b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>') => {
                    self.formulas += 1;
                    Place::Text
                }
                (
                    Place::Name | Place::OtherName | Place::Formula,
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.',
                ) => Place::OtherName,
                _ => Place::Text,
            };
        }
    }

    fn fault(&self, name: &str) -> Option<Fault> {
        if self.is_other_text {
            return Some(archive_fault(format!("{name} is no text in UTF-8")));
        }
        (self.formulas > 0).then(|| {
            let told = format!("{name} has {} formulas; store the values instead", self.formulas);
            Fault::Formula(told)
        })
    }
}

#[cfg(test)]
#[path = "workbook_tests.rs"]
mod tests;
