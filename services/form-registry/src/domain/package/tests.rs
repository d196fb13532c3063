use jiff::Timestamp;
use legalstat_kit::{
    door::wire,
    law::{LegalBasis, LocalizedText},
};
use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn text(of: &str) -> LocalizedText {
    LocalizedText::new(format!("{of} kk"), format!("{of} ru"), format!("{of} en"))
}

fn subject() -> Subject {
    Subject {
        edition: "forms/1/editions/2026-M10".parse().expect("a name"),
        revision: 2,
        content_sha256: [7; 32],
        sealed_at: Timestamp::from_second(1_795_514_400).expect("an instant"),
        title: text("Registered crimes"),
        periodicity: Periodicity::Monthly,
        legal_basis: LegalBasis::instruction("Appendix 2"),
        unit: String::new(),
        indicators: vec![Indicator {
            code: "1.1".into(),
            title: text("Crimes"),
            unit: "CRIME".into(),
            measure: "number".into(),
        }],
        dimensions: vec![Dimension {
            id: "GRAVITY".into(),
            list: "GRAVITY".into(),
            title: text("Gravity"),
        }],
        codes: vec![Code {
            list: "KATO".into(),
            code: "750000000".into(),
            title: text("Almaty"),
        }],
        portal: "https://data.egov.kz".into(),
        contact: Contact::default(),
    }
}

fn figure(territory: Option<&str>, code: Option<&str>, value: Option<&str>) -> Figure {
    Figure {
        indicator: "1.1".into(),
        territory: territory.map(str::to_owned),
        codes: vec![code.map(str::to_owned)],
        value: value.map(str::to_owned),
        status: if value.is_some() { 'A' } else { 'M' },
    }
}

fn parts(format: Format, most: usize, figures: &[Figure]) -> Vec<Part> {
    let mut gathered = Parts::new(format, most, "2026-M10", &["GRAVITY".into()]);
    let mut parts: Vec<Part> = figures.iter().filter_map(|figure| gathered.push(figure)).collect();
    parts.extend(gathered.finish());
    parts
}

fn files(subject: &Subject) -> Vec<FileEntry> {
    let entry = |path: &str, media_type: &str, bytes: &[u8], kind| FileEntry {
        path: path.into(),
        media_type: media_type.into(),
        size_bytes: bytes.len(),
        sha256: wire::sha256(bytes),
        kind,
    };
    let part = parts(Format::Csv, LARGEST, &[figure(None, None, Some("12.5"))]).remove(0);
    let indicators = subject.indicators().expect("a table");
    let figures = FileKind::Figures {
        territories: part.territories,
    };
    vec![
        entry("figures-001.csv", "text/csv", &part.bytes, figures),
        entry("indicators.csv", "text/csv", &indicators, FileKind::Indicators),
    ]
}

#[test]
fn figures_are_written_as_they_are() {
    let figures = [
        figure(None, None, Some("12.5")),
        figure(Some("750000000"), Some("GRAVE"), Some("-3")),
        figure(Some("750000000"), Some("MINOR"), None),
    ];
    let csv = parts(Format::Csv, LARGEST, &figures).remove(0);
    let lines = "indicator,territory,period,gravity,value,status\n1.1,_T,2026-M10,_T,12.5,A\n\
                 1.1,750000000,2026-M10,GRAVE,-3,A\n1.1,750000000,2026-M10,MINOR,,M\n";
    assert_eq!(String::from_utf8_lossy(&csv.bytes), lines);
    assert_eq!(csv.territories, ["_T", "750000000"]);
    let json = parts(Format::Json, LARGEST, &figures).remove(0);
    let rows: Vec<Value> = serde_json::from_slice(&json.bytes).expect("an array");
    assert_eq!(
        (rows.len(), &rows[2]["value"], &rows[0]["gravity"]),
        (3, &Value::Null, &Value::from("_T"))
    );
    assert!(
        String::from_utf8_lossy(&json.bytes).contains(r#""value": 12.5, "#),
        "a decimal stays as it was entered"
    );
}

#[test]
fn indicators_and_codes_are_tables_that_a_reader_of_csv_reads_back() {
    let mut subject = subject();
    subject.indicators[0].title.ru = "Кражи, \"крупные\"\nи иные".into();
    let rows = |bytes: &[u8]| -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
        let records = reader.records().map(|record| record.expect("a row"));
        records
            .map(|record| record.iter().map(str::to_owned).collect())
            .collect()
    };
    assert_eq!(
        rows(&subject.indicators().expect("a table")),
        [
            ["indicator", "unit", "measure", "title_kk", "title_ru", "title_en"],
            [
                "1.1",
                "CRIME",
                "number",
                "Crimes kk",
                "Кражи, \"крупные\"\nи иные",
                "Crimes en"
            ],
        ]
    );
    assert_eq!(
        rows(&subject.codes().expect("a table")),
        [
            ["list", "code", "title_kk", "title_ru", "title_en"],
            ["KATO", "750000000", "Almaty kk", "Almaty ru", "Almaty en"],
        ]
    );
}

#[test]
fn a_part_ends_between_two_territories() {
    let territories = ["110000000", "150000000", "190000000"];
    let figures: Vec<Figure> = territories
        .iter()
        .flat_map(|territory| (0..10).map(|value| figure(Some(territory), None, Some(&value.to_string()))))
        .collect();
    // Room for the heads and fifteen rows.
    let gathered = parts(Format::Csv, 50 + 15 * 36, &figures);
    let of_each: Vec<Vec<String>> = gathered.into_iter().map(|part| part.territories).collect();
    assert_eq!(of_each, territories.map(|territory| vec![territory.to_owned()]));
}

proptest! {
    #[test]
    fn no_part_is_too_large_and_together_they_hold_every_figure_in_order(
        counts in prop::collection::vec(1..40_usize, 1..12), most in 200..900_usize, json in any::<bool>(),
    ) {
        let format = if json { Format::Json } else { Format::Csv };
        let figures: Vec<Figure> = counts.iter().enumerate().flat_map(|(place, count)| {
            (0..*count).map(move |value| figure(Some(&format!("{:09}", place + 1)), None, Some(&value.to_string())))
        }).collect();
        let gathered = parts(format, most, &figures);
        let mut rows = Vec::new();
        for part in &gathered {
            prop_assert!(part.bytes.len() <= most, "{} > {most}", part.bytes.len());
            match format {
                Format::Csv => {
                    let mut reader = csv::Reader::from_reader(&part.bytes[..]);
                    rows.extend(reader.records().map(|row| {
                        let row = row.expect("a row");
                        (row[1].to_owned(), row[4].to_owned())
                    }));
                }
                Format::Json => {
                    let read: Vec<Value> = serde_json::from_slice(&part.bytes).expect("an array");
                    rows.extend(read.iter().map(|row| {
                        (row["territory"].as_str().expect("a text").to_owned(), row["value"].to_string())
                    }));
                }
            }
        }
        let expected: Vec<(String, String)> = figures.into_iter()
            .map(|figure| (figure.territory.unwrap_or_default(), figure.value.unwrap_or_default())).collect();
        prop_assert_eq!(rows, expected);
    }
}

#[test]
fn the_same_revision_has_the_same_bytes() {
    let (one, other) = (subject(), subject());
    let files = files(&one);
    assert_eq!(one.datapackage(1, &files, &[]), other.datapackage(1, &files, &[]));
    assert_eq!(one.dcat(1, &files), other.dcat(1, &files));
    assert_eq!(one.portal_metadata(1, &files), other.portal_metadata(1, &files));
    assert_ne!(
        one.dcat(1, &files),
        other.dcat(2, &files),
        "another version is another data set"
    );
}

#[test]
fn every_description_names_the_content_and_every_file_by_its_digest() {
    let subject = subject();
    let files = files(&subject);
    for description in [
        subject.datapackage(1, &files, &[]),
        subject.dcat(1, &files),
        subject.portal_metadata(1, &files),
    ] {
        let description = String::from_utf8(description).expect("a text");
        assert!(description.contains(&hex::encode(subject.content_sha256)));
        for file in &files {
            assert!(
                description.contains(&hex::encode(file.sha256)),
                "{} lacks {}",
                description,
                file.path
            );
        }
    }
}

#[test]
fn names_that_are_missing_in_kazakh_or_russian_are_listed_once_and_english_ones_are_not() {
    assert_eq!(subject().missing_names(), []);
    let mut subject = subject();
    subject.title = LocalizedText::new("", " ", "Registered crimes");
    subject.indicators[0].title.ru.clear();
    subject.codes[0].title.kk.clear();
    subject.codes.push(subject.codes[0].clone());
    subject.dimensions[0].title.en.clear();
    let missing: Vec<(String, &str)> = subject
        .missing_names()
        .into_iter()
        .map(|missing| (missing.resource, missing.language))
        .collect();
    let expected = [
        ("codeLists/KATO/codes/750000000", "kk"),
        ("forms/1", "kk"),
        ("forms/1", "ru"),
        ("forms/1/indicators/1.1", "ru"),
    ];
    assert_eq!(
        missing,
        expected.map(|(resource, language)| (resource.to_owned(), language))
    );
}

#[test]
fn an_uploaded_file_has_a_path_that_every_program_takes() {
    assert_eq!(path_of_upload(1, "форма 1.csv"), "files/1-______1.csv");
    assert_eq!(path_of_upload(2, "../form_1-M.csv"), "files/2-.._form_1-M.csv");
}

#[test]
fn the_digest_of_a_package_is_over_its_files_whatever_their_order() {
    let mut files = files(&subject());
    let before = sha256(&files);
    files.reverse();
    assert_eq!(sha256(&files), before);
    files[0].sha256[0] ^= 1;
    assert_ne!(sha256(&files), before);
}

#[test]
fn the_portal_takes_open_formats_of_ten_megabytes() {
    assert!(is_taken("text/csv", 10_000_000) && is_taken("application/json", 1) && is_taken("application/xml", 1));
    assert!(!is_taken("text/csv", 10_000_001) && !is_taken("application/pdf", 1));
}
