//! The calendar, asked when editions are due.

use std::time::Duration;

use anyhow::Context as _;
use legalstat_proto::calendar::v1::{
    BatchComputeDeadlinesRequest, ComputeDeadlineRequest, Deadline, Obligation,
    calendar_service_client::CalendarServiceClient, compute_deadline_request::Subject,
};
use tonic::transport::Channel;

use crate::{client, schedule::DueDate, tls, wire};

/// How many deadlines the calendar computes in one call.
pub const BATCH: usize = 1000;

/// How long an answer is waited for, connecting included.
const PATIENCE: Duration = Duration::from_secs(10);

/// The calendar, called with the service's own certificate.
#[derive(Clone)]
pub struct Calendar {
    client: CalendarServiceClient<Channel>,
}

impl Calendar {
    /// The calendar at an address; it is called only when asked.
    ///
    /// # Errors
    /// An address that is not a URL, or certificate files that cannot be read.
    pub fn new(url: &str, files: &tls::Files) -> anyhow::Result<Self> {
        let identity = tls::client(&files.authority, Some((&files.certificate, &files.key)))?;
        Ok(Self {
            client: CalendarServiceClient::new(client::channel(url, identity)?),
        })
    }

    /// When each of up to [`BATCH`] obligations is due, in the order asked.
    ///
    /// # Errors
    /// A calendar that is away, or an answer that cannot be used.
    pub async fn due_dates(&self, obligations: impl Iterator<Item = Obligation>) -> anyhow::Result<Vec<DueDate>> {
        let message = BatchComputeDeadlinesRequest {
            requests: obligations.map(question).collect(),
            ..BatchComputeDeadlinesRequest::default()
        };
        let asked = message.requests.len();
        let mut client = self.client.clone();
        let answer = client.batch_compute_deadlines(client::request(message));
        // The call's own deadline starts with its connection; a peer that never finishes the handshake has none.
        let answer = tokio::time::timeout(PATIENCE, answer)
            .await
            .context("no answer in time")?;
        let answer = answer.map_err(|status| anyhow::anyhow!("{:?}: {}", status.code(), status.message()))?;
        due_dates(asked, answer.into_inner().deadlines)
    }
}

fn question(obligation: Obligation) -> ComputeDeadlineRequest {
    ComputeDeadlineRequest {
        subject: Some(Subject::Obligation(obligation)),
        ..ComputeDeadlineRequest::default()
    }
}

fn due_dates(asked: usize, deadlines: Vec<Deadline>) -> anyhow::Result<Vec<DueDate>> {
    let answered = deadlines.len();
    anyhow::ensure!(
        asked == answered,
        "the calendar was asked for {asked} deadlines and answered {answered}"
    );
    deadlines.into_iter().map(due_date).collect()
}

fn due_date(deadline: Deadline) -> anyhow::Result<DueDate> {
    let date = deadline.due_date.context("a deadline without its date")?;
    let time = deadline.due_time.context("a deadline without its instant")?;
    Ok(DueDate {
        date: wire::date(&date).map_err(anyhow::Error::msg)?,
        time: wire::whole_microseconds(wire::timestamp(&time).map_err(anyhow::Error::msg)?),
        provisional: deadline.provisional,
        assumed: deadline.assumed,
        calendar_version: deadline.calendar_version,
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
        assert_eq!(due_dates(1, vec![whole.clone()]).expect("it is whole"), [due]);
        assert!(due_dates(2, vec![whole.clone()]).is_err());
        let (mut without_date, mut without_time) = (whole.clone(), whole);
        without_date.due_date = None;
        without_time.due_time = None;
        assert!(due_dates(1, vec![without_date]).is_err());
        assert!(due_dates(1, vec![without_time]).is_err());
    }
}
