//! Placements: on which channel, when, and how that stands to the due date.

use jiff::Timestamp;
use legalstat_kit::{
    call::Done,
    door::word::Word,
    due::{DueDate, Punctuality},
    law::LegalBasis,
};

use super::key::EditionKey;

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

/// The record of one placement. It never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub edition: EditionKey,
    pub channel: Channel,
    /// The revision that was placed.
    pub revision: i32,
    pub placed: Done,
    /// Where it can be read; empty when that was not said.
    pub address: String,
    pub content_sha256: [u8; 32],
    /// When it was out: at once, or when an embargo ended.
    pub effective_at: Timestamp,
    pub due_date: jiff::civil::Date,
    /// With which the due date can be explained again.
    pub calendar_version: String,
    pub lateness: Lateness,
    /// Whether the form named the channel for the period.
    pub ordered: bool,
}

impl Placement {
    /// The record as it is shown: who placed it, to officials only.
    pub fn shown(mut self, to_officials: bool) -> Self {
        if !to_officials {
            self.placed.by.clear();
        }
        self
    }
}

/// How a placement stands to the due date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lateness {
    /// On time or late.
    pub punctuality: Punctuality,
    /// Days after the due date; 0 when on time.
    pub days: i32,
}

impl Lateness {
    /// Of what was due before the installation answers: nobody says whether it was in time.
    pub const NOT_KEPT: Self = Self {
        punctuality: Punctuality::NotKept,
        days: 0,
    };

    /// Of what was out at an instant.
    pub fn of(at: Timestamp, due: &DueDate) -> Self {
        Self {
            punctuality: Punctuality::of_done(at, due.time),
            days: due.days_late(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_after_the_due_date_is_late_by_the_days_of_astana() {
        let due = DueDate {
            date: "2025-01-05".parse().expect("a day"),
            time: "2025-01-05T19:00:00Z".parse().expect("an instant"),
            provisional: false,
            assumed: false,
            calendar_version: "1".into(),
        };
        for (at, expected) in [
            ("2025-01-05T18:59:59.999999Z", (Punctuality::OnTime, 0)),
            ("2025-01-05T19:00:00Z", (Punctuality::Late, 1)),
            ("2025-01-06T18:59:59Z", (Punctuality::Late, 1)),
            ("2025-01-06T19:00:00Z", (Punctuality::Late, 2)),
            ("2025-03-05T19:00:00Z", (Punctuality::Late, 60)),
        ] {
            let late = Lateness::of(at.parse().expect("an instant"), &due);
            assert_eq!((late.punctuality, late.days), expected, "{at}");
        }
    }

    #[test]
    fn each_channel_has_its_law() {
        for (channel, provision) in [
            (Channel::InformationService, "para 14 and Appendix 2"),
            (Channel::OfficialWebsite, "para 17"),
            (Channel::OpenDataPortal, "para 9"),
        ] {
            assert_eq!(channel.legal_basis(), LegalBasis::instruction(provision));
        }
    }
}
