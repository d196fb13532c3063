//! BatchComputeDeadlines.

use jiff::Timestamp;
use legalstat_kit::{Error, FieldReason, Violations, door::wire};
use legalstat_proto::calendar::v1::{
    BatchComputeDeadlinesRequest, BatchComputeDeadlinesResponse, ComputeDeadlineRequest,
};

use super::{
    CalendarRpc,
    compute_deadline::{Asked, asked},
    convert,
};
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
            violations.add("requests", FieldReason::OutOfRange, format!("1 to {LARGEST} requests"));
            violations.refuse()?;
            return Err(anyhow::anyhow!("a violation refuses").into());
        }
        let requests = request.requests.iter().enumerate();
        let questions: Vec<_> = requests
            .map(|(index, request)| question(&mut violations, &format!("requests[{index}]."), request))
            .collect();
        let withdrawn = &request.hypothetical_withdrawal;
        let mut calendars = self.asked_under(&mut violations, request.hypothetical_act.as_ref(), withdrawn);
        violations.refuse()?;
        let mut deadlines = Vec::with_capacity(questions.len());
        let (mut refused, mut faulty) = (None, Vec::new());
        for (index, (asked, at)) in questions.into_iter().enumerate() {
            let asked = asked.ok_or_else(|| anyhow::anyhow!("a request without violations asks for something"))?;
            let calendar = calendars.calendar(at)?;
            match self.compute(&asked, &calendar, request.include_steps) {
                Ok(deadline) => deadlines.push(convert::deadline(deadline)),
                Err(error) => {
                    faulty.push(format!("requests[{index}]"));
                    refused.get_or_insert(error);
                }
            }
        }
        if let Some(error) = refused {
            return Err(error::with(error, "requests", &faulty.join(",")));
        }
        Ok(BatchComputeDeadlinesResponse { deadlines })
    }
}

/// One request of a batch, with the instant whose knowledge it asks for.
fn question(
    violations: &mut Violations,
    path: &str,
    request: &ComputeDeadlineRequest,
) -> (Option<Asked>, Option<Timestamp>) {
    let known_path = format!("{path}as_known_at");
    let at = wire::optional_timestamp(violations, &known_path, request.as_known_at.as_ref());
    for (name, given) in [
        ("hypothetical_act", request.hypothetical_act.is_some()),
        ("hypothetical_withdrawal", !request.hypothetical_withdrawal.is_empty()),
    ] {
        if given {
            violations.add(
                format!("{path}{name}"),
                FieldReason::Conflict,
                "give it once, for the batch",
            );
        }
    }
    (asked(violations, path, request), at)
}
