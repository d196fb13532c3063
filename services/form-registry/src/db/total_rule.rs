//! `forms.total_rule`.

use jiff::civil::Date;
use legalstat_kit::{call::Done, law::LegalBasis};
use sqlx::PgConnection;

use crate::domain::dated::Validity;

/// That a code is the sum of its parts in the figures of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotalRule {
    /// The id of the dimension, or TERRITORY.
    pub dimension: String,
    pub total: String,
    pub validity: Validity,
    pub legal_basis: LegalBasis,
}

/// The rules of a form after one, by dimension, total and first day, each with the number of its total.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(
    connection: &mut PgConnection,
    form: i32,
    as_of: Option<Date>,
    after: Option<(&str, &str, Date)>,
    limit: Option<i64>,
) -> Result<Vec<(TotalRule, i32)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT r.dimension, c.code, r.total, r.valid_from, r.valid_to, r.legal_basis_act, r.legal_basis_provision,
             r.legal_basis_uri, r.legal_basis_assumed
         FROM forms.total_rule r
         JOIN forms.code c ON c.id = r.total
         WHERE r.form = $1
           AND ($2::date IS NULL OR (r.valid_from <= $2 AND (r.valid_to IS NULL OR r.valid_to >= $2)))
           AND ($3::text IS NULL OR (r.dimension, c.code, r.valid_from) > ($3, $4, $5))
         ORDER BY r.dimension, c.code, r.valid_from LIMIT $6",
        form,
        as_of.map(jiff_sqlx::Date::from) as _,
        after.map(|after| after.0),
        after.map(|after| after.1),
        after.map(|after| jiff_sqlx::Date::from(after.2)) as _,
        limit,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let rule = TotalRule {
            dimension: row.dimension,
            total: row.code,
            validity: Validity {
                from: jiff_sqlx::Date::to_jiff(row.valid_from),
                to: row.valid_to.map(jiff_sqlx::Date::to_jiff),
            },
            legal_basis: LegalBasis::of_row(
                row.legal_basis_act,
                row.legal_basis_provision,
                row.legal_basis_uri,
                row.legal_basis_assumed,
            ),
        };
        (rule, row.total)
    });
    Ok(rows.collect())
}

/// Stores a rule unless one of the same total begins on that day; answers whether it was stored.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(
    connection: &mut PgConnection,
    form: i32,
    rule: &TotalRule,
    total: i32,
    by: &Done,
) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO forms.total_rule
             (form, dimension, total, valid_from, valid_to, legal_basis_act, legal_basis_provision, legal_basis_uri,
              legal_basis_assumed, recorded_at, recorded_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
        form,
        rule.dimension,
        total,
        jiff_sqlx::Date::from(rule.validity.from) as _,
        rule.validity.to.map(jiff_sqlx::Date::from) as _,
        rule.legal_basis.act,
        rule.legal_basis.provision,
        rule.legal_basis.uri,
        rule.legal_basis.assumed,
        jiff_sqlx::Timestamp::from(by.at) as _,
        by.by,
    );
    Ok(inserted.execute(connection).await?.rows_affected() == 1)
}
