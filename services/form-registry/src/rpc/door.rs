//! What several methods read from their requests in the same way.

use legalstat_kit::schema::Database;
use legalstat_kit::{Error, FieldReason, Violations};
use sqlx::PgExecutor;

use crate::{
    db,
    domain::{
        edition::{Edition, EditionKey},
        names,
    },
    error::FormsError,
};

/// Reads the name of an edition. A period of another kind than the form's breaks a rule of the name; a form that is not
/// registered does not: there is no such edition.
pub(super) async fn edition(
    violations: &mut Violations,
    db: &Database,
    field: &str,
    name: &str,
) -> Result<Option<EditionKey>, Error> {
    let key = match names::parse_edition(name) {
        Ok(key) => key,
        Err(problem) => {
            let reason = match problem {
                _ if name.is_empty() => FieldReason::Required,
                names::NameError::Period(_) => FieldReason::Period,
                names::NameError::Form | names::NameError::Edition => FieldReason::ResourceName,
            };
            violations.add(field, reason, problem.to_string());
            return Ok(None);
        }
    };
    violations.about(&key);
    if let Some(form) = db::form::get(db, key.form).await?
        && let Err(problem) = form.require_kind_of(key.period)
    {
        violations.add_by_law(field, FieldReason::PeriodKind, problem, &form.legal_basis);
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
        violations.add(field, FieldReason::Required, "required");
        return None;
    }
    violations.check(field, FieldReason::ResourceName, names::parse_form(name))
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
pub(super) async fn require_registered(db: &Database, form: Option<i32>) -> Result<(), Error> {
    match form {
        Some(number) if db::form::get(db, number).await?.is_none() => {
            Err(FormsError::NotFound(names::form(number)).into())
        }
        _ => Ok(()),
    }
}
