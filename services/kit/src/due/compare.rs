//! Compares open due dates with what the calendar computes now, or would compute: which of them change.

use std::collections::{HashMap, hash_map::Entry};

use jiff::{Timestamp, civil::Date};
use legalstat_proto::calendar::v1::{ComputeDeadlineRequest, Deadline};
use prost::Message;
use sqlx::PgConnection;
use tonic::{Code, Status};

use crate::{
    door::wire,
    due::{
        DueDate,
        calendar::{Calendar, Hypothesis, due_date},
    },
    repeated,
};

/// How many open due dates are read at a time.
const PAGE: i64 = 10_000;

/// The due dates of a service: how its open ones are read, and recomputed ones stored.
#[tonic::async_trait]
pub trait DueDates: Send + Sync + 'static {
    /// What has the due dates, as events name it: `request`, `edition`.
    fn noun(&self) -> &'static str;

    /// Whether the steps are stored with the due date.
    fn explained(&self) -> bool;

    /// What the event of a due date that is another tells besides its kind; nothing unless a feed of the service tells it.
    fn told(&self, due_date: Date) -> Option<String> {
        let _ = due_date;
        None
    }

    /// Reads the due dates of what is not done yet, at most `most`, after the resource `after`, in an order of the
    /// service's own. `now` decides what is settled already.
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

    /// Stores recomputed due dates of what is still open and was not computed anew meanwhile (its calendar version says
    /// so), and answers which it stored. Each names its answer by its number among `answers`. `now` is when they change.
    ///
    /// # Errors
    /// When the database fails.
    async fn store(
        &self,
        connection: &mut PgConnection,
        recomputed: &[Recomputed],
        answers: &[Answer],
        now: Timestamp,
    ) -> anyhow::Result<Vec<String>>;
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
    /// The number of the answer that it was computed by.
    pub answer: usize,
}

impl Recomputed {
    /// Whether the date itself moves.
    pub fn moves(&self) -> bool {
        self.old.date != self.new.date
    }
}

/// What the calendar answered to one question.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The answer, with its steps where these are stored.
    pub deadline: Deadline,
    question: ComputeDeadlineRequest,
}

/// The due dates that differ, and the answers that say so: one for each question, however many due dates share it.
#[derive(Debug, Default)]
pub(crate) struct Differing {
    pub items: Vec<Recomputed>,
    pub answers: Vec<Answer>,
}

/// Asks the calendar each question once, and lets one version of it answer them all: of two replicas one may not have
/// learnt yet what the other knows.
pub(crate) struct Comparison<'a> {
    calendar: &'a Calendar,
    known_at: Option<Timestamp>,
    hypothesis: Option<&'a Hypothesis>,
    version: Option<String>,
    /// By question; none for a question that the calendar refuses.
    answers: HashMap<Vec<u8>, Option<Deadline>>,
}

impl<'a> Comparison<'a> {
    /// With what was known at an instant, which is this version.
    pub(crate) fn known_at(calendar: &'a Calendar, instant: Timestamp, version: &str) -> Self {
        Self {
            known_at: Some(instant),
            version: Some(version.to_owned()),
            ..Self::now(calendar)
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
        Ok(Self {
            hypothesis: Some(hypothesis),
            version: Some(calendar.check(hypothesis).await?),
            ..Self::now(calendar)
        })
    }

    /// Those of the due dates that the calendar computes otherwise than they stand.
    ///
    /// # Errors
    /// The calendar's status; an answer that breaks its contract or comes from another version.
    pub(crate) async fn differing(&mut self, open: Vec<OpenDueDate>) -> Result<Differing, Status> {
        let keys = self.answer(&open).await?;
        let (mut differing, mut numbers) = (Differing::default(), HashMap::new());
        for (item, key) in open.into_iter().zip(&keys) {
            let Some(deadline) = &self.answers[key] else { continue };
            let new = due_date(deadline).map_err(broken)?;
            if !differs(&item, &new, registered_on(deadline).map_err(broken)?) {
                continue;
            }
            let answers = &mut differing.answers;
            let answer = *numbers.entry(key).or_insert_with(|| {
                answers.push(Answer {
                    deadline: deadline.clone(),
                    question: item.question,
                });
                answers.len() - 1
            });
            differing.items.push(Recomputed {
                name: item.name,
                old: item.due,
                new,
                answer,
            });
        }
        Ok(differing)
    }

    /// The due dates as the calendar computes them.
    pub(crate) async fn brought_up_to_date(&mut self, open: Vec<OpenDueDate>) -> Result<Vec<OpenDueDate>, Status> {
        let keys = self.answer(&open).await?;
        let open = open.into_iter().zip(&keys).map(|(item, key)| match &self.answers[key] {
            None => Ok(item),
            Some(deadline) => Ok(OpenDueDate {
                due: due_date(deadline).map_err(broken)?,
                registered_on: registered_on(deadline).map_err(broken)?,
                ..item
            }),
        });
        open.collect()
    }

    /// Asks what was not asked yet, and gives for each due date the key of its answer.
    async fn answer(&mut self, open: &[OpenDueDate]) -> Result<Vec<Vec<u8>>, Status> {
        let mut unasked: HashMap<Vec<u8>, ComputeDeadlineRequest> = HashMap::new();
        let mut keys = Vec::with_capacity(open.len());
        for item in open {
            let key = item.question.encode_to_vec();
            if !self.answers.contains_key(&key)
                && let Entry::Vacant(entry) = unasked.entry(key.clone())
            {
                entry.insert(item.question.clone());
            }
            keys.push(key);
        }
        let (unasked, questions): (Vec<_>, Vec<_>) = unasked.into_iter().unzip();
        let answers = self.ask(questions).await?;
        self.answers.extend(unasked.into_iter().zip(answers));
        Ok(keys)
    }

    /// Asks again for the steps of the answers.
    ///
    /// # Errors
    /// The calendar's status; an answer that is not the one given before.
    pub(crate) async fn explain(&mut self, answers: &mut [Answer]) -> Result<(), Status> {
        let questions = answers.iter().map(|answer| answer.question.clone()).collect();
        let (questions, hypothesis) = (self.at(questions), self.hypothesis);
        let explained = self.calendar.deadlines(questions, hypothesis, true).await?;
        self.require_one_version(&explained)?;
        for (answer, explained) in answers.iter_mut().zip(explained) {
            if due_date(&explained).map_err(broken)? != due_date(&answer.deadline).map_err(broken)? {
                return Err(Status::unavailable(
                    "the calendar explains another due date than it gave",
                ));
            }
            answer.deadline = explained;
        }
        Ok(())
    }

    /// The calendar's answers; none to a question that it refuses: such a due date stays as it is and holds up no other.
    async fn ask(&mut self, questions: Vec<ComputeDeadlineRequest>) -> Result<Vec<Option<Deadline>>, Status> {
        let questions = self.at(questions);
        let answered = self.calendar.deadlines(questions.clone(), self.hypothesis, false).await;
        let deadlines = match answered {
            Err(status) if status.code() == Code::OutOfRange => return self.ask_singly(questions).await,
            answered => answered?,
        };
        self.require_one_version(&deadlines)?;
        Ok(deadlines.into_iter().map(Some).collect())
    }

    async fn ask_singly(&mut self, questions: Vec<ComputeDeadlineRequest>) -> Result<Vec<Option<Deadline>>, Status> {
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            let answered = self.calendar.deadlines(vec![question], self.hypothesis, false).await;
            let deadlines = match answered {
                Err(status) if status.code() == Code::OutOfRange => {
                    let reason = status.message();
                    if let Some(unlogged) = repeated::to_log(&format!("an open due date stays: {reason}")) {
                        tracing::error!(reason, unlogged, "an open due date cannot be recomputed and stays");
                    }
                    answers.push(None);
                    continue;
                }
                answered => answered?,
            };
            self.require_one_version(&deadlines)?;
            answers.extend(deadlines.into_iter().map(Some));
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

/// Whether what is said of a due date differs; the version of the calendar alone makes no difference.
fn differs(item: &OpenDueDate, new: &DueDate, registered_on: Option<Date>) -> bool {
    let said = |due: &DueDate| (due.date, due.time, due.provisional, due.assumed);
    said(&item.due) != said(new) || item.registered_on != registered_on
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

    #[test]
    fn only_what_is_said_of_the_date_makes_a_difference_and_not_the_version() {
        let (day, other) = (jiff::civil::date(2027, 1, 8), jiff::civil::date(2027, 1, 9));
        let due = DueDate {
            date: day,
            time: "2027-01-08T19:00:00Z".parse().expect("an instant"),
            provisional: true,
            assumed: false,
            calendar_version: "18".into(),
        };
        let open = OpenDueDate {
            name: "requests/1".into(),
            due: due.clone(),
            registered_on: Some(day),
            question: ComputeDeadlineRequest::default(),
        };
        let differs = |change: fn(&mut DueDate), registered_on| {
            let mut new = due.clone();
            change(&mut new);
            differs(&open, &new, Some(registered_on))
        };
        assert!(!differs(|_| {}, day));
        assert!(!differs(
            |new| new.calendar_version = "19@2026-11-24T10:00:00Z".into(),
            day
        ));
        assert!(differs(|_| {}, other));
        assert!(differs(|new| new.provisional = false, day));
        assert!(differs(|new| new.assumed = true, day));
        assert!(differs(|new| new.date = jiff::civil::date(2027, 1, 9), day));
    }

    #[test]
    fn a_date_moves_and_a_restated_one_does_not() {
        let due = |day: i8| DueDate {
            date: jiff::civil::date(2027, 1, day),
            time: "2027-01-08T19:00:00Z".parse().expect("an instant"),
            provisional: false,
            assumed: false,
            calendar_version: "18".into(),
        };
        let moves = |old, new| {
            let (name, answer) = (String::new(), 0);
            Recomputed { name, old, new, answer }.moves()
        };
        assert!(moves(due(8), due(9)));
        assert!(!moves(
            due(8),
            DueDate {
                provisional: true,
                ..due(8)
            }
        ));
    }
}
