//! Requests that were received before one, and the numbers of registrations, which are taken in the same round trip.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::column;
use crate::domain::earlier::{Before, Document, Earlier, KnownBy};

/// What is looked for among the requests that are stored, each with the place of the request for which it is.
#[derive(Clone, Debug, Default)]
pub struct Sought<'a> {
    documents: Vec<(usize, &'a Document)>,
    /// Each once, however many ask for it.
    asked: Vec<i64>,
    places: Vec<(usize, i64)>,
    /// The request for which it is looked for, where that is stored already: what came after it does not count.
    own: Option<Uuid>,
}

impl<'a> Sought<'a> {
    /// What is looked for about requests at their places.
    pub fn of(requests: impl IntoIterator<Item = (usize, &'a KnownBy)>) -> Self {
        let mut sought = Self::default();
        for (place, known_by) in requests {
            sought
                .documents
                .extend(known_by.document.as_ref().map(|document| (place, document)));
            sought.places.extend(known_by.asked.map(|asked| (place, asked)));
        }
        sought.asked = sought.places.iter().map(|(_, asked)| *asked).collect();
        sought.asked.sort_unstable();
        sought.asked.dedup();
        sought
    }

    /// What is looked for about a request that is stored, at place 0.
    pub fn again(request: Uuid, known_by: &'a KnownBy) -> Self {
        Self {
            own: Some(request),
            ..Self::of([(0, known_by)])
        }
    }

    /// Whether nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.asked.is_empty()
    }
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The first with the same document, by the place of the request for which it was looked for.
    documents: HashMap<usize, Before>,
    /// The first that asked for the same, of those that are open or answered; so too.
    asked: HashMap<usize, Before>,
}

impl Found {
    /// What was found for the request at a place.
    pub fn of(&self, place: usize) -> Earlier {
        Earlier {
            likely_duplicate_of: self.documents.get(&place).cloned(),
            repeats: self.asked.get(&place).cloned(),
        }
    }
}

/// Looks for earlier requests.
///
/// # Errors
/// When the database fails.
pub async fn find(connection: &mut PgConnection, sought: &Sought<'_>) -> Result<Found, sqlx::Error> {
    Ok(find_and_count(connection, sought, None).await?.0)
}

/// Looks for earlier requests, and takes so many registration numbers of a year: gives the last of them. The year's counter stays
/// locked until the transaction ends. However many requests are alike, a few are looked at: of those with one number of a sender the
/// last hundred, of those that asked for the same the last twenty.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn find_and_count(
    connection: &mut PgConnection,
    sought: &Sought<'_>,
    counted: Option<(i16, i32)>,
) -> Result<(Found, Option<i32>), sqlx::Error> {
    let (year, count) = counted.unwrap_or_default();
    let rows = sqlx::query!(
        r#"WITH counted AS (
             INSERT INTO requests.registration_counter AS counter (year, last) SELECT $1, $2 WHERE $2 > 0
             ON CONFLICT ON CONSTRAINT registration_counter_key DO UPDATE SET last = counter.last + $2
             RETURNING last
         )
         SELECT (SELECT last FROM counted) AS last, f.place AS "place?", f.asked AS "asked?", f.id AS "id?",
             f.accepted_by AS "accepted_by?", f.requester_bin AS "requester_bin?", f.coupon_number AS "coupon_number?", f.registration_number AS "registration_number?"
         FROM (VALUES (1)) AS one (one) LEFT JOIN (
             SELECT d.place, NULL::bigint AS asked, r.id, r.accepted_by, r.requester_bin, r.coupon_number, r.registration_number
             FROM unnest($3::integer[], $4::text[], $5::date[], $6::text[], $7::text[]) AS d (place, number, date, identifier, name)
             CROSS JOIN LATERAL (
                 SELECT coalesce(l.likely_duplicate_of, l.id) AS id FROM (
                     SELECT * FROM requests.request
                     WHERE external_number IS NOT NULL AND requests.folded(external_number) = d.number
                       AND number < coalesce((SELECT own.number FROM requests.request own WHERE own.id = $9), 9223372036854775807)
                     ORDER BY number DESC LIMIT 100) AS l
                 WHERE l.external_date = d.date
                   AND CASE WHEN d.identifier IS NULL OR coalesce(l.requester_bin, l.requester_iin) IS NULL
                            THEN requests.folded(l.requester_full_name) = d.name
                            ELSE coalesce(l.requester_bin, l.requester_iin) = d.identifier END
                 ORDER BY l.number LIMIT 1) AS l
             JOIN requests.request r ON r.id = l.id
             UNION ALL
             SELECT NULL, a.asked, r.id, r.accepted_by, r.requester_bin, r.coupon_number, r.registration_number
             FROM unnest($8::bigint[]) AS a (asked)
             CROSS JOIN LATERAL (
                 SELECT coalesce(l.repeats, l.id) AS id FROM (
                     SELECT * FROM requests.request
                     WHERE asked = a.asked
                       AND number < coalesce((SELECT own.number FROM requests.request own WHERE own.id = $9), 9223372036854775807)
                     ORDER BY number DESC LIMIT 20) AS l
                 WHERE l.state IN ('RECEIVED', 'AWAITING_CLARIFICATION', 'REGISTERED', 'IN_PREPARATION', 'ANSWERED')
                 ORDER BY l.number DESC LIMIT 1) AS l
             JOIN requests.request r ON r.id = l.id
         ) AS f ON true"#,
        i32::from(year),
        count,
        &column(&sought.documents, |(place, _)| number(*place)),
        column(&sought.documents, |(_, document)| document.number.as_str()) as _,
        column(&sought.documents, |(_, document)| jiff_sqlx::Date::from(document.date)) as _,
        column(&sought.documents, |(_, document)| document.identifier.as_deref()) as _,
        column(&sought.documents, |(_, document)| document.name.as_str()) as _,
        &sought.asked,
        sought.own,
    );
    let (mut found, mut last) = (Found::default(), None);
    for row in rows.fetch_all(connection).await? {
        last = row.last;
        let (Some(id), Some(accepted_by), Some(coupon_number)) = (row.id, row.accepted_by, row.coupon_number) else {
            continue;
        };
        let before = Before {
            id,
            accepted_by,
            requester_bin: row.requester_bin,
            coupon_number,
            registration_number: row.registration_number,
        };
        if let Some(place) = row.place.and_then(|place| usize::try_from(place).ok()) {
            found.documents.insert(place, before);
        } else {
            let asking = sought.places.iter().filter(|(_, asked)| Some(*asked) == row.asked);
            found.asked.extend(asking.map(|(place, _)| (*place, before.clone())));
        }
    }
    Ok((found, last))
}

/// Stores what a locked request comes after.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn update(connection: &mut PgConnection, request: Uuid, earlier: &Earlier) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE requests.request SET likely_duplicate_of = $2, repeats = $3 WHERE id = $1",
        request,
        earlier.likely_duplicate_of.as_ref().map(|before| before.id),
        earlier.repeats.as_ref().map(|before| before.id),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The requests of these ids, as what came before others.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn told(connection: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Before>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Before,
        "SELECT id, accepted_by, requester_bin, coupon_number, registration_number FROM requests.request WHERE id = ANY ($1)",
        ids,
    );
    let rows = rows.fetch_all(connection).await?;
    Ok(rows.into_iter().map(|before| (before.id, before)).collect())
}

fn number(place: usize) -> i32 {
    i32::try_from(place).expect("a group has a few requests")
}
