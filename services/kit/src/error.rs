//! Errors that a caller sees: a code, a documented reason, the law where law decided, and every violation at once.

use std::{collections::HashMap, fmt::Display, time::Duration};

use legalstat_proto::common::v1::{ErrorReason, FieldReason, RowFaults};
use prost::Message;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt, pb};

use crate::{door::text, law::LegalBasis, outage::Outage, repeated, told};

/// The ErrorInfo domain of every error of this system.
pub const DOMAIN: &str = "legalstat";

/// One field that breaks its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field, for example `request.items[0].period`.
    pub field: String,
    /// Why, for a machine. Callers get the value's name, for example `REQUIRED`.
    pub reason: FieldReason,
    /// What the rule is, with its legal basis where it has one.
    pub description: String,
}

/// A call that was understood and refused. Nothing changed.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The gRPC code.
    pub code: Code,
    /// The documented reason.
    pub reason: ErrorReason,
    /// A sentence for a person.
    pub message: Box<str>,
    /// The fields at fault, all of them.
    pub violations: Vec<Violation>,
    /// What is wrong with the rows of a table that the call brought.
    pub row_faults: Option<Box<RowFaults>>,
    /// Facts for a machine, by key: `legal_basis`, `resource` and others that the reason documents.
    pub metadata: HashMap<String, String>,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal with a code, a reason and a sentence for the reader. The contract names the codes of each reason
    /// ([`told::codes`]), and tests hold every refusal to them.
    pub fn new(code: Code, reason: ErrorReason, message: impl Into<String>) -> Self {
        debug_assert!(
            told::codes(reason).contains(&code),
            "{reason:?} is not sent with {code:?}"
        );
        Self {
            code,
            reason,
            message: message.into().into_boxed_str(),
            violations: Vec::new(),
            row_faults: None,
            metadata: HashMap::new(),
            retry_after: None,
        }
    }

    /// Somebody else has changed the resource since the caller has read it.
    pub fn changed(resource: &str) -> Self {
        let message = format!("{resource} was changed meanwhile: read it again, and decide again");
        Self::new(Code::Aborted, ErrorReason::EtagMismatch, message).about(resource)
    }

    /// There is no such resource, or not for this caller.
    pub fn not_found(resource: &str) -> Self {
        Self::new(
            Code::NotFound,
            ErrorReason::ResourceNotFound,
            format!("there is no {resource}"),
        )
        .about(resource)
    }

    /// Something that this call needs is unavailable; the caller may try again after a second.
    pub fn unavailable(message: impl Into<String>) -> Self {
        let mut refusal = Self::new(Code::Unavailable, ErrorReason::DependencyUnavailable, message);
        refusal.retry_after = Some(Duration::from_secs(1));
        refusal
    }

    /// Something that this call needs fails for the moment.
    fn of_outage(outage: Outage) -> Self {
        let (reason, message, seconds) = match outage {
            Outage::Away => (
                ErrorReason::DependencyUnavailable,
                "the database is away; repeat a mutation with its request_id",
                1,
            ),
            Outage::Busy => (
                ErrorReason::DependencyBusy,
                "the database is busy; repeat a mutation with its request_id",
                1,
            ),
            Outage::Full => (
                ErrorReason::StorageFull,
                "there is no room to store anything; nothing was changed",
                10,
            ),
            Outage::Failing => (
                ErrorReason::StorageFailing,
                "what is stored cannot be read or written just now; repeat a mutation with its request_id",
                10,
            ),
        };
        let mut refusal = Self::new(Code::Unavailable, reason, message);
        refusal.retry_after = Some(Duration::from_secs(seconds));
        refusal
    }

    /// Something unexpected happened: it is logged, and the caller learns nothing about the inside.
    pub(crate) fn internal() -> Self {
        Self::new(
            Code::Internal,
            ErrorReason::Internal,
            "an unexpected error; it was logged and nothing was changed",
        )
    }

    /// More is asked at once than can be done; try again after one to two seconds: those who are refused together must not
    /// come back together.
    pub fn overloaded(message: impl Into<String>) -> Self {
        let mut refusal = Self::new(Code::ResourceExhausted, ErrorReason::Overloaded, message);
        refusal.retry_after = Some(Duration::from_millis(rand::random_range(1000..2000)));
        refusal
    }

    /// Names the resource concerned.
    pub fn about(self, resource: &(impl Display + ?Sized)) -> Self {
        self.with("resource", &resource.to_string())
    }

    /// Names the law that decided.
    pub fn legal_basis(self, basis: impl Display) -> Self {
        self.with("legal_basis", &basis.to_string())
    }

    /// Adds a fact for machines.
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }
}

/// What a handler fails with.
#[derive(Debug)]
pub enum Error {
    /// The call was refused.
    Refusal(Box<Refusal>),
    /// Something unexpected. It is logged once, and the caller learns nothing about the inside.
    Unknown(anyhow::Error),
}

impl Error {
    /// Turns it into the failure of a job, which has no caller to answer.
    pub fn of_job(self) -> anyhow::Error {
        match self {
            Self::Refusal(refusal) => anyhow::anyhow!(refusal.message),
            Self::Unknown(error) => error,
        }
    }

    /// Whether something that the call needs is away, so that other calls would fail the same way.
    pub(crate) fn is_away(&self) -> bool {
        matches!(self, Self::Refusal(refusal) if refusal.code == Code::Unavailable)
    }

    /// The same for another call that met it too. What is unexpected was told, and so is logged, once.
    pub fn again(&self) -> Self {
        match self {
            Self::Refusal(refusal) => Self::Refusal(refusal.clone()),
            Self::Unknown(_) => Refusal::internal().into(),
        }
    }

    /// Names the resource that a refusal concerns, for the journal.
    pub fn about(self, resource: &impl Display) -> Self {
        match self {
            Self::Refusal(refusal) => refusal.about(&resource).into(),
            Self::Unknown(_) => self,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(Box::new(refusal))
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        match Outage::behind(&error) {
            Some(outage) => of_outage(outage, &format!("{error:#}")),
            None => Self::Unknown(error),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match Outage::of_database(&error) {
            Some(outage) => of_outage(outage, &error.to_string()),
            None => Self::Unknown(anyhow::Error::new(error).context("database")),
        }
    }
}

fn of_outage(outage: Outage, error: &str) -> Error {
    if let Some(unlogged) = repeated::to_log(error) {
        tracing::warn!(error, ?outage, unlogged, "a call could not be carried out just now");
    }
    Refusal::of_outage(outage).into()
}

/// How many bytes the violations of one refusal may take, and how many characters any one text: they travel in HTTP/2
/// headers, of which common clients take 8 KiB in all.
const VIOLATIONS: usize = 2500;
const TEXT: usize = 300;

/// A text cut to what a header can carry, with what cannot be shown made visible.
fn carried(text: &str) -> String {
    text::carried(text, TEXT)
}

/// As many violations as fit, and how many more there are.
fn carried_violations(violations: Vec<Violation>) -> Vec<FieldViolation> {
    let (all, mut bytes) = (violations.len(), 0);
    let mut carried: Vec<FieldViolation> = violations
        .into_iter()
        .map(FieldViolation::from)
        .take_while(|violation| {
            bytes += violation.field.len() + violation.description.len() + violation.reason.len() + 10;
            bytes <= VIOLATIONS
        })
        .collect();
    if carried.len() < all {
        let more = format!("and {} more violations", all - carried.len());
        let mut last = FieldViolation::new("", more);
        last.reason = sent(FieldReason::More).into();
        carried.push(last);
    }
    carried
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let metadata = refusal.metadata.into_iter().map(|(key, value)| (key, carried(&value)));
        let metadata: HashMap<String, String> = metadata.collect();
        let law = metadata.get("legal_basis").cloned();
        let mut details = ErrorDetails::with_error_info(refusal.reason.as_str_name(), DOMAIN, metadata);
        if let Some((law, source)) = law.and_then(|law| LegalBasis::source(&law).map(|source| (law, source))) {
            details.add_help_link(law, source);
        }
        if !refusal.violations.is_empty() {
            details.set_bad_request(carried_violations(refusal.violations));
        }
        if let Some(after) = refusal.retry_after {
            details.set_retry_info(Some(after));
        }
        let status = Status::with_error_details(refusal.code, carried(&refusal.message), details);
        let mut status = match refusal.row_faults {
            Some(faults) => with_row_faults(&status, *faults),
            None => status,
        };
        if let Some(pushback) = pushback(refusal.code, refusal.retry_after) {
            status.metadata_mut().insert("grpc-retry-pushback-ms", pushback.into());
        }
        status
    }
}

/// The longest time after which a client's library is asked to try again within the same call: calls last seconds.
const PUSHBACK: Duration = Duration::from_secs(10);

/// What tells the retries of client libraries, which do not read RetryInfo, after how many milliseconds to try again
/// (gRFC A6, "Pushback"); -1 tells them not to, so that a caller learns at once of what only he can help, or only later.
fn pushback(code: Code, after: Option<Duration>) -> Option<i64> {
    match after {
        Some(after) if after <= PUSHBACK => i64::try_from(after.as_millis()).ok(),
        _ => matches!(code, Code::Unavailable | Code::ResourceExhausted).then_some(-1),
    }
}

/// How many bytes the faults of rows may take beside what else an error carries.
const ROW_FAULTS: usize = 4400;

/// The status with as many faults of rows as fit.
fn with_row_faults(status: &Status, mut faults: RowFaults) -> Status {
    let mut bytes = 0;
    faults.faults.retain_mut(|fault| {
        fault.value = carried(&fault.value);
        bytes += fault.encoded_len() + 3;
        bytes <= ROW_FAULTS
    });
    let detail = prost_types::Any {
        type_url: "type.googleapis.com/legalstat.common.v1.RowFaults".into(),
        value: faults.encode_to_vec(),
    };
    let mut details = pb::Status::decode(status.details()).unwrap_or_default();
    details.details.push(detail);
    Status::with_details(status.code(), status.message(), details.encode_to_vec().into())
}

/// The reason of a violation as callers get it.
fn sent(reason: FieldReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("FIELD_REASON_").unwrap_or(name)
}

impl From<Violation> for FieldViolation {
    fn from(violation: Violation) -> Self {
        let mut field = FieldViolation::new(carried(&violation.field), carried(&violation.description));
        field.reason = sent(violation.reason).into();
        field
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Refusal(refusal) => (*refusal).into(),
            Error::Unknown(error) => {
                let error = format!("{error:#}");
                if let Some(unlogged) = repeated::to_log(&error) {
                    tracing::error!(error, unlogged, "unexpected error");
                }
                Refusal::internal().into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_error_says_nothing_about_the_inside() {
        let status = Status::from(Error::Unknown(anyhow::anyhow!("password of the database")));
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("password"));
        assert!(!String::from_utf8_lossy(status.details()).contains("password"));
    }

    #[test]
    fn a_database_that_is_away_is_unavailable_whichever_layer_tells_of_it() {
        let told = anyhow::Error::new(sqlx::Error::PoolTimedOut).context("reading the acts");
        assert_eq!(Status::from(Error::from(told)).code(), Code::Unavailable);
        let told = anyhow::Error::new(sqlx::Error::RowNotFound).context("reading the acts");
        assert_eq!(Status::from(Error::from(told)).code(), Code::Internal);
    }

    #[test]
    fn those_who_are_refused_together_do_not_come_back_together() {
        let delays: std::collections::HashSet<_> = (0..100).map(|_| Refusal::overloaded("").retry_after).collect();
        assert!(delays.len() > 10, "{delays:?}");
    }

    #[test]
    fn a_refusal_carries_reason_law_and_every_violation() {
        let mut refusal = Refusal::new(Code::InvalidArgument, ErrorReason::InvalidFields, "two fields")
            .legal_basis("Instruction, para 8");
        for field in ["a", "b"] {
            refusal.violations.push(Violation {
                field: field.into(),
                reason: FieldReason::Required,
                description: "required".into(),
            });
        }
        let details = Status::from(refusal).get_error_details();
        let info = details.error_info().expect("every refusal has one");
        assert_eq!(info.reason, "ERROR_REASON_INVALID_FIELDS");
        assert_eq!(info.metadata["legal_basis"], "Instruction, para 8");
        let help = details.help().expect("the law can be read somewhere");
        assert_eq!(help.links[0].description, "Instruction, para 8");
        assert_eq!(help.links[0].url, crate::law::INSTRUCTION_URI);
        let violations = &details.bad_request().expect("it has violations").field_violations;
        let sent: Vec<_> = violations.iter().map(|sent| (&*sent.field, &*sent.reason)).collect();
        assert_eq!(sent, [("a", "REQUIRED"), ("b", "REQUIRED")]);
    }

    #[test]
    fn a_refusal_fits_into_the_headers_of_common_clients_however_much_is_wrong() {
        let mut violations = crate::Violations::new();
        for item in 0..1000 {
            violations.add(
                format!("request.items[{item}].period"),
                FieldReason::Period,
                "ж".repeat(5000),
            );
        }
        let refusal = violations
            .refuse()
            .expect_err("much is wrong")
            .with("resource", &"x".repeat(9000));
        let status = Status::from(refusal);
        let bytes = status.details().len() * 4 / 3 + status.message().len() * 3;
        assert!(bytes < 7 * 1024, "{bytes}");
        let details = status.get_error_details();
        let last = details
            .bad_request()
            .and_then(|bad| bad.field_violations.last().cloned())
            .expect("violations");
        assert!(
            last.description.starts_with("and ") && last.reason == "MORE",
            "{last:?}"
        );
    }

    #[test]
    fn a_hundred_faults_of_rows_fit_into_the_headers_of_common_clients() {
        let fault = |row| legalstat_proto::common::v1::RowFault {
            row,
            column: "territory".into(),
            reason: FieldReason::Unknown.into(),
            value: "x".repeat(20),
        };
        let mut refusal = Refusal::new(
            Code::InvalidArgument,
            ErrorReason::InvalidFields,
            "10000 rows are wrong",
        );
        refusal.row_faults = Some(Box::new(RowFaults {
            count: 10_000,
            faults: (9_900..10_000).map(fault).collect(),
        }));
        let status = Status::from(refusal);
        let bytes = status.details().len() * 4 / 3 + status.message().len() * 3;
        assert!(bytes < 7 * 1024, "{bytes}");
        let details = pb::Status::decode(status.details()).expect("it is a status").details;
        let detail = details.last().expect("it has the faults");
        let told = RowFaults::decode(detail.value.as_slice()).expect("they are readable");
        assert_eq!((told.count, told.faults.len()), (10_000, 100));
        assert_eq!(
            status.get_error_details().error_info().map(|info| info.reason.as_str()),
            Some("ERROR_REASON_INVALID_FIELDS")
        );
    }

    #[test]
    fn what_an_answer_repeats_of_a_call_neither_controls_a_terminal_nor_turns_its_direction() {
        for c in ['\u{1b}', '\n', '\u{2028}', '\u{202e}', '\u{2066}'] {
            let status = Status::from(Refusal::not_found(&format!("forms/{c}1")));
            assert_eq!(status.message(), "there is no forms/\u{fffd}1", "{c:?}");
        }
    }

    #[test]
    fn libraries_try_again_when_a_refusal_says_so_and_soon() {
        let sent = |code, after| {
            let reason = match code {
                Code::Unavailable => ErrorReason::DependencyUnavailable,
                Code::ResourceExhausted => ErrorReason::Overloaded,
                _ => ErrorReason::InvalidFields,
            };
            let mut refusal = Refusal::new(code, reason, "");
            refusal.retry_after = after;
            let status = Status::from(refusal);
            let pushback = status.metadata().get("grpc-retry-pushback-ms");
            pushback.map(|pushback| pushback.to_str().expect("digits").to_owned())
        };
        let (soon, late) = (Duration::from_millis(1250), Duration::from_secs(3600));
        assert_eq!(sent(Code::Unavailable, Some(soon)).as_deref(), Some("1250"));
        assert_eq!(sent(Code::ResourceExhausted, Some(PUSHBACK)).as_deref(), Some("10000"));
        assert_eq!(sent(Code::ResourceExhausted, Some(late)).as_deref(), Some("-1"));
        assert_eq!(sent(Code::ResourceExhausted, None).as_deref(), Some("-1"));
        assert_eq!(sent(Code::InvalidArgument, None), None);
    }

    #[test]
    fn every_outage_has_a_reason_of_its_own_and_says_when_to_try_again() {
        let all = [Outage::Away, Outage::Busy, Outage::Full, Outage::Failing];
        let mut reasons: Vec<_> = all.iter().map(|outage| Refusal::of_outage(*outage)).collect();
        assert!(
            reasons
                .iter()
                .all(|told| told.code == Code::Unavailable && told.retry_after.is_some())
        );
        reasons.dedup_by_key(|told| told.reason);
        assert_eq!(reasons.len(), all.len());
    }
}
