//! `forms.open_data_list`: the approved list of open data (Instruction, para 9).

use jiff::civil::Date;
use legalstat_kit::law::LegalBasis;
use sqlx::PgConnection;

use crate::domain::open_data::{Entry, EntryKey};

/// Which entries to read.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only this form's.
    pub form: Option<i32>,
    /// Only those that hold on this day.
    pub on: Option<Date>,
    /// Only after this one in the order.
    pub after: Option<EntryKey>,
}

/// Entries by form and first day, at most `most`.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(connection: &mut PgConnection, filter: &Filter, most: i64) -> Result<Vec<Entry>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT form, valid_from, valid_to, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed,
             end_reason
         FROM forms.open_data_list
         WHERE ($1::integer IS NULL OR form = $1)
           AND ($2::date IS NULL OR (valid_from <= $2 AND (valid_to IS NULL OR valid_to >= $2)))
           AND ($3::integer IS NULL OR (form, valid_from) > ($3, $4::date))
         ORDER BY form, valid_from LIMIT $5",
        filter.form,
        filter.on.map(jiff_sqlx::Date::from) as _,
        filter.after.map(|after| after.form),
        filter.after.map(|after| jiff_sqlx::Date::from(after.valid_from)) as _,
        most,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| Entry {
        key: EntryKey {
            form: row.form,
            valid_from: row.valid_from.to_jiff(),
        },
        valid_to: row.valid_to.map(|day| day.to_jiff()),
        legal_basis: LegalBasis::of_row(
            row.legal_basis_act,
            row.legal_basis_provision,
            row.legal_basis_uri,
            row.legal_basis_assumed,
        ),
        end_reason: row.end_reason,
    });
    Ok(rows.collect())
}

/// Stores an entry; answers whether it did, which is not so when the form is on the list during any of its days.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(connection: &mut PgConnection, entry: &Entry) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO forms.open_data_list
             (form, valid_from, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        entry.key.form,
        jiff_sqlx::Date::from(entry.key.valid_from) as _,
        entry.legal_basis.act,
        entry.legal_basis.provision,
        entry.legal_basis.uri,
        entry.legal_basis.assumed,
    );
    Ok(inserted.execute(connection).await?.rows_affected() == 1)
}

/// Ends an entry that goes on; answers whether it did.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn end(connection: &mut PgConnection, key: EntryKey, last: Date, reason: &str) -> Result<bool, sqlx::Error> {
    let ended = sqlx::query!(
        "UPDATE forms.open_data_list SET valid_to = $3, end_reason = $4
         WHERE form = $1 AND valid_from = $2 AND valid_to IS NULL",
        key.form,
        jiff_sqlx::Date::from(key.valid_from) as _,
        jiff_sqlx::Date::from(last) as _,
        reason,
    );
    Ok(ended.execute(connection).await?.rows_affected() == 1)
}
