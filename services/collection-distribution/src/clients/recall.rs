//! How a recipient's server is told of a recall.

use std::time::Instant;

use legalstat_proto::collections::v1::RecallCopyRequest;
use tonic::Request;

use crate::{
    clients::{
        call::ANSWER,
        faults,
        inbox::{Answer, Destination, Inboxes},
        line::Line,
    },
    domain::delivery::{Failure, Outcome},
};

impl Inboxes {
    /// Tells that a copy was recalled; nothing is sent after `until`. It is safe to drop at any time.
    ///
    /// # Errors
    /// How the attempt ended without an answer.
    pub async fn recall(
        &self,
        to: &Destination,
        recall: &RecallCopyRequest,
        until: Instant,
    ) -> Result<Answer, Failure> {
        if Instant::now() >= until {
            return Err(faults::late());
        }
        let attempt = tokio::time::timeout_at(until.into(), self.tell(to, recall, until));
        attempt.await.unwrap_or_else(|_| Err(faults::late()))
    }

    async fn tell(&self, to: &Destination, recall: &RecallCopyRequest, until: Instant) -> Result<Answer, Failure> {
        if let Some(line) = self.lines.take(to) {
            match self.tell_over(line, to, recall, until).await {
                // A connection that has waited may have ended meanwhile. Told twice, the server answers the same.
                Err(failure) if failure.outcome == Outcome::BrokenOff => {}
                ended => return ended,
            }
        }
        let line = self.line(to, until).await?;
        self.tell_over(line, to, recall, until).await
    }

    async fn tell_over(
        &self,
        line: Line,
        to: &Destination,
        recall: &RecallCopyRequest,
        until: Instant,
    ) -> Result<Answer, Failure> {
        let (client, course) = line.call(until);
        let mut told = Request::new(recall.clone());
        told.set_timeout(until.saturating_duration_since(Instant::now()));
        let answered = client.max_decoding_message_size(ANSWER).recall_copy(told).await;
        answered.map_err(|status| course.failure(&status))?;
        self.lines.keep(to, line);
        Ok(Answer::KnowsOfRecall)
    }
}
