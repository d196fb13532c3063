//! For tests: reads what a refusal carries.

use std::fmt::Debug;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

fn details(status: &Status) -> ErrorDetails {
    let details = status.get_error_details();
    assert!(details.error_info().is_some(), "a refusal without a reason: {status:?}");
    details
}

/// The reason of a refusal, without its common beginning.
///
/// # Panics
/// When it has none.
pub fn reason(status: &Status) -> String {
    let details = details(status);
    let reason = details
        .error_info()
        .and_then(|info| info.reason.strip_prefix("ERROR_REASON_"));
    reason.expect("a reason of the contract").to_owned()
}

/// The metadata of a refusal under a key; empty when it has none.
///
/// # Panics
/// When it has no reason.
pub fn metadata(status: &Status, key: &str) -> String {
    let details = details(status);
    let told = details.error_info().and_then(|info| info.metadata.get(key));
    told.cloned().unwrap_or_default()
}

/// Checks code and reason of a refusal, and gives it.
///
/// # Panics
/// When it was none, or another.
pub fn refused<T: Debug>(answer: Result<T, Status>, code: Code, expected: &str) -> Status {
    let status = answer.expect_err(expected);
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (code, expected),
        "{status:?}"
    );
    status
}

/// The fields at fault with the reason for each, from a call refused for its fields.
///
/// # Panics
/// When it was not refused for them.
pub fn violations<T: Debug>(answer: Result<T, Status>) -> Vec<(String, String)> {
    let details = details(&refused(answer, Code::InvalidArgument, "INVALID_FIELDS"));
    let found = details.bad_request().map(|found| found.field_violations.clone());
    found
        .unwrap_or_default()
        .into_iter()
        .map(|violation| (violation.field, violation.reason))
        .collect()
}

/// Fields and reasons to compare with those found.
pub fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(field, reason)| ((*field).to_owned(), (*reason).to_owned()))
        .collect()
}
