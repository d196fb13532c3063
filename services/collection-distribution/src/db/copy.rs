//! `collections.copy`.

use jiff::Timestamp;
use legalstat_kit::{door::word::Word, law::LegalBasis};
use sqlx::PgConnection;

use super::{edition_key, receipt};
use crate::domain::{
    copy::{Copy, CopyPosition, CopyState, Status},
    distribution::NumberedCopy,
    key::{CopyKey, EditionKey, Editions},
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
}

impl TryFrom<Row> for Copy {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
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
            legal_basis: LegalBasis::of_row(
                row.legal_basis_act,
                row.legal_basis_provision,
                row.legal_basis_uri,
                row.legal_basis_assumed,
            ),
        })
    }
}

/// Issues the copies of an edition, each with the digest of its content.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn issue(
    connection: &mut PgConnection,
    edition: &EditionKey,
    copies: &[NumberedCopy<'_>],
    issued_at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO collections.copy
             (collection, period, number, recipient, sha256, state, issued_at,
              legal_basis_act, legal_basis_provision, legal_basis_uri, legal_basis_assumed)
         SELECT e.collection, e.period, c.number, c.recipient, e.sha256, 'ISSUED', $5, c.act, c.provision, c.uri, c.assumed
         FROM collections.edition e,
             UNNEST($3::integer[], $4::text[], $6::text[], $7::text[], $8::text[], $9::boolean[])
                 AS c (number, recipient, act, provision, uri, assumed)
         WHERE e.collection = $1 AND e.period = $2",
        edition.collection,
        edition.period.to_string(),
        &copies.iter().map(|copy| copy.number).collect::<Vec<_>>(),
        &copies.iter().map(|copy| copy.recipient.to_owned()).collect::<Vec<_>>(),
        jiff_sqlx::Timestamp::from(issued_at) as _,
        &copies.iter().map(|copy| copy.legal_basis.act.clone()).collect::<Vec<_>>(),
        &copies.iter().map(|copy| copy.legal_basis.provision.clone()).collect::<Vec<_>>(),
        &copies.iter().map(|copy| copy.legal_basis.uri.clone()).collect::<Vec<_>>(),
        &copies.iter().map(|copy| copy.legal_basis.assumed).collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Which copies to read.
#[derive(Debug, Default)]
pub struct Filter {
    pub editions: Editions,
    pub number: Option<i32>,
    pub recipient: Option<String>,
    pub state: Option<CopyState>,
    /// Only those that their recipients have neither confirmed nor rejected.
    pub unconfirmed: bool,
    /// Only those of editions whose due date had passed at this instant.
    pub due_before: Option<Timestamp>,
    /// Only after this place in the order.
    pub after: Option<CopyPosition>,
}

/// The copy, when it is this recipient's. Someone else's is not found, so that nobody learns that it exists.
pub async fn get_own(
    connection: &mut PgConnection,
    key: &CopyKey,
    recipient: &str,
) -> Result<Option<Copy>, sqlx::Error> {
    let filter = Filter {
        editions: Editions::of(&key.edition),
        number: Some(key.number),
        recipient: Some(recipient.to_owned()),
        ..Filter::default()
    };
    Ok(list(connection, &filter, 1).await?.pop())
}

/// The copy, when it is this recipient's, held against other writers until the transaction ends.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn lock_own(
    connection: &mut PgConnection,
    key: &CopyKey,
    recipient: &str,
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
    get_own(connection, key, recipient).await
}

/// Copies, the newest edition's first, then by collection and number.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn list(connection: &mut PgConnection, filter: &Filter, limit: i64) -> Result<Vec<Copy>, sqlx::Error> {
    let after = filter.after.as_ref();
    let rows = sqlx::query_as!(
        Row,
        "SELECT s.parent, c.period, c.number, s.due_date, s.due_time, c.recipient, c.state, c.status_reason, c.status_at, c.sha256,
             c.issued_at, c.received_at,
             c.legal_basis_act, c.legal_basis_provision, c.legal_basis_uri, c.legal_basis_assumed
         FROM collections.copy c
         JOIN collections.scheduled s ON (s.parent, s.period) = ('collections/' || c.collection, c.period)
         WHERE ($1::text IS NULL OR c.collection = $1)
           AND ($2::text IS NULL OR c.period = $2)
           AND ($3::integer IS NULL OR c.number = $3)
           AND ($4::text IS NULL OR c.recipient = $4)
           AND ($5::text IS NULL OR c.state = $5)
           AND ($6::date IS NULL OR s.due_date < $6
                OR (s.due_date = $6 AND (c.collection, c.period, c.number) > ($7, $8, $9)))
           AND (NOT $11::boolean OR c.state IN ('ISSUED', 'SENDING', 'FAILED'))
           AND ($12::timestamptz IS NULL OR s.due_time <= $12)
         ORDER BY s.due_date DESC, c.collection, c.period, c.number LIMIT $10",
        filter.editions.collection.as_deref(),
        filter.editions.period.map(|period| period.to_string()),
        filter.number,
        filter.recipient.as_deref(),
        filter.state.map(CopyState::word),
        after.map(|after| jiff_sqlx::Date::from(after.due_date)) as _,
        after.map(|after| after.key.edition.collection.as_str()),
        after.map(|after| after.key.edition.period.to_string()),
        after.map(|after| after.key.number),
        limit,
        filter.unconfirmed,
        filter.due_before.map(jiff_sqlx::Timestamp::from) as _,
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut copies = rows.into_iter().map(Copy::try_from).collect::<Result<Vec<_>, _>>()?;
    receipt::read(connection, &mut copies).await?;
    Ok(copies)
}

/// Saves where a copy stands.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn save(connection: &mut PgConnection, copy: &Copy) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE collections.copy SET state = $4, received_at = $5, status_reason = $6, status_at = $7
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

/// Of each of these whether it is a copy of this recipient, or an edition that it holds a copy of.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn held(connection: &mut PgConnection, recipient: &str, about: &[About]) -> Result<Vec<bool>, sqlx::Error> {
    let editions = about.iter().map(|about| &about.edition);
    sqlx::query_scalar!(
        r#"SELECT EXISTS (
             SELECT FROM collections.copy c
             WHERE c.recipient = $1 AND c.collection = a.collection AND c.period = a.period
               AND c.number BETWEEN coalesce(a.number, 1) AND coalesce(a.number, 2147483647)) AS "held!"
         FROM UNNEST($2::text[], $3::text[], $4::integer[]) WITH ORDINALITY AS a (collection, period, number, place)
         ORDER BY a.place"#,
        recipient,
        &editions.clone().map(|key| key.collection.clone()).collect::<Vec<_>>(),
        &editions.map(|key| key.period.to_string()).collect::<Vec<_>>(),
        &about.iter().map(|about| about.number).collect::<Vec<_>>() as &[Option<i32>],
    )
    .fetch_all(connection)
    .await
}
