//! What examinations found, kept once for all requests of which it was found.

use std::collections::HashMap;

use legalstat_kit::{
    door::word::Word,
    law::{LegalBasis, LocalizedText},
};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{column, take_in};
use crate::domain::{
    evidence::OpenEdition,
    examination::{Check, CheckRule, Outcome},
};

/// The id of a finding: it follows from everything that the check says.
pub fn id(check: &Check) -> Uuid {
    let mut digest = Sha256::new();
    let figures: Vec<String> = check.open.iter().map(|open| open.figures.to_string()).collect();
    let mut texts = vec![check.rule.word(), check.outcome.word(), &check.field];
    // Without any it is as in releases that kept none.
    for (open, figures) in check.open.iter().zip(&figures) {
        texts.extend([open.name.as_str(), &open.address, &open.sha256, figures]);
    }
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
    .execute(&mut *connection)
    .await?;
    insert_editions(connection, findings).await
}

/// Stores the editions that show findings, and sends nothing where none does.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn insert_editions(connection: &mut PgConnection, findings: &[(Uuid, &Check)]) -> Result<(), sqlx::Error> {
    let of = |(id, check): &(Uuid, &'_ Check)| -> Vec<(Uuid, i32, OpenEdition)> {
        let open = (0..).zip(&check.open);
        open.map(|(position, open)| (*id, position, open.clone())).collect()
    };
    let rows: Vec<(Uuid, i32, OpenEdition)> = findings.iter().flat_map(of).collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO requests.finding_edition (finding, position, edition, address, sha256, figures)
         SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::bigint[])
             AS edition (finding, position)
         ORDER BY finding, position ON CONFLICT DO NOTHING",
        &column(&rows, |(id, _, _)| *id),
        &column(&rows, |(_, position, _)| *position),
        column(&rows, |(_, _, open)| open.name.as_str()) as _,
        column(&rows, |(_, _, open)| open.address.as_str()) as _,
        column(&rows, |(_, _, open)| open.sha256.as_str()) as _,
        &column(&rows, |(_, _, open)| open.figures),
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
            open: Vec::new(),
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
    let rows = rows.fetch_all(&mut *connection).await?.into_iter();
    let mut findings = rows.map(TryFrom::try_from).collect::<Result<Vec<(Uuid, Check)>, _>>()?;
    let mut editions = editions(connection, &findings).await?;
    for (id, check) in &mut findings {
        check.open = editions.remove(id).unwrap_or_default();
    }
    Ok(findings)
}

/// The editions that show findings, of those that may have any.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn editions(
    connection: &mut PgConnection,
    findings: &[(Uuid, Check)],
) -> Result<HashMap<Uuid, Vec<OpenEdition>>, sqlx::Error> {
    let may_have = findings
        .iter()
        .filter(|(_, check)| check.rule == CheckRule::NotOpenlyAvailable);
    let ids: Vec<Uuid> = may_have.map(|(id, _)| *id).collect();
    let mut editions: HashMap<Uuid, Vec<OpenEdition>> = HashMap::new();
    if ids.is_empty() {
        return Ok(editions);
    }
    let rows = sqlx::query!(
        "SELECT finding, edition, address, sha256, figures FROM requests.finding_edition WHERE finding = ANY ($1)
         ORDER BY finding, position",
        &ids,
    );
    for row in rows.fetch_all(connection).await? {
        editions.entry(row.finding).or_default().push(OpenEdition {
            name: row.edition,
            address: row.address,
            sha256: row.sha256,
            figures: row.figures,
        });
    }
    Ok(editions)
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

    fn edition(figures: i64) -> OpenEdition {
        OpenEdition {
            name: "forms/1/editions/2025-M01".into(),
            address: "https://example.kz".into(),
            sha256: "ab".into(),
            figures,
        }
    }

    #[test]
    fn findings_that_differ_in_anything_have_different_ids() {
        let check = Check {
            rule: CheckRule::Unit,
            outcome: Outcome::Failed,
            field: "items[0].unit".into(),
            text: LocalizedText::new("a", "b", "c"),
            legal_basis: LegalBasis::of_row("act".into(), "para 8".into(), String::new(), false),
            open: Vec::new(),
        };
        let changes: [fn(&mut Check); 10] = [
            |check| check.rule = CheckRule::Period,
            |check| check.outcome = Outcome::Passed,
            |check| check.field = "items[1].unit".into(),
            |check| check.text.kk = "ab".into(),
            |check| (check.text.kk, check.text.ru) = ("ab".into(), String::new()),
            |check| check.legal_basis.provision = "para 9".into(),
            |check| check.legal_basis.uri = "https://adilet.zan.kz".into(),
            |check| check.legal_basis.assumed = true,
            |check| check.open = vec![edition(0)],
            |check| check.open = vec![edition(7)],
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
