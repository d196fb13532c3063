//! Retention rules. Nothing about one changes but that it is approved, and that it is ended.

use legalstat_kit::{
    call::Done,
    door::word::Word,
    law::{LegalBasis, LocalizedText},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::column;
use crate::domain::{
    request::{RequesterKind, State},
    retention::{Facts, Period, RetentionRule, RuleState},
};

struct Row {
    id: Uuid,
    requester_kinds: Vec<String>,
    states: Vec<String>,
    keep_years: i32,
    keep_months: i32,
    keep_days: i32,
    text_kk: String,
    text_ru: String,
    text_en: String,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
    valid_from: jiff_sqlx::Date,
    valid_to: Option<jiff_sqlx::Date>,
    reason: String,
    entered_at: jiff_sqlx::Timestamp,
    entered_by: String,
    approved_at: Option<jiff_sqlx::Timestamp>,
    approved_by: Option<String>,
    ended_at: Option<jiff_sqlx::Timestamp>,
    ended_by: Option<String>,
    end_reason: Option<String>,
}

impl TryFrom<Row> for RetentionRule {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let done = |by: Option<String>, at: Option<jiff_sqlx::Timestamp>| {
            let done = by.zip(at);
            done.map(|(by, at)| Done { by, at: at.to_jiff() })
        };
        let kinds = row.requester_kinds.iter();
        let states = row.states.iter();
        Ok(Self {
            id: row.id,
            facts: Facts {
                kinds: kinds
                    .map(|word| RequesterKind::read_stored(word, "requester_kinds"))
                    .collect::<Result<_, _>>()?,
                states: states
                    .map(|word| State::read_stored(word, "states"))
                    .collect::<Result<_, _>>()?,
                period: Period {
                    years: row.keep_years,
                    months: row.keep_months,
                    days: row.keep_days,
                },
                text: LocalizedText::new(row.text_kk, row.text_ru, row.text_en),
                legal_basis: LegalBasis::of_row(
                    row.legal_basis_act,
                    row.legal_basis_provision,
                    row.legal_basis_uri,
                    row.legal_basis_assumed,
                ),
                valid_from: row.valid_from.to_jiff(),
                valid_to: row.valid_to.map(jiff_sqlx::Date::to_jiff),
            },
            entered: Done {
                by: row.entered_by,
                at: row.entered_at.to_jiff(),
            },
            reason: row.reason,
            approved: done(row.approved_by, row.approved_at),
            ended: done(row.ended_by, row.ended_at).zip(row.end_reason),
        })
    }
}

/// Stores a rule.
///
/// # Errors
/// When the database fails; a violation of `retention_rule_one_at_a_time`.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(connection: &mut PgConnection, rule: &RetentionRule) -> Result<(), sqlx::Error> {
    let facts = &rule.facts;
    sqlx::query!(
        "INSERT INTO requests.retention_rule
             (id, requester_kinds, states, keep_years, keep_months, keep_days, text_kk, text_ru, text_en, legal_basis_act,
              legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to, reason, entered_at, entered_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        rule.id,
        column(&facts.kinds, |kind| kind.word()) as _,
        column(&facts.states, |state| state.word()) as _,
        facts.period.years,
        facts.period.months,
        facts.period.days,
        facts.text.kk,
        facts.text.ru,
        facts.text.en,
        facts.legal_basis.act,
        facts.legal_basis.provision,
        facts.legal_basis.uri,
        facts.legal_basis.assumed,
        jiff_sqlx::Date::from(facts.valid_from) as _,
        facts.valid_to.map(jiff_sqlx::Date::from) as _,
        rule.reason,
        jiff_sqlx::Timestamp::from(rule.entered.at) as _,
        rule.entered.by,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A rule, locked until the transaction ends: it is not approved or ended twice.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock(connection: &mut PgConnection, id: Uuid) -> Result<Option<RetentionRule>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT id, requester_kinds, states, keep_years, keep_months, keep_days, text_kk, text_ru, text_en, legal_basis_act,
             legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to, reason, entered_at,
             entered_by, approved_at, approved_by, ended_at, ended_by, end_reason
         FROM requests.retention_rule WHERE id = $1 FOR UPDATE"#,
        id,
    );
    row.fetch_optional(connection).await?.map(TryInto::try_into).transpose()
}

/// A rule, which is not ended before the transaction does.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn hold(connection: &mut PgConnection, id: Uuid) -> Result<Option<RetentionRule>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT id, requester_kinds, states, keep_years, keep_months, keep_days, text_kk, text_ru, text_en, legal_basis_act,
             legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to, reason, entered_at,
             entered_by, approved_at, approved_by, ended_at, ended_by, end_reason
         FROM requests.retention_rule WHERE id = $1 FOR SHARE"#,
        id,
    );
    row.fetch_optional(connection).await?.map(TryInto::try_into).transpose()
}

/// One rule.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn get(connection: &mut PgConnection, id: Uuid) -> Result<Option<RetentionRule>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT id, requester_kinds, states, keep_years, keep_months, keep_days, text_kk, text_ru, text_en, legal_basis_act,
             legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to, reason, entered_at,
             entered_by, approved_at, approved_by, ended_at, ended_by, end_reason
         FROM requests.retention_rule WHERE id = $1"#,
        id,
    );
    row.fetch_optional(connection).await?.map(TryInto::try_into).transpose()
}

/// The rules of a list, in the order of their entry, behind one of them.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(
    connection: &mut PgConnection,
    state: Option<RuleState>,
    after: Option<Uuid>,
    most: i64,
) -> Result<Vec<RetentionRule>, sqlx::Error> {
    let (ended, approved) = match state {
        None => (None, None),
        Some(RuleState::Ended) => (Some(true), None),
        Some(RuleState::Approved) => (Some(false), Some(true)),
        Some(RuleState::Proposed) => (Some(false), Some(false)),
    };
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id, requester_kinds, states, keep_years, keep_months, keep_days, text_kk, text_ru, text_en, legal_basis_act,
             legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to, reason, entered_at,
             entered_by, approved_at, approved_by, ended_at, ended_by, end_reason
         FROM requests.retention_rule
         WHERE ($1::boolean IS NULL OR (ended_at IS NOT NULL) = $1)
           AND ($2::boolean IS NULL OR (approved_at IS NOT NULL) = $2)
           AND ($3::uuid IS NULL OR (entered_at, id) > (SELECT entered_at, id FROM requests.retention_rule WHERE id = $3))
         ORDER BY entered_at, id LIMIT $4"#,
        ended,
        approved,
        after,
        most,
    );
    rows.fetch_all(connection)
        .await?
        .into_iter()
        .map(TryInto::try_into)
        .collect()
}

/// Approves a locked rule.
///
/// # Errors
/// When the database fails; a violation of `retention_rule_approved_by_another`.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn approve(connection: &mut PgConnection, id: Uuid, done: &Done) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE requests.retention_rule SET approved_at = $2, approved_by = $3 WHERE id = $1",
        id,
        jiff_sqlx::Timestamp::from(done.at) as _,
        done.by,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends a locked rule.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn end(connection: &mut PgConnection, id: Uuid, done: &Done, reason: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE requests.retention_rule SET ended_at = $2, ended_by = $3, end_reason = $4 WHERE id = $1",
        id,
        jiff_sqlx::Timestamp::from(done.at) as _,
        done.by,
        reason,
    )
    .execute(connection)
    .await?;
    Ok(())
}
