//! The rules of answers as rows. Loading twice changes nothing, and what an operator has changed since stays.

use legalstat_kit::{
    Context,
    door::register::{edited, tell_edited},
    law::{LegalBasis, LocalizedText},
    write::{self, Change},
};
use sqlx::PgConnection;

use crate::domain::{
    answer_register,
    answering::{AnswerRules, Sentence},
    rules::Validity,
};

/// Loads every rule that is not there yet. Like every write it leaves a journal entry and an event.
///
/// # Errors
/// An unreadable register, or a database that fails; then nothing is loaded.
pub async fn load(context: &Context) -> anyhow::Result<()> {
    let rules = answer_register::embedded()?;
    let released = rules.clone();
    write::by_job(context, "jobs/load-answer-rules", |write| {
        Box::pin(async move {
            let loaded = insert(write.connection(), &rules).await?;
            if loaded == 0 {
                return Ok(Vec::new());
            }
            tracing::info!(loaded, "loading rules of answers");
            Ok(vec![Change::of(&"rules/answers", "rules.loaded")])
        })
    })
    .await?;
    let stored = all(&mut *context.db.connection().await?).await?;
    let name = |sentence: &Sentence| format!("{} {}, from {}", sentence.of, sentence.word, sentence.validity.from);
    tell_edited(
        "rules of answers",
        &[
            edited(&released.reasons, &stored.reasons, name),
            edited(&released.appeals, &stored.appeals, name),
        ]
        .concat(),
    );
    Ok(())
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn insert(connection: &mut PgConnection, rules: &AnswerRules) -> Result<u64, sqlx::Error> {
    let mut loaded = 0;
    for sentence in &rules.reasons {
        let (text, basis, validity) = (&sentence.text, &sentence.legal_basis, &sentence.validity);
        let inserted = sqlx::query!(
            "INSERT INTO requests.answer_reason
                 (word, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision, legal_basis_uri,
                  legal_basis_assumed, grade, valid_from, valid_to)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
            sentence.word,
            text.kk,
            text.ru,
            text.en,
            basis.act,
            basis.provision,
            basis.uri,
            basis.assumed,
            validity.grade,
            jiff_sqlx::Date::from(validity.from) as _,
            validity.to.map(jiff_sqlx::Date::from) as _,
        );
        loaded += inserted.execute(&mut *connection).await?.rows_affected();
    }
    for sentence in &rules.appeals {
        let (text, basis, validity) = (&sentence.text, &sentence.legal_basis, &sentence.validity);
        let inserted = sqlx::query!(
            "INSERT INTO requests.appeal_rule
                 (requester_kind, word, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision,
                  legal_basis_uri, legal_basis_assumed, grade, valid_from, valid_to)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
            sentence.of,
            sentence.word,
            text.kk,
            text.ru,
            text.en,
            basis.act,
            basis.provision,
            basis.uri,
            basis.assumed,
            validity.grade,
            jiff_sqlx::Date::from(validity.from) as _,
            validity.to.map(jiff_sqlx::Date::from) as _,
        );
        loaded += inserted.execute(&mut *connection).await?.rows_affected();
    }
    Ok(loaded)
}

/// All rules of answers, in the order of their words: they are few, and read anew for each draft.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn all(connection: &mut PgConnection) -> Result<AnswerRules, sqlx::Error> {
    Ok(AnswerRules {
        reasons: reasons(connection).await?,
        appeals: appeals(connection).await?,
    })
}

async fn reasons(connection: &mut PgConnection) -> Result<Vec<Sentence>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT '' AS "of!", word, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision, legal_basis_uri,
             legal_basis_assumed, grade, valid_from, valid_to AS "valid_to: jiff_sqlx::Date"
         FROM requests.answer_reason ORDER BY word COLLATE "C", valid_from"#
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    Ok(rows.map(Sentence::from).collect())
}

async fn appeals(connection: &mut PgConnection) -> Result<Vec<Sentence>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT requester_kind AS of, word, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision, legal_basis_uri,
             legal_basis_assumed, grade, valid_from, valid_to AS "valid_to: jiff_sqlx::Date"
         FROM requests.appeal_rule ORDER BY requester_kind COLLATE "C", word COLLATE "C" DESC, valid_from"#
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    Ok(rows.map(Sentence::from).collect())
}

struct Row {
    of: String,
    word: String,
    text_kk: String,
    text_ru: String,
    text_en: String,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
    grade: String,
    valid_from: jiff_sqlx::Date,
    valid_to: Option<jiff_sqlx::Date>,
}

impl From<Row> for Sentence {
    fn from(row: Row) -> Self {
        Self {
            of: row.of,
            word: row.word,
            text: LocalizedText::new(row.text_kk, row.text_ru, row.text_en),
            legal_basis: LegalBasis::of_row(
                row.legal_basis_act,
                row.legal_basis_provision,
                row.legal_basis_uri,
                row.legal_basis_assumed,
            ),
            validity: Validity {
                grade: row.grade,
                from: row.valid_from.to_jiff(),
                to: row.valid_to.map(jiff_sqlx::Date::to_jiff),
            },
        }
    }
}
