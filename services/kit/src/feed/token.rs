//! Where a watcher stands, and the token that says it to callers.

use jiff::Timestamp;

use crate::door::wire;

/// An event by its number, and by what it was: a database that was put back to an earlier state may give the number to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) number: i64,
    pub(super) check: [u8; 8],
}

/// How many bytes of a token name its feed.
const FEED: usize = 4;

impl Position {
    /// Before the first event.
    pub(super) const BEGINNING: Self = Self {
        number: 0,
        check: [0; 8],
    };

    /// Behind an event.
    pub(super) fn behind(number: i64, kind: &str, resource: &str, at: Timestamp) -> Self {
        let what = format!("{number}\u{1f}{kind}\u{1f}{resource}\u{1f}{}", at.as_microsecond());
        Self {
            number,
            check: beginning(what.as_bytes()),
        }
    }

    /// The token of this position in a feed.
    pub(super) fn token(self, feed: &str) -> String {
        let of_feed: [u8; FEED] = beginning(feed.as_bytes());
        hex::encode([&of_feed[..], &self.number.to_be_bytes(), &self.check].concat())
    }

    /// Reads a token of a feed; `None` when it is none, or of another feed.
    pub(super) fn read(feed: &str, token: &str) -> Option<Self> {
        let bytes: [u8; FEED + 16] = hex::decode(token).ok()?.try_into().ok()?;
        let rest = bytes.strip_prefix(&beginning::<FEED>(feed.as_bytes()))?;
        let (number, check) = rest.split_at(8);
        let number = i64::from_be_bytes(number.try_into().ok()?);
        let position = Self {
            number,
            check: check.try_into().ok()?,
        };
        (number > 0 || position == Self::BEGINNING).then_some(position)
    }
}

fn beginning<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut short = [0; N];
    short.copy_from_slice(&wire::sha256(bytes)[..N]);
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_is_read_by_its_own_feed_only(number in 1..i64::MAX, at in 0..i64::from(u32::MAX)) {
            let at = Timestamp::from_microsecond(at).expect("an instant");
            let position = Position::behind(number, "edition.placed", "forms/1", at);
            let token = position.token("forms");
            prop_assert_eq!(Position::read("forms", &token), Some(position));
            prop_assert_eq!(Position::read("requests", &token), None);
        }

        #[test]
        fn what_is_no_token_is_not_read(text in "[0-9a-f]{0,48}|.{0,48}") {
            prop_assert_eq!(Position::read("forms", &text), None);
        }
    }

    #[test]
    fn the_beginning_has_a_token_and_no_other_position_without_an_event_has() {
        let token = Position::BEGINNING.token("forms");
        assert_eq!(Position::read("forms", &token), Some(Position::BEGINNING));
        for number in [0, -1] {
            let forged = Position { number, check: [1; 8] };
            assert_eq!(Position::read("forms", &forged.token("forms")), None, "{number}");
        }
    }

    #[test]
    fn two_events_of_one_number_are_told_apart() {
        let of = |resource| Position::behind(7, "edition.placed", resource, Timestamp::UNIX_EPOCH);
        assert_ne!(of("forms/1"), of("forms/2"));
    }
}
