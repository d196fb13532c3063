//! `forms.open_data_package` and its files, and what a package is made of.
//!
//! What stands in the figures is gathered as an array first: the database knows nothing yet of what was just stored, and might look
//! through all of it for each name otherwise.

use std::collections::HashMap;

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{call::Done, law::LocalizedText};
use sqlx::PgConnection;

use super::{
    canonical::{self, Places},
    revision::digest,
};
use crate::domain::{
    key::EditionKey,
    package::{Code, Dimension, Figure, FileEntry, Indicator},
};

/// A package that is out.
#[derive(Clone, Debug)]
pub struct Stored {
    pub version: i32,
    pub revision: i32,
    pub sha256: [u8; 32],
    pub made_at: Timestamp,
}

/// A file of a package that is out.
#[derive(Clone, Debug)]
pub struct StoredFile {
    pub path: String,
    pub content_type: String,
    pub size_bytes: i64,
    pub sha256: [u8; 32],
}

/// The packages of an edition, the first version first.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn all(connection: &mut PgConnection, key: EditionKey) -> Result<Vec<Stored>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT version, revision, sha256, made_at AS "made_at: jiff_sqlx::Timestamp" FROM forms.open_data_package
         WHERE form = $1 AND period = $2 ORDER BY version"#,
        key.form,
        key.period.to_string(),
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    rows.map(|row| {
        Ok(Stored {
            version: row.version,
            revision: row.revision,
            sha256: digest("sha256", row.sha256)?,
            made_at: row.made_at.to_jiff(),
        })
    })
    .collect()
}

/// The files of a package by path.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn files(
    connection: &mut PgConnection,
    key: EditionKey,
    version: i32,
) -> Result<Vec<StoredFile>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT path, content_type, size_bytes, sha256 FROM forms.open_data_file
         WHERE form = $1 AND period = $2 AND version = $3 ORDER BY path",
        key.form,
        key.period.to_string(),
        version,
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    rows.map(|row| {
        Ok(StoredFile {
            path: row.path,
            content_type: row.content_type,
            size_bytes: row.size_bytes,
            sha256: digest("sha256", row.sha256)?,
        })
    })
    .collect()
}

/// Stores that a package is out.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn save(
    connection: &mut PgConnection,
    key: EditionKey,
    (version, revision): (i32, i32),
    sha256: [u8; 32],
    files: &[FileEntry],
    made: &Done,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO forms.open_data_package (form, period, version, revision, sha256, made_at, made_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        key.form,
        key.period.to_string(),
        version,
        revision,
        sha256.as_slice(),
        jiff_sqlx::Timestamp::from(made.at) as _,
        made.by,
    )
    .execute(&mut *connection)
    .await?;
    let column = |of: fn(&FileEntry) -> String| files.iter().map(of).collect::<Vec<_>>();
    sqlx::query!(
        "INSERT INTO forms.open_data_file (form, period, version, path, content_type, size_bytes, sha256)
         SELECT $1, $2, $3, * FROM unnest($4::text[], $5::text[], $6::bigint[], $7::bytea[])",
        key.form,
        key.period.to_string(),
        version,
        &column(|file| file.path.clone()),
        &column(|file| file.media_type.clone()),
        &files
            .iter()
            .map(|file| i64::try_from(file.size_bytes).unwrap_or(i64::MAX))
            .collect::<Vec<_>>(),
        &files.iter().map(|file| file.sha256.to_vec()).collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The indicators that stand in the figures, as they are on a day.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn indicators(connection: &mut PgConnection, set: i32, day: Date) -> Result<Vec<Indicator>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT i.code, u.code AS unit, coalesce(v.title_kk, '') AS "kk!", coalesce(v.title_ru, '') AS "ru!",
             coalesce(v.title_en, '') AS "en!", v.measure
         FROM forms.indicator i
         JOIN forms.indicator_version v
             ON v.indicator = i.id AND v.valid_from <= $2 AND (v.valid_to IS NULL OR v.valid_to >= $2)
         JOIN forms.code u ON u.id = v.unit
         WHERE i.id = ANY (ARRAY(SELECT DISTINCT o.indicator FROM forms.observation o WHERE o.figure_set = $1))
         ORDER BY i.code"#,
        set,
        jiff_sqlx::Date::from(day) as _,
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    Ok(rows
        .map(|row| Indicator {
            code: row.code,
            title: LocalizedText::new(row.kk, row.ru, row.en),
            unit: row.unit,
            measure: row.measure,
        })
        .collect())
}

/// The dimensions that the figures are broken down by, by id; a dimension has one list in a form.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn dimensions(connection: &mut PgConnection, set: i32) -> Result<Vec<Dimension>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT ON (d.id) d.id AS "id!", l.code AS list, l.title_kk, l.title_ru, l.title_en
         FROM forms.breakdown b
         CROSS JOIN LATERAL unnest(b.dimensions, b.codes) AS d (id, code)
         JOIN forms.code c ON c.id = d.code
         JOIN forms.code_list l ON l.id = c.code_list
         WHERE b.id = ANY (ARRAY(SELECT DISTINCT o.breakdown FROM forms.observation o WHERE o.figure_set = $1))
         ORDER BY d.id, l.code"#,
        set,
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    let mut dimensions: Vec<Dimension> = rows
        .map(|row| Dimension {
            id: row.id,
            list: row.list,
            title: LocalizedText::new(row.title_kk, row.title_ru, row.title_en),
        })
        .collect();
    // By bytes: no locale of a database has a say in what a package holds.
    dimensions.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(dimensions)
}

/// What the codes mean on a day that stand in the figures: territories, units and codes of dimensions, by list and code.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn codes(connection: &mut PgConnection, set: i32, day: Date) -> Result<Vec<Code>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"WITH used AS (
             SELECT o.territory AS code FROM forms.observation o WHERE o.figure_set = $1 AND o.territory <> 0
             UNION SELECT unnest(b.codes) FROM forms.breakdown b
             WHERE b.id = ANY (ARRAY(SELECT DISTINCT o.breakdown FROM forms.observation o WHERE o.figure_set = $1))
             UNION SELECT v.unit FROM forms.indicator_version v
             WHERE v.indicator = ANY (ARRAY(SELECT DISTINCT o.indicator FROM forms.observation o WHERE o.figure_set = $1))
               AND v.valid_from <= $2 AND (v.valid_to IS NULL OR v.valid_to >= $2)
         )
         SELECT l.code AS list, c.code, coalesce(v.title_kk, '') AS "kk!", coalesce(v.title_ru, '') AS "ru!",
             coalesce(v.title_en, '') AS "en!"
         FROM used
         JOIN forms.code c ON c.id = used.code
         JOIN forms.code_list l ON l.id = c.code_list
         LEFT JOIN forms.code_version v
             ON v.code = c.id AND v.valid_from <= $2 AND (v.valid_to IS NULL OR v.valid_to >= $2)
         ORDER BY l.code, c.code"#,
        set,
        jiff_sqlx::Date::from(day) as _,
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    Ok(rows
        .map(|row| Code {
            list: row.list,
            code: row.code,
            title: LocalizedText::new(row.kk, row.ru, row.en),
        })
        .collect())
}

/// The codes of the breakdowns that the figures have, for each of these dimensions.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn breakdowns(
    connection: &mut PgConnection,
    set: i32,
    dimensions: &[Dimension],
) -> Result<HashMap<i32, Vec<Option<String>>>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT b.id AS "id!", d.id AS "dimension?", c.code AS "code?" FROM forms.breakdown b
         LEFT JOIN LATERAL unnest(b.dimensions, b.codes) AS d (id, code) ON true
         LEFT JOIN forms.code c ON c.id = d.code
         WHERE b.id = ANY (ARRAY(SELECT DISTINCT o.breakdown FROM forms.observation o WHERE o.figure_set = $1))"#,
        set,
    );
    let mut found: HashMap<i32, Vec<Option<String>>> = HashMap::new();
    for row in rows.fetch_all(connection).await? {
        let codes = found.entry(row.id).or_insert_with(|| vec![None; dimensions.len()]);
        let place = dimensions
            .iter()
            .position(|dimension| Some(&dimension.id) == row.dimension.as_ref());
        if let Some(place) = place {
            codes[place] = row.code;
        }
    }
    Ok(found)
}

/// What the texts of figures are, and in which order they come.
#[derive(Debug)]
pub struct Order {
    indicators: Places,
    territories: Places,
    breakdowns: Places,
    codes: HashMap<i32, Vec<Option<String>>>,
}

impl Order {
    /// That of a set, broken down by these dimensions.
    pub async fn of(connection: &mut PgConnection, set: i32, dimensions: &[Dimension]) -> Result<Self, sqlx::Error> {
        Ok(Self {
            indicators: Places::of(canonical::indicators(connection, set, None).await?),
            territories: Places::of(canonical::territories(connection, set, None).await?),
            breakdowns: Places::of(canonical::breakdowns(connection, set, " ").await?),
            codes: breakdowns(connection, set, dimensions).await?,
        })
    }

    /// The figures of a page: those of the whole country first, then by territory, indicator and breakdown, each by its code.
    pub fn figures(&self, mut page: Vec<canonical::Stored>) -> impl Iterator<Item = Figure> + use<'_> {
        page.sort_unstable_by_key(|stored| {
            (
                self.territories.place(stored.territory),
                self.indicators.place(stored.indicator),
                self.breakdowns.place(stored.breakdown),
            )
        });
        page.into_iter().map(|stored| Figure {
            indicator: self.indicators.text(stored.indicator).to_owned(),
            territory: Some(self.territories.text(stored.territory).to_owned()).filter(|code| !code.is_empty()),
            codes: self.codes.get(&stored.breakdown).cloned().unwrap_or_default(),
            value: stored.value,
            status: stored.status.letter(),
        })
    }
}
