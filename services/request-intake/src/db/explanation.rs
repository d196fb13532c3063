//! The steps that lead to due dates, kept once for all requests that they explain.

use std::{collections::HashMap, sync::Arc};

use legalstat_kit::{
    door::word::Word,
    law::{LegalBasis, LocalizedText},
};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{column, take_in};
use crate::domain::evidence::{Step, StepEffect};

/// Stores an explanation unless it is there.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(connection: &mut PgConnection, sha256: &[u8; 32], steps: &[Step]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "WITH new AS (
             INSERT INTO requests.explanation (sha256) VALUES ($1) ON CONFLICT DO NOTHING RETURNING sha256
         )
         INSERT INTO requests.explanation_step
             (explanation, position, date, effect, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision,
              legal_basis_uri, legal_basis_assumed)
         SELECT new.sha256, (part.number - 1)::integer, part.date, part.effect, part.kk, part.ru, part.en, part.act,
             part.provision, part.uri, part.assumed
         FROM new, unnest($2::date[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                 $10::boolean[])
             WITH ORDINALITY AS part (date, effect, kk, ru, en, act, provision, uri, assumed, number)",
        sha256.as_slice(),
        column(steps, |step| jiff_sqlx::Date::from(step.date)) as _,
        column(steps, |step| step.effect.word()) as _,
        column(steps, |step| step.text.kk.as_str()) as _,
        column(steps, |step| step.text.ru.as_str()) as _,
        column(steps, |step| step.text.en.as_str()) as _,
        column(steps, |step| step.legal_basis.act.as_str()) as _,
        column(steps, |step| step.legal_basis.provision.as_str()) as _,
        column(steps, |step| step.legal_basis.uri.as_str()) as _,
        &column(steps, |step| step.legal_basis.assumed),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// SHA-256 of all steps, each of their texts with its length.
pub fn digest(steps: &[Step]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for step in steps {
        let texts = [step.date.to_string(), step.effect.word().to_owned()];
        take_in(
            &mut digest,
            &texts.each_ref().map(String::as_str),
            &step.text,
            &step.legal_basis,
        );
    }
    digest.finalize().into()
}

struct Row {
    date: jiff_sqlx::Date,
    effect: String,
    text_kk: String,
    text_ru: String,
    text_en: String,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
}

impl TryFrom<Row> for Step {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            date: row.date.to_jiff(),
            effect: StepEffect::read_stored(&row.effect, "effect")?,
            text: LocalizedText::new(row.text_kk, row.text_ru, row.text_en),
            legal_basis: LegalBasis::of_row(
                row.legal_basis_act,
                row.legal_basis_provision,
                row.legal_basis_uri,
                row.legal_basis_assumed,
            ),
        })
    }
}

/// The steps of an explanation.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn get(connection: &mut PgConnection, sha256: &[u8]) -> Result<Vec<Step>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT date, effect, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision, legal_basis_uri,
             legal_basis_assumed
         FROM requests.explanation_step WHERE explanation = $1 ORDER BY position",
        sha256,
    );
    rows.fetch_all(connection)
        .await?
        .into_iter()
        .map(Step::try_from)
        .collect()
}

/// The steps of each of these explanations.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_each(
    connection: &mut PgConnection,
    explanations: &[&[u8]],
) -> Result<HashMap<Vec<u8>, Arc<Vec<Step>>>, sqlx::Error> {
    let mut read: HashMap<Vec<u8>, Arc<Vec<Step>>> = HashMap::new();
    for sha256 in explanations {
        if read.contains_key(*sha256) {
            continue;
        }
        read.insert(sha256.to_vec(), Arc::new(get(connection, sha256).await?));
    }
    Ok(read)
}

/// The steps of a request that was registered before explanations were shared.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_release_before(connection: &mut PgConnection, request: Uuid) -> Result<Vec<Step>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT date, effect, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision, legal_basis_uri,
             legal_basis_assumed
         FROM requests.deadline_step WHERE request = $1 ORDER BY position",
        request,
    );
    rows.fetch_all(connection)
        .await?
        .into_iter()
        .map(Step::try_from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(kk: &str, ru: &str, assumed: bool) -> Step {
        Step {
            date: jiff::civil::date(2027, 1, 8),
            effect: StepEffect::Due,
            text: LocalizedText::new(kk, ru, ""),
            legal_basis: LegalBasis {
                act: "Instruction".into(),
                provision: "para 13".into(),
                uri: String::new(),
                assumed,
            },
        }
    }

    #[test]
    fn explanations_that_differ_in_anything_have_different_digests() {
        let all = [
            vec![],
            vec![step("a", "b", false)],
            vec![step("ab", "", false)],
            vec![step("", "ab", false)],
            vec![step("a", "b", true)],
            vec![step("a", "b", false), step("a", "b", false)],
        ];
        let digests: std::collections::HashSet<_> = all.iter().map(|steps| digest(steps)).collect();
        assert_eq!(digests.len(), all.len());
    }
}
