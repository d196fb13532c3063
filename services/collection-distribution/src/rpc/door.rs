//! What several methods read from their requests in the same way.

use std::fmt::Display;

use jiff::Timestamp;
use legalstat_kit::{Call, Error, FieldReason, Refusal, Violations, schema::Database, zone};
use sqlx::PgConnection;

use crate::{
    db,
    domain::{
        collection::Collection,
        copy::Copy,
        edition::Edition,
        key::{self, CopyKey, EditionKey, NameError},
    },
    error,
};

/// How many characters the name of a file has at most.
pub(super) const FILENAME: usize = 255;

/// Reads the name of an edition. Whether its period fits its collection, [`find`] and [`sound`] tell: an edition that is
/// found needs no look at the register, and so a call that was answered before needs none.
pub(super) fn edition(violations: &mut Violations, field: &str, name: &str) -> Option<EditionKey> {
    let key: Option<EditionKey> = resource(violations, field, name, str::parse);
    key.inspect(|key| violations.about(key))
}

/// Reads the name of a copy, whose period must fit its collection like an edition's.
pub(super) fn copy(violations: &mut Violations, field: &str, name: &str) -> Option<CopyKey> {
    let key: Option<CopyKey> = resource(violations, field, name, str::parse);
    key.inspect(|key| violations.about(key))
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

/// Reads the name of a collection to list for; empty means all.
pub(super) fn optional_collection(violations: &mut Violations, field: &str, name: &str) -> Option<String> {
    match name {
        "" => None,
        name => resource(violations, field, name, key::parse_collection),
    }
}

/// Reads the name of a recipient to list for; empty means all.
pub(super) fn optional_recipient(violations: &mut Violations, field: &str, name: &str) -> Option<String> {
    match name {
        "" => None,
        name => resource(violations, field, name, key::parse_recipient),
    }
}

/// What was read beside the edition of this field, once nothing breaks a rule.
///
/// # Errors
/// All violations, also that of a period that does not fit.
pub(super) async fn sound<T>(
    mut violations: Violations,
    db: &Database,
    (field, edition): (&str, Option<&EditionKey>),
    read: Option<T>,
) -> Result<T, Error> {
    if let Some(edition) = edition.filter(|_| !violations.is_empty()) {
        let mut kind = Violations::new();
        require_period(&mut kind, &mut *db.connection().await?, field, edition).await?;
        violations = violations.after(kind);
    }
    violations.sound(read)
}

/// The edition of a name that was read without violations.
///
/// # Errors
/// A violation when the collection is not sent for the period; NOT_FOUND when the schedule has no such edition.
pub(super) async fn find(connection: &mut PgConnection, field: &str, key: &EditionKey) -> Result<Edition, Error> {
    match db::edition::get(connection, key).await? {
        Some(edition) => Ok(edition),
        None => Err(missing(connection, field, key, key).await?),
    }
}

/// As [`find`], but nobody else changes the edition until the transaction ends.
///
/// # Errors
/// As [`find`].
pub(super) async fn lock(connection: &mut PgConnection, field: &str, key: &EditionKey) -> Result<Edition, Error> {
    match db::edition::locked(connection, key).await? {
        Some(edition) => Ok(edition),
        None => Err(missing(connection, field, key, key).await?),
    }
}

/// The ids of the recipients for which the caller's certificate speaks today: the one that it names first, then those that ended and that
/// it follows; none when it names none.
///
/// # Errors
/// When the database fails.
pub(super) async fn spoken_for(
    connection: &mut PgConnection,
    call: &Call,
    now: Timestamp,
) -> Result<Vec<String>, Error> {
    let today = zone::civil_day(now);
    Ok(db::recipient_detail::spoken_for(connection, &call.caller.name, today).await?)
}

/// Whose copies a caller is told of: an official's choice, where `None` is everyone; a recipient's own and those of whom it follows, or the
/// one of them that it asks for.
///
/// # Errors
/// NOT_FOUND for an official; a refusal to a recipient that asks for another's.
pub(super) async fn visible_recipients(
    connection: &mut PgConnection,
    call: &Call,
    asked: Option<String>,
    now: Timestamp,
) -> Result<Option<Vec<String>>, Error> {
    if !call.caller.is_official() {
        let own = spoken_for(connection, call, now).await?;
        return match asked {
            Some(asked) if !own.contains(&asked) => Err(error::copies_of_another(&key::recipient(&asked)).into()),
            Some(asked) => Ok(Some(vec![asked])),
            None => Ok(Some(own)),
        };
    }
    match asked {
        Some(asked) if !db::recipient::exists(connection, &asked).await? => {
            Err(Refusal::not_found(&key::recipient(&asked)).into())
        }
        asked => Ok(asked.map(|asked| vec![asked])),
    }
}

/// A copy of the caller's, or of a recipient that it follows, held against other writers; and who speaks for the copy's recipient where that
/// has ended.
///
/// # Errors
/// As [`own`].
pub(super) async fn lock_own(
    connection: &mut PgConnection,
    call: &Call,
    key: &CopyKey,
    now: Timestamp,
) -> Result<(Copy, Option<String>), Error> {
    let recipients = spoken_for(connection, call, now).await?;
    let found = db::copy::lock_own(connection, key, &recipients).await?;
    let copy = own(connection, "name", key, found).await?;
    let successor = recipients.into_iter().next().filter(|id| *id != copy.recipient);
    Ok((copy, successor))
}

/// A copy that the caller may see: an official any, a recipient its own and those of whom it follows.
///
/// # Errors
/// As [`own`].
pub(super) async fn visible_copy(
    connection: &mut PgConnection,
    call: &Call,
    field: &str,
    key: &CopyKey,
    now: Timestamp,
) -> Result<Copy, Error> {
    let found = if call.caller.is_official() {
        db::copy::get(connection, key).await?
    } else {
        let recipients = spoken_for(connection, call, now).await?;
        db::copy::get_own(connection, key, &recipients).await?
    };
    own(connection, field, key, found).await
}

/// What was found of the caller's own copies.
///
/// # Errors
/// A violation when the collection is not sent for the period; NOT_FOUND when there is no such copy, or not for this caller.
pub(super) async fn own(
    connection: &mut PgConnection,
    field: &str,
    key: &CopyKey,
    found: Option<Copy>,
) -> Result<Copy, Error> {
    match found {
        Some(copy) => Ok(copy),
        None => Err(missing(connection, field, key, &key.edition).await?),
    }
}

async fn missing(
    connection: &mut PgConnection,
    field: &str,
    resource: &impl Display,
    edition: &EditionKey,
) -> Result<Error, Error> {
    let mut violations = Violations::new();
    violations.about(resource);
    require_period(&mut violations, connection, field, edition).await?;
    violations.refuse()?;
    Ok(Refusal::not_found(&resource.to_string()).into())
}

/// A period that its collection is not sent for breaks a rule of the name; a collection that is not registered does not:
/// there is no such edition.
async fn require_period(
    violations: &mut Violations,
    connection: &mut PgConnection,
    field: &str,
    key: &EditionKey,
) -> Result<(), Error> {
    if let Some(collection) = db::collection::get(connection, &key.collection).await?
        && let Err(problem) = collection.require_period(key.period)
    {
        violations.add_by_law(field, FieldReason::PeriodKind, problem, &collection.duty.legal_basis);
    }
    Ok(())
}

/// The collection of an id that was read without violations.
///
/// # Errors
/// NOT_FOUND when it is not registered.
pub(super) async fn find_collection(connection: &mut PgConnection, id: &str) -> Result<Collection, Error> {
    let found = db::collection::get(connection, id).await?;
    Ok(found.ok_or_else(|| Refusal::not_found(&key::collection(id)))?)
}

/// Refuses a filter by a collection that is not registered: an empty list would pass for one without editions.
///
/// # Errors
/// NOT_FOUND.
pub(super) async fn require_registered(connection: &mut PgConnection, collection: Option<&str>) -> Result<(), Error> {
    if let Some(id) = collection {
        find_collection(connection, id).await?;
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
