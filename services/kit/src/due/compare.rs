//! Open due dates recomputed under another state of the calendar: which of them change.

use std::{collections::HashMap, sync::Arc};

use jiff::{Timestamp, civil::Date};
use legalstat_proto::calendar::v1::{ComputeDeadlineRequest, Deadline, Obligation};
use prost::Message;
use sqlx::PgConnection;
use tonic::{Code, Status};

use crate::{
    door::wire,
    due::{
        DueDate,
        calendar::{Calendar, Hypothesis, due_date, question},
    },
};

/// How many open due dates are read at a time.
const PAGE: i64 = 10_000;

/// The due dates of a service: how the recompute reads and stores them.
#[tonic::async_trait]
pub trait DueDates: Send + Sync + 'static {
    /// What has the due dates, as events name it: `request`, `edition`.
    fn noun(&self) -> &'static str;

    /// Whether the steps are stored with the due date.
    fn explained(&self) -> bool;

    /// The due dates of what is not done yet, at most `most`, after the resource `after`, in an order of the service's own.
    /// `now` tells what is settled already.
    ///
    /// # Errors
    /// When the database fails.
    async fn open(
        &self,
        connection: &mut PgConnection,
        after: Option<&str>,
        most: i64,
        now: Timestamp,
    ) -> anyhow::Result<Vec<OpenDueDate>>;

    /// Stores recomputed due dates of what is still open and was not computed anew meanwhile (its
    /// calendar version tells), and tells which it stored.
    ///
    /// # Errors
    /// When the database fails.
    async fn store(&self, connection: &mut PgConnection, recomputed: &[Recomputed]) -> anyhow::Result<Vec<String>>;
}

/// A due date that is not met yet.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenDueDate {
    /// What is due, by its resource name.
    pub name: String,
    /// The due date as it stands.
    pub due: DueDate,
    /// The day on which a request counts as registered.
    pub registered_on: Option<Date>,
    /// What the calendar was asked; the same question has the same answer.
    pub question: ComputeDeadlineRequest,
}

/// A due date that the calendar computes otherwise than it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Recomputed {
    /// What is due, by its resource name.
    pub name: String,
    /// As it stands.
    pub old: DueDate,
    /// As it is to be.
    pub new: DueDate,
    /// The calendar's answer.
    pub deadline: Arc<Deadline>,
    question: ComputeDeadlineRequest,
}

impl Recomputed {
    /// The due date as it is to be, open still.
    fn open(self) -> anyhow::Result<OpenDueDate> {
        Ok(OpenDueDate {
            name: self.name,
            due: self.new,
            registered_on: registered_on(&self.deadline)?,
            question: self.question,
        })
    }

    /// Whether the date itself moves.
    pub fn moves(&self) -> bool {
        self.old.date != self.new.date
    }
}

/// Asks the calendar anew, each question once, and lets one version of it answer them all: of two replicas one may not have
/// learnt yet what the other knows.
pub(crate) struct Recompute<'a> {
    calendar: &'a Calendar,
    known_at: Option<Timestamp>,
    hypothesis: Option<&'a Hypothesis>,
    version: Option<String>,
    answers: HashMap<Vec<u8>, Option<Arc<Deadline>>>,
}

impl<'a> Recompute<'a> {
    /// With what was known at an instant, which is this version.
    pub(crate) fn known_at(calendar: &'a Calendar, instant: Timestamp, version: &str) -> Self {
        Self {
            calendar,
            known_at: Some(instant),
            hypothesis: None,
            version: Some(version.to_owned()),
            answers: HashMap::new(),
        }
    }

    /// With what is known now.
    pub(crate) fn now(calendar: &'a Calendar) -> Self {
        Self {
            calendar,
            known_at: None,
            hypothesis: None,
            version: None,
            answers: HashMap::new(),
        }
    }

    /// With what is known now, and as if the hypothesis held. The calendar checks it, even if nothing else is asked.
    ///
    /// # Errors
    /// The calendar's refusal of the hypothesis, or its status.
    pub(crate) async fn supposing(calendar: &'a Calendar, hypothesis: &'a Hypothesis) -> Result<Self, Status> {
        let mut recompute = Self {
            hypothesis: Some(hypothesis),
            ..Self::now(calendar)
        };
        let any = Obligation {
            period: "2020-Q1".into(),
            due_day: 14,
            ..Obligation::default()
        };
        recompute.ask(vec![question(any)]).await?;
        Ok(recompute)
    }

    /// Those of the due dates that the calendar computes otherwise than they stand.
    ///
    /// # Errors
    /// The calendar's status; an answer that breaks its contract or comes from another version.
    pub(crate) async fn differing(&mut self, open: Vec<OpenDueDate>) -> Result<Vec<Recomputed>, Status> {
        let mut keyed = Vec::with_capacity(open.len());
        let mut unasked: HashMap<Vec<u8>, ComputeDeadlineRequest> = HashMap::new();
        for item in open {
            let key = item.question.encode_to_vec();
            if !self.answers.contains_key(&key) && !unasked.contains_key(&key) {
                unasked.insert(key.clone(), item.question.clone());
            }
            keyed.push((key, item));
        }
        let (keys, questions): (Vec<_>, Vec<_>) = unasked.into_iter().unzip();
        let answers = self.ask(questions).await?;
        self.answers.extend(keys.into_iter().zip(answers));
        let mut differing = Vec::new();
        for (key, item) in keyed {
            if let Some(deadline) = &self.answers[&key] {
                differing.extend(recomputed(item, deadline).map_err(broken)?);
            }
        }
        Ok(differing)
    }

    /// The due dates as the calendar computes them, where that differs from how they stand.
    pub(crate) async fn brought_up_to_date(&mut self, open: Vec<OpenDueDate>) -> Result<Vec<OpenDueDate>, Status> {
        let mut differing: HashMap<String, Recomputed> = HashMap::new();
        for item in self.differing(open.clone()).await? {
            differing.insert(item.name.clone(), item);
        }
        let open = open.into_iter().map(|item| match differing.remove(&item.name) {
            Some(recomputed) => recomputed.open().map_err(broken),
            None => Ok(item),
        });
        open.collect()
    }

    /// Asks again for the steps of answers without them.
    ///
    /// # Errors
    /// The calendar's status; an answer that is not the one given before.
    pub(crate) async fn explain(&mut self, recomputed: &mut [Recomputed]) -> Result<(), Status> {
        let distinct: HashMap<Vec<u8>, &ComputeDeadlineRequest> = recomputed
            .iter()
            .map(|item| (item.question.encode_to_vec(), &item.question))
            .collect();
        let (keys, questions): (Vec<_>, Vec<_>) = distinct
            .into_iter()
            .map(|(key, question)| (key, question.clone()))
            .unzip();
        let deadlines = self
            .calendar
            .deadlines(self.at(questions), self.hypothesis, true)
            .await?;
        self.require_one_version(&deadlines)?;
        let explained: HashMap<Vec<u8>, Arc<Deadline>> =
            keys.into_iter().zip(deadlines.into_iter().map(Arc::new)).collect();
        for item in recomputed {
            item.deadline = Arc::clone(&explained[&item.question.encode_to_vec()]);
            if due_date(&item.deadline).map_err(broken)? != item.new {
                return Err(Status::unavailable(
                    "the calendar explains another due date than it gave",
                ));
            }
        }
        Ok(())
    }

    /// The calendar's answers; none to a question that it refuses: such a due date stays as it is and holds up no other.
    async fn ask(&mut self, questions: Vec<ComputeDeadlineRequest>) -> Result<Vec<Option<Arc<Deadline>>>, Status> {
        let questions = self.at(questions);
        let answered = self.calendar.deadlines(questions.clone(), self.hypothesis, false).await;
        let deadlines = match answered {
            Err(status) if status.code() == Code::OutOfRange => return self.ask_singly(questions).await,
            answered => answered?,
        };
        self.require_one_version(&deadlines)?;
        Ok(deadlines.into_iter().map(|deadline| Some(Arc::new(deadline))).collect())
    }

    async fn ask_singly(
        &mut self,
        questions: Vec<ComputeDeadlineRequest>,
    ) -> Result<Vec<Option<Arc<Deadline>>>, Status> {
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            let answered = self.calendar.deadlines(vec![question], self.hypothesis, false).await;
            let deadlines = match answered {
                Err(status) if status.code() == Code::OutOfRange => {
                    tracing::error!(
                        reason = status.message(),
                        "an open due date cannot be recomputed and stays"
                    );
                    answers.push(None);
                    continue;
                }
                answered => answered?,
            };
            self.require_one_version(&deadlines)?;
            answers.extend(deadlines.into_iter().map(|deadline| Some(Arc::new(deadline))));
        }
        Ok(answers)
    }

    fn require_one_version(&mut self, deadlines: &[Deadline]) -> Result<(), Status> {
        for deadline in deadlines {
            let version = self.version.get_or_insert_with(|| deadline.calendar_version.clone());
            if *version != deadline.calendar_version {
                return Err(Status::unavailable(
                    "the calendar that answers does not know the same as the one before",
                ));
            }
        }
        Ok(())
    }

    /// The version of the calendar that answered, once something was asked.
    pub(crate) fn version(&self) -> &str {
        self.version.as_deref().unwrap_or_default()
    }

    /// The questions, asked with what was known at the instant.
    fn at(&self, mut questions: Vec<ComputeDeadlineRequest>) -> Vec<ComputeDeadlineRequest> {
        for question in &mut questions {
            question.as_known_at = self.known_at.map(wire::to_timestamp);
        }
        questions
    }
}

fn registered_on(deadline: &Deadline) -> anyhow::Result<Option<Date>> {
    let date = deadline.registered_on.as_ref().map(wire::date).transpose();
    date.map_err(anyhow::Error::msg)
}

fn broken(error: anyhow::Error) -> Status {
    Status::internal(format!("the calendar's answer breaks its contract: {error:#}"))
}

fn recomputed(item: OpenDueDate, deadline: &Arc<Deadline>) -> anyhow::Result<Option<Recomputed>> {
    let new = due_date(deadline)?;
    let stated = |due: &DueDate| (due.date, due.time, due.provisional, due.assumed);
    if stated(&item.due) == stated(&new) && item.registered_on == registered_on(deadline)? {
        return Ok(None);
    }
    Ok(Some(Recomputed {
        name: item.name,
        old: item.due,
        new,
        deadline: Arc::clone(deadline),
        question: item.question,
    }))
}

/// Goes through all open due dates, a page at a time.
pub(crate) struct Pages<'a> {
    due_dates: &'a dyn DueDates,
    now: Timestamp,
    after: Option<String>,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(due_dates: &'a dyn DueDates, now: Timestamp) -> Self {
        Self {
            due_dates,
            now,
            after: None,
            ended: false,
        }
    }

    /// The next page; `None` at the end.
    pub(crate) async fn next(&mut self, connection: &mut PgConnection) -> anyhow::Result<Option<Vec<OpenDueDate>>> {
        if self.ended {
            return Ok(None);
        }
        let page = self
            .due_dates
            .open(connection, self.after.as_deref(), PAGE, self.now)
            .await?;
        self.after = page.last().map(|last| last.name.clone());
        self.ended = i64::try_from(page.len())? < PAGE;
        Ok(Some(page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(registered_on: Option<Date>) -> (OpenDueDate, Deadline) {
        let due = DueDate {
            date: jiff::civil::date(2027, 1, 8),
            time: "2027-01-08T19:00:00Z".parse().expect("an instant"),
            provisional: true,
            assumed: false,
            calendar_version: "18".into(),
        };
        let deadline = Deadline {
            due_date: Some(wire::to_date(due.date)),
            due_time: Some(wire::to_timestamp(due.time)),
            provisional: true,
            calendar_version: "19@2026-11-24T10:00:00Z".into(),
            registered_on: registered_on.map(wire::to_date),
            ..Deadline::default()
        };
        let item = OpenDueDate {
            name: "requests/1".into(),
            due,
            registered_on,
            question: ComputeDeadlineRequest::default(),
        };
        (item, deadline)
    }

    #[test]
    fn only_what_is_said_of_the_date_makes_a_difference_and_not_the_version() {
        let day = jiff::civil::date(2026, 12, 20);
        let differs = |change: fn(&mut Deadline)| {
            let (item, mut deadline) = open(Some(day));
            change(&mut deadline);
            recomputed(item, &Arc::new(deadline))
                .expect("it is whole")
                .map(|item| item.moves())
        };
        assert_eq!(differs(|_| {}), None);
        assert_eq!(differs(|deadline| deadline.provisional = false), Some(false));
        assert_eq!(differs(|deadline| deadline.assumed = true), Some(false));
        assert_eq!(
            differs(|deadline| deadline.registered_on.as_mut().expect("it is set").day = 21),
            Some(false)
        );
        assert_eq!(
            differs(|deadline| deadline.due_date.as_mut().expect("it is set").day = 9),
            Some(true)
        );
    }
}
