//! Which figures a caller is served: of each period one revision, the latest that the view of its edition shows or the one named.

use super::{key::EditionKey, visibility::View};

/// Where a revision stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub sealed: bool,
    /// Placed and out.
    pub placed: bool,
    /// Declared to have nothing to report.
    pub nil: bool,
    /// Taken back, itself or by a later one.
    pub withdrawn: bool,
    /// Found to hold restricted information when it was sealed.
    pub restricted: bool,
    /// A later revision counts, which was placed or declared nil and need not have figures.
    pub superseded: bool,
}

impl Standing {
    /// Whether it is open to everyone: placed, or declared nil, which nobody places.
    pub fn is_open(self) -> bool {
        self.sealed && (self.placed || self.nil) && !self.withdrawn
    }

    /// Whether its figures are served in a view of its edition.
    pub fn is_served(self, view: View) -> bool {
        match view {
            View::Everything => true,
            View::Open => self.is_open(),
            View::Sealed | View::Early => self.sealed && !self.withdrawn && !self.restricted,
            View::Dates => false,
        }
    }
}

/// Figures that a revision holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Their number.
    pub set: i32,
    pub key: EditionKey,
    pub revision: i32,
    pub sha256: Vec<u8>,
    pub standing: Standing,
}

/// Of each period the latest revision that is served, or the one named, in the order of the periods. None of a period whose
/// effective revision is a later one without figures.
pub fn served(held: Vec<Held>, named: Option<i32>, mut view: impl FnMut(EditionKey) -> View) -> Vec<Held> {
    let mut served: Vec<Held> = Vec::new();
    for candidate in held {
        let wanted = named.map_or(!candidate.standing.superseded, |number| number == candidate.revision);
        if !candidate.standing.is_served(view(candidate.key)) || !wanted {
            continue;
        }
        match served.last_mut() {
            Some(last) if last.key == candidate.key => *last = candidate,
            _ => served.push(candidate),
        }
    }
    served
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(name: &str, revision: i32, standing: Standing) -> Held {
        Held {
            set: revision,
            key: name.parse().expect("a name"),
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

    fn revisions(view: View, named: Option<i32>, standings: &[Standing]) -> Vec<i32> {
        let held = (1..)
            .zip(standings)
            .map(|(number, standing)| held("forms/1/editions/2026-M01", number, *standing));
        served(held.collect(), named, |_| view)
            .iter()
            .map(|held| held.revision)
            .collect()
    }

    #[test]
    fn the_open_view_serves_the_latest_placed_revision_or_a_placed_one_that_is_named() {
        let prepared = Standing::default();
        let of = |named, standings: &[Standing]| revisions(View::Open, named, standings);
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
        assert_eq!(revisions(View::Everything, None, &[open(), prepared]), [2]);
    }

    #[test]
    fn what_is_sealed_and_unrestricted_is_served_to_early_readers_and_for_answers_and_under_an_embargo_nothing_else() {
        let sealed = Standing {
            placed: false,
            ..open()
        };
        for (standing, early) in [
            (open(), 1),
            (sealed, 1),
            (Standing::default(), 0),
            (
                Standing {
                    restricted: true,
                    ..sealed
                },
                0,
            ),
        ] {
            assert_eq!(revisions(View::Dates, None, &[standing]).len(), 0, "{standing:?}");
            for view in [View::Early, View::Sealed] {
                assert_eq!(revisions(view, None, &[standing]).len(), early, "{view:?} {standing:?}");
            }
        }
    }

    #[test]
    fn figures_of_a_revision_before_the_effective_one_are_served_only_when_it_is_named() {
        let superseded = Standing {
            superseded: true,
            ..open()
        };
        for view in [View::Open, View::Early, View::Everything] {
            assert_eq!(revisions(view, None, &[superseded]), [0; 0]);
            assert_eq!(revisions(view, Some(1), &[superseded]), [1]);
        }
    }

    #[test]
    fn each_period_has_its_own_revision() {
        let [january, february] = ["forms/1/editions/2026-M01", "forms/1/editions/2026-M02"];
        let all = vec![
            held(january, 1, open()),
            held(january, 2, open()),
            held(february, 1, open()),
        ];
        let served = served(all, None, |_| View::Open);
        let told: Vec<_> = served
            .iter()
            .map(|held| (held.key.to_string(), held.revision))
            .collect();
        assert_eq!(told, [(january.into(), 2), (february.into(), 1)]);
    }
}
