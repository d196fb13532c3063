//! Until when nothing of an edition is shown.

use jiff::Timestamp;
use legalstat_kit::law::LegalBasis;

/// Who may read an edition before its embargo ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The name in the certificate.
    pub caller: String,
    pub legal_basis: LegalBasis,
}

/// An embargo that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embargo {
    /// The instant from which on the edition is shown as any other.
    pub until: Timestamp,
    pub reason: String,
    pub readers: Vec<Reader>,
}

impl Embargo {
    /// Whether it holds at an instant.
    pub fn holds(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// Whether it says what another one says, in whatever order the readers are named: none is named twice.
    pub fn says(&self, other: &Self) -> bool {
        let same_readers = self.readers.len() == other.readers.len()
            && self.readers.iter().all(|reader| other.readers.contains(reader));
        self.until == other.until && self.reason == other.reason && same_readers
    }

    /// Whether this caller is among its readers.
    pub fn names(&self, caller: &str) -> bool {
        self.readers.iter().any(|reader| reader.caller == caller)
    }
}

/// What is wrong with the instant of an embargo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongInstant {
    #[error("the instant has passed: an embargo ends in the future")]
    Passed,
    #[error("the embargo must end before the due date does, or the edition would be late")]
    MakesLate,
}

/// Checks the end of an embargo against now and the due date. What is overdue already may have any.
///
/// # Errors
/// What is wrong with it.
pub fn check(until: Timestamp, now: Timestamp, due_time: Timestamp) -> Result<(), WrongInstant> {
    if until <= now {
        Err(WrongInstant::Passed)
    } else if now < due_time && until >= due_time {
        Err(WrongInstant::MakesLate)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_embargo_ends_ahead_and_before_the_due_date_unless_that_is_over() {
        let at = |second| Timestamp::from_second(second).expect("an instant");
        let due = at(100);
        for (until, now, expected) in [
            (10, 10, Err(WrongInstant::Passed)),
            (9, 10, Err(WrongInstant::Passed)),
            (11, 10, Ok(())),
            (99, 10, Ok(())),
            (100, 10, Err(WrongInstant::MakesLate)),
            (101, 99, Err(WrongInstant::MakesLate)),
            (101, 100, Ok(())),
        ] {
            assert_eq!(check(at(until), at(now), due), expected, "{until} {now}");
        }
    }

    #[test]
    fn it_holds_up_to_its_instant_and_names_its_readers_alone() {
        let until = Timestamp::from_second(100).expect("an instant");
        let reader = Reader {
            caller: "supreme-court".into(),
            legal_basis: LegalBasis::instruction("para 16"),
        };
        let embargo = Embargo {
            until,
            reason: "a press conference".into(),
            readers: vec![reader],
        };
        assert!(embargo.holds(until - jiff::SignedDuration::from_micros(1)) && !embargo.holds(until));
        assert!(embargo.names("supreme-court") && !embargo.names("supreme") && !embargo.names(""));
    }

    #[test]
    fn one_says_what_another_says_whatever_the_order_of_its_readers() {
        let reader = |caller: &str, provision| Reader {
            caller: caller.into(),
            legal_basis: LegalBasis::instruction(provision),
        };
        let embargo = |until, reason: &str, readers: &[Reader]| Embargo {
            until: Timestamp::from_second(until).expect("an instant"),
            reason: reason.into(),
            readers: readers.to_vec(),
        };
        let (court, senate) = (reader("supreme-court", "para 16"), reader("senate", "para 16"));
        let both = [court.clone(), senate.clone()];
        let stands = embargo(100, "a press conference", &both);
        assert!(stands.says(&embargo(100, "a press conference", &[senate.clone(), court.clone()])));
        for other in [
            embargo(101, "a press conference", &both),
            embargo(100, "a conference", &both),
            embargo(100, "a press conference", &both[..1]),
            embargo(
                100,
                "a press conference",
                &[court, senate.clone(), reader("edms", "para 16")],
            ),
            embargo(100, "a press conference", &[reader("supreme-court", "para 17"), senate]),
        ] {
            assert!(!stands.says(&other) && !other.says(&stands), "{other:?}");
        }
    }
}
