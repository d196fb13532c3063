//! The numbers that a requester holds: the coupon's (Code 350-VI, art. 64) and the registration's.

use jiff::civil::Date;

/// Crockford's alphabet: no I, L, O or U, which are misread.
pub(super) const ALPHABET: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'M', 'N', 'P',
    'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];

/// A coupon number: the day of acceptance and eight characters from 40 bits of `random`, for example
/// `20260302-7K3M9QZ0`.
pub fn coupon_number(accepted_on: Date, random: u64) -> String {
    let characters: String = (0..8)
        .map(|place| ALPHABET[((random >> (place * 5)) & 31) as usize])
        .collect();
    format!("{}-{characters}", accepted_on.strftime("%Y%m%d"))
}

/// A registration number: the year and the number within it, at least six digits wide, for example `2026-000042`.
pub fn registration_number(year: i16, number: i32) -> String {
    format!("{year}-{number:06}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_registration_number_is_six_digits_wide_and_grows_when_they_run_out() {
        assert_eq!(registration_number(2026, 42), "2026-000042");
        assert_eq!(registration_number(2026, 1_000_000), "2026-1000000");
    }

    #[test]
    fn a_coupon_number_writes_forty_bits_from_the_lowest_in_the_alphabet_that_is_not_misread() {
        let groups = [7, 19, 3, 20, 9, 23, 31, 0_u64];
        let random = groups.iter().rev().fold(0, |bits, group| bits << 5 | group);
        let day = jiff::civil::date(2026, 3, 2);
        assert_eq!(coupon_number(day, random), "20260302-7K3M9QZ0");
        assert_eq!(coupon_number(day, random | 1 << 40), "20260302-7K3M9QZ0");
    }

    proptest! {
        #[test]
        fn coupons_differ_when_their_forty_bits_do(one in 0_u64..1 << 40, other in 0_u64..1 << 40) {
            let day = jiff::civil::date(2026, 3, 2);
            let (first, second) = (coupon_number(day, one), coupon_number(day, other));
            prop_assert_eq!(first.len(), 17);
            prop_assert!(first.starts_with("20260302-"));
            prop_assert_eq!(first == second, one == other);
        }
    }
}
