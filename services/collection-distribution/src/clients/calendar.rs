//! The calendar: when editions are due.

use anyhow::Context as _;
use legalstat_kit::{client, tls, wire};
use legalstat_proto::calendar::v1::{
    BatchComputeDeadlinesRequest, ComputeDeadlineRequest, Deadline, Obligation,
    calendar_service_client::CalendarServiceClient, compute_deadline_request::Subject,
};
use tonic::transport::Channel;

use crate::domain::{
    collection::Collection,
    edition::{DueDate, EditionKey},
};

/// How many deadlines the calendar computes in one call.
pub const BATCH: usize = 1000;

/// The calendar, called with this service's own certificate.
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

    /// When each of up to [`BATCH`] editions is due, in the order asked.
    ///
    /// # Errors
    /// A calendar that is away, or an answer that cannot be used.
    pub async fn due_dates(&self, editions: &[(&Collection, EditionKey)]) -> anyhow::Result<Vec<DueDate>> {
        let message = BatchComputeDeadlinesRequest {
            requests: editions
                .iter()
                .map(|(collection, key)| obligation(collection, key))
                .collect(),
            include_steps: false,
        };
        let answered = self
            .client
            .clone()
            .batch_compute_deadlines(client::request(message))
            .await;
        let deadlines = answered.map_err(|status| anyhow::anyhow!("{:?}: {}", status.code(), status.message()))?;
        let deadlines = deadlines.into_inner().deadlines;
        let (asked, answered) = (editions.len(), deadlines.len());
        anyhow::ensure!(
            asked == answered,
            "the calendar was asked for {asked} deadlines and answered {answered}"
        );
        deadlines.into_iter().map(due_date).collect()
    }
}

fn obligation(collection: &Collection, key: &EditionKey) -> ComputeDeadlineRequest {
    let obligation = Obligation {
        period: key.period.to_string(),
        due_day: collection.due_day,
        roll_forward: collection.roll_forward,
        legal_basis: Some(collection.legal_basis.clone().into()),
        roll_forward_basis: Some(collection.roll_forward_basis.clone().into()),
    };
    ComputeDeadlineRequest {
        subject: Some(Subject::Obligation(obligation)),
        as_known_at: None,
    }
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
