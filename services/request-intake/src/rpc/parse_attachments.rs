//! The door for the files of a request that is submitted.

use std::collections::{HashMap, HashSet};

use legalstat_kit::{FieldReason, Violations};
use legalstat_proto::requests::v1 as proto;
use uuid::Uuid;

use crate::domain::{
    attachment::{Attachment, Kind, MOST},
    names,
};

/// The ids of the attachments that a request names.
pub(super) fn ids(request: &proto::Request) -> impl Iterator<Item = Uuid> {
    let named = request.attachments.iter().take(MOST);
    named.filter_map(|attachment| names::parse_attachment(&attachment.name))
}

/// Reads the attachments of a request, which a caller has uploaded before. `found` are those that are there.
pub(super) fn attachments(
    violations: &mut Violations,
    request: &proto::Request,
    caller: &str,
    found: &HashMap<Uuid, Attachment>,
) -> Vec<Attachment> {
    let field = "request.attachments";
    if request.attachments.len() > MOST {
        violations.add(field, FieldReason::TooMany, format!("at most {MOST}"));
    }
    let (mut seen, mut read) = (HashSet::new(), Vec::new());
    for (place, named) in request.attachments.iter().enumerate().take(MOST) {
        let field = format!("{field}[{place}].name");
        let Some(id) = names::parse_attachment(&named.name) else {
            let description = "write attachments/ and the UUID in lower case, as UploadAttachment has answered";
            violations.add(field, FieldReason::ResourceName, description);
            continue;
        };
        if !seen.insert(id) {
            violations.add(field, FieldReason::Duplicate, "named twice");
            continue;
        }
        match found.get(&id).filter(|attachment| attachment.uploaded_by == caller) {
            None => violations.add(
                field,
                FieldReason::Unknown,
                "you have uploaded no such attachment, or it was dropped",
            ),
            Some(attachment) if attachment.request.is_some() => {
                violations.add(field, FieldReason::Conflict, "it belongs to a request already");
            }
            Some(attachment) => read.push(attachment.clone()),
        }
    }
    for kind in [Kind::SignedOriginal, Kind::Signature] {
        if read.iter().filter(|attachment| attachment.kind == kind).count() > 1 {
            let description = "a request has one signed original at most, and one signature of it";
            violations.add(field, FieldReason::Conflict, description);
        }
    }
    let is_there = |id: Uuid| read.iter().any(|attachment| attachment.id == id);
    if violations.is_empty() && !read.iter().filter_map(|attachment| attachment.signs).all(is_there) {
        let description = "a signature comes with the signed original that it signs";
        violations.add(field, FieldReason::Conflict, description);
    }
    read
}
