//! What examinations found, kept once for all requests of which it was found.

use legalstat_kit::{
    door::word::Word,
    law::{LegalBasis, LocalizedText},
};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{column, take_in};
use crate::domain::examination::{Check, CheckRule, Outcome};

/// The id of a finding: it follows from everything that the check says.
pub fn id(check: &Check) -> Uuid {
    let mut digest = Sha256::new();
    let texts = [check.rule.word(), check.outcome.word(), &check.field];
    take_in(&mut digest, &texts, &check.text, &check.legal_basis);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Stores findings that are not there yet.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(connection: &mut PgConnection, findings: &[(Uuid, &Check)]) -> Result<(), sqlx::Error> {
    if findings.is_empty() {
        return Ok(());
    }
    // In one order for all: of two transactions that store the same, neither waits for the other in a circle.
    sqlx::query!(
        "INSERT INTO requests.finding
             (id, rule, outcome, field, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision, legal_basis_uri,
              legal_basis_assumed)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
             $9::text[], $10::text[], $11::boolean[]) AS finding (id)
         ORDER BY id ON CONFLICT DO NOTHING",
        &column(findings, |(id, _)| *id),
        column(findings, |(_, check)| check.rule.word()) as _,
        column(findings, |(_, check)| check.outcome.word()) as _,
        column(findings, |(_, check)| check.field.as_str()) as _,
        column(findings, |(_, check)| check.text.kk.as_str()) as _,
        column(findings, |(_, check)| check.text.ru.as_str()) as _,
        column(findings, |(_, check)| check.text.en.as_str()) as _,
        column(findings, |(_, check)| check.legal_basis.act.as_str()) as _,
        column(findings, |(_, check)| check.legal_basis.provision.as_str()) as _,
        column(findings, |(_, check)| check.legal_basis.uri.as_str()) as _,
        &column(findings, |(_, check)| check.legal_basis.assumed),
    )
    .execute(connection)
    .await?;
    Ok(())
}

struct Row {
    id: Uuid,
    rule: String,
    outcome: String,
    field: String,
    text_kk: String,
    text_ru: String,
    text_en: String,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
}

impl TryFrom<Row> for (Uuid, Check) {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let check = Check {
            rule: CheckRule::read_stored(&row.rule, "rule")?,
            outcome: Outcome::read_stored(&row.outcome, "outcome")?,
            field: row.field,
            text: LocalizedText::new(row.text_kk, row.text_ru, row.text_en),
            legal_basis: LegalBasis::of_row(
                row.legal_basis_act,
                row.legal_basis_provision,
                row.legal_basis_uri,
                row.legal_basis_assumed,
            ),
        };
        Ok((row.id, check))
    }
}

/// Findings by their ids, in any order.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn get(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(Uuid, Check)>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, rule, outcome, field, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision,
             legal_basis_uri, legal_basis_assumed
         FROM requests.finding WHERE id = ANY($1)",
        ids,
    );
    rows.fetch_all(connection)
        .await?
        .into_iter()
        .map(TryFrom::try_from)
        .collect()
}

/// The checks of a request that the release before examined, each under the id of its request.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_release_before(
    connection: &mut PgConnection,
    request: Uuid,
    round: i32,
) -> Result<Vec<Check>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT request AS id, rule, outcome, field, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision,
             legal_basis_uri, legal_basis_assumed
         FROM requests.examination_check WHERE request = $1 AND round = $2 ORDER BY position",
        request,
        round,
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    rows.map(|row| <(Uuid, Check)>::try_from(row).map(|(_, check)| check))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_that_differ_in_anything_have_different_ids() {
        let check = Check {
            rule: CheckRule::Unit,
            outcome: Outcome::Failed,
            field: "items[0].unit".into(),
            text: LocalizedText::new("a", "b", "c"),
            legal_basis: LegalBasis::of_row("act".into(), "para 8".into(), String::new(), false),
        };
        let changes: [fn(&mut Check); 8] = [
            |check| check.rule = CheckRule::Period,
            |check| check.outcome = Outcome::Passed,
            |check| check.field = "items[1].unit".into(),
            |check| check.text.kk = "ab".into(),
            |check| (check.text.kk, check.text.ru) = ("ab".into(), String::new()),
            |check| check.legal_basis.provision = "para 9".into(),
            |check| check.legal_basis.uri = "https://adilet.zan.kz".into(),
            |check| check.legal_basis.assumed = true,
        ];
        let changed = changes.map(|change| {
            let mut changed = check.clone();
            change(&mut changed);
            id(&changed)
        });
        let ids: std::collections::HashSet<_> = changed.into_iter().chain([id(&check)]).collect();
        assert_eq!(ids.len(), changes.len() + 1);
        assert_eq!(id(&check), id(&check.clone()));
    }
}
