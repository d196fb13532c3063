//! Which figures a caller is served: of each period one revision, the latest that may be read or the one named.

use jiff::Timestamp;
use legalstat_kit::{Caller, call::caller::Role, period::ReportingPeriod};

/// Where a revision stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub sealed: bool,
    /// Placed and out.
    pub placed: bool,
    /// Taken back, itself or by a later one.
    pub withdrawn: bool,
    /// Until when nothing of its edition is shown.
    pub embargo: Option<Timestamp>,
}

/// Figures that a revision holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Their number.
    pub set: i32,
    pub form: i32,
    pub period: ReportingPeriod,
    pub revision: i32,
    pub sha256: Vec<u8>,
    pub standing: Standing,
}

/// For whom figures are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Who prepares editions: an operator or approver.
    Preparer,
    /// Another official, for whom an embargo holds too.
    Official,
    /// Everyone else.
    Public,
}

impl Reader {
    pub fn of(caller: &Caller) -> Self {
        if caller.has(Role::Operator) || caller.has(Role::Approver) {
            Self::Preparer
        } else if caller.is_official() {
            Self::Official
        } else {
            Self::Public
        }
    }

    /// Whether indicators of restricted access are shown.
    pub fn sees_restricted(self) -> bool {
        self != Self::Public
    }

    /// Whether a revision is served.
    pub fn is_served(self, standing: Standing, now: Timestamp) -> bool {
        let embargoed = standing.embargo.is_some_and(|until| now < until);
        match self {
            Self::Preparer => true,
            Self::Official => !embargoed,
            Self::Public => standing.sealed && standing.placed && !standing.withdrawn && !embargoed,
        }
    }
}

/// Of each period the latest revision that is served, or the one named, in the order of the periods.
pub fn served(held: Vec<Held>, reader: Reader, named: Option<i32>, now: Timestamp) -> Vec<Held> {
    let mut served: Vec<Held> = Vec::new();
    for candidate in held {
        let wanted = named.is_none_or(|number| number == candidate.revision);
        if !wanted || !reader.is_served(candidate.standing, now) {
            continue;
        }
        match served.last_mut() {
            Some(last) if last.period == candidate.period => *last = candidate,
            _ => served.push(candidate),
        }
    }
    served
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn held(period: &str, revision: i32, standing: Standing) -> Held {
        Held {
            set: revision,
            form: 1,
            period: period.parse().expect("a period"),
            revision,
            sha256: Vec::new(),
            standing,
        }
    }

    fn open() -> Standing {
        Standing {
            sealed: true,
            placed: true,
            ..Standing::default()
        }
    }

    fn revisions(reader: Reader, named: Option<i32>, standings: &[Standing]) -> Vec<i32> {
        let held = (1..)
            .zip(standings)
            .map(|(number, standing)| held("2026-M01", number, *standing));
        served(held.collect(), reader, named, NOW)
            .iter()
            .map(|held| held.revision)
            .collect()
    }

    #[test]
    fn the_public_is_served_the_latest_placed_revision_or_a_placed_one_that_it_names() {
        let prepared = Standing::default();
        let of = |named, standings: &[Standing]| revisions(Reader::Public, named, standings);
        assert_eq!(of(None, &[open(), open(), prepared]), [2]);
        assert_eq!(of(Some(1), &[open(), open()]), [1]);
        assert_eq!(of(Some(3), &[open(), open(), prepared]), [0; 0]);
        assert_eq!(
            of(
                None,
                &[Standing {
                    placed: false,
                    ..open()
                }]
            ),
            [0; 0],
            "sealed is not placed"
        );
        assert_eq!(
            of(
                None,
                &[
                    Standing {
                        withdrawn: true,
                        ..open()
                    },
                    open()
                ]
            ),
            [2]
        );
        assert_eq!(
            of(
                None,
                &[Standing {
                    withdrawn: true,
                    ..open()
                }]
            ),
            [0; 0]
        );
        assert_eq!(revisions(Reader::Preparer, None, &[open(), prepared]), [2]);
    }

    #[test]
    fn an_embargo_holds_until_its_instant_for_all_but_who_prepares() {
        let until = |until: &str| Standing {
            embargo: Some(until.parse().expect("an instant")),
            ..open()
        };
        for (reader, before, at) in [
            (Reader::Public, 0, 1),
            (Reader::Official, 0, 1),
            (Reader::Preparer, 1, 1),
        ] {
            let served = |standing| revisions(reader, None, &[standing]).len();
            assert_eq!(served(until("1970-01-01T00:00:01Z")), before, "{reader:?}");
            assert_eq!(served(until("1970-01-01T00:00:00Z")), at, "{reader:?}");
        }
    }

    #[test]
    fn each_period_has_its_own_revision() {
        let all = vec![
            held("2026-M01", 1, open()),
            held("2026-M01", 2, open()),
            held("2026-M02", 1, open()),
        ];
        let served = served(all, Reader::Public, None, NOW);
        let told: Vec<_> = served
            .iter()
            .map(|held| (held.period.to_string(), held.revision))
            .collect();
        assert_eq!(told, [("2026-M01".into(), 2), ("2026-M02".into(), 1)]);
    }
}
