//! GetPunctuality.

use std::collections::BTreeMap;

use jiff::civil::Date;
use legalstat_kit::{
    Call, Caller, Error, FieldReason, Violations,
    door::{wire, word},
    due::{Moment, answering, schedule},
    period::ReportingPeriod,
};
use legalstat_proto::{
    collections::v1::{GetPunctualityRequest, PunctualityLine, PunctualityLines, PunctualityReport},
    common::v1::Role,
};
use sqlx::PgConnection;

use super::{CollectionDistribution, convert, door};
use crate::{
    db::{self, punctuality::Filter},
    domain::{
        key,
        punctuality::{CopyCounts, EditionCounts, Standing},
    },
    error,
};

/// Within how many days something is due soon unless asked otherwise, and at most.
const SOON: i32 = 7;
const SOON_AT_MOST: i32 = 366;

/// What the lines are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lines {
    Collections,
    Periods,
    Recipients,
}

const LINES: [Lines; 3] = [Lines::Collections, Lines::Periods, Lines::Recipients];

fn to_lines(lines: Lines) -> i32 {
    match lines {
        Lines::Collections => PunctualityLines::ByCollection,
        Lines::Periods => PunctualityLines::ByPeriod,
        Lines::Recipients => PunctualityLines::ByRecipient,
    }
    .into()
}

/// The counts of a line, or of all.
#[derive(Default)]
struct Counts {
    editions: EditionCounts,
    copies: CopyCounts,
}

pub(super) async fn get_punctuality(
    service: &CollectionDistribution,
    call: Call,
    request: GetPunctualityRequest,
) -> Result<PunctualityReport, Error> {
    let (mut violations, context) = (Violations::new(), &service.context);
    let year = schedule::year(&mut violations, "year", request.year);
    let collection = door::optional_collection(&mut violations, "collection", &request.collection);
    let period = period(&mut violations, year, &request.period);
    let recipient = door::optional_recipient(&mut violations, "recipient", &request.recipient);
    let lines = word::optional(&mut violations, "lines", request.lines, &LINES, to_lines);
    let soon = request.soon_days.unwrap_or(SOON);
    if !(0..=SOON_AT_MOST).contains(&soon) {
        let description = format!("0 to {SOON_AT_MOST} days");
        violations.add("soon_days", FieldReason::OutOfRange, description);
    }
    let year = violations.sound(year)?;
    let sees_copies = sees_copies(&call.caller);
    if !sees_copies && (recipient.is_some() || lines == Some(Lines::Recipients)) {
        return Err(error::copies_of_others().into());
    }
    let mut snapshot = context.db.snapshot().await?;
    door::require_registered(&mut snapshot, collection.as_deref()).await?;
    service.schedule.require_whole()?;
    let now = context.now();
    let moment = Moment::new(now, soon);
    let period = period.map(|period| period.to_string());
    let filter = Filter {
        year,
        collection: collection.as_deref(),
        period: period.as_deref(),
    };
    let standings = db::punctuality::of_year(&mut snapshot, &filter).await?;
    let mut all = Counts::default();
    let mut groups = groups(&mut snapshot, lines).await?;
    for standing in &standings {
        all.editions.add(standing, moment);
        if let Some(counts) = lines.and_then(|lines| groups.of_edition(lines, standing)) {
            counts.editions.add(standing, moment);
        }
    }
    if sees_copies {
        let recipients = door::visible_recipients(&mut snapshot, &call, recipient, now).await?;
        let keys: Vec<_> = standings.iter().map(|standing| &standing.key).collect();
        let count = |place: usize, recipient: String, copy| {
            let Some(standing) = standings.get(place) else {
                return;
            };
            all.copies.add(copy, standing, moment);
            let counts = match lines {
                Some(Lines::Recipients) => groups.of_recipient(recipient),
                Some(lines) => groups.of_edition(lines, standing),
                None => None,
            };
            if let Some(counts) = counts {
                counts.copies.add(copy, standing, moment);
            }
        };
        db::punctuality::each_copy(&mut snapshot, &keys, recipients.as_deref(), count).await?;
    }
    let copies = |copies: &CopyCounts| sees_copies.then(|| convert::to_copy_counts(copies));
    Ok(PunctualityReport {
        year: request.year,
        editions: Some(convert::to_edition_counts(all.editions)),
        copies: copies(&all.copies),
        lines: groups.lines(copies),
        answering_from: answering::day(&mut snapshot).await?.map(wire::to_date),
    })
}

/// Officials see copies, and so does a recipient.
fn sees_copies(caller: &Caller) -> bool {
    caller.is_official() || caller.has(Role::Recipient)
}

/// Reads a period of the year; empty means all.
fn period(violations: &mut Violations, year: Option<i16>, given: &str) -> Option<ReportingPeriod> {
    if given.is_empty() {
        return None;
    }
    let period: ReportingPeriod = violations.check("period", FieldReason::Period, given.parse())?;
    if year.is_some_and(|year| year != period.year()) {
        let description = "not a period of the year that is asked for";
        violations.add("period", FieldReason::Conflict, description);
    }
    Some(period)
}

/// What a line is about, in the order of the lines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    /// By its row of Appendix 1.
    Collection(usize, String),
    /// By its last day.
    Period(Date, ReportingPeriod),
    /// By its column of Appendix 1.
    Recipient(usize, String),
}

/// The counts by line.
struct Groups {
    /// The ids of collections or recipients in the order of Appendix 1.
    order: BTreeMap<String, usize>,
    counts: BTreeMap<About, Counts>,
}

async fn groups(connection: &mut PgConnection, lines: Option<Lines>) -> Result<Groups, Error> {
    let ids: Vec<String> = match lines {
        Some(Lines::Collections) => {
            let all = db::collection::list(connection, &db::collection::Filter::default(), None).await?;
            all.into_iter().map(|collection| collection.id).collect()
        }
        Some(Lines::Recipients) => {
            let all = db::recipient_detail::all(connection).await?;
            all.into_iter().map(|recipient| recipient.id).collect()
        }
        Some(Lines::Periods) | None => Vec::new(),
    };
    Ok(Groups {
        order: ids.into_iter().zip(0..).collect(),
        counts: BTreeMap::new(),
    })
}

impl Groups {
    fn place(&self, id: &str) -> usize {
        self.order.get(id).copied().unwrap_or(usize::MAX)
    }

    /// The counts of the line that an edition belongs to; `None` where lines are by recipient.
    fn of_edition(&mut self, lines: Lines, standing: &Standing) -> Option<&mut Counts> {
        let (collection, period) = (&standing.key.collection, standing.key.period);
        let about = match lines {
            Lines::Collections => About::Collection(self.place(collection), collection.clone()),
            Lines::Periods => About::Period(period.last_day(), period),
            Lines::Recipients => return None,
        };
        Some(self.counts.entry(about).or_default())
    }

    fn of_recipient(&mut self, recipient: String) -> Option<&mut Counts> {
        let about = About::Recipient(self.place(&recipient), recipient);
        Some(self.counts.entry(about).or_default())
    }

    fn lines(
        self,
        copies: impl Fn(&CopyCounts) -> Option<legalstat_proto::collections::v1::CopyCounts>,
    ) -> Vec<PunctualityLine> {
        let lines = self.counts.into_iter().map(|(about, counts)| {
            let mut line = PunctualityLine {
                editions: Some(convert::to_edition_counts(counts.editions)),
                copies: copies(&counts.copies),
                ..PunctualityLine::default()
            };
            match about {
                About::Collection(_, id) => line.collection = key::collection(&id),
                About::Period(_, period) => line.period = period.to_string(),
                About::Recipient(_, id) => {
                    line.recipient = key::recipient(&id);
                    line.editions = None;
                }
            }
            line
        });
        lines.collect()
    }
}
