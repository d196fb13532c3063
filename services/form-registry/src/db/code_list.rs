//! `forms.code_list`, and `forms.code` with its versions.

use std::collections::HashMap;

use jiff::civil::Date;
use legalstat_kit::{
    call::Done,
    law::{LegalBasis, LocalizedText},
};
use sqlx::PgConnection;

use crate::domain::{
    dated::{Dated, Validity},
    indicator::{Code, CodeFacts, CodeList},
};

/// The lists after one, by id.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lists(connection: &mut PgConnection, after: &str, limit: i64) -> Result<Vec<CodeList>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT code, title_kk, title_ru, title_en, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed
         FROM forms.code_list WHERE code > $1 ORDER BY code LIMIT $2",
        after,
        limit,
    );
    let lists = rows.fetch_all(connection).await?.into_iter().map(|row| CodeList {
        id: row.code,
        title: LocalizedText::new(row.title_kk, row.title_ru, row.title_en),
        legal_basis: LegalBasis::of_row(
            row.legal_basis_act,
            row.legal_basis_provision,
            row.legal_basis_uri,
            row.legal_basis_assumed,
        ),
    });
    Ok(lists.collect())
}

/// The numbers of lists, by id.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn numbers(connection: &mut PgConnection) -> Result<HashMap<String, i32>, sqlx::Error> {
    let rows = sqlx::query!("SELECT code, id FROM forms.code_list");
    let rows = rows.fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.code, row.id)).collect())
}

/// The number of a code of a list, whenever it holds.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn number(connection: &mut PgConnection, list: &str, code: &str) -> Result<Option<i32>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT c.id FROM forms.code c JOIN forms.code_list l ON l.id = c.code_list WHERE l.code = $1 AND c.code = $2",
        list,
        code,
    )
    .fetch_optional(connection)
    .await
}

/// The numbers of codes of a list, whenever they hold.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn numbers_of(
    connection: &mut PgConnection,
    list: &str,
    codes: &[String],
) -> Result<HashMap<String, i32>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT c.code, c.id FROM forms.code c JOIN forms.code_list l ON l.id = c.code_list
         WHERE l.code = $1 AND c.code = ANY ($2)",
        list,
        codes,
    );
    let rows = rows.fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.code, row.id)).collect())
}

/// From when to when the codes of a list hold, by code.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn validities(
    connection: &mut PgConnection,
    list: &str,
) -> Result<HashMap<String, Vec<Validity>>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT c.code, v.valid_from, v.valid_to
         FROM forms.code_list l JOIN forms.code c ON c.code_list = l.id JOIN forms.code_version v ON v.code = c.id
         WHERE l.code = $1",
        list,
    );
    let mut validities: HashMap<String, Vec<Validity>> = HashMap::new();
    for row in rows.fetch_all(connection).await? {
        let to: Option<jiff_sqlx::Date> = row.valid_to;
        let validity = Validity {
            from: jiff_sqlx::Date::to_jiff(row.valid_from),
            to: to.map(|day| day.to_jiff()),
        };
        validities.entry(row.code).or_default().push(validity);
    }
    Ok(validities)
}

/// Stores a list unless its id is taken; answers whether it was stored.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn insert(connection: &mut PgConnection, list: &CodeList) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO forms.code_list
             (code, title_kk, title_ru, title_en, legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        list.id,
        list.title.kk,
        list.title.ru,
        list.title.en,
        list.legal_basis.act,
        list.legal_basis.provision,
        list.legal_basis.uri,
        list.legal_basis.assumed,
    );
    Ok(inserted.execute(connection).await?.rows_affected() == 1)
}

/// Keeps others from changing a list until the transaction ends.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock(connection: &mut PgConnection, list: i32) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtext('forms.code_list'), $1)", list)
        .execute(connection)
        .await?;
    Ok(())
}

struct Row {
    code: String,
    valid_from: jiff_sqlx::Date,
    valid_to: Option<jiff_sqlx::Date>,
    parent: Option<String>,
    title_kk: String,
    title_ru: String,
    title_en: String,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
}

impl From<Row> for Code {
    fn from(row: Row) -> Self {
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
            facts: CodeFacts { parent: row.parent },
        };
        (row.code, version)
    }
}

/// The last version of every code of a list.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn last(connection: &mut PgConnection, list: i32) -> Result<HashMap<String, Dated<CodeFacts>>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT DISTINCT ON (c.code) c.code, v.valid_from, v.valid_to, p.code AS "parent?", v.title_kk, v.title_ru, v.title_en,
             v.legal_basis_act, v.legal_basis_provision, v.legal_basis_uri, v.legal_basis_assumed
         FROM forms.code c
         JOIN forms.code_version v ON v.code = c.id
         LEFT JOIN forms.code p ON p.id = v.parent
         WHERE c.code_list = $1 ORDER BY c.code, v.valid_from DESC"#,
        list,
    );
    let rows = rows.fetch_all(connection).await?;
    Ok(rows.into_iter().map(Code::from).collect())
}

/// The versions of a list's codes after one, by code and first day.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(
    connection: &mut PgConnection,
    list: i32,
    as_of: Option<Date>,
    among: Option<&[String]>,
    after: (&str, Date),
    limit: i64,
) -> Result<Vec<Code>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT c.code, v.valid_from, v.valid_to, p.code AS "parent?", v.title_kk, v.title_ru, v.title_en,
             v.legal_basis_act, v.legal_basis_provision, v.legal_basis_uri, v.legal_basis_assumed
         FROM forms.code c
         JOIN forms.code_version v ON v.code = c.id
         LEFT JOIN forms.code p ON p.id = v.parent
         WHERE c.code_list = $1
           AND ($2::date IS NULL OR (v.valid_from <= $2 AND (v.valid_to IS NULL OR v.valid_to >= $2)))
           AND (c.code, v.valid_from) > ($3, $4)
           AND ($6::text[] IS NULL OR c.code = ANY ($6))
         ORDER BY c.code, v.valid_from LIMIT $5"#,
        list,
        as_of.map(jiff_sqlx::Date::from) as _,
        after.0,
        jiff_sqlx::Date::from(after.1) as _,
        limit,
        among,
    );
    let rows = rows.fetch_all(connection).await?;
    Ok(rows.into_iter().map(Code::from).collect())
}

/// The numbers of the codes of lists that hold on a day, by list and code.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn holding_on(
    connection: &mut PgConnection,
    lists: &[String],
    day: Date,
) -> Result<HashMap<String, HashMap<String, i32>>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT l.code AS list, c.code, c.id
         FROM forms.code_list l
         JOIN forms.code c ON c.code_list = l.id
         JOIN forms.code_version v ON v.code = c.id
         WHERE l.code = ANY ($1) AND v.valid_from <= $2 AND (v.valid_to IS NULL OR v.valid_to >= $2)",
        lists,
        jiff_sqlx::Date::from(day) as _,
    );
    let mut holding: HashMap<String, HashMap<String, i32>> = HashMap::new();
    for row in rows.fetch_all(connection).await? {
        holding.entry(row.list).or_default().insert(row.code, row.id);
    }
    Ok(holding)
}

/// The parts of codes on a day, by the number of the total.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn parts(
    connection: &mut PgConnection,
    totals: &[i32],
    day: Date,
) -> Result<HashMap<i32, Vec<i32>>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT v.parent AS "parent!", v.code FROM forms.code_version v
         WHERE v.parent = ANY ($1) AND v.valid_from <= $2 AND (v.valid_to IS NULL OR v.valid_to >= $2)"#,
        totals,
        jiff_sqlx::Date::from(day) as _,
    );
    let mut parts: HashMap<i32, Vec<i32>> = HashMap::new();
    for row in rows.fetch_all(connection).await? {
        parts.entry(row.parent).or_default().push(row.code);
    }
    Ok(parts)
}

/// Which codes have parts, whenever.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn with_parts(connection: &mut PgConnection) -> Result<Vec<i32>, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT DISTINCT parent AS "parent!" FROM forms.code_version WHERE parent IS NOT NULL"#)
        .fetch_all(connection)
        .await
}

/// Ends the last versions of codes with these days.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn end(connection: &mut PgConnection, list: i32, ends: &[(String, Date, String)]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE forms.code_version v SET valid_to = e.last_day::date, ended_by = e.ended_by
         FROM unnest($2::text[], $3::text[], $4::text[]) AS e (code, last_day, ended_by)
         JOIN forms.code c ON c.code_list = $1 AND c.code = e.code
         WHERE v.code = c.id AND v.valid_from = (SELECT max(l.valid_from) FROM forms.code_version l WHERE l.code = c.id)",
        list,
        &ends.iter().map(|end| end.0.clone()).collect::<Vec<_>>(),
        &ends.iter().map(|end| end.1.to_string()).collect::<Vec<_>>(),
        &ends.iter().map(|end| end.2.clone()).collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Stores versions of codes, and the codes that are not there yet.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn add(connection: &mut PgConnection, list: i32, codes: &[Code], by: &Done) -> Result<(), sqlx::Error> {
    let texts = |of: fn(&Code) -> String| codes.iter().map(of).collect::<Vec<_>>();
    let names = texts(|(code, _)| code.clone());
    sqlx::query!(
        "INSERT INTO forms.code (code_list, code) SELECT $1, code FROM unnest($2::text[]) WITH ORDINALITY AS n (code, place)
         ORDER BY place ON CONFLICT DO NOTHING",
        list,
        &names,
    )
    .execute(&mut *connection)
    .await?;
    let assumed: Vec<bool> = codes.iter().map(|(_, code)| code.legal_basis.assumed).collect();
    sqlx::query!(
        "INSERT INTO forms.code_version
             (code, valid_from, valid_to, parent, title_kk, title_ru, title_en, legal_basis_act, legal_basis_provision,
              legal_basis_uri, legal_basis_assumed, recorded_at, recorded_by)
         SELECT c.id, n.valid_from::date, nullif(n.valid_to, '')::date, p.id, n.kk, n.ru, n.en, n.act, n.provision, n.uri, n.assumed,
             $12, $13
         FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                     $10::text[], $11::boolean[], $14::text[])
              AS n (code, valid_from, valid_to, parent, kk, ru, en, act, provision, assumed, uri)
         JOIN forms.code c ON c.code_list = $1 AND c.code = n.code
         LEFT JOIN forms.code p ON p.code_list = $1 AND p.code = n.parent",
        list,
        &names,
        &texts(|(_, code)| code.validity.from.to_string()),
        &texts(|(_, code)| code.validity.to.map(|day| day.to_string()).unwrap_or_default()),
        &texts(|(_, code)| code.facts.parent.clone().unwrap_or_default()),
        &texts(|(_, code)| code.title.kk.clone()),
        &texts(|(_, code)| code.title.ru.clone()),
        &texts(|(_, code)| code.title.en.clone()),
        &texts(|(_, code)| code.legal_basis.act.clone()),
        &texts(|(_, code)| code.legal_basis.provision.clone()),
        &assumed,
        jiff_sqlx::Timestamp::from(by.at) as _,
        by.by,
        &texts(|(_, code)| code.legal_basis.uri.clone()),
    )
    .execute(connection)
    .await?;
    Ok(())
}
