//! What belongs to requests: items, checks, clarifications. Stored and read many rows at a time.

use legalstat_kit::law::{LegalBasis, LocalizedText};
use sqlx::PgConnection;
use uuid::Uuid;

use super::known;
use crate::domain::{
    examination::{Check, CheckRule, Outcome},
    request::{Item, ItemKind, Unit},
};

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn insert_items(
    connection: &mut PgConnection,
    request: Uuid,
    items: &[Item],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.item (request, position, kind, description, unit, period, until_period, form)
         SELECT $1, (part.number - 1)::integer, part.kind, part.description, part.unit, part.period, part.until_period, part.form
         FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
             WITH ORDINALITY AS part (kind, description, unit, period, until_period, form, number)",
        request,
        &texts(items, |item| item.kind.stored().to_owned()),
        &texts(items, |item| item.description.clone()),
        texts(items, |item| item.unit.map(Unit::stored)) as _,
        texts(items, |item| item.period.map(|period| period.to_string())) as _,
        texts(items, |item| item.until_period.map(|period| period.to_string())) as _,
        texts(items, |item| item.form.clone()) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One column of the rows to insert.
pub(super) fn texts<R, T>(rows: &[R], column: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(column).collect()
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn insert_checks(
    connection: &mut PgConnection,
    request: Uuid,
    round: i32,
    checks: &[Check],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.examination_check
             (request, round, position, rule, outcome, field, text_kk, text_ru, text_en, legal_basis_act,
              legal_basis_provision, legal_basis_uri, legal_basis_assumed)
         SELECT $1, $2, (part.number - 1)::integer, part.rule, part.outcome, part.field, part.kk, part.ru, part.en, part.act,
             part.provision, part.uri, part.assumed
         FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
                 $11::text[], $12::boolean[])
             WITH ORDINALITY AS part (rule, outcome, field, kk, ru, en, act, provision, uri, assumed, number)",
        request,
        round,
        &texts(checks, |check| check.rule.stored().to_owned()),
        &texts(checks, |check| check.outcome.stored().to_owned()),
        &texts(checks, |check| check.field.clone()),
        &texts(checks, |check| check.text.kk.clone()),
        &texts(checks, |check| check.text.ru.clone()),
        &texts(checks, |check| check.text.en.clone()),
        &texts(checks, |check| check.legal_basis.act.clone()),
        &texts(checks, |check| check.legal_basis.provision.clone()),
        &texts(checks, |check| check.legal_basis.uri.clone()),
        &texts(checks, |check| check.legal_basis.assumed),
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn insert_clarifications(
    connection: &mut PgConnection,
    request: Uuid,
    clarifications: &[LocalizedText],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.clarification (request, position, text_kk, text_ru, text_en)
         SELECT $1, (part.number - 1)::integer, part.kk, part.ru, part.en
         FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS part (kk, ru, en, number)",
        request,
        &texts(clarifications, |text| text.kk.clone()),
        &texts(clarifications, |text| text.ru.clone()),
        &texts(clarifications, |text| text.en.clone()),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Rows of several requests, each with the request it belongs to, in the order of their positions.
pub(super) type Of<T> = Vec<(Uuid, T)>;

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn items(connection: &mut PgConnection, requests: &[Uuid]) -> Result<Of<Item>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT request, kind, description, unit, period, until_period, form
         FROM requests.item WHERE request = ANY($1) ORDER BY request, position",
        requests,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let period = |text: Option<String>, column| text.map(|text| known(text.parse().ok(), column)).transpose();
        let item = Item {
            kind: known(ItemKind::from_stored(&row.kind), "kind")?,
            description: row.description,
            unit: row
                .unit
                .map(|unit| known(Unit::from_stored(&unit), "unit"))
                .transpose()?,
            period: period(row.period, "period")?,
            until_period: period(row.until_period, "until_period")?,
            form: row.form,
        };
        Ok((row.request, item))
    });
    rows.collect()
}

/// The checks of the round that counts.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn checks(
    connection: &mut PgConnection,
    requests: &[Uuid],
    rounds: &[i32],
) -> Result<Of<Check>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT request, rule, outcome, field, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision,
             legal_basis_uri, legal_basis_assumed
         FROM requests.examination_check
         JOIN unnest($1::uuid[], $2::integer[]) AS current (request, round) USING (request, round)
         ORDER BY request, position",
        requests,
        rounds,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let check = Check {
            rule: known(CheckRule::from_stored(&row.rule), "rule")?,
            outcome: known(Outcome::from_stored(&row.outcome), "outcome")?,
            field: row.field,
            text: LocalizedText {
                kk: row.text_kk,
                ru: row.text_ru,
                en: row.text_en,
            },
            legal_basis: LegalBasis {
                act: row.legal_basis_act,
                provision: row.legal_basis_provision,
                uri: row.legal_basis_uri,
                assumed: row.legal_basis_assumed,
            },
        };
        Ok((row.request, check))
    });
    rows.collect()
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn clarifications(
    connection: &mut PgConnection,
    requests: &[Uuid],
) -> Result<Of<LocalizedText>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT request, text_kk, text_ru, text_en
         FROM requests.clarification WHERE request = ANY($1) ORDER BY request, position",
        requests,
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    Ok(rows
        .map(|row| {
            (
                row.request,
                LocalizedText {
                    kk: row.text_kk,
                    ru: row.text_ru,
                    en: row.text_en,
                },
            )
        })
        .collect())
}
