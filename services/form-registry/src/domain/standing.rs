//! Where an edition stands, and what may happen to it there: one table of transitions.

use legalstat_kit::door::word::Word;

use super::edition::Obstacle;

/// Where an edition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EditionState {
    /// Expected; nothing was uploaded.
    Scheduled,
    /// Its revision is in preparation, and none was placed before.
    Prepared,
    /// Its revision is sealed, and none was placed before.
    Sealed,
    /// Placed on at least one channel.
    Placed,
    /// Declared to have nothing to report.
    Nil,
    /// Taken back.
    Withdrawn,
}

impl Word for EditionState {
    const ALL: &'static [Self] = &[
        Self::Scheduled,
        Self::Prepared,
        Self::Placed,
        Self::Sealed,
        Self::Nil,
        Self::Withdrawn,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Prepared => "PREPARED",
            Self::Placed => "PLACED",
            Self::Sealed => "SEALED",
            Self::Nil => "NIL",
            Self::Withdrawn => "WITHDRAWN",
        }
    }
}

/// What lies ahead of the revision that the state speaks of, once there is one that was placed, declared nil or withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ahead {
    /// Nothing.
    Nothing,
    /// A correction in preparation.
    Open,
    /// A sealed correction that is not placed yet.
    Sealed,
}

/// The state with what lies ahead of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Standing {
    pub state: EditionState,
    pub ahead: Ahead,
}

/// What can happen to an edition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A file or figures of the revision in preparation come, change or go.
    Prepare,
    /// The revision in preparation is sealed.
    Seal,
    /// The last sealed revision is placed on a channel.
    Place,
    /// A correction is begun.
    Correct,
    /// It is taken back.
    Withdraw,
    /// It is declared that there is nothing to report.
    DeclareNil,
}

impl Standing {
    const fn of(state: EditionState) -> Self {
        Self {
            state,
            ahead: Ahead::Nothing,
        }
    }

    /// Where it stands after the event.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn after(self, event: Event) -> Result<Self, Obstacle> {
        use EditionState::{Nil, Placed, Prepared, Scheduled, Sealed, Withdrawn};
        let with = |ahead| Self { ahead, ..self };
        match (event, self.state, self.ahead) {
            (Event::Prepare, Scheduled | Prepared, _) => Ok(Self::of(Prepared)),
            (Event::Prepare, Placed | Nil | Withdrawn, Ahead::Open) => Ok(self),
            (Event::Prepare, _, _) => Err(Obstacle::Sealed),

            (Event::Seal, Prepared, _) => Ok(Self::of(Sealed)),
            (Event::Seal, Placed | Nil | Withdrawn, Ahead::Open) => Ok(with(Ahead::Sealed)),
            (Event::Seal, Scheduled, _) => Err(Obstacle::ContentMissing),
            (Event::Seal, _, _) => Err(Obstacle::Sealed),

            (Event::Place, Sealed, _) | (Event::Place, Placed | Nil | Withdrawn, Ahead::Sealed) => Ok(Self::of(Placed)),
            // On one more channel.
            (Event::Place, Placed, _) => Ok(self),
            (Event::Place, Scheduled, _) => Err(Obstacle::ContentMissing),
            (Event::Place, Prepared, _) => Err(Obstacle::NotSealed),
            (Event::Place, Nil, _) => Err(Obstacle::Nil),
            (Event::Place, Withdrawn, _) => Err(Obstacle::Withdrawn),

            (Event::Correct, Sealed, _) => Ok(Self::of(Prepared)),
            (Event::Correct, Placed | Nil | Withdrawn, Ahead::Nothing | Ahead::Sealed) => Ok(with(Ahead::Open)),
            (Event::Correct, Placed | Nil | Withdrawn, Ahead::Open) => Err(Obstacle::CorrectionBegun),
            (Event::Correct, Scheduled | Prepared, _) => Err(Obstacle::NothingSealed),

            (Event::Withdraw, Sealed, _) => Ok(Self::of(Withdrawn)),
            (Event::Withdraw, Placed | Nil, Ahead::Open) => Ok(Self {
                state: Withdrawn,
                ahead: Ahead::Open,
            }),
            (Event::Withdraw, Placed | Nil, _) | (Event::Withdraw, Withdrawn, Ahead::Sealed) => Ok(Self::of(Withdrawn)),
            (Event::Withdraw, Withdrawn, _) => Err(Obstacle::Withdrawn),
            (Event::Withdraw, Scheduled | Prepared, _) => Err(Obstacle::NothingSealed),

            (Event::DeclareNil, Scheduled | Prepared, _) => Ok(Self::of(Nil)),
            (Event::DeclareNil, Placed | Nil | Withdrawn, Ahead::Open) => Ok(Self::of(Nil)),
            (Event::DeclareNil, Nil, _) => Err(Obstacle::Nil),
            (Event::DeclareNil, _, _) => Err(Obstacle::Sealed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [Event; 6] = [
        Event::Prepare,
        Event::Seal,
        Event::Place,
        Event::Correct,
        Event::Withdraw,
        Event::DeclareNil,
    ];

    /// What each event makes of each standing: a state and, behind a plus, what lies ahead; `-` where it is refused.
    const TABLE: &str = "\
        from              PREPARE           SEAL              PLACE   CORRECT           WITHDRAW        DECLARE_NIL
        SCHEDULED         PREPARED          -                 -       -                 -               NIL
        PREPARED          PREPARED          SEALED            -       -                 -               NIL
        SEALED            -                 -                 PLACED  PREPARED          WITHDRAWN       -
        PLACED            -                 -                 PLACED  PLACED+open       WITHDRAWN       -
        PLACED+open       PLACED+open       PLACED+sealed     PLACED+open  -            WITHDRAWN+open  NIL
        PLACED+sealed     -                 -                 PLACED  PLACED+open       WITHDRAWN       -
        NIL               -                 -                 -       NIL+open          WITHDRAWN       -
        NIL+open          NIL+open          NIL+sealed        -       -                 WITHDRAWN+open  NIL
        NIL+sealed        -                 -                 PLACED  NIL+open          WITHDRAWN       -
        WITHDRAWN         -                 -                 -       WITHDRAWN+open    -               -
        WITHDRAWN+open    WITHDRAWN+open    WITHDRAWN+sealed  -       -                 -               NIL
        WITHDRAWN+sealed  -                 -                 PLACED  WITHDRAWN+open    WITHDRAWN       -";

    fn read(text: &str) -> Standing {
        let (state, ahead) = text.split_once('+').unwrap_or((text, ""));
        let ahead = match ahead {
            "open" => Ahead::Open,
            "sealed" => Ahead::Sealed,
            _ => Ahead::Nothing,
        };
        let state = EditionState::read(state).expect("a state");
        Standing { state, ahead }
    }

    fn rows() -> Vec<Vec<&'static str>> {
        TABLE
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().collect())
            .collect()
    }

    #[test]
    fn every_event_makes_of_every_standing_what_the_table_says() {
        for row in rows() {
            for (event, expected) in EVENTS.into_iter().zip(&row[1..]) {
                let expected = (*expected != "-").then(|| read(expected));
                assert_eq!(read(row[0]).after(event).ok(), expected, "{} {event:?}", row[0]);
            }
        }
    }

    #[test]
    fn no_way_leads_to_a_standing_that_the_table_does_not_know() {
        let known: Vec<Standing> = rows().iter().map(|row| read(row[0])).collect();
        let mut ahead = vec![read("SCHEDULED")];
        let mut reached = ahead.clone();
        while let Some(standing) = ahead.pop() {
            for next in EVENTS.into_iter().filter_map(|event| standing.after(event).ok()) {
                assert!(known.contains(&next), "{standing:?} {next:?}");
                if !reached.contains(&next) {
                    reached.push(next);
                    ahead.push(next);
                }
            }
        }
        assert_eq!(reached.len(), known.len(), "every row of the table is reached");
    }

    #[test]
    fn from_every_standing_a_way_leads_to_a_placement() {
        for row in rows() {
            let (mut ahead, mut reached) = (vec![read(row[0])], vec![read(row[0])]);
            while let Some(standing) = ahead.pop() {
                for next in EVENTS.into_iter().filter_map(|event| standing.after(event).ok()) {
                    if !reached.contains(&next) {
                        reached.push(next);
                        ahead.push(next);
                    }
                }
            }
            assert!(reached.contains(&read("PLACED")), "{}", row[0]);
        }
    }
}
