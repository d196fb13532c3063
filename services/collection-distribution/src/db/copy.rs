//! `collections.copy`.

use std::collections::HashSet;

use jiff::Timestamp;
use legalstat_kit::{door::word::Word, law::LegalBasis};
use sqlx::PgConnection;

use super::{edition_key, marking, marking_word, receipt};
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
    marking_copies: Option<i32>,
    marking_reason: Option<String>,
    marking_expires_on: Option<jiff_sqlx::Date>,
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
              ordinal, copies_total, copy_sha256, signing_key, signature, sending_body, marking)
         SELECT $1, $2, c.revision, c.number, c.recipient, c.sha256, 'ISSUED', c.issued_at, c.act, c.provision, c.uri, c.assumed,
             c.ordinal, c.copies_total, c.copy_sha256, c.signing_key, c.signature, c.sending_body, c.marking
         FROM UNNEST($3::integer[], $4::integer[], $5::text[], $6::bytea[], $7::timestamptz[], $8::text[], $9::text[], $10::text[],
             $11::boolean[], $12::integer[], $13::integer[], $14::bytea[], $15::text[], $16::bytea[], $17::text[], $18::text[])
             AS c (revision, number, recipient, sha256, issued_at, act, provision, uri, assumed, ordinal, copies_total,
                 copy_sha256, signing_key, signature, sending_body, marking)",
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
        "UPDATE collections.copy SET state = 'RECALLED', status_at = $4,
             status_reason = 'its edition was recalled; before it was ' || state || COALESCE(': ' || status_reason, '')
         WHERE collection = $1 AND period = $2 AND revision = $3 RETURNING number",
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

impl Filter {
    /// One copy, whosever it is.
    fn only(key: &CopyKey) -> Self {
        Self {
            editions: Editions::of(&key.edition),
            number: Some(key.number),
            ..Self::default()
        }
    }
}

/// The copy, whosever it is.
pub async fn get(connection: &mut PgConnection, key: &CopyKey) -> Result<Option<Copy>, sqlx::Error> {
    Ok(list(connection, &Filter::only(key), 1).await?.pop())
}

/// The copy, when it is this recipient's. Someone else's is not found, so that nobody learns that it exists.
pub async fn get_own(
    connection: &mut PgConnection,
    key: &CopyKey,
    recipient: &str,
) -> Result<Option<Copy>, sqlx::Error> {
    let filter = Filter {
        recipient: Some(recipient.to_owned()),
        ..Filter::only(key)
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
             c.legal_basis_act, c.legal_basis_provision, c.legal_basis_uri, c.legal_basis_assumed,
             c.revision, c.ordinal, c.copies_total, c.copy_sha256, c.signing_key, c.signature, c.sending_body,
             r.recalled_at, c.recall_confirmed_at, r.marking_copies, r.marking_reason, r.marking_expires_on
         FROM collections.copy c
         JOIN collections.revision r ON (r.collection, r.period, r.revision) = (c.collection, c.period, c.revision)
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

/// The revisions of editions of which a recipient holds a copy.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn held_revisions(
    connection: &mut PgConnection,
    recipient: &str,
    editions: &[&EditionKey],
) -> Result<HashSet<(EditionKey, i32)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT a.place AS "place!", c.revision
         FROM UNNEST($2::text[], $3::text[]) WITH ORDINALITY AS a (collection, period, place)
         JOIN collections.copy c USING (collection, period) WHERE c.recipient = $1"#,
        recipient,
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
