//! ListDays.

use jiff::{ToSpan, civil::Date};
use legalstat_kit::{
    Error, FieldReason, Violations,
    door::{languages::Languages, page::Page, wire},
};
use legalstat_proto::calendar::v1::{ListDaysRequest, ListDaysResponse};

use super::{CalendarRpc, as_known_at, convert};
use crate::domain::{FIRST_DAY, LAST_DAY};

/// The longest range, in years.
const LONGEST: i32 = 20;

pub(super) fn list_days(service: &CalendarRpc, message: &ListDaysRequest) -> Result<ListDaysResponse, Error> {
    let mut violations = Violations::new();
    let from = wire::required_date(&mut violations, "from", message.from.as_ref());
    let to = wire::required_date(&mut violations, "to", message.to.as_ref());
    if let (Some(from), Some(to)) = (from, to) {
        check_range(&mut violations, from, to);
    }
    let languages = Languages::read(&mut violations, &message.languages);
    let known = message.as_known_at.map(|at| at.to_string()).unwrap_or_default();
    let query = [format!("{from:?}"), format!("{to:?}"), known];
    let query: Vec<&str> = query.iter().map(String::as_str).collect();
    let page = Page::parse(&mut violations, message.page_size, 400, &message.page_token, &query)?;
    let at = as_known_at(violations, message.as_known_at.as_ref())?;
    let (from, to) = (from.unwrap_or(FIRST_DAY), to.unwrap_or(LAST_DAY));
    let calendar = service.calendar(at)?;
    let first = page
        .after::<Date>()?
        .and_then(|last| last.tomorrow().ok())
        .unwrap_or(from);
    let days = calendar.days(first, to)?.iter().take(page.size + 1).collect();
    let (days, next_page_token) = page.cut(days, |day| day.date.to_string());
    let days = days
        .into_iter()
        .map(|day| convert::day(day, calendar.version()))
        .collect();
    Ok(languages.keep(ListDaysResponse { days, next_page_token }))
}

fn check_range(violations: &mut Violations, from: Date, to: Date) {
    if to < from {
        violations.add("to", FieldReason::Range, "must not lie before `from`");
    } else if from.checked_add(LONGEST.years()).is_ok_and(|end| end <= to) {
        violations.add("to", FieldReason::Range, format!("a range has at most {LONGEST} years"));
    }
}
