//! What several methods read from their requests in the same way.

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{Error, FieldReason, Refusal, Violations, door::wire, schema::Database};
use legalstat_proto::common::v1 as common;
use sqlx::PgConnection;

use crate::{
    db,
    domain::{
        edition::Edition,
        key::{self, EditionKey, NameError},
    },
};

/// Reads the name of an edition. Whether its period fits its form, [`find`] and [`sound`] tell: an edition that is found
/// needs no look at the register, and so a call that was answered before needs none.
pub(super) fn edition(violations: &mut Violations, field: &str, name: &str) -> Option<EditionKey> {
    let problem = match name.parse::<EditionKey>() {
        Ok(key) => {
            violations.about(&key);
            return Some(key);
        }
        Err(problem) => problem,
    };
    let reason = match problem {
        _ if name.is_empty() => FieldReason::Required,
        NameError::Period(_) => FieldReason::Period,
        NameError::Form | NameError::Edition => FieldReason::ResourceName,
    };
    violations.add(field, reason, problem.to_string());
    None
}

/// What was read beside the edition of this field, once nothing breaks a rule.
///
/// # Errors
/// All violations, also that of a period that does not fit.
pub(super) async fn sound<T>(
    mut violations: Violations,
    db: &Database,
    (field, key): (&str, Option<EditionKey>),
    read: Option<T>,
) -> Result<T, Error> {
    if let Some(key) = key.filter(|_| !violations.is_empty()) {
        let mut kind = Violations::new();
        require_period(&mut kind, &mut *db.connection().await?, field, key).await?;
        violations = violations.after(kind);
    }
    violations.sound(read)
}

/// The edition of a name that was read without violations, as it stands at an instant.
///
/// # Errors
/// A violation when the form is not placed for such periods; NOT_FOUND when the schedule has no such edition.
pub(super) async fn find(
    connection: &mut PgConnection,
    field: &str,
    key: EditionKey,
    now: Timestamp,
) -> Result<Edition, Error> {
    match db::edition::get(connection, key, now).await? {
        Some(edition) => Ok(edition),
        None => Err(missing(connection, field, key).await?),
    }
}

/// As [`find`], but nobody else changes the edition until the transaction ends.
///
/// # Errors
/// As [`find`].
pub(super) async fn lock(
    connection: &mut PgConnection,
    field: &str,
    key: EditionKey,
    now: Timestamp,
) -> Result<Edition, Error> {
    match db::edition::locked(connection, key, now).await? {
        Some(edition) => Ok(edition),
        None => Err(missing(connection, field, key).await?),
    }
}

async fn missing(connection: &mut PgConnection, field: &str, key: EditionKey) -> Result<Error, Error> {
    let mut violations = Violations::new();
    violations.about(&key);
    require_period(&mut violations, connection, field, key).await?;
    violations.refuse()?;
    Ok(Refusal::not_found(&key.to_string()).into())
}

/// A period of another kind than the form's breaks a rule of the name; a form that is not registered does not: there is no
/// such edition.
async fn require_period(
    violations: &mut Violations,
    connection: &mut PgConnection,
    field: &str,
    key: EditionKey,
) -> Result<(), Error> {
    if let Some(history) = db::form::history(connection, key.form).await?
        && let Err(problem) = history.require_kind_of(key.period)
    {
        let basis = &history.last().form.duty.legal_basis;
        violations.add_by_law(field, FieldReason::PeriodKind, problem, basis);
    }
    Ok(())
}

/// Reads a required reason, which everyone may read later.
pub(super) fn reason(violations: &mut Violations, given: &str) -> String {
    violations.text("reason", given, 2000)
}

/// Reads an optional number of a revision; 0 means none.
pub(super) fn revision(violations: &mut Violations, given: i32) -> Option<i32> {
    if given < 0 {
        violations.add("revision", FieldReason::OutOfRange, "1 or more, or 0 for none");
    }
    (given > 0).then_some(given)
}

/// Reads the name of a form.
pub(super) fn form(violations: &mut Violations, field: &str, name: &str) -> Option<i32> {
    if name.is_empty() {
        violations.add(field, FieldReason::Required, "required");
        return None;
    }
    violations.check(field, FieldReason::ResourceName, key::parse_form(name))
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
pub(super) async fn require_registered(connection: &mut PgConnection, form: Option<i32>) -> Result<(), Error> {
    match form {
        Some(number) if db::form::history(connection, number).await?.is_none() => {
            Err(Refusal::not_found(&key::form(number)).into())
        }
        _ => Ok(()),
    }
}

/// What editions to list, by their due dates.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DueRange {
    pub is_overdue: bool,
    pub from: Option<Date>,
    pub to: Option<Date>,
}

impl DueRange {
    /// Reads it.
    pub(super) fn read(
        violations: &mut Violations,
        is_overdue: bool,
        from: Option<&common::Date>,
        to: Option<&common::Date>,
    ) -> Self {
        let mut read = |field: &str, given: Option<&common::Date>| {
            given.and_then(|given| violations.check(field, FieldReason::Date, wire::date(given)))
        };
        let (from, to) = (read("due_from", from), read("due_to", to));
        if let Some((from, to)) = from.zip(to)
            && to < from
        {
            violations.add("due_to", FieldReason::Range, "not before due_from");
        }
        Self { is_overdue, from, to }
    }

    /// The same as a part of a query, so that a page token fits no other.
    pub(super) fn query(self) -> String {
        format!("{self:?}")
    }
}

/// A date as a part of a query.
pub(super) fn query_date(date: Option<&common::Date>) -> String {
    date.map(|date| format!("{date:?}")).unwrap_or_default()
}
