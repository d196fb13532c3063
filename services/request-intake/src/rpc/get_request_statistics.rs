//! GetRequestStatistics.

use std::ops::Range;

use jiff::{Timestamp, ToSpan as _, civil::Date};
use legalstat_kit::{Error, FieldReason, Violations, door::wire, zone};
use legalstat_proto::requests::v1::{self as proto, GetRequestStatisticsRequest, RequestStatistics};

use super::{RequestIntake, convert};
use crate::{
    db,
    domain::statistics::{Counts, Ended, Ground, Statistics},
};

/// The years for which statistics are asked for: whoever writes a year wrong is told so.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2100;

pub(super) async fn get_request_statistics(
    service: &RequestIntake,
    message: GetRequestStatisticsRequest,
) -> Result<RequestStatistics, Error> {
    let (from, to) = asked(&message)?;
    let now = service.context.now();
    let mut statistics = Statistics::default();
    // A statement for each month, all as of one moment: none of them is long, however many requests there are.
    let mut snapshot = service.context.db.snapshot().await?;
    for month in months(from, to) {
        for alike in db::statistics::alike(&mut snapshot, &month, now, message.include_forms).await? {
            statistics.add(&alike);
        }
        for (ground, ended) in db::statistics::ended(&mut snapshot, &month).await? {
            statistics.add_ended(ground, ended);
        }
    }
    let forms = if message.include_forms {
        forms(&statistics)
    } else {
        Vec::new()
    };
    Ok(RequestStatistics {
        forms,
        ..shown(statistics, from, to)
    })
}

fn asked(message: &GetRequestStatisticsRequest) -> Result<(Date, Date), Error> {
    let mut violations = Violations::new();
    let mut day = |field: &str, given| {
        let day = wire::required_date(&mut violations, field, given)?;
        if !YEARS.contains(&day.year()) {
            let description = format!("a day of the years {} to {}", YEARS.start(), YEARS.end());
            violations.add(field, FieldReason::OutOfRange, description);
        }
        Some(day)
    };
    let from = day("received_from", message.received_from.as_ref());
    let to = day("received_to", message.received_to.as_ref());
    if let Some((from, to)) = from.zip(to) {
        let is_too_long = from.checked_add(2.years()).is_ok_and(|end| to >= end);
        if to < from || is_too_long {
            let description = "not before `received_from`, and within two years of it";
            violations.add("received_to", FieldReason::Range, description);
        }
    }
    violations.sound(from.zip(to))
}

/// The months of a range of days, the first and the last cut to it.
fn months(from: Date, to: Date) -> Vec<Range<Timestamp>> {
    let mut months = Vec::new();
    let mut first = from;
    while first <= to {
        let last = first.last_of_month().min(to);
        months.push(zone::beginning(first)..zone::end(last));
        match last.tomorrow() {
            Ok(next) => first = next,
            Err(_) => break,
        }
    }
    months
}

fn shown(statistics: Statistics, from: Date, to: Date) -> RequestStatistics {
    let Statistics {
        total,
        kinds,
        channels,
        states,
        grounds,
        ..
    } = statistics;
    RequestStatistics {
        received_from: Some(wire::to_date(from)),
        received_to: Some(wire::to_date(to)),
        total: Some(counts(&total)),
        requester_kinds: Vec::from_iter(kinds.iter().map(|(kind, of_kind)| proto::RequesterKindCounts {
            requester_kind: convert::requester_kind(*kind),
            counts: Some(counts(of_kind)),
        })),
        channels: Vec::from_iter(channels.iter().map(|(channel, of_channel)| proto::ChannelCounts {
            channel: convert::channel(*channel),
            counts: Some(counts(of_channel)),
        })),
        states: Vec::from_iter(states.iter().map(|(state, of_state)| proto::StateCounts {
            state: convert::state(*state),
            counts: Some(counts(of_state)),
        })),
        grounds: grounds.into_iter().map(ground).collect(),
        forms: Vec::new(),
    }
}

fn forms(statistics: &Statistics) -> Vec<proto::FormCounts> {
    let forms = statistics.most_asked_forms().into_iter();
    let forms = forms.map(|(form, of_form)| proto::FormCounts {
        form: form.to_owned(),
        counts: Some(counts(of_form)),
    });
    forms.collect()
}

fn ground((ground, ended): (Ground, Ended)) -> proto::GroundCounts {
    let (rule, ground) = match ground {
        Ground::Broken(rule) => (convert::rule(rule), String::new()),
        Ground::Decided(ground) => (0, ground),
        Ground::Unknown => (0, String::new()),
    };
    proto::GroundCounts {
        rule,
        left_without_consideration: ended.left,
        ground,
        terminated: ended.terminated,
    }
}

fn counts(counts: &Counts) -> proto::RequestCounts {
    proto::RequestCounts {
        received: counts.received,
        registered: counts.registered,
        answered_in_time: counts.answered_in_time,
        answered_late: counts.answered_late,
        extended: counts.extended,
        open: counts.open,
        overdue: counts.overdue,
        median_days: counts.percentile(50),
        ninetieth_percentile_days: counts.percentile(90),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn months_cover_a_range_without_gap_and_none_is_longer_than_a_month() {
        let range = months(date(2025, 1, 31), date(2026, 3, 1));
        assert_eq!(range.len(), 15);
        assert_eq!(range[0].start, zone::beginning(date(2025, 1, 31)));
        assert_eq!(range[14].end, zone::end(date(2026, 3, 1)));
        assert!(range.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!(months(date(2026, 3, 2), date(2026, 3, 2)).len(), 1);
    }
}
