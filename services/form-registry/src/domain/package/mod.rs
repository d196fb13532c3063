//! The open data package of an edition: what is in it, byte by byte. Everything follows from the sealed revision and from the
//! names that were entered when it was made, so that the same revision has the same bytes wherever and whenever they are made.

mod dcat;
mod parts;
mod portal;
mod schema;
mod texts;

#[cfg(test)]
mod tests;

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{
    door::wire,
    law::{LegalBasis, LocalizedText},
    period::ReportingPeriod,
};
use serde_json::Value;

pub use parts::{Format, Part, Parts};

use super::{form::Periodicity, key::EditionKey};

/// How many bytes a file may have: the portal takes 10 MB.
pub const LARGEST: usize = 10_000_000;

/// What stands for all codes of a dimension, and for the whole country, as in SDMX.
pub const TOTAL: &str = "_T";

/// What a package is of.
#[derive(Clone, Debug)]
pub struct Subject {
    pub edition: EditionKey,
    pub revision: i32,
    pub content_sha256: [u8; 32],
    pub sealed_at: Timestamp,
    pub title: LocalizedText,
    pub periodicity: Periodicity,
    pub legal_basis: LegalBasis,
    /// The unit that answers for the form; empty while it is not entered.
    pub unit: String,
    pub indicators: Vec<Indicator>,
    /// The dimensions of the figures beside indicator, territory and period, in their order.
    pub dimensions: Vec<Dimension>,
    /// What the codes mean that stand in the figures.
    pub codes: Vec<Code>,
    /// The address that the portal's data sets stand under.
    pub portal: String,
    /// Whom to ask; empty texts while nobody is entered.
    pub contact: Contact,
}

/// An indicator that stands in the figures.
#[derive(Clone, Debug)]
pub struct Indicator {
    pub code: String,
    pub title: LocalizedText,
    /// A code of the list `UNIT`.
    pub unit: String,
    pub measure: String,
}

/// A dimension of the figures.
#[derive(Clone, Debug)]
pub struct Dimension {
    pub id: String,
    /// The list that its codes are of.
    pub list: String,
    /// The list's title.
    pub title: LocalizedText,
}

/// A code that stands in the figures.
#[derive(Clone, Debug)]
pub struct Code {
    pub list: String,
    pub code: String,
    pub title: LocalizedText,
}

/// Who answers questions about the data.
#[derive(Clone, Debug, Default)]
pub struct Contact {
    pub name: String,
    pub email: String,
    pub phone: String,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    pub indicator: String,
    /// `None` for the whole country.
    pub territory: Option<String>,
    /// A code for each dimension, in their order; `None` where it is not broken down by it.
    pub codes: Vec<Option<String>>,
    /// A decimal; `None` where it is missing.
    pub value: Option<String>,
    /// SDMX, code list CL_OBS_STATUS.
    pub status: char,
}

/// A file of a package, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name in the package; only letters, digits, `-`, `_`, `.` and `/`.
    pub path: String,
    pub media_type: String,
    pub size_bytes: usize,
    pub sha256: [u8; 32],
    pub kind: FileKind,
}

/// What a file of a package holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Some of the figures, of these territories.
    Figures { territories: Vec<String> },
    /// What the indicators are.
    Indicators,
    /// What the codes mean.
    Codes,
    /// A file of the revision as it was uploaded, under this name, in this language or none.
    Uploaded { filename: String, language: String },
    /// What describes the others.
    Description,
}

/// A file of the revision that the package does not hold, because the portal does not take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    pub filename: String,
    pub size_bytes: u64,
    pub sha256: [u8; 32],
}

/// Whether the portal takes a file as it was uploaded: CSV, JSON or XML of at most 10 MB. Nothing of it can be parted.
pub fn is_taken(media_type: &str, size_bytes: u64) -> bool {
    let types = ["text/csv", "application/json", "application/xml", "text/xml"];
    types.contains(&media_type) && size_bytes <= LARGEST as u64
}

/// A name that is not entered in a language, and stops the placement on the open data portal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingName {
    /// Whose name, by its resource name.
    pub resource: String,
    /// `kk` or `ru`.
    pub language: &'static str,
}

/// The path of an uploaded file in a package: its name with letters that every program takes, behind its place among the files, so
/// that no two have one path.
pub fn path_of_upload(place: usize, filename: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '_'
        }
    };
    let filename: String = filename.chars().map(plain).collect();
    format!("files/{place}-{filename}")
}

/// The digest of a package: SHA-256 over the digests and paths of its files, in the order of the paths.
pub fn sha256(files: &[FileEntry]) -> [u8; 32] {
    let mut files: Vec<&FileEntry> = files.iter().collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let lines = files
        .iter()
        .map(|file| format!("{}  {}\n", hex::encode(file.sha256), file.path));
    wire::sha256(lines.collect::<String>().as_bytes())
}

impl Subject {
    /// The names that are missing in Kazakh or Russian.
    pub fn missing_names(&self) -> Vec<MissingName> {
        let form = super::key::form(self.edition.form);
        let indicators = self.indicators.iter();
        let indicators =
            indicators.map(|indicator| (format!("{form}/indicators/{}", indicator.code), &indicator.title));
        let lists = self.dimensions.iter();
        let lists = lists.map(|dimension| (format!("codeLists/{}", dimension.list), &dimension.title));
        let codes = self.codes.iter();
        let codes = codes.map(|code| (format!("codeLists/{}/codes/{}", code.list, code.code), &code.title));
        let mut missing: Vec<MissingName> = std::iter::once((form.clone(), &self.title))
            .chain(indicators)
            .chain(lists)
            .chain(codes)
            .flat_map(|(resource, title)| {
                let languages = [("kk", &title.kk), ("ru", &title.ru)].into_iter();
                let missing = languages.filter(|(_, text)| text.trim().is_empty());
                missing.map(move |(language, _)| MissingName {
                    resource: resource.clone(),
                    language,
                })
            })
            .collect();
        missing.sort();
        missing.dedup();
        missing
    }

    /// The name of the data set, for Frictionless and for the portal's address.
    pub fn name(&self) -> String {
        let period = self.edition.period.to_string().to_lowercase();
        format!("legalstat-form-{}-{period}", self.edition.form)
    }

    /// What the indicators are, as CSV.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub fn indicators(&self) -> Result<Vec<u8>, csv::Error> {
        let rows = self.indicators.iter().map(|indicator| {
            let LocalizedText { kk, ru, en } = &indicator.title;
            [&indicator.code, &indicator.unit, &indicator.measure, kk, ru, en].map(String::as_str)
        });
        table(
            ["indicator", "unit", "measure", "title_kk", "title_ru", "title_en"],
            rows,
        )
    }

    /// What the codes mean, as CSV.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub fn codes(&self) -> Result<Vec<u8>, csv::Error> {
        let rows = self.codes.iter().map(|code| {
            let LocalizedText { kk, ru, en } = &code.title;
            [&code.list, &code.code, kk, ru, en].map(String::as_str)
        });
        table(["list", "code", "title_kk", "title_ru", "title_en"], rows)
    }

    /// `datapackage.json`: Frictionless Data Package, version 2.
    pub fn datapackage(&self, version: i32, files: &[FileEntry], left_out: &[LeftOut]) -> Vec<u8> {
        written(&schema::datapackage(self, version, files, left_out))
    }

    /// `dcat.jsonld`: the record of DCAT-AP 3.
    pub fn dcat(&self, version: i32, files: &[FileEntry]) -> Vec<u8> {
        written(&dcat::record(self, version, files))
    }

    /// `metadata.json`: what the portal asks for of a data set.
    pub fn portal_metadata(&self, version: i32, files: &[FileEntry]) -> Vec<u8> {
        written(&portal::metadata(self, version, files))
    }
}

fn table<'a, const N: usize>(
    heads: [&str; N],
    rows: impl Iterator<Item = [&'a str; N]>,
) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(heads)?;
    for row in rows {
        writer.write_record(row)?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

/// JSON that ends with a line feed; its fields stand in the order in which they were given.
fn written(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

/// The first and the last day of a period.
fn days(period: ReportingPeriod) -> (Date, Date) {
    (period.first_day(), period.last_day())
}
