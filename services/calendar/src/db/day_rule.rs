//! The rules that make days: recurring holidays, single days off, transfers.

use legalstat_kit::{door::word::Word as _, law::LocalizedText};
use sqlx::PgConnection;

use super::{SourceRow, to_instant};
use crate::domain::{DayOffRule, DayOffStatus, HolidayClass, HolidayRule, RuleSet, TransferRule};

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn insert_holiday(connection: &mut PgConnection, rule: &HolidayRule) -> Result<u64, sqlx::Error> {
    let source = &rule.source;
    let insert = sqlx::query!(
        "INSERT INTO calendar.holiday_rule
             (key, name_kk, name_ru, name_en, month, day, first_year, last_year, rolls_forward, class, act, basis_act,
              provision, grade, known_from, known_to, known_from_assumed, note)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) ON CONFLICT DO NOTHING",
        rule.key,
        rule.name.kk,
        rule.name.ru,
        rule.name.en,
        i16::from(rule.month),
        i16::from(rule.day),
        rule.first_year,
        rule.last_year,
        rule.rolls_forward,
        rule.class.word(),
        source.act,
        source.cited_act,
        source.legal_basis.provision,
        source.grade.word(),
        to_instant(source.known.from) as _,
        to_instant(source.known.to) as _,
        source.known.assumed,
        rule.note,
    );
    Ok(insert.execute(connection).await?.rows_affected())
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn holidays(connection: &mut PgConnection, rules: &RuleSet) -> anyhow::Result<Vec<HolidayRule>> {
    let rows = sqlx::query!("SELECT key, name_kk, name_ru, name_en, month, day, first_year, last_year, rolls_forward, class, act, basis_act, provision, grade, known_from,
             known_to, known_from_assumed, note
         FROM calendar.holiday_rule ORDER BY id");
    let holidays = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let source = SourceRow {
            act: row.act,
            basis_act: row.basis_act,
            provision: row.provision,
            grade: row.grade,
            known_from: row.known_from,
            known_to: row.known_to,
            known_from_assumed: row.known_from_assumed,
        };
        Ok(HolidayRule {
            key: row.key,
            name: LocalizedText::new(row.name_kk, row.name_ru, row.name_en),
            month: i8::try_from(row.month)?,
            day: i8::try_from(row.day)?,
            first_year: row.first_year,
            last_year: row.last_year,
            rolls_forward: row.rolls_forward,
            class: HolidayClass::read_stored(&row.class, "class")?,
            source: source.read(rules)?,
            note: row.note,
        })
    });
    holidays.collect()
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn insert_day_off(connection: &mut PgConnection, rule: &DayOffRule) -> Result<u64, sqlx::Error> {
    let source = &rule.source;
    let insert = sqlx::query!(
        "INSERT INTO calendar.day_off_rule
             (key, date, status, name_kk, name_ru, name_en, act, basis_act, provision, grade, known_from, known_to,
              known_from_assumed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
        rule.key,
        jiff_sqlx::Date::from(rule.date) as _,
        rule.status.word(),
        rule.name.kk,
        rule.name.ru,
        rule.name.en,
        source.act,
        source.cited_act,
        source.legal_basis.provision,
        source.grade.word(),
        to_instant(source.known.from) as _,
        to_instant(source.known.to) as _,
        source.known.assumed,
    );
    Ok(insert.execute(connection).await?.rows_affected())
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn days_off(connection: &mut PgConnection, rules: &RuleSet) -> anyhow::Result<Vec<DayOffRule>> {
    let rows = sqlx::query!(
        "SELECT key, date, status, name_kk, name_ru, name_en, act, basis_act, provision, grade, known_from,
             known_to, known_from_assumed
         FROM calendar.day_off_rule ORDER BY id"
    );
    let days_off = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let source = SourceRow {
            act: row.act,
            basis_act: row.basis_act,
            provision: row.provision,
            grade: row.grade,
            known_from: row.known_from,
            known_to: row.known_to,
            known_from_assumed: row.known_from_assumed,
        };
        Ok(DayOffRule {
            key: row.key,
            date: row.date.to_jiff(),
            status: DayOffStatus::read_stored(&row.status, "status")?,
            name: LocalizedText::new(row.name_kk, row.name_ru, row.name_en),
            source: source.read(rules)?,
        })
    });
    days_off.collect()
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn insert_transfer(connection: &mut PgConnection, rule: &TransferRule) -> Result<u64, sqlx::Error> {
    let source = &rule.source;
    let insert = sqlx::query!(
        "INSERT INTO calendar.transfer_rule
             (working_day, day_off, act, basis_act, provision, grade, known_from, known_to, known_from_assumed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        jiff_sqlx::Date::from(rule.working_day) as _,
        jiff_sqlx::Date::from(rule.day_off) as _,
        source.act,
        source.cited_act,
        source.legal_basis.provision,
        source.grade.word(),
        to_instant(source.known.from) as _,
        to_instant(source.known.to) as _,
        source.known.assumed,
    );
    Ok(insert.execute(connection).await?.rows_affected())
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn transfers(connection: &mut PgConnection, rules: &RuleSet) -> anyhow::Result<Vec<TransferRule>> {
    let rows = sqlx::query!(
        "SELECT working_day, day_off, act, basis_act, provision, grade, known_from,
             known_to, known_from_assumed
         FROM calendar.transfer_rule ORDER BY id"
    );
    let transfers = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let source = SourceRow {
            act: row.act,
            basis_act: row.basis_act,
            provision: row.provision,
            grade: row.grade,
            known_from: row.known_from,
            known_to: row.known_to,
            known_from_assumed: row.known_from_assumed,
        };
        Ok(TransferRule {
            working_day: row.working_day.to_jiff(),
            day_off: row.day_off.to_jiff(),
            source: source.read(rules)?,
        })
    });
    transfers.collect()
}
