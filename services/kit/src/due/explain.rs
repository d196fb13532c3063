//! Why a due date is the day it is: the steps of the calendar that computed it, asked for when somebody reads them. They are not
//! stored: the calendar answers the same question with what was known at the same moment always alike.

use std::{fmt, time::Duration};

use legalstat_proto::calendar::v1::Step;

use crate::{
    door::wire,
    due::{
        DueDate, Schedule, Terms, Version,
        calendar::{due_date, question},
    },
    period::ReportingPeriod,
    repeated,
};

/// How long a reader waits for the steps; without them the rest is answered.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why there are no steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unexplained {
    /// The calendar did not answer in time.
    Away,
    /// The calendar computes another day by the terms as they are: the due date was met under others.
    OtherTerms,
}

impl fmt::Display for Unexplained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Away => "the calendar is away; ask again",
            Self::OtherTerms => "the terms of the duty have changed since the due date was met",
        })
    }
}

impl Schedule {
    /// The steps of a due date that the calendar has computed by these terms.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn explain(
        &self,
        terms: &Terms,
        period: ReportingPeriod,
        due: &DueDate,
    ) -> Result<Vec<Step>, Unexplained> {
        let obligation = terms.obligation(period).ok_or(Unexplained::OtherTerms)?;
        let mut question = question(obligation);
        question.as_known_at = Version(&due.calendar_version).known_since().map(wire::to_timestamp);
        let asked = self.calendar().deadlines(vec![question], None, true);
        let answered = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(status)) => {
                let (code, message) = (status.code(), status.message());
                if let Some(unlogged) = repeated::to_log(&format!("a due date is not explained: {code:?}, {message}")) {
                    tracing::warn!(?code, message, unlogged, "a due date is not explained");
                }
                return Err(Unexplained::Away);
            }
            Err(_) => return Err(Unexplained::Away),
        };
        let deadline = answered.into_iter().next().ok_or(Unexplained::Away)?;
        match due_date(&deadline) {
            Ok(computed) if computed.date == due.date => Ok(deadline.steps),
            _ => Err(Unexplained::OtherTerms),
        }
    }
}
