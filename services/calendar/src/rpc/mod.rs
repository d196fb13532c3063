//! The calendar's methods, one file each.

mod act;
mod batch_compute_deadlines;
mod compute_deadline;
mod convert;
mod create_calendar_act;
mod explained;
mod get_day;
mod hypothetical;
mod list_calendar_acts;
mod list_days;
mod list_reporting_periods;
mod list_terms;
mod read_act;
#[cfg(test)]
mod tests;
mod trials;
mod watch_calendar;
mod withdraw_calendar_act;
mod written;

use std::sync::Arc;

use futures::stream::BoxStream;
use jiff::Timestamp;
use legalstat_kit::{Call, Context, Error, Refusal, Violations, door::wire};
use legalstat_proto::calendar::v1 as proto;
use tonic::{Request, Response, Status};

pub use explained::CalendarServer;

use self::trials::Trials;
use crate::{
    current::CurrentCalendars,
    domain::{Calendar, WorkingHours},
};

/// Answers from memory: the rules are read at the start and when something is recorded.
#[derive(Clone)]
pub struct CalendarRpc {
    context: Context,
    calendars: Arc<CurrentCalendars>,
    hours: WorkingHours,
    trials: Trials,
}

impl CalendarRpc {
    /// Answers with these rules.
    pub fn new(context: Context, calendars: Arc<CurrentCalendars>, hours: WorkingHours) -> Self {
        Self {
            context,
            calendars,
            hours,
            trials: Trials::default(),
        }
    }

    /// The instant whose knowledge is asked for, by default now. What will be known later nobody can ask; what is recorded
    /// is known, even if the clock that recorded it is ahead of this one.
    fn known_at(&self, as_known_at: Option<Timestamp>) -> Timestamp {
        let recorded = self.calendars.load().recorded_until();
        let now = recorded.map_or(self.context.now(), |recorded| recorded.max(self.context.now()));
        as_known_at.unwrap_or(now).min(now)
    }

    /// The calendar as known at an instant, by default now.
    fn calendar(&self, as_known_at: Option<Timestamp>) -> Result<Arc<Calendar>, Error> {
        Ok(self.calendars.load().as_known_at(self.known_at(as_known_at))?)
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
    type WatchCalendarStream = BoxStream<'static, Result<proto::CalendarChange, Status>>;

    async fn get_day(&self, request: Request<proto::GetDayRequest>) -> Result<Response<proto::Day>, Status> {
        Ok(Response::new(get_day::get_day(self, &request.into_inner())?))
    }

    async fn list_days(
        &self,
        request: Request<proto::ListDaysRequest>,
    ) -> Result<Response<proto::ListDaysResponse>, Status> {
        Ok(Response::new(list_days::list_days(self, &request.into_inner())?))
    }

    async fn compute_deadline(
        &self,
        request: Request<proto::ComputeDeadlineRequest>,
    ) -> Result<Response<proto::Deadline>, Status> {
        let (call, message) = Call::with_message(request);
        let (deadline, languages) = compute_deadline::answer(self, &call, message).await?;
        Ok(Response::new(languages.keep(convert::deadline(deadline))))
    }

    async fn batch_compute_deadlines(
        &self,
        request: Request<proto::BatchComputeDeadlinesRequest>,
    ) -> Result<Response<proto::BatchComputeDeadlinesResponse>, Status> {
        let (call, message) = Call::with_message(request);
        let answer = batch_compute_deadlines::answer(self, &call, message).await?;
        Ok(Response::new(answer))
    }

    async fn list_terms(
        &self,
        request: Request<proto::ListTermsRequest>,
    ) -> Result<Response<proto::ListTermsResponse>, Status> {
        Ok(Response::new(list_terms::list_terms(self, &request.into_inner())?))
    }

    async fn list_reporting_periods(
        &self,
        request: Request<proto::ListReportingPeriodsRequest>,
    ) -> Result<Response<proto::ListReportingPeriodsResponse>, Status> {
        Ok(Response::new(list_reporting_periods::list_reporting_periods(
            &request.into_inner(),
        )?))
    }

    async fn list_calendar_acts(
        &self,
        request: Request<proto::ListCalendarActsRequest>,
    ) -> Result<Response<proto::ListCalendarActsResponse>, Status> {
        Ok(Response::new(list_calendar_acts::list_calendar_acts(
            self,
            &request.into_inner(),
        )?))
    }

    async fn watch_calendar(
        &self,
        request: Request<proto::WatchCalendarRequest>,
    ) -> Result<Response<Self::WatchCalendarStream>, Status> {
        Ok(Response::new(watch_calendar::watch_calendar(
            self,
            &request.into_inner(),
        )?))
    }

    async fn create_calendar_act(
        &self,
        request: Request<proto::CreateCalendarActRequest>,
    ) -> Result<Response<proto::CalendarActEffect>, Status> {
        Ok(Response::new(self.create_act(request).await?))
    }

    async fn withdraw_calendar_act(
        &self,
        request: Request<proto::WithdrawCalendarActRequest>,
    ) -> Result<Response<proto::CalendarActEffect>, Status> {
        Ok(Response::new(self.withdraw_act(request).await?))
    }
}
