//! The calendar, asked when something is due.

use std::time::Duration;

use anyhow::Context as _;
use legalstat_proto::calendar::v1::{
    BatchComputeDeadlinesRequest, BatchComputeDeadlinesResponse, CalendarChange, ComputeDeadlineRequest, Deadline,
    Obligation, WatchCalendarRequest, calendar_service_client::CalendarServiceClient,
    compute_deadline_request::Subject, preview_recompute_request,
};
use tonic::{Response, Status, Streaming};

use crate::{
    call::{balance::Balanced, client, tls},
    door::wire,
    due::DueDate,
};

/// How many deadlines the calendar computes in one call.
pub const BATCH: usize = 1000;

/// How many with their steps: so many fit into [`LARGEST`], however long their terms.
const EXPLAINED_BATCH: usize = 100;
/// How many bytes an answer may have.
const LARGEST: usize = 16 * 1024 * 1024;

/// How long an answer is waited for, connecting included.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is put on top of the calendar as it is.
pub type Hypothesis = preview_recompute_request::Change;

/// The calendar, called with the service's own certificate.
#[derive(Clone)]
pub struct Calendar {
    client: CalendarServiceClient<Balanced>,
}

impl Calendar {
    /// The calendar at an address; it is called only when asked.
    ///
    /// # Errors
    /// An address that is not a URL, or certificate files that cannot be read.
    pub fn new(url: &str, files: &tls::Files) -> anyhow::Result<Self> {
        Ok(Self {
            client: CalendarServiceClient::new(client::to_service(url, files)?).max_decoding_message_size(LARGEST),
        })
    }

    /// When each of up to [`BATCH`] obligations is due, in the order asked.
    ///
    /// # Errors
    /// A calendar that is away, or an answer that cannot be used.
    pub async fn due_dates(&self, obligations: impl Iterator<Item = Obligation>) -> anyhow::Result<Vec<DueDate>> {
        let answers = self.deadlines(obligations.map(question).collect(), None, false).await;
        let deadlines = answers.map_err(client::failed)?;
        deadlines.iter().map(due_date).collect()
    }

    /// The deadline of each question, in the order asked, with its steps if `explained`; as if the hypothesis held.
    ///
    /// # Errors
    /// The calendar's own refusal, or the status of a calendar that is away or breaks its contract.
    pub async fn deadlines(
        &self,
        questions: Vec<ComputeDeadlineRequest>,
        hypothesis: Option<&Hypothesis>,
        explained: bool,
    ) -> Result<Vec<Deadline>, Status> {
        let mut deadlines = Vec::with_capacity(questions.len());
        for batch in questions.chunks(if explained { EXPLAINED_BATCH } else { BATCH }) {
            let answer = self.ask(batch.to_vec(), hypothesis, explained).await?;
            if answer.deadlines.len() != batch.len() {
                let (asked, answered) = (batch.len(), answer.deadlines.len());
                return Err(Status::internal(format!(
                    "the calendar was asked for {asked} deadlines and answered {answered}"
                )));
            }
            deadlines.extend(answer.deadlines);
        }
        Ok(deadlines)
    }

    /// Has the calendar check a hypothesis, and answers its version under it.
    ///
    /// # Errors
    /// The calendar's refusal, or the status of a calendar that is away.
    pub async fn check(&self, hypothesis: &Hypothesis) -> Result<String, Status> {
        let answer = self.ask(Vec::new(), Some(hypothesis), false).await?;
        Ok(answer.calendar_version)
    }

    async fn ask(
        &self,
        requests: Vec<ComputeDeadlineRequest>,
        hypothesis: Option<&Hypothesis>,
        include_steps: bool,
    ) -> Result<BatchComputeDeadlinesResponse, Status> {
        let mut message = BatchComputeDeadlinesRequest {
            requests,
            include_steps,
            ..BatchComputeDeadlinesRequest::default()
        };
        match hypothesis {
            None => {}
            Some(Hypothesis::CalendarAct(act)) => message.hypothetical_act = Some(act.clone()),
            Some(Hypothesis::Withdrawal(name)) => message.hypothetical_withdrawal.clone_from(name),
        }
        let mut client = self.client.clone();
        within(client.batch_compute_deadlines(client::request(message))).await
    }

    /// The changes of the calendar after a resume token, as they come.
    ///
    /// # Errors
    /// The status of a calendar that is away, or that does not know the token.
    pub async fn watch(&self, resume_token: String) -> Result<Streaming<CalendarChange>, Status> {
        let mut client = self.client.clone();
        // Without a deadline: the stream lasts as long as both sides do.
        let message = WatchCalendarRequest {
            resume_token,
            ..WatchCalendarRequest::default()
        };
        within(client.watch_calendar(tonic::Request::new(message))).await
    }
}

/// Waits for an answer, but not for one that begins and never ends, or a feed that never begins: a call's own deadline is for the
/// beginning, and a feed has none.
async fn within<T>(call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Status> {
    // Boxed: a call takes kilobytes, and whatever waits for it would have them several times over.
    let answer = tokio::time::timeout(PATIENCE, Box::pin(call)).await;
    let answer = answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in time")));
    Ok(answer?.into_inner())
}

/// What the calendar is asked about an obligation.
pub fn question(obligation: Obligation) -> ComputeDeadlineRequest {
    ComputeDeadlineRequest {
        subject: Some(Subject::Obligation(obligation)),
        ..ComputeDeadlineRequest::default()
    }
}

/// The due date of a deadline.
///
/// # Errors
/// A deadline that breaks its contract.
pub fn due_date(deadline: &Deadline) -> anyhow::Result<DueDate> {
    let date = deadline.due_date.as_ref().context("a deadline without its date")?;
    let time = deadline.due_time.as_ref().context("a deadline without its instant")?;
    Ok(DueDate {
        date: wire::date(date).map_err(anyhow::Error::msg)?,
        time: wire::whole_microseconds(wire::timestamp(time).map_err(anyhow::Error::msg)?),
        provisional: deadline.provisional,
        assumed: deadline.assumed,
        calendar_version: deadline.calendar_version.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_breaks_the_contract_is_no_due_date() {
        let due: DueDate = DueDate {
            date: jiff::civil::date(2025, 1, 5),
            time: "2025-01-05T19:00:00Z".parse().expect("an instant"),
            provisional: false,
            assumed: true,
            calendar_version: "7".into(),
        };
        let whole = Deadline {
            due_date: Some(wire::to_date(due.date)),
            due_time: Some(wire::to_timestamp(due.time)),
            assumed: true,
            calendar_version: "7".into(),
            ..Deadline::default()
        };
        assert_eq!(due_date(&whole).expect("it is whole"), due);
        let (mut without_date, mut without_time) = (whole.clone(), whole);
        without_date.due_date = None;
        without_time.due_time = None;
        assert!(due_date(&without_date).is_err());
        assert!(due_date(&without_time).is_err());
    }
}
