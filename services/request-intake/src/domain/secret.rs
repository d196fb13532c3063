//! The secret of a coupon: what its holder shows to learn where the request stands.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::registration::ALPHABET;

/// How many characters a secret has, of five bits each.
const CHARACTERS: usize = 20;
/// How many stand together.
const GROUP: usize = 5;
/// How long the kept digest is.
pub const DIGEST: usize = 16;

/// A secret. It does not show itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// The secret of the first hundred of these bits.
    pub fn of(bits: &[u8; 32]) -> Self {
        let bit = |place: usize| usize::from(bits[place / 8] >> (7 - place % 8) & 1);
        let character = |place: usize| {
            let five = (0..5).fold(0, |five, next| five << 1 | bit(place * 5 + next));
            ALPHABET[five]
        };
        Self((0..CHARACTERS).map(character).collect())
    }

    /// As its holder writes it, `7K3M9-QZ04T-V2HXB-0R1SD`.
    pub fn written(&self) -> String {
        let characters: Vec<char> = self.0.chars().collect();
        let groups = characters.chunks(GROUP).map(|group| group.iter().collect::<String>());
        groups.collect::<Vec<_>>().join("-")
    }

    /// What is kept of it, beside its coupon.
    pub fn digest(&self, coupon_number: &str) -> [u8; DIGEST] {
        digest(coupon_number, &self.0)
    }
}

/// Whether what somebody wrote, in lower case and without spaces and dashes, is the secret of which this digest is kept. How long that takes
/// does not depend on how much of it is right.
pub fn matches(written: &str, coupon_number: &str, kept: &[u8]) -> bool {
    let read = written.chars().map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        c => c,
    });
    let given = digest(coupon_number, &read.collect::<String>());
    let differs = given
        .iter()
        .zip(kept)
        .fold(0, |differs, (one, other)| differs | (one ^ other));
    kept.len() == DIGEST && differs == 0
}

fn digest(coupon_number: &str, secret: &str) -> [u8; DIGEST] {
    let whole: [u8; 32] = Sha256::digest(format!("{coupon_number} {secret}")).into();
    let mut kept = [0; DIGEST];
    kept.copy_from_slice(&whole[..DIGEST]);
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NUMBER: &str = "20260302-7K3M9QZ0";

    /// As PostgreSQL's `folded` leaves it.
    fn folded(secret: &Secret) -> String {
        secret.written().replace('-', "").to_lowercase()
    }

    #[test]
    fn a_secret_writes_its_bits_from_the_highest_in_groups() {
        let mut bits = [0; 32];
        assert_eq!(Secret::of(&bits).written(), "00000-00000-00000-00000");
        bits[0] = 0b0000_1000;
        bits[12] = 0b0001_1111;
        assert_eq!(Secret::of(&bits).written(), "10000-00000-00000-00001");
        // The last 156 bits are not its.
        assert_eq!(Secret::of(&[255; 32]).written(), "ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ");
    }

    #[test]
    fn letters_that_are_misread_are_read_as_the_digits_that_they_look_like() {
        let mut bits = [0; 32];
        bits[0] = 0b0000_1000;
        let secret = Secret::of(&bits);
        for written in ["10000000000000000000", "l000000000000000000o", "Iooooooooooooooooooo"] {
            assert!(matches(written, NUMBER, &secret.digest(NUMBER)), "{written}");
        }
    }

    proptest! {
        #[test]
        fn a_secret_matches_its_own_coupon_and_no_other(one: [u8; 32], other: [u8; 32]) {
            let (secret, kept) = (Secret::of(&one), Secret::of(&one).digest(NUMBER));
            prop_assert!(matches(&folded(&secret), NUMBER, &kept));
            prop_assert!(!matches(&folded(&secret), "20260302-7K3M9QZ1", &kept));
            prop_assert_eq!(matches(&folded(&Secret::of(&other)), NUMBER, &kept), one[..12] == other[..12] && one[12] >> 4 == other[12] >> 4);
            prop_assert!(!matches(&folded(&secret)[1..], NUMBER, &kept));
            prop_assert!(!matches(&folded(&secret), NUMBER, &kept[..15]));
            let shown = format!("{secret:?}");
            prop_assert!(!shown.contains(&secret.written()[..5]));
        }

        #[test]
        fn no_text_panics(text in ".*", kept in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(!matches(&text, NUMBER, &kept));
        }
    }
}
