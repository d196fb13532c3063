//! Loads the embedded rules. Loading twice changes nothing, and what an operator has changed since stays.

use legalstat_kit::{
    Context,
    door::{
        register::{edited as register_edited, tell_edited},
        word::Word,
    },
    write::{self, Change},
};
use sqlx::PgConnection;

use super::rule;
use crate::domain::{
    register,
    rules::{CallerChannel, ChannelRule, CountedFrom, Ground, LapsedAct, Rules, SignatoryRule, VerbRule},
};

/// Loads every rule that is not there yet. Like every write it leaves a journal entry and an event.
///
/// # Errors
/// An unreadable register, or a database that fails; then nothing is loaded.
pub async fn load(context: &Context) -> anyhow::Result<()> {
    let rules = register::embedded()?;
    let released = rules.clone();
    write::by_job(context, "jobs/load-rules", |write| {
        Box::pin(async move {
            let loaded = insert(write.connection(), &rules).await?;
            if loaded == 0 {
                return Ok(Vec::new());
            }
            tracing::info!(loaded, "loading rules");
            Ok(vec![Change::of(&"rules", "rules.loaded")])
        })
    })
    .await?;
    let stored = rule::all(&mut *context.db.connection().await?).await?;
    tell_edited("rules", &edited(&released, &stored));
    Ok(())
}

/// The rules that are stored otherwise than the release brings them.
pub fn edited(released: &Rules, stored: &Rules) -> Vec<String> {
    let of_channel = |rule: &ChannelRule| {
        format!(
            "channel {} of {}, from {}",
            rule.channel.word(),
            rule.kind.word(),
            rule.validity.from
        )
    };
    let of_caller = |rule: &CallerChannel| {
        format!(
            "channel {} of {}, from {}",
            rule.channel.word(),
            rule.role.word(),
            rule.validity.from
        )
    };
    let of_signatory = |rule: &SignatoryRule| {
        let (capacity, kind) = (rule.capacity.word(), rule.kind.word());
        format!("signature {capacity} of {kind}, from {}", rule.validity.from)
    };
    let of_ground = |ground: &Ground| format!("ground {}, from {}", ground.rule.word(), ground.validity.from);
    let of_verb = |rule: &VerbRule| {
        let (verb, kind) = (rule.verb.word(), rule.kind.word());
        format!("verb {verb} {} of {kind}, from {}", rule.ground, rule.validity.from)
    };
    [
        register_edited(&released.lapsed_acts, &stored.lapsed_acts, |act| {
            format!("act {}", act.name)
        }),
        register_edited(&released.channels, &stored.channels, of_channel),
        register_edited(&released.caller_channels, &stored.caller_channels, of_caller),
        register_edited(&released.signatories, &stored.signatories, of_signatory),
        register_edited(&released.grounds, &stored.grounds, of_ground),
        register_edited(&released.verbs, &stored.verbs, of_verb),
    ]
    .concat()
}

#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn insert(connection: &mut PgConnection, rules: &Rules) -> Result<u64, sqlx::Error> {
    let mut loaded = 0;
    for act in &rules.lapsed_acts {
        loaded += insert_act(connection, act).await?;
    }
    for rule in &rules.channels {
        loaded += insert_channel_rule(connection, rule).await?;
    }
    for rule in &rules.caller_channels {
        loaded += insert_caller_channel(connection, rule).await?;
    }
    for rule in &rules.signatories {
        loaded += insert_signatory_rule(connection, rule).await?;
    }
    for ground in &rules.grounds {
        loaded += insert_ground(connection, ground).await?;
    }
    for rule in &rules.verbs {
        loaded += insert_verb_rule(connection, rule).await?;
    }
    Ok(loaded)
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
        rule.kind.word(),
        rule.channel.word(),
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
        rule.role.word(),
        rule.channel.word(),
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
        rule.kind.word(),
        rule.capacity.word(),
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
        "INSERT INTO requests.rule_ground
             (rule, decided_by, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision, legal_basis_uri,
              legal_basis_assumed, grade, valid_from, valid_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
        ground.rule.word(),
        ground.decided_by.word(),
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

async fn insert_verb_rule(connection: &mut PgConnection, rule: &VerbRule) -> Result<u64, sqlx::Error> {
    let capacities: Vec<String> = rule
        .capacities
        .iter()
        .map(|capacity| capacity.word().to_owned())
        .collect();
    let inserted = sqlx::query!(
        "INSERT INTO requests.verb_rule
             (verb, ground, requester_kind, capacities, counted_from, shortest_days, usual_days, longest_days, text_kk, text_ru,
              text_en, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, grade, valid_from, valid_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) ON CONFLICT DO NOTHING",
        rule.verb.word(),
        rule.ground,
        rule.kind.word(),
        &capacities,
        rule.counted_from.map(CountedFrom::word),
        rule.cure_days.map(|days| days.shortest),
        rule.cure_days.map(|days| days.usual),
        rule.cure_days.map(|days| days.longest),
        rule.text.kk,
        rule.text.ru,
        rule.text.en,
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
