//! Who sees a request: one decision for every method.

use legalstat_kit::{Call, Context, Error, zone};
use uuid::Uuid;

use crate::{
    current_rules::CurrentRules,
    db::request::Stored,
    domain::{names, viewer::Viewer},
    error,
};

/// What a caller sees, by the bodies of a revision of the rules or a later one. Of officials nothing is asked.
pub(super) async fn viewer(
    rules: &CurrentRules,
    context: &Context,
    call: &Call,
    revision: i64,
) -> Result<Viewer, sqlx::Error> {
    if call.caller.is_official() {
        return Ok(Viewer::Official);
    }
    let rules = rules.of_revision(&context.db, revision).await?;
    let today = zone::civil_day(context.now());
    Ok(Viewer::of(&call.caller.name, false, &rules.bodies, today))
}

/// A request whose personal data are there, if its caller sees it.
///
/// # Errors
/// As [`visible`]; DATA_ERASED.
pub(super) async fn whole(
    rules: &CurrentRules,
    context: &Context,
    call: &Call,
    id: Uuid,
    found: Option<Stored>,
) -> Result<Stored, Error> {
    let stored = visible(rules, context, call, id, found).await?;
    match &stored.standing.erased {
        Some(erasure) => Err(erasure.told(&names::request(id)).refusal().into()),
        None => Ok(stored),
    }
}

/// A request, if its caller sees it; for anybody else there is none. It costs no statement more than the one that read it, unless
/// the bodies have changed since they were last read.
///
/// # Errors
/// NOT_FOUND; when the database fails.
pub(super) async fn visible(
    rules: &CurrentRules,
    context: &Context,
    call: &Call,
    id: Uuid,
    found: Option<Stored>,
) -> Result<Stored, Error> {
    let stored = found.ok_or_else(|| error::not_found(id))?;
    let viewer = viewer(rules, context, call, stored.rules_revision).await?;
    let requester_bin = stored.submission.requester.bin.as_deref();
    if viewer.sees(&stored.receipt.accepted_by, requester_bin) {
        Ok(stored)
    } else {
        Err(error::not_found(id).into())
    }
}
