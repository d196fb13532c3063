//! Reads the rules. They are read for every examination, so that one replaced in the tables counts from the next on.

use legalstat_kit::{
    law::{LegalBasis, LocalizedText},
    schema::Database,
};
use sqlx::PgConnection;

use super::known;
use crate::domain::{
    examination::CheckRule,
    request::{CallerRole, Capacity, Channel, RequesterKind},
    rules::{CallerChannel, ChannelRule, Decider, Ground, LapsedAct, Rules, SignatoryRule, Validity},
};

/// All rules.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn read(db: &Database) -> Result<Rules, sqlx::Error> {
    let mut connection = db.connection().await?;
    Ok(Rules {
        lapsed_acts: lapsed_acts(&mut connection).await?,
        channels: channels(&mut connection).await?,
        caller_channels: caller_channels(&mut connection).await?,
        signatories: signatories(&mut connection).await?,
        grounds: grounds(&mut connection).await?,
    })
}

async fn lapsed_acts(connection: &mut PgConnection) -> Result<Vec<LapsedAct>, sqlx::Error> {
    let rows = sqlx::query!("SELECT name, uri, lapsed_on, grade, note FROM requests.act")
        .fetch_all(connection)
        .await?;
    let acts = rows.into_iter().map(|row| LapsedAct {
        name: row.name,
        uri: row.uri,
        lapsed_on: row.lapsed_on.to_jiff(),
        grade: row.grade,
        note: row.note,
    });
    Ok(acts.collect())
}

async fn channels(connection: &mut PgConnection) -> Result<Vec<ChannelRule>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT requester_kind, channel, allowed, legal_basis_act, legal_basis_provision, legal_basis_uri,
             legal_basis_assumed, grade, valid_from, valid_to
         FROM requests.channel_rule"
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        Ok(ChannelRule {
            kind: known(RequesterKind::from_stored(&row.requester_kind), "requester_kind")?,
            channel: known(Channel::from_stored(&row.channel), "channel")?,
            allowed: row.allowed,
            legal_basis: LegalBasis {
                act: row.legal_basis_act,
                provision: row.legal_basis_provision,
                uri: row.legal_basis_uri,
                assumed: row.legal_basis_assumed,
            },
            validity: validity(row.grade, row.valid_from, row.valid_to),
        })
    });
    rows.collect()
}

async fn caller_channels(connection: &mut PgConnection) -> Result<Vec<CallerChannel>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT role, channel, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, grade,
             valid_from, valid_to
         FROM requests.caller_channel"
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        Ok(CallerChannel {
            role: known(CallerRole::from_stored(&row.role), "role")?,
            channel: known(Channel::from_stored(&row.channel), "channel")?,
            legal_basis: LegalBasis {
                act: row.legal_basis_act,
                provision: row.legal_basis_provision,
                uri: row.legal_basis_uri,
                assumed: row.legal_basis_assumed,
            },
            validity: validity(row.grade, row.valid_from, row.valid_to),
        })
    });
    rows.collect()
}

async fn signatories(connection: &mut PgConnection) -> Result<Vec<SignatoryRule>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT requester_kind, capacity, allowed, legal_basis_act, legal_basis_provision, legal_basis_uri,
             legal_basis_assumed, grade, valid_from, valid_to
         FROM requests.signatory_rule"
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        Ok(SignatoryRule {
            kind: known(RequesterKind::from_stored(&row.requester_kind), "requester_kind")?,
            capacity: known(Capacity::from_stored(&row.capacity), "capacity")?,
            allowed: row.allowed,
            legal_basis: LegalBasis {
                act: row.legal_basis_act,
                provision: row.legal_basis_provision,
                uri: row.legal_basis_uri,
                assumed: row.legal_basis_assumed,
            },
            validity: validity(row.grade, row.valid_from, row.valid_to),
        })
    });
    rows.collect()
}

async fn grounds(connection: &mut PgConnection) -> Result<Vec<Ground>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT rule, decided_by, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision, legal_basis_uri,
             legal_basis_assumed, grade, valid_from, valid_to
         FROM requests.ground"
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        Ok(Ground {
            rule: known(CheckRule::from_stored(&row.rule), "rule")?,
            decided_by: known(Decider::from_stored(&row.decided_by), "decided_by")?,
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
            validity: validity(row.grade, row.valid_from, row.valid_to),
        })
    });
    rows.collect()
}

fn validity(grade: String, from: jiff_sqlx::Date, to: Option<jiff_sqlx::Date>) -> Validity {
    Validity {
        grade,
        from: from.to_jiff(),
        to: to.map(jiff_sqlx::Date::to_jiff),
    }
}
