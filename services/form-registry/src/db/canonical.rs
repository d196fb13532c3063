//! The figures of a set in an order of texts: its digest is over them in the canonical one, and packages write them by territory.
//! They come page by page, however many there are: each page is a statement that ends well within the time that it has, and nothing
//! keeps more of them than one page. A page is sorted here: a database that knows nothing yet of what was just stored may choose a
//! way for few.

use std::collections::HashMap;

use legalstat_kit::door::word::unreadable;
use sqlx::PgConnection;

use crate::domain::{
    key::EditionKey,
    observation::{FiguresDigest, Spelled, Status},
};

/// How many figures a page has about; more where one territory has more of one indicator.
const PAGE: i64 = 20_000;

/// What stands for figures of a set: a number with its text, and how many of them there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub number: i32,
    pub text: String,
    pub rows: i64,
}

/// Which figures come on a page: those of these only, where there is a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    indicators: Option<Vec<i32>>,
    territories: Option<Vec<i32>>,
}

/// By what the figures come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leading {
    Indicator,
    Territory,
}

/// A figure as it is stored.
#[derive(Clone, Debug)]
pub struct Stored {
    pub indicator: i32,
    pub territory: i32,
    pub breakdown: i32,
    pub status: Status,
    /// As it is written, without zeros at its end.
    pub value: Option<String>,
}

/// Splits what has been counted into pages, in order; what alone is more than a page comes alone.
fn split(counted: &[Counted]) -> Vec<Vec<i32>> {
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

/// The indicators of the figures, or of those of one territory, by code.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn indicators(
    connection: &mut PgConnection,
    set: i32,
    territory: Option<i32>,
) -> Result<Vec<Counted>, sqlx::Error> {
    sqlx::query_as!(
        Counted,
        r#"SELECT o.indicator AS "number!", i.code AS "text!", o.rows AS "rows!"
         FROM (SELECT indicator, count(*) AS rows FROM forms.observation
               WHERE figure_set = $1 AND ($2::integer IS NULL OR territory = $2) GROUP BY indicator) o
         JOIN forms.indicator i ON i.id = o.indicator
         ORDER BY i.code COLLATE "C""#,
        set,
        territory,
    )
    .fetch_all(connection)
    .await
}

/// The territories of the figures, or of those of one indicator, by code: first the whole country, which has none.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn territories(
    connection: &mut PgConnection,
    set: i32,
    indicator: Option<i32>,
) -> Result<Vec<Counted>, sqlx::Error> {
    sqlx::query_as!(
        Counted,
        r#"SELECT o.territory AS "number!", coalesce(c.code, '') AS "text!", o.rows AS "rows!"
         FROM (SELECT territory, count(*) AS rows FROM forms.observation
               WHERE figure_set = $1 AND ($2::integer IS NULL OR indicator = $2) GROUP BY territory) o
         LEFT JOIN forms.code c ON c.id = o.territory
         ORDER BY coalesce(c.code, '') COLLATE "C""#,
        set,
        indicator,
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

/// The pages of the figures of a set: in the order of indicators and then of territories, or the other way round.
///
/// # Errors
/// When the database fails.
pub async fn pages(connection: &mut PgConnection, set: i32, leading: Leading) -> Result<Vec<Page>, sqlx::Error> {
    let (counted, others) = match leading {
        Leading::Indicator => (indicators(connection, set, None).await?, None),
        // All indicators are named, so that the index finds the territories of each.
        Leading::Territory => {
            let all = indicators(connection, set, None).await?;
            let all = all.iter().map(|indicator| indicator.number).collect();
            (territories(connection, set, None).await?, Some(all))
        }
    };
    let mut pages = Vec::new();
    for first in split(&counted) {
        let alone = match first[..] {
            [one] => counted
                .iter()
                .find(|counted| counted.number == one && counted.rows > PAGE),
            _ => None,
        };
        let seconds = match (alone, leading) {
            (None, _) => vec![others.clone()],
            (Some(one), Leading::Indicator) => listed(territories(connection, set, Some(one.number)).await?),
            (Some(one), Leading::Territory) => listed(indicators(connection, set, Some(one.number)).await?),
        };
        pages.extend(seconds.into_iter().map(|second| match leading {
            Leading::Indicator => Page {
                indicators: Some(first.clone()),
                territories: second,
            },
            Leading::Territory => Page {
                territories: Some(first.clone()),
                indicators: second,
            },
        }));
    }
    Ok(pages)
}

fn listed(counted: Vec<Counted>) -> Vec<Option<Vec<i32>>> {
    split(&counted).into_iter().map(Some).collect()
}

/// The figures of a page, in no order.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn read(connection: &mut PgConnection, set: i32, page: &Page) -> Result<Vec<Stored>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT indicator, territory, breakdown, status AS "status: i8", trim_scale(value)::text AS value
         FROM forms.observation
         WHERE figure_set = $1
           AND ($2::integer[] IS NULL OR indicator = ANY ($2))
           AND ($3::integer[] IS NULL OR territory = ANY ($3))"#,
        set,
        page.indicators.as_deref(),
        page.territories.as_deref(),
    );
    let stored = rows.try_map(|row| {
        let letter = row.status.cast_unsigned();
        let status = Status::of_letter(letter);
        Ok(Stored {
            indicator: row.indicator,
            territory: row.territory,
            breakdown: row.breakdown,
            status: status.ok_or_else(|| unreadable("status", &char::from(letter).to_string()))?,
            value: row.value,
        })
    });
    stored.fetch_all(connection).await
}

/// Texts by the numbers that stand for them, and the place of each among them.
#[derive(Debug)]
pub struct Places(HashMap<i32, (usize, String)>);

impl Places {
    /// In this order.
    pub fn of(counted: Vec<Counted>) -> Self {
        let places = counted.into_iter().enumerate();
        Self(places.map(|(place, one)| (one.number, (place, one.text))).collect())
    }

    /// The place of a number; one that is not there comes last.
    pub fn place(&self, number: i32) -> usize {
        self.0.get(&number).map_or(usize::MAX, |(place, _)| *place)
    }

    /// The text of a number; empty for one that is not there.
    pub fn text(&self, number: i32) -> &str {
        self.0.get(&number).map_or("", |(_, text)| text)
    }
}

/// The texts of the figures of a set.
struct Texts {
    indicators: Places,
    territories: Places,
    breakdowns: Places,
}

impl Texts {
    /// Adds the figures of a page to the digest.
    fn add(&self, mut page: Vec<Stored>, digest: &mut FiguresDigest) {
        page.sort_unstable_by_key(|stored| {
            (
                self.indicators.place(stored.indicator),
                self.territories.place(stored.territory),
                self.breakdowns.place(stored.breakdown),
            )
        });
        for stored in page {
            let key = Spelled {
                indicator: self.indicators.text(stored.indicator),
                territory: self.territories.text(stored.territory),
                breakdown: self.breakdowns.text(stored.breakdown),
            };
            digest.add(&key, stored.status, stored.value.as_deref().unwrap_or_default());
        }
    }
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
    let mut texts = Texts {
        indicators: Places::of(indicators(connection, set, None).await?),
        territories: Places::of(territories(connection, set, None).await?),
        breakdowns: Places::of(breakdowns(connection, set, ";").await?),
    };
    let mut digest = FiguresDigest::default();
    for page in pages(connection, set, Leading::Indicator).await? {
        let stored = read(connection, set, &page).await?;
        // Sorting and hashing would keep every other call of this thread waiting.
        let added = tokio::task::spawn_blocking(move || {
            texts.add(stored, &mut digest);
            (texts, digest)
        });
        (texts, digest) = added.await.map_err(|_| sqlx::Error::WorkerCrashed)?;
    }
    Ok(Some(digest.done()))
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
            assert_eq!(split(&counted(rows)), expected, "{rows:?}");
        }
    }
}
