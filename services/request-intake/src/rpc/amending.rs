//! How fields of a request are mended or supplied: what it holds now and what is given pass the door together, as if all of it
//! were submitted anew.

use jiff::Timestamp;
use legalstat_kit::{Error, FieldReason, Violations};
use legalstat_proto::requests::v1 as proto;
use prost_types::FieldMask;
use sqlx::PgConnection;

use super::{
    convert,
    parse::{self, Door},
};
use crate::{
    db::{self, request::Stored},
    domain::{
        examination::Examination,
        request::{Request, State, Submission},
        rules::Rules,
    },
};

/// Copies one field from what is given into what stands.
type Copy = fn(&mut proto::Request, &proto::Request);

/// The fields that can be changed.
const FIELDS: [(&str, Copy); 12] = [
    ("requester.full_name", |to, from| {
        requester(to).full_name = given(from).full_name;
    }),
    ("requester.bin", |to, from| requester(to).bin = given(from).bin),
    ("requester.iin", |to, from| requester(to).iin = given(from).iin),
    ("requester.postal_address", |to, from| {
        requester(to).postal_address = given(from).postal_address;
    }),
    ("signatory", |to, from| to.signatory.clone_from(&from.signatory)),
    ("external_number", |to, from| {
        to.external_number.clone_from(&from.external_number);
    }),
    ("external_date", |to, from| to.external_date = from.external_date),
    ("addressee", |to, from| to.addressee.clone_from(&from.addressee)),
    ("essence", |to, from| to.essence.clone_from(&from.essence)),
    ("language", |to, from| to.language = from.language),
    ("reports_crime_or_threat", |to, from| {
        to.reports_crime_or_threat = from.reports_crime_or_threat;
    }),
    ("items", |to, from| to.items.clone_from(&from.items)),
];

fn requester(request: &mut proto::Request) -> &mut proto::Requester {
    request.requester.get_or_insert_default()
}

fn given(request: &proto::Request) -> proto::Requester {
    request.requester.clone().unwrap_or_default()
}

/// The fields to change, as they were named.
pub(super) struct Amendment {
    fields: Vec<Copy>,
    given: proto::Request,
}

impl Amendment {
    /// Reads which fields are to change; none is a violation only if `required`.
    pub(super) fn read(
        violations: &mut Violations,
        mask: Option<&FieldMask>,
        given: Option<&proto::Request>,
        required: bool,
    ) -> Self {
        let paths: &[String] = mask.map_or(&[], |mask| &mask.paths);
        if required && paths.is_empty() {
            violations.add(
                "update_mask",
                FieldReason::Required,
                "required: name the fields to change",
            );
        }
        if !paths.is_empty() && given.is_none() {
            violations.add("request", FieldReason::Required, "required with update_mask");
        }
        let mut fields = Vec::with_capacity(paths.len().min(FIELDS.len()));
        for (place, path) in paths.iter().enumerate().take(FIELDS.len() * 2) {
            let field = format!("update_mask.paths[{place}]");
            match FIELDS.iter().find(|(name, _)| name == path) {
                Some((_, copy)) => fields.push(*copy),
                None if ["channel", "requester", "requester.kind", "received_at"].contains(&path.as_str()) => {
                    let description = "cannot be changed: who may bring it, its term or its due date hang on it; return the \
                                       request, and have it recorded anew";
                    violations.add(field, FieldReason::Conflict, description);
                }
                None => {
                    let known = FIELDS.map(|(name, _)| name).join(", ");
                    violations.add(field, FieldReason::Unknown, format!("one of {known}"));
                }
            }
        }
        if paths.len() > FIELDS.len() * 2 {
            violations.add(
                "update_mask",
                FieldReason::TooMany,
                format!("at most {}", FIELDS.len() * 2),
            );
        }
        Self {
            fields,
            given: given.cloned().unwrap_or_default(),
        }
    }

    /// The request with what is given in it.
    ///
    /// # Errors
    /// Every rule of the door that it breaks then; an item that is left out.
    pub(super) fn apply(&self, stands: &Stored, rules: &Rules, now: Timestamp) -> Result<Submission, Error> {
        let mut merged = as_sent(stands);
        for copy in &self.fields {
            copy(&mut merged, &self.given);
        }
        let mut violations = Violations::new();
        if merged.items.len() < stands.submission.items.len() {
            let description = "items can be mended and added, and none left out: give all of them";
            violations.add("request.items", FieldReason::Conflict, description);
        }
        let door = Door {
            rules,
            now,
            // When it was received stays as it was recorded.
            records: true,
        };
        let submission = parse::submission(&mut violations, &merged, &door);
        violations.sound(submission)
    }
}

/// Whether a request waits for nothing but what its examination has asked for: it has no number, and no official waits for an answer.
pub(super) async fn asked_by_examination(connection: &mut PgConnection, stands: &Stored) -> Result<bool, Error> {
    if stands.standing.state != State::AwaitingClarification || stands.registration_number.is_some() {
        return Ok(false);
    }
    let open = db::clarification::open(connection, stands.receipt.id).await?;
    Ok(open.iter().all(|question| question.by_official.is_none()))
}

/// The request as it would be submitted now.
fn as_sent(stands: &Stored) -> proto::Request {
    convert::request(Request {
        receipt: None,
        submission: stands.submission.clone(),
        examination: Examination {
            state: stands.standing.state,
            checks: Vec::new(),
            clarifications: Vec::new(),
            deadline: None,
        },
        examined_at: stands.examined_at,
        registration_number: None,
        standing: stands.standing.clone(),
    })
}
