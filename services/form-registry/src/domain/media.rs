//! What a file is: its name tells, and its bytes must agree.

use std::{
    fmt,
    io::{self, Read, Seek, SeekFrom},
};

use super::workbook;

/// What a file of an edition may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    Xlsx,
    Csv,
    Pdf,
}

impl MediaType {
    /// What a name tells, by its ending in whatever case.
    pub fn of_name(filename: &str) -> Option<Self> {
        let (_, ending) = filename.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "xlsx" => Some(Self::Xlsx),
            "csv" => Some(Self::Csv),
            "pdf" => Some(Self::Pdf),
            _ => None,
        }
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv",
            Self::Pdf => "application/pdf",
        }
    }
}

/// What is wrong with the bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// They are something else than the name says.
    OtherContent(String),
    /// The archive is out of measure, or not what it says of itself.
    Archive(String),
    /// The workbook does not show every reader the same.
    Formula(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::OtherContent(told) | Self::Archive(told) | Self::Formula(told)) = self;
        f.write_str(told)
    }
}

/// How much of a file is held at once.
const BLOCK: usize = 64 * 1024;

/// Finds everything that is wrong with a file's bytes, holding little of them at once.
///
/// # Errors
/// When the file cannot be read.
pub fn faults(media_type: MediaType, file: &mut (impl Read + Seek)) -> io::Result<Vec<Fault>> {
    file.seek(SeekFrom::Start(0))?;
    Ok(match media_type {
        MediaType::Xlsx => workbook::faults(file)?,
        MediaType::Csv => text_fault(file)?.into_iter().collect(),
        MediaType::Pdf => {
            let mut first = [0; 5];
            let is_pdf = read_up_to(file, &mut first)? == first.len() && first == *b"%PDF-";
            let fault = || Fault::OtherContent("its name says PDF, and its bytes do not begin with %PDF-".into());
            (!is_pdf).then(fault).into_iter().collect()
        }
    })
}

/// Text in UTF-8 without NUL; what begins as a PDF or an archive is none, though all of its bytes might be letters.
fn text_fault(file: &mut impl Read) -> io::Result<Option<Fault>> {
    let fault = |told: String| Ok(Some(Fault::OtherContent(told)));
    let (mut block, mut kept, mut offset) = (vec![0; BLOCK], 0, 0_u64);
    loop {
        let read = read_up_to(file, &mut block[kept..])?;
        let (filled, ended) = (kept + read, read < BLOCK - kept);
        if offset == 0
            && [&b"%PDF-"[..], b"PK\x03\x04"]
                .iter()
                .any(|magic| block.starts_with(magic))
        {
            return fault("its name says CSV, and its bytes are a PDF or an archive".into());
        }
        let valid = match std::str::from_utf8(&block[..filled]) {
            Ok(text) => text.len(),
            // A character may go on in the next block.
            Err(error) if error.error_len().is_none() && !ended => error.valid_up_to(),
            Err(error) => {
                let at = offset + error.valid_up_to() as u64;
                return fault(format!("its name says CSV, and it is no text in UTF-8: see byte {at}"));
            }
        };
        // Whether there is one is looked for a word at a time, and where it is a byte at a time.
        if block[..valid].contains(&0)
            && let Some(nul) = block[..valid].iter().position(|byte| *byte == 0)
        {
            let at = offset + nul as u64;
            return fault(format!(
                "its name says CSV, and it is no text: byte {at} is NUL; it may be in UTF-16"
            ));
        }
        if ended {
            return Ok(None);
        }
        block.copy_within(valid..filled, 0);
        kept = filled - valid;
        offset += valid as u64;
    }
}

/// Reads until the buffer is full or the file ends.
fn read_up_to(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn found(media_type: MediaType, content: &[u8]) -> Vec<Fault> {
        faults(media_type, &mut Cursor::new(content)).expect("it is in memory")
    }

    #[test]
    fn the_ending_of_a_name_tells_what_a_file_is() {
        for (name, expected) in [
            ("a.csv", Some(MediaType::Csv)),
            ("Форма 1-М.XLSX", Some(MediaType::Xlsx)),
            ("a.b.Pdf", Some(MediaType::Pdf)),
            ("csv", None),
            ("a.csv.exe", None),
            ("a.xlsm", None),
            ("a.", None),
            ("", None),
        ] {
            assert_eq!(MediaType::of_name(name), expected, "{name:?}");
        }
    }

    #[test]
    fn a_file_that_lies_about_its_type_is_told() {
        for (media_type, content) in [
            (MediaType::Pdf, &b"%PDF"[..]),
            (MediaType::Pdf, b" %PDF-1.7"),
            (MediaType::Pdf, b"PK\x03\x04"),
            (MediaType::Csv, b"%PDF-1.7"),
            (MediaType::Csv, b"PK\x03\x04abc"),
            (MediaType::Csv, b"a;\xea\n"),
            (MediaType::Csv, b"\xff\xfea\0"),
            (MediaType::Csv, b"a\0"),
            (MediaType::Csv, b"a\xd0"),
            (MediaType::Xlsx, b"a,b\n"),
            (MediaType::Xlsx, b"%PDF-1.7"),
        ] {
            let faults = found(media_type, content);
            assert!(
                matches!(faults[..], [Fault::OtherContent(_)]),
                "{media_type:?} {content:?}: {faults:?}"
            );
        }
        for (media_type, content) in [
            (MediaType::Pdf, "%PDF-1.7"),
            (MediaType::Csv, "көрсеткіш;мән\n1;2\n"),
            (MediaType::Csv, "\u{feff}a,b\r\n"),
            (MediaType::Csv, ""),
        ] {
            assert_eq!(found(media_type, content.as_bytes()), [], "{content:?}");
        }
    }

    proptest! {
        #[test]
        fn a_character_between_two_blocks_is_no_fault(before in BLOCK - 4..BLOCK + 4, letter in "[aжқ€𐍈]", more in 0..3_usize) {
            let text = "a".repeat(before) + &letter + &"b".repeat(more * BLOCK);
            prop_assert_eq!(found(MediaType::Csv, text.as_bytes()), []);
            let mut broken = text.into_bytes();
            broken.insert(before, 0xff);
            let faults = found(MediaType::Csv, &broken);
            let at = format!("see byte {before}");
            prop_assert!(matches!(&faults[..], [Fault::OtherContent(told)] if told.ends_with(&at)), "{:?}", faults);
        }

        #[test]
        fn no_bytes_make_a_check_panic(content in prop::collection::vec(any::<u8>(), 0..2000)) {
            for media_type in [MediaType::Xlsx, MediaType::Csv, MediaType::Pdf] {
                found(media_type, &content);
            }
        }
    }
}
