//! Which figures a query asks for: its texts, and the numbers that they stand for.

use std::collections::HashMap;

use legalstat_kit::{Error, FieldReason, Violations, period::ReportingPeriod};
use legalstat_proto::forms::v1::{DimensionCode, QueryObservationsRequest};
use sqlx::PgConnection;

use super::query_observations::period;
use crate::{
    db::{
        code_list, indicator,
        observation::{self, Breakdown},
    },
    domain::{
        indicator::{KATO, TERRITORY, is_dimension_id},
        observation::Status,
        query::Narrowing,
        serving::Held,
    },
};

/// How many values one filter may have.
const MOST: usize = 100;
/// What stands for the whole country where territories are named.
const WHOLE: &str = "-";
/// What is wrong with a dimension that is not registered.
const NO_DIMENSION: &str = "no indicator of the form has this dimension";

/// What a query asks for, in texts.
pub(super) struct Asked {
    pub(super) first: Option<ReportingPeriod>,
    pub(super) last: Option<ReportingPeriod>,
    pub(super) descending: bool,
    pub(super) revision: Option<i32>,
    pub(super) total_over: Vec<String>,
    indicators: Vec<String>,
    territories: Vec<String>,
    /// The codes of each dimension; an empty one stands for none.
    dimensions: HashMap<String, Vec<String>>,
    /// The same in the order of the request.
    codes: Vec<DimensionCode>,
    statuses: Vec<Status>,
}

impl Asked {
    /// Reads it from a request.
    pub(super) fn read(violations: &mut Violations, request: &QueryObservationsRequest) -> Option<Self> {
        let first = period(violations, "period", &request.period);
        let last = match request.until_period.as_str() {
            "" => first,
            until => period(violations, "until_period", until),
        };
        if first
            .zip(last)
            .is_some_and(|(first, last)| last.last_day() < first.first_day())
        {
            violations.add("until_period", FieldReason::BeforePeriod, "not before `period`");
        }
        let counts = [
            ("indicators", request.indicators.len()),
            ("territories", request.territories.len()),
            ("dimensions", request.dimensions.len()),
        ];
        for (field, count) in counts {
            if count > MOST {
                violations.add(field, FieldReason::TooMany, format!("at most {MOST}"));
            }
        }
        let descending = match request.order_by.as_str() {
            "" | "period" => false,
            "period desc" => true,
            _ => {
                violations.add("order_by", FieldReason::Enum, "`period` or `period desc`");
                false
            }
        };
        for (place, id) in request.total_over.iter().enumerate() {
            let field = format!("total_over[{place}]");
            if id != TERRITORY && !is_dimension_id(id) {
                violations.add(field, FieldReason::Key, "the id of a dimension, or TERRITORY");
            } else if request.total_over[..place].contains(id) {
                violations.add(field, FieldReason::Duplicate, "each dimension once");
            }
        }
        Some(Self {
            first,
            last,
            descending,
            revision: revision(violations, request),
            total_over: request.total_over.clone(),
            indicators: request.indicators.clone(),
            territories: request.territories.clone(),
            dimensions: dimensions(violations, request),
            codes: request.dimensions.clone(),
            statuses: statuses(violations, request),
        })
    }

    /// Whether a breakdown is one of those asked for. `codes` are the numbers of the codes named, by dimension.
    fn takes(&self, breakdown: &Breakdown, codes: &HashMap<i32, String>) -> bool {
        self.dimensions.iter().all(|(dimension, wanted)| {
            let place = breakdown.dimensions.iter().position(|id| id == dimension);
            let code = place
                .and_then(|place| codes.get(&breakdown.codes[place]))
                .map_or("", String::as_str);
            wanted.iter().any(|wanted| wanted == code)
        })
    }

    /// The breakdowns asked for; `None` for all.
    pub(super) async fn breakdowns(&self, connection: &mut PgConnection) -> Result<Option<Vec<Breakdown>>, Error> {
        if self.dimensions.is_empty() && self.total_over.is_empty() {
            return Ok(None);
        }
        let all = observation::all_breakdowns(connection).await?;
        let numbers: Vec<i32> = all.iter().flat_map(|breakdown| breakdown.codes.clone()).collect();
        let codes = observation::codes(connection, &numbers).await?;
        Ok(Some(
            all.into_iter()
                .filter(|breakdown| self.takes(breakdown, &codes))
                .collect(),
        ))
    }
}

fn revision(violations: &mut Violations, request: &QueryObservationsRequest) -> Option<i32> {
    if request.revision < 0 {
        violations.add("revision", FieldReason::OutOfRange, "1 or more, or 0 for the latest");
    }
    if request.revision != 0 && (request.period.is_empty() || !request.until_period.is_empty()) {
        violations.add(
            "revision",
            FieldReason::Conflict,
            "needs `period` and no `until_period`",
        );
    }
    (request.revision > 0).then_some(request.revision)
}

fn dimensions(violations: &mut Violations, request: &QueryObservationsRequest) -> HashMap<String, Vec<String>> {
    let mut dimensions: HashMap<String, Vec<String>> = HashMap::new();
    for (place, given) in request.dimensions.iter().enumerate() {
        if !is_dimension_id(&given.dimension) {
            let field = format!("dimensions[{place}].dimension");
            violations.add(field, FieldReason::Key, "the id of a dimension, such as SEX");
        }
        dimensions
            .entry(given.dimension.clone())
            .or_default()
            .push(given.code.clone());
    }
    dimensions
}

fn statuses(violations: &mut Violations, request: &QueryObservationsRequest) -> Vec<Status> {
    let read = request.statuses.iter().enumerate().filter_map(|(place, number)| {
        let status = Status::at(*number);
        if status.is_none() {
            let field = format!("statuses[{place}]");
            violations.add(
                field,
                FieldReason::Enum,
                format!("{number} is not a value of this enumeration"),
            );
        }
        status
    });
    read.collect()
}

/// The indicators that are not there for those who may not see what is restricted, because they are so on the last day of one of these
/// periods.
pub(super) async fn hidden(
    connection: &mut PgConnection,
    form: i32,
    sets: &[Held],
    sees_restricted: bool,
) -> Result<Vec<i32>, Error> {
    if sees_restricted {
        return Ok(Vec::new());
    }
    let days: Vec<_> = sets.iter().map(|set| set.key.period.last_day()).collect();
    Ok(indicator::restricted(connection, form, &days).await?)
}

/// The numbers of what a query asks for. An indicator of restricted access is not there for those who may not see it: as the
/// query may span several days, it is hidden in all of it when it is so on the last day of one of its periods.
///
/// # Errors
/// Every indicator, territory, dimension and code that is not registered.
pub(super) async fn narrow(
    connection: &mut PgConnection,
    form: i32,
    asked: &Asked,
    sets: &[Held],
    sees_restricted: bool,
) -> Result<Narrowing, Error> {
    let mut violations = Violations::new();
    let hidden = hidden(connection, form, sets, sees_restricted).await?;
    let mut narrowing = Narrowing {
        sets: sets.iter().map(|set| set.set).collect(),
        ..Narrowing::default()
    };
    if !asked.indicators.is_empty() {
        let numbers = indicator::numbers(connection, form).await?;
        let known = |code: &String| numbers.get(code).copied().filter(|number| !hidden.contains(number));
        narrowing.indicators = Some(numbered(&mut violations, "indicators", &asked.indicators, known));
    }
    if !asked.territories.is_empty() {
        let numbers = code_list::numbers_of(connection, KATO, &asked.territories).await?;
        let known = |code: &String| {
            if code == WHOLE {
                Some(0)
            } else {
                numbers.get(code).copied()
            }
        };
        narrowing.territories = Some(numbered(&mut violations, "territories", &asked.territories, known));
    }
    require_registered(&mut violations, connection, form, asked, &hidden).await?;
    violations.refuse()?;
    let breakdowns = asked.breakdowns(connection).await?;
    narrowing.breakdowns = breakdowns.map(|wanted| wanted.iter().map(|breakdown| breakdown.id).collect());
    let letters = asked
        .statuses
        .iter()
        .filter_map(|status| i8::try_from(u32::from(status.letter())).ok());
    narrowing.statuses = Some(letters.collect::<Vec<_>>()).filter(|letters| !letters.is_empty());
    narrowing.hidden = hidden;
    Ok(narrowing)
}

/// Names the dimensions that no indicator of the form has, and the codes that are in no list of theirs: nothing would be found of them.
async fn require_registered(
    violations: &mut Violations,
    connection: &mut PgConnection,
    form: i32,
    asked: &Asked,
    hidden: &[i32],
) -> Result<(), Error> {
    if asked.codes.is_empty() && asked.total_over.iter().all(|id| id == TERRITORY) {
        return Ok(());
    }
    let codes: Vec<String> = asked.codes.iter().map(|given| given.code.clone()).collect();
    let registered = indicator::dimensions(connection, form, hidden, &codes).await?;
    for (place, given) in asked.codes.iter().enumerate() {
        let field = |name: &str| format!("dimensions[{place}].{name}");
        match registered.get(&given.dimension) {
            None => violations.add(field("dimension"), FieldReason::Unknown, NO_DIMENSION),
            Some(codes) if !given.code.is_empty() && !codes.contains(&given.code) => {
                violations.add(field("code"), FieldReason::Unknown, "not registered");
            }
            Some(_) => {}
        }
    }
    for (place, id) in asked.total_over.iter().enumerate() {
        if id != TERRITORY && !registered.contains_key(id) {
            violations.add(format!("total_over[{place}]"), FieldReason::Unknown, NO_DIMENSION);
        }
    }
    Ok(())
}

fn numbered(
    violations: &mut Violations,
    field: &str,
    codes: &[String],
    known: impl Fn(&String) -> Option<i32>,
) -> Vec<i32> {
    let mut numbers = Vec::with_capacity(codes.len());
    for (place, code) in codes.iter().enumerate() {
        match known(code) {
            Some(number) => numbers.push(number),
            None => violations.add(format!("{field}[{place}]"), FieldReason::Unknown, "not registered"),
        }
    }
    numbers
}
