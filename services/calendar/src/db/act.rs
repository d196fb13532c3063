//! Acts and their withdrawal.

use anyhow::Context as _;
use jiff::Timestamp;
use legalstat_kit::{door::word::Word as _, law::LocalizedText};
use sqlx::{PgConnection, PgExecutor};

use super::{to_date, to_instant};
use crate::domain::{Act, ActKind, Grade};

/// Makes every other recording of acts wait until this transaction ends: sequences rise without gaps in the order of
/// commits, and what is checked against the acts stays true.
///
/// # Errors
/// What the database says.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock('calendar.act'::regclass::oid::bigint)")
        .execute(connection)
        .await?;
    Ok(())
}

/// Records an act under the next sequence, and tells whether it was new.
///
/// # Errors
/// What the database says.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(connection: &mut PgConnection, act: &Act, recorded_at: Timestamp) -> Result<bool, sqlx::Error> {
    let insert = sqlx::query!(
        "INSERT INTO calendar.act
             (id, sequence, kind, citation, title_kk, title_ru, title_en, number, adilet_id, uri, dated, published_on, grade,
              known_from, valid_from, valid_to, recorded_at)
         VALUES ($1, (SELECT coalesce(max(sequence), 0) + 1 FROM calendar.act), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
                 $12, $13, $14, $15, $16)
         ON CONFLICT DO NOTHING",
        act.id,
        act.kind.word(),
        act.citation,
        act.title.kk,
        act.title.ru,
        act.title.en,
        act.number,
        act.adilet_id,
        act.uri,
        to_date(act.dated) as _,
        to_date(act.published_on) as _,
        act.grade.word(),
        to_instant(act.known_from) as _,
        to_date(act.valid_from) as _,
        to_date(act.valid_to) as _,
        jiff_sqlx::Timestamp::from(recorded_at) as _,
    );
    Ok(insert.execute(connection).await?.rows_affected() == 1)
}

/// Records that an act is withdrawn.
///
/// # Errors
/// What the database says; that it was withdrawn before, too.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn withdraw(connection: &mut PgConnection, id: &str, withdrawn_at: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO calendar.act_withdrawal (act, withdrawn_at) VALUES ($1, $2)",
        id,
        jiff_sqlx::Timestamp::from(withdrawn_at) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How much was recorded: the newest sequence, the number of withdrawals and of later loads of registers.
///
/// # Errors
/// What the database says.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn recorded(executor: impl PgExecutor<'_>) -> anyhow::Result<(u64, usize, usize)> {
    let row = sqlx::query!(
        r#"SELECT (SELECT coalesce(max(sequence), 0) FROM calendar.act) AS "sequence!",
                  (SELECT count(*) FROM calendar.act_withdrawal) AS "withdrawn!",
                  (SELECT count(*) FROM calendar.register_load) AS "loads!""#
    );
    let row = row.fetch_one(executor).await?;
    Ok((
        u64::try_from(row.sequence)?,
        usize::try_from(row.withdrawn)?,
        usize::try_from(row.loads)?,
    ))
}

/// When registers were loaded into the calendar in use, in order.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn loads(connection: &mut PgConnection) -> Result<Vec<Timestamp>, sqlx::Error> {
    let loads = sqlx::query_scalar!("SELECT loaded_at FROM calendar.register_load ORDER BY loaded_at");
    let loads = loads.fetch_all(connection).await?;
    Ok(loads.into_iter().map(jiff_sqlx::Timestamp::to_jiff).collect())
}

/// All acts in the order of recording.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn all(connection: &mut PgConnection) -> anyhow::Result<Vec<Act>> {
    let rows = sqlx::query!(
        r#"SELECT a.id, a.sequence, a.kind, a.citation, a.title_kk, a.title_ru, a.title_en, a.number, a.adilet_id, a.uri,
                  a.dated, a.published_on, a.grade, a.known_from, a.valid_from, a.valid_to, a.recorded_at, w.withdrawn_at AS "withdrawn_at?: jiff_sqlx::Timestamp"
           FROM calendar.act a LEFT JOIN calendar.act_withdrawal w ON w.act = a.id ORDER BY a.sequence"#
    );
    let acts = rows.fetch_all(connection).await?.into_iter().map(|row| {
        Ok(Act {
            sequence: u64::try_from(row.sequence).context("sequences are positive")?,
            kind: ActKind::read_stored(&row.kind, "kind")?,
            title: LocalizedText::new(row.title_kk, row.title_ru, row.title_en),
            grade: Grade::read_stored(&row.grade, "grade")?,
            id: row.id,
            citation: row.citation,
            number: row.number,
            adilet_id: row.adilet_id,
            uri: row.uri,
            dated: row.dated.map(jiff_sqlx::Date::to_jiff),
            published_on: row.published_on.map(jiff_sqlx::Date::to_jiff),
            known_from: row.known_from.map(jiff_sqlx::Timestamp::to_jiff),
            valid_from: row.valid_from.map(jiff_sqlx::Date::to_jiff),
            valid_to: row.valid_to.map(jiff_sqlx::Date::to_jiff),
            recorded_at: Some(row.recorded_at.to_jiff()),
            withdrawn_at: row.withdrawn_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
    });
    acts.collect()
}
