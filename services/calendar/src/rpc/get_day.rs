//! GetDay.

use jiff::civil::Date;
use legalstat_kit::{Error, FieldReason, Violations, door::languages::Languages};
use legalstat_proto::calendar::v1::{Day, GetDayRequest};

use super::{CalendarRpc, as_known_at, convert};
use crate::error;

pub(super) fn get_day(service: &CalendarRpc, message: &GetDayRequest) -> Result<Day, Error> {
    let mut violations = Violations::new();
    let date = message
        .name
        .strip_prefix("days/")
        .filter(|date| date.len() == 10)
        .and_then(|date| date.parse::<Date>().ok());
    if date.is_none() {
        violations.add(
            "name",
            FieldReason::ResourceName,
            "required: days/ and a date that exists, for example days/2019-07-14",
        );
    }
    let languages = Languages::read(&mut violations, &message.languages);
    let at = as_known_at(violations, message.as_known_at.as_ref())?;
    let date = date.ok_or_else(|| anyhow::anyhow!("a name without violations has a date"))?;
    let calendar = service.calendar(at)?;
    let day = calendar
        .day(date)
        .map_err(|error| error::with(error, "resource", &message.name))?;
    Ok(languages.keep(convert::day(day, calendar.version())))
}
