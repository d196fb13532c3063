//! The numbers of registrations within a year.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::earlier::{self, Found, Sought};
use crate::domain::registration::registration_number;

/// Takes the next registration number for each of the years, which are those in which requests count as registered. The
/// counters stay locked until the transaction ends, so that a number that is rolled back is given again and the numbers have
/// no gaps.
pub async fn take_numbers(connection: &mut PgConnection, years: &[i16]) -> Result<Vec<String>, sqlx::Error> {
    Ok(take_numbers_and_find(connection, years, &Sought::default()).await?.0)
}

/// The same, and looks for earlier requests on the way: in one round trip, unless registrations fall into several years.
pub async fn take_numbers_and_find(
    connection: &mut PgConnection,
    years: &[i16],
    sought: &Sought<'_>,
) -> Result<(Vec<String>, Found), sqlx::Error> {
    let mut counts: BTreeMap<i16, i32> = BTreeMap::new();
    for year in years {
        *counts.entry(*year).or_default() += 1;
    }
    // By year: of two transactions that lock several counters, neither waits for the other in a circle.
    let mut next: BTreeMap<i16, i32> = BTreeMap::new();
    let mut found = None;
    for (year, count) in counts {
        let nothing = Sought::default();
        let looked_for = if found.is_none() { sought } else { &nothing };
        let (before, last) = earlier::find_and_count(connection, looked_for, Some((year, count))).await?;
        found.get_or_insert(before);
        next.insert(year, last.ok_or(sqlx::Error::RowNotFound)? - count + 1);
    }
    let found = match found {
        Some(found) => found,
        None if sought.is_empty() => Found::default(),
        None => earlier::find(connection, sought).await?,
    };
    let numbers = years.iter().map(|year| {
        let next = next.entry(*year).or_default();
        let number = registration_number(*year, *next);
        *next += 1;
        number
    });
    Ok((numbers.collect(), found))
}
