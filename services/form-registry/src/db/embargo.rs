//! `forms.embargo` and `forms.pre_release`: the last embargo of an edition counts.

use std::collections::HashMap;

use jiff::Timestamp;
use legalstat_kit::{call::Done, law::LegalBasis};
use sqlx::PgConnection;

use super::edition_key;
use crate::domain::{
    embargo::{Embargo, Reader},
    key::EditionKey,
};

/// The embargoes that hold at an instant, of one edition or of all.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn holding(
    connection: &mut PgConnection,
    key: Option<EditionKey>,
    now: Timestamp,
) -> Result<HashMap<EditionKey, Embargo>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT e.parent AS "parent!", e.period, e.until AS "until!: jiff_sqlx::Timestamp", e.reason,
             r.caller AS "caller?", r.legal_basis_act AS "act?", r.legal_basis_provision AS "provision?",
             r.legal_basis_uri AS "uri?", r.legal_basis_assumed AS "assumed?"
         FROM forms.embargo e
         LEFT JOIN forms.pre_release r ON r.embargo = e.number
         WHERE e.until > $1 AND ($2::integer IS NULL OR (e.form = $2 AND e.period = $3))
           AND NOT EXISTS (SELECT FROM forms.embargo l
                           WHERE (l.form, l.period) = (e.form, e.period) AND l.number > e.number)
         ORDER BY e.number, r.caller"#,
        jiff_sqlx::Timestamp::from(now) as _,
        key.map(|key| key.form),
        key.map(|key| key.period.to_string()),
    );
    let mut found: HashMap<EditionKey, Embargo> = HashMap::new();
    for row in rows.fetch_all(connection).await? {
        let embargo = found.entry(edition_key(&row.parent, &row.period)?).or_insert(Embargo {
            until: row.until.to_jiff(),
            reason: row.reason,
            readers: Vec::new(),
        });
        if let (Some(caller), Some(act), Some(provision), Some(uri), Some(assumed)) =
            (row.caller, row.act, row.provision, row.uri, row.assumed)
        {
            embargo.readers.push(Reader {
                caller,
                legal_basis: LegalBasis::of_row(act, provision, uri, assumed),
            });
        }
    }
    Ok(found)
}

/// Stores an embargo, which takes the place of those before; without an instant it lifts them.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn set(
    connection: &mut PgConnection,
    key: EditionKey,
    until: Option<Timestamp>,
    reason: &str,
    readers: &[Reader],
    set: &Done,
) -> Result<(), sqlx::Error> {
    let number = sqlx::query_scalar!(
        "INSERT INTO forms.embargo (form, period, until, reason, set_at, set_by) VALUES ($1, $2, $3, $4, $5, $6)
         RETURNING number",
        key.form,
        key.period.to_string(),
        until.map(jiff_sqlx::Timestamp::from) as _,
        reason,
        jiff_sqlx::Timestamp::from(set.at) as _,
        set.by,
    );
    let number = number.fetch_one(&mut *connection).await?;
    let of =
        |text: fn(&Reader) -> &str| -> Vec<String> { readers.iter().map(|reader| text(reader).to_owned()).collect() };
    sqlx::query!(
        "INSERT INTO forms.pre_release
             (embargo, caller, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed)
         SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[])",
        number,
        &of(|reader| &reader.caller),
        &of(|reader| &reader.legal_basis.act),
        &of(|reader| &reader.legal_basis.provision),
        &of(|reader| &reader.legal_basis.uri),
        &readers
            .iter()
            .map(|reader| reader.legal_basis.assumed)
            .collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}
