//! The steps that lead to due dates, kept once for all requests that they explain.

use legalstat_kit::law::{LegalBasis, LocalizedText};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    known,
    parts::{Of, texts},
};
use crate::domain::evidence::{Step, StepEffect};

/// Stores an explanation unless it is there, and gives its digest, by which requests refer to it.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(connection: &mut PgConnection, steps: &[Step]) -> Result<[u8; 32], sqlx::Error> {
    let sha256 = digest(steps);
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
        texts(steps, |step| jiff_sqlx::Date::from(step.date)) as _,
        &texts(steps, |step| step.effect.stored().to_owned()),
        &texts(steps, |step| step.text.kk.clone()),
        &texts(steps, |step| step.text.ru.clone()),
        &texts(steps, |step| step.text.en.clone()),
        &texts(steps, |step| step.legal_basis.act.clone()),
        &texts(steps, |step| step.legal_basis.provision.clone()),
        &texts(steps, |step| step.legal_basis.uri.clone()),
        &texts(steps, |step| step.legal_basis.assumed),
    )
    .execute(connection)
    .await?;
    Ok(sha256)
}

/// SHA-256 of all steps, each of their texts with its length.
fn digest(steps: &[Step]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for step in steps {
        let (text, basis) = (&step.text, &step.legal_basis);
        let date = step.date.to_string();
        let parts = [
            &date,
            step.effect.stored(),
            &text.kk,
            &text.ru,
            &text.en,
            &basis.act,
            &basis.provision,
            &basis.uri,
        ];
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.update([u8::from(basis.assumed)]);
    }
    digest.finalize().into()
}

/// The steps of requests, each with its request, in their order.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn of_requests(connection: &mut PgConnection, requests: &[Uuid]) -> Result<Of<Step>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT r.id AS "request!", s.position AS "position!", s.date AS "date!: jiff_sqlx::Date", s.effect AS "effect!",
             s.text_kk AS "text_kk!", s.text_ru AS "text_ru!", s.text_en AS "text_en!",
             s.legal_basis_act AS "legal_basis_act!", s.legal_basis_provision AS "legal_basis_provision!",
             s.legal_basis_uri AS "legal_basis_uri!", s.legal_basis_assumed AS "legal_basis_assumed!"
         FROM requests.request r JOIN requests.explanation_step s ON s.explanation = r.explanation
         WHERE r.id = ANY($1)
         UNION ALL
         SELECT d.request, d.position, d.date, d.effect, d.text_kk, d.text_ru, d.text_en, d.legal_basis_act,
             d.legal_basis_provision, d.legal_basis_uri, d.legal_basis_assumed
         FROM requests.deadline_step d JOIN requests.request r ON r.id = d.request
         WHERE d.request = ANY($1) AND r.explanation IS NULL
         ORDER BY 1, 2"#,
        requests,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let step = Step {
            date: row.date.to_jiff(),
            effect: known(StepEffect::from_stored(&row.effect), "effect")?,
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
        Ok((row.request, step))
    });
    rows.collect()
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
