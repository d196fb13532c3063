//! The first sheet of an XLSX workbook. Formulas are refused: what they come to is whatever the program that saved them thought.

use std::io::Cursor;

use calamine::{Data, Range, Reader, Xlsx};

use super::{Columns, Faults, Table, number};
use crate::failure::Failure;

/// How many bytes a workbook may have when it is unpacked.
const UNPACKED: u64 = 1024 * 1024 * 1024;

/// Reads a table.
pub(super) fn read(bytes: Vec<u8>, source: &str, known: &Columns<'_>) -> Result<Table, Failure> {
    refuse_bomb(&bytes, source)?;
    let no_workbook = |error: calamine::XlsxError| Failure::usage(format!("{source} is not a workbook: {error}"));
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(no_workbook)?;
    let sheet = workbook.sheet_names().first().cloned();
    let sheet = sheet.ok_or_else(|| Failure::usage(format!("{source} has no sheet")))?;
    let formulas = workbook.worksheet_formula(&sheet).map_err(no_workbook)?;
    let range = workbook.worksheet_range(&sheet).map_err(no_workbook)?;
    let mut faults = Faults::default();
    for (row, column, formula) in formulas.used_cells().filter(|(.., formula)| !formula.is_empty()) {
        let (first_row, first_column) = formulas.start().unwrap_or_default();
        let row = u64::from(first_row) + row as u64 + 1;
        let column = letters(first_column as usize + column);
        faults.add(row, &column, format!("a formula: ={formula}"));
    }
    faults.refuse(source)?;
    table(&range, source, known)
}

/// Refuses what would unpack to too much, whatever it says of itself.
fn refuse_bomb(bytes: &[u8], source: &str) -> Result<(), Failure> {
    let no_workbook = |error: zip::result::ZipError| Failure::usage(format!("{source} is not a workbook: {error}"));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(no_workbook)?;
    let mut left = UNPACKED;
    for place in 0..archive.len() {
        let mut entry = archive.by_index(place).map_err(no_workbook)?;
        let unpacked = std::io::copy(&mut std::io::Read::take(&mut entry, left + 1), &mut std::io::sink());
        let unpacked = unpacked.map_err(|error| Failure::usage(format!("{source} is not a workbook: {error}")))?;
        left = left.checked_sub(unpacked).ok_or_else(|| {
            Failure::usage(format!(
                "{source} unpacks to more than {UNPACKED} bytes: it is no table"
            ))
        })?;
    }
    Ok(())
}

fn table(range: &Range<Data>, source: &str, known: &Columns<'_>) -> Result<Table, Failure> {
    let first_row = u64::from(range.start().unwrap_or_default().0);
    let first_column = range.start().unwrap_or_default().1 as usize;
    let mut lines = (first_row + 1..).zip(range.rows());
    let Some((_, heading)) = lines.next() else {
        return Err(Failure::usage(format!("{source} is empty")));
    };
    let heading: Vec<String> = heading.iter().map(ToString::to_string).collect();
    let names = known.check(&heading, source)?;
    let (mut faults, mut rows) = (Faults::default(), Vec::new());
    for (row, line) in lines.filter(|(_, line)| line.iter().any(|cell| !matches!(cell, Data::Empty))) {
        let cells = line.iter().zip(first_column..).map(|(cell, column)| {
            text(cell).unwrap_or_else(|told| {
                faults.add(row, &letters(column), told);
                String::new()
            })
        });
        rows.push((row, cells.collect()));
    }
    faults.refuse(source)?;
    if rows.is_empty() {
        return Err(Failure::usage(format!("{source} has no rows below its heading")));
    }
    Ok(Table::new(names, rows))
}

fn text(cell: &Data) -> Result<String, String> {
    match cell {
        Data::Empty => Ok(String::new()),
        Data::String(text) => Ok(text.clone()),
        Data::Int(number) => Ok(number.to_string()),
        Data::Bool(flag) => Ok(flag.to_string()),
        Data::Float(number) => {
            number::of_workbook(*number).ok_or_else(|| "a number of more digits than it keeps".into())
        }
        Data::DateTime(day) => {
            let (year, month, day, ..) = day.to_ymd_hms_milli();
            Ok(format!("{year:04}-{month:02}-{day:02}"))
        }
        Data::DateTimeIso(text) => Ok(text.chars().take(10).collect()),
        Data::DurationIso(_) => Err("a duration".into()),
        Data::Error(error) => Err(format!("an error of the program that saved it: {error}")),
    }
}

/// The letters of a column, from 0.
fn letters(column: usize) -> String {
    let mut letters = String::new();
    let mut left = column + 1;
    while left > 0 {
        left -= 1;
        letters.insert(0, char::from(b'A' + u8::try_from(left % 26).unwrap_or_default()));
        left /= 26;
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::{super::tests::FIGURES, *};

    const OF_LIBREOFFICE: &[u8] = include_bytes!("../../../../tests/e2e/files/figures.xlsx");
    const WITH_FORMULA: &[u8] = include_bytes!("../../../../tests/e2e/files/formula.xlsx");

    #[test]
    fn a_workbook_of_libreoffice_is_read_with_its_numbers_and_row_numbers() {
        let table = read(OF_LIBREOFFICE.to_vec(), "figures.xlsx", &FIGURES).expect("it is read");
        let cells = |column| {
            table
                .rows
                .iter()
                .map(|(_, cells)| table.cell(cells, column))
                .collect::<Vec<_>>()
        };
        assert_eq!(table.rows.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [2, 3, 5]);
        assert_eq!(cells("INDICATOR"), ["crimes", "crimes", "cases"]);
        assert_eq!(cells("TERRITORY"), ["7501", "7502", ""]);
        assert_eq!(cells("VALUE"), ["1234.5", "0.3", "1 234,5"]);
    }

    #[test]
    fn a_formula_is_refused_at_its_cell() {
        let told = read(WITH_FORMULA.to_vec(), "formula.xlsx", &FIGURES)
            .expect_err("it is refused")
            .to_string();
        assert!(told.contains("row 3, D: a formula"), "{told}");
    }

    #[test]
    fn columns_have_their_letters() {
        for (column, written) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")] {
            assert_eq!(letters(column), written);
        }
    }
}
