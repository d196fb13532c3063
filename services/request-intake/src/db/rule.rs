//! The rules as rows.

use legalstat_kit::{
    door::word::Word,
    law::{LegalBasis, LocalizedText},
};
use sqlx::PgConnection;

use crate::domain::{
    decision::OfficialCapacity,
    examination::CheckRule,
    life::Verb,
    request::{CallerRole, Capacity, Channel, RequesterKind},
    rules::{
        CallerChannel, ChannelRule, CountedFrom, CureDays, Decider, Ground, LapsedAct, Rules, SignatoryRule, Validity,
        VerbRule,
    },
};

/// How often the rules have changed.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn revision(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!("SELECT revision FROM requests.rule_revision")
        .fetch_one(connection)
        .await
}

/// All rules. Only within one snapshot are they of one revision.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn all(connection: &mut PgConnection) -> Result<Rules, sqlx::Error> {
    Ok(Rules {
        lapsed_acts: lapsed_acts(connection).await?,
        channels: channels(connection).await?,
        caller_channels: caller_channels(connection).await?,
        signatories: signatories(connection).await?,
        grounds: grounds(connection).await?,
        verbs: verbs(connection).await?,
        bodies: super::body::all(connection).await?,
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
            kind: RequesterKind::read_stored(&row.requester_kind, "requester_kind")?,
            channel: Channel::read_stored(&row.channel, "channel")?,
            allowed: row.allowed,
            legal_basis: LegalBasis::of_row(
                row.legal_basis_act,
                row.legal_basis_provision,
                row.legal_basis_uri,
                row.legal_basis_assumed,
            ),
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
            role: CallerRole::read_stored(&row.role, "role")?,
            channel: Channel::read_stored(&row.channel, "channel")?,
            legal_basis: LegalBasis::of_row(
                row.legal_basis_act,
                row.legal_basis_provision,
                row.legal_basis_uri,
                row.legal_basis_assumed,
            ),
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
            kind: RequesterKind::read_stored(&row.requester_kind, "requester_kind")?,
            capacity: Capacity::read_stored(&row.capacity, "capacity")?,
            allowed: row.allowed,
            legal_basis: LegalBasis::of_row(
                row.legal_basis_act,
                row.legal_basis_provision,
                row.legal_basis_uri,
                row.legal_basis_assumed,
            ),
            validity: validity(row.grade, row.valid_from, row.valid_to),
        })
    });
    rows.collect()
}

async fn grounds(connection: &mut PgConnection) -> Result<Vec<Ground>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT rule, decided_by, text_kk, text_ru, text_en, legal_basis_act, legal_basis_provision, legal_basis_uri,
             legal_basis_assumed, grade, valid_from, valid_to
         FROM requests.rule_ground"
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    // A later release, while it takes over, has rules that this one does not apply.
    let known = rows.filter_map(|row| Some((CheckRule::read(&row.rule)?, row)));
    let grounds = known.map(|(rule, row)| {
        Ok(Ground {
            rule,
            decided_by: Decider::read_stored(&row.decided_by, "decided_by")?,
            text: LocalizedText::new(row.text_kk, row.text_ru, row.text_en),
            legal_basis: LegalBasis::of_row(
                row.legal_basis_act,
                row.legal_basis_provision,
                row.legal_basis_uri,
                row.legal_basis_assumed,
            ),
            validity: validity(row.grade, row.valid_from, row.valid_to),
        })
    });
    grounds.collect()
}

async fn verbs(connection: &mut PgConnection) -> Result<Vec<VerbRule>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT verb, ground, requester_kind, capacities, counted_from, shortest_days, usual_days, longest_days, text_kk,
             text_ru, text_en, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, grade,
             valid_from, valid_to
         FROM requests.verb_rule"
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let capacities = row.capacities.iter();
        let capacities = capacities.map(|word| OfficialCapacity::read_stored(word, "capacities"));
        let counted_from = row
            .counted_from
            .map(|word| CountedFrom::read_stored(&word, "counted_from"));
        let days = row.shortest_days.zip(row.usual_days).zip(row.longest_days);
        Ok(VerbRule {
            verb: Verb::read_stored(&row.verb, "verb")?,
            ground: row.ground,
            kind: RequesterKind::read_stored(&row.requester_kind, "requester_kind")?,
            capacities: capacities.collect::<Result<_, _>>()?,
            counted_from: counted_from.transpose()?,
            cure_days: days.map(|((shortest, usual), longest)| CureDays {
                shortest,
                usual,
                longest,
            }),
            text: LocalizedText::new(row.text_kk, row.text_ru, row.text_en),
            legal_basis: LegalBasis::of_row(
                row.legal_basis_act,
                row.legal_basis_provision,
                row.legal_basis_uri,
                row.legal_basis_assumed,
            ),
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
