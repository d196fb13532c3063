//! The secrets of coupons, and how often they were tried wrongly.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

/// What a coupon number and a secret came to.
pub struct Tried {
    /// The number in the one spelling by which tries are counted.
    pub number: String,
    /// The secret without what spelling may add.
    pub secret: String,
    /// The coupon, if there is one with a secret.
    pub coupon: Option<Coupon>,
}

/// A coupon with a secret.
pub struct Coupon {
    /// Its request.
    pub request: Uuid,
    /// Its number as it is stored.
    pub number: String,
    /// The digest of its secret.
    pub secret_digest: Vec<u8>,
    /// How often its secret was tried wrongly, and since when.
    pub wrong: Option<(i32, Timestamp)>,
}

/// Looks a coupon up by its number, however that is spelled, and gives the secret in one spelling.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn find(connection: &mut PgConnection, number: &str, secret: &str) -> Result<Tried, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT given.number AS "given_number!", given.secret AS "given_secret!", r.id AS "id?",
             r.coupon_number AS "number?", r.coupon_secret_digest AS "secret_digest?", t.wrong AS "wrong?",
             t.since AS "since?: jiff_sqlx::Timestamp"
         FROM (SELECT requests.folded($1) AS number, requests.folded($2) AS secret) AS given
         LEFT JOIN requests.request r
             ON r.coupon_number
                 = upper(overlay(given.number PLACING '-' FROM 9 FOR 0) COLLATE "C") COLLATE "default"
         LEFT JOIN requests.coupon_try t ON t.request = r.id"#,
        number,
        secret,
    )
    .fetch_one(connection)
    .await?;
    let wrong = row.wrong.zip(row.since.map(jiff_sqlx::Timestamp::to_jiff));
    let coupon = row.id.zip(row.number).zip(row.secret_digest);
    Ok(Tried {
        number: row.given_number,
        secret: row.given_secret,
        coupon: coupon.map(|((request, number), secret_digest)| Coupon {
            request,
            number,
            secret_digest,
            wrong,
        }),
    })
}

/// Counts a wrong try of a coupon's secret; the count begins anew once `time` has passed since its first one. Without a coupon
/// the same is done to no row.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn count(
    connection: &mut PgConnection,
    request: Option<Uuid>,
    now: Timestamp,
    time: Duration,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO requests.coupon_try AS tried (request, wrong, since)
         SELECT id, 1, $2 FROM requests.request WHERE id = $1
         ON CONFLICT ON CONSTRAINT coupon_try_key DO UPDATE SET
             wrong = CASE WHEN tried.since <= $3 THEN 1 ELSE tried.wrong + 1 END,
             since = CASE WHEN tried.since <= $3 THEN $2 ELSE tried.since END",
        request,
        jiff_sqlx::Timestamp::from(now) as _,
        jiff_sqlx::Timestamp::from(now - time) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}
