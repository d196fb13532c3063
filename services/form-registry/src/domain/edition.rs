//! An edition: one period's issue of a form, from its due date to its placement and what corrects it.

use jiff::Timestamp;
use legalstat_kit::{
    call::Done,
    due::{DueDate, Punctuality, scheduled::Place},
    zone,
};

use super::{
    content,
    embargo::Embargo,
    form::Form,
    key::EditionKey,
    standing::{Ahead, Standing},
};
pub use super::{
    placement::{Channel, Lateness, Placement},
    revision::{EditionFile, Revision, Seal, Withdrawal},
    standing::{EditionState, Event},
};

/// An edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    pub key: EditionKey,
    pub state: EditionState,
    pub due: DueDate,
    /// When its duty was met; with an embargo that is its end, and may lie ahead.
    pub met_at: Option<Timestamp>,
    /// Whether it was due before the installation answers, or was met afterwards: then nobody says here whether in time.
    pub is_not_kept: bool,
    /// The number of the revision that was placed, declared nil or withdrawn last.
    pub effective: Option<i32>,
    /// Its revisions in order.
    pub revisions: Vec<Revision>,
    /// Its placements, the first one first.
    pub placements: Vec<Placement>,
    /// The embargo that has not ended.
    pub embargo: Option<Embargo>,
}

/// What keeps an edition from being changed, placed or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Its reporting period has not ended.
    PeriodNotEnded,
    /// Nothing is in preparation: the last revision is sealed.
    Sealed,
    /// Nothing is sealed yet.
    NothingSealed,
    /// A correction is in preparation already.
    CorrectionBegun,
    /// It has no file.
    ContentMissing,
    /// What would be declared nil has files or figures.
    NotEmpty,
    /// What would be placed is not sealed.
    NotSealed,
    /// It was withdrawn.
    Withdrawn,
    /// It was declared that there is nothing to report.
    Nil,
    /// It holds restricted information.
    Restricted,
    /// It was corrected by a later revision.
    Superseded,
    /// Its form is not on the approved list of open data.
    NotOnOpenDataList,
    /// Its form does not name the information service, and Appendix 2 orders nothing else there.
    ChannelNotOrdered,
    /// It is not placed, so its files are not open to everyone.
    NotPlaced,
    /// Nothing of it is shown before its embargo ends.
    Embargoed,
    /// It was shown already, so that an embargo comes too late.
    AlreadyOut,
    /// It has no such revision.
    NoSuchRevision(i32),
    /// It has no such file.
    NoSuchFile(String),
    /// The revision in preparation holds no figures, or none is in preparation.
    NoFigures,
    /// It has several files, and none was named.
    SeveralFiles,
}

/// What is to be placed where.
#[derive(Clone, Debug)]
pub struct Placing {
    pub channel: Channel,
    /// The last sealed one unless named.
    pub revision: Option<i32>,
    pub address: String,
    /// Whether the form is on the approved list of open data that day.
    pub on_open_data_list: bool,
    /// The form as it stood for the period.
    pub form: Form,
}

/// What the figures of a revision come to, when it is sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Their digest; `None` where there are none.
    pub sha256: Option<[u8; 32]>,
    /// Whether an indicator among them is restricted.
    pub restricted: bool,
}

impl Edition {
    /// How it stands to its due date, on the channels that its form names, at an instant.
    pub fn punctuality(&self, now: Timestamp) -> Punctuality {
        let due = self.due.time;
        if self.is_not_kept {
            return Punctuality::NotKept;
        }
        self.met_at.map_or_else(
            || Punctuality::of_open(now, due),
            |met_at| Punctuality::of_done(met_at, due),
        )
    }

    /// How many civil days after its due date its duty was met, or is overdue by now; else 0.
    pub fn days_late(&self, now: Timestamp) -> i32 {
        match self.punctuality(now) {
            Punctuality::Late | Punctuality::Overdue => self.due.days_late(self.met_at.unwrap_or(now)),
            Punctuality::OnTime | Punctuality::NotDue | Punctuality::NotKept => 0,
        }
    }

    /// Whether something of it was recorded although it was due before the installation answers.
    pub fn is_recorded_afterwards(&self) -> bool {
        self.is_not_kept && self.state != EditionState::Scheduled
    }

    /// The revision of this number.
    pub fn revision(&self, number: i32) -> Option<&Revision> {
        self.revisions.iter().find(|revision| revision.number == number)
    }

    /// The revision that it shows: the effective one, else the last.
    pub fn shown_revision(&self) -> Option<&Revision> {
        match self.effective {
            Some(number) => self.revision(number),
            None => self.revisions.last(),
        }
    }

    /// The revision in preparation.
    pub fn open_revision(&self) -> Option<&Revision> {
        self.revisions.last().filter(|revision| revision.seal.is_none())
    }

    /// The placement of a revision on a channel.
    pub fn placement(&self, channel: Channel, revision: i32) -> Option<&Placement> {
        let mut placements = self.placements.iter();
        placements.find(|placement| placement.channel == channel && placement.revision == revision)
    }

    /// Where it stands, with what lies ahead.
    pub fn standing(&self) -> Standing {
        let last = self.revisions.last();
        let ahead = match (self.effective, last) {
            (Some(effective), Some(last)) if last.number > effective && last.seal.is_some() => Ahead::Sealed,
            (Some(effective), Some(last)) if last.number > effective => Ahead::Open,
            _ => Ahead::Nothing,
        };
        let state = self.state;
        Standing { state, ahead }
    }

    /// Whether files or figures may come: the period has ended and a revision is, or can be, in preparation.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn accepts_content(&self, now: Timestamp) -> Result<(), Obstacle> {
        self.period_ended(now)?;
        self.standing().after(Event::Prepare).map(|_| ())
    }

    /// The edition with a revision in preparation: the one there is, or the first.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn prepare(mut self, prepared: Done) -> Result<Self, Obstacle> {
        self.accepts_content(prepared.at)?;
        self.state = self.standing().after(Event::Prepare)?.state;
        if self.revisions.is_empty() {
            self.revisions.push(first(prepared));
        }
        Ok(self)
    }

    /// The edition with this file among those in preparation, in place of one of the same name.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn with_file(self, file: EditionFile) -> Result<Self, Obstacle> {
        let mut edition = self.prepare(file.content.uploaded.clone())?;
        edition.open_mut()?.put(file);
        Ok(edition)
    }

    /// The edition without this file among those in preparation.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn without_file(mut self, filename: &str) -> Result<Self, Obstacle> {
        self.standing().after(Event::Prepare)?;
        let missing = || Obstacle::NoSuchFile(filename.to_owned());
        let open = self.open_mut().map_err(|_| missing())?;
        let held = open.files.iter().position(|file| file.content.filename == filename);
        open.files.remove(held.ok_or_else(missing)?);
        Ok(self)
    }

    /// The revision whose figures can be taken away: the one in preparation.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn figures_can_go(&self) -> Result<i32, Obstacle> {
        self.standing().after(Event::Prepare)?;
        let open = self.open_revision().ok_or(Obstacle::NoFigures)?;
        Ok(open.number)
    }

    /// The edition with its revision in preparation sealed.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn seal(mut self, figures: Figures, sealed: Done) -> Result<Self, Obstacle> {
        self.period_ended(sealed.at)?;
        let after = self.standing().after(Event::Seal)?;
        let key = self.key;
        let open = self.open_mut()?;
        if open.files.is_empty() && figures.sha256.is_none() {
            return Err(Obstacle::ContentMissing);
        }
        open.seal = Some(Seal {
            sealed,
            content_sha256: content::sha256(&key, open.number, &open.files, figures.sha256),
            figures_sha256: figures.sha256,
            restricted: figures.restricted || open.files.iter().any(|file| file.restricted),
            nil_reason: None,
        });
        self.state = after.state;
        Ok(self)
    }

    /// What a placement would be of: the revision named, else the last one once it is sealed, else the effective one.
    ///
    /// # Errors
    /// What stands in the way of placing it.
    pub fn to_be_placed(&self, wanted: Option<i32>, now: Timestamp) -> Result<&Revision, Obstacle> {
        self.period_ended(now)?;
        let last = self.revisions.last().filter(|last| last.seal.is_some());
        let effective = self.effective.and_then(|number| self.revision(number));
        let revision = match wanted {
            Some(number) => self.revision(number).ok_or(Obstacle::NoSuchRevision(number))?,
            None => last.or(effective).ok_or(match self.revisions.len() {
                0 => Obstacle::ContentMissing,
                _ => Obstacle::NotSealed,
            })?,
        };
        let seal = revision.seal.as_ref().ok_or(Obstacle::NotSealed)?;
        if revision.withdrawal.is_some() {
            Err(Obstacle::Withdrawn)
        } else if seal.nil_reason.is_some() {
            Err(Obstacle::Nil)
        } else if seal.restricted {
            Err(Obstacle::Restricted)
        } else if [last, effective]
            .iter()
            .flatten()
            .all(|held| held.number != revision.number)
        {
            // A later one was placed, or is being made because this one is wrong.
            Err(Obstacle::Superseded)
        } else {
            Ok(revision)
        }
    }

    /// The edition with a revision placed on a channel where it is not placed yet.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn place(mut self, placing: Placing, placed: Done) -> Result<Self, Obstacle> {
        let revision = self.to_be_placed(placing.revision, placed.at)?;
        let after = self.standing().after(Event::Place)?;
        if placing.channel == Channel::OpenDataPortal && !placing.on_open_data_list {
            return Err(Obstacle::NotOnOpenDataList);
        }
        let ordered = placing.form.channels.contains(&placing.channel);
        if placing.channel == Channel::InformationService && !ordered {
            return Err(Obstacle::ChannelNotOrdered);
        }
        let content_sha256 = revision.seal.as_ref().ok_or(Obstacle::NotSealed)?.content_sha256;
        let revision = revision.number;
        let effective_at = self.effective_at(placed.at);
        let mut placements = self.placements.iter();
        // The duty of the channel was met by its first placement; a correction changes nothing in that.
        let first = placements.find(|placement| placement.channel == placing.channel);
        let lateness = match first {
            Some(first) => first.lateness,
            None if self.is_not_kept => Lateness::NOT_KEPT,
            None => Lateness::of(effective_at, &self.due),
        };
        self.placements.push(Placement {
            edition: self.key,
            channel: placing.channel,
            revision,
            placed,
            address: placing.address,
            content_sha256,
            effective_at,
            due_date: self.due.date,
            calendar_version: self.due.calendar_version.clone(),
            lateness,
            ordered,
        });
        self.state = after.state;
        self.effective = Some(revision);
        Ok(self.met_by_placements(&placing.form))
    }

    /// The edition with its duty met if it stands on every channel of it, as its form is now; what was met stays met.
    pub fn met_by_placements(mut self, form: &Form) -> Self {
        self.met_at = self.met_at.or_else(|| self.placed_at(&form.channels_of_duty()));
        self
    }

    /// The edition with a correction begun.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn correct(mut self, reason: String, prepared: Done) -> Result<Self, Obstacle> {
        let after = self.standing().after(Event::Correct)?;
        let last = self.revisions.last().ok_or(Obstacle::NothingSealed)?;
        self.revisions.push(Revision {
            number: last.number + 1,
            reason,
            ..first(prepared)
        });
        self.state = after.state;
        Ok(self)
    }

    /// The edition taken back, with every sealed revision.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn withdraw(mut self, reason: &str, withdrawn: &Done) -> Result<Self, Obstacle> {
        let after = self.standing().after(Event::Withdraw)?;
        for revision in self.revisions.iter_mut().filter(|revision| revision.seal.is_some()) {
            self.effective = Some(revision.number);
            revision.withdrawal.get_or_insert_with(|| Withdrawal {
                reason: reason.to_owned(),
                withdrawn: withdrawn.clone(),
            });
        }
        self.state = after.state;
        Ok(self)
    }

    /// The edition declared to have nothing to report.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn declare_nil(mut self, reason: String, has_figures: bool, declared: Done) -> Result<Self, Obstacle> {
        self.period_ended(declared.at)?;
        let after = self.standing().after(Event::DeclareNil)?;
        let mut edition = self.clone().prepare(declared.clone())?;
        let key = edition.key;
        let open = edition.open_mut()?;
        if has_figures || !open.files.is_empty() {
            return Err(Obstacle::NotEmpty);
        }
        let number = open.number;
        open.seal = Some(Seal {
            content_sha256: content::sha256(&key, number, &[], None),
            sealed: declared.clone(),
            figures_sha256: None,
            restricted: false,
            nil_reason: Some(reason),
        });
        let effective_at = self.effective_at(declared.at);
        self.revisions = edition.revisions;
        self.met_at.get_or_insert(effective_at);
        self.state = after.state;
        self.effective = Some(number);
        Ok(self)
    }

    /// Whether an embargo can still be set: nothing of it was ever shown.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn accepts_embargo(&self) -> Result<(), Obstacle> {
        if self.effective.is_none() {
            Ok(())
        } else {
            Err(Obstacle::AlreadyOut)
        }
    }

    /// When the last of these channels had its first placement, which meets the duty; `None` while one has none. On a channel
    /// where only withdrawn revisions were placed nothing stands.
    fn placed_at(&self, channels: &[Channel]) -> Option<Timestamp> {
        let first = |channel: &Channel| {
            let mut placements = self.placements.iter();
            placements.find(|placement| placement.channel == *channel && self.is_standing(placement.revision))
        };
        let placed: Option<Vec<Timestamp>> = channels
            .iter()
            .map(|channel| first(channel).map(|placement| placement.effective_at))
            .collect();
        placed?.into_iter().max()
    }

    fn is_standing(&self, revision: i32) -> bool {
        let revision = self.revision(revision);
        revision.is_some_and(|revision| revision.withdrawal.is_none())
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

    /// When what is done now is out.
    fn effective_at(&self, now: Timestamp) -> Timestamp {
        self.embargo.as_ref().map_or(now, |embargo| now.max(embargo.until))
    }

    fn open_mut(&mut self) -> Result<&mut Revision, Obstacle> {
        let last = self.revisions.last_mut();
        last.filter(|revision| revision.seal.is_none()).ok_or(Obstacle::Sealed)
    }

    fn period_ended(&self, now: Timestamp) -> Result<(), Obstacle> {
        if zone::civil_day(now) > self.key.period.last_day() {
            Ok(())
        } else {
            Err(Obstacle::PeriodNotEnded)
        }
    }
}

fn first(prepared: Done) -> Revision {
    Revision {
        number: 1,
        reason: String::new(),
        prepared,
        seal: None,
        withdrawal: None,
        files: Vec::new(),
    }
}

#[cfg(test)]
#[path = "edition_tests.rs"]
mod tests;
