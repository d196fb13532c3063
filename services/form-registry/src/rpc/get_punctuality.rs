//! GetPunctuality.

use std::collections::BTreeMap;

use legalstat_kit::{
    Call, Error, FieldReason, Violations,
    door::{wire, word},
    due::{Moment, answering, schedule},
    period::ReportingPeriod,
};
use legalstat_proto::forms::v1::{GetPunctualityRequest, PunctualityLine, PunctualityReport};
use tonic::Response;

use super::{
    FormRegistry,
    convert::{self, LINES, Lines},
    door,
    showing::Showing,
};
use crate::{
    db,
    domain::{
        key,
        punctuality::{Counts, Standing},
    },
};

/// Within how many days something is due soon unless asked otherwise, and at most.
const SOON: i32 = 7;
const SOON_AT_MOST: i32 = 366;

pub(super) async fn get_punctuality(
    registry: &FormRegistry,
    call: Call,
    request: GetPunctualityRequest,
) -> Result<Response<PunctualityReport>, Error> {
    let (mut violations, context) = (Violations::new(), &registry.context);
    let year = schedule::year(&mut violations, "year", request.year);
    let form = door::optional_form(&mut violations, "form", &request.form);
    let period = period(&mut violations, year, &request.period);
    let lines = word::optional(&mut violations, "lines", request.lines, &LINES, convert::lines);
    let soon = request.soon_days.unwrap_or(SOON);
    if !(0..=SOON_AT_MOST).contains(&soon) {
        violations.add(
            "soon_days",
            FieldReason::OutOfRange,
            format!("0 to {SOON_AT_MOST} days"),
        );
    }
    let year = violations.sound(year)?;
    let mut snapshot = context.db.snapshot().await?;
    door::require_registered(&mut snapshot, form).await?;
    registry.schedule.require_whole()?;
    let (parent, period) = (form.map(key::form), period.map(|period| period.to_string()));
    let now = context.now();
    let (parent, period) = (parent.as_deref(), period.as_deref());
    let standings = db::punctuality::of_year(&mut snapshot, year, parent, period, now).await?;
    // What an embargo withholds is counted as not placed, for everyone; who may not know is recorded as of any other list.
    let mut showing = Showing::to(&call, now);
    if standings.iter().any(|standing| standing.is_withheld(now)) {
        let embargoes = db::embargo::holding(&mut snapshot, None, now).await?;
        for standing in standings.iter().filter(|standing| standing.is_withheld(now)) {
            showing.view(standing.key, embargoes.get(&standing.key), true);
        }
    }
    let moment = Moment::new(now, soon);
    let counts = Counts::of(&standings, moment);
    Ok(showing.answer(PunctualityReport {
        year: request.year,
        on_time: counts.on_time,
        late: counts.late,
        overdue: counts.overdue,
        not_due: counts.not_due,
        total: counts.expected,
        counts: Some(convert::to_counts(counts)),
        lines: lines.map(|lines| by(lines, &standings, moment)).unwrap_or_default(),
        answering_from: answering::day(&mut snapshot).await?.map(wire::to_date),
    }))
}

/// Reads a period of the year; empty means all.
fn period(violations: &mut Violations, year: Option<i16>, given: &str) -> Option<ReportingPeriod> {
    if given.is_empty() {
        return None;
    }
    let period: ReportingPeriod = violations.check("period", FieldReason::Period, given.parse())?;
    if year.is_some_and(|year| year != period.year()) {
        violations.add(
            "period",
            FieldReason::Conflict,
            "not a period of the year that is asked for",
        );
    }
    Some(period)
}

/// The counts by form, in their order, or by period, by its last day.
fn by(lines: Lines, standings: &[Standing], moment: Moment) -> Vec<PunctualityLine> {
    let mut groups: BTreeMap<_, Vec<&Standing>> = BTreeMap::new();
    for standing in standings {
        let (form, period) = (standing.key.form, standing.key.period);
        let group = match lines {
            Lines::ByForm => (form, None),
            Lines::ByPeriod => (0, Some((period.last_day(), period))),
        };
        groups.entry(group).or_default().push(standing);
    }
    let lines = groups.into_iter().map(|((form, period), standings)| PunctualityLine {
        form: if form == 0 { String::new() } else { key::form(form) },
        period: period.map(|(_, period)| period.to_string()).unwrap_or_default(),
        counts: Some(convert::to_counts(Counts::of(standings, moment))),
    });
    lines.collect()
}
