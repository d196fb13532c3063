//! How the command line fails: exit status 1 refused by the service, 2 wrong usage or settings, 3 away or to be tried again.

use std::{fmt, process::ExitCode, time::Duration};

use legalstat_proto::common::v1::{ErrorReason, FieldReason, RowFaults};
use prost::Message;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt, pb};

use crate::output::escaped;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The service refused: the same call is refused again.
    Refused(Box<Status>),
    /// The service, or what it needs, is away for the moment: the same call may succeed later.
    Away(Box<Status>),
    /// The command line, the file it was given or a setting is wrong.
    Usage(String),
    /// One of the two sides does not accept the other's certificate.
    Certificate(String),
    /// The service cannot be reached.
    Unreachable(String),
    /// Anything else on this side.
    Other(anyhow::Error),
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// A service that no call came through to, by what the line says.
    pub(crate) fn unreachable(error: &dyn std::error::Error) -> Self {
        Self::Unreachable(with_causes(error))
    }

    /// The exit status of the process.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Refused(_) | Self::Other(_) => ExitCode::from(1),
            Self::Usage(_) | Self::Certificate(_) => ExitCode::from(2),
            Self::Away(_) | Self::Unreachable(_) => ExitCode::from(3),
        }
    }

    /// The documented reason of a refusal, without its prefix.
    pub(crate) fn reason(&self) -> Option<String> {
        let details = self.status()?.get_error_details();
        details
            .error_info()
            .map(|info| info.reason.trim_start_matches("ERROR_REASON_").to_owned())
    }

    /// What the service answered.
    fn status(&self) -> Option<&Status> {
        match self {
            Self::Refused(status) | Self::Away(status) => Some(status),
            _ => None,
        }
    }

    /// The same with the faults of rows told by the numbers that the rows have in their file, in words too.
    pub(crate) fn by_rows(self, rows: &[u64]) -> Self {
        match self {
            Self::Refused(status) if !rows.is_empty() => {
                let renumbered = renumbered(&status, rows);
                Self::Refused(renumbered.map(Box::new).unwrap_or(status))
            }
            failure => failure,
        }
    }

    /// When to try again, if the service says so.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.status()?
            .get_error_details()
            .retry_info()
            .and_then(|retry| retry.retry_delay)
    }
}

/// How the detail of an error that holds faults of rows is named.
const ROW_FAULTS: &str = "type.googleapis.com/legalstat.common.v1.RowFaults";

/// How the detail of an error that holds violations is named.
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

/// The place of a row and its column, where a violation is of one: `cells[3].recipient`.
fn place(field: &str) -> Option<(usize, &str)> {
    let (_, rest) = field.split_once('[')?;
    let (place, column) = rest.split_once("].")?;
    Some((place.parse().ok()?, column))
}

/// How a column of a row is told.
fn in_row(row: impl fmt::Display, column: &str) -> String {
    format!("row {row}, {column}")
}

/// The faults of rows that a service answered with.
fn row_faults(status: &Status) -> Option<RowFaults> {
    let details = pb::Status::decode(status.details()).ok()?.details;
    let detail = details.into_iter().find(|detail| detail.type_url == ROW_FAULTS)?;
    RowFaults::decode(detail.value.as_slice()).ok()
}

/// The same answer with its faults of rows by other numbers.
fn renumbered(status: &Status, rows: &[u64]) -> Option<Status> {
    let mut details = pb::Status::decode(status.details()).ok()?;
    let detail = details
        .details
        .iter_mut()
        .find(|detail| detail.type_url == ROW_FAULTS)?;
    let mut faults = RowFaults::decode(detail.value.as_slice()).ok()?;
    for fault in &mut faults.faults {
        let place = usize::try_from(fault.row).ok()?.checked_sub(1)?;
        fault.row = i64::try_from(*rows.get(place)?).ok()?;
    }
    detail.value = faults.encode_to_vec();
    if let Some(detail) = details.details.iter_mut().find(|detail| detail.type_url == BAD_REQUEST) {
        let mut told = pb::BadRequest::decode(detail.value.as_slice()).ok()?;
        for violation in &mut told.field_violations {
            if let Some((row, column)) =
                place(&violation.field).and_then(|(place, column)| Some((rows.get(place)?, column)))
            {
                violation.field = in_row(*row, column);
            }
        }
        detail.value = told.encode_to_vec();
    }
    Some(Status::with_details(
        status.code(),
        status.message(),
        details.encode_to_vec().into(),
    ))
}

/// An error with its causes: tonic shows only "transport error" otherwise.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        // A status without ErrorInfo was not sent by a service of ours: the line or the peer failed.
        let ours = details.error_info().is_some();
        match status.code() {
            Code::Unavailable | Code::Unknown | Code::Cancelled | Code::DeadlineExceeded if !ours => {
                // The status itself would show as the library's own notation.
                match std::error::Error::source(&status) {
                    Some(cause) => Self::unreachable(cause),
                    None => Self::Unreachable(escaped(status.message())),
                }
            }
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => Self::Away(Box::new(status)),
            Code::Unauthenticated if is_unusable(&details) => Self::Certificate(escaped(status.message())),
            _ if details.retry_info().is_some() => Self::Away(Box::new(status)),
            _ => Self::Refused(Box::new(status)),
        }
    }
}

/// Whether the service says that the certificate shown cannot be used.
fn is_unusable(details: &ErrorDetails) -> bool {
    let unusable = ErrorReason::CertificateUnusable.as_str_name();
    details.error_info().is_some_and(|info| info.reason == unusable)
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(status) => answered("refused", status, f),
            Self::Away(status) => answered("away for the moment, so try again", status, f),
            Self::Usage(message) => write!(f, "error: {message}"),
            Self::Certificate(message) => write!(f, "certificate: {message}"),
            Self::Unreachable(message) => write!(f, "unreachable: {message}"),
            Self::Other(error) => write!(f, "error: {error:#}"),
        }
    }
}

/// What a service answered, each of its texts within a line.
fn answered(how: &str, status: &Status, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let details = status.get_error_details();
    write!(f, "{how}: {}", escaped(status.message()))?;
    let violations = details.bad_request().map(|request| request.field_violations.as_slice());
    let violations = violations.unwrap_or_default();
    let faults = row_faults(status);
    if let Some(faults) = &faults {
        write_row_faults(faults, violations, f)?;
    }
    let is_told = |violation: &&FieldViolation| {
        let more = FieldReason::More.as_str_name().trim_start_matches("FIELD_REASON_");
        let of_row = place(&violation.field).is_some() || violation.field.starts_with("row ");
        faults.is_some() && (of_row || violation.reason == more)
    };
    for violation in violations.iter().filter(|violation| !is_told(violation)) {
        let [field, description, reason] =
            [&violation.field, &violation.description, &violation.reason].map(|text| escaped(text));
        write!(f, "\n  {field}: {description} ({reason})")?;
    }
    let Some(info) = details.error_info() else {
        return write!(f, "\n  code: {:?}", status.code());
    };
    write!(f, "\n  reason: {} ({:?})", escaped(&info.reason), status.code())?;
    let mut facts: Vec<_> = info.metadata.iter().collect();
    facts.sort();
    for (key, value) in facts {
        write!(f, "\n  {}: {}", escaped(key).replace('_', " "), escaped(value))?;
    }
    if let Some(after) = details.retry_info().and_then(|retry| retry.retry_delay) {
        write!(f, "\n  try again after: {} s", after.as_secs_f32())?;
    }
    Ok(())
}

/// Tells faults by row; in words where the fault has no value and a violation says more of it.
fn write_row_faults(faults: &RowFaults, violations: &[FieldViolation], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for fault in &faults.faults {
        let reason = FieldReason::try_from(fault.reason).unwrap_or_default().as_str_name();
        let reason = reason.trim_start_matches("FIELD_REASON_");
        let field = in_row(fault.row, &fault.column);
        let violation = violations.iter().find(|violation| violation.field == field);
        match violation.filter(|_| fault.value.is_empty()) {
            Some(violation) => write!(
                f,
                "\n  {}: {} ({reason})",
                escaped(&field),
                escaped(&violation.description)
            )?,
            None => write!(f, "\n  {}: {reason}", escaped(&field))?,
        }
        if !fault.value.is_empty() {
            write!(f, " ({})", escaped(&fault.value))?;
        }
    }
    let told = i64::try_from(faults.faults.len()).unwrap_or(i64::MAX);
    match faults.count - told {
        more if more > 0 => write!(f, "\n  … and {more} more"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use legalstat_proto::common::v1::RowFault;
    use tonic_types::ErrorDetails;

    use super::*;

    fn status(code: Code, retry: bool) -> Failure {
        let mut details =
            ErrorDetails::with_error_info("ERROR_REASON_X", "legalstat", [("who".into(), "a\u{202e}b\nc".into())]);
        details.set_bad_request(vec![FieldViolation::new("f\u{1b}", "d\u{9b}")]);
        if retry {
            details.set_retry_info(Some(Duration::from_secs(1)));
        }
        Status::with_error_details(code, "said\nrefused: other", details).into()
    }

    #[test]
    fn what_helps_to_repeat_is_told_from_what_the_law_refuses() {
        for (failure, status) in [
            (status(Code::InvalidArgument, false), 1),
            (status(Code::PermissionDenied, false), 1),
            (status(Code::ResourceExhausted, false), 1),
            (status(Code::ResourceExhausted, true), 3),
            (status(Code::Unavailable, true), 3),
            (status(Code::Unavailable, false), 3),
            (status(Code::DeadlineExceeded, false), 3),
            (Status::unavailable("the line is cut").into(), 3),
            (Failure::usage("wrong"), 2),
            (Failure::Certificate("ended".into()), 2),
            (anyhow::anyhow!("the disk is full").into(), 1),
        ] {
            assert_eq!(failure.exit_code(), ExitCode::from(status), "{failure}");
        }
    }

    #[test]
    fn faults_of_rows_are_told_by_the_rows_of_the_file_in_words_and_other_violations_beside_them() {
        let mut details = ErrorDetails::with_error_info("ERROR_REASON_X", "legalstat", []);
        let violation = |field: &str, reason: &str| FieldViolation {
            reason: reason.into(),
            ..FieldViolation::new(field, "it is wrong")
        };
        details.set_bad_request(vec![
            violation("cells[1].copies", "OUT_OF_RANGE"),
            violation("copies_total", "TOTAL"),
            violation("", "MORE"),
        ]);
        let status = Status::with_error_details(Code::InvalidArgument, "two fields are wrong", details);
        let fault = |row, column: &str| RowFault {
            row,
            column: column.into(),
            reason: FieldReason::OutOfRange.into(),
            value: String::new(),
        };
        let faults = RowFaults {
            count: 3,
            faults: vec![fault(1, "column"), fault(2, "copies")],
        };
        let mut all = pb::Status::decode(status.details()).expect("it has details");
        all.details.push(prost_types::Any {
            type_url: ROW_FAULTS.into(),
            value: faults.encode_to_vec(),
        });
        let status = Status::with_details(status.code(), status.message(), all.encode_to_vec().into());
        let told = Failure::from(status).by_rows(&[5, 9]).to_string();
        let lines: Vec<&str> = told.lines().skip(1).take(4).collect();
        let expected = [
            "  row 5, column: OUT_OF_RANGE",
            "  row 9, copies: it is wrong (OUT_OF_RANGE)",
            "  … and 1 more",
            "  copies_total: it is wrong (TOTAL)",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_a_service_answers_steers_no_terminal_and_passes_for_no_other_line() {
        let said = status(Code::InvalidArgument, false).to_string();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(
            lines[..2],
            ["refused: said\\nrefused: other", "  f\\u{1b}: d\\u{9b} ()"]
        );
        assert_eq!(lines[3], "  who: a\\u{202e}b\\nc");
    }
}
