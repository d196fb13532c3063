//! ListTerms.

use legalstat_kit::{
    Error, Violations,
    door::{languages::Languages, page::Page},
};
use legalstat_proto::calendar::v1::{ListTermsRequest, ListTermsResponse};

use super::{CalendarRpc, as_known_at, convert};
use crate::domain::Term;

pub(super) fn list_terms(service: &CalendarRpc, message: &ListTermsRequest) -> Result<ListTermsResponse, Error> {
    let mut violations = Violations::new();
    let languages = Languages::read(&mut violations, &message.languages);
    let known = message.as_known_at.map(|at| at.to_string()).unwrap_or_default();
    let page = Page::parse(&mut violations, message.page_size, 100, &message.page_token, &[&known])?;
    let at = as_known_at(violations, message.as_known_at.as_ref())?;
    let after = page.after::<String>()?.unwrap_or_default();
    let calendar = service.calendar(at)?;
    let terms = calendar.terms().iter().filter(|term| term.name > after);
    let (terms, next_page_token) = page.cut(terms.take(page.size + 1).collect(), |term: &&Term| term.name.clone());
    Ok(languages.keep(ListTermsResponse {
        terms: terms.into_iter().map(convert::term).collect(),
        next_page_token,
    }))
}
