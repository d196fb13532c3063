//! The answer as a workbook. Every text is written as text, so that nothing in it is a formula to a spreadsheet.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use crate::{
    Attachments, CREATOR, RenderError,
    shown::{Item, Sheet},
};

/// The sheet that the attachments stand in.
pub const DATA: &str = "answer.json";
/// How much of an attachment one cell holds, in characters: a cell may have 32,767.
const PIECE: usize = 30_000;

/// Writes a sheet's workbook, with files in its last sheet.
///
/// # Errors
/// When it is more than a workbook holds.
pub fn render(sheet: &Sheet, attached: &Attachments) -> Result<Vec<u8>, RenderError> {
    write(sheet, attached).map_err(|error| RenderError::Workbook(error.to_string()))
}

fn write(sheet: &Sheet, attached: &Attachments) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    workbook.set_properties(&properties(sheet)?);
    letter(workbook.add_worksheet(), sheet)?;
    figures(workbook.add_worksheet(), sheet)?;
    sources(workbook.add_worksheet(), sheet)?;
    data(workbook.add_worksheet(), sheet, attached)?;
    workbook.save_to_buffer()
}

fn properties(sheet: &Sheet) -> Result<DocProperties, XlsxError> {
    let [year, month, day] = sheet.date;
    let [month, day] = [month, day].map(|part| u8::try_from(part).unwrap_or(1));
    // A workbook's days begin with the year 1900.
    let created = ExcelDateTime::from_ymd(year.max(1900), month, day)?;
    Ok(DocProperties::new()
        .set_title(&sheet.title)
        .set_author(&sheet.body)
        .set_creation_datetime(&created)
        .set_custom_property("SHA-256", sheet.digest.as_str())
        .set_custom_property("creator", CREATOR))
}

fn bold() -> Format {
    Format::new().set_bold()
}

fn wrapped() -> Format {
    Format::new().set_text_wrap().set_align(FormatAlign::Top)
}

/// Writes rows of a heading and a text, one after the other.
struct Lines<'s> {
    sheet: &'s mut Worksheet,
    row: u32,
}

impl Lines<'_> {
    fn line(&mut self, label: &str, text: &str) -> Result<(), XlsxError> {
        self.sheet.write_string_with_format(self.row, 0, label, &bold())?;
        self.sheet.write_string_with_format(self.row, 1, text, &wrapped())?;
        self.row += 1;
        Ok(())
    }

    fn lines(&mut self, facts: &[[String; 2]]) -> Result<(), XlsxError> {
        facts.iter().try_for_each(|[label, text]| self.line(label, text))
    }
}

fn letter(worksheet: &mut Worksheet, sheet: &Sheet) -> Result<(), XlsxError> {
    let l = sheet.labels;
    worksheet.set_name(l.title)?;
    worksheet.set_column_width(0, 34)?.set_column_width(1, 90)?;
    let mut lines = Lines {
        sheet: worksheet,
        row: 0,
    };
    lines.line(&sheet.title, if sheet.is_draft { l.draft } else { "" })?;
    lines.lines(&sheet.facts)?;
    if !sheet.opening.is_empty() {
        lines.line("", &sheet.opening)?;
    }
    for item in &sheet.items {
        lines.line(&item.heading, &item.description)?;
        lines.lines(&item.facts)?;
        if !item.remark.is_empty() {
            lines.line("", &item.remark)?;
        }
        for reason in &item.not_provided {
            lines.line(l.not_provided, &format!("{} ({}: {})", reason.text, l.law, reason.law))?;
        }
    }
    for reason in &sheet.appeal {
        lines.line(l.appeal, &format!("{} ({}: {})", reason.text, l.law, reason.law))?;
    }
    lines.lines(&sheet.people)?;
    lines.line(l.digest, &sheet.digest)
}

/// The headings of a table, kept in sight.
fn headings(worksheet: &mut Worksheet, headings: &[&str]) -> Result<(), XlsxError> {
    for (column, heading) in (0..).zip(headings) {
        worksheet.write_string_with_format(0, column, *heading, &bold())?;
    }
    worksheet.set_freeze_panes(1, 0)?;
    worksheet.set_repeat_rows(0, 0)?;
    Ok(())
}

fn figures(worksheet: &mut Worksheet, sheet: &Sheet) -> Result<(), XlsxError> {
    let l = sheet.labels;
    worksheet.set_name(l.figures)?;
    let columns = [
        l.item,
        l.indicator,
        l.territory,
        l.period,
        l.breakdown,
        l.value,
        l.note,
        l.source,
    ];
    headings(worksheet, &columns)?;
    for (column, width) in (0..).zip([10, 50, 30, 12, 30, 16, 30, 10]) {
        worksheet.set_column_width(column, width)?;
    }
    let mut at = 0;
    for item in &sheet.items {
        at = rows(worksheet, item, at)?;
    }
    Ok(())
}

fn rows(worksheet: &mut Worksheet, item: &Item, mut at: u32) -> Result<u32, XlsxError> {
    for row in &item.rows {
        at += 1;
        let format = if row.is_total { bold() } else { Format::new() };
        let before = [
            &item.heading,
            &row.indicator,
            &row.territory,
            &row.period,
            &row.breakdown,
        ];
        for (column, text) in (0..).zip(before) {
            worksheet.write_string_with_format(at, column, text, &format)?;
        }
        match number(&row.exact) {
            Some(number) => worksheet.write_number_with_format(at, 5, number, &format)?,
            None => worksheet.write_string_with_format(at, 5, &row.exact, &format)?,
        };
        for (column, text) in (6..).zip([&row.note, &row.source]) {
            worksheet.write_string_with_format(at, column, text, &format)?;
        }
    }
    Ok(at)
}

/// The value as a number, where a spreadsheet's fifteen digits hold it exactly.
fn number(exact: &str) -> Option<f64> {
    let digits = exact.bytes().filter(u8::is_ascii_digit).count();
    let is_decimal = exact.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
    if digits <= 15 && is_decimal {
        exact.parse().ok()
    } else {
        None
    }
}

fn sources(worksheet: &mut Worksheet, sheet: &Sheet) -> Result<(), XlsxError> {
    let l = sheet.labels;
    worksheet.set_name(l.sources)?;
    headings(worksheet, &[l.source, l.edition, l.revision, "SHA-256", l.open_at])?;
    for (column, width) in (0..).zip([10, 60, 12, 68, 60]) {
        worksheet.set_column_width(column, width)?;
    }
    for (row, source) in (1..).zip(&sheet.sources) {
        let edition = format!("{} {}", source.title, source.edition);
        let texts = [
            source.number.as_str(),
            edition.trim(),
            &source.revision,
            &source.sha256,
            &source.address,
        ];
        for (column, text) in (0..).zip(texts) {
            worksheet.write_string(row, column, text)?;
        }
    }
    Ok(())
}

/// The attachments: a column each, its name above, in pieces that a cell holds.
fn data(worksheet: &mut Worksheet, sheet: &Sheet, attached: &Attachments) -> Result<(), XlsxError> {
    worksheet.set_name(DATA)?;
    worksheet.write_string(0, 0, sheet.labels.data_explained)?;
    for (column, (name, content, _)) in (0..).zip(attached) {
        worksheet.write_string(1, column, *name)?;
        let text = String::from_utf8(content.clone()).unwrap_or_else(|_| hex::encode(content));
        let letters: Vec<char> = text.chars().collect();
        for (row, piece) in (2..).zip(letters.chunks(PIECE)) {
            worksheet.write_string(row, column, piece.iter().collect::<String>())?;
        }
    }
    Ok(())
}
