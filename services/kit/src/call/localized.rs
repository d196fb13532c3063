//! Refusals in the language of the caller. A refusal is made where nobody knows who asked in what language, and on its way out it
//! passes the journal; so its texts are added where the answer leaves, to headers and trailers alike.

use http::{HeaderMap, HeaderName};
use http_body_util::BodyExt as _;
use legalstat_proto::common::v1::{ErrorReason, FieldReason};
use prost::Message;
use tonic::{Status, body::Body};
use tonic_types::pb;

use crate::{
    error::DOMAIN,
    law,
    told::{self, Language},
};

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// How many bytes message and details of a refusal may take in a header: common clients take 8 KiB of headers in all.
const HEADER: usize = 7680;

/// How the details are named that carry texts.
const MESSAGE: &str = "type.googleapis.com/google.rpc.LocalizedMessage";
const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";
const HELP: &str = "type.googleapis.com/google.rpc.Help";
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

/// The answer, with the texts of its refusal in this language, whether it is refused at once or at the end of a stream.
pub(crate) fn localized(mut response: http::Response<Body>, language: Option<Language>) -> http::Response<Body> {
    let Some(language) = language else {
        return response;
    };
    if response.headers().contains_key(STATUS) {
        localize(response.headers_mut(), language);
        return response;
    }
    response.map(|body| {
        Body::new(body.map_frame(move |mut frame| {
            if let Some(trailers) = frame.trailers_mut() {
                localize(trailers, language);
            }
            frame
        }))
    })
}

fn localize(headers: &mut HeaderMap, language: Language) {
    let Some(status) = Status::from_header_map(headers) else {
        return;
    };
    let Some(details) = in_language(&status, language) else {
        return;
    };
    let mut told = HeaderMap::new();
    let status = Status::with_details(status.code(), status.message(), details.into());
    if status.add_header(&mut told).is_ok()
        && let Some(details) = told.remove(DETAILS)
    {
        headers.insert(DETAILS, details);
    }
}

/// The details of a refusal with its texts, first that of the reason and then, while there is room, those of the violations. `None` is
/// said of what is no refusal of this system.
fn in_language(status: &Status, language: Language) -> Option<Vec<u8>> {
    let mut all = pb::Status::decode(status.details()).ok()?;
    let info = all.details.iter().find(|detail| detail.type_url == ERROR_INFO)?;
    let info = pb::ErrorInfo::decode(info.value.as_slice()).ok()?;
    let reason = ErrorReason::from_str_name(&info.reason).filter(|_| info.domain == DOMAIN)?;
    // Three bytes take four characters in a header.
    let room = HEADER.saturating_sub(status.message().len()) / 4 * 3;
    let mut room = room.saturating_sub(status.details().len());
    if let Some(detail) = all.details.iter_mut().find(|detail| detail.type_url == HELP) {
        let mut help = pb::Help::decode(detail.value.as_slice()).ok()?;
        for link in &mut help.links {
            link.url = law::page(&link.url, language);
            link.description = told::citation(&link.description, language);
        }
        let cited = help.encode_to_vec();
        room = room.saturating_sub(cited.len().saturating_sub(detail.value.len()));
        detail.value = cited;
    }
    let mut texts = |text: told::Text| {
        let message = pb::LocalizedMessage {
            locale: language.code().into(),
            message: text.say(language).into(),
        };
        // The lengths that enclose it are written anew, and may grow by a byte each.
        room = room.checked_sub(message.encoded_len() + 10)?;
        Some(message)
    };
    if let Some(message) = texts(told::error(reason)) {
        all.details.push(prost_types::Any {
            type_url: MESSAGE.into(),
            value: message.encode_to_vec(),
        });
    }
    if let Some(detail) = all.details.iter_mut().find(|detail| detail.type_url == BAD_REQUEST) {
        let mut bad = pb::BadRequest::decode(detail.value.as_slice()).ok()?;
        for violation in &mut bad.field_violations {
            let reason = FieldReason::from_str_name(&format!("FIELD_REASON_{}", violation.reason));
            violation.localized_message = reason.map(told::field).and_then(&mut texts);
        }
        detail.value = bad.encode_to_vec();
    }
    Some(all.encode_to_vec())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body::Frame;
    use http_body_util::StreamBody;
    use tonic::Code;
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::*;
    use crate::{Refusal, Violations};

    fn refused() -> Status {
        let mut violations = Violations::new();
        violations.add("period", FieldReason::Required, "a period is needed");
        violations.refuse().expect_err("a field is wrong").into()
    }

    fn told(headers: &HeaderMap) -> ErrorDetails {
        let status = Status::from_header_map(headers).expect("it is refused");
        status.get_error_details()
    }

    #[test]
    fn a_refusal_is_told_in_the_language_of_the_caller_beside_what_it_said() {
        let before = told(refused().into_http::<Body>().headers());
        let response = localized(refused().into_http(), Some(Language::Ru));
        let details = told(response.headers());
        let message = details.localized_message().expect("there is a text");
        assert_eq!(message.locale, "ru");
        assert_eq!(message.message, told::error(ErrorReason::InvalidFields).ru);
        let violation = &details.bad_request().expect("a violation").field_violations[0];
        let text = violation.localized_message.as_ref().expect("there is a text");
        assert_eq!(text.message, told::field(FieldReason::Required).ru);
        assert_eq!(violation.description, "a period is needed");
        let reason = |details: &ErrorDetails| details.error_info().map(|info| info.reason.clone());
        assert_eq!(reason(&details), reason(&before));
    }

    #[test]
    fn who_asks_for_no_language_and_what_is_no_refusal_of_this_system_gets_no_text() {
        let response = localized(refused().into_http(), None);
        assert!(told(response.headers()).localized_message().is_none());
        let foreign = Status::with_error_details(
            Code::Internal,
            "",
            ErrorDetails::with_error_info("ERROR_REASON_INTERNAL", "elsewhere", []),
        );
        for other in [foreign, Status::internal("without details")] {
            let response = localized(other.into_http(), Some(Language::Ru));
            assert!(told(response.headers()).localized_message().is_none());
        }
    }

    #[test]
    fn the_law_is_cited_and_shown_in_the_language_of_the_caller() {
        let refusal = Refusal::not_found("forms/1").legal_basis("Instruction, para 8");
        let (kk, ru) = (
            "https://adilet.zan.kz/kaz/docs/V1900018554",
            "https://adilet.zan.kz/rus/docs/V1900018554",
        );
        for (language, url, cited) in [
            (Language::Kk, kk, "Нұсқаулық, 8-тармақ"),
            (Language::Ru, ru, "Инструкция, п. 8"),
            (Language::En, ru, "Instruction, para 8"),
        ] {
            let response = localized(Status::from(refusal.clone()).into_http(), Some(language));
            let help = told(response.headers()).help().cloned().expect("the law has a page");
            assert_eq!(
                (help.links[0].url.as_str(), help.links[0].description.as_str()),
                (url, cited)
            );
        }
    }

    #[tokio::test]
    async fn the_end_of_a_stream_is_told_in_the_language_too() {
        let mut trailers = HeaderMap::new();
        refused().add_header(&mut trailers).expect("a header carries it");
        let frames = [
            Ok::<_, Status>(Frame::data(Bytes::from_static(b"one"))),
            Ok(Frame::trailers(trailers)),
        ];
        let body = Body::new(StreamBody::new(futures::stream::iter(frames)));
        let response = localized(http::Response::new(body), Some(Language::Kk));
        let ended = response.into_body().collect().await.expect("it comes whole");
        let details = told(ended.trailers().expect("it ends with trailers"));
        let message = details.localized_message().expect("there is a text");
        assert_eq!(message.message, told::error(ErrorReason::InvalidFields).kk);
    }

    #[test]
    fn with_texts_the_largest_refusal_still_fits_into_the_headers_of_common_clients_and_has_its_own() {
        let mut violations = Violations::new();
        for item in 0..1000 {
            violations.add(format!("items[{item}].period"), FieldReason::Period, "ж".repeat(5000));
        }
        let refusal = violations.refuse().expect_err("much is wrong");
        let refusal = refusal.with("resource", &"x".repeat(9000));
        let mut few = Violations::new();
        for item in 0..25 {
            few.add(format!("items[{item}].period"), FieldReason::Period, "it is no period");
        }
        for refusal in [refusal, few.refuse().expect_err("much is wrong")] {
            let response = localized(Status::from(refusal).into_http(), Some(Language::Kk));
            let bytes: usize = response.headers().values().map(http::HeaderValue::len).sum();
            assert!(bytes < 8000, "{bytes}");
            assert!(told(response.headers()).localized_message().is_some());
        }
    }

    #[test]
    fn every_reason_has_a_text_in_every_language_that_fits_beside_the_largest_refusal() {
        for language in Language::ALL {
            for reason in (1..1000).filter_map(|number| ErrorReason::try_from(number).ok()) {
                let text = told::error(reason).say(language);
                assert!((10..240).contains(&text.len()), "{reason:?}: {text}");
                assert!(!told::codes(reason).is_empty(), "{reason:?}");
            }
            for reason in (1..1000).filter_map(|number| FieldReason::try_from(number).ok()) {
                let text = told::field(reason).say(language);
                assert!((10..200).contains(&text.len()), "{reason:?}: {text}");
            }
        }
    }

    #[test]
    fn a_refusal_with_a_code_that_the_contract_does_not_name_is_a_fault_of_the_service() {
        let wrong = std::panic::catch_unwind(|| Refusal::new(Code::Ok, ErrorReason::WrongState, ""));
        assert!(wrong.is_err());
    }
}
