//! `forms.form`, which says that there is a form, and `forms.form_version`, everything recorded about it.

use std::collections::{BTreeMap, HashSet};

use futures::future::BoxFuture;
use legalstat_kit::{
    call::Done,
    door::word::Word,
    due::Duty,
    law::{LegalBasis, LocalizedText},
};
use sqlx::PgConnection;

use crate::domain::{
    edition::Channel,
    form::{Body, Form, Periodicity, Responsible},
    history::{History, Kind, Recording},
    key,
};

struct Row {
    form: i32,
    number: i32,
    kind: String,
    code: Option<String>,
    title_en: String,
    title_kk: String,
    title_ru: String,
    periodicity: String,
    due_day: i32,
    roll_forward: bool,
    roll_forward_basis_act: String,
    roll_forward_basis_provision: String,
    roll_forward_basis_uri: String,
    roll_forward_basis_assumed: bool,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
    channels: Vec<String>,
    body: String,
    territory: String,
    unit: String,
    valid_from: jiff_sqlx::Date,
    valid_to: Option<jiff_sqlx::Date>,
    reason: String,
    recorded_at: jiff_sqlx::Timestamp,
    recorded_by: String,
}

impl TryFrom<Row> for Recording {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let periodicity = Periodicity::read_stored(&row.periodicity, "periodicity")?;
        let channels = row.channels.iter();
        let channels = channels.map(|channel| Channel::read_stored(channel, "channels"));
        let roll_forward_basis = LegalBasis::of_row(
            row.roll_forward_basis_act,
            row.roll_forward_basis_provision,
            row.roll_forward_basis_uri,
            row.roll_forward_basis_assumed,
        );
        let legal_basis = LegalBasis::of_row(
            row.legal_basis_act,
            row.legal_basis_provision,
            row.legal_basis_uri,
            row.legal_basis_assumed,
        );
        let form = Form {
            list_number: row.form,
            code: row.code,
            title: LocalizedText::new(row.title_kk, row.title_ru, row.title_en),
            periodicity,
            duty: Duty {
                parent: key::form(row.form),
                position: row.form,
                periods: periodicity.periods(),
                due_day: row.due_day,
                roll_forward: row.roll_forward,
                roll_forward_basis,
                legal_basis,
                valid_from: row.valid_from.to_jiff(),
                valid_to: row.valid_to.map(|day| day.to_jiff()),
            },
            channels: channels.collect::<Result<_, _>>()?,
            responsible: Responsible {
                body: Body::read_stored(&row.body, "body")?,
                territory: row.territory,
                unit: row.unit,
            },
        };
        Ok(Self {
            number: row.number,
            kind: Kind::read_stored(&row.kind, "kind")?,
            form,
            reason: row.reason,
            recorded: Done {
                at: row.recorded_at.to_jiff(),
                by: row.recorded_by,
            },
        })
    }
}

/// What was recorded about forms, of all or of those `among` these, by list number. There are few forms, and few recordings of
/// each: which of them hold is decided where they are read.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn histories(connection: &mut PgConnection, among: Option<&[i32]>) -> Result<Vec<History>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT form, number, kind, code, title_en, title_kk, title_ru, periodicity, due_day, roll_forward,
             roll_forward_basis_act, roll_forward_basis_provision, roll_forward_basis_uri, roll_forward_basis_assumed,
             legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, channels, body, territory, unit,
             valid_from, valid_to, reason, recorded_at, recorded_by
         FROM forms.form_version
         WHERE ($1::integer[] IS NULL OR form = ANY ($1))
         ORDER BY form, number",
        among,
    );
    let mut by_form: BTreeMap<i32, Vec<Recording>> = BTreeMap::new();
    for row in rows.fetch_all(connection).await? {
        by_form.entry(row.form).or_default().push(row.try_into()?);
    }
    Ok(by_form.into_values().filter_map(History::new).collect())
}

/// What was recorded about one form.
pub async fn history(connection: &mut PgConnection, list_number: i32) -> Result<Option<History>, sqlx::Error> {
    Ok(histories(connection, Some(&[list_number])).await?.pop())
}

/// The duties of all forms, as the schedule reads them.
pub fn duties(connection: &mut PgConnection) -> BoxFuture<'_, Result<Vec<Duty>, sqlx::Error>> {
    Box::pin(async move {
        let histories = histories(connection, None).await?;
        let versions = histories.iter().flat_map(History::versions);
        Ok(versions.map(|version| version.form.duty).collect())
    })
}

/// The recordings, as form and number, whose form is printed with this code, however it is spelled.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn coded(connection: &mut PgConnection, code: &str) -> Result<HashSet<(i32, i32)>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT form, number FROM forms.form_version WHERE forms.folded(code) = forms.folded($1)",
        code,
    );
    let rows = rows.fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.form, row.number)).collect())
}

/// Registers a form that is not there yet; answers whether it did. The row holds what the previous release reads.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn register(connection: &mut PgConnection, form: &Form) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO forms.form
             (list_number, code, title_en, title_kk, title_ru, periodicity, due_day, roll_forward,
              roll_forward_basis_act, roll_forward_basis_provision, roll_forward_basis_uri, roll_forward_basis_assumed,
              legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT DO NOTHING",
        form.list_number,
        form.code.as_deref(),
        form.title.en,
        form.title.kk,
        form.title.ru,
        form.periodicity.word(),
        form.duty.due_day,
        form.duty.roll_forward,
        form.duty.roll_forward_basis.act,
        form.duty.roll_forward_basis.provision,
        form.duty.roll_forward_basis.uri,
        form.duty.roll_forward_basis.assumed,
        form.duty.legal_basis.act,
        form.duty.legal_basis.provision,
        form.duty.legal_basis.uri,
        form.duty.legal_basis.assumed,
        jiff_sqlx::Date::from(form.duty.valid_from) as _,
        form.duty.valid_to.map(jiff_sqlx::Date::from) as _,
    );
    Ok(inserted.execute(connection).await?.rows_affected() == 1)
}

/// Stores a recording; answers whether it did, which is not so when another has stored one of this number meanwhile.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn record(connection: &mut PgConnection, recording: &Recording) -> Result<bool, sqlx::Error> {
    let (form, duty) = (&recording.form, &recording.form.duty);
    let channels: Vec<String> = form.channels.iter().map(|channel| channel.word().to_owned()).collect();
    let inserted = sqlx::query!(
        "INSERT INTO forms.form_version
             (form, number, kind, code, title_en, title_kk, title_ru, periodicity, due_day, roll_forward,
              roll_forward_basis_act, roll_forward_basis_provision, roll_forward_basis_uri, roll_forward_basis_assumed,
              legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, channels, body, territory, unit,
              valid_from, valid_to, reason, recorded_at, recorded_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
                 $24, $25, $26, $27)
         ON CONFLICT DO NOTHING",
        form.list_number,
        recording.number,
        recording.kind.word(),
        form.code.as_deref(),
        form.title.en,
        form.title.kk,
        form.title.ru,
        form.periodicity.word(),
        duty.due_day,
        duty.roll_forward,
        duty.roll_forward_basis.act,
        duty.roll_forward_basis.provision,
        duty.roll_forward_basis.uri,
        duty.roll_forward_basis.assumed,
        duty.legal_basis.act,
        duty.legal_basis.provision,
        duty.legal_basis.uri,
        duty.legal_basis.assumed,
        &channels,
        form.responsible.body.word(),
        form.responsible.territory,
        form.responsible.unit,
        jiff_sqlx::Date::from(duty.valid_from) as _,
        duty.valid_to.map(jiff_sqlx::Date::from) as _,
        recording.reason,
        jiff_sqlx::Timestamp::from(recording.recorded.at) as _,
        recording.recorded.by,
    );
    Ok(inserted.execute(connection).await?.rows_affected() == 1)
}
