//! Which editions there are to be: the periods of each collection in the years of the schedule.

use legalstat_kit::{due::schedule::YEARS, period::ReportingPeriod};

use super::{collection::Collection, edition::EditionKey};

/// The periods of all years of the schedule that the collections could have editions for, collection by collection.
pub fn candidates(collections: &[Collection]) -> impl Iterator<Item = (&Collection, EditionKey)> {
    collections.iter().flat_map(|collection| {
        let periods = YEARS.flat_map(|year| {
            let periods = collection.periodicity.periods().iter();
            periods.filter_map(move |(kind, number)| ReportingPeriod::new(year, *kind, *number).ok())
        });
        periods.map(move |period| {
            (
                collection,
                EditionKey {
                    collection: collection.id.clone(),
                    period,
                },
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::register;

    #[test]
    fn every_year_has_22_candidates_and_646_copies() {
        let register = register::appendix_1().expect("the register is readable");
        for year in YEARS {
            let of_year: Vec<_> = candidates(&register.collections)
                .filter(|(_, key)| key.period.year() == year)
                .collect();
            assert_eq!(of_year.len(), 22, "{year}");
            assert_eq!(
                of_year
                    .iter()
                    .map(|(collection, _)| collection.copies_total)
                    .sum::<i32>(),
                646,
                "{year}"
            );
        }
    }

    #[test]
    fn every_candidate_is_a_period_of_its_collection() {
        let register = register::appendix_1().expect("the register is readable");
        for (collection, key) in candidates(&register.collections) {
            assert_eq!(collection.require_period(key.period), Ok(()), "{key}");
        }
    }
}
