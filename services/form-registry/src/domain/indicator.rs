//! What figures are of: indicators of forms, details of accounting documents, and the codes of their dimensions.

use std::{collections::HashMap, fmt, str::FromStr};

use legalstat_kit::{
    door::names::number,
    law::{LegalBasis, LocalizedText},
};

use super::dated::Dated;

/// The list of territories.
pub const KATO: &str = "KATO";
/// The list of units of account (Instruction, para 8).
pub const UNIT: &str = "UNIT";
/// The list of information accounting documents (Instruction, para 5).
pub const ACCOUNTING_DOCUMENT: &str = "ACCOUNTING_DOCUMENT";
/// What stands for the territory where dimensions are named.
pub const TERRITORY: &str = "TERRITORY";
/// The columns of a table of figures, which no dimension may be named as.
const COLUMNS: [&str; 5] = [TERRITORY, "PERIOD", "INDICATOR", "VALUE", "STATUS"];
/// How many characters an id or a code may have.
const LONGEST: usize = 40;

/// A code list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeList {
    /// Its id, for example `KATO`.
    pub id: String,
    pub title: LocalizedText,
    pub legal_basis: LegalBasis,
}

/// What a version says of a code: whose part it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeFacts {
    pub parent: Option<String>,
}

/// What a version says of an indicator or a detail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndicatorFacts {
    pub unit: String,
    pub measure: String,
    pub by_territory: bool,
    pub dimensions: Vec<Dimension>,
    pub restricted: bool,
}

/// A dimension, with the id of the list of its codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    pub id: String,
    pub code_list: String,
}

pub type Code = (String, Dated<CodeFacts>);
pub type Indicator = (String, Dated<IndicatorFacts>);

/// Whether a text is the id of a list: capital Latin letters, digits and underscores, a letter first.
pub fn is_list_id(text: &str) -> bool {
    text.len() <= LONGEST
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Whether a text is the id of a dimension: that of a list, and no other column of a table of figures.
pub fn is_dimension_id(text: &str) -> bool {
    is_list_id(text) && !COLUMNS.contains(&text)
}

/// Whether a text is a code: Latin letters, digits, `_`, `-` and `.`, a letter or digit first.
pub fn is_code(text: &str) -> bool {
    text.len() <= LONGEST
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

/// A text that names nothing in these registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterNameError {
    #[error("write codeLists/ and the id of the list, for example codeLists/KATO")]
    CodeList,
    #[error("write accountingDocuments/ and the code of the document")]
    Document,
    #[error("write forms/, the number in the list, /indicators/ and the code")]
    Indicator,
    #[error("write accountingDocuments/, the code of the document, /details/ and the code")]
    Detail,
}

/// Reads the name of a code list.
///
/// # Errors
/// Another notation.
pub fn parse_code_list(name: &str) -> Result<String, RegisterNameError> {
    let id = name.strip_prefix("codeLists/").filter(|id| is_list_id(id));
    id.map(str::to_owned).ok_or(RegisterNameError::CodeList)
}

/// Reads the name of an accounting document.
///
/// # Errors
/// Another notation.
pub fn parse_document(name: &str) -> Result<String, RegisterNameError> {
    let code = name.strip_prefix("accountingDocuments/").filter(|code| is_code(code));
    code.map(str::to_owned).ok_or(RegisterNameError::Document)
}

/// Which indicator of which form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IndicatorName {
    pub form: i32,
    pub code: String,
}

impl fmt::Display for IndicatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "forms/{}/indicators/{}", self.form, self.code)
    }
}

impl FromStr for IndicatorName {
    type Err = RegisterNameError;

    fn from_str(name: &str) -> Result<Self, RegisterNameError> {
        let read = || {
            let (form, code) = name.strip_prefix("forms/")?.split_once("/indicators/")?;
            let form = number(form)?;
            is_code(code).then(|| Self {
                form,
                code: code.into(),
            })
        };
        read().ok_or(RegisterNameError::Indicator)
    }
}

/// Which detail of which accounting document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DetailName {
    pub document: String,
    pub code: String,
}

impl fmt::Display for DetailName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "accountingDocuments/{}/details/{}", self.document, self.code)
    }
}

impl FromStr for DetailName {
    type Err = RegisterNameError;

    fn from_str(name: &str) -> Result<Self, RegisterNameError> {
        let read = || {
            let (document, code) = name.split_once("/details/")?;
            let document = parse_document(document).ok()?;
            is_code(code).then(|| Self {
                document,
                code: code.into(),
            })
        };
        read().ok_or(RegisterNameError::Detail)
    }
}

/// How many levels a code list may have.
const LEVELS: usize = 32;

/// A code that is a part of itself by its parents, or lies deeper than any list does; the codes come with their parents.
pub fn circle<'a>(parents: &HashMap<&'a str, &'a str>) -> Option<&'a str> {
    let ends = |code: &&&'a str| {
        let mut at = **code;
        (0..LEVELS).any(|_| match parents.get(at) {
            Some(parent) => {
                at = parent;
                false
            }
            None => true,
        })
    };
    parents.keys().filter(|code| !ends(code)).min().copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_and_codes_have_their_letters_only() {
        for id in ["KATO", "AGE_GROUP", "A1"] {
            assert!(is_list_id(id) && is_dimension_id(id), "{id}");
        }
        for id in ["", "kato", "1A", "_A", "A-B", "А", &"A".repeat(41)] {
            assert!(!is_list_id(id), "{id:?}");
        }
        for column in COLUMNS {
            assert!(is_list_id(column) && !is_dimension_id(column), "{column}");
        }
        for code in ["750000000", "m", "a.b-c_d", "1"] {
            assert!(is_code(code), "{code}");
        }
        for code in ["", "-", ".a", "a b", "м", "a/b", &"a".repeat(41)] {
            assert!(!is_code(code), "{code:?}");
        }
    }

    #[test]
    fn names_are_read_in_their_one_notation() {
        assert_eq!(parse_code_list("codeLists/KATO").as_deref(), Ok("KATO"));
        assert_eq!(parse_document("accountingDocuments/card-1").as_deref(), Ok("card-1"));
        assert!(parse_code_list("codelists/KATO").is_err() && parse_document("card-1").is_err());
        for name in [
            "forms/01/indicators/a",
            "forms/1/indicators/",
            "forms/1",
            "indicators/a",
            "forms/1/indicators/a/b",
        ] {
            assert_eq!(
                name.parse::<IndicatorName>(),
                Err(RegisterNameError::Indicator),
                "{name}"
            );
        }
        let detail: DetailName = "accountingDocuments/card-1/details/article".parse().expect("a name");
        assert_eq!((detail.document.as_str(), detail.code.as_str()), ("card-1", "article"));
        for name in [
            "accountingDocuments/card-1",
            "card-1/details/a",
            "accountingDocuments/a/details/",
            "accountingDocuments/a b/details/c",
        ] {
            assert_eq!(name.parse::<DetailName>(), Err(RegisterNameError::Detail), "{name}");
        }
    }

    #[test]
    fn a_code_that_is_a_part_of_itself_is_found() {
        let parents = HashMap::from([("a", "b"), ("b", "c"), ("d", "a")]);
        assert_eq!(circle(&parents), None);
        let parents = HashMap::from([("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]);
        assert_eq!(circle(&parents), Some("a"));
        assert_eq!(circle(&HashMap::from([("a", "a")])), Some("a"));
    }

    proptest! {
        #[test]
        fn a_name_is_written_as_it_is_read(name in "forms/[0-9]{0,3}/indicators/[a-z0-9.-]{0,5}") {
            if let Ok(read) = name.parse::<IndicatorName>() {
                prop_assert_eq!(read.to_string(), name);
            }
        }

        #[test]
        fn a_name_of_a_detail_is_written_as_it_is_read(name in "accountingDocuments/[a-z0-9.-]{0,3}/details/[a-z0-9.-]{0,5}") {
            if let Ok(read) = name.parse::<DetailName>() {
                prop_assert_eq!(read.to_string(), name);
            }
        }
    }
}
