//! BatchComputeDeadlines.

use legalstat_kit::{Error, Violations, wire};
use legalstat_proto::calendar::v1::{BatchComputeDeadlinesRequest, BatchComputeDeadlinesResponse};

use super::{CalendarRpc, compute_deadline::asked, convert};
use crate::error;

/// The most deadlines of one batch.
const LARGEST: usize = 1000;

impl CalendarRpc {
    pub(super) fn deadlines(
        &self,
        request: BatchComputeDeadlinesRequest,
    ) -> Result<BatchComputeDeadlinesResponse, Error> {
        let mut violations = Violations::new();
        if !(1..=LARGEST).contains(&request.requests.len()) {
            violations.add("requests", "OUT_OF_RANGE", format!("1 to {LARGEST} requests"));
            violations.refuse()?;
            return Err(anyhow::anyhow!("a violation refuses").into());
        }
        let mut questions = Vec::with_capacity(request.requests.len());
        for (index, request) in request.requests.iter().enumerate() {
            let path = format!("requests[{index}].");
            let known_path = format!("{path}as_known_at");
            let at = wire::optional_timestamp(&mut violations, &known_path, request.as_known_at.as_ref());
            questions.push((asked(&mut violations, &path, request), at));
        }
        violations.refuse()?;
        let mut deadlines = Vec::with_capacity(questions.len());
        for (index, (asked, at)) in questions.into_iter().enumerate() {
            let asked = asked.ok_or_else(|| anyhow::anyhow!("a request without violations asks for something"))?;
            let calendar = self.calendar(at);
            let deadline = self.compute(&asked, &calendar);
            let deadline =
                deadline.map_err(|error| error::refusal(error).with("request", &format!("requests[{index}]")))?;
            deadlines.push(convert::deadline(deadline, calendar.version(), request.include_steps));
        }
        Ok(BatchComputeDeadlinesResponse { deadlines })
    }
}
