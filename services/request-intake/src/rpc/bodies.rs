//! What the methods of bodies read and show in the same way.

use jiff::civil::Date;
use legalstat_kit::{
    Call, Error, FieldReason, Refusal, Violations,
    door::{wire, word, word::Word as _},
    law::{LegalBasis, LocalizedText},
};
use legalstat_proto::{
    common::v1::{self as common, ErrorReason},
    requests::v1 as proto,
};
use tonic::Code;

use crate::domain::{
    body::{Body, BodyKind, Facts},
    identifiers, names,
};

/// The longest reason in words.
pub(super) const REASON: usize = 1000;
const TITLE: usize = 500;
const LAW: usize = 300;
const URI: usize = 500;

/// Reads the name of a body.
pub(super) fn name(violations: &mut Violations, field: &str, name: &str) -> Option<String> {
    let id = names::parse_body(name);
    if id.is_none() {
        let description = "write bodies/ and lower case letters and digits with hyphens between them, at most 64";
        violations.add(field, FieldReason::ResourceName, description);
    }
    id.map(str::to_owned)
}

/// Reads a day that need not be given.
pub(super) fn day(violations: &mut Violations, field: &str, given: Option<&common::Date>) -> Option<Date> {
    given.and_then(|given| violations.check(field, FieldReason::Date, wire::date(given)))
}

/// Reads all that is known of a body. `None` only when a violation was found.
pub(super) fn facts(violations: &mut Violations, given: &proto::Body) -> Option<Facts> {
    let title = title(violations, given.title.as_ref());
    let certificate_name = certificate_name(violations, &given.certificate_name);
    let bin = bin(violations, &given.bin);
    let kind = word::required(violations, "body.kind", given.kind, BodyKind::ALL, kind);
    let territory = territory(violations, &given.territory, kind);
    let legal_basis = legal_basis(violations, given.legal_basis.as_ref());
    let valid_to = day(violations, "body.valid_to", given.valid_to.as_ref());
    Some(Facts {
        title,
        certificate_name,
        bin,
        kind: kind?,
        territory,
        legal_basis: legal_basis?,
        valid_to,
    })
}

fn title(violations: &mut Violations, given: Option<&common::LocalizedText>) -> LocalizedText {
    let given = given.cloned().unwrap_or_default();
    let mut read =
        |language: &str, text: &str| violations.optional_name(&format!("body.title.{language}"), text, TITLE);
    let title = LocalizedText::new(read("kk", &given.kk), read("ru", &given.ru), read("en", &given.en));
    if title.kk.is_empty() && title.ru.is_empty() && title.en.is_empty() {
        violations.add("body.title", FieldReason::Required, "one language at least");
    }
    title
}

fn certificate_name(violations: &mut Violations, given: &str) -> Option<String> {
    if given.is_empty() {
        return None;
    }
    if !names::is_certificate_name(given) {
        let description = "letters, digits, '-', '_' and '.', at most 200, as certificates have it";
        violations.add("body.certificate_name", FieldReason::InvalidCharacter, description);
    }
    Some(given.to_owned())
}

fn bin(violations: &mut Violations, given: &str) -> Option<String> {
    if given.is_empty() {
        return None;
    }
    violations.check("body.bin", FieldReason::Bin, identifiers::check_bin(given));
    Some(given.to_owned())
}

fn territory(violations: &mut Violations, given: &str, kind: Option<BodyKind>) -> Option<String> {
    let field = "body.territory";
    let is_kato = given.len() == 9 && given.bytes().all(|byte| byte.is_ascii_digit());
    match kind {
        Some(BodyKind::TerritorialBody) if !is_kato => {
            violations.add(field, FieldReason::Territory, "required: a KATO code of nine digits");
        }
        Some(BodyKind::StateBody | BodyKind::Committee) if !given.is_empty() => {
            let description = "only a territorial body has one: leave it empty";
            violations.add(field, FieldReason::Conflict, description);
        }
        _ => {}
    }
    Some(given.to_owned()).filter(|given| !given.is_empty())
}

fn legal_basis(violations: &mut Violations, given: Option<&common::LegalBasis>) -> Option<LegalBasis> {
    let Some(given) = given else {
        let description = "required: the act and its provision";
        violations.add("body.legal_basis", FieldReason::Required, description);
        return None;
    };
    let act = violations.name("body.legal_basis.act", &given.act, LAW);
    let provision = violations.optional_name("body.legal_basis.provision", &given.provision, LAW);
    let uri = violations.optional_name("body.legal_basis.uri", &given.uri, URI);
    if !uri.is_empty() && !uri.starts_with("https://") {
        violations.add("body.legal_basis.uri", FieldReason::Uri, "begins with https://");
    }
    Some(LegalBasis::of_row(act, provision, uri, given.assumed))
}

pub(super) fn kind(kind: BodyKind) -> i32 {
    match kind {
        BodyKind::StateBody => proto::BodyKind::StateBody,
        BodyKind::Committee => proto::BodyKind::Committee,
        BodyKind::TerritorialBody => proto::BodyKind::TerritorialBody,
    }
    .into()
}

/// A body as a caller sees it: which certificate opens what is for officials to know.
pub(super) fn shown(body: &Body, call: &Call) -> proto::Body {
    let Facts {
        title,
        certificate_name,
        bin,
        kind,
        territory,
        legal_basis,
        valid_to,
    } = body.facts.clone();
    proto::Body {
        name: names::body(&body.id),
        title: Some(title.into()),
        certificate_name: certificate_name
            .filter(|_| call.caller.is_official())
            .unwrap_or_default(),
        bin: bin.unwrap_or_default(),
        kind: self::kind(kind),
        territory: territory.unwrap_or_default(),
        legal_basis: Some(legal_basis.into()),
        valid_from: Some(wire::to_date(body.valid_from)),
        valid_to: valid_to.map(wire::to_date),
        recorded_at: Some(wire::to_timestamp(body.recorded_at)),
        etag: etag(body),
    }
}

/// Which recording of a body this is.
pub(super) fn etag(body: &Body) -> String {
    body.number.to_string()
}

/// What the constraints of the table say of rows that do not go together.
pub(super) fn written<T>(id: &str, written: Result<T, sqlx::Error>) -> Result<T, Error> {
    let error = match written {
        Ok(written) => return Ok(written),
        Err(error) => error,
    };
    let constraint = match &error {
        sqlx::Error::Database(database) => database.constraint(),
        _ => None,
    };
    match constraint {
        Some("body_one_at_a_time" | "body_period") => {
            let message = format!("there is a {} for some of these days already", names::body(id));
            Err(Refusal::new(Code::AlreadyExists, ErrorReason::AlreadyExists, message).into())
        }
        Some("body_certificate_name_of_one") => {
            let description = "another body in force on some of these days has this certificate";
            Err(Violations::one("body.certificate_name", FieldReason::Duplicate, description).into())
        }
        _ => Err(error.into()),
    }
}
