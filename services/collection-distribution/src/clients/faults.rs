//! What can go wrong between this system and a recipient's server, each thing as its own outcome. What the server says of itself is cut,
//! and made visible where it is not: it may be anybody's words.

use std::io;

use legalstat_kit::{Error, door::text};
use legalstat_proto::common::v1::ErrorReason;
use rustls::{AlertDescription as Alert, CertificateError};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::domain::delivery::{Failure, LONGEST_REST, Outcome};

/// How many characters of a server's words are told.
const WORDS: usize = 300;
/// What the record of an attempt says of this system's own faults.
const OWN: &str = "this system could not go on for a fault of its own, which its log tells";

/// The server's answer is not the contract's.
pub(super) fn unreadable(detail: impl Into<String>) -> Failure {
    Failure::new(Outcome::UnreadableAnswer, detail)
}

/// The time of the attempt is over.
pub(super) fn late() -> Failure {
    Failure::new(
        Outcome::NoAnswer,
        "the server did not answer within the time of the attempt",
    )
}

/// No connection came about.
pub(super) fn unreachable(detail: impl Into<String>) -> Failure {
    Failure::new(Outcome::Unreachable, detail)
}

/// The connection broke in the middle.
pub(super) fn broken(detail: impl Into<String>) -> Failure {
    Failure::new(Outcome::BrokenOff, detail)
}

fn certificate(detail: impl Into<String>) -> Failure {
    Failure::new(Outcome::CertificateRefused, detail)
}

/// This system is at fault itself. What may pass, as a store that is away, says nothing of the server; content that is gone or is not what it
/// was breaks the connection off, for the server must not take it for whole.
pub(super) fn own(error: Error) -> Failure {
    match logged(error) {
        Code::Unavailable => Failure::of_sender(OWN),
        _ => broken(OWN),
    }
}

/// This system has no certificate that it can use, which says nothing of the server.
pub(super) fn nameless(error: anyhow::Error) -> Failure {
    logged(Error::Unknown(error.context("this system's own certificate")));
    Failure::of_sender(OWN)
}

/// No connection came about. Where this machine has nothing left to make one of, that says nothing of the server.
pub(super) fn unconnected(error: io::Error) -> Failure {
    // ENOMEM, ENFILE, EMFILE, EADDRNOTAVAIL, ENOBUFS.
    const OWN_ERRORS: [i32; 5] = [12, 23, 24, 99, 105];
    match error.raw_os_error() {
        Some(number) if OWN_ERRORS.contains(&number) => {
            logged(Error::Unknown(
                anyhow::Error::new(error).context("connecting to a recipient's server"),
            ));
            Failure::of_sender(OWN)
        }
        _ => unreachable(format!("no connection came about: {error}")),
    }
}

/// Logs a fault of this system's own as that of a call, once with how often it came again; the server and the attempt's record are not told
/// what it is. Gives what a call would be answered.
fn logged(error: Error) -> Code {
    let error = match error {
        Error::Unknown(error) => Error::Unknown(error.context("a copy could not be delivered")),
        told => told,
    };
    Status::from(error).code()
}

/// The server's words, as they can be shown.
pub(super) fn quoted(words: &str) -> String {
    text::carried(words, WORDS)
}

/// The server showed the certificate of another than the recipient.
pub(super) fn another(shown: &str, expected: &str) -> Failure {
    certificate(format!(
        "the server's certificate is not {expected}'s: {}",
        quoted(shown)
    ))
}

/// What TLS brought a handshake to an end.
pub(super) fn handshake(error: &io::Error) -> Failure {
    match of_tls(error) {
        Some(error) => tls(error),
        None => unreachable(format!("the connection broke in the TLS handshake: {error}")),
    }
}

/// The error of TLS behind one of a connection.
pub(super) fn of_tls(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// What TLS says of a connection.
pub(super) fn tls(error: &rustls::Error) -> Failure {
    match error {
        rustls::Error::InvalidCertificate(problem) => certificate(of_certificate(problem)),
        rustls::Error::NoCertificatesPresented => certificate("the server shows no certificate"),
        rustls::Error::AlertReceived(Alert::NoApplicationProtocol) => no_http2(),
        rustls::Error::AlertReceived(alert) if is_of_certificate(*alert) => {
            certificate(format!("the server does not take this system's certificate: {alert:?}"))
        }
        rustls::Error::AlertReceived(alert) => unreachable(format!("the server ended the TLS connection: {alert:?}")),
        error => unreadable(format!(
            "the server does not speak TLS with this system: {}",
            quoted(&error.to_string())
        )),
    }
}

/// The server speaks no HTTP/2, which gRPC needs.
pub(super) fn no_http2() -> Failure {
    unreadable("the server does not speak HTTP/2")
}

/// Whether a server sends this alert (RFC 8446, section 6.2) for the sake of this system's certificate. `HandshakeFailure` is what those
/// of TLS 1.2 send who miss one.
fn is_of_certificate(alert: Alert) -> bool {
    matches!(
        alert,
        Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError
            | Alert::CertificateRequired
            | Alert::HandshakeFailure
    )
}

fn of_certificate(problem: &CertificateError) -> String {
    use CertificateError as Of;
    let known = match problem {
        Of::Expired | Of::ExpiredContext { .. } => "it has expired",
        Of::NotValidYet | Of::NotValidYetContext { .. } => "it is not valid yet",
        Of::Revoked => "its authority has revoked it",
        Of::UnknownIssuer | Of::BadSignature => "no trusted authority made it",
        Of::NotValidForName | Of::NotValidForNameContext { .. } => "it is not for the endpoint's host",
        Of::InvalidPurpose | Of::InvalidPurposeContext { .. } => "it is not for servers",
        other => {
            return format!(
                "the server's certificate cannot be verified: {}",
                quoted(&other.to_string())
            );
        }
    };
    format!("the server's certificate cannot be used: {known}")
}

/// What the head of an answer says that no head of a gRPC answer says.
pub(super) fn of_head(head: &http::response::Parts) -> Option<Failure> {
    let header = |name| {
        head.headers
            .get(name)
            .map(|value| quoted(&String::from_utf8_lossy(value.as_bytes())))
    };
    if head.status.is_redirection() {
        let elsewhere = header(http::header::LOCATION).unwrap_or_else(|| "nowhere".into());
        let detail = format!(
            "the server answered HTTP {} and pointed to {elsewhere}",
            head.status.as_u16()
        );
        return Some(Failure::new(Outcome::Redirected, detail));
    }
    let media = header(http::header::CONTENT_TYPE).unwrap_or_default();
    let behind = media.strip_prefix("application/grpc");
    let is_grpc = behind.is_some_and(|behind| behind.is_empty() || behind.starts_with(['+', ';']));
    if head.status != http::StatusCode::OK || !is_grpc {
        let status = head.status.as_u16();
        return Some(unreadable(format!(
            "the server answered HTTP {status} of the type {media:?} and no gRPC"
        )));
    }
    of_trailers(&head.headers)
}

/// What the end of an answer says, unless it says that all is well.
pub(super) fn of_trailers(trailers: &http::HeaderMap) -> Option<Failure> {
    let code = trailers.get("grpc-status")?;
    if Code::from_bytes(code.as_bytes()) == Code::Unknown && code != "2" {
        return Some(unreadable(format!(
            "the server answered the status {}",
            quoted(&format!("{code:?}"))
        )));
    }
    of_status(&Status::from_header_map(trailers)?)
}

fn of_status(status: &Status) -> Option<Failure> {
    let asked = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let outcome = match status.code() {
        Code::Ok => return None,
        // The server is there, and says something of this copy alone.
        Code::Unavailable if is_not_served(status) => Outcome::Refused,
        Code::Unavailable => Outcome::Busy,
        Code::ResourceExhausted if asked.is_some() => Outcome::Busy,
        Code::DeadlineExceeded => Outcome::NoAnswer,
        // The certificate is all by which this system says who it is.
        Code::Unauthenticated => Outcome::CertificateRefused,
        _ => Outcome::Refused,
    };
    let detail = format!("the server answered {:?}: {}", status.code(), quoted(status.message()));
    Some(Failure {
        retry_after: asked
            .map(|asked| asked.min(LONGEST_REST))
            .filter(|_| outcome == Outcome::Busy),
        ..Failure::new(outcome, detail)
    })
}

/// Whether the server does not take copies for the recipient that the copy names, until whoever runs it has told it so.
fn is_not_served(status: &Status) -> bool {
    let info = status.get_details_error_info();
    info.is_some_and(|info| info.reason == ErrorReason::RecipientNotServed.as_str_name())
}
