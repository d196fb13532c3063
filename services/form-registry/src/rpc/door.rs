//! What several methods read from their requests in the same way.

use legalstat_kit::{Error, Violations};
use sqlx::{PgExecutor, PgPool};

use crate::{
    db,
    domain::{
        edition::{Edition, EditionKey},
        names, schedule,
    },
    error::FormsError,
};

/// Reads the name of an edition. A period of another kind than the form's breaks a rule of the name; a form that is not
/// registered does not: there is no such edition.
pub(super) async fn edition(
    violations: &mut Violations,
    db: &PgPool,
    field: &str,
    name: &str,
) -> Result<Option<EditionKey>, Error> {
    let key = match names::parse_edition(name) {
        Ok(key) => key,
        Err(problem) => {
            let reason = match problem {
                _ if name.is_empty() => "REQUIRED",
                names::NameError::Period(_) => "PERIOD",
                names::NameError::Form | names::NameError::Edition => "RESOURCE_NAME",
            };
            violations.add(field, reason, problem.to_string());
            return Ok(None);
        }
    };
    if let Some(form) = db::form::get(db, key.form).await?
        && let Err(problem) = form.require_kind_of(key.period)
    {
        violations.add_by_law(field, "PERIOD_KIND", problem, &form.legal_basis);
    }
    Ok(Some(key))
}

/// The edition of a name that was read without violations.
///
/// # Errors
/// NOT_FOUND when the schedule has no such edition.
pub(super) async fn find(executor: impl PgExecutor<'_>, key: EditionKey) -> Result<Edition, Error> {
    let found = db::edition::get(executor, key).await?;
    Ok(found.ok_or_else(|| FormsError::NotFound(key.to_string()))?)
}

/// Reads the name of a form.
pub(super) fn form(violations: &mut Violations, field: &str, name: &str) -> Option<i32> {
    if name.is_empty() {
        violations.add(field, "REQUIRED", "required");
        return None;
    }
    violations.check(field, "RESOURCE_NAME", names::parse_form(name))
}

/// Reads the name of a form to list for; empty means all.
pub(super) fn optional_form(violations: &mut Violations, field: &str, name: &str) -> Option<i32> {
    if name.is_empty() {
        None
    } else {
        form(violations, field, name)
    }
}

/// Refuses a filter by a form that is not registered: an empty list would pass for a form without editions.
///
/// # Errors
/// NOT_FOUND.
pub(super) async fn require_registered(db: &PgPool, form: Option<i32>) -> Result<(), Error> {
    match form {
        Some(number) if db::form::get(db, number).await?.is_none() => {
            Err(FormsError::NotFound(names::form(number)).into())
        }
        _ => Ok(()),
    }
}

/// Reads a required year of the schedule.
pub(super) fn year(violations: &mut Violations, field: &str, year: i32) -> Option<i16> {
    let found = i16::try_from(year).ok().filter(|year| schedule::YEARS.contains(year));
    if found.is_none() {
        let (first, last) = (schedule::YEARS.start(), schedule::YEARS.end());
        violations.add(field, "OUT_OF_RANGE", format!("{first} to {last}"));
    }
    found
}

/// What was read, once it is sure that nothing breaks a rule.
///
/// # Errors
/// The violations found.
pub(super) fn sound<T>(violations: Violations, read: Option<T>) -> Result<T, Error> {
    violations.refuse()?;
    Ok(read.ok_or_else(|| anyhow::anyhow!("a field could not be read, but no violation was recorded"))?)
}

/// Names the edition that a refusal concerns, for the journal.
pub(super) fn about(error: Error, key: Option<EditionKey>) -> Error {
    match (error, key) {
        (Error::Refusal(refusal), Some(key)) => refusal.resource(&key.to_string()).into(),
        (error, _) => error,
    }
}
