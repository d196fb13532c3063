//! What request-intake asks about: what is placed openly, whether indicators are entered, and which of them words mean.

use std::collections::HashSet;

use jiff::{Timestamp, civil::Date};
use legalstat_kit::law::LocalizedText;
use sqlx::PgConnection;

use super::edition_key;
use crate::domain::{availability::Match, indicator::IndicatorName, key::EditionKey};

/// What is known of the forms that items name.
#[derive(Debug, Default)]
pub struct OfForms {
    /// The editions that are placed on the information service and were not taken back since, under an embargo or not.
    pub placed: HashSet<EditionKey>,
    /// Whether any edition is under an embargo, which is rare.
    pub embargoed: bool,
    /// The forms with indicators.
    pub entered: HashSet<i32>,
}

/// What is known of these forms, in one statement.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_forms(connection: &mut PgConnection, forms: &[i32], now: Timestamp) -> Result<OfForms, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT f.form AS "form!",
             EXISTS (SELECT FROM forms.indicator i WHERE i.form = f.form) AS "entered!",
             ARRAY(SELECT DISTINCT p.period FROM forms.placement p
                   JOIN forms.edition e ON (e.form, e.period) = (p.form, p.period) AND e.state = 'PLACED'
                   WHERE p.form = f.form AND p.channel = 'INFORMATION_SERVICE'
             ) AS "placed!",
             EXISTS (SELECT FROM forms.embargo m WHERE m.until > $2) AS "embargoed!"
         FROM unnest($1::integer[]) AS f (form)"#,
        forms,
        jiff_sqlx::Timestamp::from(now) as _,
    );
    let mut of_forms = OfForms::default();
    for row in rows.fetch_all(connection).await? {
        if row.entered {
            of_forms.entered.insert(row.form);
        }
        of_forms.embargoed |= row.embargoed;
        let name = format!("forms/{}", row.form);
        for period in &row.placed {
            of_forms.placed.insert(edition_key(&name, period)?);
        }
    }
    Ok(of_forms)
}

/// What an item says of its indicator.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The place of the item.
    pub item: i32,
    pub named: Option<IndicatorName>,
    pub words: String,
    /// Only of this form.
    pub form: Option<i32>,
    /// Only what counts this; empty for any.
    pub unit: String,
}

/// The indicators that items name, or the five nearest to the words of each, with the places of the items.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn matches(
    connection: &mut PgConnection,
    wanted: &[Wanted],
    day: Date,
) -> Result<Vec<(i32, Match)>, sqlx::Error> {
    let code = |wanted: &Wanted| wanted.named.as_ref().map(|name| name.code.clone()).unwrap_or_default();
    let form = |wanted: &Wanted| wanted.named.as_ref().map(|name| name.form).or(wanted.form);
    let rows = sqlx::query!(
        r#"SELECT w.item AS "item!", m.id AS "id!", m.form AS "form!", m.code AS "code!", m.title_kk AS "title_kk!",
             m.title_ru AS "title_ru!", m.title_en AS "title_en!", m.unit AS "unit!", m.restricted AS "restricted!",
             m.likeness AS "likeness!"
         FROM unnest($1::integer[], $2::text[], $3::text[], $4::integer[], $5::text[]) AS w (item, code, words, form, unit)
         CROSS JOIN LATERAL (
             SELECT i.id, i.form, i.code, v.title_kk, v.title_ru, v.title_en, u.code AS unit, v.restricted,
                 CASE WHEN w.code <> '' THEN 100
                      ELSE (100 * greatest(similarity(w.words, v.title_kk), similarity(w.words, v.title_ru),
                                           similarity(w.words, v.title_en)))::integer END AS likeness
             FROM forms.indicator_version v
             JOIN forms.indicator i ON i.id = v.indicator AND i.form IS NOT NULL
             JOIN forms.code u ON u.id = v.unit
             WHERE (w.form IS NULL OR i.form = w.form)
               AND (w.code = '' OR i.code = w.code)
               AND (w.code <> '' OR v.title_kk % w.words OR v.title_ru % w.words OR v.title_en % w.words)
               AND (w.code <> '' OR w.unit = '' OR u.code = w.unit)
               AND v.valid_from = (SELECT max(l.valid_from) FROM forms.indicator_version l
                                   WHERE l.indicator = i.id AND (l.valid_from <= $6 OR NOT EXISTS (
                                       SELECT FROM forms.indicator_version e WHERE e.indicator = i.id AND e.valid_from <= $6)))
             ORDER BY likeness DESC, i.form, i.code LIMIT 5
         ) m
         ORDER BY w.item, m.likeness DESC, m.form, m.code"#,
        &wanted.iter().map(|wanted| wanted.item).collect::<Vec<_>>(),
        &wanted.iter().map(code).collect::<Vec<_>>(),
        &wanted.iter().map(|wanted| wanted.words.clone()).collect::<Vec<_>>(),
        &wanted.iter().map(form).collect::<Vec<_>>() as _,
        &wanted.iter().map(|wanted| wanted.unit.clone()).collect::<Vec<_>>(),
        jiff_sqlx::Date::from(day) as _,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let found = Match {
            number: row.id,
            name: IndicatorName {
                form: row.form,
                code: row.code,
            },
            title: LocalizedText::new(row.title_kk, row.title_ru, row.title_en),
            unit: row.unit,
            restricted: row.restricted,
            likeness: row.likeness,
        };
        (row.item, found)
    });
    Ok(rows.collect())
}
