//! The answer as a PDF: PDF/A-3a for archives and PDF/UA-1 for readers who cannot see it, typeset by typst. The template is a
//! part of the program and sees no network, no file and no clock.

use std::sync::LazyLock;

use typst::{
    Library, LibraryExt, World, comemo,
    diag::{FileError, FileResult, SourceDiagnostic, Warned},
    foundations::{Array, Bytes, Datetime, Dict, Duration, Smart, Value},
    syntax::{FileId, Source},
    text::{Font, FontBook},
    utils::LazyHash,
};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

use crate::{
    Attachments, CREATOR, MOST_LINES, RenderError,
    glyphs::{BOOK, FONTS, make_legible},
    shown::Sheet,
};

static TEMPLATE: LazyLock<Source> = LazyLock::new(|| Source::detached(include_str!("answer.typ")));

/// Typesets a sheet as a rendering does, with files attached.
///
/// # Errors
/// When it has too many lines or pages, or typst refuses what the template makes of it.
pub fn render(
    sheet: &Sheet,
    attached: &Attachments,
    most_pages: usize,
    rendering: u32,
) -> Result<Vec<u8>, RenderError> {
    let rendered = typeset(sheet, attached, most_pages, rendering);
    // typst keeps what it has computed for the next time; an answer is not set twice.
    comemo::evict(0);
    rendered
}

fn typeset(sheet: &Sheet, attached: &Attachments, most_pages: usize, rendering: u32) -> Result<Vec<u8>, RenderError> {
    let mut shown = serde_json::to_value(sheet).expect("a sheet is texts, flags and numbers");
    make_legible(&mut shown);
    let lines = lines(&shown);
    if lines > MOST_LINES {
        return Err(RenderError::TooManyLines(lines, MOST_LINES));
    }
    let desk = Desk::with(&shown, attached, rendering);
    let Warned { output, .. } = typst::compile::<PagedDocument>(&desk);
    let document = output.map_err(|errors| refused(&errors))?;
    if document.pages().len() > most_pages {
        return Err(RenderError::TooManyPages(document.pages().len(), most_pages));
    }
    let standards = PdfStandards::new(&[PdfStandard::A_3a, PdfStandard::Ua_1]);
    let options = PdfOptions {
        ident: Smart::Custom(sheet.digest.clone()),
        creator: Smart::Custom(Some(CREATOR.to_owned())),
        standards: standards.expect("the two standards go together"),
        ..PdfOptions::default()
    };
    typst_pdf::pdf(&document, &options).map_err(|errors| refused(&errors))
}

/// How many characters a line has, of a text that is set over the whole width.
const LINE: usize = 80;

/// How many lines the texts of a value take.
pub(crate) fn lines(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::String(text) => {
            let breaks = text.chars().filter(|c| matches!(c, '\n' | '\u{2028}' | '\u{2029}'));
            breaks.count() + text.chars().count() / LINE
        }
        serde_json::Value::Array(values) => values.iter().map(lines).sum(),
        serde_json::Value::Object(fields) => fields.values().map(lines).sum(),
        _ => 0,
    }
}

/// What typst says, without what was to be set.
fn refused(errors: &[SourceDiagnostic]) -> RenderError {
    let said: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    RenderError::Typesetting(said.join("; "))
}

/// All that the template sees.
struct Desk {
    library: LazyHash<Library>,
}

impl Desk {
    fn with(shown: &serde_json::Value, attached: &Attachments, rendering: u32) -> Self {
        let files = attached.iter().map(|(name, data, kind)| {
            let parts = [
                Value::Str((*name).into()),
                Value::Bytes(Bytes::new(data.clone())),
                Value::Str((*kind).into()),
            ];
            Value::Array(parts.into_iter().collect::<Array>())
        });
        let files: Array = files.collect();
        let mut inputs = Dict::new();
        inputs.insert("sheet".into(), Value::Bytes(Bytes::from_string(shown.to_string())));
        inputs.insert("attached".into(), Value::Array(files));
        inputs.insert("rendering".into(), Value::Int(rendering.into()));
        Self {
            library: LazyHash::new(Library::builder().with_inputs(inputs).build()),
        }
    }
}

impl World for Desk {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &BOOK
    }

    fn main(&self) -> FileId {
        TEMPLATE.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == TEMPLATE.id() {
            Ok(TEMPLATE.clone())
        } else {
            Err(FileError::AccessDenied)
        }
    }

    fn file(&self, _: FileId) -> FileResult<Bytes> {
        Err(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
