//! An edition: one period's issue of a form, from its due date to its placement.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use legalstat_kit::{due::DueDate, law::LegalBasis, period::ReportingPeriod, zone};

use super::names;

/// Which edition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EditionKey {
    /// The form's number in the list.
    pub form: i32,
    /// The reporting period.
    pub period: ReportingPeriod,
}

impl fmt::Display for EditionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/editions/{}", names::form(self.form), self.period)
    }
}

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

impl EditionState {
    /// The word it is stored as.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Prepared => "PREPARED",
            Self::Placed => "PLACED",
        }
    }

    /// Reads the word it is stored as.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Scheduled, Self::Prepared, Self::Placed]
            .into_iter()
            .find(|state| state.as_str() == word)
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

impl Channel {
    /// The word it is stored as.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InformationService => "INFORMATION_SERVICE",
            Self::OfficialWebsite => "OFFICIAL_WEBSITE",
            Self::OpenDataPortal => "OPEN_DATA_PORTAL",
        }
    }

    /// Reads the word it is stored as.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::InformationService, Self::OfficialWebsite, Self::OpenDataPortal]
            .into_iter()
            .find(|channel| channel.as_str() == word)
    }

    /// The law that orders placing there.
    pub fn legal_basis(self) -> LegalBasis {
        LegalBasis::instruction(match self {
            Self::InformationService => "para 14 and Appendix 2",
            Self::OfficialWebsite => "para 17",
            Self::OpenDataPortal => "para 9",
        })
    }
}

/// How an edition, or one placement of it, stands to the due date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Punctuality {
    /// Placed before the due date ended.
    OnTime,
    /// Placed after the due date ended.
    Late,
    /// Not placed, and the due date has not ended.
    NotDue,
    /// Not placed, although the due date has ended.
    Overdue,
}

impl Punctuality {
    /// How a placement stands to the due date.
    pub fn of_placement(placed_at: Timestamp, due_time: Timestamp) -> Self {
        if placed_at < due_time { Self::OnTime } else { Self::Late }
    }

    /// How something not placed stands to the due date.
    pub fn of_nothing_placed(now: Timestamp, due_time: Timestamp) -> Self {
        if now < due_time { Self::NotDue } else { Self::Overdue }
    }

    /// The word it is stored as.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnTime => "ON_TIME",
            Self::Late => "LATE",
            Self::NotDue => "NOT_DUE",
            Self::Overdue => "OVERDUE",
        }
    }

    /// Reads the word it is stored as.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::OnTime, Self::Late, Self::NotDue, Self::Overdue]
            .into_iter()
            .find(|found| found.as_str() == word)
    }
}

/// A file held for an edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditionFile {
    /// Its name without folders.
    pub filename: String,
    /// Its media type.
    pub content_type: String,
    /// Its size in bytes, 1 or more.
    pub size_bytes: i64,
    /// SHA-256 of its content.
    pub sha256: Vec<u8>,
    /// When it was uploaded.
    pub uploaded_at: Timestamp,
}

/// One placement of an edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Where.
    pub channel: Channel,
    /// When.
    pub placed_at: Timestamp,
    /// On time or late.
    pub punctuality: Punctuality,
}

/// An edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    /// Which one.
    pub key: EditionKey,
    /// Where it stands.
    pub state: EditionState,
    /// When it is due.
    pub due: DueDate,
    /// The file that counts now.
    pub file: Option<EditionFile>,
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
        self.placement(Channel::InformationService).map_or_else(
            || Punctuality::of_nothing_placed(now, self.due.time),
            |placement| placement.punctuality,
        )
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

    /// Whether it may be placed on a channel; `on_open_data_list` says whether its form is on the list today.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn may_be_placed(&self, channel: Channel, on_open_data_list: bool, now: Timestamp) -> Result<(), Obstacle> {
        self.period_ended(now)?;
        if channel == Channel::OpenDataPortal && !on_open_data_list {
            return Err(Obstacle::NotOnOpenDataList);
        }
        if self.file.is_none() {
            Err(Obstacle::ContentMissing)
        } else {
            Ok(())
        }
    }

    /// The file, for a reader who is an official or not.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn readable_file(&self, official: bool) -> Result<&EditionFile, Obstacle> {
        if !official && self.state != EditionState::Placed {
            return Err(Obstacle::NotPlaced);
        }
        self.file.as_ref().ok_or(Obstacle::ContentMissing)
    }

    fn period_ended(&self, now: Timestamp) -> Result<(), Obstacle> {
        if zone::civil_day(now) > self.key.period.last_day() {
            Ok(())
        } else {
            Err(Obstacle::PeriodNotEnded)
        }
    }
}

/// A place in the order of the schedule: by due date, then form, then period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchedulePosition {
    /// The due date.
    pub due_date: Date,
    /// The edition.
    pub key: EditionKey,
}

impl SchedulePosition {
    /// Where an edition stands in the order.
    pub fn of(edition: &Edition) -> Self {
        Self {
            due_date: edition.due.date,
            key: edition.key,
        }
    }
}

impl fmt::Display for SchedulePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.due_date, self.key)
    }
}

impl FromStr for SchedulePosition {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (due_date, name) = text.split_once(' ').ok_or(())?;
        Ok(Self {
            due_date: due_date.parse().map_err(|_| ())?,
            key: names::parse_edition(name).map_err(|_| ())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn edition(state: EditionState) -> Edition {
        let file = EditionFile {
            filename: "form-1.csv".into(),
            content_type: "text/csv".into(),
            size_bytes: 1,
            sha256: vec![0; 32],
            uploaded_at: instant("2025-01-02T04:00:00Z"),
        };
        Edition {
            key: names::parse_edition("forms/1/editions/2024-M12").expect("a name"),
            state,
            due: DueDate {
                date: "2025-01-05".parse().expect("a day"),
                time: instant("2025-01-05T19:00:00Z"),
                provisional: false,
                assumed: true,
                calendar_version: "1".into(),
            },
            file: (state != EditionState::Scheduled).then_some(file),
            placements: Vec::new(),
        }
    }

    #[test]
    fn what_is_placed_the_moment_the_due_date_ends_is_late() {
        let due = instant("2025-01-05T19:00:00Z");
        assert_eq!(
            Punctuality::of_placement(instant("2025-01-05T18:59:59.999999Z"), due),
            Punctuality::OnTime
        );
        assert_eq!(Punctuality::of_placement(due, due), Punctuality::Late);
        assert_eq!(Punctuality::of_nothing_placed(due, due), Punctuality::Overdue);
    }

    #[test]
    fn only_the_information_service_counts_for_punctuality() {
        let mut edition = edition(EditionState::Placed);
        let placed_at = instant("2025-01-03T00:00:00Z");
        let website = Placement {
            channel: Channel::OfficialWebsite,
            placed_at,
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
    fn placing_needs_a_file_and_on_the_open_data_portal_the_list_too() {
        let now = instant("2025-01-06T00:00:00Z");
        let (empty, ready) = (edition(EditionState::Scheduled), edition(EditionState::Prepared));
        assert_eq!(
            empty.may_be_placed(Channel::InformationService, false, now),
            Err(Obstacle::ContentMissing)
        );
        assert_eq!(ready.may_be_placed(Channel::InformationService, false, now), Ok(()));
        assert_eq!(
            ready.may_be_placed(Channel::OpenDataPortal, false, now),
            Err(Obstacle::NotOnOpenDataList)
        );
        assert_eq!(ready.may_be_placed(Channel::OpenDataPortal, true, now), Ok(()));
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

    #[test]
    fn a_position_in_the_schedule_is_read_as_it_is_written() {
        let position = SchedulePosition::of(&edition(EditionState::Scheduled));
        assert_eq!(position.to_string().parse(), Ok(position));
        assert_eq!("2025-01-05".parse::<SchedulePosition>(), Err(()));
    }
}
