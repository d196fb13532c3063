//! The numbers of registrations within a year.

use sqlx::PgConnection;

use crate::domain::{examination::Examination, registration::registration_number};

/// Takes the next registration number of the year in which a request counts as registered; none for one that is not. The
/// year's row stays locked until the transaction ends, so that a number that is rolled back is given again and the numbers
/// have no gaps.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
pub async fn take_number(
    connection: &mut PgConnection,
    examination: &Examination,
) -> Result<Option<String>, sqlx::Error> {
    let Some(deadline) = &examination.deadline else {
        return Ok(None);
    };
    let year = deadline.registered_on.year();
    let number = sqlx::query_scalar!(
        "INSERT INTO requests.registration_counter AS counter (year, last) VALUES ($1, 1)
         ON CONFLICT ON CONSTRAINT registration_counter_key DO UPDATE SET last = counter.last + 1
         RETURNING last",
        i32::from(year),
    )
    .fetch_one(connection)
    .await?;
    Ok(Some(registration_number(year, number)))
}
