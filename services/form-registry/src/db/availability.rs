//! What request-intake asks about: which editions are open, whether indicators and details are entered, and which of them words
//! mean.

use std::collections::{HashMap, HashSet};

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{
    door::word::{Word, unreadable},
    law::LocalizedText,
};
use sqlx::PgConnection;

use super::edition_key;
use crate::domain::{
    availability::{self, Match, Named, Open},
    dated::Validity,
    edition::Channel,
    indicator::{DetailName, IndicatorName},
    key,
    serving::Standing,
};

/// The effective revision of an edition, with where it stands and on which channels, each with the address given.
#[derive(Debug)]
pub struct Effective {
    pub open: Open,
    pub standing: Standing,
    /// Those whose placement is out.
    pub channels: Vec<(Channel, String)>,
    /// The number of its figures, if it has any.
    pub figures: Option<i32>,
    /// Whether an embargo holds.
    pub embargoed: bool,
}

/// The effective revisions of the editions of forms whose periods lie between two days. One statement tells of placements and embargoes,
/// so that nobody sets the one and makes the other between two looks.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn effective(
    connection: &mut PgConnection,
    spans: &HashMap<i32, (Date, Date)>,
    now: Timestamp,
) -> Result<Vec<Effective>, sqlx::Error> {
    let text = |of: fn(&(Date, Date)) -> Date| spans.values().map(|span| of(span).to_string()).collect::<Vec<_>>();
    let rows = sqlx::query!(
        r#"SELECT e.form, e.period, r.number, r.content_sha256 AS "content_sha256!", r.nil_reason IS NOT NULL AS "nil!",
             coalesce(r.restricted, false) AS "restricted!",
             EXISTS (SELECT FROM forms.withdrawal w
                     WHERE (w.form, w.period) = (e.form, e.period) AND w.revision >= r.number) AS "withdrawn!",
             EXISTS (SELECT FROM forms.embargo m
                     WHERE (m.form, m.period) = (e.form, e.period) AND m.until > $4
                       AND NOT EXISTS (SELECT FROM forms.embargo l
                                       WHERE (l.form, l.period) = (m.form, m.period) AND l.number > m.number)) AS "embargoed!",
             f.id AS "figures?", p.channels AS "channels!", p.addresses AS "addresses!"
         FROM unnest($1::integer[], $2::text[], $3::text[]) AS a (form, first, last)
         JOIN forms.edition e ON e.form = a.form
         JOIN forms.scheduled s ON (s.parent, s.period) = (e.parent, e.period)
              AND s.first_day >= a.first::date AND s.last_day <= a.last::date
         JOIN forms.revision r ON (r.form, r.period, r.number) = (e.form, e.period, e.effective) AND r.sealed_at IS NOT NULL
         LEFT JOIN forms.figure_set f ON (f.form, f.period, f.revision) = (r.form, r.period, r.number)
         CROSS JOIN LATERAL (
             SELECT coalesce(array_agg(p.channel ORDER BY p.channel), '{}') AS channels,
                 coalesce(array_agg(p.address ORDER BY p.channel), '{}') AS addresses
             FROM forms.placement p WHERE (p.form, p.period, p.revision) = (r.form, r.period, r.number) AND p.effective_at <= $4
         ) p"#,
        &spans.keys().copied().collect::<Vec<_>>(),
        &text(|span| span.0),
        &text(|span| span.1),
        jiff_sqlx::Timestamp::from(now) as _,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let placed = !row.channels.is_empty();
        let channels = row.channels.iter().zip(row.addresses);
        let channels = channels.map(|(channel, address)| Ok((Channel::read_stored(channel, "channel")?, address)));
        Ok(Effective {
            open: Open {
                key: edition_key(&key::form(row.form), &row.period)?,
                revision: row.number,
                content_sha256: row.content_sha256,
                address: String::new(),
                nil: row.nil,
            },
            standing: Standing {
                sealed: true,
                placed,
                nil: row.nil,
                withdrawn: row.withdrawn,
                restricted: row.restricted,
                superseded: false,
            },
            channels: channels.collect::<Result<_, sqlx::Error>>()?,
            figures: row.figures,
            embargoed: row.embargoed,
        })
    });
    rows.collect()
}

/// What an item says of the indicator or detail that it means.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The place of the item.
    pub item: i32,
    pub named: Option<Named>,
    pub words: String,
    /// Only of this form.
    pub form: Option<i32>,
    /// Only what counts this; empty for any.
    pub unit: String,
    /// From which day to which it is asked for.
    pub days: (Date, Date),
}

impl Wanted {
    /// Whether it asks for one at all.
    pub fn asks_for_one(&self) -> bool {
        self.named.is_some() || !self.words.is_empty()
    }

    /// The accounting document of the detail named; empty for none.
    fn document(&self) -> String {
        match &self.named {
            Some(Named::Detail(name)) => name.document.clone(),
            Some(Named::Indicator(_)) | None => String::new(),
        }
    }

    fn code(&self) -> String {
        self.named.as_ref().map(Named::code).unwrap_or_default().to_owned()
    }

    fn first_day(&self) -> String {
        self.days.0.to_string()
    }

    fn last_day(&self) -> String {
        self.days.1.to_string()
    }

    fn form_of_named(&self) -> Option<i32> {
        self.named.as_ref().and_then(Named::form).or(self.form)
    }
}

/// The places of the items for whose time any indicators of their form, or details of their document, are entered.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn entered(connection: &mut PgConnection, wanted: &[Wanted]) -> Result<HashSet<i32>, sqlx::Error> {
    let items = sqlx::query_scalar!(
        r#"SELECT a.item AS "item!"
         FROM unnest($1::integer[], $2::integer[], $3::text[], $4::text[], $5::text[]) AS a (item, form, document, first, last)
         LEFT JOIN forms.code_list l ON l.code = 'ACCOUNTING_DOCUMENT'
         LEFT JOIN forms.code d ON d.code_list = l.id AND d.code = a.document
         WHERE EXISTS (
             SELECT FROM forms.indicator i JOIN forms.indicator_version v ON v.indicator = i.id
             WHERE (i.form = a.form AND a.document = '' OR i.document = d.id)
               AND v.valid_from <= a.last::date AND (v.valid_to IS NULL OR v.valid_to >= a.first::date))"#,
        &wanted.iter().map(|wanted| wanted.item).collect::<Vec<_>>(),
        // An indicator of one form is asked for among those of the form that the item names.
        &wanted.iter().map(|wanted| wanted.form).collect::<Vec<_>>() as _,
        &wanted.iter().map(Wanted::document).collect::<Vec<_>>(),
        &wanted.iter().map(Wanted::first_day).collect::<Vec<_>>(),
        &wanted.iter().map(Wanted::last_day).collect::<Vec<_>>(),
    );
    Ok(items.fetch_all(connection).await?.into_iter().collect())
}

/// Figures that an item asks for of an edition.
#[derive(Clone, Debug)]
pub struct Sought {
    /// The place of the item.
    pub item: i32,
    pub set: i32,
    pub indicator: i32,
    pub territories: Vec<i32>,
}

/// What an edition holds of what an item asks for.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// The place of the item.
    pub item: i32,
    pub set: i32,
    /// How many figures, over all territories asked for.
    pub figures: i64,
    /// Whether one of the territories has none.
    pub lacking: bool,
}

/// How many figures each of these sets has of an item's indicator and territories.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn held(connection: &mut PgConnection, sought: &[Sought]) -> Result<Vec<Held>, sqlx::Error> {
    let column = |of: fn(&Sought) -> i32| sought.iter().map(of).collect::<Vec<_>>();
    // Arrays of arrays must be of one length, and text does not care.
    let joined = |sought: &Sought| {
        let numbers: Vec<String> = sought.territories.iter().map(ToString::to_string).collect();
        numbers.join(" ")
    };
    sqlx::query_as!(
        Held,
        r#"SELECT a.item AS "item!", a.figure_set AS "set!", h.figures AS "figures!", h.lacking AS "lacking!"
         FROM unnest($1::integer[], $2::integer[], $3::integer[], $4::text[]) AS a (item, figure_set, indicator, territories)
         CROSS JOIN LATERAL (
             SELECT coalesce(sum(c.figures), 0)::bigint AS figures, coalesce(bool_or(c.figures = 0), false) AS lacking
             FROM unnest(string_to_array(a.territories, ' ')::integer[]) AS t (territory)
             CROSS JOIN LATERAL (
                 SELECT count(*) AS figures FROM forms.observation o
                 WHERE (o.figure_set, o.indicator, o.territory) = (a.figure_set, a.indicator, t.territory)) AS c) AS h"#,
        &column(|sought| sought.item),
        &column(|sought| sought.set),
        &column(|sought| sought.indicator),
        &sought.iter().map(joined).collect::<Vec<_>>(),
    )
    .fetch_all(connection)
    .await
}

/// An indicator or detail that an item may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Candidate {
    item: i32,
    indicator: i32,
}

/// The indicators and details that items name or that are titled by the words of each, or the five nearest to its words, among those
/// in force in its time, with the places of the items.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn matches(
    connection: &mut PgConnection,
    wanted: &[Wanted],
    nearest: bool,
) -> Result<Vec<(i32, Match)>, sqlx::Error> {
    // Most words are no title: then small statements are all there is.
    let mut candidates = HashSet::new();
    if wanted.iter().any(|wanted| wanted.named.is_some()) {
        candidates.extend(named(connection, wanted).await?);
    }
    if wanted.iter().any(|wanted| !wanted.words.is_empty()) {
        candidates.extend(titled(connection, wanted).await?);
        if nearest {
            candidates.extend(alike(connection, wanted).await?);
        }
    }
    match candidates.is_empty() {
        true => Ok(Vec::new()),
        false => ranked(connection, wanted, &candidates.into_iter().collect::<Vec<_>>()).await,
    }
}

/// Those that items name by code.
async fn named(connection: &mut PgConnection, wanted: &[Wanted]) -> Result<Vec<Candidate>, sqlx::Error> {
    sqlx::query_as!(
        Candidate,
        r#"WITH w AS (
             SELECT * FROM unnest($1::integer[], $2::text[], $3::text[], $4::integer[]) AS w (item, document, code, form)
             WHERE code <> ''
         )
         SELECT w.item AS "item!", i.id AS "indicator!"
         FROM w JOIN forms.indicator i ON i.form = w.form AND i.code = w.code WHERE w.document = ''
         UNION ALL
         SELECT w.item, i.id FROM w
         JOIN forms.code_list l ON l.code = 'ACCOUNTING_DOCUMENT'
         JOIN forms.code d ON d.code_list = l.id AND d.code = w.document
         JOIN forms.indicator i ON i.document = d.id AND i.code = w.code"#,
        &wanted.iter().map(|wanted| wanted.item).collect::<Vec<_>>(),
        &wanted.iter().map(Wanted::document).collect::<Vec<_>>(),
        &wanted.iter().map(Wanted::code).collect::<Vec<_>>(),
        &wanted.iter().map(Wanted::form_of_named).collect::<Vec<_>>() as _,
    )
    .fetch_all(connection)
    .await
}

/// Those whose title is what an item says.
async fn titled(connection: &mut PgConnection, wanted: &[Wanted]) -> Result<Vec<Candidate>, sqlx::Error> {
    let said = wanted.iter().filter(|wanted| !wanted.words.is_empty());
    let (items, words): (Vec<i32>, Vec<String>) = said.map(|wanted| (wanted.item, wanted.words.clone())).unzip();
    sqlx::query_as!(
        Candidate,
        r#"SELECT w.item AS "item!", v.indicator AS "indicator!"
         FROM unnest($1::integer[], $2::text[]) AS w (item, words) CROSS JOIN LATERAL (
             SELECT v.indicator FROM forms.indicator_version v WHERE v.title_kk <> '' AND lower(v.title_kk) = lower(w.words)
             UNION ALL
             SELECT v.indicator FROM forms.indicator_version v WHERE v.title_ru <> '' AND lower(v.title_ru) = lower(w.words)
             UNION ALL
             SELECT v.indicator FROM forms.indicator_version v WHERE v.title_en <> '' AND lower(v.title_en) = lower(w.words)
         ) v"#,
        &items,
        &words,
    )
    .fetch_all(connection)
    .await
}

/// Those whose title is like a phrase of what an item says.
async fn alike(connection: &mut PgConnection, wanted: &[Wanted]) -> Result<Vec<Candidate>, sqlx::Error> {
    let phrases = wanted.iter().flat_map(|wanted| {
        let phrases = availability::phrases(&wanted.words).into_iter();
        phrases.map(|phrase| (wanted.item, phrase))
    });
    let (items, phrases): (Vec<i32>, Vec<String>) = phrases.unzip();
    sqlx::query_as!(
        Candidate,
        r#"SELECT p.item AS "item!", v.indicator AS "indicator!"
         FROM unnest($1::integer[], $2::text[]) AS p (item, phrase) CROSS JOIN LATERAL (
             SELECT v.indicator FROM forms.indicator_version v
             WHERE v.title_kk % p.phrase OR v.title_ru % p.phrase OR v.title_en % p.phrase
         ) v"#,
        &items,
        &phrases,
    )
    .fetch_all(connection)
    .await
}

/// The five candidates of each item that are nearest to what it says.
async fn ranked(
    connection: &mut PgConnection,
    wanted: &[Wanted],
    candidates: &[Candidate],
) -> Result<Vec<(i32, Match)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"WITH w AS (
             SELECT item, code, words, form, unit, first::date AS first, last::date AS last
             FROM unnest($1::integer[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[])
                  AS w (item, code, words, form, unit, first, last)
         ), near AS (
             SELECT w.item, i.id, i.form, d.code AS document, i.code, v.title_kk, v.title_ru, v.title_en, u.code AS unit,
                 v.stood,
                 EXISTS (SELECT FROM forms.indicator_version r
                         WHERE r.indicator = i.id AND r.restricted
                           AND (r.valid_from = v.valid_from
                                OR r.valid_from <= w.last AND (r.valid_to IS NULL OR r.valid_to >= w.first))) AS restricted,
                 CASE WHEN w.code <> '' OR 1 IN (similarity(w.words, v.title_kk), similarity(w.words, v.title_ru),
                                                 similarity(w.words, v.title_en)) THEN 100
                      -- A title among other words is not all of them.
                      ELSE least(99, 100 * greatest(word_similarity(v.title_kk, w.words), word_similarity(v.title_ru, w.words),
                                                    word_similarity(v.title_en, w.words)))::integer END AS likeness
             FROM unnest($8::integer[], $9::integer[]) AS c (item, id)
             JOIN w USING (item)
             JOIN forms.indicator i ON i.id = c.id AND (w.form IS NULL OR i.form = w.form)
             LEFT JOIN forms.code d ON d.id = i.document
             CROSS JOIN LATERAL (
                 SELECT l.*, l.valid_from <= w.last AND (l.valid_to IS NULL OR l.valid_to >= w.first) AS stood
                 FROM forms.indicator_version l WHERE l.indicator = i.id
                 ORDER BY stood DESC, l.valid_from DESC LIMIT 1
             ) v
             JOIN forms.code u ON u.id = v.unit
             WHERE w.code <> ''
                OR v.stood AND (w.unit = '' OR u.code = w.unit)
         ), ranked AS (
             SELECT *, row_number() OVER (PARTITION BY item ORDER BY likeness DESC, form, document, code) AS rank FROM near
             WHERE likeness >= $10
         )
         SELECT item AS "item!", id AS "id!", form, document AS "document?", code AS "code!", title_kk AS "title_kk!",
             title_ru AS "title_ru!", title_en AS "title_en!", unit AS "unit!", stood AS "stood!", restricted AS "restricted!",
             likeness AS "likeness!",
             ARRAY(SELECT v.valid_from::text FROM forms.indicator_version v WHERE v.indicator = id ORDER BY v.valid_from) AS "from!",
             ARRAY(SELECT coalesce(v.valid_to::text, '') FROM forms.indicator_version v WHERE v.indicator = id
                   ORDER BY v.valid_from) AS "to!"
         FROM ranked WHERE rank <= 5 ORDER BY item, rank"#,
        &wanted.iter().map(|wanted| wanted.item).collect::<Vec<_>>(),
        &wanted.iter().map(Wanted::code).collect::<Vec<_>>(),
        &wanted.iter().map(|wanted| wanted.words.clone()).collect::<Vec<_>>(),
        &wanted.iter().map(Wanted::form_of_named).collect::<Vec<_>>() as _,
        &wanted.iter().map(|wanted| wanted.unit.clone()).collect::<Vec<_>>(),
        &wanted.iter().map(Wanted::first_day).collect::<Vec<_>>(),
        &wanted.iter().map(Wanted::last_day).collect::<Vec<_>>(),
        &candidates.iter().map(|candidate| candidate.item).collect::<Vec<_>>(),
        &candidates
            .iter()
            .map(|candidate| candidate.indicator)
            .collect::<Vec<_>>(),
        availability::NEAR,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let name = match (row.form, row.document) {
            (Some(form), _) => Named::Indicator(IndicatorName { form, code: row.code }),
            (None, document) => Named::Detail(DetailName {
                document: document.unwrap_or_default(),
                code: row.code,
            }),
        };
        let days = row.from.iter().zip(&row.to).map(|(from, to)| validity(from, to));
        let found = Match {
            number: row.id,
            name,
            title: LocalizedText::new(row.title_kk, row.title_ru, row.title_en),
            unit: row.unit,
            restricted: row.restricted,
            likeness: row.likeness,
            stood: row.stood,
            days: days.collect::<Result<_, _>>()?,
        };
        Ok((row.item, found))
    });
    rows.collect()
}

fn validity(from: &str, to: &str) -> Result<Validity, sqlx::Error> {
    let day = |column: &'static str, text: &str| text.parse::<Date>().map_err(|_| unreadable(column, text));
    Ok(Validity {
        from: day("valid_from", from)?,
        to: match to {
            "" => None,
            to => Some(day("valid_to", to)?),
        },
    })
}
