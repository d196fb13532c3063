//! `collections.copy`.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use legalstat_kit::{door::word::Word, law::LegalBasis};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{delivery, edition_key, marking, marking_word, receipt};
use crate::domain::{
    copy::{Copy, CopyPosition, CopyState, Status},
    key::{CopyKey, EditionKey, Editions},
    statement::Proof,
};

struct Row {
    parent: String,
    period: String,
    number: i32,
    due_date: jiff_sqlx::Date,
    due_time: jiff_sqlx::Timestamp,
    recipient: String,
    state: String,
    status_reason: Option<String>,
    status_at: Option<jiff_sqlx::Timestamp>,
    sha256: Vec<u8>,
    issued_at: jiff_sqlx::Timestamp,
    received_at: Option<jiff_sqlx::Timestamp>,
    legal_basis_act: String,
    legal_basis_provision: String,
    legal_basis_uri: String,
    legal_basis_assumed: bool,
    revision: i32,
    ordinal: Option<i32>,
    copies_total: Option<i32>,
    copy_sha256: Option<Vec<u8>>,
    signing_key: Option<String>,
    signature: Option<Vec<u8>>,
    sending_body: Option<String>,
    recalled_at: Option<jiff_sqlx::Timestamp>,
    recall_confirmed_at: Option<jiff_sqlx::Timestamp>,
    delivery_id: Option<Uuid>,
    attempts: Option<i32>,
    spared: Option<i32>,
    received_bytes: Option<i64>,
    next_attempt_at: Option<jiff_sqlx::Timestamp>,
    fence: Option<i64>,
    last_outcome: Option<String>,
    marking_copies: Option<i32>,
    marking_reason: Option<String>,
    marking_expires_on: Option<jiff_sqlx::Date>,
    list_version: Option<i32>,
    is_kept: bool,
}

impl Row {
    fn proof(&mut self) -> Option<Proof> {
        Some(Proof {
            ordinal: self.ordinal?,
            copies_total: self.copies_total?,
            sending_body: self.sending_body.take()?,
            copy_sha256: self.copy_sha256.take()?,
            signing_key: self.signing_key.take()?,
            signature: self.signature.take()?,
        })
    }
}

impl TryFrom<Row> for Copy {
    type Error = sqlx::Error;

    fn try_from(mut row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            proof: row.proof(),
            list_version: row.list_version,
            is_kept: row.is_kept,
            delivery: delivery::of_row(
                row.delivery_id,
                (row.attempts, row.spared),
                row.received_bytes,
                (row.next_attempt_at, row.fence),
                row.last_outcome.as_deref(),
            )?,
            revision: row.revision,
            recalled_at: row.recalled_at.map(|at| at.to_jiff()),
            recall_confirmed_at: row.recall_confirmed_at.map(|at| at.to_jiff()),
            official_use: marking(row.marking_copies, row.marking_reason, row.marking_expires_on),
            key: CopyKey {
                edition: edition_key(&row.parent, &row.period)?,
                number: row.number,
            },
            due_date: row.due_date.to_jiff(),
            due_time: row.due_time.to_jiff(),
            recipient: row.recipient,
            state: CopyState::read_stored(&row.state, "state")?,
            status: row.status_at.map(|since| Status {
                since: since.to_jiff(),
                reason: row.status_reason,
            }),
            sha256: row.sha256,
            issued_at: row.issued_at.to_jiff(),
            received_at: row.received_at.map(|at| at.to_jiff()),
            // Read beside it.
            receipt: None,
            rejection: None,
            legal_basis: LegalBasis::of_row(
                row.legal_basis_act,
                row.legal_basis_provision,
                row.legal_basis_uri,
                row.legal_basis_assumed,
            ),
        })
    }
}

/// Issues copies of the current revision of an edition.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn issue(connection: &mut PgConnection, edition: &EditionKey, copies: &[Copy]) -> Result<(), sqlx::Error> {
    let proofs: Vec<&Proof> = copies.iter().filter_map(|copy| copy.proof.as_ref()).collect();
    sqlx::query!(
        "INSERT INTO collections.copy
             (collection, period, revision, number, recipient, sha256, state, issued_at,
              legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed,
              ordinal, copies_total, copy_sha256, signing_key, signature, sending_body, marking, list_version)
         SELECT $1, $2, c.revision, c.number, c.recipient, c.sha256, 'ISSUED', c.issued_at, c.act, c.provision, c.uri, c.assumed,
             c.ordinal, c.copies_total, c.copy_sha256, c.signing_key, c.signature, c.sending_body, c.marking, c.list_version
         FROM UNNEST($3::integer[], $4::integer[], $5::text[], $6::bytea[], $7::timestamptz[], $8::text[], $9::text[], $10::text[],
             $11::boolean[], $12::integer[], $13::integer[], $14::bytea[], $15::text[], $16::bytea[], $17::text[], $18::text[],
                 $19::integer[])
             AS c (revision, number, recipient, sha256, issued_at, act, provision, uri, assumed, ordinal, copies_total,
                 copy_sha256, signing_key, signature, sending_body, marking, list_version)",
        edition.collection,
        edition.period.to_string(),
        &copies.iter().map(|copy| copy.revision).collect::<Vec<_>>(),
        &copies.iter().map(|copy| copy.key.number).collect::<Vec<_>>(),
        &copies.iter().map(|copy| copy.recipient.clone()).collect::<Vec<_>>(),
        &copies.iter().map(|copy| copy.sha256.clone()).collect::<Vec<_>>(),
        &copies
            .iter()
            .map(|copy| jiff_sqlx::Timestamp::from(copy.issued_at))
            .collect::<Vec<_>>() as _,
        &copies.iter().map(|copy| copy.legal_basis.act.clone()).collect::<Vec<_>>(),
        &copies.iter().map(|copy| copy.legal_basis.provision.clone()).collect::<Vec<_>>(),
        &copies.iter().map(|copy| copy.legal_basis.uri.clone()).collect::<Vec<_>>(),
        &copies.iter().map(|copy| copy.legal_basis.assumed).collect::<Vec<_>>(),
        &proofs.iter().map(|proof| proof.ordinal).collect::<Vec<_>>(),
        &proofs.iter().map(|proof| proof.copies_total).collect::<Vec<_>>(),
        &proofs.iter().map(|proof| proof.copy_sha256.clone()).collect::<Vec<_>>(),
        &proofs.iter().map(|proof| proof.signing_key.clone()).collect::<Vec<_>>(),
        &proofs.iter().map(|proof| proof.signature.clone()).collect::<Vec<_>>(),
        &proofs.iter().map(|proof| proof.sending_body.clone()).collect::<Vec<_>>(),
        &copies
            .iter()
            .map(|copy| marking_word(copy.official_use.as_ref()).to_owned())
            .collect::<Vec<_>>(),
        &copies.iter().map(|copy| copy.list_version).collect::<Vec<_>>() as &[Option<i32>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Recalls the copies of a revision, and gives their keys by number.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn recall(
    connection: &mut PgConnection,
    edition: &EditionKey,
    revision: i32,
    at: Timestamp,
) -> Result<Vec<CopyKey>, sqlx::Error> {
    // How it stood before stays readable: a rejection was its recipient's last word.
    let mut numbers = sqlx::query_scalar!(
        // Locked in the order of their numbers, as by whoever else holds several.
        "WITH held AS MATERIALIZED (
             SELECT number FROM collections.copy WHERE collection = $1 AND period = $2 AND revision = $3
             ORDER BY number FOR UPDATE
         )
         UPDATE collections.copy c SET state = 'RECALLED', status_at = $4,
             status_reason = 'its edition was recalled; before it was ' || c.state || COALESCE(': ' || c.status_reason, '')
         FROM held WHERE c.collection = $1 AND c.period = $2 AND c.number = held.number RETURNING c.number",
        edition.collection,
        edition.period.to_string(),
        revision,
        jiff_sqlx::Timestamp::from(at) as _,
    )
    .fetch_all(connection)
    .await?;
    numbers.sort_unstable();
    let keys = numbers.into_iter().map(|number| CopyKey {
        edition: edition.clone(),
        number,
    });
    Ok(keys.collect())
}

/// Which copies to read.
#[derive(Debug, Default)]
pub struct Filter {
    pub editions: Editions,
    /// Only of one of these recipients.
    pub recipients: Option<Vec<String>>,
    pub state: Option<CopyState>,
    /// Only those that their recipients have neither confirmed nor rejected.
    pub unconfirmed: bool,
    /// Only those of editions whose due date had passed at this instant.
    pub due_before: Option<Timestamp>,
    /// Only after this place in the order.
    pub after: Option<CopyPosition>,
}

/// The copy, whosever it is.
pub async fn get(connection: &mut PgConnection, key: &CopyKey) -> Result<Option<Copy>, sqlx::Error> {
    Ok(of_keys(connection, std::slice::from_ref(key)).await?.pop().flatten())
}

/// The copy, when it is one of these recipients'. Someone else's is not found, so that nobody learns that it exists.
pub async fn get_own(
    connection: &mut PgConnection,
    key: &CopyKey,
    recipients: &[String],
) -> Result<Option<Copy>, sqlx::Error> {
    let found = get(connection, key).await?;
    Ok(found.filter(|copy| recipients.contains(&copy.recipient)))
}

/// The copy, when it is one of these recipients', held against other writers until the transaction ends.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock_own(
    connection: &mut PgConnection,
    key: &CopyKey,
    recipients: &[String],
) -> Result<Option<Copy>, sqlx::Error> {
    sqlx::query!(
        "SELECT number FROM collections.copy WHERE collection = $1 AND period = $2 AND number = $3 FOR UPDATE",
        key.edition.collection,
        key.edition.period.to_string(),
        key.number,
    )
    .fetch_optional(&mut *connection)
    .await?;
    // Read afterwards: another may have changed it while this waited.
    get_own(connection, key, recipients).await
}

/// Copies, the newest edition's first, then by collection and number. Within a transaction the statement is planned for what is asked.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(connection: &mut PgConnection, filter: &Filter, limit: i64) -> Result<Vec<Copy>, sqlx::Error> {
    // A plan for any filter reads all the copies there ever were, and PostgreSQL takes one after a while.
    sqlx::query!(r#"SELECT set_config('plan_cache_mode', 'force_custom_plan', true) AS "set!""#)
        .fetch_one(&mut *connection)
        .await?;
    let after = filter.after.as_ref();
    // The copies of one recipient lie in the order of their numbers, those of several do not.
    let (one, several) = match filter.recipients.as_deref() {
        Some([one]) => (Some(one.as_str()), None),
        several => (None, several),
    };
    // Edition by edition in their order, each as far as the page needs it.
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT s.parent AS "parent!", c.period, c.number, s.due_date AS "due_date!", s.due_time AS "due_time!", c.recipient, c.state,
             c.status_reason, c.status_at, c.sha256, c.issued_at, c.received_at,
             c.legal_basis_act, c.legal_basis_provision, c.legal_basis_uri, c.legal_basis_assumed,
             c.revision, c.ordinal, c.copies_total, c.copy_sha256, c.signing_key, c.signature, c.sending_body,
             r.recalled_at, c.recall_confirmed_at, r.marking_copies, r.marking_reason, r.marking_expires_on, c.list_version,
             s.is_kept AS "is_kept!", d.delivery_id AS "delivery_id?", d.attempts AS "attempts?", d.spared AS "spared?", d.received_bytes AS "received_bytes?",
             d.next_attempt_at AS "next_attempt_at?", d.fence AS "fence?", d.last_outcome AS "last_outcome?"
         FROM (
             SELECT parent, period, substr(parent, 13) COLLATE "C" AS collection, due_date, due_time,
                 NOT recorded_afterwards AND due_date
                     >= coalesce((SELECT a.day FROM collections.answering_day a ORDER BY a.number DESC LIMIT 1), '-infinity') AS is_kept,
                 CASE WHEN (due_date, parent, period) = ($5, 'collections/' || $6, $7) THEN $8 ELSE 0 END AS after_number
             FROM collections.scheduled
             WHERE ($1::text IS NULL OR parent = 'collections/' || $1)
               AND ($2::text IS NULL OR period = $2)
               AND ($5::date IS NULL OR due_date < $5
                    OR (due_date = $5 AND (parent, period) >= ('collections/' || $6, $7)))
             ORDER BY due_date DESC, parent, period OFFSET 0
         ) AS s
         CROSS JOIN LATERAL (
             SELECT * FROM collections.copy
             WHERE collection = s.collection AND period = s.period AND number > s.after_number
               AND ($3::text[] IS NULL OR recipient = ANY($3))
               AND ($12::text IS NULL OR recipient = $12)
               AND ($4::text IS NULL OR state = $4)
               AND (NOT $10::boolean OR state IN ('ISSUED', 'SENDING', 'FAILED'))
             ORDER BY number LIMIT $9
         ) AS c
         JOIN collections.revision r ON (r.collection, r.period, r.revision) = (c.collection, c.period, c.revision)
         LEFT JOIN collections.delivery d ON (d.collection, d.period, d.copy_number) = (c.collection, c.period, c.number)
         WHERE $11::timestamptz IS NULL OR (s.is_kept AND s.due_time <= $11)
         ORDER BY s.due_date DESC, s.parent, s.period, c.number LIMIT $9"#,
        filter.editions.collection.as_deref(),
        filter.editions.period.map(|period| period.to_string()),
        several,
        filter.state.map(CopyState::word),
        after.map(|after| jiff_sqlx::Date::from(after.due_date)) as _,
        after.map(|after| after.key.edition.collection.as_str()),
        after.map(|after| after.key.edition.period.to_string()),
        after.map(|after| after.key.number),
        limit,
        filter.unconfirmed,
        filter.due_before.map(jiff_sqlx::Timestamp::from) as _,
        one,
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut copies = rows.into_iter().map(Copy::try_from).collect::<Result<Vec<_>, _>>()?;
    receipt::read(connection, &mut copies).await?;
    Ok(copies)
}

/// The copies of these keys, in the same order; `None` where there is none.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn of_keys(connection: &mut PgConnection, keys: &[CopyKey]) -> Result<Vec<Option<Copy>>, sqlx::Error> {
    let (collections, periods, numbers) = columns(keys.iter());
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT s.parent, c.period, c.number, s.due_date, s.due_time, c.recipient, c.state, c.status_reason, c.status_at, c.sha256,
             c.issued_at, c.received_at,
             c.legal_basis_act, c.legal_basis_provision, c.legal_basis_uri, c.legal_basis_assumed,
             c.revision, c.ordinal, c.copies_total, c.copy_sha256, c.signing_key, c.signature, c.sending_body,
             r.recalled_at, c.recall_confirmed_at, r.marking_copies, r.marking_reason, r.marking_expires_on, c.list_version,
             NOT s.recorded_afterwards AND s.due_date
                 >= coalesce((SELECT a.day FROM collections.answering_day a ORDER BY a.number DESC LIMIT 1), '-infinity') AS "is_kept!",
             d.delivery_id AS "delivery_id?", d.attempts AS "attempts?", d.spared AS "spared?", d.received_bytes AS "received_bytes?", d.next_attempt_at AS "next_attempt_at?",
             d.fence AS "fence?", d.last_outcome AS "last_outcome?"
         FROM UNNEST($1::text[], $2::text[], $3::integer[]) AS a (collection, period, number)
         -- The limit has each copy found by its key. PostgreSQL knows little of a young table, and then reads all copies of an edition
         -- for each of them.
         CROSS JOIN LATERAL (
             SELECT * FROM collections.copy c
             WHERE (c.collection, c.period, c.number) = (a.collection, a.period, a.number) LIMIT 1) AS c
         JOIN collections.revision r ON (r.collection, r.period, r.revision) = (c.collection, c.period, c.revision)
         JOIN collections.scheduled s ON (s.parent, s.period) = ('collections/' || c.collection, c.period)
         LEFT JOIN collections.delivery d ON (d.collection, d.period, d.copy_number) = (c.collection, c.period, c.number)"#,
        &collections,
        &periods,
        &numbers,
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut copies = rows.into_iter().map(Copy::try_from).collect::<Result<Vec<_>, _>>()?;
    receipt::read(connection, &mut copies).await?;
    let mut found: HashMap<CopyKey, Copy> = copies.into_iter().map(|copy| (copy.key.clone(), copy)).collect();
    Ok(keys.iter().map(|key| found.remove(key)).collect())
}

/// The keys of copies as three columns.
pub(super) fn columns<'a>(keys: impl Iterator<Item = &'a CopyKey>) -> (Vec<String>, Vec<String>, Vec<i32>) {
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for key in keys {
        columns.0.push(key.edition.collection.clone());
        columns.1.push(key.edition.period.to_string());
        columns.2.push(key.number);
    }
    columns
}

/// Holds copies against other writers until the transaction ends. All hold several in this order, so that none waits in a circle.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock_keys(connection: &mut PgConnection, keys: &[CopyKey]) -> Result<(), sqlx::Error> {
    let (collections, periods, numbers) = columns(keys.iter());
    sqlx::query!(
        "SELECT c.number FROM UNNEST($1::text[], $2::text[], $3::integer[]) AS a (collection, period, number)
         JOIN collections.copy c ON (c.collection, c.period, c.number) = (a.collection, a.period, a.number)
         ORDER BY c.collection, c.period, c.number FOR UPDATE OF c",
        &collections,
        &periods,
        &numbers,
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

/// Saves where copies stand that were on their way.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn save_delivered(connection: &mut PgConnection, copies: &[&Copy]) -> Result<(), sqlx::Error> {
    let (collections, periods, numbers) = columns(copies.iter().map(|copy| &copy.key));
    let status = |copy: &&Copy| copy.status.clone();
    sqlx::query!(
        "UPDATE collections.copy c SET state = a.state, received_at = a.received_at, status_reason = a.reason, status_at = a.since,
             recall_confirmed_at = a.recall_confirmed_at
         FROM UNNEST($1::text[], $2::text[], $3::integer[], $4::text[], $5::timestamptz[], $6::text[], $7::timestamptz[],
                 $8::timestamptz[])
             AS a (collection, period, number, state, received_at, reason, since, recall_confirmed_at)
         WHERE (c.collection, c.period, c.number) = (a.collection, a.period, a.number)",
        &collections,
        &periods,
        &numbers,
        &copies.iter().map(|copy| copy.state.word().to_owned()).collect::<Vec<_>>(),
        &copies
            .iter()
            .map(|copy| copy.received_at.map(jiff_sqlx::Timestamp::from))
            .collect::<Vec<_>>() as _,
        &copies.iter().map(|copy| status(copy).and_then(|status| status.reason)).collect::<Vec<_>>() as &[Option<String>],
        &copies
            .iter()
            .map(|copy| status(copy).map(|status| jiff_sqlx::Timestamp::from(status.since)))
            .collect::<Vec<_>>() as _,
        &copies
            .iter()
            .map(|copy| copy.recall_confirmed_at.map(jiff_sqlx::Timestamp::from))
            .collect::<Vec<_>>() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Saves where a copy stands.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn save(connection: &mut PgConnection, copy: &Copy) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE collections.copy SET state = $4, received_at = $5, status_reason = $6, status_at = $7, recall_confirmed_at = $8
         WHERE collection = $1 AND period = $2 AND number = $3",
        copy.key.edition.collection,
        copy.key.edition.period.to_string(),
        copy.key.number,
        copy.state.word(),
        copy.received_at.map(jiff_sqlx::Timestamp::from) as _,
        copy.status.as_ref().and_then(|status| status.reason.as_deref()),
        copy.status
            .as_ref()
            .map(|status| jiff_sqlx::Timestamp::from(status.since)) as _,
        copy.recall_confirmed_at.map(jiff_sqlx::Timestamp::from) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What an event is about: an edition, or one of its copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    pub edition: EditionKey,
    /// `None` for the edition as such.
    pub number: Option<i32>,
}

/// Of each of these whether it is a copy of one of these recipients, or an edition that one holds a copy of.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn held(
    connection: &mut PgConnection,
    recipients: &[String],
    about: &[About],
) -> Result<Vec<bool>, sqlx::Error> {
    let editions = about.iter().map(|about| &about.edition);
    sqlx::query_scalar!(
        r#"SELECT EXISTS (
             SELECT FROM collections.copy c
             WHERE c.recipient = ANY($1) AND c.collection = a.collection AND c.period = a.period
               AND c.number BETWEEN coalesce(a.number, 1) AND coalesce(a.number, 2147483647)) AS "held!"
         FROM UNNEST($2::text[], $3::text[], $4::integer[]) WITH ORDINALITY AS a (collection, period, number, place)
         ORDER BY a.place"#,
        recipients,
        &editions.clone().map(|key| key.collection.clone()).collect::<Vec<_>>(),
        &editions.map(|key| key.period.to_string()).collect::<Vec<_>>(),
        &about.iter().map(|about| about.number).collect::<Vec<_>>() as &[Option<i32>],
    )
    .fetch_all(connection)
    .await
}

/// The revisions of editions of which a recipient holds a copy.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn held_revisions(
    connection: &mut PgConnection,
    recipients: &[String],
    editions: &[&EditionKey],
) -> Result<HashSet<(EditionKey, i32)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT a.place AS "place!", c.revision
         FROM UNNEST($2::text[], $3::text[]) WITH ORDINALITY AS a (collection, period, place)
         JOIN collections.copy c USING (collection, period) WHERE c.recipient = ANY($1)"#,
        recipients,
        &editions.iter().map(|key| key.collection.clone()).collect::<Vec<_>>(),
        &editions.iter().map(|key| key.period.to_string()).collect::<Vec<_>>(),
    )
    .fetch_all(connection)
    .await?;
    let held = rows.into_iter().filter_map(|row| {
        let place = usize::try_from(row.place - 1).ok()?;
        Some(((*editions.get(place)?).clone(), row.revision))
    });
    Ok(held.collect())
}
