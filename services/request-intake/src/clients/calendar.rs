//! The calendar: by when requests must be answered.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context as _;
use futures::future::join_all;
use jiff::{Timestamp, civil::Date};
use legalstat_kit::{
    door::wire,
    due::{calendar::Calendar, feed::Feed},
    zone,
};
use legalstat_proto::{
    calendar::v1::{
        self as proto, ComputeDeadlineRequest, TermStart, compute_deadline_request::Subject, term_start::Rule,
    },
    common::v1 as common,
};

use super::{ask, understood};
use crate::domain::{
    clock_stop::{self, ClockStop},
    evidence::{Answer, Deadline, Step, StepEffect},
    owed::Owed,
    request::{DuePart, Extension, RequesterKind, Submission},
};

const NAME: &str = "calendar";
/// How many answers are kept for one kind of requester; most requests come on the day on which they are received.
const KEPT: usize = 100;
/// After how many questions in a row without an answer nothing more is asked.
const IN_A_ROW: usize = 3;

/// The deadlines of requests. An answer of the calendar is given again while the calendar is the same; while nobody tells
/// whether it is, nothing is given again.
pub struct Deadlines {
    calendar: Calendar,
    feed: Feed,
    kept: Mutex<Kept>,
}

/// Answers that held in one epoch of the feed.
#[derive(Default)]
struct Kept {
    epoch: u64,
    answers: HashMap<RequesterKind, Vec<(Range<Timestamp>, Deadline)>>,
}

/// What decides about a deadline.
type Question = (RequesterKind, Timestamp);

impl Deadlines {
    pub fn new(calendar: Calendar, feed: Feed) -> Self {
        Self {
            calendar,
            feed,
            kept: Mutex::default(),
        }
    }

    /// The deadline of each request under the term in force when it was received. The calendar is asked once about all that
    /// it was not asked before.
    pub async fn of(&self, submissions: &[&Submission], patience: Duration) -> Vec<Answer<Deadline>> {
        let epoch = self.feed.epoch();
        let questions: Vec<Question> = submissions
            .iter()
            .map(|submission| (submission.requester.kind, submission.received_at))
            .collect();
        let mut answers: HashMap<Question, Answer<Deadline>> = HashMap::new();
        let mut unasked = Vec::new();
        for question in &questions {
            if answers.contains_key(question) {
                continue;
            }
            let kept = epoch.and_then(|epoch| self.kept(epoch, *question));
            if kept.is_none() {
                unasked.push(*question);
            }
            answers.insert(*question, kept.map_or(Answer::Away, Answer::Given));
        }
        if !unasked.is_empty() {
            let asked = self.ask(&unasked, epoch, patience).await;
            answers.extend(unasked.into_iter().zip(asked));
        }
        questions.iter().map(|question| answers[question].clone()).collect()
    }

    /// Forgets what the calendar answered: it turned out to be overtaken.
    pub fn forget(&self) {
        self.feed.changed();
    }

    fn kept(&self, epoch: u64, (kind, received_at): Question) -> Option<Deadline> {
        let kept = self.kept.lock().expect("no code panics while it holds this lock");
        let answers = kept.answers.get(&kind).filter(|_| kept.epoch == epoch)?;
        let found = answers.iter().find(|(within, _)| within.contains(&received_at));
        found.map(|(_, deadline)| deadline.clone())
    }

    async fn ask(&self, questions: &[Question], epoch: Option<u64>, patience: Duration) -> Vec<Answer<Deadline>> {
        let answers = match self.batch(questions, patience).await {
            Answer::Given(answers) => answers.into_iter().map(Answer::Given).collect(),
            Answer::Away => vec![Answer::Away; questions.len()],
            Answer::Refused(reason) if questions.len() == 1 => vec![Answer::Refused(reason)],
            // One that is refused must not keep the others from their answers.
            Answer::Refused(_) => join_all(questions.iter().map(|question| self.single(question, patience))).await,
        };
        let understood = answers.into_iter().zip(questions).map(|(answer, question)| {
            understood(NAME, answer, |message| {
                let within = within(&message)?;
                let deadline = deadline(message)?;
                if let Some((epoch, within)) = epoch.zip(within) {
                    self.keep(epoch, question.0, within, &deadline);
                }
                Ok(deadline)
            })
        });
        understood.collect()
    }

    async fn batch(&self, questions: &[Question], patience: Duration) -> Answer<Vec<proto::Deadline>> {
        let messages = questions
            .iter()
            .map(|(kind, received_at)| question(*kind, *received_at, None, None, &[]))
            .collect();
        ask(NAME, patience, self.calendar.deadlines(messages, None, true)).await
    }

    /// The deadline that one question is about, asked anew.
    pub async fn answer(&self, question: ComputeDeadlineRequest, patience: Duration) -> Answer<Deadline> {
        let answers = ask(NAME, patience, self.calendar.deadlines(vec![question], None, true)).await;
        understood(NAME, answers, |mut answers| {
            deadline(answers.pop().context("no answer to one question")?)
        })
    }

    /// The deadlines that different questions are about, in their order, asked anew: together, and one after another where that fails, for
    /// one must not keep the others from their answers. Those after [`IN_A_ROW`] without an answer are left out.
    pub async fn answers(&self, questions: &[ComputeDeadlineRequest], patience: Duration) -> Vec<Answer<Deadline>> {
        if let [question] = questions {
            return vec![self.answer(question.clone(), patience).await];
        }
        let together = ask(NAME, patience, self.calendar.deadlines(questions.to_vec(), None, true)).await;
        let together = understood(NAME, together, |answers| answers.into_iter().map(deadline).collect());
        if let Answer::Given(deadlines) = together {
            let deadlines: Vec<Deadline> = deadlines;
            return deadlines.into_iter().map(Answer::Given).collect();
        }
        let (mut answers, mut unanswered) = (Vec::with_capacity(questions.len()), 0);
        for question in questions {
            let answer = self.answer(question.clone(), patience).await;
            unanswered = if answer == Answer::Away { unanswered + 1 } else { 0 };
            answers.push(answer);
            if unanswered == IN_A_ROW {
                break;
            }
        }
        answers
    }

    async fn single(&self, question: &Question, patience: Duration) -> Answer<proto::Deadline> {
        let answers = self.batch(std::slice::from_ref(question), patience).await;
        understood(NAME, answers, |mut answers| {
            answers.pop().context("no answer to one question")
        })
    }

    /// Keeps an answer, unless the calendar has changed since the question.
    fn keep(&self, epoch: u64, kind: RequesterKind, within: Range<Timestamp>, deadline: &Deadline) {
        if self.feed.epoch() != Some(epoch) {
            return;
        }
        let mut kept = self.kept.lock().expect("no code panics while it holds this lock");
        if kept.epoch != epoch {
            *kept = Kept {
                epoch,
                ..Kept::default()
            };
        }
        let answers = kept.answers.entry(kind).or_default();
        if answers.len() == KEPT {
            answers.clear();
        }
        answers.push((within, deadline.clone()));
    }
}

/// The receipts that have this very answer, where the calendar tells.
fn within(message: &proto::Deadline) -> anyhow::Result<Option<Range<Timestamp>>> {
    let Some((from, before)) = message.received_from.as_ref().zip(message.received_before.as_ref()) else {
        return Ok(None);
    };
    let instant = |at| wire::timestamp(at).map_err(anyhow::Error::msg);
    Ok(Some(instant(from)?..instant(before)?))
}

/// What the calendar is asked about a request. When it is settled that it was registered on the day of receipt, the time of
/// day does not matter any more: such requests of one day have one question. A due date that was put off is asked for as such. Whether the
/// clock stops is for the term.
pub fn question(
    requester_kind: RequesterKind,
    received_at: Timestamp,
    settled: Option<Date>,
    extension: Option<Extension>,
    stops: &[ClockStop],
) -> ComputeDeadlineRequest {
    let term_start = TermStart {
        rule: Some(Rule::RequesterKind(kind(requester_kind).into())),
        received_at: Some(wire::to_timestamp(receipt(received_at, settled))),
        registered_on: settled.map(wire::to_date),
        clock_stops: clock_stop::stretches(stops).into_iter().map(suspension).collect(),
        part: extension.map(|extension| part(extension.part)).unwrap_or_default(),
        counted_from: extension
            .and_then(|extension| extension.counted_from)
            .map(wire::to_date),
        until: extension.and_then(|extension| extension.until).map(wire::to_date),
        ..TermStart::default()
    };
    of_term(term_start)
}

fn suspension((stopped_at, restarted_at): (Timestamp, Timestamp)) -> proto::Suspension {
    proto::Suspension {
        stopped_at: Some(wire::to_timestamp(stopped_at)),
        restarted_at: Some(wire::to_timestamp(restarted_at)),
    }
}

/// The receipt as far as it matters.
fn receipt(received_at: Timestamp, settled: Option<Date>) -> Timestamp {
    let received_on = zone::civil_day(received_at);
    match settled {
        Some(settled) if settled == received_on => zone::beginning(received_on),
        _ => received_at,
    }
}

fn of_term(term_start: TermStart) -> ComputeDeadlineRequest {
    ComputeDeadlineRequest {
        subject: Some(Subject::TermStart(term_start)),
        ..ComputeDeadlineRequest::default()
    }
}

/// A time of a term besides the one for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// That for telling of an extension decided on this day.
    Extension(Date),
    /// That for forwarding, and for telling of it.
    Forwarding,
    /// That for giving back what was to be cured by this day.
    Return(Date),
}

/// What the calendar is asked about what is owed of a request besides its answer, on a day.
pub fn owed(submission: &Submission, registered_on: Option<Date>, owed: Owed, today: Date) -> ComputeDeadlineRequest {
    telling(
        submission.requester.kind,
        submission.received_at,
        registered_on.filter(|day| *day <= today),
        match owed {
            Owed::Return(cure_by) => Telling::Return(cure_by),
            Owed::Forwarding => Telling::Forwarding,
        },
    )
}

/// What the calendar is asked about the day by which a requester is to be told something.
pub fn telling(
    requester_kind: RequesterKind,
    received_at: Timestamp,
    settled: Option<Date>,
    telling: Telling,
) -> ComputeDeadlineRequest {
    let (part, counted_from) = match telling {
        Telling::Extension(day) => (proto::TermPart::ExtensionNotice, Some(wire::to_date(day))),
        Telling::Forwarding => (proto::TermPart::Forwarding, None),
        Telling::Return(day) => (proto::TermPart::Return, Some(wire::to_date(day))),
    };
    of_term(TermStart {
        rule: Some(Rule::RequesterKind(kind(requester_kind).into())),
        received_at: Some(wire::to_timestamp(receipt(received_at, settled))),
        registered_on: settled.map(wire::to_date),
        part: part.into(),
        counted_from,
        ..TermStart::default()
    })
}

/// The time of a term by which a due date is later.
pub fn part(part: DuePart) -> i32 {
    match part {
        DuePart::LongBase => proto::TermPart::LongBase,
        DuePart::Extension => proto::TermPart::Extension,
    }
    .into()
}

fn kind(kind: RequesterKind) -> proto::RequesterKind {
    match kind {
        RequesterKind::StateBody => proto::RequesterKind::StateBody,
        RequesterKind::ProsecutorBody => proto::RequesterKind::ProsecutorBody,
        RequesterKind::Individual => proto::RequesterKind::Individual,
        RequesterKind::LegalEntity => proto::RequesterKind::LegalEntity,
    }
}

/// Reads the calendar's answer.
///
/// # Errors
/// An answer that breaks its contract.
pub fn deadline(message: proto::Deadline) -> anyhow::Result<Deadline> {
    let due_time = message.due_time.context("a deadline without its instant")?;
    Ok(Deadline {
        registered_on: date(message.registered_on.as_ref())?,
        due_date: date(message.due_date.as_ref())?,
        due_time: wire::whole_microseconds(wire::timestamp(&due_time).map_err(anyhow::Error::msg)?),
        provisional: message.provisional,
        assumed: message.assumed,
        calendar_version: message.calendar_version,
        term: message.term,
        steps: Arc::new(message.steps.into_iter().map(step).collect::<anyhow::Result<_>>()?),
    })
}

fn date(date: Option<&common::Date>) -> anyhow::Result<Date> {
    wire::date(date.context("a deadline without a date")?).map_err(anyhow::Error::msg)
}

fn step(message: proto::Step) -> anyhow::Result<Step> {
    let effect = match message.effect() {
        proto::StepEffect::Start => StepEffect::Start,
        proto::StepEffect::Counted => StepEffect::Counted,
        proto::StepEffect::Skipped => StepEffect::Skipped,
        proto::StepEffect::Suspended => StepEffect::Suspended,
        proto::StepEffect::Rolled => StepEffect::Rolled,
        proto::StepEffect::Due => StepEffect::Due,
        proto::StepEffect::Unspecified => anyhow::bail!("a step with the unknown effect {}", message.effect),
    };
    Ok(Step {
        date: date(message.date.as_ref())?,
        effect,
        text: message.text.unwrap_or_default().into(),
        legal_basis: message.legal_basis.unwrap_or_default().into(),
    })
}
