//! `collections.distribution_cell` and `collections.unresolved_group`: the rows of Appendix 1.

use std::collections::BTreeSet;

use anyhow::Context as _;
use jiff::civil::Date;
use legalstat_kit::law::LegalBasis;
use sqlx::PgConnection;

use super::{distribution_list, recipient_detail};
use crate::domain::{
    collection::Collection,
    distribution::{Cell, Distribution, Group},
    distribution_list::LOADED,
    register::Dated,
};

/// Who gets the copies of a collection on a day: by the version in force, and what a recipient has become in its place.
///
/// # Errors
/// When the database fails or the stored row contradicts itself.
pub async fn get(
    connection: &mut PgConnection,
    collection: &Collection,
    day: Date,
) -> Result<Distribution, legalstat_kit::Error> {
    let (_, distribution) = in_force(&mut *connection, collection, day).await?;
    let recipients = recipient_detail::all(connection).await?;
    Ok(distribution.succeeded(&recipients, day))
}

/// A list with the days on which it holds.
#[derive(Debug)]
pub struct Holding {
    pub from: Date,
    /// The last day; `None` while it goes on.
    pub to: Option<Date>,
    pub distribution: Distribution,
}

/// Who gets the copies of a collection in the course of time, as the law has it: the register's row and the versions in force.
///
/// # Errors
/// When the database fails or a stored row contradicts itself.
pub async fn in_time(
    connection: &mut PgConnection,
    collection: &Collection,
) -> Result<Vec<Holding>, legalstat_kit::Error> {
    let duty = &collection.duty;
    let days = sqlx::query_scalar!(
        r#"SELECT valid_from AS "day!: jiff_sqlx::Date" FROM collections.distribution_list WHERE collection = $1 AND state = 'IN_FORCE'
         UNION SELECT valid_from FROM collections.distribution_cell WHERE collection = $1
         UNION SELECT valid_to + 1 FROM collections.distribution_cell WHERE collection = $1 AND valid_to IS NOT NULL"#,
        collection.id,
    );
    let days = days
        .fetch_all(&mut *connection)
        .await?
        .into_iter()
        .map(jiff_sqlx::Date::to_jiff);
    let days: BTreeSet<Date> = days
        .chain([duty.valid_from])
        .filter(|day| duty.holds_on(*day))
        .collect();
    let mut holding: Vec<Holding> = Vec::new();
    for day in days {
        if let Some(before) = holding.last_mut() {
            before.to = day.yesterday().ok();
        }
        holding.push(Holding {
            from: day,
            to: duty.valid_to,
            distribution: in_force(connection, collection, day).await?.1,
        });
    }
    Ok(holding)
}

/// The version in force on a day, by its number and as the law has it.
///
/// # Errors
/// When the database fails or the stored row contradicts itself.
pub async fn in_force(
    connection: &mut PgConnection,
    collection: &Collection,
    day: Date,
) -> Result<(i32, Distribution), legalstat_kit::Error> {
    match distribution_list::in_force_on(&mut *connection, &collection.id, day).await? {
        Some(version) => {
            let distribution = distribution_list::distribution(connection, &version).await?;
            Ok((version.version, distribution))
        }
        None => Ok((LOADED, loaded(connection, collection, day).await?)),
    }
}

/// The row of the register as it applies on a day.
///
/// # Errors
/// When the database fails or the stored row contradicts itself.
pub async fn loaded(
    connection: &mut PgConnection,
    collection: &Collection,
    day: Date,
) -> Result<Distribution, legalstat_kit::Error> {
    let cells = cells(connection, &collection.id, day).await?;
    let groups = groups(connection, &collection.id, day).await?;
    let distribution = Distribution::new(cells, groups, collection.copies_total);
    Ok(distribution.with_context(|| format!("the stored distribution of {} on {day}", collection.id))?)
}

/// A row of `collections.distribution_cell`.
struct CellRow {
    collection: String,
    appendix_column: i32,
    recipient: String,
    copies: Option<i32>,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
    valid_from: jiff_sqlx::Date,
    valid_to: Option<jiff_sqlx::Date>,
}

impl From<CellRow> for Dated<Cell> {
    fn from(row: CellRow) -> Self {
        Self {
            collection: row.collection,
            part: Cell {
                column: row.appendix_column,
                recipient: row.recipient,
                copies: row.copies,
                legal_basis: LegalBasis::of_row(
                    row.legal_basis_act,
                    row.legal_basis_provision,
                    row.legal_basis_uri,
                    row.legal_basis_assumed,
                ),
            },
            valid_from: row.valid_from.to_jiff(),
            valid_to: row.valid_to.map(|day| day.to_jiff()),
        }
    }
}

/// A row of `collections.unresolved_group`.
struct GroupRow {
    collection: String,
    first_column: i32,
    last_column: i32,
    copies: i32,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
    valid_from: jiff_sqlx::Date,
    valid_to: Option<jiff_sqlx::Date>,
}

impl From<GroupRow> for Dated<Group> {
    fn from(row: GroupRow) -> Self {
        Self {
            collection: row.collection,
            part: Group {
                first_column: row.first_column,
                last_column: row.last_column,
                copies: row.copies,
                legal_basis: LegalBasis::of_row(
                    row.legal_basis_act,
                    row.legal_basis_provision,
                    row.legal_basis_uri,
                    row.legal_basis_assumed,
                ),
            },
            valid_from: row.valid_from.to_jiff(),
            valid_to: row.valid_to.map(|day| day.to_jiff()),
        }
    }
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn cells(connection: &mut PgConnection, collection: &str, day: Date) -> Result<Vec<Cell>, sqlx::Error> {
    let rows = sqlx::query_as!(
        CellRow,
        "SELECT collection, appendix_column, recipient, copies,
             legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to
         FROM collections.distribution_cell
         WHERE collection = $1 AND valid_from <= $2 AND (valid_to IS NULL OR valid_to >= $2)
         ORDER BY appendix_column",
        collection,
        jiff_sqlx::Date::from(day) as _,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| Dated::from(row).part).collect())
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn groups(connection: &mut PgConnection, collection: &str, day: Date) -> Result<Vec<Group>, sqlx::Error> {
    let rows = sqlx::query_as!(
        GroupRow,
        "SELECT collection, first_column, last_column, copies,
             legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to
         FROM collections.unresolved_group
         WHERE collection = $1 AND valid_from <= $2 AND (valid_to IS NULL OR valid_to >= $2)
         ORDER BY first_column",
        collection,
        jiff_sqlx::Date::from(day) as _,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| Dated::from(row).part).collect())
}

/// Stores a cell unless the collection's column has one from that day; answers whether it was stored.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert_missing_cell(connection: &mut PgConnection, cell: &Dated<Cell>) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO collections.distribution_cell
             (collection, appendix_column, recipient, copies,
              legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT DO NOTHING",
        cell.collection,
        cell.part.column,
        cell.part.recipient,
        cell.part.copies,
        cell.part.legal_basis.act,
        cell.part.legal_basis.provision,
        cell.part.legal_basis.uri,
        cell.part.legal_basis.assumed,
        jiff_sqlx::Date::from(cell.valid_from) as _,
        cell.valid_to.map(jiff_sqlx::Date::from) as _,
    )
    .execute(connection)
    .await?
    .rows_affected();
    Ok(inserted == 1)
}

/// Stores a group unless the collection has one that begins with its column from that day; answers whether it was stored.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert_missing_group(connection: &mut PgConnection, group: &Dated<Group>) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO collections.unresolved_group
             (collection, first_column, last_column, copies,
              legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT DO NOTHING",
        group.collection,
        group.part.first_column,
        group.part.last_column,
        group.part.copies,
        group.part.legal_basis.act,
        group.part.legal_basis.provision,
        group.part.legal_basis.uri,
        group.part.legal_basis.assumed,
        jiff_sqlx::Date::from(group.valid_from) as _,
        group.valid_to.map(jiff_sqlx::Date::from) as _,
    )
    .execute(connection)
    .await?
    .rows_affected();
    Ok(inserted == 1)
}

/// The cells of all collections and times.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn all_cells(connection: &mut PgConnection) -> Result<Vec<Dated<Cell>>, sqlx::Error> {
    let rows = sqlx::query_as!(
        CellRow,
        "SELECT collection, appendix_column, recipient, copies,
             legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to
         FROM collections.distribution_cell",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Dated::from).collect())
}

/// The groups of all collections and times.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn all_groups(connection: &mut PgConnection) -> Result<Vec<Dated<Group>>, sqlx::Error> {
    let rows = sqlx::query_as!(
        GroupRow,
        "SELECT collection, first_column, last_column, copies,
             legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to
         FROM collections.unresolved_group",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Dated::from).collect())
}
