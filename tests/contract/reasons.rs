//! The reasons of violations and of errors: the type system lets none be sent that the contract does not list, and these tests let
//! none be listed that is never sent.

use legalstat_proto::common::v1::{ErrorReason, FieldReason};
use prost_reflect::EnumDescriptor;

use crate::{lint::contracts, sources};

pub(crate) const ERRORS: &str = "legalstat.common.v1.ErrorReason";
pub(crate) const FIELDS: &str = "legalstat.common.v1.FieldReason";

/// Every value of an enumeration but the one that is never sent. Numbers have gaps, for contracts grow side by side.
pub(crate) fn values<T: TryFrom<i32>>(name: &str) -> Vec<T> {
    let listed: EnumDescriptor = contracts().get_enum_by_name(name).expect("it is in the contracts");
    let numbers: Vec<i32> = listed
        .values()
        .map(|value| value.number())
        .filter(|number| *number != 0)
        .collect();
    assert!(numbers.len() > 30, "{name}: {numbers:?}");
    numbers
        .into_iter()
        .filter_map(|number| T::try_from(number).ok())
        .collect()
}

fn code() -> Vec<String> {
    let sources = sources::all().into_iter().filter(|source| !source.is_test());
    sources.map(|source| source.code().to_owned()).collect()
}

#[test]
fn every_reason_of_a_violation_is_sent_somewhere() {
    let code = code();
    let sent = |reason: &FieldReason| {
        let name = format!("FieldReason::{reason:?}");
        let is_it = |text: &String| text.match_indices(&name).any(|(at, _)| ends(&text[at + name.len()..]));
        code.iter().any(is_it)
    };
    let listed: Vec<FieldReason> = values(FIELDS);
    assert!(
        listed.contains(&FieldReason::Territory),
        "those behind the gaps are looked at too"
    );
    let never: Vec<FieldReason> = listed.into_iter().filter(|reason| !sent(reason)).collect();
    assert!(never.is_empty(), "listed, but never sent: {never:?}");
}

#[test]
fn every_reason_of_an_error_is_sent_somewhere() {
    // Where many are sent, they are imported and named alone.
    let code: Vec<String> = code().into_iter().filter(|text| text.contains("ErrorReason")).collect();
    let sent = |reason: &ErrorReason| {
        let name = format!("{reason:?}");
        let begins = |text: &str| !text.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let is_it = |text: &String| {
            let mut found = text.match_indices(&name);
            found.any(|(at, _)| begins(&text[..at]) && ends(&text[at + name.len()..]))
        };
        code.iter().any(is_it)
    };
    let listed: Vec<ErrorReason> = values(ERRORS);
    let never: Vec<ErrorReason> = listed.into_iter().filter(|reason| !sent(reason)).collect();
    assert!(never.is_empty(), "listed, but never sent: {never:?}");
}

/// Whether a name ends where this text begins.
fn ends(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}
