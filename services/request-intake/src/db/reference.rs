//! Loads the embedded rules. Loading twice changes nothing, and what an operator has changed since stays.

use sqlx::{Connection, PgConnection};

use crate::domain::{
    register,
    rules::{CallerChannel, ChannelRule, Ground, LapsedAct, SignatoryRule},
};

/// Loads every rule that is not there yet.
///
/// # Errors
/// An unreadable register, or a database that fails; then nothing is loaded.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn load(connection: &mut PgConnection) -> anyhow::Result<()> {
    let rules = register::embedded()?;
    #[expect(
        clippy::disallowed_methods,
        reason = "at the start, where nobody can drop it half way"
    )]
    let mut transaction = connection.begin().await?;
    let mut loaded = 0;
    for act in &rules.lapsed_acts {
        loaded += insert_act(&mut transaction, act).await?;
    }
    for rule in &rules.channels {
        loaded += insert_channel_rule(&mut transaction, rule).await?;
    }
    for rule in &rules.caller_channels {
        loaded += insert_caller_channel(&mut transaction, rule).await?;
    }
    for rule in &rules.signatories {
        loaded += insert_signatory_rule(&mut transaction, rule).await?;
    }
    for ground in &rules.grounds {
        loaded += insert_ground(&mut transaction, ground).await?;
    }
    transaction.commit().await?;
    tracing::info!(loaded, "rules loaded");
    Ok(())
}

async fn insert_act(connection: &mut PgConnection, act: &LapsedAct) -> Result<u64, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO requests.act (name, uri, lapsed_on, grade, note) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        act.name,
        act.uri,
        jiff_sqlx::Date::from(act.lapsed_on) as _,
        act.grade,
        act.note,
    );
    Ok(inserted.execute(connection).await?.rows_affected())
}

async fn insert_channel_rule(connection: &mut PgConnection, rule: &ChannelRule) -> Result<u64, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO requests.channel_rule
             (requester_kind, channel, allowed, legal_basis_act, legal_basis_provision, legal_basis_uri,
              legal_basis_assumed, grade, valid_from, valid_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
        rule.kind.stored(),
        rule.channel.stored(),
        rule.allowed,
        rule.legal_basis.act,
        rule.legal_basis.provision,
        rule.legal_basis.uri,
        rule.legal_basis.assumed,
        rule.validity.grade,
        jiff_sqlx::Date::from(rule.validity.from) as _,
        rule.validity.to.map(jiff_sqlx::Date::from) as _,
    );
    Ok(inserted.execute(connection).await?.rows_affected())
}

async fn insert_caller_channel(connection: &mut PgConnection, rule: &CallerChannel) -> Result<u64, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO requests.caller_channel
             (role, channel, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, grade,
              valid_from, valid_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        rule.role.stored(),
        rule.channel.stored(),
        rule.legal_basis.act,
        rule.legal_basis.provision,
        rule.legal_basis.uri,
        rule.legal_basis.assumed,
        rule.validity.grade,
        jiff_sqlx::Date::from(rule.validity.from) as _,
        rule.validity.to.map(jiff_sqlx::Date::from) as _,
    );
    Ok(inserted.execute(connection).await?.rows_affected())
}

async fn insert_signatory_rule(connection: &mut PgConnection, rule: &SignatoryRule) -> Result<u64, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO requests.signatory_rule
             (requester_kind, capacity, allowed, legal_basis_act, legal_basis_provision, legal_basis_uri,
              legal_basis_assumed, grade, valid_from, valid_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
        rule.kind.stored(),
        rule.capacity.stored(),
        rule.allowed,
        rule.legal_basis.act,
        rule.legal_basis.provision,
        rule.legal_basis.uri,
        rule.legal_basis.assumed,
        rule.validity.grade,
        jiff_sqlx::Date::from(rule.validity.from) as _,
        rule.validity.to.map(jiff_sqlx::Date::from) as _,
    );
    Ok(inserted.execute(connection).await?.rows_affected())
}

async fn insert_ground(connection: &mut PgConnection, ground: &Ground) -> Result<u64, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO requests.ground
             (rule, decided_by, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision, legal_basis_uri,
              legal_basis_assumed, grade, valid_from, valid_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
        ground.rule.stored(),
        ground.decided_by.stored(),
        ground.text.kk,
        ground.text.ru,
        ground.text.en,
        ground.legal_basis.act,
        ground.legal_basis.provision,
        ground.legal_basis.uri,
        ground.legal_basis.assumed,
        ground.validity.grade,
        jiff_sqlx::Date::from(ground.validity.from) as _,
        ground.validity.to.map(jiff_sqlx::Date::from) as _,
    );
    Ok(inserted.execute(connection).await?.rows_affected())
}
