//! `forms.indicator` with its versions: the indicators of forms and the details of accounting documents.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use legalstat_kit::{
    call::Done,
    door::word::unreadable,
    law::{LegalBasis, LocalizedText},
};
use sqlx::PgConnection;

use crate::domain::{
    dated::{Dated, Validity},
    indicator::{Dimension, Indicator, IndicatorFacts},
};

/// Whose indicators, or details.
#[derive(Clone, Copy, Debug)]
pub enum Owner {
    /// A form, by its list number.
    Form(i32),
    /// An accounting document, by the number of its code.
    Document(i32),
}

impl Owner {
    fn columns(self) -> (Option<i32>, Option<i32>) {
        match self {
            Self::Form(form) => (Some(form), None),
            Self::Document(document) => (None, Some(document)),
        }
    }
}

struct Row {
    code: String,
    valid_from: jiff_sqlx::Date,
    valid_to: Option<jiff_sqlx::Date>,
    title_kk: String,
    title_ru: String,
    title_en: String,
    unit: String,
    measure: String,
    by_territory: bool,
    dimensions: Vec<String>,
    lists: Vec<String>,
    restricted: bool,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
}

impl TryFrom<Row> for Indicator {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        if row.dimensions.len() != row.lists.len() {
            return Err(unreadable("dimension_lists", &row.code));
        }
        let dimensions = row.dimensions.into_iter().zip(row.lists);
        let version = Dated {
            validity: Validity {
                from: row.valid_from.to_jiff(),
                to: row.valid_to.map(|day| day.to_jiff()),
            },
            title: LocalizedText::new(row.title_kk, row.title_ru, row.title_en),
            legal_basis: LegalBasis::of_row(
                row.legal_basis_act,
                row.legal_basis_provision,
                row.legal_basis_uri,
                row.legal_basis_assumed,
            ),
            facts: IndicatorFacts {
                unit: row.unit,
                measure: row.measure,
                by_territory: row.by_territory,
                dimensions: dimensions.map(|(id, code_list)| Dimension { id, code_list }).collect(),
                restricted: row.restricted,
            },
        };
        Ok((row.code, version))
    }
}

/// Keeps others from changing these registers until the transaction ends.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock(connection: &mut PgConnection, owner: Owner) -> Result<(), sqlx::Error> {
    let (kind, number) = match owner {
        Owner::Form(form) => ("forms.indicator of form", form),
        Owner::Document(document) => ("forms.indicator of document", document),
    };
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtext($1), $2)", kind, number)
        .execute(connection)
        .await?;
    Ok(())
}

/// Which versions to list.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    pub as_of: Option<Date>,
    pub unit: Option<&'a str>,
    /// Only after this code and first day.
    pub after: Option<(String, Date)>,
    /// Only the last version of each code.
    pub last: bool,
}

/// Versions by code and first day; `None` as the limit means all.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(
    connection: &mut PgConnection,
    owner: Owner,
    filter: &Filter<'_>,
    limit: Option<i64>,
) -> Result<Vec<Indicator>, sqlx::Error> {
    let (form, document) = owner.columns();
    let after = filter.after.as_ref();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT i.code, v.valid_from, v.valid_to, v.title_kk, v.title_ru, v.title_en, u.code AS unit, v.measure, v.by_territory,
             v.dimensions,
             ARRAY(SELECT l.code FROM unnest(v.dimension_lists) WITH ORDINALITY AS d (id, place)
                   JOIN forms.code_list l ON l.id = d.id ORDER BY d.place) AS "lists!",
             v.restricted, v.legal_basis_act, v.legal_basis_provision, v.legal_basis_uri, v.legal_basis_assumed
         FROM forms.indicator i
         JOIN forms.indicator_version v ON v.indicator = i.id
         JOIN forms.code u ON u.id = v.unit
         WHERE (i.form = $1 OR i.document = $2)
           AND ($3::date IS NULL OR (v.valid_from <= $3 AND (v.valid_to IS NULL OR v.valid_to >= $3)))
           AND ($4::text IS NULL OR u.code = $4)
           AND ($5::text IS NULL OR (i.code, v.valid_from) > ($5, $6))
           AND (NOT $7 OR v.valid_from = (SELECT max(l.valid_from) FROM forms.indicator_version l WHERE l.indicator = i.id))
         ORDER BY i.code, v.valid_from LIMIT $8"#,
        form,
        document,
        filter.as_of.map(jiff_sqlx::Date::from) as _,
        filter.unit,
        after.map(|after| after.0.as_str()),
        after.map(|after| jiff_sqlx::Date::from(after.1)) as _,
        filter.last,
        limit,
    );
    let rows = rows.fetch_all(connection).await?;
    rows.into_iter().map(Indicator::try_from).collect()
}

/// The numbers of indicators of a form, by code.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn numbers(connection: &mut PgConnection, form: i32) -> Result<HashMap<String, i32>, sqlx::Error> {
    let rows = sqlx::query!("SELECT code, id FROM forms.indicator WHERE form = $1", form);
    let rows = rows.fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.code, row.id)).collect())
}

/// The dimensions that indicators of a form have or had, but for those hidden, each with those of the codes that one of its lists has,
/// whenever they hold.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn dimensions(
    connection: &mut PgConnection,
    form: i32,
    hidden: &[i32],
    codes: &[String],
) -> Result<HashMap<String, HashSet<String>>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT d.id AS "dimension!", c.code AS "code?"
         FROM forms.indicator i JOIN forms.indicator_version v ON v.indicator = i.id
         CROSS JOIN LATERAL unnest(v.dimensions, v.dimension_lists) AS d (id, list)
         LEFT JOIN forms.code c ON c.code_list = d.list AND c.code = ANY ($3)
         WHERE i.form = $1 AND i.id <> ALL ($2)"#,
        form,
        hidden,
        codes,
    );
    let mut found: HashMap<String, HashSet<String>> = HashMap::new();
    for row in rows.fetch_all(connection).await? {
        found.entry(row.dimension).or_default().extend(row.code);
    }
    Ok(found)
}

/// The numbers of a form's indicators that are of restricted access on one of these days.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn restricted(connection: &mut PgConnection, form: i32, days: &[Date]) -> Result<Vec<i32>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT DISTINCT i.id FROM forms.indicator i
         JOIN forms.indicator_version v ON v.indicator = i.id AND v.restricted
         JOIN unnest($2::text[]) AS d (day) ON v.valid_from <= d.day::date AND (v.valid_to IS NULL OR v.valid_to >= d.day::date)
         WHERE i.form = $1",
        form,
        &days.iter().map(Date::to_string).collect::<Vec<_>>(),
    )
    .fetch_all(connection)
    .await
}

/// Ends the last versions of these with these days.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn end(
    connection: &mut PgConnection,
    owner: Owner,
    ends: &[(String, Date, String)],
) -> Result<(), sqlx::Error> {
    let (form, document) = owner.columns();
    sqlx::query!(
        "UPDATE forms.indicator_version v SET valid_to = e.last_day::date, ended_by = e.ended_by
         FROM unnest($3::text[], $4::text[], $5::text[]) AS e (code, last_day, ended_by)
         JOIN forms.indicator i ON (i.form = $1 OR i.document = $2) AND i.code = e.code
         WHERE v.indicator = i.id
           AND v.valid_from = (SELECT max(l.valid_from) FROM forms.indicator_version l WHERE l.indicator = i.id)",
        form,
        document,
        &ends.iter().map(|end| end.0.clone()).collect::<Vec<_>>(),
        &ends.iter().map(|end| end.1.to_string()).collect::<Vec<_>>(),
        &ends.iter().map(|end| end.2.clone()).collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Stores versions, and the indicators or details that are not there yet. Lists are known by their ids, units by their codes.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn add(
    connection: &mut PgConnection,
    owner: Owner,
    indicators: &[Indicator],
    by: &Done,
) -> Result<(), sqlx::Error> {
    let texts = |of: fn(&Indicator) -> String| indicators.iter().map(of).collect::<Vec<_>>();
    let flags = |of: fn(&Indicator) -> bool| indicators.iter().map(of).collect::<Vec<_>>();
    let (form, document) = owner.columns();
    let names = texts(|(code, _)| code.clone());
    sqlx::query!(
        "INSERT INTO forms.indicator (form, document, code)
         SELECT $1, $2, code FROM unnest($3::text[]) WITH ORDINALITY AS n (code, place) ORDER BY place ON CONFLICT DO NOTHING",
        form,
        document,
        &names,
    )
    .execute(&mut *connection)
    .await?;
    // Arrays of arrays must be of one length, so the ids of the dimensions come as texts, which never hold a space.
    sqlx::query!(
        "INSERT INTO forms.indicator_version
             (indicator, valid_from, valid_to, title_kk, title_ru, title_en, unit, measure, by_territory, dimensions,
              dimension_lists, restricted, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed,
              recorded_at, recorded_by)
         SELECT i.id, n.valid_from::date, nullif(n.valid_to, '')::date, n.kk, n.ru, n.en, u.id, n.measure, n.by_territory,
             string_to_array(n.dimensions, ' '),
             ARRAY(SELECT l.id FROM unnest(string_to_array(n.lists, ' ')) WITH ORDINALITY AS d (code, place)
                   JOIN forms.code_list l ON l.code = d.code ORDER BY d.place),
             n.restricted, n.act, n.provision, n.uri, n.assumed, $4, $5
         FROM unnest($3::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
                     $13::boolean[], $14::text[], $15::text[], $16::boolean[], $17::text[], $18::text[], $19::text[],
                     $20::boolean[])
              AS n (code, valid_from, valid_to, kk, ru, en, unit, measure, by_territory, dimensions, lists, restricted, act,
                    provision, uri, assumed)
         JOIN forms.indicator i ON (i.form = $1 OR i.document = $2) AND i.code = n.code
         JOIN forms.code_list ul ON ul.code = 'UNIT'
         JOIN forms.code u ON u.code_list = ul.id AND u.code = n.unit",
        form,
        document,
        &names,
        jiff_sqlx::Timestamp::from(by.at) as _,
        by.by,
        &texts(|(_, version)| version.validity.from.to_string()),
        &texts(|(_, version)| version.validity.to.map(|day| day.to_string()).unwrap_or_default()),
        &texts(|(_, version)| version.title.kk.clone()),
        &texts(|(_, version)| version.title.ru.clone()),
        &texts(|(_, version)| version.title.en.clone()),
        &texts(|(_, version)| version.facts.unit.clone()),
        &texts(|(_, version)| version.facts.measure.clone()),
        &flags(|(_, version)| version.facts.by_territory),
        &texts(|(_, version)| joined(version, |dimension| &dimension.id)),
        &texts(|(_, version)| joined(version, |dimension| &dimension.code_list)),
        &flags(|(_, version)| version.facts.restricted),
        &texts(|(_, version)| version.legal_basis.act.clone()),
        &texts(|(_, version)| version.legal_basis.provision.clone()),
        &texts(|(_, version)| version.legal_basis.uri.clone()),
        &flags(|(_, version)| version.legal_basis.assumed),
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn joined(version: &Dated<IndicatorFacts>, of: fn(&Dimension) -> &String) -> String {
    let ids: Vec<&str> = version
        .facts
        .dimensions
        .iter()
        .map(|dimension| of(dimension).as_str())
        .collect();
    ids.join(" ")
}
