//! CSV, with whichever separator its heading has.

use csv::ReaderBuilder;

use super::{Columns, Encoding, Faults, Table, encoding};
use crate::failure::Failure;

/// The separators that people's programs write.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Reads a table.
pub(super) fn read(
    bytes: Vec<u8>,
    source: &str,
    known: &Columns<'_>,
    encoding: Option<Encoding>,
) -> Result<Table, Failure> {
    let text = encoding::text(bytes, encoding).map_err(|told| Failure::usage(format!("{source}: {told}")))?;
    if text.trim().is_empty() {
        return Err(Failure::usage(format!("{source} is empty")));
    }
    let heading = |separator: u8| -> Vec<String> {
        let mut reader = reader(&text, separator);
        let headers = reader
            .headers()
            .map(|headers| headers.iter().map(str::to_owned).collect());
        headers.unwrap_or_default()
    };
    // Of separators that find as many of the columns the one that parts the most.
    let best = SEPARATORS.into_iter().max_by_key(|separator| {
        let heading = heading(*separator);
        (known.found(&heading), heading.len())
    });
    let separator = best.unwrap_or(b',');
    let names = known.check(&heading(separator), source)?;
    let rows = rows(&text, separator, names.len(), source)?;
    if rows.is_empty() {
        return Err(Failure::usage(format!("{source} has no rows below its heading")));
    }
    Ok(Table::new(names, rows))
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .from_reader(text.as_bytes())
}

fn rows(text: &str, separator: u8, columns: usize, source: &str) -> Result<Vec<(u64, Vec<String>)>, Failure> {
    let (mut faults, mut rows) = (Faults::default(), Vec::new());
    // The reader leaves out empty lines and counts them to the record after; its first record is the heading.
    let lines = (1..)
        .zip(text.split('\n'))
        .filter(|(_, line)| !line.trim_end_matches('\r').is_empty());
    let numbers = lines.map(|(number, _)| number).skip(1);
    for (row, record) in numbers.zip(reader(text, separator).records()) {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                faults.add(row, "all columns", error);
                break;
            }
        };
        // A quotation mark without its other one swallows the rest of the file.
        if record.iter().any(|cell| cell.contains('\n')) {
            faults.add(
                row,
                "all columns",
                "a cell goes over the end of the line: a quotation mark is missing",
            );
            break;
        }
        if record.len() != columns {
            faults.add(
                row,
                "all columns",
                format!("it has {} cells, the heading {columns}", record.len()),
            );
            continue;
        }
        let cells: Vec<String> = record.iter().map(str::to_owned).collect();
        if cells.iter().any(|cell| !cell.trim().is_empty()) {
            rows.push((row, cells));
        }
    }
    faults.refuse(source)?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::{super::tests::FIGURES, *};

    #[test]
    fn the_separator_is_that_of_the_heading() {
        for text in [
            "indicator,value,territory\na,\"1,5\",75\n",
            "Indicator;Value;Territory\na;1,5;75\n",
            "INDICATOR\tVALUE\tTERRITORY\r\na\t1,5\t75\r\n",
            "\u{feff}indicator|value|territory\n\na|1,5|75\n\n",
        ] {
            let table = read(text.as_bytes().to_vec(), "a.csv", &FIGURES, None).expect("it is read");
            let (_, cells) = &table.rows[0];
            assert_eq!(
                (table.cell(cells, "VALUE"), table.cell(cells, "TERRITORY")),
                ("1,5", "75"),
                "{text:?}"
            );
            assert_eq!((table.rows.len(), table.cell(cells, "SEX")), (1, ""));
        }
    }

    #[test]
    fn a_row_keeps_its_number_in_the_file() {
        let table = read(b"indicator,value\na,1\n\nb,2\n".to_vec(), "a.csv", &FIGURES, None).expect("it is read");
        assert_eq!(table.rows.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [2, 4]);
    }
}
