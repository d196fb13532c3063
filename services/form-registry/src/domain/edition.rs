//! An edition: one period's issue of a form, from its due date to its placement.

use jiff::Timestamp;
use legalstat_kit::{
    call::Done,
    door::word::Word,
    due::{DueDate, Punctuality, scheduled::Place},
    files::Content,
    law::LegalBasis,
    zone,
};

use super::key::EditionKey;

/// Where an edition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditionState {
    /// Expected; nothing was uploaded.
    Scheduled,
    /// A file is uploaded and can still be replaced.
    Prepared,
    /// Placed on at least one channel.
    Placed,
}

impl Word for EditionState {
    const ALL: &'static [Self] = &[Self::Scheduled, Self::Prepared, Self::Placed];

    fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Prepared => "PREPARED",
            Self::Placed => "PLACED",
        }
    }
}

/// Where an edition is placed (Instruction, para 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The Administrator's information service.
    InformationService,
    /// The official website.
    OfficialWebsite,
    /// The open data portal.
    OpenDataPortal,
}

impl Word for Channel {
    const ALL: &'static [Self] = &[Self::InformationService, Self::OfficialWebsite, Self::OpenDataPortal];

    fn word(self) -> &'static str {
        match self {
            Self::InformationService => "INFORMATION_SERVICE",
            Self::OfficialWebsite => "OFFICIAL_WEBSITE",
            Self::OpenDataPortal => "OPEN_DATA_PORTAL",
        }
    }
}

impl Channel {
    /// The law that orders placing there.
    pub fn legal_basis(self) -> LegalBasis {
        LegalBasis::instruction(match self {
            Self::InformationService => "para 14 and Appendix 2",
            Self::OfficialWebsite => "para 17",
            Self::OpenDataPortal => "para 9",
        })
    }
}

/// One placement of an edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub channel: Channel,
    pub placed: Done,
    /// On time or late.
    pub punctuality: Punctuality,
}

/// An edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    pub key: EditionKey,
    pub state: EditionState,
    pub due: DueDate,
    /// Whether it was due before the installation answers, or was placed afterwards: then nobody says here whether in time.
    pub is_not_kept: bool,
    /// The file that counts now.
    pub file: Option<Content>,
    /// Its placements, the first one first.
    pub placements: Vec<Placement>,
}

/// What keeps an edition from being uploaded, placed or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is placed, so its file stays as it is.
    AlreadyPlaced,
    /// Its reporting period has not ended.
    PeriodNotEnded,
    /// It has no file.
    ContentMissing,
    /// It is not placed, so its file is not open to everyone.
    NotPlaced,
    /// Its form is not on the approved list of open data.
    NotOnOpenDataList,
}

impl Edition {
    /// How it stands to its due date on the information service at an instant.
    pub fn punctuality(&self, now: Timestamp) -> Punctuality {
        if self.is_not_kept {
            return Punctuality::NotKept;
        }
        self.placement(Channel::InformationService).map_or_else(
            || Punctuality::of_open(now, self.due.time),
            |placement| placement.punctuality,
        )
    }

    /// How many civil days after its due date it was placed on the information service, or is overdue by now; else 0.
    pub fn days_late(&self, now: Timestamp) -> i32 {
        let placed = self.placement(Channel::InformationService);
        match self.punctuality(now) {
            Punctuality::Late => self.due.days_late(placed.map_or(now, |placement| placement.placed.at)),
            Punctuality::Overdue => self.due.days_late(now),
            Punctuality::OnTime | Punctuality::NotDue | Punctuality::NotKept => 0,
        }
    }

    /// Whether something of it was recorded although it was due before the installation answers.
    pub fn is_recorded_afterwards(&self) -> bool {
        self.is_not_kept && self.state != EditionState::Scheduled
    }

    /// Its placement on a channel.
    pub fn placement(&self, channel: Channel) -> Option<&Placement> {
        self.placements.iter().find(|placement| placement.channel == channel)
    }

    /// Whether a file may be uploaded: the period has ended and nothing is placed.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn accepts_file(&self, now: Timestamp) -> Result<(), Obstacle> {
        self.period_ended(now)?;
        if self.state == EditionState::Placed {
            Err(Obstacle::AlreadyPlaced)
        } else {
            Ok(())
        }
    }

    /// The edition with this file in place of any it had.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn prepare(mut self, file: Content) -> Result<Self, Obstacle> {
        self.accepts_file(file.uploaded.at)?;
        self.state = EditionState::Prepared;
        self.file = Some(file);
        Ok(self)
    }

    /// The edition with a placement on a channel where it is not placed yet; `on_open_data_list` says whether its form is
    /// on the list that day.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn place(mut self, channel: Channel, on_open_data_list: bool, placed: Done) -> Result<Self, Obstacle> {
        self.period_ended(placed.at)?;
        if channel == Channel::OpenDataPortal && !on_open_data_list {
            return Err(Obstacle::NotOnOpenDataList);
        }
        if self.file.is_none() {
            return Err(Obstacle::ContentMissing);
        }
        self.state = EditionState::Placed;
        self.placements.push(Placement {
            channel,
            punctuality: if self.is_not_kept {
                Punctuality::NotKept
            } else {
                Punctuality::of_done(placed.at, self.due.time)
            },
            placed,
        });
        Ok(self)
    }

    /// The file, for a reader who is an official or not.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn readable_file(&self, official: bool) -> Result<&Content, Obstacle> {
        if !official && self.state != EditionState::Placed {
            return Err(Obstacle::NotPlaced);
        }
        self.file.as_ref().ok_or(Obstacle::ContentMissing)
    }

    /// Where it stands in the order of the schedule.
    pub fn schedule_place(&self) -> Place {
        Place {
            due_date: self.due.date,
            position: self.key.form,
            parent: self.key.parent(),
            period: self.key.period,
        }
    }

    fn period_ended(&self, now: Timestamp) -> Result<(), Obstacle> {
        if zone::civil_day(now) > self.key.period.last_day() {
            Ok(())
        } else {
            Err(Obstacle::PeriodNotEnded)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn done(at: &str) -> Done {
        let (at, by) = (instant(at), "operator".into());
        Done { at, by }
    }

    fn edition(state: EditionState) -> Edition {
        let file = Content {
            filename: "form-1.csv".into(),
            content_type: "text/csv".into(),
            size_bytes: 1,
            sha256: vec![0; 32],
            uploaded: done("2025-01-02T04:00:00Z"),
        };
        Edition {
            key: "forms/1/editions/2024-M12".parse().expect("a name"),
            state,
            due: DueDate {
                date: "2025-01-05".parse().expect("a day"),
                time: instant("2025-01-05T19:00:00Z"),
                provisional: false,
                assumed: true,
                calendar_version: "1".into(),
            },
            is_not_kept: false,
            file: (state != EditionState::Scheduled).then_some(file),
            placements: Vec::new(),
        }
    }

    #[test]
    fn only_the_information_service_counts_for_punctuality() {
        let mut edition = edition(EditionState::Placed);
        let website = Placement {
            channel: Channel::OfficialWebsite,
            placed: done("2025-01-03T00:00:00Z"),
            punctuality: Punctuality::OnTime,
        };
        edition.placements.push(website.clone());
        assert_eq!(
            edition.punctuality(instant("2025-01-06T00:00:00Z")),
            Punctuality::Overdue
        );
        edition.placements.push(Placement {
            channel: Channel::InformationService,
            ..website
        });
        assert_eq!(
            edition.punctuality(instant("2025-01-06T00:00:00Z")),
            Punctuality::OnTime
        );
    }

    #[test]
    fn what_was_due_before_the_installation_answers_is_neither_late_nor_overdue() {
        let now = instant("2025-03-01T00:00:00Z");
        let not_kept = |state| Edition {
            is_not_kept: true,
            ..edition(state)
        };
        let missing = not_kept(EditionState::Scheduled);
        assert_eq!(
            (missing.punctuality(now), missing.days_late(now)),
            (Punctuality::NotKept, 0)
        );
        assert!(!missing.is_recorded_afterwards());
        let placed =
            not_kept(EditionState::Prepared).place(Channel::InformationService, false, done("2025-03-01T00:00:00Z"));
        let placed = placed.expect("it is placed");
        assert_eq!(placed.placements[0].punctuality, Punctuality::NotKept);
        assert_eq!(
            (placed.punctuality(now), placed.days_late(now)),
            (Punctuality::NotKept, 0)
        );
        assert!(placed.is_recorded_afterwards());
        let overdue = edition(EditionState::Prepared);
        assert_eq!((overdue.days_late(now), overdue.is_recorded_afterwards()), (55, false));
    }

    #[test]
    fn a_period_has_ended_once_its_last_day_is_over_in_almaty() {
        let edition = edition(EditionState::Scheduled);
        assert_eq!(
            edition.accepts_file(instant("2024-12-31T18:59:59Z")),
            Err(Obstacle::PeriodNotEnded)
        );
        assert_eq!(edition.accepts_file(instant("2024-12-31T19:00:00Z")), Ok(()));
    }

    #[test]
    fn a_placed_file_stays_as_it_is() {
        let now = instant("2025-01-06T00:00:00Z");
        assert_eq!(edition(EditionState::Prepared).accepts_file(now), Ok(()));
        assert_eq!(
            edition(EditionState::Placed).accepts_file(now),
            Err(Obstacle::AlreadyPlaced)
        );
    }

    #[test]
    fn a_file_prepares_an_edition_and_the_next_one_replaces_it() {
        let prepared = edition(EditionState::Prepared);
        let file = prepared.file.clone().expect("it has one");
        assert_eq!(
            edition(EditionState::Scheduled).prepare(file.clone()),
            Ok(prepared.clone())
        );
        let mut next = file;
        next.filename = "form-1-corrected.csv".into();
        let replaced = prepared.prepare(next.clone()).expect("it is taken");
        assert_eq!(replaced.file, Some(next));
    }

    #[test]
    fn placing_needs_a_file_and_on_the_open_data_portal_the_list_too() {
        let place = |state, channel, listed| {
            let placed = edition(state).place(channel, listed, done("2025-01-06T00:00:00Z"));
            placed.map(|edition| (edition.state, edition.placements.len()))
        };
        let (service, portal) = (Channel::InformationService, Channel::OpenDataPortal);
        let (empty, ready) = (EditionState::Scheduled, EditionState::Prepared);
        assert_eq!(place(empty, service, false), Err(Obstacle::ContentMissing));
        assert_eq!(place(ready, service, false), Ok((EditionState::Placed, 1)));
        assert_eq!(place(ready, portal, false), Err(Obstacle::NotOnOpenDataList));
        assert_eq!(place(ready, portal, true), Ok((EditionState::Placed, 1)));
    }

    #[test]
    fn a_placement_is_late_from_the_moment_the_due_date_ends() {
        for (at, expected) in [
            ("2025-01-05T18:59:59.999999Z", Punctuality::OnTime),
            ("2025-01-05T19:00:00Z", Punctuality::Late),
        ] {
            let placed = edition(EditionState::Prepared).place(Channel::InformationService, false, done(at));
            assert_eq!(
                placed.expect("it is placed").placements[0].punctuality,
                expected,
                "{at}"
            );
        }
    }

    #[test]
    fn each_channel_has_its_law_and_a_placement_is_found_by_its_channel() {
        for (channel, provision) in [
            (Channel::InformationService, "para 14 and Appendix 2"),
            (Channel::OfficialWebsite, "para 17"),
            (Channel::OpenDataPortal, "para 9"),
        ] {
            assert_eq!(channel.legal_basis(), LegalBasis::instruction(provision));
            let placed = edition(EditionState::Prepared).place(channel, true, done("2025-01-04T00:00:00Z"));
            let placed = placed.expect("it is placed");
            for &other in Channel::ALL {
                let found = placed.placement(other).map(|placement| placement.channel);
                assert_eq!(found, (other == channel).then_some(channel));
            }
        }
    }

    #[test]
    fn nothing_is_placed_before_its_period_has_ended() {
        let placed =
            edition(EditionState::Prepared).place(Channel::InformationService, true, done("2024-12-31T18:59:59Z"));
        assert_eq!(placed, Err(Obstacle::PeriodNotEnded));
    }

    #[test]
    fn officials_read_a_file_before_everyone_else() {
        assert_eq!(
            edition(EditionState::Prepared).readable_file(false),
            Err(Obstacle::NotPlaced)
        );
        assert!(edition(EditionState::Prepared).readable_file(true).is_ok());
        assert!(edition(EditionState::Placed).readable_file(false).is_ok());
        assert_eq!(
            edition(EditionState::Scheduled).readable_file(true),
            Err(Obstacle::ContentMissing)
        );
    }
}
