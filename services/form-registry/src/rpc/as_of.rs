//! The day as of which a register is listed, and where a page of versions begins.

use jiff::civil::Date;
use legalstat_kit::{
    Error, FieldReason, Refusal, Violations,
    door::{page::Page, wire},
};
use legalstat_proto::common::v1::{self as common, ErrorReason};
use tonic::Code;

/// The day, or every day.
#[derive(Clone, Copy)]
pub(super) struct AsOf {
    pub(super) day: Option<Date>,
}

impl AsOf {
    /// Reads it.
    pub(super) fn read(violations: &mut Violations, given: Option<&common::Date>) -> Self {
        let day = given.and_then(|given| violations.check("as_of", FieldReason::Date, wire::date(given)));
        Self { day }
    }

    /// What tells lists of different days apart.
    pub(super) fn text(self) -> String {
        self.day.map(|day| day.to_string()).unwrap_or_default()
    }

    /// The key of a version in the order of the list.
    pub(super) fn key(code: &str, from: Date) -> String {
        format!("{code} {from}")
    }

    /// After which version the page begins.
    ///
    /// # Errors
    /// A token that this method did not give.
    pub(super) fn after(page: &Page) -> Result<Option<(String, Date)>, Error> {
        let Some(key) = &page.after else {
            return Ok(None);
        };
        let read = || {
            let (code, from) = key.rsplit_once(' ')?;
            Some((code.to_owned(), from.parse().ok()?))
        };
        let message = "the page token does not belong to this query; begin again without one";
        let invalid = || Refusal::new(Code::InvalidArgument, ErrorReason::PageTokenInvalid, message);
        Ok(Some(read().ok_or_else(invalid)?))
    }
}
