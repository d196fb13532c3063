//! ListTerms.

use legalstat_kit::{Error, Violations, page::Page};
use legalstat_proto::calendar::v1::{ListTermsRequest, ListTermsResponse};

use super::{CalendarRpc, convert};
use crate::domain::Term;

impl CalendarRpc {
    pub(super) fn terms(&self, request: &ListTermsRequest) -> Result<ListTermsResponse, Error> {
        let mut violations = Violations::new();
        let page = Page::parse(&mut violations, request.page_size, 100, &request.page_token, &[])?;
        violations.refuse()?;
        let after = page.after::<String>()?.unwrap_or_default();
        let terms: Vec<&Term> = self
            .terms
            .iter()
            .filter(|term| term.id > after)
            .take(page.size + 1)
            .collect();
        let (terms, next_page_token) = page.cut(terms, |term| term.id.clone());
        Ok(ListTermsResponse {
            terms: terms.into_iter().map(convert::term).collect(),
            next_page_token,
        })
    }
}
