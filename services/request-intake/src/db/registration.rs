//! The numbers of registrations within a year.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use crate::domain::registration::registration_number;

/// Takes the next registration number for each of the years, which are those in which requests count as registered. The
/// counters stay locked until the transaction ends, so that a number that is rolled back is given again and the numbers have
/// no gaps.
pub async fn take_numbers(connection: &mut PgConnection, years: &[i16]) -> Result<Vec<String>, sqlx::Error> {
    let mut counts: BTreeMap<i16, i32> = BTreeMap::new();
    for year in years {
        *counts.entry(*year).or_default() += 1;
    }
    // By year: of two transactions that lock several counters, neither waits for the other in a circle.
    let mut next: BTreeMap<i16, i32> = BTreeMap::new();
    for (year, count) in counts {
        next.insert(year, take(connection, year, count).await? - count + 1);
    }
    let numbers = years.iter().map(|year| {
        let next = next.entry(*year).or_default();
        let number = registration_number(*year, *next);
        *next += 1;
        number
    });
    Ok(numbers.collect())
}

/// The last of the numbers taken.
#[tracing::instrument(skip_all, fields(db.system.name = "postgresql"))]
async fn take(connection: &mut PgConnection, year: i16, count: i32) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar!(
        "INSERT INTO requests.registration_counter AS counter (year, last) VALUES ($1, $2)
         ON CONFLICT ON CONSTRAINT registration_counter_key DO UPDATE SET last = counter.last + $2
         RETURNING last",
        i32::from(year),
        count,
    )
    .fetch_one(connection)
    .await
}
