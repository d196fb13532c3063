//! `collections.receipt`: what recipients said of their copies.

use std::collections::HashMap;

use jiff::Timestamp;
use legalstat_kit::door::word::{Word, unreadable};
use sqlx::PgConnection;

use super::copy::columns;
use crate::domain::{
    copy::Copy,
    key::CopyKey,
    receipt::{Receipt, Signed, Way},
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
             (collection, period, copy_number, outcome, way, received_at, recorded_at, said_by, signing_key, signature, statement, late)
         VALUES ($1, $2, $3, 'RECEIVED', $4, $5, $6, $7, $8, $9, $10, $11)",
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
    (said_by, way): (&str, Way),
    reason: &str,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO collections.receipt
             (collection, period, copy_number, outcome, way, received_at, recorded_at, said_by, reason, late)
         VALUES ($1, $2, $3, 'REJECTED', $4, $5, $5, $6, $7, false)",
        key.edition.collection,
        key.edition.period.to_string(),
        key.number,
        way.word(),
        jiff_sqlx::Timestamp::from(at) as _,
        said_by,
        reason,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What a recipient's server answered of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    Received(Receipt),
    /// Who rejected it, why and when.
    Rejected(String, String, Timestamp),
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
    for (_, answer) in answered {
        let (received, recorded, by, reason, is_late) = match answer {
            Answered::Received(r) => (r.received_at, r.recorded_at, &r.said_by, None, r.late),
            Answered::Rejected(by, reason, at) => (*at, *at, by, Some(reason.clone()), false),
        };
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
              reason, late)
         SELECT collection, period, number, CASE WHEN reason IS NULL THEN 'RECEIVED' ELSE 'REJECTED' END, 'PUSH', received_at,
             recorded_at, said_by, signing_key, signature, statement, reason, late
         FROM UNNEST($1::text[], $2::text[], $3::integer[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[],
                 $8::bytea[], $9::bytea[], $10::text[], $11::boolean[])
             AS a (collection, period, number, received_at, recorded_at, said_by, signing_key, signature, statement, reason, late)",
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
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn column<T>(signed: &[Option<Signed>], value: fn(&Signed) -> T) -> Vec<Option<T>> {
    signed.iter().map(|signed| signed.as_ref().map(value)).collect()
}

/// Adds the receipts to copies that have one.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub(super) async fn read(connection: &mut PgConnection, copies: &mut [Copy]) -> Result<(), sqlx::Error> {
    let mut received: HashMap<i64, &mut Copy> = (0..).zip(copies).filter(|(_, copy)| copy.is_received()).collect();
    if received.is_empty() {
        return Ok(());
    }
    let places: Vec<i64> = received.keys().copied().collect();
    let keys = || places.iter().map(|place| &received[place].key);
    let rows = sqlx::query!(
        r#"SELECT a.place AS "place!", r.way, r.received_at AS "received_at: jiff_sqlx::Timestamp",
             r.recorded_at AS "recorded_at: jiff_sqlx::Timestamp", r.said_by, r.signing_key, r.signature, r.statement, r.late
         FROM UNNEST($1::text[], $2::text[], $3::integer[], $4::bigint[]) AS a (collection, period, number, place)
         JOIN collections.receipt r ON r.collection = a.collection AND r.period = a.period AND r.copy_number = a.number
         WHERE r.outcome = 'RECEIVED'"#,
        &keys().map(|key| key.edition.collection.clone()).collect::<Vec<_>>(),
        &keys().map(|key| key.edition.period.to_string()).collect::<Vec<_>>(),
        &keys().map(|key| key.number).collect::<Vec<_>>(),
        &places,
    );
    for row in rows.fetch_all(connection).await? {
        let signed = row.signing_key.zip(row.signature).zip(row.statement);
        let signed = signed.map(|((key, signature), statement)| {
            let signature = signature.try_into().map_err(|_| unreadable("signature", &key))?;
            Ok::<_, sqlx::Error>(Signed {
                key,
                signature,
                statement,
            })
        });
        let receipt = Receipt {
            received_at: row.received_at.to_jiff(),
            recorded_at: row.recorded_at.to_jiff(),
            said_by: row.said_by,
            way: Way::read_stored(&row.way, "way")?,
            signed: signed.transpose()?,
            late: row.late,
        };
        if let Some(copy) = received.get_mut(&row.place) {
            copy.receipt = Some(receipt);
        }
    }
    Ok(())
}
