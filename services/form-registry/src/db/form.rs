//! `forms.form`.

use legalstat_kit::{
    door::word::Word,
    due::Duty,
    law::{LegalBasis, LocalizedText},
};
use sqlx::PgConnection;

use crate::domain::{
    form::{Form, Periodicity},
    key,
};

struct Row {
    list_number: i32,
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
    valid_from: jiff_sqlx::Date,
    valid_to: Option<jiff_sqlx::Date>,
}

impl TryFrom<Row> for Form {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let periodicity = Periodicity::read_stored(&row.periodicity, "periodicity")?;
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
        Ok(Self {
            list_number: row.list_number,
            code: row.code,
            title: LocalizedText::new(row.title_kk, row.title_ru, row.title_en),
            periodicity,
            duty: Duty {
                parent: key::form(row.list_number),
                position: row.list_number,
                periods: periodicity.periods(),
                due_day: row.due_day,
                roll_forward: row.roll_forward,
                roll_forward_basis,
                legal_basis,
                valid_from: row.valid_from.to_jiff(),
                valid_to: row.valid_to.map(|day| day.to_jiff()),
            },
        })
    }
}

/// Which forms to list.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    /// Only this form.
    pub list_number: Option<i32>,
    /// Only forms printed with this code, however it is spelled.
    pub code: Option<&'a str>,
    /// Only forms of this periodicity.
    pub periodicity: Option<Periodicity>,
    /// Only forms after this list number.
    pub after: Option<i32>,
    /// Only forms of these numbers.
    pub among: Option<&'a [i32]>,
}

/// The forms by list number; `None` as the limit means all.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(
    connection: &mut PgConnection,
    filter: &Filter<'_>,
    limit: Option<i64>,
) -> Result<Vec<Form>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT list_number, code, title_en, title_kk, title_ru, periodicity, due_day, roll_forward,
             roll_forward_basis_act, roll_forward_basis_provision, roll_forward_basis_uri, roll_forward_basis_assumed,
             legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed, valid_from, valid_to
         FROM forms.form
         WHERE ($1::integer IS NULL OR list_number = $1)
           AND ($2::text IS NULL OR forms.folded(code) = forms.folded($2))
           AND ($3::text IS NULL OR periodicity = $3)
           AND ($4::integer IS NULL OR list_number > $4)
           AND ($5::integer[] IS NULL OR list_number = ANY ($5))
         ORDER BY list_number LIMIT $6",
        filter.list_number,
        filter.code,
        filter.periodicity.map(Periodicity::word),
        filter.after,
        filter.among,
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Form::try_from).collect()
}

/// One form.
pub async fn get(connection: &mut PgConnection, list_number: i32) -> Result<Option<Form>, sqlx::Error> {
    let filter = Filter {
        list_number: Some(list_number),
        ..Filter::default()
    };
    Ok(list(connection, &filter, None).await?.pop())
}

/// Stores a form unless its number is taken; answers whether it was stored.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert_missing(connection: &mut PgConnection, form: &Form) -> Result<bool, sqlx::Error> {
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
    )
    .execute(connection)
    .await?
    .rows_affected();
    Ok(inserted == 1)
}
