//! The calendar's methods, one file each.

mod batch_compute_deadlines;
mod compute_deadline;
mod convert;
mod get_day;
mod list_days;
mod list_terms;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use legalstat_kit::{Context, Refusal, Violations, wire};
use legalstat_proto::calendar::v1 as proto;
use tonic::{Request, Response, Status};

use crate::domain::{Calendar, Calendars, Term, WorkingHours};

/// Answers from memory: the rules are read once at the start.
pub struct CalendarRpc {
    context: Context,
    calendars: Arc<Calendars>,
    terms: Arc<[Term]>,
    hours: WorkingHours,
}

impl CalendarRpc {
    /// Answers with these rules.
    pub fn new(context: Context, calendars: Arc<Calendars>, terms: Arc<[Term]>, hours: WorkingHours) -> Self {
        Self {
            context,
            calendars,
            terms,
            hours,
        }
    }

    /// The calendar as known at an instant, by default now. What will be known later nobody can ask.
    fn calendar(&self, as_known_at: Option<Timestamp>) -> Arc<Calendar> {
        let now = self.context.now();
        self.calendars.as_known_at(as_known_at.unwrap_or(now).min(now))
    }
}

/// Reads `as_known_at`, and refuses with all other violations.
fn as_known_at(
    mut violations: Violations,
    value: Option<&prost_types::Timestamp>,
) -> Result<Option<Timestamp>, Refusal> {
    let at = wire::optional_timestamp(&mut violations, "as_known_at", value);
    violations.refuse()?;
    Ok(at)
}

#[tonic::async_trait]
impl proto::calendar_service_server::CalendarService for CalendarRpc {
    async fn get_day(&self, request: Request<proto::GetDayRequest>) -> Result<Response<proto::Day>, Status> {
        Ok(Response::new(self.day(&request.into_inner())?))
    }

    async fn list_days(
        &self,
        request: Request<proto::ListDaysRequest>,
    ) -> Result<Response<proto::ListDaysResponse>, Status> {
        Ok(Response::new(self.days(&request.into_inner())?))
    }

    async fn compute_deadline(
        &self,
        request: Request<proto::ComputeDeadlineRequest>,
    ) -> Result<Response<proto::Deadline>, Status> {
        Ok(Response::new(self.deadline(&request.into_inner())?))
    }

    async fn batch_compute_deadlines(
        &self,
        request: Request<proto::BatchComputeDeadlinesRequest>,
    ) -> Result<Response<proto::BatchComputeDeadlinesResponse>, Status> {
        Ok(Response::new(self.deadlines(request.into_inner())?))
    }

    async fn list_terms(
        &self,
        request: Request<proto::ListTermsRequest>,
    ) -> Result<Response<proto::ListTermsResponse>, Status> {
        Ok(Response::new(self.terms(&request.into_inner())?))
    }
}
