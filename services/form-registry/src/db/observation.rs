//! `forms.observation` and `forms.breakdown`: the figures, stored by the numbers of what they are of.

use std::{collections::HashMap, fmt::Write as _};

use bigdecimal::BigDecimal;
use legalstat_kit::door::word::unreadable;
use sqlx::PgConnection;

use crate::domain::{
    import::{Checked, Row},
    key::EditionKey,
    observation::Status,
    query::{Figure, Narrowing, Place},
};

/// How many rows one COPY takes: each ends well within the time that a statement has.
const ROWS: usize = 100_000;
/// About how many bytes are sent at once.
const BYTES: usize = 128 * 1024;

/// Stores the rows of an import as the figures of a set.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn copy(connection: &mut PgConnection, set: i32, checked: &Checked) -> Result<(), sqlx::Error> {
    let breakdowns = breakdowns(connection, &checked.breakdowns).await?;
    for rows in checked.rows.chunks(ROWS) {
        let into = "COPY forms.observation (figure_set, indicator, territory, breakdown, status, value) FROM STDIN";
        let mut copy = connection.copy_in_raw(into).await?;
        let mut text = String::with_capacity(BYTES + 256);
        for row in rows {
            write_row(&mut text, set, row, &breakdowns);
            if text.len() >= BYTES {
                copy.send(text.as_bytes()).await?;
                text.clear();
            }
        }
        copy.send(text.as_bytes()).await?;
        copy.finish().await?;
    }
    Ok(())
}

fn write_row(text: &mut String, set: i32, row: &Row, breakdowns: &[i32]) {
    let (breakdown, status) = (breakdowns[row.breakdown as usize], row.status.letter());
    // Writing to a String never fails.
    let _ = write!(
        text,
        "{set}\t{}\t{}\t{breakdown}\t{status}\t",
        row.indicator, row.territory
    );
    let _ = match row.value {
        Some(value) => writeln!(text, "{value}"),
        None => writeln!(text, "\\N"),
    };
}

/// The numbers of breakdowns, in their order; those that are new get one.
async fn breakdowns(connection: &mut PgConnection, wanted: &[Vec<(String, i32)>]) -> Result<Vec<i32>, sqlx::Error> {
    let (dimensions, codes) = (
        joined(wanted, |part| part.0.clone()),
        joined(wanted, |part| part.1.to_string()),
    );
    sqlx::query!(
        "INSERT INTO forms.breakdown (dimensions, codes)
         SELECT string_to_array(dimensions, ' '), string_to_array(codes, ' ')::integer[]
         FROM unnest($1::text[], $2::text[]) AS b (dimensions, codes) ON CONFLICT DO NOTHING",
        &dimensions,
        &codes,
    )
    .execute(&mut *connection)
    .await?;
    let numbers = sqlx::query_scalar!(
        "SELECT b.id FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (dimensions, codes, place)
         JOIN forms.breakdown b
             ON (b.dimensions, b.codes) = (string_to_array(w.dimensions, ' '), string_to_array(w.codes, ' ')::integer[])
         ORDER BY w.place",
        &dimensions,
        &codes,
    );
    numbers.fetch_all(connection).await
}

/// Neither ids nor numbers hold a space, and arrays of arrays must be of one length.
fn joined(wanted: &[Vec<(String, i32)>], of: fn(&(String, i32)) -> String) -> Vec<String> {
    let one = |breakdown: &Vec<(String, i32)>| breakdown.iter().map(of).collect::<Vec<_>>().join(" ");
    wanted.iter().map(one).collect()
}

/// A combination of codes of dimensions, by their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakdown {
    pub id: i32,
    pub dimensions: Vec<String>,
    pub codes: Vec<i32>,
}

/// Every breakdown that figures of these sets may have.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn all_breakdowns(connection: &mut PgConnection) -> Result<Vec<Breakdown>, sqlx::Error> {
    sqlx::query_as!(
        Breakdown,
        "SELECT id, dimensions, codes FROM forms.breakdown ORDER BY id"
    )
    .fetch_all(connection)
    .await
}

/// These breakdowns.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn breakdowns_of(connection: &mut PgConnection, ids: &[i32]) -> Result<Vec<Breakdown>, sqlx::Error> {
    sqlx::query_as!(
        Breakdown,
        "SELECT id, dimensions, codes FROM forms.breakdown WHERE id = ANY ($1)",
        ids
    )
    .fetch_all(connection)
    .await
}

/// The codes of a form's indicators by their numbers.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn indicators(connection: &mut PgConnection, ids: &[i32]) -> Result<HashMap<i32, String>, sqlx::Error> {
    let rows = sqlx::query!("SELECT id, code FROM forms.indicator WHERE id = ANY ($1)", ids);
    let rows = rows.fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.code)).collect())
}

/// The texts of codes by their numbers.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn codes(connection: &mut PgConnection, numbers: &[i32]) -> Result<HashMap<i32, String>, sqlx::Error> {
    let rows = sqlx::query!("SELECT id, code FROM forms.code WHERE id = ANY ($1)", numbers);
    let rows = rows.fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.code)).collect())
}

fn figure(set: i32, key: (i32, i32, i32), status: i8, value: Option<String>) -> Result<Figure, sqlx::Error> {
    let letter = status.cast_unsigned();
    Ok(Figure {
        set,
        indicator: key.0,
        territory: key.1,
        breakdown: key.2,
        status: Status::of_letter(letter).ok_or_else(|| unreadable("status", &char::from(letter).to_string()))?,
        value: value.map(|value| exact(&value)).transpose()?,
    })
}

fn exact(value: &str) -> Result<BigDecimal, sqlx::Error> {
    value.parse().map_err(|_| unreadable("value", value))
}

/// Has every statement of this transaction planned for its parameters from here on. A plan for any parameters cannot look an optional
/// filter up in the index, and reads all figures of a set where a few are asked for.
async fn plan_for_parameters(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SET LOCAL plan_cache_mode = force_custom_plan")
        .execute(connection)
        .await?;
    Ok(())
}

/// Figures of sets, in the order of the sets, then by indicator, territory and breakdown.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(
    connection: &mut PgConnection,
    narrowing: &Narrowing,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Figure>, sqlx::Error> {
    let after = after.unwrap_or_default();
    plan_for_parameters(connection).await?;
    let rows = sqlx::query!(
        r#"SELECT s.id AS "set!", o.indicator, o.territory, o.breakdown, o.status AS "status: i8", o.value::text
         FROM unnest($1::integer[]) WITH ORDINALITY AS s (id, place)
         CROSS JOIN LATERAL (
             SELECT * FROM forms.observation o
             WHERE o.figure_set = s.id
               AND ($2::integer[] IS NULL OR o.indicator = ANY ($2))
               AND o.indicator <> ALL ($11)
               AND ($3::integer[] IS NULL OR o.territory = ANY ($3))
               AND ($4::integer[] IS NULL OR o.breakdown = ANY ($4))
               AND ($5::"char"[] IS NULL OR o.status = ANY ($5))
               AND (o.indicator, o.territory, o.breakdown) > (
                   CASE WHEN s.place = $6 THEN $7 ELSE -1 END, CASE WHEN s.place = $6 THEN $8 ELSE -1 END,
                   CASE WHEN s.place = $6 THEN $9 ELSE -1 END)
             ORDER BY o.indicator, o.territory, o.breakdown LIMIT least($10, $12::bigint)
         ) o
         WHERE s.place >= $6
         ORDER BY s.place, o.indicator, o.territory, o.breakdown LIMIT $10"#,
        &narrowing.sets,
        narrowing.indicators.as_deref(),
        narrowing.territories.as_deref(),
        narrowing.breakdowns.as_deref(),
        narrowing.statuses.as_deref() as _,
        after.set,
        after.indicator,
        after.territory,
        after.breakdown,
        limit,
        &narrowing.hidden,
        narrowing.of_each,
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    rows.map(|row| {
        figure(
            row.set,
            (row.indicator, row.territory, row.breakdown),
            row.status,
            row.value,
        )
    })
    .collect()
}

/// Figures by set and key, in no order.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn at(connection: &mut PgConnection, keys: &[(i32, i32, i32, i32)]) -> Result<Vec<Figure>, sqlx::Error> {
    let column = |of: fn(&(i32, i32, i32, i32)) -> i32| keys.iter().map(of).collect::<Vec<_>>();
    let rows = sqlx::query!(
        r#"SELECT o.figure_set, o.indicator, o.territory, o.breakdown, o.status AS "status: i8", o.value::text
         FROM unnest($1::integer[], $2::integer[], $3::integer[], $4::integer[]) AS k (s, i, t, b)
         JOIN forms.observation o ON (o.figure_set, o.indicator, o.territory, o.breakdown) = (k.s, k.i, k.t, k.b)"#,
        &column(|key| key.0),
        &column(|key| key.1),
        &column(|key| key.2),
        &column(|key| key.3),
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    rows.map(|row| {
        figure(
            row.figure_set,
            (row.indicator, row.territory, row.breakdown),
            row.status,
            row.value,
        )
    })
    .collect()
}

/// A total: its place as a figure, the sum of what has a value, and of what it is made.
#[derive(Clone, Debug)]
pub struct Total {
    pub figure: Figure,
    pub statuses: Vec<Status>,
    pub parts: i64,
    pub missing: i64,
    /// The largest part, by its size.
    pub largest: Option<BigDecimal>,
    /// How many parts lie below the threshold and are not nought.
    pub small: i64,
}

/// How totals are made: each breakdown counts as another, and territories as the whole country.
#[derive(Debug)]
pub struct Summing<'a> {
    pub breakdowns: &'a [i32],
    pub into: &'a [i32],
    pub over_territory: bool,
    /// Territories that are totals themselves, and count nowhere.
    pub territories_with_parts: &'a [i32],
    /// Below which a part counts as small.
    pub threshold: i64,
}

/// Totals of figures of sets, ordered as figures are.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn totals(
    connection: &mut PgConnection,
    narrowing: &Narrowing,
    summing: &Summing<'_>,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Total>, sqlx::Error> {
    let after = after.unwrap_or_default();
    plan_for_parameters(connection).await?;
    let rows = sqlx::query!(
        r#"SELECT s.id AS "set!", o.indicator, o.territory AS "territory!", o.breakdown AS "breakdown!",
             o.value, o.parts AS "parts!", o.missing AS "missing!", o.statuses AS "statuses!", o.largest,
             o.small AS "small!"
         FROM unnest($1::integer[]) WITH ORDINALITY AS s (id, place)
         CROSS JOIN LATERAL (
             SELECT o.indicator, CASE WHEN $5 THEN 0 ELSE o.territory END AS territory, b.whole AS breakdown,
                 sum(o.value)::text AS value, count(*) AS parts, count(*) - count(o.value) AS missing,
                 string_agg(DISTINCT o.status::text, '') AS statuses,
                 max(abs(o.value))::text AS largest,
                 count(*) FILTER (WHERE o.value <> 0 AND abs(o.value) < $13::bigint) AS small
             FROM forms.observation o
             JOIN unnest($3::integer[], $4::integer[]) AS b (part, whole) ON b.part = o.breakdown
             WHERE o.figure_set = s.id
               AND ($2::integer[] IS NULL OR o.indicator = ANY ($2))
               AND o.indicator <> ALL ($15)
               AND ($6::integer[] IS NULL OR o.territory = ANY ($6))
               AND ($7::"char"[] IS NULL OR o.status = ANY ($7))
               AND NOT ($5 AND (o.territory = 0 OR o.territory = ANY ($8)))
             GROUP BY 1, 2, 3
         ) o
         WHERE s.place > $9 OR (s.place = $9 AND (o.indicator, o.territory, o.breakdown) > ($10, $11, $12))
         ORDER BY s.place, o.indicator, o.territory, o.breakdown LIMIT $14"#,
        &narrowing.sets,
        narrowing.indicators.as_deref(),
        summing.breakdowns,
        summing.into,
        summing.over_territory,
        narrowing.territories.as_deref(),
        narrowing.statuses.as_deref() as _,
        summing.territories_with_parts,
        after.set,
        after.indicator,
        after.territory,
        after.breakdown,
        summing.threshold,
        limit,
        &narrowing.hidden,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let read = |value: Option<String>| value.map(|value| exact(&value)).transpose();
        let statuses = row.statuses.bytes().filter_map(Status::of_letter).collect();
        Ok(Total {
            figure: Figure {
                set: row.set,
                indicator: row.indicator,
                territory: row.territory,
                breakdown: row.breakdown,
                status: Status::NORMAL,
                value: read(row.value)?,
            },
            statuses,
            parts: row.parts,
            missing: row.missing,
            largest: read(row.largest)?,
            small: row.small,
        })
    });
    rows.collect()
}

/// The indicators of restricted access among the figures of a revision, by code: what sealing and placing ask for (para 2(10)). Each
/// is looked up by itself: the figures may be many, and just stored, so that the database knows nothing of them yet.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn restricted(
    connection: &mut PgConnection,
    key: EditionKey,
    revision: i32,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT DISTINCT i.code FROM forms.indicator i
         JOIN forms.indicator_version v ON v.indicator = i.id AND v.restricted
             AND v.valid_from <= $4 AND (v.valid_to IS NULL OR v.valid_to >= $4)
         JOIN forms.figure_set f ON f.form = $1 AND f.period = $2 AND f.revision = $3
         CROSS JOIN LATERAL (
             SELECT FROM forms.observation o WHERE o.figure_set = f.id AND o.indicator = i.id LIMIT 1
         ) o
         WHERE i.form = $1
         ORDER BY i.code",
        key.form,
        key.period.to_string(),
        revision,
        jiff_sqlx::Date::from(key.period.last_day()) as _,
    )
    .fetch_all(connection)
    .await
}
