//! What an event tells of a request besides its kind, as the outbox keeps it: `REGISTERED 2026-03-20 aliya`, with ` NOT_VALID` behind it
//! when it brought a bad signature. What the event leaves as it was is `-`, or left out at the end. Who hears of the event later is told this and not what became of the request since.

use std::{fmt, str::FromStr};

use jiff::civil::Date;
use legalstat_kit::door::word::Word;

use super::request::State;

/// What an event tells of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Where it stands after the event.
    pub state: Option<State>,
    /// The due date after the event.
    pub due_date: Option<Date>,
    /// Who has it after the event; names of certificates hold no blanks.
    pub executor: Option<String>,
    /// Whether a signature that it brought is not valid.
    pub bad_signature: bool,
}

/// The word for [`Told::bad_signature`].
const NOT_VALID: &str = "NOT_VALID";

impl Told {
    /// Of a request that stands somewhere, with its due date.
    pub const fn of(state: State, due_date: Option<Date>) -> Self {
        Self {
            state: Some(state),
            due_date,
            executor: None,
            bad_signature: false,
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = [
            self.state.map(|state| state.word().to_owned()),
            self.due_date.map(|day| day.to_string()),
            self.executor.clone(),
            self.bad_signature.then(|| NOT_VALID.to_owned()),
        ]
        .to_vec();
        while parts.len() > 1 && parts.last() == Some(&None) {
            parts.pop();
        }
        let parts: Vec<&str> = parts.iter().map(|part| part.as_deref().unwrap_or("-")).collect();
        f.write_str(&parts.join(" "))
    }
}

/// What was told in another notation, by a later release say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl FromStr for Told {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let mut parts = text.split(' ').map(|part| Some(part).filter(|part| *part != "-"));
        let state = parts.next().flatten();
        let read = |word: &str| State::ALL.iter().copied().find(|state| state.word() == word);
        let told = Self {
            state: state.map(|word| read(word).ok_or(Unreadable)).transpose()?,
            due_date: match parts.next().flatten() {
                None => None,
                Some(day) => Some(day.parse().map_err(|_| Unreadable)?),
            },
            executor: parts.next().flatten().map(str::to_owned),
            bad_signature: match parts.next().flatten() {
                None => false,
                Some(NOT_VALID) => true,
                Some(_) => return Err(Unreadable),
            },
        };
        match parts.next() {
            None => Ok(told),
            Some(_) => Err(Unreadable),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_told_is_read_again(
            state in proptest::option::of(proptest::sample::select(State::ALL)),
            day in proptest::option::of(1_i8..28),
            executor in proptest::option::of("[a-z_.]{1,20}"),
            bad_signature: bool,
        ) {
            let told = Told { state, due_date: day.map(|day| date(2026, 3, day)), executor, bad_signature };
            prop_assert_eq!(told.to_string().parse(), Ok(told));
        }

        #[test]
        fn another_notation_is_not_read_as_this_one(text in "[A-Z]{1,9} x.*|.* .* .* .*") {
            prop_assert_eq!(text.parse::<Told>(), Err(Unreadable));
        }
    }

    #[test]
    fn an_ordinary_request_is_told_in_few_bytes() {
        assert_eq!(
            Told::of(State::Registered, Some(date(2026, 3, 20))).to_string(),
            "REGISTERED 2026-03-20"
        );
        assert_eq!(Told::of(State::Received, None).to_string(), "RECEIVED");
    }
}
