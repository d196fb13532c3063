//! The general rules that the calendar carries out.

use legalstat_kit::door::word::Word as _;
use sqlx::PgConnection;

use super::{SourceRow, to_date, to_instant};
use crate::domain::{ProvisionRule, RuleSet};

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn insert(connection: &mut PgConnection, rule: &ProvisionRule) -> Result<u64, sqlx::Error> {
    let source = &rule.source;
    let insert = sqlx::query!(
        "INSERT INTO calendar.provision_rule
             (key, valid_from, valid_to, act, basis_act, provision, grade, known_from, known_to, known_from_assumed, note)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
        rule.key,
        to_date(rule.valid_from) as _,
        to_date(rule.valid_to) as _,
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
pub(super) async fn all(connection: &mut PgConnection, rules: &RuleSet) -> anyhow::Result<Vec<ProvisionRule>> {
    let rows = sqlx::query!(
        "SELECT key, valid_from, valid_to, act, basis_act, provision, grade, known_from,
             known_to, known_from_assumed, note
         FROM calendar.provision_rule ORDER BY id"
    );
    let provisions = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let source = SourceRow {
            act: row.act,
            basis_act: row.basis_act,
            provision: row.provision,
            grade: row.grade,
            known_from: row.known_from,
            known_to: row.known_to,
            known_from_assumed: row.known_from_assumed,
        };
        Ok(ProvisionRule {
            key: row.key,
            valid_from: row.valid_from.map(jiff_sqlx::Date::to_jiff),
            valid_to: row.valid_to.map(jiff_sqlx::Date::to_jiff),
            source: source.read(rules)?,
            note: row.note,
        })
    });
    provisions.collect()
}
