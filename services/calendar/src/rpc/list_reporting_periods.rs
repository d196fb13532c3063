//! ListReportingPeriods.

use legalstat_kit::{
    Error, FieldReason, Refusal, Violations,
    door::{page::Page, wire::to_date},
    period::{PeriodError, PeriodKind, ReportingPeriod},
};
use legalstat_proto::{
    calendar::v1::{self as proto, ListReportingPeriodsRequest, ListReportingPeriodsResponse, Periodicity},
    common::v1::ErrorReason,
};
use tonic::Code;

use super::convert;

/// The longest range, in years.
const LONGEST: i32 = 20;

pub(super) fn list_reporting_periods(
    message: &ListReportingPeriodsRequest,
) -> Result<ListReportingPeriodsResponse, Error> {
    let mut violations = Violations::new();
    let (first, last) = (message.first_year, message.last_year);
    for (field, year) in [("first_year", first), ("last_year", last)] {
        if year == 0 {
            violations.add(field, FieldReason::Required, "required");
        }
    }
    if last < first {
        violations.add("last_year", FieldReason::Range, "must not lie before `first_year`");
    } else if i64::from(last) - i64::from(first) >= i64::from(LONGEST) {
        violations.add(
            "last_year",
            FieldReason::Range,
            format!("a range has at most {LONGEST} years"),
        );
    }
    let periodicity = Periodicity::try_from(message.periodicity).unwrap_or_default();
    if periodicity == Periodicity::Unspecified {
        violations.add(
            "periodicity",
            FieldReason::Enum,
            "required: monthly, quarterly, or half-year and year",
        );
    }
    let query = [first, last, message.periodicity].map(|part| part.to_string());
    let page = Page::parse(
        &mut violations,
        message.page_size,
        400,
        &message.page_token,
        &query.each_ref().map(String::as_str),
    )?;
    violations.refuse()?;
    let periods = in_order(year(first)?, year(last)?, periodicity).map_err(anyhow::Error::new)?;
    let after = page.after::<usize>()?.unwrap_or_default();
    let periods = periods
        .into_iter()
        .enumerate()
        .skip(after)
        .take(page.size + 1)
        .collect();
    let (periods, next_page_token) = page.cut(periods, |(position, _)| (position + 1).to_string());
    Ok(ListReportingPeriodsResponse {
        reporting_periods: periods.into_iter().map(|(_, period)| written(period)).collect(),
        next_page_token,
    })
}

/// A year of the calendar; another one is refused like a day outside it.
fn year(year: i32) -> Result<i16, Refusal> {
    let outside = |years| {
        Refusal::new(
            Code::OutOfRange,
            ErrorReason::YearOutOfRange,
            format!("{years}, not {year}"),
        )
    };
    convert::year(year).map_err(outside)
}

fn in_order(first: i16, last: i16, periodicity: Periodicity) -> Result<Vec<ReportingPeriod>, PeriodError> {
    let mut periods = Vec::new();
    for year in first..=last {
        match periodicity {
            Periodicity::Unspecified => {}
            Periodicity::Monthly => periods.extend(ReportingPeriod::of_year(year, PeriodKind::Month)?),
            Periodicity::Quarterly => periods.extend(ReportingPeriod::of_year(year, PeriodKind::Quarter)?),
            Periodicity::HalfYearAndYear => periods.extend([
                ReportingPeriod::new(year, PeriodKind::HalfYear, 1)?,
                ReportingPeriod::new(year, PeriodKind::Year, 1)?,
            ]),
        }
    }
    Ok(periods)
}

fn written(period: ReportingPeriod) -> proto::ReportingPeriod {
    proto::ReportingPeriod {
        period: period.to_string(),
        first_day: Some(to_date(period.first_day())),
        last_day: Some(to_date(period.last_day())),
    }
}
