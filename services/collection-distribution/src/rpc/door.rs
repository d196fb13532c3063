//! What several methods read from their requests in the same way.

use legalstat_kit::schema::Database;
use legalstat_kit::{Error, FieldReason, Violations};
use sqlx::PgExecutor;

use crate::{
    db,
    domain::{
        collection::Collection,
        copy::CopyKey,
        edition::{Edition, EditionKey},
        names::{self, NameError},
    },
    error::CollectionsError,
};

/// Reads the name of an edition. A period that its collection is not sent for breaks a rule of the name; a collection
/// that is not registered does not: there is no such edition.
pub(super) async fn edition(
    violations: &mut Violations,
    db: &Database,
    field: &str,
    name: &str,
) -> Result<Option<EditionKey>, Error> {
    let key = resource(violations, field, name, names::parse_edition);
    if let Some(key) = &key {
        violations.about(key);
        require_period(violations, db, field, key).await?;
    }
    Ok(key)
}

/// Reads the name of a copy, whose period must fit its collection like an edition's.
pub(super) async fn copy(
    violations: &mut Violations,
    db: &Database,
    field: &str,
    name: &str,
) -> Result<Option<CopyKey>, Error> {
    let key = resource(violations, field, name, names::parse_copy);
    if let Some(key) = &key {
        violations.about(key);
        require_period(violations, db, field, &key.edition).await?;
    }
    Ok(key)
}

/// Reads a required resource name.
pub(super) fn resource<T>(
    violations: &mut Violations,
    field: &str,
    name: &str,
    parse: fn(&str) -> Result<T, NameError>,
) -> Option<T> {
    let problem = match parse(name) {
        Ok(read) => return Some(read),
        Err(problem) => problem,
    };
    let reason = match problem {
        _ if name.is_empty() => FieldReason::Required,
        NameError::Period(_) => FieldReason::Period,
        _ => FieldReason::ResourceName,
    };
    violations.add(field, reason, problem.to_string());
    None
}

async fn require_period(
    violations: &mut Violations,
    db: &Database,
    field: &str,
    key: &EditionKey,
) -> Result<(), Error> {
    if let Some(collection) = db::collection::get(&mut *db.connection().await?, &key.collection).await?
        && let Err(problem) = collection.require_period(key.period)
    {
        violations.add_by_law(field, FieldReason::PeriodKind, problem, &collection.legal_basis);
    }
    Ok(())
}

/// The collection of an id that was read without violations.
///
/// # Errors
/// NOT_FOUND when it is not registered.
pub(super) async fn find_collection(executor: impl PgExecutor<'_>, id: &str) -> Result<Collection, Error> {
    let found = db::collection::get(executor, id).await?;
    Ok(found.ok_or_else(|| CollectionsError::NotFound(names::collection(id)))?)
}

/// The edition of a name that was read without violations.
///
/// # Errors
/// NOT_FOUND when the schedule has no such edition.
pub(super) async fn find_edition(executor: impl PgExecutor<'_>, key: &EditionKey) -> Result<Edition, Error> {
    let found = db::edition::get(executor, key).await?;
    Ok(found.ok_or_else(|| CollectionsError::NotFound(key.to_string()))?)
}

/// Refuses a filter by a collection that is not registered: an empty list would pass for one without editions.
///
/// # Errors
/// NOT_FOUND.
pub(super) async fn require_registered(db: &Database, collection: Option<&str>) -> Result<(), Error> {
    if let Some(id) = collection {
        find_collection(&mut *db.connection().await?, id).await?;
    }
    Ok(())
}

/// Reads a required SHA-256 in hexadecimal.
pub(super) fn required_sha256(violations: &mut Violations, field: &str, value: &str) -> Option<[u8; 32]> {
    if value.is_empty() {
        violations.add(field, FieldReason::Required, "required");
    }
    violations.sha256(field, value)
}
