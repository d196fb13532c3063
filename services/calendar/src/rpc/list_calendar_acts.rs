//! ListCalendarActs.

use legalstat_kit::{
    Error, FieldReason, Violations,
    door::{
        languages::Languages,
        page::Page,
        word::{self, Word as _},
    },
};
use legalstat_proto::calendar::v1::{ListCalendarActsRequest, ListCalendarActsResponse};

use super::{CalendarRpc, act, as_known_at, convert};
use crate::domain::{Act, ActKind};

pub(super) fn list_calendar_acts(
    service: &CalendarRpc,
    message: &ListCalendarActsRequest,
) -> Result<ListCalendarActsResponse, Error> {
    let mut violations = Violations::new();
    let languages = Languages::read(&mut violations, &message.languages);
    let query = [
        message.kind.to_string(),
        message.year.to_string(),
        message.show_withdrawn.to_string(),
        message.as_known_at.map(|at| at.to_string()).unwrap_or_default(),
    ];
    let query: Vec<&str> = query.iter().map(String::as_str).collect();
    let page = Page::parse(&mut violations, message.page_size, 100, &message.page_token, &query)?;
    let kind = word::optional(&mut violations, "kind", message.kind, ActKind::ALL, act::kind);
    let year = match message.year {
        0 => None,
        year => violations.check("year", FieldReason::OutOfRange, convert::year(year)),
    };
    let at = as_known_at(violations, message.as_known_at.as_ref())?;

    let (calendars, at) = (service.calendars.load(), service.known_at(at));
    let (rules, after) = (calendars.rules(), page.after::<u64>()?.unwrap_or_default());
    let listed = |act: &&Act| {
        act.sequence > after
            && act.known_from.is_none_or(|known| known <= at)
            && (message.show_withdrawn || act.withdrawn_at.is_none_or(|withdrawn| at < withdrawn))
            && kind.is_none_or(|kind| act.kind == kind)
            && year.is_none_or(|year| rules.brings_days_of(act, year))
    };
    let acts = rules.acts.iter().filter(listed).take(page.size + 1).collect();
    let (acts, next_page_token) = page.cut(acts, |act| act.sequence.to_string());
    let as_known = |known: &Act| {
        let mut written = act::write(rules, known);
        written.withdrawn_at = written
            .withdrawn_at
            .filter(|_| known.withdrawn_at.is_some_and(|it| it <= at));
        written
    };
    Ok(languages.keep(ListCalendarActsResponse {
        calendar_acts: acts.into_iter().map(as_known).collect(),
        next_page_token,
    }))
}
