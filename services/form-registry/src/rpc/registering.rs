//! What the methods of the registers read and write in the same way: names, versions and their ends.

use std::collections::HashMap;

use jiff::civil::Date;
use legalstat_kit::{
    Error, FieldReason, Refusal, Violations,
    door::{text, wire},
    law::{LegalBasis, LocalizedText},
};
use legalstat_proto::{
    common::v1 as common,
    forms::v1::{self as proto, RegisterChange},
};
use sqlx::PgConnection;

use crate::{
    db::{code_list, indicator::Owner},
    domain::{
        dated::{self, Batch, Dated, End, Validity},
        faults::{Fault, Faults, Kind},
        indicator::{
            self, ACCOUNTING_DOCUMENT, Code, CodeFacts, Dimension, Indicator, IndicatorFacts, is_code, is_dimension_id,
            parse_code_list,
        },
    },
};

/// How many characters a title may have.
const TITLE: usize = 500;
/// How many characters a measure may have.
const MEASURE: usize = 100;
/// How many dimensions an indicator may have.
const DIMENSIONS: usize = 8;
/// How many codes one call ends.
const MOST_RETIRED: usize = 1000;

/// Reads the name of a code list.
pub(super) fn list(violations: &mut Violations, field: &str, name: &str) -> Option<String> {
    if name.is_empty() {
        violations.add(field, FieldReason::Required, "required");
        return None;
    }
    violations.check(field, FieldReason::ResourceName, parse_code_list(name))
}

/// Reads the name of an accounting document.
pub(super) fn document(violations: &mut Violations, field: &str, name: &str) -> Option<String> {
    if name.is_empty() {
        violations.add(field, FieldReason::Required, "required");
        return None;
    }
    violations.check(field, FieldReason::ResourceName, indicator::parse_document(name))
}

/// The number of a list.
///
/// # Errors
/// NOT_FOUND.
pub(super) async fn list_number(connection: &mut PgConnection, id: &str) -> Result<i32, Error> {
    let numbers = code_list::numbers(connection).await?;
    let number = numbers.get(id).copied();
    Ok(number.ok_or_else(|| Refusal::not_found(&format!("codeLists/{id}")))?)
}

/// Whose details an accounting document's are.
///
/// # Errors
/// NOT_FOUND when the document is not entered.
pub(super) async fn owner_of_details(connection: &mut PgConnection, code: &str) -> Result<Owner, Error> {
    let number = code_list::number(connection, ACCOUNTING_DOCUMENT, code).await?;
    let number = number.ok_or_else(|| Refusal::not_found(&format!("accountingDocuments/{code}")))?;
    Ok(Owner::Document(number))
}

/// A text of one line in its one composition; too long or with controls, it is a fault.
fn line(faults: &mut Faults, row: i64, column: &str, given: &str, most: usize) -> String {
    let composed = text::composed(given.trim());
    if composed.chars().count() > most {
        faults.add(|| Fault::new(row, column, Kind::TooLong, &composed));
    }
    if composed.chars().any(text::controls) {
        faults.add(|| Fault::new(row, column, Kind::InvalidCharacter, ""));
    }
    if composed.chars().any(text::turns_direction) {
        faults.add(|| Fault::new(row, column, Kind::Direction, ""));
    }
    composed.into_owned()
}

pub(super) fn title(faults: &mut Faults, row: i64, given: Option<common::LocalizedText>) -> LocalizedText {
    let given = given.unwrap_or_default();
    let title = LocalizedText {
        kk: line(faults, row, "title.kk", &given.kk, TITLE),
        ru: line(faults, row, "title.ru", &given.ru, TITLE),
        en: line(faults, row, "title.en", &given.en, TITLE),
    };
    if ![&title.kk, &title.ru, &title.en]
        .into_iter()
        .any(|title| text::shows(title))
    {
        faults.add(|| Fault::new(row, "title", Kind::Required, ""));
    }
    title
}

pub(super) fn basis(faults: &mut Faults, row: i64, given: Option<common::LegalBasis>) -> LegalBasis {
    let given = given.unwrap_or_default();
    let basis = LegalBasis {
        act: line(faults, row, "legal_basis.act", &given.act, TITLE),
        provision: line(faults, row, "legal_basis.provision", &given.provision, TITLE),
        uri: line(faults, row, "legal_basis.uri", &given.uri, TITLE),
        assumed: given.assumed,
    };
    faults.require_basis(row, &basis);
    basis
}

fn day(faults: &mut Faults, row: i64, column: &str, given: Option<&common::Date>) -> Option<Date> {
    let given = given?;
    let day = wire::date(given).ok();
    if day.is_none() {
        let said = format!("{}-{}-{}", given.year, given.month, given.day);
        faults.add(|| Fault::new(row, column, Kind::Date, &said));
    }
    day
}

pub(super) fn validity(
    faults: &mut Faults,
    row: i64,
    from: Option<&common::Date>,
    to: Option<&common::Date>,
) -> Validity {
    if from.is_none() {
        faults.add(|| Fault::new(row, "valid_from", Kind::Required, ""));
    }
    let (from, to) = (day(faults, row, "valid_from", from), day(faults, row, "valid_to", to));
    let from = from.unwrap_or(Date::MIN);
    if to.is_some_and(|to| to < from) {
        faults.add(|| Fault::new(row, "valid_to", Kind::Range, ""));
    }
    Validity { from, to }
}

fn code(faults: &mut Faults, row: i64, column: &str, given: &str) {
    if given.is_empty() {
        faults.add(|| Fault::new(row, column, Kind::Required, ""));
    } else if !is_code(given) {
        faults.add(|| Fault::new(row, column, Kind::Key, given));
    }
}

/// Reads the codes of a batch.
pub(super) fn codes(faults: &mut Faults, given: Vec<proto::Code>) -> Vec<Code> {
    dated::require_once(given.iter().map(|given| given.code.as_str()), faults);
    let read = (1..).zip(given).map(|(row, given)| {
        code(faults, row, "code", &given.code);
        if !given.parent.is_empty() {
            code(faults, row, "parent", &given.parent);
        }
        let version = Dated {
            validity: validity(faults, row, given.valid_from.as_ref(), given.valid_to.as_ref()),
            title: title(faults, row, given.title),
            legal_basis: basis(faults, row, given.legal_basis),
            facts: CodeFacts {
                parent: Some(given.parent).filter(|parent| !parent.is_empty()),
            },
        };
        (given.code, version)
    });
    read.collect()
}

/// Reads the indicators of a batch.
pub(super) fn indicators(faults: &mut Faults, given: Vec<proto::Indicator>) -> Vec<Indicator> {
    dated::require_once(given.iter().map(|given| given.code.as_str()), faults);
    let read = (1..).zip(given).map(|(row, given)| {
        code(faults, row, "code", &given.code);
        code(faults, row, "unit", &given.unit);
        let measure = line(faults, row, "measure", &given.measure, MEASURE);
        if !text::shows(&measure) {
            faults.add(|| Fault::new(row, "measure", Kind::Required, ""));
        }
        let version = Dated {
            validity: validity(faults, row, given.valid_from.as_ref(), given.valid_to.as_ref()),
            title: title(faults, row, given.title),
            legal_basis: basis(faults, row, given.legal_basis),
            facts: IndicatorFacts {
                unit: given.unit,
                measure,
                by_territory: given.by_territory,
                dimensions: dimensions(faults, row, given.dimensions),
                restricted: given.restricted,
            },
        };
        (given.code, version)
    });
    read.collect()
}

fn dimensions(faults: &mut Faults, row: i64, given: Vec<proto::Dimension>) -> Vec<Dimension> {
    if given.len() > DIMENSIONS {
        faults.add(|| Fault::new(row, "dimensions", Kind::TooMany, &given.len().to_string()));
    }
    let mut read: Vec<Dimension> = Vec::new();
    for proto::Dimension { id, code_list } in given {
        if !is_dimension_id(&id) {
            faults.add(|| Fault::new(row, "dimensions", Kind::Key, &id));
        }
        if read.iter().any(|other| other.id == id) {
            faults.add(|| Fault::new(row, "dimensions", Kind::Duplicate, &id));
        }
        match parse_code_list(&code_list).ok() {
            Some(code_list) => read.push(Dimension { id, code_list }),
            None => faults.add(|| Fault::new(row, "dimensions", Kind::Unknown, &id)),
        }
    }
    read
}

/// Reads the details of a batch.
pub(super) fn details(faults: &mut Faults, given: Vec<proto::AccountingDetail>) -> Vec<Indicator> {
    dated::require_once(given.iter().map(|given| given.code.as_str()), faults);
    let read = (1..).zip(given).map(|(row, given)| {
        code(faults, row, "code", &given.code);
        code(faults, row, "unit", &given.unit);
        let version = Dated {
            validity: validity(faults, row, given.valid_from.as_ref(), given.valid_to.as_ref()),
            title: title(faults, row, given.title),
            legal_basis: basis(faults, row, given.legal_basis),
            facts: IndicatorFacts {
                unit: given.unit,
                restricted: given.restricted,
                ..IndicatorFacts::default()
            },
        };
        (given.code, version)
    });
    read.collect()
}

/// What became of a batch.
pub(super) fn change<T>(batch: &Batch<T>) -> RegisterChange {
    RegisterChange {
        created: batch.created,
        replaced: batch.replaced,
        unchanged: batch.unchanged,
        retired: 0,
    }
}

/// What is to end.
pub(super) struct Retiring {
    pub(super) codes: Vec<String>,
    last_day: Date,
    basis: LegalBasis,
}

impl Retiring {
    /// Reads it from the fields of a request.
    pub(super) fn read(
        violations: &mut Violations,
        codes: &[String],
        last_day: Option<&common::Date>,
        basis: Option<common::LegalBasis>,
    ) -> Option<Self> {
        violations.count("codes", codes.len(), MOST_RETIRED);
        let last_day = wire::required_date(violations, "last_day", last_day);
        let basis: LegalBasis = basis.unwrap_or_default().into();
        if basis.act.trim().is_empty() {
            violations.add(
                "legal_basis",
                FieldReason::Required,
                "required: the law or order that ends them",
            );
        }
        Some(Self {
            codes: codes.to_vec(),
            last_day: last_day?,
            basis,
        })
    }

    /// Which last versions end, by what there is.
    ///
    /// # Errors
    /// The faults of all codes that cannot end on that day.
    pub(super) fn ends(&self, last: &HashMap<String, Validity>) -> Result<(Vec<End>, RegisterChange), Error> {
        let (mut faults, mut ends, mut unchanged) = (Faults::default(), Vec::new(), 0);
        dated::require_once(self.codes.iter().map(String::as_str), &mut faults);
        for (row, code) in (1..).zip(&self.codes) {
            let Some(validity) = last.get(code) else {
                faults.add(|| Fault::new(row, "codes", Kind::Unknown, code));
                continue;
            };
            match dated::retiring(*validity, self.last_day) {
                Ok(true) => ends.push((code.clone(), self.last_day, self.basis.notation())),
                Ok(false) => unchanged += 1,
                Err(_) => faults.add(|| Fault::new(row, "last_day", Kind::Range, code)),
            }
        }
        super::faults::refuse("codes", faults)?;
        let retired = i32::try_from(ends.len()).unwrap_or(i32::MAX);
        let change = RegisterChange {
            retired,
            unchanged,
            ..RegisterChange::default()
        };
        Ok((ends, change))
    }
}
