//! The figures of a set in an order of texts: its digest is over them in the canonical one, and packages write them by territory.
//! They come page by page, however many there are: each page is a statement that sorts and sends well within the time that it has,
//! and nothing keeps more of them than what has just come.

use std::collections::HashMap;

use futures::TryStreamExt as _;
use legalstat_kit::door::word::unreadable;
use sqlx::PgConnection;

use crate::domain::{
    key::EditionKey,
    observation::{FiguresDigest, Spelled, Status},
};

/// How many figures a page has about; more where one text has more of them.
const PAGE: i64 = 100_000;

/// What stands for figures of a set: a number with its text, and how many of them there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub number: i32,
    pub text: String,
    pub rows: i64,
}

/// The numbers of what comes on each page, in order.
pub fn pages(counted: &[Counted]) -> Vec<Vec<i32>> {
    let (mut pages, mut rows): (Vec<Vec<i32>>, i64) = (Vec::new(), 0);
    for one in counted {
        match pages.last_mut() {
            Some(page) if rows + one.rows <= PAGE => {
                page.push(one.number);
                rows += one.rows;
            }
            _ => {
                pages.push(vec![one.number]);
                rows = one.rows;
            }
        }
    }
    pages
}

/// The set of figures that a revision holds.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn figure_set(
    connection: &mut PgConnection,
    key: EditionKey,
    revision: i32,
) -> Result<Option<i32>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT id FROM forms.figure_set WHERE form = $1 AND period = $2 AND revision = $3",
        key.form,
        key.period.to_string(),
        revision,
    )
    .fetch_optional(connection)
    .await
}

/// The indicators of the figures, by code.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn indicators(connection: &mut PgConnection, set: i32) -> Result<Vec<Counted>, sqlx::Error> {
    sqlx::query_as!(
        Counted,
        r#"SELECT o.indicator AS "number!", i.code AS "text!", o.rows AS "rows!"
         FROM (SELECT indicator, count(*) AS rows FROM forms.observation WHERE figure_set = $1 GROUP BY indicator) o
         JOIN forms.indicator i ON i.id = o.indicator
         ORDER BY i.code COLLATE "C""#,
        set,
    )
    .fetch_all(connection)
    .await
}

/// The territories of the figures, by code: first the whole country, which has none.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn territories(connection: &mut PgConnection, set: i32) -> Result<Vec<Counted>, sqlx::Error> {
    sqlx::query_as!(
        Counted,
        r#"SELECT o.territory AS "number!", coalesce(c.code, '') AS "text!", o.rows AS "rows!"
         FROM (SELECT territory, count(*) AS rows FROM forms.observation WHERE figure_set = $1 GROUP BY territory) o
         LEFT JOIN forms.code c ON c.id = o.territory
         ORDER BY coalesce(c.code, '') COLLATE "C""#,
        set,
    )
    .fetch_all(connection)
    .await
}

/// The breakdowns of the figures, by their texts: dimensions and codes, with this between one and the next.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn breakdowns(connection: &mut PgConnection, set: i32, between: &str) -> Result<Vec<Counted>, sqlx::Error> {
    sqlx::query_as!(
        Counted,
        r#"WITH spelled AS (
             SELECT o.breakdown, o.rows, (
                 SELECT coalesce(string_agg(d.id || '=' || c.code, $2 ORDER BY d.id COLLATE "C"), '')
                 FROM forms.breakdown b
                 CROSS JOIN LATERAL unnest(b.dimensions, b.codes) AS d (id, code)
                 JOIN forms.code c ON c.id = d.code
                 WHERE b.id = o.breakdown
             ) AS text
             FROM (SELECT breakdown, count(*) AS rows FROM forms.observation WHERE figure_set = $1 GROUP BY breakdown) o
         )
         SELECT breakdown AS "number!", text AS "text!", rows AS "rows!" FROM spelled ORDER BY text COLLATE "C""#,
        set,
        between,
    )
    .fetch_all(connection)
    .await
}

/// The digest of the figures of a revision, made of what is stored, as an import made it; `None` when it holds none.
///
/// # Errors
/// When the database fails.
pub async fn digest(
    connection: &mut PgConnection,
    key: EditionKey,
    revision: i32,
) -> Result<Option<[u8; 32]>, sqlx::Error> {
    let Some(set) = figure_set(connection, key, revision).await? else {
        return Ok(None);
    };
    let counted = indicators(connection, set).await?;
    let (territories, breakdowns) = (
        territories(connection, set).await?,
        breakdowns(connection, set, ";").await?,
    );
    let texts = Texts {
        indicators: by_number(&counted),
        territories: by_number(&territories),
        breakdowns: by_number(&breakdowns),
    };
    let numbers = |counted: &[Counted]| counted.iter().map(|one| one.number).collect::<Vec<_>>();
    let order = (numbers(&territories), numbers(&breakdowns));
    let mut digest = FiguresDigest::default();
    for page in pages(&counted) {
        add_page(connection, set, &page, &order, &texts, &mut digest).await?;
    }
    Ok(Some(digest.done()))
}

/// The texts of the figures of a set.
struct Texts<'a> {
    indicators: HashMap<i32, &'a str>,
    territories: HashMap<i32, &'a str>,
    breakdowns: HashMap<i32, &'a str>,
}

fn by_number(counted: &[Counted]) -> HashMap<i32, &str> {
    counted.iter().map(|one| (one.number, one.text.as_str())).collect()
}

/// Adds the figures of some indicators to the digest, in the order of these territories and breakdowns.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn add_page(
    connection: &mut PgConnection,
    set: i32,
    indicators: &[i32],
    (territories, breakdowns): &(Vec<i32>, Vec<i32>),
    texts: &Texts<'_>,
    digest: &mut FiguresDigest,
) -> Result<(), sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT o.indicator, o.territory, o.breakdown, o.status AS "status: i8", trim_scale(o.value)::text AS value
         FROM forms.observation o
         JOIN unnest($2::integer[]) WITH ORDINALITY AS i (id, place) ON i.id = o.indicator
         JOIN unnest($3::integer[]) WITH ORDINALITY AS t (id, place) ON t.id = o.territory
         JOIN unnest($4::integer[]) WITH ORDINALITY AS b (id, place) ON b.id = o.breakdown
         WHERE o.figure_set = $1 AND o.indicator = ANY ($2)
         ORDER BY i.place, t.place, b.place"#,
        set,
        indicators,
        territories.as_slice(),
        breakdowns.as_slice(),
    );
    let mut rows = rows.fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let key = Spelled {
            indicator: texts.indicators[&row.indicator],
            territory: texts.territories[&row.territory],
            breakdown: texts.breakdowns[&row.breakdown],
        };
        let letter = row.status.cast_unsigned();
        let status = Status::of_letter(letter);
        let status = status.ok_or_else(|| unreadable("status", &char::from(letter).to_string()))?;
        digest.add(&key, status, row.value.as_deref().unwrap_or_default());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_before_it_would_be_too_long_and_holds_one_at_least() {
        let counted = |rows: &[i64]| -> Vec<Counted> {
            let counted = (1..).zip(rows).map(|(number, rows)| Counted {
                number,
                text: String::new(),
                rows: *rows,
            });
            counted.collect()
        };
        for (rows, expected) in [
            (&[][..], &[][..]),
            (&[1, 2, 3], &[&[1, 2, 3][..]]),
            (&[PAGE, 1], &[&[1], &[2]]),
            (&[1, PAGE - 1, 1], &[&[1, 2], &[3]]),
            (&[3 * PAGE, PAGE, 1, 1], &[&[1], &[2], &[3, 4]]),
        ] {
            assert_eq!(pages(&counted(rows)), expected, "{rows:?}");
        }
    }
}
