//! What the methods of recipients read and show in the same way.

use jiff::civil::Date;
use legalstat_kit::{
    Call, Caller, Error, FieldReason, Refusal, Violations,
    door::wire,
    law::{LegalBasis, LocalizedText},
};
use legalstat_proto::{
    collections::v1 as proto,
    common::v1::{self as common, ErrorReason},
};
use rustls::pki_types::ServerName;
use tonic::{Code, codegen::http::Uri};

use super::door;
use crate::domain::{
    key,
    recipient::{Facts, Known},
};

/// The longest reason in words.
pub(super) const REASON: usize = 1000;
const NAME: usize = 500;
const CERTIFICATE_NAME: usize = 200;
const LAW: usize = 300;
const URI: usize = 500;
/// The last column that a list may have.
const COLUMNS: i32 = 1000;

/// Reads a day that need not be given.
pub(super) fn day(violations: &mut Violations, field: &str, given: Option<&common::Date>) -> Option<Date> {
    given.and_then(|given| violations.check(field, FieldReason::Date, wire::date(given)))
}

/// Reads the column of a recipient that is entered: none for one that is no column of Appendix 1.
pub(super) fn column(violations: &mut Violations, given: i32) -> Option<i32> {
    match given {
        0 => None,
        2..=COLUMNS => Some(given),
        _ => {
            violations.add(
                "recipient.column",
                FieldReason::OutOfRange,
                format!("0, or 2 to {COLUMNS}"),
            );
            None
        }
    }
}

/// Reads all that is known of a recipient. `None` only when a violation was found.
pub(super) fn facts(violations: &mut Violations, given: &proto::Recipient) -> Option<Facts> {
    let name = name(violations, given.display_name.as_ref());
    let parent = other(violations, "recipient.parent", &given.parent, &given.name);
    let certificate_name = certificate_name(violations, &given.certificate_name);
    let endpoint = endpoint(violations, &given.endpoint);
    let successor = other(violations, "recipient.successor", &given.successor, &given.name);
    let legal_basis = legal_basis(violations, "recipient.legal_basis", given.legal_basis.as_ref());
    let valid_to = day(violations, "recipient.valid_to", given.valid_to.as_ref());
    if !given.successor.is_empty() && given.valid_to.is_none() {
        let description = "a recipient that goes on has none: give its last day too";
        violations.add("recipient.successor", FieldReason::Conflict, description);
    }
    Some(Facts {
        name,
        parent,
        certificate_name,
        endpoint,
        successor,
        legal_basis: legal_basis?,
        valid_to,
    })
}

fn name(violations: &mut Violations, given: Option<&common::LocalizedText>) -> LocalizedText {
    let given = given.cloned().unwrap_or_default();
    let mut read = |language: &str, text: &str| {
        violations.optional_name(&format!("recipient.display_name.{language}"), text, NAME)
    };
    let name = LocalizedText::new(read("kk", &given.kk), read("ru", &given.ru), read("en", &given.en));
    if name.kk.is_empty() && name.ru.is_empty() && name.en.is_empty() {
        violations.add("recipient.display_name", FieldReason::Required, "one language at least");
    }
    name
}

/// Reads the name of another recipient, which need not be given.
fn other(violations: &mut Violations, field: &str, given: &str, own: &str) -> Option<String> {
    if given.is_empty() {
        return None;
    }
    if given == own {
        violations.add(field, FieldReason::Conflict, "another recipient than itself");
    }
    door::resource(violations, field, given, key::parse_recipient)
}

fn certificate_name(violations: &mut Violations, given: &str) -> Option<String> {
    if given.is_empty() {
        return None;
    }
    if given.len() > CERTIFICATE_NAME {
        let description = format!("at most {CERTIFICATE_NAME} characters");
        violations.add("recipient.certificate_name", FieldReason::TooLong, description);
    }
    let checked = Caller::check_name(given);
    violations.check("recipient.certificate_name", FieldReason::InvalidCharacter, checked);
    Some(given.to_owned())
}

fn endpoint(violations: &mut Violations, given: &str) -> Option<String> {
    if given.is_empty() {
        return None;
    }
    let field = "recipient.endpoint";
    if given.len() > URI {
        violations.add(field, FieldReason::TooLong, format!("at most {URI} characters"));
    }
    if !names_a_server(given) {
        let description = "https:// with a host that a certificate can name and perhaps a port, and nothing behind it";
        violations.add(field, FieldReason::Uri, description);
    }
    Some(given.to_owned())
}

fn names_a_server(given: &str) -> bool {
    given.parse::<Uri>().is_ok_and(|uri| {
        let authority = uri.authority();
        uri.scheme_str() == Some("https")
            && uri.query().is_none()
            && matches!(uri.path(), "" | "/")
            && authority.is_some_and(|authority| !authority.as_str().contains('@') && is_nameable(authority.host()))
            && !given.ends_with('/')
    })
}

/// Whether a certificate can name a host, without which no connection to it can be secured: `127.1` is an address to some resolvers only.
fn is_nameable(host: &str) -> bool {
    ServerName::try_from(host.trim_matches(['[', ']'])).is_ok()
}

/// Reads a required legal basis.
pub(super) fn legal_basis(
    violations: &mut Violations,
    field: &str,
    given: Option<&common::LegalBasis>,
) -> Option<LegalBasis> {
    let Some(given) = given else {
        violations.add(field, FieldReason::Required, "required: the act and its provision");
        return None;
    };
    let act = violations.name(&format!("{field}.act"), &given.act, LAW);
    let provision = violations.optional_name(&format!("{field}.provision"), &given.provision, LAW);
    let uri = violations.optional_name(&format!("{field}.uri"), &given.uri, URI);
    if !uri.is_empty() && !uri.starts_with("https://") {
        violations.add(format!("{field}.uri"), FieldReason::Uri, "begins with https://");
    }
    Some(LegalBasis::of_row(act, provision, uri, given.assumed))
}

/// A recipient as a caller sees it: which certificate opens what, and where its server stands, is for officials to know.
pub(super) fn shown(known: &Known, call: &Call) -> proto::Recipient {
    let mut shown = whole(known);
    if !call.caller.is_official() {
        shown.certificate_name.clear();
        shown.endpoint.clear();
    }
    shown
}

/// All that is known of a recipient.
pub(super) fn whole(known: &Known) -> proto::Recipient {
    let facts = known.facts.clone();
    let named = |id: Option<String>| id.as_deref().map(key::recipient).unwrap_or_default();
    proto::Recipient {
        name: key::recipient(&known.id),
        display_name: Some(facts.name.into()),
        column: known.appendix_column.unwrap_or_default(),
        parent: named(facts.parent),
        legal_basis: Some(facts.legal_basis.into()),
        valid_from: Some(wire::to_date(known.valid_from)),
        valid_to: facts.valid_to.map(wire::to_date),
        certificate_name: facts.certificate_name.unwrap_or_default(),
        endpoint: facts.endpoint.unwrap_or_default(),
        successor: named(facts.successor),
        recorded_at: known.recorded_at.map(wire::to_timestamp),
        etag: etag(known),
    }
}

/// Which recording of a recipient this is.
pub(super) fn etag(known: &Known) -> String {
    known.number.to_string()
}

/// What the constraints of the table say of rows that do not go together; another write than the one that was decided on may have come
/// first.
pub(super) fn written<T>(id: &str, written: Result<T, sqlx::Error>) -> Result<T, Error> {
    let error = match written {
        Ok(written) => return Ok(written),
        Err(error) => error,
    };
    let constraint = match &error {
        sqlx::Error::Database(database) => database.constraint(),
        _ => None,
    };
    let violation = |field, reason, description| Err(Violations::one(field, reason, description).into());
    match constraint {
        Some("recipient_detail_one_at_a_time" | "recipient_detail_period") => {
            let message = format!(
                "there is something else for some of these days of {}",
                key::recipient(id)
            );
            Err(Refusal::new(Code::AlreadyExists, ErrorReason::AlreadyExists, message).into())
        }
        Some("recipient_detail_certificate_name_of_one") => violation(
            "recipient.certificate_name",
            FieldReason::Duplicate,
            "another recipient in force on some of these days has this certificate",
        ),
        Some("recipient_detail_parent" | "recipient_parent") => {
            violation("recipient.parent", FieldReason::Unknown, "there is no such recipient")
        }
        Some("recipient_detail_successor") => violation(
            "recipient.successor",
            FieldReason::Unknown,
            "there is no such recipient",
        ),
        _ => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::names_a_server;

    #[test]
    fn an_endpoint_is_a_server_and_nothing_behind_it() {
        for good in ["https://court.example", "https://10.0.0.1:8443", "https://[::1]:8443"] {
            assert!(names_a_server(good), "{good}");
        }
        for wrong in [
            "http://court.example",
            "court.example",
            "https://",
            "https://court.example/",
            "https://court.example/inbox",
            "https://court.example?a=1",
            "https://user@court.example",
            "https://court example",
            "https://127.1:7650",
            "https://court..example",
        ] {
            assert!(!names_a_server(wrong), "{wrong}");
        }
    }
}
