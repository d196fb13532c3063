//! `collections.receipt`: what recipients said of their copies.

use std::collections::HashMap;

use legalstat_kit::door::word::{Word, unreadable};
use sqlx::PgConnection;

use super::copy::columns;
use crate::domain::{
    copy::Copy,
    key::CopyKey,
    receipt::{Receipt, Rejection, Signed, Way},
};

/// Records the receipt of a copy.
///
/// # Errors
/// When the database fails, as it does when the copy has a receipt.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn record(connection: &mut PgConnection, key: &CopyKey, receipt: &Receipt) -> Result<(), sqlx::Error> {
    let signed = receipt.signed.as_ref();
    sqlx::query!(
        "INSERT INTO collections.receipt
             (collection, period, copy_number, outcome, way, received_at, recorded_at, said_by, signing_key, signature, statement, late,
              successor)
         VALUES ($1, $2, $3, 'RECEIVED', $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        key.edition.collection,
        key.edition.period.to_string(),
        key.number,
        receipt.way.word(),
        jiff_sqlx::Timestamp::from(receipt.received_at) as _,
        jiff_sqlx::Timestamp::from(receipt.recorded_at) as _,
        receipt.said_by,
        signed.map(|signed| signed.key.as_str()),
        signed.map(|signed| &signed.signature[..]),
        signed.map(|signed| &signed.statement[..]),
        receipt.late,
        receipt.successor,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Records that a recipient rejected a copy.
///
/// # Errors
/// When the database fails, as it does when the copy was rejected before.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn record_rejection(
    connection: &mut PgConnection,
    key: &CopyKey,
    rejection: &Rejection,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO collections.receipt
             (collection, period, copy_number, outcome, way, received_at, recorded_at, said_by, reason, late, successor)
         VALUES ($1, $2, $3, 'REJECTED', $4, $5, $5, $6, $7, false, $8)",
        key.edition.collection,
        key.edition.period.to_string(),
        key.number,
        rejection.way.word(),
        jiff_sqlx::Timestamp::from(rejection.recorded_at) as _,
        rejection.said_by,
        rejection.reason,
        rejection.successor,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What a recipient's server answered of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    Received(Receipt),
    Rejected(Rejection),
}

/// Records what servers answered of copies.
///
/// # Errors
/// When the database fails, as it does when one of the copies was answered so before.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn record_pushed(
    connection: &mut PgConnection,
    answered: &[(&CopyKey, Answered)],
) -> Result<(), sqlx::Error> {
    let (collections, periods, numbers) = columns(answered.iter().map(|(key, _)| *key));
    let mut received_at = Vec::new();
    let mut recorded_at = Vec::new();
    let mut said_by = Vec::new();
    let mut reasons = Vec::new();
    let mut signed = Vec::new();
    let mut late = Vec::new();
    let mut successors = Vec::new();
    for (_, answer) in answered {
        let (received, recorded, by, reason, is_late, successor) = match answer {
            Answered::Received(r) => (r.received_at, r.recorded_at, &r.said_by, None, r.late, &r.successor),
            Answered::Rejected(r) => (
                r.recorded_at,
                r.recorded_at,
                &r.said_by,
                Some(r.reason.clone()),
                false,
                &r.successor,
            ),
        };
        successors.push(successor.clone());
        received_at.push(jiff_sqlx::Timestamp::from(received));
        recorded_at.push(jiff_sqlx::Timestamp::from(recorded));
        said_by.push(by.clone());
        reasons.push(reason);
        late.push(is_late);
        signed.push(match answer {
            Answered::Received(receipt) => receipt.signed.clone(),
            Answered::Rejected(..) => None,
        });
    }
    sqlx::query!(
        "INSERT INTO collections.receipt
             (collection, period, copy_number, outcome, way, received_at, recorded_at, said_by, signing_key, signature, statement,
              reason, late, successor)
         SELECT collection, period, number, CASE WHEN reason IS NULL THEN 'RECEIVED' ELSE 'REJECTED' END, 'PUSH', received_at,
             recorded_at, said_by, signing_key, signature, statement, reason, late, successor
         FROM UNNEST($1::text[], $2::text[], $3::integer[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[],
                 $8::bytea[], $9::bytea[], $10::text[], $11::boolean[], $12::text[])
             AS a (collection, period, number, received_at, recorded_at, said_by, signing_key, signature, statement, reason, late, successor)",
        &collections,
        &periods,
        &numbers,
        &received_at as _,
        &recorded_at as _,
        &said_by,
        &column(&signed, |signed| signed.key.clone()) as &[Option<String>],
        &column(&signed, |signed| signed.signature.to_vec()) as &[Option<Vec<u8>>],
        &column(&signed, |signed| signed.statement.clone()) as &[Option<Vec<u8>>],
        &reasons as &[Option<String>],
        &late,
        &successors as &[Option<String>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn column<T>(signed: &[Option<Signed>], value: fn(&Signed) -> T) -> Vec<Option<T>> {
    signed.iter().map(|signed| signed.as_ref().map(value)).collect()
}

struct Row {
    place: i64,
    outcome: String,
    way: String,
    received_at: jiff_sqlx::Timestamp,
    recorded_at: jiff_sqlx::Timestamp,
    said_by: String,
    signing_key: Option<String>,
    signature: Option<Vec<u8>>,
    statement: Option<Vec<u8>>,
    reason: Option<String>,
    late: bool,
    successor: Option<String>,
}

impl Row {
    /// Adds what it says to its copy.
    fn add_to(self, copy: &mut Copy) -> Result<(), sqlx::Error> {
        let way = Way::read_stored(&self.way, "way")?;
        let recorded_at = self.recorded_at.to_jiff();
        if let ("REJECTED", Some(reason)) = (self.outcome.as_str(), self.reason) {
            copy.rejection = Some(Rejection {
                reason,
                recorded_at,
                said_by: self.said_by,
                way,
                successor: self.successor,
            });
            return Ok(());
        }
        let signed = self.signing_key.zip(self.signature).zip(self.statement);
        let signed = signed.map(|((key, signature), statement)| {
            let signature = signature.try_into().map_err(|_| unreadable("signature", &key))?;
            Ok::<_, sqlx::Error>(Signed {
                key,
                signature,
                statement,
            })
        });
        copy.receipt = Some(Receipt {
            received_at: self.received_at.to_jiff(),
            recorded_at,
            said_by: self.said_by,
            way,
            signed: signed.transpose()?,
            late: self.late,
            successor: self.successor,
        });
        Ok(())
    }
}

/// Adds what was said of copies to those of which something was.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn read(connection: &mut PgConnection, copies: &mut [Copy]) -> Result<(), sqlx::Error> {
    let mut said: HashMap<i64, &mut Copy> = (0..)
        .zip(copies)
        .filter(|(_, copy)| !copy.state.is_unconfirmed())
        .collect();
    if said.is_empty() {
        return Ok(());
    }
    let places: Vec<i64> = said.keys().copied().collect();
    let keys = || places.iter().map(|place| &said[place].key);
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT a.place AS "place!", r.outcome, r.way, r.received_at, r.recorded_at, r.said_by, r.signing_key, r.signature,
             r.statement, r.reason, r.late, r.successor
         FROM UNNEST($1::text[], $2::text[], $3::integer[], $4::bigint[]) AS a (collection, period, number, place)
         JOIN collections.receipt r ON r.collection = a.collection AND r.period = a.period AND r.copy_number = a.number"#,
        &keys().map(|key| key.edition.collection.clone()).collect::<Vec<_>>(),
        &keys().map(|key| key.edition.period.to_string()).collect::<Vec<_>>(),
        &keys().map(|key| key.number).collect::<Vec<_>>(),
        &places,
    );
    for row in rows.fetch_all(connection).await? {
        if let Some(copy) = said.get_mut(&row.place) {
            row.add_to(copy)?;
        }
    }
    Ok(())
}
