use std::io::{Cursor, Write as _};

use proptest::prelude::*;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::*;

const TYPES: &str = r#"<Types><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#;

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in parts {
        writer.start_file(*name, options).expect("it is in memory");
        writer.write_all(content).expect("it is in memory");
    }
    writer.finish().expect("it is in memory").into_inner()
}

fn workbook(sheet: &[u8]) -> Vec<u8> {
    archive(&[(CONTENT_TYPES, TYPES.as_bytes()), ("xl/worksheets/sheet1.xml", sheet)])
}

fn found(content: &[u8]) -> Vec<Fault> {
    faults(&mut Cursor::new(content)).expect("it is in memory")
}

fn told(content: &[u8]) -> String {
    found(content)
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

#[test]
fn a_workbook_of_values_has_no_fault() {
    let sheet = b"<worksheet><font/><c r=\"A1\"><v>1</v></c><c r=\"A2\" t=\"inlineStr\"><is><t>f &lt;f></t></is></c></worksheet>";
    assert_eq!(found(&workbook(sheet)), []);
}

#[test]
fn what_libreoffice_writes_is_taken_and_its_formulas_are_found() {
    let figures = include_bytes!("../../../../tests/e2e/files/figures.xlsx");
    let indicators = include_bytes!("../../../../tests/e2e/files/indicators.xlsx");
    assert_eq!((found(figures), found(indicators)), (vec![], vec![]));
    let formula = found(include_bytes!("../../../../tests/e2e/files/formula.xlsx"));
    assert!(matches!(formula[..], [Fault::Formula(_)]), "{formula:?}");
}

#[test]
fn formulas_are_found_under_any_prefix_and_counted() {
    for (sheet, count) in [
        ("<c><f>1+1</f><v>2</v></c>", 1),
        ("<c><f t=\"shared\" si=\"0\"/></c><c><f\n>A1</f></c>", 2),
        ("<x:c><x:f>1+1</x:f></x:c>", 1),
        ("<x.y-z_1:f/>", 1),
    ] {
        let faults = found(&workbook(sheet.as_bytes()));
        let expected = format!("xl/worksheets/sheet1.xml has {count} formulas; store the values instead");
        assert_eq!(faults, [Fault::Formula(expected)], "{sheet}");
    }
}

#[test]
fn macros_and_links_to_other_files_are_refused() {
    for part in ["xl/vbaProject.bin", "xl/externalLinks/externalLink1.xml"] {
        let faults = found(&archive(&[(CONTENT_TYPES, TYPES.as_bytes()), (part, b"a")]));
        assert!(matches!(faults[..], [Fault::Formula(_)]), "{part}: {faults:?}");
    }
}

#[test]
fn an_archive_of_something_else_is_no_workbook() {
    let document = TYPES.replace("spreadsheetml.sheet", "wordprocessingml.document");
    for parts in [&[("a.csv", &b"a"[..])][..], &[(CONTENT_TYPES, document.as_bytes())]] {
        let faults = found(&archive(parts));
        assert!(matches!(faults[..], [Fault::OtherContent(_)]), "{faults:?}");
    }
}

#[test]
fn a_bomb_is_refused_before_it_is_inflated() {
    let bomb = workbook(&vec![b' '; 3 * SMALL as usize]);
    assert!(bomb.len() < 10_000);
    assert!(
        told(&bomb).contains("inflates to more than 200 times its bytes"),
        "{}",
        told(&bomb)
    );
    let names: Vec<String> = (0..=PARTS).map(|number| format!("xl/{number}")).collect();
    let parts: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    assert!(told(&archive(&parts)).contains("more than 10000 parts"));
}

#[test]
fn many_small_parts_are_refused_when_they_inflate_to_too_much_together() {
    // As many parts as come to the most there may be, each of a size that nobody asks what it inflates from, and one more byte.
    let parts = INFLATED / SMALL;
    let names: Vec<String> = (0..=parts).map(|number| format!("xl/{number}")).collect();
    let named: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"a"[..])).collect();
    let mut content = archive(&named);
    let listed = content
        .windows(4)
        .enumerate()
        .filter(|(_, window)| window == b"PK\x01\x02");
    let listed: Vec<usize> = listed.map(|(at, _)| at).collect();
    for at in &listed[1..] {
        content[at + 24..at + 28].copy_from_slice(&u32::try_from(SMALL).expect("it is small").to_le_bytes());
    }
    let together = format!("its parts inflate to more than {INFLATED} bytes");
    assert_eq!(found(&content), [Fault::Archive(together.clone())]);
    content[listed[0] + 24] = 0;
    assert!(!told(&content).contains(&together), "that many they may have");
}

#[test]
fn a_part_that_inflates_to_more_than_it_says_is_refused() {
    let mut content = workbook(b"<worksheet><v>123456789</v></worksheet>");
    let directory = content
        .windows(4)
        .rposition(|window| window == b"PK\x01\x02")
        .expect("it lists parts");
    // The size that the list gives of the last part, and the one that stands before the part itself.
    content[directory + 24] = 3;
    let local = content
        .windows(4)
        .rposition(|window| window == b"PK\x03\x04")
        .expect("it has parts");
    content[local + 22] = 3;
    assert!(
        told(&content).contains("does not inflate to what it says"),
        "{}",
        told(&content)
    );
}

#[test]
fn text_in_another_encoding_hides_no_formula() {
    let sheet: Vec<u8> = "<c><f>1</f></c>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(told(&workbook(&sheet)).contains("no text in UTF-8"));
}

#[test]
fn an_archive_cut_off_is_told_so() {
    let whole = workbook(b"<worksheet/>");
    assert!(told(&whole[..whole.len() - 22]).contains("cut off"));
}

proptest! {
    #[test]
    fn a_formula_between_two_reads_is_found(before in 0..70_000_usize) {
        // Text that does not shrink, so that only the formula is a fault.
        let filler: String = (0..before).map(|at| char::from(b'a' + (at * at % 23) as u8)).collect();
        let sheet = format!("<t>{filler}</t><f>1</f>");
        prop_assert!(matches!(found(&workbook(sheet.as_bytes()))[..], [Fault::Formula(_)]));
    }

    #[test]
    fn no_change_of_a_byte_makes_a_check_panic(at in 0..400_usize, byte in any::<u8>()) {
        let mut content = workbook(b"<worksheet><c><v>1</v></c></worksheet>");
        if let Some(changed) = content.get_mut(at) {
            *changed = byte;
        }
        found(&content);
    }
}
