//! `collections.distribution_list` with `collections.resolved_cell` and `collections.resolved_group`: the versions after the register's.

use anyhow::Context as _;
use jiff::civil::Date;
use legalstat_kit::{call::Done, door::word::Word, law::LegalBasis};
use sqlx::PgConnection;

use crate::domain::{
    distribution::{Cell, Distribution, Group},
    distribution_list::{ListState, Version},
};

struct Row {
    collection: String,
    version: i32,
    base_version: i32,
    valid_from: jiff_sqlx::Date,
    state: String,
    copies_total: i32,
    act_changes: bool,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
    reason: String,
    proposed_at: jiff_sqlx::Timestamp,
    proposed_by: String,
    decision_reason: Option<String>,
    decided_at: Option<jiff_sqlx::Timestamp>,
    decided_by: Option<String>,
}

impl TryFrom<Row> for Version {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let decided = row.decided_at.zip(row.decided_by).zip(row.decision_reason);
        Ok(Self {
            collection: row.collection,
            version: row.version,
            base_version: row.base_version,
            valid_from: row.valid_from.to_jiff(),
            state: ListState::read_stored(&row.state, "state")?,
            copies_total: row.copies_total,
            act_changes: row.act_changes,
            legal_basis: LegalBasis::of_row(
                row.legal_basis_act,
                row.legal_basis_provision,
                row.legal_basis_uri,
                row.legal_basis_assumed,
            ),
            reason: row.reason,
            proposed: Done {
                at: row.proposed_at.to_jiff(),
                by: row.proposed_by,
            },
            decided: decided.map(|((at, by), reason)| (Done { at: at.to_jiff(), by }, reason)),
        })
    }
}

/// Which versions to read.
#[derive(Debug, Default)]
pub struct Filter {
    pub state: Option<ListState>,
    /// Only this one.
    pub version: Option<i32>,
    /// Only those after this one.
    pub after: i32,
}

/// The versions of a collection's list, by number.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(
    connection: &mut PgConnection,
    collection: &str,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Version>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT collection, version, base_version, valid_from, state, copies_total, act_changes, legal_basis_act,
             legal_basis_provision, legal_basis_uri, legal_basis_assumed, reason, proposed_at, proposed_by,
             decision_reason, decided_at, decided_by
         FROM collections.distribution_list
         WHERE collection = $1 AND ($2::text IS NULL OR state = $2) AND ($3::integer IS NULL OR version = $3)
           AND version > $4
         ORDER BY version LIMIT $5",
        collection,
        filter.state.map(ListState::word),
        filter.version,
        filter.after,
        limit,
    );
    let rows = rows.fetch_all(connection).await?;
    rows.into_iter().map(Version::try_from).collect()
}

/// One version.
///
/// # Errors
/// When the database fails.
pub async fn get(
    connection: &mut PgConnection,
    collection: &str,
    version: i32,
) -> Result<Option<Version>, sqlx::Error> {
    let filter = Filter {
        version: Some(version),
        ..Filter::default()
    };
    Ok(list(connection, collection, &filter, 1).await?.pop())
}

/// The version that somebody approved and that holds on a day: of those whose first day has come the one whose came last. `None` while
/// it is the register's.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn in_force_on(
    connection: &mut PgConnection,
    collection: &str,
    day: Date,
) -> Result<Option<Version>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "SELECT collection, version, base_version, valid_from, state, copies_total, act_changes, legal_basis_act,
             legal_basis_provision, legal_basis_uri, legal_basis_assumed, reason, proposed_at, proposed_by,
             decision_reason, decided_at, decided_by
         FROM collections.distribution_list
         WHERE collection = $1 AND state = 'IN_FORCE' AND valid_from <= $2
         ORDER BY valid_from DESC, version DESC LIMIT 1",
        collection,
        jiff_sqlx::Date::from(day) as _,
    );
    row.fetch_optional(connection).await?.map(Version::try_from).transpose()
}

/// The last day on which a version that begins on a day would hold: the one before the next version in force. `None` while there is none.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn last_day(
    connection: &mut PgConnection,
    collection: &str,
    valid_from: Date,
) -> Result<Option<Date>, sqlx::Error> {
    let next = sqlx::query_scalar!(
        r#"SELECT min(valid_from) AS "day: jiff_sqlx::Date" FROM collections.distribution_list
         WHERE collection = $1 AND state = 'IN_FORCE' AND valid_from > $2"#,
        collection,
        jiff_sqlx::Date::from(valid_from) as _,
    );
    let next = next.fetch_one(connection).await?;
    Ok(next.and_then(|day| day.to_jiff().yesterday().ok()))
}

/// Nobody else proposes or decides about the list of a collection until the transaction ends.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock(connection: &mut PgConnection, collection: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtext('collections.distribution_list'), hashtext($1))",
        collection,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The number of the next version.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn next(connection: &mut PgConnection, collection: &str) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT coalesce(max(version), 1) + 1 AS "next!" FROM collections.distribution_list WHERE collection = $1"#,
        collection,
    )
    .fetch_one(connection)
    .await
}

/// The cells and groups of a version.
///
/// # Errors
/// When the database fails or what is stored contradicts itself.
pub async fn distribution(
    connection: &mut PgConnection,
    version: &Version,
) -> Result<Distribution, legalstat_kit::Error> {
    let cells = cells(connection, &version.collection, version.version).await?;
    let groups = groups(connection, &version.collection, version.version).await?;
    let distribution = Distribution::new(cells, groups, version.copies_total);
    Ok(distribution.with_context(|| format!("version {} of the list of {}", version.version, version.collection))?)
}

struct CellRow {
    appendix_column: i32,
    recipient: String,
    copies: Option<i32>,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn cells(connection: &mut PgConnection, collection: &str, version: i32) -> Result<Vec<Cell>, sqlx::Error> {
    let rows = sqlx::query_as!(
        CellRow,
        "SELECT appendix_column, recipient, copies, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed
         FROM collections.resolved_cell WHERE collection = $1 AND version = $2 ORDER BY appendix_column",
        collection,
        version,
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    let read = |row: CellRow| Cell {
        column: row.appendix_column,
        recipient: row.recipient,
        copies: row.copies,
        legal_basis: LegalBasis::of_row(
            row.legal_basis_act,
            row.legal_basis_provision,
            row.legal_basis_uri,
            row.legal_basis_assumed,
        ),
    };
    Ok(rows.map(read).collect())
}

struct GroupRow {
    first_column: i32,
    last_column: i32,
    copies: i32,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn groups(connection: &mut PgConnection, collection: &str, version: i32) -> Result<Vec<Group>, sqlx::Error> {
    let rows = sqlx::query_as!(
        GroupRow,
        "SELECT first_column, last_column, copies, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed
         FROM collections.resolved_group WHERE collection = $1 AND version = $2 ORDER BY first_column",
        collection,
        version,
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    let read = |row: GroupRow| Group {
        first_column: row.first_column,
        last_column: row.last_column,
        copies: row.copies,
        legal_basis: LegalBasis::of_row(
            row.legal_basis_act,
            row.legal_basis_provision,
            row.legal_basis_uri,
            row.legal_basis_assumed,
        ),
    };
    Ok(rows.map(read).collect())
}

/// Stores a version that was proposed, with its cells and groups.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(
    connection: &mut PgConnection,
    version: &Version,
    distribution: &Distribution,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO collections.distribution_list
             (collection, version, base_version, valid_from, state, copies_total, act_changes, legal_basis_act,
              legal_basis_provision, legal_basis_uri, legal_basis_assumed, reason, proposed_at, proposed_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        version.collection,
        version.version,
        version.base_version,
        jiff_sqlx::Date::from(version.valid_from) as _,
        version.state.word(),
        version.copies_total,
        version.act_changes,
        version.legal_basis.act,
        version.legal_basis.provision,
        version.legal_basis.uri,
        version.legal_basis.assumed,
        version.reason,
        jiff_sqlx::Timestamp::from(version.proposed.at) as _,
        version.proposed.by,
    )
    .execute(&mut *connection)
    .await?;
    insert_cells(&mut *connection, version, distribution.cells()).await?;
    insert_groups(connection, version, distribution.unresolved_groups()).await
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn insert_cells(connection: &mut PgConnection, version: &Version, cells: &[Cell]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO collections.resolved_cell
             (collection, version, appendix_column, recipient, copies, legal_basis_act, legal_basis_provision,
              legal_basis_uri, legal_basis_assumed)
         SELECT $1, $2, c.*
         FROM unnest($3::integer[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[], $9::boolean[]) AS c",
        version.collection,
        version.version,
        &cells.iter().map(|cell| cell.column).collect::<Vec<_>>(),
        &cells.iter().map(|cell| cell.recipient.clone()).collect::<Vec<_>>(),
        &cells.iter().map(|cell| cell.copies).collect::<Vec<_>>() as &[Option<i32>],
        &cells
            .iter()
            .map(|cell| cell.legal_basis.act.clone())
            .collect::<Vec<_>>(),
        &cells
            .iter()
            .map(|cell| cell.legal_basis.provision.clone())
            .collect::<Vec<_>>(),
        &cells
            .iter()
            .map(|cell| cell.legal_basis.uri.clone())
            .collect::<Vec<_>>(),
        &cells.iter().map(|cell| cell.legal_basis.assumed).collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn insert_groups(connection: &mut PgConnection, version: &Version, groups: &[Group]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO collections.resolved_group
             (collection, version, first_column, last_column, copies, legal_basis_act, legal_basis_provision,
              legal_basis_uri, legal_basis_assumed)
         SELECT $1, $2, g.*
         FROM unnest($3::integer[], $4::integer[], $5::integer[], $6::text[], $7::text[], $8::text[], $9::boolean[]) AS g",
        version.collection,
        version.version,
        &groups.iter().map(|group| group.first_column).collect::<Vec<_>>(),
        &groups.iter().map(|group| group.last_column).collect::<Vec<_>>(),
        &groups.iter().map(|group| group.copies).collect::<Vec<_>>(),
        &groups.iter().map(|group| group.legal_basis.act.clone()).collect::<Vec<_>>(),
        &groups.iter().map(|group| group.legal_basis.provision.clone()).collect::<Vec<_>>(),
        &groups.iter().map(|group| group.legal_basis.uri.clone()).collect::<Vec<_>>(),
        &groups.iter().map(|group| group.legal_basis.assumed).collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Saves what was decided about a version.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn decide(connection: &mut PgConnection, version: &Version) -> Result<(), sqlx::Error> {
    let (done, reason) = version
        .decided
        .as_ref()
        .map(|(done, reason)| (done, reason.as_str()))
        .unzip();
    sqlx::query!(
        "UPDATE collections.distribution_list SET state = $3, decided_at = $4, decided_by = $5, decision_reason = $6
         WHERE collection = $1 AND version = $2",
        version.collection,
        version.version,
        version.state.word(),
        done.map(|done| jiff_sqlx::Timestamp::from(done.at)) as _,
        done.map(|done| done.by.as_str()),
        reason,
    )
    .execute(connection)
    .await?;
    Ok(())
}
