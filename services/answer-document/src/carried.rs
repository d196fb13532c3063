//! What a file carries, read with bounds: whoever verifies a file may have it from anybody.

use std::{
    borrow::Cow,
    io::{self, Cursor, Read},
};

use calamine::{DataRef, Reader as _, Xlsx};
use flate2::read::ZlibDecoder;
use hayro_syntax::{
    Filter, Pdf,
    object::{Dict, Object, Stream, String as PdfString},
};

use crate::{ANSWER, Besides, DOCUMENT, Format, JsonDocument, MOST_BYTES, xlsx};

/// How large a file is read at most, in bytes; a larger one is refused, so that its reader need not hold more of it.
pub const LARGEST: usize = 64 * 1024 * 1024;
/// How large a file of the format JSON is: its answer, and a signature in hexadecimal.
const LARGEST_JSON: usize = 32 * 1024 * 1024;
/// How much what is compressed in a file takes at most once it is not: what an answer carries, with room for a signature.
const INFLATED: u64 = 64 * 1024 * 1024;

/// The answer in a file, and what it knows besides.
pub struct Carried {
    pub answer: Vec<u8>,
    pub besides: Besides,
}

/// Reads what a file carries.
///
/// # Errors
/// Why it carries nothing that can be read, in words.
pub fn carried(bytes: &[u8], format: Format) -> Result<Carried, String> {
    let most = if format == Format::Json { LARGEST_JSON } else { LARGEST };
    if bytes.len() > most {
        return Err(format!("the file has more than {most} bytes"));
    }
    let carried = match format {
        Format::Json => of_json(bytes),
        Format::Pdf => of_pdf(bytes),
        Format::Xlsx => of_xlsx(bytes),
    }?;
    if carried.answer.len() > MOST_BYTES {
        return Err(format!("its answer has more than {MOST_BYTES} bytes"));
    }
    Ok(carried)
}

fn of_json(bytes: &[u8]) -> Result<Carried, String> {
    let document: JsonDocument = serde_json::from_slice(bytes).map_err(|error| format!("it is no answer: {error}"))?;
    let answer = serde_json_canonicalizer::to_vec(&document.answer).map_err(|error| error.to_string())?;
    Ok(Carried {
        answer,
        besides: document.document,
    })
}

fn parts(answer: Option<Vec<u8>>, besides: Option<Vec<u8>>) -> Result<Carried, String> {
    let (Some(answer), Some(besides)) = (answer, besides) else {
        return Err(format!("it does not carry {ANSWER} and {DOCUMENT}"));
    };
    let besides =
        serde_json::from_slice(&besides).map_err(|error| format!("{DOCUMENT} in it cannot be read: {error}"))?;
    Ok(Carried { answer, besides })
}

fn of_pdf(bytes: &[u8]) -> Result<Carried, String> {
    if !is_plain(bytes) {
        return Err(
            "it is a PDF of another kind than documents are: its objects are compressed, encrypted or amended"
                .to_owned(),
        );
    }
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| format!("it is no readable PDF: {error:?}"))?;
    let attached = |name: &str| {
        let files = pdf.objects().into_iter().filter_map(Object::into_dict);
        let mut named = files.filter(|file| {
            let own = file
                .get::<PdfString<'_>>("UF")
                .or_else(|| file.get::<PdfString<'_>>("F"));
            own.is_some_and(|own| is_named(own.as_bytes(), name))
        });
        content(&named.next()?.get::<Dict<'_>>("EF")?.get::<Stream<'_>>("F")?)
    };
    parts(attached(ANSWER), attached(DOCUMENT))
}

/// Whether a PDF keeps all of its objects as they are, found by one table: as this program writes it. Reading another kind would inflate
/// what nobody bounds.
fn is_plain(bytes: &[u8]) -> bool {
    let begins = |at: usize, with: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(with));
    let other = |name: &[u8], at: usize| match name {
        b"ObjStm" | b"XRef" | b"XRefStm" | b"Encrypt" => true,
        // A bookmark leads to the one before it by a reference, and a table to the one before it by a number.
        b"Prev" => !is_reference(&bytes[at..]),
        _ => false,
    };
    let table = bytes.windows(9).rposition(|word| word == b"startxref").and_then(|at| {
        let number = bytes[at + 9..].trim_ascii_start();
        let digits = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
        std::str::from_utf8(&number[..digits]).ok()?.parse().ok()
    });
    table.is_some_and(|at| begins(at, b"xref")) && !names(bytes).any(|(name, at)| other(&name, at))
}

/// The names in a PDF, each without its slash and with its escapes read, and where each ends.
fn names(bytes: &[u8]) -> impl Iterator<Item = (Cow<'_, [u8]>, usize)> {
    let slashes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    slashes.map(|(slash, _)| {
        let name = &bytes[slash + 1..];
        let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
        // The longest that is looked for has 7 letters, and each can be written with three.
        let length = name.iter().take(22).take_while(|byte| is_of_name(byte)).count();
        (unescaped(&name[..length]), slash + 1 + length)
    })
}

fn unescaped(name: &[u8]) -> Cow<'_, [u8]> {
    if !name.contains(&b'#') {
        return Cow::Borrowed(name);
    }
    let (mut read, mut rest) = (Vec::with_capacity(name.len()), name);
    while let [first, behind @ ..] = rest {
        let escaped = behind.get(..2).filter(|_| *first == b'#');
        let escaped = escaped.and_then(|digits| hex::decode(digits).ok());
        match escaped {
            Some(byte) => {
                read.extend(byte);
                rest = &behind[2..];
            }
            None => {
                read.push(*first);
                rest = behind;
            }
        }
    }
    Cow::Owned(read)
}

/// Whether a reference to an object comes first, as `12 0 R`.
fn is_reference(bytes: &[u8]) -> bool {
    let near = &bytes[..bytes.len().min(40)];
    let mut words = near.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let mut number = || words.next().is_some_and(|word| word.iter().all(u8::is_ascii_digit));
    number() && number() && words.next().is_some_and(|word| word.starts_with(b"R"))
}

/// The content of an attached file, inflated within bounds.
fn content(stream: &Stream<'_>) -> Option<Vec<u8>> {
    let raw = stream.raw_data();
    match stream.filters()[..] {
        [] => Some(raw.into_owned()),
        [Filter::FlateDecode] => within(ZlibDecoder::new(&*raw), &mut INFLATED.clone()),
        _ => None,
    }
}

/// All that there is to read, if it is within what is left, of which it is taken.
fn within(reader: impl Read, left: &mut u64) -> Option<Vec<u8>> {
    let mut read = Vec::new();
    let length = reader.take(*left + 1).read_to_end(&mut read).ok()?;
    *left = left.checked_sub(length as u64)?;
    Some(read)
}

/// A file's name, in PDFDocEncoding or in UTF-16.
fn is_named(bytes: &[u8], name: &str) -> bool {
    let wide: Vec<u8> = [0xfe, 0xff]
        .into_iter()
        .chain(name.bytes().flat_map(|b| [0, b]))
        .collect();
    bytes == name.as_bytes() || bytes == wide
}

fn of_xlsx(bytes: &[u8]) -> Result<Carried, String> {
    if !is_bounded(bytes).map_err(|error| format!("it is no readable workbook: {error}"))? {
        return Err(format!("it inflates to more than {INFLATED} bytes"));
    }
    let unreadable = |error: calamine::XlsxError| format!("it is no readable workbook: {error}");
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(unreadable)?;
    // Cell by cell: a table of all cells between the first and the last can have any size.
    let mut cells = workbook.worksheet_cells_reader(xlsx::DATA).map_err(unreadable)?;
    let mut columns = [const { String::new() }; 2];
    let mut names = [const { String::new() }; 2];
    while let Some(cell) = cells.next_cell().map_err(unreadable)? {
        let (row, column) = cell.get_position();
        let Some(column) = usize::try_from(column).ok().filter(|column| *column < columns.len()) else {
            continue;
        };
        let of_row = match row {
            0 => continue,
            1 => &mut names[column],
            _ => &mut columns[column],
        };
        let piece = text(cell.get_value());
        if of_row.len() + piece.len() > LARGEST_JSON {
            return Err("what it carries is larger than any answer".to_owned());
        }
        of_row.push_str(piece);
    }
    let column = |name: &str| {
        let at = names.iter().position(|own| own == name)?;
        Some(columns[at].clone().into_bytes())
    };
    parts(column(ANSWER), column(DOCUMENT))
}

/// Whether the parts of a workbook are within bounds once they are inflated, whatever its list says of them.
fn is_bounded(bytes: &[u8]) -> io::Result<bool> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))?;
    let mut left = INFLATED;
    for place in 0..archive.len() {
        let mut part = archive.by_index(place)?;
        let length = io::copy(&mut (&mut part).take(left + 1), &mut io::sink())?;
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return Ok(false),
        }
    }
    Ok(true)
}

fn text<'c>(cell: &'c DataRef<'_>) -> &'c str {
    match cell {
        DataRef::String(text) => text,
        DataRef::SharedString(text) => text,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::ZlibEncoder};
    use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

    use super::*;
    use crate::{
        Outcome, Point, SignatureChecked, Verified,
        answer::{Document, Language},
        canonical, digest, render,
        tests::document,
        verify,
    };

    fn verified(bytes: &[u8]) -> Verified {
        verify(bytes, &|_, _| SignatureChecked {
            outcome: Outcome::Proved,
            text: String::new(),
        })
    }

    #[track_caller]
    fn is_unreadable(bytes: &[u8], why: &str) {
        let verified = verified(bytes);
        assert_eq!(verified.outcome(Point::Data), Some(Outcome::NotProved));
        assert!(verified.findings[0].text.contains(why), "{}", verified.findings[0].text);
    }

    /// A workbook whose parts are what is made of those of another; of one that it does not have, nothing.
    fn rewritten(workbook: &[u8], with: &dyn Fn(&str, String) -> Vec<u8>) -> Vec<u8> {
        let mut read = ZipArchive::new(Cursor::new(workbook)).expect("it is a workbook");
        let mut written = ZipWriter::new(Cursor::new(Vec::new()));
        for place in 0..read.len() {
            let mut part = read.by_index(place).expect("it is there");
            let (name, mut content) = (part.name().expect("it is a text").into_owned(), String::new());
            part.read_to_string(&mut content).expect("it is XML");
            written
                .start_file(&name, SimpleFileOptions::default())
                .expect("it begins");
            written.write_all(&with(&name, content)).expect("it is written");
        }
        written.finish().expect("it ends").into_inner()
    }

    #[test]
    fn a_workbook_that_inflates_without_end_or_has_a_cell_at_the_end_of_all_cells_is_read_within_bounds() {
        let workbook = render(&document(Language::Ru), Format::Xlsx).expect("it is an ordinary answer");
        let bomb = rewritten(&workbook, &|name, content| match name {
            "docProps/app.xml" => vec![b' '; 100 * 1024 * 1024],
            _ => content.into_bytes(),
        });
        assert!(bomb.len() < 1024 * 1024);
        is_unreadable(&bomb, "inflates to more");
        let last = r#"<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>"#;
        let wide = rewritten(&workbook, &|name, content| match name {
            "xl/worksheets/sheet4.xml" => content.replace("</sheetData>", last).into_bytes(),
            _ => content.into_bytes(),
        });
        let verified = verified(&wide);
        let outcomes = [Point::Data, Point::Shown].map(|point| verified.outcome(point));
        assert_eq!(outcomes, [Some(Outcome::Proved), Some(Outcome::Refuted)]);
    }

    /// A PDF with these objects behind its catalog and its pages, from the third on.
    fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
        let first = [
            b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
            b"<< /Type /Pages /Kids [] /Count 0 >>".to_vec(),
        ];
        let (mut bytes, mut table) = (b"%PDF-1.7\n".to_vec(), String::from("0000000000 65535 f \n"));
        for (place, object) in (1..).zip(first.iter().chain(objects)) {
            table.push_str(&format!("{:010} 00000 n \n", bytes.len()));
            bytes.extend(format!("{place} 0 obj\n").bytes());
            bytes.extend(object);
            bytes.extend(b"\nendobj\n");
        }
        let (size, at) = (objects.len() + 3, bytes.len());
        let end = format!("xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n");
        bytes.extend(end.bytes());
        bytes
    }

    /// An attached file of this name, and its content, as two objects.
    fn attached(name: &str, at: usize, content: &[u8]) -> [Vec<u8>; 2] {
        let mut deflated = ZlibEncoder::new(Vec::new(), Compression::default());
        deflated.write_all(content).expect("it is deflated");
        let deflated = deflated.finish().expect("it ends");
        let file = format!("<< /Type /Filespec /UF ({name}) /EF << /F {} 0 R >> >>", at + 1);
        let head = format!("<< /Filter /FlateDecode /Length {} >>\nstream\n", deflated.len());
        [file.into_bytes(), [head.as_bytes(), &deflated, b"\nendstream"].concat()]
    }

    #[test]
    fn what_is_attached_to_a_pdf_inflates_within_bounds_and_other_kinds_of_pdf_are_not_read() {
        let whole = canonical(&crate::tests::answer());
        let besides =
            serde_json::json!({ "rendering": 1, "sha256": digest(&whole), "language": "ru", "approval": null });
        let besides = besides.to_string();
        let with = |content: &[u8]| {
            let files = [attached(ANSWER, 3, content), attached(DOCUMENT, 5, besides.as_bytes())];
            pdf(&files.concat())
        };
        assert_eq!(verified(&with(&whole)).outcome(Point::Data), Some(Outcome::Proved));
        let bomb = with(&vec![b' '; 100 * 1024 * 1024]);
        assert!(bomb.len() < 1024 * 1024);
        is_unreadable(&bomb, "does not carry");
        for other in [
            "/Type /ObjStm",
            "/Type /Obj#53tm",
            "/Type/X#52ef",
            "/Encrypt 3 0 R",
            "/Prev 9",
            "/XRefStm 9",
        ] {
            is_unreadable(&pdf(&[format!("<< {other} >>").into_bytes()]), "another kind");
        }
        is_unreadable(b"%PDF-1.7\n1 0 obj\nstartxref\n9\n%%EOF", "another kind");
    }

    #[test]
    fn the_words_of_another_kind_of_pdf_are_words_like_any_in_a_text() {
        let mut written = document(Language::Ru);
        written.answer.opening = "/Encrypt /ObjStm /XRef /Prev 9".into();
        let bytes = render(&written, Format::Pdf).expect("it is an ordinary answer");
        assert!(verified(&bytes).is_proved());
    }

    #[test]
    fn an_answer_that_is_too_large_is_not_rendered_again() {
        let json = |change: fn(&mut Document)| {
            let mut large = document(Language::Ru);
            change(&mut large);
            render(&large, Format::Json).expect("it is data alone")
        };
        let long = json(|large| large.answer.opening = "a".repeat(MOST_BYTES));
        is_unreadable(&long, "more than");
        let many = json(|large| {
            let figure = large.answer.items[0].figures[0].clone();
            large.answer.items[0].figures = vec![figure; crate::MOST_FIGURES + 1];
        });
        assert_eq!(verified(&many).outcome(Point::Shown), Some(Outcome::Refuted));
    }
}
